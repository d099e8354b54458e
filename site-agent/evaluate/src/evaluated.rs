//! A cohort of which every case was looked at.

use std::collections::{BTreeMap, BTreeSet};

use fedval_disclosure::SiteLocal;
use fedval_ingest::Cohort;
use fedval_study::protocol::{Combine, Quantity, Reference, Structure, StudyProtocol};
use fedval_study::summary::{FailureReason, Findings};
use fedval_study::{CohortCommitment, Sha256Digest, SiteSummary};
use fedval_vault::{CaseOutcome, Checkpoint};

use crate::category_sets::CategorySets;
use crate::class_unit::{ClassImage, patients, references};
use crate::condition_unit::{self, Counted};
use crate::conditions::Patients;
use crate::mask_unit::MaskCase;
use crate::regression::ValueImage;
use crate::unit::{ScoreGrid, ScoredImage, Units, units};
use crate::{
    attributes, classes, commitment, conditions, mask_unit, masks, measures, members, regression,
    summary,
};

/// Cases, and what became of each: gathered checkpoint by checkpoint, so that none is held once it was counted.
pub(crate) struct Evaluated {
    protocol: StudyProtocol,
    /// The site's secret for its commitment.
    secret: [u8; 32],
    /// How finely scores are told apart.
    grid: ScoreGrid,
    /// The smallest group of patients that may be told of.
    k: u64,
    cohort: SiteLocal<Cohort>,
    images: Vec<ScoredImage>,
    /// Categories of images.
    sets: CategorySets,
    class_images: Vec<ClassImage>,
    /// Of each patient with a score for several conditions, the first known category of the study's dimension; nobody of whom
    /// none is known.
    groups: BTreeMap<u32, u16>,
    values: Vec<ValueImage>,
    mask_cases: Vec<MaskCase>,
    /// Reasons by patient.
    failures: BTreeMap<u32, BTreeSet<FailureReason>>,
    /// Cases whose index test failed: that a reference standard is missing is no failure of it.
    failed: usize,
    /// Of each case's image file, where it could be read.
    digests: Vec<Option<Sha256Digest>>,
}

impl Evaluated {
    /// Nothing was gathered yet.
    pub(crate) fn new(
        protocol: StudyProtocol,
        secret: [u8; 32],
        (grid, k): (ScoreGrid, u64),
        cohort: SiteLocal<Cohort>,
    ) -> Self {
        let cases = cohort.open_on_site().len();
        // Room for all of them at once: none is moved as there are more.
        let images = Vec::with_capacity(if protocol.task.is_binary() { cases } else { 0 });
        Self {
            protocol,
            secret,
            grid,
            k,
            cohort,
            images,
            sets: CategorySets::default(),
            class_images: Vec::new(),
            groups: BTreeMap::new(),
            values: Vec::new(),
            mask_cases: Vec::new(),
            failures: BTreeMap::new(),
            failed: 0,
            digests: vec![None; cases],
        }
    }

    /// Takes what became of the case at `index`. A manifest that became shorter leaves checkpoints behind, which are no case.
    pub(crate) fn take(&mut self, index: usize, checkpoint: &Checkpoint) {
        let Some(case) = self.cohort.open_on_site().case(index) else { return };
        let place = u32::try_from(index).unwrap_or(u32::MAX);
        self.digests[index] = checkpoint.image;
        match (&checkpoint.outcome, case.reference) {
            (CaseOutcome::Score(bits), Some(Reference::Condition(positive))) => {
                let categories =
                    attributes::categories(&self.protocol, &case, &checkpoint.attributes);
                let categories = self.sets.number(&categories);
                let (patient, score) = (case.patient, f64::from_bits(*bits));
                let image = ScoredImage { patient, case: place, positive, score, categories };
                self.images.push(image);
            }
            (CaseOutcome::Score(bits), Some(Reference::Value(reference))) => {
                let categories =
                    attributes::categories(&self.protocol, &case, &checkpoint.attributes);
                let (patient, prediction) = (case.patient, f64::from_bits(*bits));
                let image = ValueImage { patient, case: place, reference, prediction, categories };
                self.values.push(image);
            }
            (CaseOutcome::Scores(bits), Some(Reference::Class(_) | Reference::Conditions(_))) => {
                let scores = bits.iter().map(|bits| f64::from_bits(*bits)).collect();
                let categories =
                    attributes::categories(&self.protocol, &case, &checkpoint.attributes);
                if let Some(group) = categories.first().copied().flatten() {
                    self.groups.entry(case.patient).or_insert(group);
                }
                self.class_images.push(ClassImage { patient: case.patient, case: place, scores });
            }
            (CaseOutcome::Masks(outcome), Some(Reference::Mask)) => {
                let (patient, outcome) = (case.patient, *outcome);
                self.mask_cases.push(MaskCase { patient, case: place, outcome });
            }
            (outcome, _) => {
                // What belongs to another task, or has no reference, says nothing.
                if let Some(reason) = outcome.failure() {
                    self.failures.entry(case.patient).or_default().insert(reason);
                    self.failed += usize::from(reason != FailureReason::NoReference);
                }
            }
        }
    }

