//! Response counts that may stay, and numbers on grids: `strict`, `cms`, `opensafely`, `acro`, `ohdsi`.

use fedval_study::coarse::{CoarsePoint, GridCalibration, GridScores, OnGrid};
use fedval_study::performance::CalibrationOutcome;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::{
    Cell, CoarsePerformance, OperatingPointCounts, PatientCounts, Performance, Release, Terms,
};

use super::{Visible, VisibleTable};
use crate::decision::{Decision, Verdict};
use crate::rules::dc06_response_counts::{self, Pair};
use crate::rules::dc10_means::{coefficient_grid_micro, grid_micro, on_grid};
use crate::rules::dc11_variance::two_figures;
use crate::rules::dc25_marking::Suppression;
use crate::rules::{Rule, dc05_zeros, dc07_margins, dc09_rank_statistics};

/// The two labels of a response table.
const LABELS: [bool; 2] = [true, false];

/// The release.
pub(crate) fn release(
    terms: Terms,
    attrition: &[AttritionCount],
    whole: &Visible<'_>,
    tables: &[(VisibleTable<'_>, bool)],
    decisions: &mut Vec<Decision>,
) -> Release<CoarsePerformance> {
    let attrition = attrition.iter().map(|row| rounded_row(row, &terms)).collect();
    let overall = group(whole, &terms, &Responses::of_whole(whole, &terms), None);
    note_responses("whole cohort", whole.performance, &overall, &terms, decisions);
    note_scores(&overall, &terms, decisions);
    let mut subgroups = Vec::new();
    for ((table, _), responses) in tables.iter().zip(Responses::of_tables(whole, tables, &terms)) {
        let counts = TableCounts::new(table, &overall, &terms);
        for (index, cell) in table.cells.iter().enumerate() {
            let Some(category) = table.listed(index).and_then(|leaf| leaf.category.clone()) else {
                continue;
            };
            let performance = match cell {
                Cell::Released(visible) => {
                    let own = responses.for_cell(index);
                    let shown = group(visible, &terms, &own, Some((&counts, index)));
                    let quantity = table.quantity(index);
                    note_responses(&quantity, visible.performance, &shown, &terms, decisions);
                    Cell::Released(shown)
                }
                Cell::Suppressed => Cell::Suppressed,
            };
            let dimension = table.summary.dimension.clone();
            subgroups.push(SubgroupCell { dimension, category, performance });
        }
    }
    Release { terms, attrition, overall, subgroups }
}

/// A row of failed cases under the rounding in force.
pub(crate) fn rounded_row(row: &AttritionCount, terms: &Terms) -> AttritionCount {
    let patients = match row.patients {
        Cell::Released(patients) => {
            Cell::Released(dc07_margins::nearest(patients, terms.rounding_base))
        }
        Cell::Suppressed => Cell::Suppressed,
    };
    AttritionCount { patients, reason: row.reason }
}

/// For each cell, each operating point and each label, whether the pair of response counts stays.
struct Responses(Vec<Vec<[bool; 2]>>);

impl Responses {
    fn of_whole(whole: &Visible<'_>, terms: &Terms) -> Vec<[bool; 2]> {
        let stays = |point: &OperatingPointCounts| {
            LABELS.map(|label| dc06_response_counts::stays(pair(point, label), terms))
        };
        whole.performance.operating_points.iter().map(stays).collect()
    }

    /// All tables cut the same cases: what one keeps back, another would give.
    fn of_tables(
        whole: &Visible<'_>,
        tables: &[(VisibleTable<'_>, bool)],
        terms: &Terms,
    ) -> Vec<Self> {
        let of_one = |(table, is_crossing): &(VisibleTable<'_>, bool)| {
            Self::of_table(whole, table, *is_crossing, terms)
        };
        let mut all: Vec<Self> = tables.iter().map(of_one).collect();
        for place in 0..LABELS.len() {
            let mut pairs = all.iter().flat_map(|table| table.0.iter().flatten());
            if pairs.any(|stays| stays[place]) {
                let pairs = all.iter_mut().flat_map(|table| table.0.iter_mut().flatten());
                pairs.for_each(|stays| stays[place] = true);
            }
        }
        all
    }

    fn of_table(
        whole: &Visible<'_>,
        table: &VisibleTable<'_>,
        is_crossing: bool,
        terms: &Terms,
    ) -> Self {
        let points = whole.performance.operating_points.len();
        let mut stays = vec![vec![[false; 2]; points]; table.cells.len()];
        let mut note = |point: usize| {
            for (place, label) in LABELS.into_iter().enumerate() {
                let of = |p: &Performance| pair(&p.operating_points[point], label);
                let cells: Vec<Option<Pair>> = table
                    .cells
                    .iter()
                    .map(|cell| cell.released().map(|visible| of(visible.performance)))
                    .collect();
                let hidden: Vec<Pair> =
                    table.hidden_groups().map(|group| of(&group.by_case)).collect();
                let alone = |cell: &Option<Pair>| {
                    cell.is_some_and(|pair| dc06_response_counts::stays(pair, terms))
                };
                let whole_stays = dc06_response_counts::stays(of(whole.performance), terms);
                let staying = if is_crossing {
                    // Rows and columns bind each other: all of a crossing's pairs, or none.
                    vec![cells.iter().any(alone); cells.len()]
                } else if whole_stays {
                    cells.iter().map(alone).collect()
                } else {
                    dc06_response_counts::staying(&cells, &hidden, terms)
                };
                for (cell, staying) in staying.into_iter().enumerate() {
                    stays[cell][point][place] = staying;
                }
            }
        };
        (0..points).for_each(&mut note);
        Self(stays)
    }

    fn for_cell(&self, cell: usize) -> Vec<[bool; 2]> {
        self.0[cell].clone()
    }
}

fn pair(point: &OperatingPointCounts, label: bool) -> Pair {
    let c = &point.counts;
    if label { Pair { right: c.tp, wrong: c.fn_ } } else { Pair { right: c.tn, wrong: c.fp } }
}

/// A table's counts, rounded so that they add up to the rounded whole.
struct TableCounts {
    patients: [Vec<u64>; 3],
    cases: [Vec<u64>; 2],
    errors: Vec<[Vec<u64>; 2]>,
}

impl TableCounts {
    fn new(table: &VisibleTable<'_>, whole: &CoarsePerformance, terms: &Terms) -> Self {
        let is_whole = table.is_whole();
        let round = |of: &dyn Fn(&Performance) -> u64, total: Option<u64>| {
            let counts: Vec<u64> = table
                .cells
                .iter()
                .map(|cell| cell.released().map_or(0, |visible| of(visible.performance)))
                .collect();
            dc07_margins::cells(&counts, total.filter(|_| is_whole), terms.rounding_base)
        };
        let points = whole.operating_points.iter().enumerate().map(|(point, shown)| {
            let errors = |label: bool, cell: &Cell<u64>| {
                let of = |p: &Performance| pair(&p.operating_points[point], label).wrong;
                round(&of, cell.released().copied())
            };
            [errors(true, &shown.false_negatives), errors(false, &shown.false_positives)]
        });
        Self {
            // A patient may stand in several cells: patients need not add up.
            patients: [
                round(&|p| p.patients.total, None),
                round(&|p| p.patients.with_positive, None),
                round(&|p| p.patients.with_negative, None),
            ],
            cases: [
                round(&|p| p.ranks.n_pos, Some(whole.n_pos)),
                round(&|p| p.ranks.n_neg, Some(whole.n_neg)),
            ],
            errors: points.collect(),
        }
    }
}

fn group(
    visible: &Visible<'_>,
    terms: &Terms,
    stays: &[[bool; 2]],
    table: Option<(&TableCounts, usize)>,
) -> CoarsePerformance {
    let p = visible.performance;
    let nearest = |count| dc07_margins::nearest(count, terms.rounding_base);
    let patients = table.map_or_else(
        || [p.patients.total, p.patients.with_positive, p.patients.with_negative].map(nearest),
        |(counts, cell)| [0, 1, 2].map(|of| counts.patients[of][cell]),
    );
    let cases = table.map_or_else(
        || [p.ranks.n_pos, p.ranks.n_neg].map(nearest),
        |(counts, cell)| [0, 1].map(|of| counts.cases[of][cell]),
    );
    let operating_points = p.operating_points.iter().enumerate().map(|(point, counts)| {
        let errors = |place: usize| {
            if stays[point][place] {
                return Cell::Suppressed;
            }
            let errors = table.map_or_else(
                || nearest(pair(counts, LABELS[place]).wrong),
                |(table, cell)| table.errors[point][place][cell],
            );
            Cell::Released(errors.min(cases[place]))
        };
        CoarsePoint {
            name: counts.name.clone(),
            false_negatives: errors(0),
            false_positives: errors(1),
        }
    });
    let [total, with_positive, with_negative] = one_rounding(p, patients, cases);
    CoarsePerformance {
        patients: PatientCounts { total, with_positive, with_negative },
        n_pos: cases[0],
        n_neg: cases[1],
        operating_points: operating_points.collect(),
        scores: scores(visible, terms),
    }
}

/// Rounded patients. Where each has one case, they are the cases: two roundings of one number would
/// narrow it down.
const fn one_rounding(p: &Performance, patients: [u64; 3], cases: [u64; 2]) -> [u64; 3] {
    let exact = p.patients;
    let [total, mut with_positive, mut with_negative] = patients;
    if exact.with_positive == p.ranks.n_pos {
        with_positive = cases[0];
    }
    if exact.with_negative == p.ranks.n_neg {
        with_negative = cases[1];
    }
    let is_sum = exact.total == exact.with_positive + exact.with_negative;
    [if is_sum { with_positive + with_negative } else { total }, with_positive, with_negative]
}

fn scores(visible: &Visible<'_>, terms: &Terms) -> GridScores {
    let (p, most) = (visible.performance, visible.summary.most_cases);
    let (n_pos, n_neg, n) = (p.ranks.n_pos, p.ranks.n_neg, p.probabilities.n);
    let mean = |micro: u128| on_grid(i64::try_from(micro).unwrap_or(0), grid_micro(n, most));
    let patients = p.patients;
    let auroc = dc09_rank_statistics::grid_micro(n_pos, n_neg, most)
        .filter(|_| {
            dc09_rank_statistics::has_enough(
                patients.with_positive,
                patients.with_negative,
                terms.k,
            )
        })
        .map(|grid| on_grid(auroc_micro(p), grid));
    let cases = u128::from(n.max(1));
    GridScores {
        auroc,
        brier: mean(p.probabilities.brier_pico / cases / 1_000_000),
        mean_probability: mean(u128::from(p.probabilities.expected_micro) / cases),
        ece: mean(u128::from(p.ece_micro)),
        calibration: calibration(p, most),
    }
}

/// 2U over twice the pairs.
fn auroc_micro(p: &Performance) -> i64 {
    let pairs = 2 * u128::from(p.ranks.n_pos) * u128::from(p.ranks.n_neg);
    let micro = (p.ranks.doubled_u * 1_000_000 + pairs / 2) / pairs.max(1);
    i64::try_from(micro).unwrap_or(1_000_000)
}

fn calibration(p: &Performance, most_cases: u64) -> Option<GridCalibration> {
    let CalibrationOutcome::Fit(fit) = &p.calibration else { return None };
    let grid = coefficient_grid_micro(p.ranks.n_pos, p.ranks.n_neg, most_cases);
    let error = |micro: u64| -> OnGrid { two_figures(micro) };
    Some(GridCalibration {
        intercept: on_grid(fit.intercept_micro, grid),
        se_intercept: error(fit.se_intercept_micro),
        slope: on_grid(fit.slope_micro, grid),
        se_slope: error(fit.se_slope_micro),
        citl: on_grid(fit.citl_micro, grid),
        se_citl: error(fit.se_citl_micro),
    })
}

fn note_responses(
    quantity: &str,
    exact: &Performance,
    shown: &CoarsePerformance,
    terms: &Terms,
    decisions: &mut Vec<Decision>,
) {
    for (point, counts) in shown.operating_points.iter().zip(&exact.operating_points) {
        let both = [("FN", &point.false_negatives, true), ("FP", &point.false_positives, false)];
        for (name, cell, label) in both {
            let pair = pair(counts, label);
            let (verdict, rule) = match cell {
                Cell::Released(_) if terms.is_rounded() => (Verdict::Rounded, Rule::Dc06),
                Cell::Released(_) => continue,
                Cell::Suppressed => withheld(pair, terms),
            };
            let quantity = format!("{quantity}, {}: {name}", point.name);
            decisions.push(Decision::new(quantity, verdict, rule));
        }
    }
}

fn withheld(pair: Pair, terms: &Terms) -> (Verdict, Rule) {
    if dc05_zeros::discloses_a_class(pair.right, pair.wrong, terms) {
        return (Verdict::Withheld(Suppression::Primary), Rule::Dc05);
    }
    let why = if dc06_response_counts::stays(pair, terms) {
        Suppression::Primary
    } else {
        Suppression::Complementary
    };
    (Verdict::Withheld(why), Rule::Dc06)
}

fn note_scores(whole: &CoarsePerformance, terms: &Terms, decisions: &mut Vec<Decision>) {
    let grid = &whole.scores;
    let auroc = match grid.auroc {
        Some(_) => Verdict::Rounded,
        None => Verdict::Withheld(Suppression::Primary),
    };
    decisions.push(Decision::new("AUROC", auroc, Rule::Dc09));
    decisions.push(Decision::new("means and coefficients", Verdict::Rounded, Rule::Dc10));
    decisions.push(Decision::new("standard errors", Verdict::Rounded, Rule::Dc11));
    let base = format!("margins, base {}", terms.rounding_base);
    decisions.push(Decision::new(base, Verdict::Rounded, Rule::Dc07));
}
