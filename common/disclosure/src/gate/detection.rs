//! The gate for findings with a place.
//!
//! A scan has a label: whether the reference standard found a lesion in it. Cells of every table then need k patients
//! with each label, and stand against each other and against earlier releases as those of any binary study (DC-03,
//! DC-17, DC-18). Lesions are bounded for each patient by the protocol, false positives only for each scan: a patient
//! with many scans, or one scan alone, may bear nearly all of them. Those at the cut-off stay where two patients hold
//! nine tenths of them: of the whole cohort with the curve, and of groups all together, since whole minus groups is a
//! group. Groups have no curve: the step between two scores that the whole may show would be about few in a part of it.
//! Beside an earlier release about some of these patients no false positives leave: the two may differ by k patients of
//! whom one bears them all.

use fedval_study::detection::{DetectionFindings, ScanCounts};
use fedval_study::members::Member;
use fedval_study::protocol::{DetectionPlan, Table, TableKind};
use fedval_study::result::SubgroupCell;
use fedval_study::{
    Cell, DetectionPerformance, Members, Outcome, Release, ResultHeader, SiteResult, SiteSummary,
};

use super::{Gate, Withheld, note_attrition};
use crate::cell_plan::{CellPlan, Hidden};
use crate::decision::{Decision, Verdict};
use crate::form;
use crate::form::detection::Group;
use crate::rules::dc25_marking::Suppression;
use crate::rules::{
    Rule, dc01_closed_schema, dc02_cohort_minimum, dc15_inference, dc18_earlier_releases,
};
use crate::{Footprint, History, Vetted};

/// The evidence, scan by scan.
struct Scans<'e> {
    members: &'e Members,
    counts: &'e [ScanCounts],
    plan: &'e DetectionPlan,
}

impl<'e> Scans<'e> {
    fn group(&self, belongs: impl Fn(&Member) -> bool) -> Group<'e> {
        let scans = self.members.cases.iter().zip(self.counts);
        Group::new(scans.filter(|(member, _)| belongs(member)).collect(), self.plan)
    }

    /// Whether every scan has its evidence, within the protocol's bounds, and the label that follows from it.
    fn are_sound(&self) -> bool {
        let edges = self.plan.edges().len();
        let is_sound = |(member, scan): (&Member, &ScanCounts)| {
            let lengths = [scan.hits.len(), scan.false_positives.len()];
            let most = self.plan.most_candidates;
            lengths == [edges; 2]
                && member.positive == (scan.lesions > 0)
                && u32::from(scan.lesions) <= self.plan.most_lesions
                && scan.hits.iter().all(|hits| *hits <= scan.lesions)
                && scan.false_positives.iter().all(|count| u32::from(*count) <= most)
                && [&scan.hits, &scan.false_positives].iter().all(|counts| falls(counts))
        };
        self.members.cases.len() == self.counts.len()
            && self.members.cases.iter().zip(self.counts).all(is_sound)
    }
}

/// Higher scores hold no more than lower ones.
fn falls(counts: &[u16]) -> bool {
    counts.windows(2).all(|pair| pair[0] >= pair[1])
}

