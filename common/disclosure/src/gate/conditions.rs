//! The gate for tasks with several conditions.
//!
//! Patients of two conditions overlap, and of each condition others may lack the reference standard: no count of one
//! follows from those of the others. So each condition is a table of its own over the same patients, with three cells:
//! there, not there, not assessed. Every cell needs k patients (DC-03), but that nobody lacks a reference standard may be
//! told. How many lack it follows from the whole minus both others, so that the cells of a condition are shown together
//! or not at all (DC-17); and they are held against those of every other condition and of every earlier release (DC-17,
//! DC-18): a nodule that is a mass in all patients but three would give these away. Of two such conditions the one that the
//! protocol lists later stays.
//!
//! Behind such denominators a condition is told of as a study of it alone would tell (DC-06, DC-09): exactly, under the
//! profile that does so. The error of the mean of the areas rests on every condition, and stays where one does, or where
//! few patients have two of them (DC-09).

use fedval_study::conditions::ConditionFindings;
use fedval_study::members::{CONDITION_CELLS, condition_cell};
use fedval_study::protocol::{Condition, Table, TableKind};
use fedval_study::{
    Cell, ConditionPerformance, Members, Name, Outcome, PatientCounts, Performance, Release,
    ResultHeader, SiteResult, SiteSummary,
};

use super::{Gate, Withheld, note_attrition};
use crate::cell_plan::{self, CellPlan, Hidden};
use crate::decision::{Decision, Verdict};
use crate::form;
use crate::rules::dc01_closed_schema::SchemaBreach;
use crate::rules::dc25_marking::Suppression;
use crate::rules::{
    Rule, dc01_closed_schema, dc02_cohort_minimum, dc09_joint_error, dc15_inference,
    dc18_earlier_releases,
};
use crate::{Footprint, History, Vetted};

/// The cells of a condition's table, in the order of [`condition_cell`].
const CELLS: [&str; CONDITION_CELLS] = ["present", "absent", "missing"];

