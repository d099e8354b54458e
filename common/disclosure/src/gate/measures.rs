//! The gate for tasks that measure patients.
//!
//! A patient enters each mean once, with a value between bounds of the protocol, and means stand on grids that hide one
//! of them (DC-10). Groups are held to the same minima as where patients are counted, under either label: k of them
//! (DC-03), ten more for the spread that is told (DC-11), and no other group, of this release or an earlier one, from
//! which fewer could be told apart (DC-17, DC-18).
//!
//! Of masks the patients who are measured are those whom the model outlined. Were a cohort held to its minimum by them
//! alone, a model would leave a study's means by missing nearly everybody at a site: where only they are too few, the one
//! mean in which misses count leaves, over all who have the structure.

use std::collections::{BTreeMap, BTreeSet};

use fedval_study::members::UNLISTED;
use fedval_study::protocol::Structure;
use fedval_study::result::AttritionCount;
use fedval_study::summary::{MeasureFindings, MeasureGroup};
use fedval_study::{
    MeasurePerformance, Members, Outcome, PatientCounts, Release, ResultHeader, SiteResult,
    SiteSummary,
};

use super::{Gate, Withheld, note_attrition};
use crate::cell_plan::CellPlan;
use crate::decision::{Decision, Verdict};
use crate::form::coarse::rounded_row;
use crate::form::{self, empty_masks, measures::Measuring};
use crate::rules::dc01_closed_schema::{self, SchemaBreach};
use crate::rules::dc25_marking::Suppression;
use crate::rules::{Rule, dc02_cohort_minimum, dc10_means, dc18_earlier_releases};
use crate::{Footprint, History, Vetted};

impl Gate<'_> {
    /// Vets what was measured of patients, within budgets.
    pub(super) fn vet_measures(
        &self,
        header: ResultHeader,
        summary: &SiteSummary,
        found: &MeasureFindings,
        history: &History,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let terms = self.policy.terms;
        if found.empty_masks.is_some() != self.protocol.task.structure().is_some() {
            return Err(Withheld::Schema(SchemaBreach::Task));
        }
        // Admitted for the sake of an exception that does not hold for these patients.
        if terms.noise_rho_micro.is_some() {
            return Err(Withheld::MeasuresHaveNoNoise);
        }
        let is_enough = |patients: u64| dc02_cohort_minimum::is_sufficient(both(patients), terms.k);
        let overall = found.overall.as_ref().filter(|overall| is_enough(overall.patients));
        // Whom a model outlines is its own doing; who has the structure is not.
        let outlined = found.overall.as_ref().map_or(0, |overall| overall.patients);
        let having = found.empty_masks.map_or(0, |of| outlined.saturating_add(of.only_reference));
        if overall.is_none() && !is_enough(having) {
            return Err(Withheld::Insufficient);
        }
        self.check_members(&summary.members)?;
        check_measured(&summary.members, found)?;
        if dc18_earlier_releases::mixes_noise(&summary.members, false, history) {
            return Err(Withheld::EarlierReleases);
        }
        if terms.zeros_withheld && overall.is_some_and(is_dominated) {
            return Err(Withheld::Dominated);
        }
        let zeros = self.structural_zeros(&summary.members)?;
        let plan = self.plan(&summary.members, history, &zeros)?;
        let attrition = self.attrition(summary, history);
        let mut decisions = vec![Decision::new("whole cohort", Verdict::Released, Rule::Dc02)];
        let beside_earlier = dc18_earlier_releases::meets_others(&summary.members, history);
        let release = if let Some(overall) = overall {
            let evidence = (overall, found, beside_earlier);
            self.measured(evidence, &plan, &attrition, &mut decisions)?
        } else {
            self.missed((found, beside_earlier), &attrition, &mut decisions)?
        };
        let (members, shown) = (summary.members.clone(), form::shown(&plan));
        let footprint = Footprint { members, shown, noisy: false };
        let outcome = Outcome::ReleasedMeasures(Box::new(release));
        let vetted = self.within_bits(SiteResult { header, outcome }, decisions, footprint)?;
        Ok(vetted.beside(history.footprints()))
    }

    /// The release of what the plan shows.
    fn measured(
        &self,
        (overall, found, beside_earlier): (&MeasureGroup, &MeasureFindings, bool),
        plan: &CellPlan,
        attrition: &[AttritionCount],
        decisions: &mut Vec<Decision>,
    ) -> Result<Release<MeasurePerformance>, Withheld> {
        let (ranges, tables) = (self.protocol.task.measures(), self.protocol.tables());
        let measuring = Measuring {
            terms: self.policy.terms,
            ranges: &ranges,
            tables: &tables,
            plan,
            beside_earlier,
        };
        let release = measuring
            .release(overall, found, attrition, decisions)
            .ok_or(Withheld::Schema(SchemaBreach::Inconsistent))?;
        note_attrition(attrition, decisions);
        dc01_closed_schema::check_measures(&release, self.protocol).map_err(Withheld::Schema)?;
        Ok(release)
    }

    /// The release where the model outlined the structure in too few of those who have it.
    fn missed(
        &self,
        (found, beside_earlier): (&MeasureFindings, bool),
        attrition: &[AttritionCount],
        decisions: &mut Vec<Decision>,
    ) -> Result<Release<MeasurePerformance>, Withheld> {
        let terms = self.policy.terms;
        let tally = found.empty_masks.ok_or(Withheld::Insufficient)?;
        // Where misses may not be told, nothing is: a small cohort looks the same.
        let empty = empty_masks::of(tally, &terms, beside_earlier, decisions);
        let empty = empty.ok_or(Withheld::Insufficient)?;
        let overall = form::misses::of(&Structure::with_misses(), found.overall.as_ref(), empty)
            .ok_or(Withheld::Schema(SchemaBreach::Inconsistent))?;
        let withheld = Verdict::Withheld(Suppression::Primary);
        decisions.push(Decision::new("measures of the few outlined", withheld, Rule::Dc02));
        decisions.push(Decision::new("mean Dice, misses as 0", Verdict::Rounded, Rule::Dc10));
        note_attrition(attrition, decisions);
        let attrition = attrition.iter().map(|row| rounded_row(row, &terms)).collect();
        let release = Release { attrition, overall, subgroups: Vec::new(), terms };
        dc01_closed_schema::check_measures(&release, self.protocol).map_err(Withheld::Schema)?;
        Ok(release)
    }
}