impl Gate<'_> {
    /// Vets what was counted of findings, within budgets.
    pub(super) fn vet_detection(
        &self,
        header: ResultHeader,
        summary: &SiteSummary,
        found: &DetectionFindings,
        history: &History,
    ) -> Result<Vetted<SiteResult>, Withheld> {
        let (terms, k) = (self.policy.terms, self.policy.terms.k);
        // Admitted for the sake of an exception that does not hold for these patients.
        if !dc15_inference::variance_components_may_leave(&terms) {
            return Err(Withheld::DetectionNeedsExactCounts);
        }
        let breach = Withheld::Schema;
        let plan = self.protocol.task.detection();
        let plan = plan.ok_or(breach(dc01_closed_schema::SchemaBreach::Task))?;
        let members = &summary.members;
        let scans = Scans { members, counts: &found.scans, plan };
        if !scans.are_sound() {
            return Err(breach(dc01_closed_schema::SchemaBreach::Inconsistent));
        }
        let whole = scans.group(|_| true);
        if !dc02_cohort_minimum::is_sufficient(whole.patients(), k) {
            return Err(Withheld::Insufficient);
        }
        self.check_members(members)?;
        if dc18_earlier_releases::mixes_noise(members, false, history) {
            return Err(Withheld::EarlierReleases);
        }
        let cells = self.plan(members, history, &self.structural_zeros(members)?)?;
        let attrition = self.attrition(summary, history);
        let mut decisions = vec![Decision::new("whole cohort", Verdict::Released, Rule::Dc02)];
        let is_first = !dc18_earlier_releases::meets_others(members, history);
        let overall = whole.performance(is_first && !whole.is_of_two(), true, k);
        note_whole(&overall, plan, is_first, &mut decisions);
        let subgroups = self.groups(&scans, &cells, &overall, &mut decisions);
        note_attrition(&attrition, &mut decisions);
        let release = Release { attrition, overall, subgroups, terms };
        dc01_closed_schema::check_detection(&release, self.protocol).map_err(breach)?;
        let footprint =
            Footprint { members: members.clone(), shown: form::shown(&cells), noisy: false };
        let outcome = Outcome::ReleasedDetection(Box::new(release));
        let vetted = self.within_bits(SiteResult { header, outcome }, decisions, footprint)?;
        Ok(vetted.beside(history.footprints()))
    }

    /// Every listed cell of every table.
    fn groups(
        &self,
        scans: &Scans<'_>,
        cells: &CellPlan,
        overall: &DetectionPerformance,
        decisions: &mut Vec<Decision>,
    ) -> Vec<SubgroupCell<DetectionPerformance>> {
        let tables = self.protocol.tables();
        let others_are_shown = overall.point.false_positives.released().is_some()
            && !any_is_of_two(scans, &tables, cells)
            && !any_beyond_is_of_two(scans, cells);
        let mut groups = Vec::new();
        for (index, (table, plan)) in tables.iter().zip(cells).enumerate() {
            for (cell, (category, hidden)) in table.categories.iter().zip(plan).enumerate() {
                let group = scans.group(|member| is_in(member, index, cell));
                let empty = group.patients().total == 0;
                let performance = if hidden.is_none() && !empty {
                    let k = self.policy.terms.k;
                    Cell::Released(group.performance(others_are_shown, false, k))
                } else {
                    Cell::Suppressed
                };
                note_cell(table, cell, *hidden, performance.released(), decisions);
                groups.push(SubgroupCell {
                    category: category.clone(),
                    dimension: table.name.clone(),
                    performance,
                });
            }
        }
        groups
    }
}

fn is_in(member: &Member, table: usize, cell: usize) -> bool {
    member.cells.get(table).is_some_and(|own| usize::from(*own) == cell)
}

/// Whether false positives of some shown cell, or of what a table does not show, are mostly those of two patients:
/// whole minus the others would give them, and so would a row or column minus its cells.
fn any_is_of_two(scans: &Scans<'_>, tables: &[Table], cells: &CellPlan) -> bool {
    cells.iter().enumerate().any(|(table, plan)| {
        let is_shown = |cell: usize| plan.get(cell).is_some_and(Option::is_none);
        let is_rest = |member: &Member| {
            member.cells.get(table).is_none_or(|own| !is_shown(usize::from(*own)))
        };
        let mut shown = (0..plan.len()).filter(|cell| is_shown(*cell));
        let mut lines = lines(tables, cells, table).into_iter();
        scans.group(is_rest).is_of_two()
            || shown.any(|cell| scans.group(|member| is_in(member, table, cell)).is_of_two())
            || lines.any(|(margin, line)| {
                scans.group(|member| is_in(member, margin, line) && is_rest(member)).is_of_two()
            })
    })
}