impl Gate<'_> {
    /// Vets what was counted of several conditions, within budgets.
    pub(super) fn vet_conditions(
        &self,
        header: ResultHeader,
        summary: &SiteSummary,
        found: &ConditionFindings,
        history: &History,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let (terms, members) = (self.policy.terms, &summary.members);
        // Admitted for the sake of an exception that does not hold for these patients.
        if !dc15_inference::variance_components_may_leave(&terms) {
            return Err(Withheld::ClassesNeedExactCounts);
        }
        if found.conditions.len() != self.protocol.task.conditions().len() {
            return Err(Withheld::Schema(SchemaBreach::Task));
        }
        let is_told: Vec<bool> = found
            .conditions
            .iter()
            .map(|of| of.as_ref().is_some_and(|of| self.is_sufficient(of)))
            .collect();
        if !is_told.contains(&true) {
            return Err(Withheld::Insufficient);
        }
        let patients = check_members(members, found)?;
        let plan = self.condition_plan(members, &is_told, history)?;
        let is_shown: Vec<bool> =
            plan.iter().map(|cells| cells.iter().all(Option::is_none)).collect();
        if !is_shown.contains(&true) {
            let mut hidden = plan.iter().flatten().flatten();
            let is_near_earlier = hidden.any(|hidden| hidden.rule == Rule::Dc18);
            return Err(if is_near_earlier {
                Withheld::EarlierReleases
            } else {
                Withheld::Insufficient
            });
        }
        let attrition = self.attrition(summary, history);
        let mut overall = found.shown(self.protocol.task.conditions(), &is_shown);
        if !dc09_joint_error::may_leave(&patients, terms.k) {
            overall.macro_se_nano = Cell::Suppressed;
        }
        let mut decisions = self.condition_decisions(&plan, &overall);
        note_attrition(&attrition, &mut decisions);
        let release = Release { attrition, overall, subgroups: Vec::new(), terms };
        dc01_closed_schema::check_conditions(&release, self.protocol).map_err(Withheld::Schema)?;
        let footprint =
            Footprint { members: members.clone(), shown: form::shown(&plan), noisy: false };
        let outcome = Outcome::ReleasedConditions(Box::new(release));
        let vetted = self.within_bits(SiteResult { header, outcome }, decisions, footprint)?;
        Ok(vetted.beside(history.footprints()))
    }

    fn is_sufficient(&self, found: &Performance) -> bool {
        dc02_cohort_minimum::is_sufficient(found.patients, self.policy.terms.k)
    }

    /// Which cells are shown: of a condition all or none.
    fn condition_plan(
        &self,
        members: &Members,
        is_told: &[bool],
        history: &History,
    ) -> Result<CellPlan, Withheld> {
        if dc18_earlier_releases::mixes_noise(members, false, history) {
            return Err(Withheld::EarlierReleases);
        }
        let cell =
            |name: &str| -> Name { name.parse().expect("a literal of the allowed characters") };
        let conditions = self.protocol.task.conditions().iter().enumerate();
        let table = |(place, condition): (usize, &Condition)| Table {
            name: condition.name.clone(),
            categories: CELLS.map(cell).into(),
            kind: TableKind::OneWay(place),
        };
        let tables: Vec<Table> = conditions.map(table).collect();
        let earlier: Vec<&Footprint> = history.exact().map(|(_, footprint)| footprint).collect();
        let k = self.policy.terms.k;
        let mut plan = cell_plan::condition_plan(&tables, members, &earlier, is_told, k)
            .map_err(|_| Withheld::EarlierReleases)?;
        for cells in &mut plan {
            if cells.iter().any(Option::is_some) {
                let hidden = Hidden { why: Suppression::Complementary, rule: Rule::Dc17 };
                for cell in cells {
                    cell.get_or_insert(hidden);
                }
            }
        }
        Ok(plan)
    }

    fn condition_decisions(
        &self,
        plan: &CellPlan,
        overall: &ConditionPerformance,
    ) -> Vec<Decision> {
        let mut decisions = vec![Decision::new("whole cohort", Verdict::Released, Rule::Dc02)];
        for (condition, cells) in self.protocol.task.conditions().iter().zip(plan) {
            for (name, hidden) in CELLS.iter().zip(cells) {
                let (verdict, rule) = hidden.map_or((Verdict::Released, Rule::Dc03), |hidden| {
                    (Verdict::Withheld(hidden.why), hidden.rule)
                });
                let quantity = format!("{} = {name}", condition.name);
                decisions.push(Decision::new(quantity, verdict, rule));
            }
        }
        let verdict = match overall.macro_se_nano.released() {
            Some(_) => Verdict::Released,
            None => Verdict::Withheld(Suppression::Complementary),
        };
        decisions.push(Decision::new("error of the mean of the areas", verdict, Rule::Dc09));
        decisions
    }
}

/// Every patient stands in one cell of each condition, under both labels, and what is told counts just these; the cells
/// of each patient.
fn check_members<'m>(
    members: &'m Members,
    found: &ConditionFindings,
) -> Result<Vec<&'m [u16]>, Withheld> {
    let breach = || Withheld::Schema(SchemaBreach::Inconsistent);
    let mut cells_of: Vec<[Option<&'m [u16]>; 2]> = vec![[None; 2]; members.patients.len()];
    for case in &members.cases {
        let of = cells_of.get_mut(case.patient as usize).ok_or_else(breach)?;
        let cells = case.cells.as_slice();
        if *of[usize::from(case.positive)].get_or_insert(cells) != cells {
            return Err(breach());
        }
    }
    let mut counts = vec![[0_u64; CONDITION_CELLS]; found.conditions.len()];
    let mut patients = Vec::with_capacity(cells_of.len());
    for [one, other] in cells_of {
        let cells = one.filter(|_| one == other).filter(|cells| cells.len() == counts.len());
        let cells = cells.ok_or_else(breach)?;
        for (count, cell) in counts.iter_mut().zip(cells) {
            *count.get_mut(usize::from(*cell)).ok_or_else(breach)? += 1;
        }
        patients.push(cells);
    }
    let all = u64::try_from(members.patients.len()).unwrap_or(u64::MAX);
    let agree = |(counts, found): (&[u64; CONDITION_CELLS], &Option<Performance>)| {
        let at = |reference| counts[usize::from(condition_cell(reference))];
        let [with_positive, with_negative] = [at(Some(true)), at(Some(false))];
        let patients =
            PatientCounts { total: with_positive + with_negative, with_negative, with_positive };
        found.as_ref().map_or(PatientCounts::default(), |found| found.patients) == patients
    };
    let is_sound = found.patients == all && counts.iter().zip(&found.conditions).all(agree);
    if is_sound { Ok(patients) } else { Err(breach()) }
}
