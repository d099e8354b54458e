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
//! few patients have two of them, or where an earlier release was about some of these patients in other tables or beside
//! others (DC-09).
//!
//! By group each condition is a further table, which crosses it with the study's dimension: every cell of it needs k
//! patients, those who were assessed ten more (DC-11), and few of a group who lack a reference standard hide the condition
//! there: setting patients aside for the sake of each group would take too many out of the whole. Such tables share the
//! dimension alone and close no circle (DC-16), and up to three conditions are held against each other in all that follows of
//! them: a condition that stays in several groups is told of these together, by the whole minus the other groups, and where
//! that says something of few it stays in one group more (DC-17). The error of the mean leaves of no group; where an earlier
//! release may have held it and few of a group have two conditions, no group is told of (DC-18).

use std::collections::BTreeSet;

use fedval_study::condition_groups::{self, CELLS};
use fedval_study::conditions::ConditionFindings;
use fedval_study::protocol::Table;
use fedval_study::result::SubgroupCell;
use fedval_study::{
    Cell, ConditionPerformance, Members, Name, Outcome, Performance, Release, ResultHeader,
    SiteResult, SiteSummary,
};

use super::condition_members::check_members;
use super::{Gate, Withheld, note_attrition};
use crate::cell_plan::{self, CellPlan, Conditions, Hidden};
use crate::decision::{Decision, Verdict};
use crate::form;
use crate::rules::dc01_closed_schema::SchemaBreach;
use crate::rules::dc25_marking::Suppression;
use crate::rules::{
    Rule, dc01_closed_schema, dc02_cohort_minimum, dc05_zeros, dc09_joint_error, dc15_inference,
    dc18_earlier_releases,
};
use crate::{Footprint, History, Vetted};

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
        let tables = condition_groups::tables(self.protocol);
        let patients = check_members(members, found, &tables)?;
        let absent = self.absent_groups(members)?;
        let many_have_two = dc09_joint_error::may_leave(&patients, is_told.len(), terms.k);
        let asked = Conditions {
            tables: &tables,
            is_told: &is_told,
            absent: &absent,
            groups_stay: !many_have_two
                && dc18_earlier_releases::may_have_held_joint_error(members, history),
        };
        let plan = self.condition_plan(&asked, members, history)?;
        let conditions = &plan[..is_told.len()];
        let is_shown: Vec<bool> =
            conditions.iter().map(|cells| cells.iter().all(Option::is_none)).collect();
        if !is_shown.contains(&true) {
            let mut hidden = conditions.iter().flatten().flatten();
            let is_near_earlier = hidden.any(|hidden| hidden.rule == Rule::Dc18);
            return Err(if is_near_earlier {
                Withheld::EarlierReleases
            } else {
                Withheld::Insufficient
            });
        }
        let attrition = self.attrition(summary, history);
        let mut overall = found.shown(self.protocol.task.conditions(), &is_shown);
        if !many_have_two || dc18_earlier_releases::meets_other_cells(members, history) {
            overall.macro_se_nano = Cell::Suppressed;
        }
        let mut decisions = self.condition_decisions(conditions, &overall);
        let subgroups = self.condition_groups(found, &tables, &plan, &mut decisions);
        note_attrition(&attrition, &mut decisions);
        let release = Release { attrition, overall, subgroups, terms };
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

    /// The groups that are empty by what the site says of itself.
    fn absent_groups(&self, members: &Members) -> Result<BTreeSet<usize>, Withheld> {
        let zeros = dc05_zeros::structural(self.protocol, &self.policy.absent);
        // Of one dimension there is one table.
        let absent: BTreeSet<usize> = zeros.into_iter().map(|(_, group)| group).collect();
        let place = self.protocol.task.conditions().len();
        let is_there = |group: &&usize| {
            let mut cases = members.cases.iter();
            cases.any(|case| case.cells.get(place).is_some_and(|own| usize::from(*own) == **group))
        };
        if let Some(group) = absent.iter().find(is_there) {
            let tables = self.protocol.tables();
            let cell = tables.first().and_then(|table| {
                Some(format!("{} = {}", table.name, table.categories.get(*group)?))
            });
            return Err(Withheld::NotAbsent { cell: cell.unwrap_or_default() });
        }
        Ok(absent)
    }

    /// Which cells are shown: of a condition all or none, and of a condition in a group.
    fn condition_plan(
        &self,
        asked: &Conditions<'_>,
        members: &Members,
        history: &History,
    ) -> Result<CellPlan, Withheld> {
        if dc18_earlier_releases::mixes_noise(members, false, history) {
            return Err(Withheld::EarlierReleases);
        }
        let earlier: Vec<&Footprint> = history.exact().map(|(_, footprint)| footprint).collect();
        cell_plan::condition_plan(asked, members, &earlier, self.policy.terms.k)
            .map_err(|_| Withheld::EarlierReleases)
    }

    /// Each group with the conditions that the plan shows of it.
    fn condition_groups(
        &self,
        found: &ConditionFindings,
        tables: &[Table],
        plan: &CellPlan,
        decisions: &mut Vec<Decision>,
    ) -> Vec<SubgroupCell<ConditionPerformance>> {
        let conditions = self.protocol.task.conditions();
        let Some(dimension) = tables.get(conditions.len()) else { return Vec::new() };
        let groups = dimension.categories.len();
        let of_group = |(place, category): (usize, &Name)| {
            let group = found.groups.get(place).cloned().unwrap_or_default();
            let by_condition = plan.get(conditions.len() + 1..).unwrap_or_default();
            let hidden = |cells: &Vec<Option<Hidden>>| -> Option<Hidden> {
                cells.iter().skip(place).step_by(groups).find_map(|hidden| *hidden)
            };
            let why: Vec<Option<Hidden>> = by_condition.iter().map(hidden).collect();
            let is_shown: Vec<bool> = why.iter().map(Option::is_none).collect();
            let performance = group.shown(conditions, &is_shown);
            let shown = performance.released();
            for (condition, why) in conditions.iter().zip(&why) {
                let is_released = shown.is_some_and(|group| group.of(&condition.name).is_some());
                let quantity = format!("{} in {} = {category}", condition.name, dimension.name);
                decisions.push(match why {
                    None if is_released => Decision::new(quantity, Verdict::Released, Rule::Dc03),
                    // Empty by structure, it looks like the others.
                    None => {
                        let withheld = Verdict::Withheld(Suppression::Primary);
                        Decision::new(quantity, withheld, Rule::Dc05)
                    }
                    Some(why) => Decision::new(quantity, Verdict::Withheld(why.why), why.rule),
                });
            }
            let (category, dimension) = (category.clone(), dimension.name.clone());
            SubgroupCell { category, dimension, performance }
        };
        dimension.categories.iter().enumerate().map(of_group).collect()
    }

    fn condition_decisions(
        &self,
        plan: &[Vec<Option<Hidden>>],
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
