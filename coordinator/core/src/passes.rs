//! What opens the pages: a person's login, or a link to one study.

use fedval_ambient::{Problem, Timestamp};
use fedval_study::{Name, Sha256Digest, StudyId};

use crate::Coordinator;
use crate::port::{PassHolder, PassRow, PersonRow, StoreError};

/// How long a login lasts: a working day.
const LOGIN_SECONDS: i64 = 10 * 3600;
/// Longest life of a link, in days.
pub const MOST_LINK_DAYS: u32 = 90;

/// The secret of a pass: what a cookie or a link holds.
#[derive(Clone, PartialEq, Eq)]
pub struct PassSecret(String);

impl std::fmt::Debug for PassSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PassSecret(…)")
    }
}

impl PassSecret {
    /// A secret as a browser sent it.
    #[must_use]
    pub const fn sent(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn hash(&self) -> Sha256Digest {
        Sha256Digest::of(self.0.as_bytes())
    }
}

/// Whom a pass lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visitor {
    /// A person who logged in, with the role that the person has now.
    Person(PersonRow),
    /// Whoever has the link to one study.
    Reader(StudyId),
}

/// A link cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShareError {
    /// There is no such study.
    #[error("there is no study `{study}`")]
    NotFound {
        /// The study.
        study: StudyId,
    },
    /// The life is out of bounds.
    #[error("a link works for 1 to {MOST_LINK_DAYS} days")]
    BadLife,
    /// The store failed.
    #[error("the coordinator cannot reach its store")]
    Store(#[from] StoreError),
}

impl Problem for ShareError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "STUDY_NOT_FOUND",
            Self::BadLife => "LINK_LIFE",
            Self::Store(_) => "STORE_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { .. } => "run `fedval study list` to see the studies".to_owned(),
            Self::BadLife => format!("give `--days` a number from 1 to {MOST_LINK_DAYS}"),
            Self::Store(_) => "look at the log of `fedval serve`".to_owned(),
        })
    }
}

impl Coordinator {
    /// Opens the pages to a person whose password was checked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn pass_of_person(&self, name: &Name) -> Result<Option<PassSecret>, StoreError> {
        let until = self.clock.now().plus_seconds(LOGIN_SECONDS);
        self.pass_make(PassHolder::Person(name.clone()), until).await
    }

    /// Makes a link to one study.
    ///
    /// # Errors
    ///
    /// See [`ShareError`].
    pub async fn study_share(
        &self,
        study: &StudyId,
        days: u32,
    ) -> Result<(PassSecret, Timestamp), ShareError> {
        if !(1..=MOST_LINK_DAYS).contains(&days) {
            return Err(ShareError::BadLife);
        }
        let until = self.clock.now().plus_seconds(i64::from(days) * 24 * 3600);
        let made = self.pass_make(PassHolder::Reader(study.clone()), until).await?;
        let secret = made.ok_or_else(|| ShareError::NotFound { study: study.clone() })?;
        tracing::info!(%study, days, "study shared by link");
        Ok((secret, until))
    }

    /// Ends every link to a study, and returns how many there were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn study_unshare(&self, study: &StudyId) -> Result<u64, StoreError> {
        let ended = self.store.pass_end_of_study(study).await?;
        tracing::info!(%study, ended, "links to a study ended");
        Ok(ended)
    }

    /// Whom a secret lets in now. A person who was dismissed since is nobody.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn visitor(&self, secret: &PassSecret) -> Result<Option<Visitor>, StoreError> {
        let found = self.store.pass_find(&secret.hash(), self.clock.now()).await?;
        Ok(match found.map(|pass| pass.holder) {
            Some(PassHolder::Person(name)) => {
                let people = self.store.person_list().await?;
                people.into_iter().find(|person| person.name == name).map(Visitor::Person)
            }
            Some(PassHolder::Reader(study)) => Some(Visitor::Reader(study)),
            None => None,
        })
    }

    /// Ends a login. A link stays: whoever has it may use it again.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store fails.
    pub async fn log_out(&self, secret: &PassSecret) -> Result<(), StoreError> {
        match self.visitor(secret).await? {
            Some(Visitor::Person(_)) => self.store.pass_end(&secret.hash()).await,
            Some(Visitor::Reader(_)) | None => Ok(()),
        }
    }

    async fn pass_make(
        &self,
        holder: PassHolder,
        expires_at: Timestamp,
    ) -> Result<Option<PassSecret>, StoreError> {
        // The digest's own form writes 32 bytes as text.
        let secret = PassSecret(Sha256Digest::from_bytes(self.entropy.bytes32()).to_string());
        let pass = PassRow { secret_hash: secret.hash(), holder, expires_at };
        let made = self.store.pass_insert(&pass, self.clock.now()).await?;
        Ok(made.then_some(secret))
    }
}
