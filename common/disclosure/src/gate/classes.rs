//! The gate for tasks with several classes.
//!
//! The reference standard's classes are an identifying table (DC-03): k patients in each, or nothing leaves. What a
//! class's patients are called is the model's answer (DC-06), which `standard` shows exactly behind such a
//! denominator, empty cells among it: hiding rare errors would bias agreement upwards at just the sites where the
//! model fails. A table with a class left out says nothing about agreement, so there is none: one class too few, too
//! near another release, or needed to protect another ends in a refusal of the whole.

use fedval_study::protocol::{Table, TableKind};
use fedval_study::{
    ClassPerformance, Members, Outcome, Release, ResultHeader, SiteResult, SiteSummary,
};

use super::{Gate, Withheld, note_attrition};
use crate::cell_plan;
use crate::decision::{Decision, Verdict};
use crate::rules::{Rule, dc01_closed_schema, dc02_cohort_minimum, dc15_inference};
use crate::{Footprint, History, Vetted};

/// The name of the table that classes are, for this site's own ledger.
const CLASSES: &str = "class";

impl Gate<'_> {
    /// Vets what was counted of several classes, within budgets.
    pub(super) fn vet_classes(
        &self,
        header: ResultHeader,
        summary: &SiteSummary,
        found: Option<&ClassPerformance>,
        history: &History,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let terms = self.policy.terms;
        // Admitted for the sake of an exception that does not hold for these patients.
        if !dc15_inference::variance_components_may_leave(&terms) {
            return Err(Withheld::ClassesNeedExactCounts);
        }
        let overall = found
            .filter(|found| dc02_cohort_minimum::classes_are_sufficient(&found.sizes(), terms.k))
            .ok_or(Withheld::Insufficient)?;
        self.check_class_members(&summary.members, overall)?;
        self.hold_against_earlier(&summary.members, history)?;
        let attrition = self.attrition(summary, history);
        let mut decisions = self.class_decisions(overall);
        note_attrition(&attrition, &mut decisions);
        let release = Release { attrition, overall: overall.clone(), subgroups: Vec::new(), terms };
        dc01_closed_schema::check_classes(&release, self.protocol).map_err(Withheld::Schema)?;
        let footprint = Footprint {
            members: summary.members.clone(),
            shown: vec![vec![true; overall.classes()]],
            noisy: false,
        };
        let outcome = Outcome::ReleasedClasses(Box::new(release));
        let vetted = self.within_bits(SiteResult { header, outcome }, decisions, footprint)?;
        Ok(vetted.beside(history.footprints()))
    }

    /// Every patient stands in one class, under both labels, and the table of calls counts just these.
    fn check_class_members(
        &self,
        members: &Members,
        found: &ClassPerformance,
    ) -> Result<(), Withheld> {
        let breach = Withheld::Schema(dc01_closed_schema::SchemaBreach::Inconsistent);
        let mut class_of = vec![[None; 2]; members.patients.len()];
        for case in &members.cases {
            let [class] = case.cells[..] else { return Err(breach) };
            let Some(of) = class_of.get_mut(case.patient as usize) else { return Err(breach) };
            let of = &mut of[usize::from(case.positive)];
            if *of.get_or_insert(class) != class {
                return Err(breach);
            }
        }
        let mut sizes = vec![0_u64; self.protocol.task.classes().len()];
        for [one, other] in class_of {
            let size = one.filter(|_| one == other).and_then(|c| sizes.get_mut(usize::from(c)));
            *size.ok_or(Withheld::Schema(dc01_closed_schema::SchemaBreach::Inconsistent))? += 1;
        }
        if sizes == found.sizes() { Ok(()) } else { Err(breach) }
    }

    /// DC-17 and DC-18 over the classes: each must be one that may be shown.
    fn hold_against_earlier(&self, members: &Members, history: &History) -> Result<(), Withheld> {
        if crate::rules::dc18_earlier_releases::mixes_noise(members, false, history) {
            return Err(Withheld::EarlierReleases);
        }
        let classes = self.protocol.task.classes();
        let table = Table {
            name: CLASSES.parse().expect("a literal of the allowed characters"),
            categories: classes.iter().map(|class| class.name.clone()).collect(),
            kind: TableKind::OneWay(0),
        };
        let earlier: Vec<&Footprint> = history.exact().map(|(_, footprint)| footprint).collect();
        let plan = cell_plan::class_plan(&table, members, &earlier, self.policy.terms.k)
            .map_err(|_| Withheld::EarlierReleases)?;
        match plan.iter().flatten().next() {
            None => Ok(()),
            Some(hidden) if hidden.rule == Rule::Dc03 => Err(Withheld::Insufficient),
            Some(_) => Err(Withheld::EarlierReleases),
        }
    }

    fn class_decisions(&self, overall: &ClassPerformance) -> Vec<Decision> {
        let released = |quantity: String, rule| Decision::new(quantity, Verdict::Released, rule);
        let mut decisions = vec![released("whole cohort".to_owned(), Rule::Dc02)];
        for class in self.protocol.task.classes() {
            decisions.push(released(format!("class = {}", class.name), Rule::Dc03));
        }
        decisions.push(released("calls by class".to_owned(), Rule::Dc06));
        if overall.areas.is_some() {
            decisions.push(released("areas of each class".to_owned(), Rule::Dc09));
        }
        decisions
    }
}
