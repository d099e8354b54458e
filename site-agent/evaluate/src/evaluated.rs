//! A cohort of which every case was looked at.

use std::collections::{BTreeMap, BTreeSet};

use fedval_disclosure::SiteLocal;
use fedval_ingest::{Case, Cohort};
use fedval_study::protocol::{Combine, Quantity, Reference, Structure, StudyProtocol};
use fedval_study::summary::{FailureReason, Findings};
use fedval_study::{CohortCommitment, Sha256Digest, SiteSummary};
use fedval_vault::{CaseOutcome, Checkpoint};

use crate::class_unit::{ClassImage, patients, references};
use crate::mask_unit::MaskCase;
use crate::regression::ValueImage;
use crate::unit::{ScoreGrid, ScoredImage, units};
use crate::{
    attributes, classes, commitment, mask_unit, masks, measures, members, regression, summary,
};

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
        let (mut images, mut class_images, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let mut mask_cases = Vec::new();
        let mut failures: BTreeMap<u32, BTreeSet<FailureReason>> = BTreeMap::new();
        let mut digests: Vec<Option<Sha256Digest>> = vec![None; cohort.cases.len()];
        for (index, checkpoint) in self.checkpoints.open_on_site() {
            let Some(case) = cohort.cases.get(*index) else { continue };
            digests[*index] = checkpoint.image;
            match (&checkpoint.outcome, case.reference) {
                (CaseOutcome::Score(bits), Some(Reference::Condition(positive))) => {
                    images.push(self.scored(*index, case, positive, *bits, checkpoint));
                }
                (CaseOutcome::Score(bits), Some(Reference::Value(reference))) => {
                    values.push(self.measured(*index, case, reference, *bits, checkpoint));
                }
                (CaseOutcome::Scores(bits), Some(Reference::Class(_))) => {
                    class_images.push(ClassImage {
                        patient: case.patient,
                        case: *index,
                        scores: bits.iter().map(|bits| f64::from_bits(*bits)).collect(),
                    });
                }
                (CaseOutcome::Masks(outcome), Some(Reference::Mask)) => {
                    let (patient, outcome) = (case.patient, *outcome);
                    mask_cases.push(MaskCase { patient, case: *index, outcome });
                }
                (CaseOutcome::Failed(reason), _) => {
                    failures.entry(case.patient).or_default().insert(*reason);
                }
                // What belongs to another task, or has no reference, says nothing.
                (CaseOutcome::Score(_) | CaseOutcome::Scores(_) | CaseOutcome::Masks(_), _) => {}
            }
        }
        let commitment = commitment::commit(cohort, &digests, &self.secret);
        if let Some(quantity) = self.protocol.task.quantity() {
            return self.summarise_values(&values, quantity, commitment, failures);
        }
        if let Some(structure) = self.protocol.task.structure() {
            return self.summarise_masks(&mask_cases, structure, commitment, failures);
        }
        if !self.protocol.task.is_binary() {
            return self.summarise_classes(&class_images, commitment, failures);
        }
        let protocol = &self.protocol;
        let scale = protocol.model.output.scale;
        let units = units(&images, &protocol.analysis, scale, self.grid);
        let members = members::members(protocol, cohort, &units, &self.secret);
        let failures = failures.into_values().collect();
        SiteLocal::new(summary::summarise(protocol, commitment, &units, failures, members))
    }

    /// Counts patients of several classes.
    fn summarise_classes(
        &self,
        images: &[ClassImage],
        commitment: CohortCommitment,
        mut failures: BTreeMap<u32, BTreeSet<FailureReason>>,
    ) -> SiteLocal<SiteSummary> {
        let StudyProtocol { task, analysis, .. } = &self.protocol;
        let combine = analysis.combine.unwrap_or(Combine::First);
        let cohort = self.cohort.open_on_site();
        let (units, classless) = patients(images, &references(&cohort.cases), task, combine);
        for patient in classless {
            failures.entry(patient).or_default().insert(FailureReason::NoReference);
        }
        SiteLocal::new(SiteSummary {
            cohort: commitment,
            failures: failures.into_values().collect(),
            findings: Findings::Classes(classes::performance(&units, task)),
            members: classes::members(cohort, &units, &self.secret),
        })
    }

    /// Measures patients in whom both masks hold the structure, and counts the others.
    fn summarise_masks(
        &self,
        cases: &[MaskCase],
        structure: &Structure,
        commitment: CohortCommitment,
        failures: BTreeMap<u32, BTreeSet<FailureReason>>,
    ) -> SiteLocal<SiteSummary> {
        let (protocol, cohort) = (&self.protocol, self.cohort.open_on_site());
        let combine = protocol.analysis.combine.unwrap_or(Combine::First);
        let units = mask_unit::patients(cases, combine);
        SiteLocal::new(SiteSummary {
            cohort: commitment,
            failures: failures.into_values().collect(),
            findings: Findings::Measures(masks::findings(protocol, structure, &units)),
            members: masks::members(protocol, cohort, &units, &self.secret),
        })
    }

    /// Measures patients.
    fn summarise_values(
        &self,
        images: &[ValueImage],
        quantity: &Quantity,
        commitment: CohortCommitment,
        failures: BTreeMap<u32, BTreeSet<FailureReason>>,
    ) -> SiteLocal<SiteSummary> {
        let (protocol, cohort) = (&self.protocol, self.cohort.open_on_site());
        let combine = protocol.analysis.combine.unwrap_or(Combine::First);
        let units = regression::units(images, quantity, combine);
        SiteLocal::new(SiteSummary {
            cohort: commitment,
            failures: failures.into_values().collect(),
            findings: Findings::Measures(measures::findings(protocol, &units)),
            members: measures::members(protocol, cohort, &units, &self.secret),
        })
    }

    fn measured(
        &self,
        index: usize,
        case: &Case,
        reference: i64,
        bits: u64,
        checkpoint: &Checkpoint,
    ) -> ValueImage {
        ValueImage {
            patient: case.patient,
            case: index,
            reference,
            prediction: f64::from_bits(bits),
            categories: attributes::categories(&self.protocol, case, &checkpoint.attributes),
        }
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
