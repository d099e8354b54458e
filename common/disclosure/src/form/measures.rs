//! Means and spreads of measures, on grids, whatever the profile.
//!
//! Nothing here is exact but, under `standard`, numbers of patients. A mean stands on a grid at least as coarse as the
//! distance of the measure's bounds over the patients (DC-10): coming, going or changing from one bound to the other, a
//! patient moves it by one step at most. That is no differential privacy: where a mean would stand near the middle
//! between two steps, whoever knows all other patients may learn on which side of a value the last one lies. A spread
//! has two figures (DC-11), whose influence is not bounded so; it needs k + 10 patients. The grid follows from what is released: from the
//! number of patients as it is told, and from the protocol.

use fedval_study::measures::{MeasurePerformance, MeasureRange, Measured};
use fedval_study::protocol::Table;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::summary::{MeasureFindings, MeasureGroup, MeasureSums};
use fedval_study::{Cell, Release, Terms};

use crate::cell_plan::CellPlan;
use crate::decision::{Decision, Verdict};
use crate::form::coarse::rounded_row;
use crate::form::empty_masks;
use crate::rules::dc10_means::{measure_grid_micro, on_grid};
use crate::rules::dc11_variance::two_figures;
use crate::rules::dc25_marking::Suppression;
use crate::rules::{Rule, dc07_margins};

/// Units of 10⁻⁶ in one.
const MICRO: f64 = 1e6;

/// A release in the making.
pub(crate) struct Measuring<'e> {
    pub(crate) terms: Terms,
    pub(crate) ranges: &'e [MeasureRange],
    pub(crate) tables: &'e [Table],
    pub(crate) plan: &'e CellPlan,
    /// Whether an earlier release was about some of these patients.
    pub(crate) beside_earlier: bool,
}

impl Measuring<'_> {
    /// The release; `None` where the evidence is not of these measures and tables, or a spread does not exist.
    pub(crate) fn release(
        &self,
        overall: &MeasureGroup,
        found: &MeasureFindings,
        attrition: &[AttritionCount],
        decisions: &mut Vec<Decision>,
    ) -> Option<Release<MeasurePerformance>> {
        let base = self.terms.rounding_base;
        let whole = self.group(overall, dc07_margins::nearest(overall.patients, base))?;
        note_measures(decisions);
        let empty = found
            .empty_masks
            .and_then(|tally| empty_masks::of(tally, &self.terms, self.beside_earlier, decisions));
        let whole = MeasurePerformance { empty_masks: empty, ..whole };
        let mut subgroups = Vec::new();
        for (place, table) in self.tables.iter().enumerate() {
            let (cells, plan) = (found.tables.get(place)?, self.plan.get(place)?);
            let rounded = self.rounded(cells, plan, overall.patients, whole.patients);
            for (cell, category) in table.categories.iter().enumerate() {
                let quantity = format!("{} = {category}", table.name);
                let group = cells.get(cell)?.as_ref();
                let performance = match (group, plan.get(cell)?) {
                    (Some(group), None) => {
                        decisions.push(Decision::new(quantity, Verdict::Released, Rule::Dc03));
                        Cell::Released(self.group(group, *rounded.get(cell)?)?)
                    }
                    (_, hidden) => {
                        // Without a reason to hide it, it is empty by structure, and looks like the others.
                        let (why, rule) = hidden
                            .map_or((Suppression::Primary, Rule::Dc05), |of| (of.why, of.rule));
                        decisions.push(Decision::new(quantity, Verdict::Withheld(why), rule));
                        Cell::Suppressed
                    }
                };
                let (dimension, category) = (table.name.clone(), category.clone());
                subgroups.push(SubgroupCell { category, dimension, performance });
            }
        }
        let attrition = attrition.iter().map(|row| rounded_row(row, &self.terms)).collect();
        Some(Release { attrition, overall: whole, subgroups, terms: self.terms })
    }

    /// Patients of each cell of a table; where everybody is in a shown one, they add up to the whole (DC-07).
    fn rounded(
        &self,
        cells: &[Option<MeasureGroup>],
        plan: &[Option<crate::cell_plan::Hidden>],
        all: u64,
        rounded_all: u64,
    ) -> Vec<u64> {
        let shown = |(group, hidden): (&Option<MeasureGroup>, &Option<_>)| match (group, hidden) {
            (Some(group), None) => group.patients,
            _ => 0,
        };
        let counts: Vec<u64> = cells.iter().zip(plan).map(shown).collect();
        let is_whole = counts.iter().sum::<u64>() == all;
        dc07_margins::cells(&counts, is_whole.then_some(rounded_all), self.terms.rounding_base)
    }

    fn group(&self, group: &MeasureGroup, patients: u64) -> Option<MeasurePerformance> {
        if group.measures.len() != self.ranges.len() {
            return None;
        }
        let least = dc07_margins::least(patients, self.terms.rounding_base);
        let of = |(range, sums): (&MeasureRange, &MeasureSums)| {
            if sums.moments.n != group.patients {
                return None;
            }
            let mean = micro(sums.moments.mean().ok()?)?;
            let sd = micro(sums.moments.sd().ok()?)?.unsigned_abs();
            Some(Measured {
                mean: on_grid(mean, measure_grid_micro(range, least)),
                measure: range.measure.clone(),
                sd: two_figures(sd.max(range.finest_micro)),
            })
        };
        let measures = self.ranges.iter().zip(&group.measures).map(of).collect::<Option<_>>()?;
        Some(MeasurePerformance { empty_masks: None, measures, patients })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounds are below 2⁵³")]
fn micro(value: f64) -> Option<i64> {
    let micro = (value * MICRO).round();
    (micro.abs() < MICRO * MICRO * MICRO).then_some(micro as i64)
}

fn note_measures(decisions: &mut Vec<Decision>) {
    decisions.push(Decision::new("means of each measure", Verdict::Rounded, Rule::Dc10));
    decisions.push(Decision::new("standard deviations", Verdict::Rounded, Rule::Dc11));
}
