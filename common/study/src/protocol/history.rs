//! The versions of a protocol, from the first to the one in force.

use super::{Change, LockedProtocol, changes};

/// Documents are not the versions of one protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is none.
    #[error("a study has at least one version of its protocol")]
    None,
    /// The first amends another.
    #[error("version {version} amends an earlier one, which is missing")]
    NotTheFirst {
        /// The version.
        version: u32,
    },
    /// One does not follow the one before it.
    #[error("version {version} does not amend the version before it")]
    DoesNotFollow {
        /// The version.
        version: u32,
    },
}

/// Every locked version of a study's protocol. Each names the one before it by its digest, so that there is one
/// history of whatever is in force.
#[derive(Debug, Clone, PartialEq)]
pub struct ProtocolHistory {
    earlier: Vec<LockedProtocol>,
    in_force: LockedProtocol,
}

impl ProtocolHistory {
    /// Puts `versions` together, which stand in order.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] where one does not amend exactly the one before it.
    pub fn new(mut versions: Vec<LockedProtocol>) -> Result<Self, HistoryError> {
        if let Some(first) = versions.first().filter(|first| first.protocol().amends.is_some()) {
            return Err(HistoryError::NotTheFirst { version: first.protocol().version });
        }
        for pair in versions.windows(2) {
            if let [before, after] = pair
                && !follows(before, after)
            {
                return Err(HistoryError::DoesNotFollow { version: after.protocol().version });
            }
        }
        let in_force = versions.pop().ok_or(HistoryError::None)?;
        Ok(Self { earlier: versions, in_force })
    }

    /// The version that binds.
    #[must_use]
    pub const fn in_force(&self) -> &LockedProtocol {
        &self.in_force
    }

    /// The versions before it, from the first.
    #[must_use]
    pub fn earlier(&self) -> &[LockedProtocol] {
        &self.earlier
    }

    /// Every version, from the first.
    pub fn versions(&self) -> impl Iterator<Item = &LockedProtocol> {
        self.earlier.iter().chain(std::iter::once(&self.in_force))
    }

    /// Every version with what it changed; the first changed nothing.
    pub fn steps(&self) -> impl Iterator<Item = (&LockedProtocol, Vec<Change>)> {
        let before = std::iter::once(None).chain(self.versions().map(Some));
        self.versions().zip(before).map(|(version, before)| {
            (version, before.map(|before| changes(before, version)).unwrap_or_default())
        })
    }
}

/// Whether `after` amends exactly `before`.
#[must_use]
pub fn follows(before: &LockedProtocol, after: &LockedProtocol) -> bool {
    let (old, new) = (before.protocol(), after.protocol());
    old.id == new.id
        && old.version.checked_add(1) == Some(new.version)
        && new.amends.as_ref().is_some_and(|amends| amends.protocol == before.digest())
}