/// Patients who stand under both labels.
const fn both(patients: u64) -> PatientCounts {
    PatientCounts { total: patients, with_negative: patients, with_positive: patients }
}

/// Where a site asks for it: two patients who make up nine tenths of a sum (DC-10).
fn is_dominated(overall: &MeasureGroup) -> bool {
    overall
        .measures
        .iter()
        .any(|of| dc10_means::is_dominated(of.sizes_micro, of.two_largest_micro.into()))
}

/// Every patient stands in one cell of each table, each case under both labels, and groups count just these: the rules
/// look at members, and the release tells of groups.
fn check_measured(members: &Members, found: &MeasureFindings) -> Result<(), Withheld> {
    let measured = found.overall.as_ref().map_or(0, |overall| overall.patients);
    // Patients with an empty mask are told of, too, and stand with the others in whatever is held against a later release.
    let unmeasured = found.empty_masks.map_or(0, |tally| {
        tally.only_reference.saturating_add(tally.only_predicted).saturating_add(tally.neither)
    });
    let agree = members_by_cell(members).is_some_and(|(patients, cells)| {
        let of = |place: usize, cell: usize| cells.get(&(place, cell)).copied().unwrap_or(0);
        let stands = |(place, groups): (usize, &Vec<Option<MeasureGroup>>)| {
            let counted = |group: &Option<MeasureGroup>| group.as_ref().map_or(0, |of| of.patients);
            groups.iter().enumerate().all(|(cell, group)| counted(group) == of(place, cell))
        };
        measured.saturating_add(unmeasured) == patients
            && found.tables.iter().enumerate().all(stands)
    });
    if agree { Ok(()) } else { Err(Withheld::Schema(SchemaBreach::Inconsistent)) }
}

/// Patients by table and cell.
type ByCell = BTreeMap<(usize, usize), u64>;

/// Patients, and those of each cell of each table; `None` where somebody stands in two cells, or under one label.
fn members_by_cell(members: &Members) -> Option<(u64, ByCell)> {
    let mut cells_of: BTreeMap<u32, &[u16]> = BTreeMap::new();
    let mut labels: [BTreeSet<[u8; 16]>; 2] = [BTreeSet::new(), BTreeSet::new()];
    for case in &members.cases {
        if *cells_of.entry(case.patient).or_insert(&case.cells) != case.cells.as_slice() {
            return None;
        }
        labels[usize::from(case.positive)].insert(case.case);
    }
    let [negatives, positives] = &labels;
    if negatives != positives || cells_of.len() != members.patients.len() {
        return None;
    }
    let mut counts = BTreeMap::new();
    for cells in cells_of.values() {
        for (table, cell) in cells.iter().enumerate().filter(|(_, cell)| **cell != UNLISTED) {
            *counts.entry((table, usize::from(*cell))).or_insert(0) += 1;
        }
    }
    Some((u64::try_from(cells_of.len()).ok()?, counts))
}
