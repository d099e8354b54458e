//! Every answer that a site gave, as far as the next one depends on it.

use std::collections::BTreeSet;

use fedval_study::members::MemberKey;
use fedval_study::{Members, ModelDigest, ProtocolDigest, StudyId};

use super::Footprint;
use crate::rules::dc19_budgets::Charge;

/// One earlier answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its study.
    pub study: StudyId,
    /// The protocol.
    pub protocol: ProtocolDigest,
    /// The model.
    pub model: ModelDigest,
    /// When it was committed, milliseconds since 1970-01-01 UTC.
    pub committed_at_ms: i64,
    /// Whether it held aggregates.
    pub released: bool,
    /// What it cost, in 10⁻⁶ zCDP.
    pub rho_micro: u64,
    /// Who was in it; absent where no cohort was opened.
    pub footprint: Option<Footprint>,
}

/// Every earlier answer, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History(pub Vec<Earlier>);

impl History {
    /// Exact releases.
    pub(crate) fn exact(&self) -> impl Iterator<Item = (&Earlier, &Footprint)> {
        self.0.iter().filter(|earlier| earlier.released).filter_map(|earlier| {
            let footprint = earlier.footprint.as_ref().filter(|footprint| !footprint.noisy)?;
            Some((earlier, footprint))
        })
    }

    /// Answers for which a cohort was opened.
    pub(crate) fn footprints(&self) -> u64 {
        let opened = self.0.iter().filter(|earlier| earlier.footprint.is_some()).count();
        u64::try_from(opened).unwrap_or(u64::MAX)
    }

    /// The charges that budgets are held against, for a cohort.
    pub(crate) fn charges(&self, members: &Members) -> Vec<Charge> {
        let own: BTreeSet<&MemberKey> = members.patients.iter().collect();
        let overlaps = |footprint: &Footprint| {
            footprint.members.patients.iter().any(|patient| own.contains(patient))
        };
        self.0
            .iter()
            .map(|earlier| Charge {
                study: earlier.study.clone(),
                protocol: earlier.protocol,
                model: earlier.model,
                committed_at_ms: earlier.committed_at_ms,
                released: earlier.released,
                rho_micro: earlier.rho_micro,
                overlaps: earlier.footprint.as_ref().is_some_and(overlaps),
            })
            .collect()
    }
}