/// Whether false positives of what one shown cell holds beyond a cell of another table that lies within it are mostly
/// those of two patients: the larger minus the smaller would give them.
fn any_beyond_is_of_two(scans: &Scans<'_>, cells: &CellPlan) -> bool {
    let shown_of = |(table, plan): (usize, &Vec<Option<Hidden>>)| -> Vec<(usize, usize)> {
        let shown = plan.iter().enumerate().filter(|(_, hidden)| hidden.is_none());
        shown.map(|(cell, _)| (table, cell)).collect()
    };
    let shown: Vec<(usize, usize)> = cells.iter().enumerate().flat_map(shown_of).collect();
    let holds = |(table, cell): (usize, usize), member: &Member| is_in(member, table, cell);
    let beyond_is_of_two = |small: (usize, usize), large: (usize, usize)| {
        let is_within = |member: &Member| !holds(small, member) || holds(large, member);
        small.0 != large.0
            && scans.members.cases.iter().all(is_within)
            && scans.group(|member| holds(large, member) && !holds(small, member)).is_of_two()
    };
    shown.iter().any(|small| shown.iter().any(|large| beyond_is_of_two(*small, *large)))
}

/// Shown rows and columns of a crossing, each as a cell of the table of its dimension.
fn lines(tables: &[Table], cells: &CellPlan, table: usize) -> Vec<(usize, usize)> {
    let Some(TableKind::Crossing { rows, columns }) = tables.get(table).map(|table| &table.kind)
    else {
        return Vec::new();
    };
    let of = |dimension: usize| {
        let is_it = |table: &Table| matches!(table.kind, TableKind::OneWay(of) if of == dimension);
        tables.iter().position(is_it)
    };
    let margins = [of(*rows), of(*columns)].into_iter().flatten();
    let shown = |margin: usize| {
        let plan = cells.get(margin).map(Vec::as_slice).unwrap_or_default();
        let lines = plan.iter().enumerate().filter(|(_, hidden)| hidden.is_none());
        lines.map(|(line, _)| (margin, line)).collect::<Vec<_>>()
    };
    margins.flat_map(shown).collect()
}

fn note_whole(
    overall: &DetectionPerformance,
    plan: &DetectionPlan,
    is_first: bool,
    decisions: &mut Vec<Decision>,
) {
    let withheld = Verdict::Withheld(Suppression::Primary);
    let of = |is_shown: bool| if is_shown { Verdict::Released } else { withheld };
    let point = &overall.point;
    decisions.push(Decision::new("lesions found at the cut-off", Verdict::Released, Rule::Dc06));
    let is_shown = point.false_positives.released().is_some();
    let rule = if is_first { Rule::Dc10 } else { Rule::Dc18 };
    decisions.push(Decision::new("false positives at the cut-off", of(is_shown), rule));
    let errors = [&point.sensitivity_se_micro, &point.rate_se_micro];
    let all_shown = errors.iter().all(|se| se.released().is_some());
    decisions.push(Decision::new("errors between patients", of(all_shown), Rule::Dc11));
    // Beside the cut-off itself.
    let (shown, all) = (overall.curve.len(), plan.edges().len() - 1);
    let curve = format!("{shown} of {all} further scores");
    let rule = if is_first { Rule::Dc08 } else { Rule::Dc18 };
    decisions.push(Decision::new(curve, of(shown > 0), rule));
    let is_told = overall.average_precision.is_some();
    let rule = if shown > 0 { Rule::Dc11 } else { rule };
    decisions.push(Decision::new("error of the average precision", of(is_told), rule));
}

fn note_cell(
    table: &Table,
    cell: usize,
    hidden: Option<Hidden>,
    shown: Option<&DetectionPerformance>,
    decisions: &mut Vec<Decision>,
) {
    let category = table.categories.get(cell).map_or("", |name| name.as_str());
    let quantity = format!("{} = {category}", table.name);
    let Some(shown) = shown else {
        // Without a reason to hide it, it is empty by structure, and looks like the others.
        let (why, rule) =
            hidden.map_or((Suppression::Primary, Rule::Dc05), |hidden| (hidden.why, hidden.rule));
        decisions.push(Decision::new(quantity, Verdict::Withheld(why), rule));
        return;
    };
    decisions.push(Decision::new(&quantity, Verdict::Released, Rule::Dc03));
    if shown.point.false_positives.released().is_none() {
        let quantity = format!("{quantity}: false positives");
        let withheld = Verdict::Withheld(Suppression::Primary);
        decisions.push(Decision::new(quantity, withheld, Rule::Dc10));
    }
}
