//! A cohort of which every case was looked at.

use std::collections::{BTreeMap, BTreeSet};

use fedval_disclosure::SiteLocal;
use fedval_ingest::{Case, Cohort};
use fedval_study::protocol::StudyProtocol;
use fedval_study::summary::FailureReason;
use fedval_study::{Sha256Digest, SiteSummary};
use fedval_vault::{CaseOutcome, Checkpoint};

use crate::unit::{ScoreGrid, ScoredImage, units};
use crate::{attributes, commitment, members, summary};

/// Cases, and what became of each.
pub(crate) struct Evaluated {
    pub(crate) protocol: StudyProtocol,
    /// The site's secret for its commitment.
    pub(crate) secret: [u8; 32],
    /// How finely scores are told apart.
    pub(crate) grid: ScoreGrid,
    pub(crate) cohort: SiteLocal<Cohort>,
    /// By the case's place in the manifest.
    pub(crate) checkpoints: SiteLocal<BTreeMap<usize, Checkpoint>>,
}

impl Evaluated {
    /// Counts everything that the protocol names.
    pub(crate) fn summarise(&self) -> SiteLocal<SiteSummary> {
        let cohort = self.cohort.open_on_site();
        let mut images = Vec::new();
        let mut failures: BTreeMap<u32, BTreeSet<FailureReason>> = BTreeMap::new();
        let mut digests: Vec<Option<Sha256Digest>> = vec![None; cohort.cases.len()];
        for (index, checkpoint) in self.checkpoints.open_on_site() {
            let Some(case) = cohort.cases.get(*index) else { continue };
            digests[*index] = checkpoint.image;
            match (&checkpoint.outcome, case.reference) {
                (CaseOutcome::Score(bits), Some(positive)) => {
                    images.push(self.scored(*index, case, positive, *bits, checkpoint));
                }
                (CaseOutcome::Failed(reason), _) => {
                    failures.entry(case.patient).or_default().insert(*reason);
                }
                (CaseOutcome::Score(_), None) => {}
            }
        }
        let protocol = &self.protocol;
        let scale = protocol.model.output.scale;
        let units = units(&images, &protocol.analysis, scale, self.grid);
        let members = members::members(protocol, cohort, &units, &self.secret);
        let cohort = commitment::commit(cohort, &digests, &self.secret);
        let failures = failures.into_values().collect();
        SiteLocal::new(summary::summarise(protocol, cohort, &units, failures, members))
    }

    fn scored(
        &self,
        index: usize,
        case: &Case,
        positive: bool,
        bits: u64,
        checkpoint: &Checkpoint,
    ) -> ScoredImage {
        ScoredImage {
            patient: case.patient,
            case: index,
            positive,
            score: f64::from_bits(bits),
            categories: attributes::categories(&self.protocol, case, &checkpoint.attributes),
        }
    }
}