    /// The share of cases that failed.
    pub(crate) fn failed_share(&self) -> f64 {
        failed_share(self.failed, self.digests.len())
    }

    /// Counts everything that the protocol names.
    pub(crate) fn summarise(mut self) -> SiteLocal<SiteSummary> {
        // What is not needed any more goes before the next comes.
        let digests = std::mem::take(&mut self.digests);
        let commitment = commitment::commit(self.cohort.open_on_site(), &digests, &self.secret);
        drop(digests);
        let failures = std::mem::take(&mut self.failures);
        if let Some(quantity) = self.protocol.task.quantity() {
            return self.summarise_values(quantity, commitment, failures);
        }
        if let Some(structure) = self.protocol.task.structure() {
            return self.summarise_masks(&self.mask_cases, structure, commitment, failures);
        }
        if !self.protocol.task.conditions().is_empty() {
            return self.summarise_conditions(commitment, failures);
        }
        if !self.protocol.task.is_binary() {
            return self.summarise_classes(&self.class_images, commitment, failures);
        }
        self.summarise_scores(commitment, failures)
    }

    /// Counts images, or patients, with and without the target condition.
    fn summarise_scores(
        self,
        commitment: CohortCommitment,
        failures: BTreeMap<u32, BTreeSet<FailureReason>>,
    ) -> SiteLocal<SiteSummary> {
        let Self { protocol, secret, grid, cohort, images, mut sets, .. } = self;
        let scale = protocol.model.output.scale;
        let units = units(&images, &protocol.analysis, scale, grid, &mut sets);
        drop(images);
        let members = members::members(&protocol, cohort.open_on_site(), (&units, &sets), &secret);
        // Nobody is named from here on.
        drop(cohort);
        let Units { analysed, cases } = units;
        drop(cases);
        let failures = failures.into_values().collect();
        let counted = (&analysed[..], &sets);
        SiteLocal::new(summary::summarise(&protocol, commitment, counted, failures, members))
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
        let (units, classless) = patients(images, &references(cohort.cases()), task, combine);
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

    /// Counts patients with several conditions. Who is set aside has no reference standard for all that is told.
    fn summarise_conditions(
        &self,
        commitment: CohortCommitment,
        mut failures: BTreeMap<u32, BTreeSet<FailureReason>>,
    ) -> SiteLocal<SiteSummary> {
        let (protocol, cohort) = (&self.protocol, self.cohort.open_on_site());
        let count = protocol.task.conditions().len();
        let images = &self.class_images;
        let references = condition_unit::references(cohort.cases());
        let Counted { patients, set_aside } =
            condition_unit::counted(images, &references, count, self.k);
        let known = Patients { assessed: &patients, groups: &self.groups };
        for patient in set_aside {
            failures.entry(patient).or_default().insert(FailureReason::NoReference);
        }
        let findings = conditions::findings(protocol, images, known, self.grid);
        SiteLocal::new(SiteSummary {
            cohort: commitment,
            failures: failures.into_values().collect(),
            findings: Findings::Conditions(findings),
            members: conditions::members(protocol, cohort, images, known, &self.secret),
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
        quantity: &Quantity,
        commitment: CohortCommitment,
        failures: BTreeMap<u32, BTreeSet<FailureReason>>,
    ) -> SiteLocal<SiteSummary> {
        let (protocol, cohort) = (&self.protocol, self.cohort.open_on_site());
        let combine = protocol.analysis.combine.unwrap_or(Combine::First);
        let units = regression::units(&self.values, quantity, combine);
        SiteLocal::new(SiteSummary {
            cohort: commitment,
            failures: failures.into_values().collect(),
            findings: Findings::Measures(measures::findings(protocol, &units)),
            members: measures::members(protocol, cohort, &units, &self.secret),
        })
    }
}

/// The share of `cases` that failed.
pub(crate) fn failed_share(failed: usize, cases: usize) -> f64 {
    to_f64(failed) / to_f64(cases)
}

#[expect(clippy::cast_precision_loss, reason = "cases, at most two million")]
fn to_f64(cases: usize) -> f64 {
    cases as f64
}
