//! An upper bound on what a release can say: the sum over its fields of log₂ of the values each may
//! take. A model that wants to smuggle has no more room than this.

use fedval_stats::aggregate::{ClusterRankSums, ClusterSums, RankSums};
use fedval_study::coarse::{GridScores, OnGrid};
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::{DETECTION_BINS, MOST_CANDIDATES, MOST_LESIONS};
use fedval_study::{
    ClassPerformance, CoarsePerformance, ConditionPerformance, DetectionPerformance,
    MeasurePerformance, NoisyPerformance, Outcome, Performance, Release, SiteResult,
};

use crate::rules::dc01_closed_schema::MAX_COEFFICIENT_MICRO;

/// Largest cohort an agent reads, in cases: the bound of every count.
const MAX_CASES: f64 = 2_000_000.0;

/// Bits that suffice for one of `largest + 1` values.
fn field(largest: f64) -> f64 {
    (largest + 1.0).log2()
}

/// Upper bound in bits on the information in a result, rounded up.
///
/// Header fields other than the commitment are known to the coordinator before; the commitment is
/// keyed with the site's secret and charged as 256 bits all the same.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive sum")]
pub fn bound_bits(result: &SiteResult) -> u64 {
    let outcome = match &result.outcome {
        Outcome::Released(release) => of_release(release, performance),
        Outcome::ReleasedCoarse(release) => {
            of_release(release, |p| coarse(p, to_f64(release.terms.rounding_base)))
        }
        Outcome::ReleasedNoisy(release) => of_release(release, noisy),
        Outcome::ReleasedClasses(release) => of_release(release, classes),
        Outcome::ReleasedConditions(release) => of_release(release, conditions),
        Outcome::ReleasedMeasures(release) => {
            of_release(release, |p| measures(p, to_f64(release.terms.rounding_base)))
        }
        Outcome::ReleasedDetection(release) => of_release(release, detection),
        Outcome::Insufficient | Outcome::Refused | Outcome::Failed(_) => 0.0,
    };
    // Which of the eight outcomes that a task has it is speaks too.
    (outcome + field(7.0) + 256.0).ceil() as u64
}

fn of_release<P>(release: &Release<P>, group: impl Fn(&P) -> f64) -> f64 {
    // Absent, suppressed, or a count.
    let attrition = 6.0 * field(MAX_CASES + 1.0);
    let cells = release.subgroups.iter();
    let cells: f64 = cells.map(|cell| 1.0 + cell.performance.released().map_or(0.0, &group)).sum();
    attrition + group(&release.overall) + cells
}

fn coarse(p: &CoarsePerformance, base: f64) -> f64 {
    let counts = 5.0 * field(MAX_CASES / base);
    let points: f64 = p
        .operating_points
        .iter()
        // One value more: it stays.
        .map(|_| field(to_f64(p.n_pos) / base + 1.0) + field(to_f64(p.n_neg) / base + 1.0))
        .sum();
    counts + points + gridded(&p.scores)
}

fn gridded(grid: &GridScores) -> f64 {
    let share = |number: OnGrid| field(1e6 / to_f64(number.grid_micro));
    let coefficient =
        |number: OnGrid| field(2.0 * to_f64(MAX_COEFFICIENT_MICRO) / to_f64(number.grid_micro));
    // Two figures at one of some powers of ten.
    let error = field(99.0 * 16.0);
    let means = share(grid.brier) + share(grid.mean_probability) + share(grid.ece);
    let auroc = 1.0 + grid.auroc.map_or(0.0, share);
    let line = grid.calibration.map_or(0.0, |line| {
        coefficient(line.intercept) + coefficient(line.slope) + coefficient(line.citl) + 3.0 * error
    });
    1.0 + means + auroc + line
}

/// Counts with noise may be anything near a count.
fn noisy(p: &NoisyPerformance) -> f64 {
    let bins = p.positives.len() + p.negatives.len();
    to_f64(bins as u64) * field(2.0 * MAX_CASES)
}

/// Each row of calls adds up to its class; of each area, three sums of placements; and the error of their mean.
fn classes(p: &ClassPerformance) -> f64 {
    let sizes = p.sizes();
    let k = to_f64(u64::try_from(sizes.len()).unwrap_or(u64::MAX));
    let of_class = |size: &u64| {
        let size = to_f64(*size);
        field(MAX_CASES) + (k - 1.0) * field(size)
    };
    let areas = p
        .areas
        .as_deref()
        .map_or(0.0, |areas| field(1e9) + areas.ranks.iter().map(rank_sums).sum::<f64>());
    sizes.iter().map(of_class).sum::<f64>() + areas
}

/// All patients, the error of the mean of the areas, and each condition as a study of it alone, or that it stays.
fn conditions(p: &ConditionPerformance) -> f64 {
    let cells = p.conditions.iter().map(|cell| cell.performance.released());
    let cells = cells.map(|found| 1.0 + found.map_or(0.0, performance));
    field(MAX_CASES) + 1.0 + field(1e9) + cells.sum::<f64>()
}

/// A grid is no finer than a measure's room over its patients, so that a mean has no more values than there are
/// patients, and one beyond at each end; a spread has two figures at one of some powers of ten.
fn measures(p: &MeasurePerformance, base: f64) -> f64 {
    let mean = field(to_f64(p.having_structure().unwrap_or(p.patients)) + 2.0);
    let measures = p.measures.iter().map(|_| mean + field(99.0 * 17.0));
    // Counts of empty masks are exact, and no more than the cohort.
    let counts =
        p.empty_masks.map_or(0.0, |of| if of.without_structure.is_some() { 3.0 } else { 1.0 });
    field(MAX_CASES / base) + measures.sum::<f64>() + counts * field(MAX_CASES)
}

/// Whether each edge is shown, and at each that is, and at the cut-off, lesions found and false positives; two errors
/// of two figures at one of some powers of ten, and that of the average precision, or that it stays.
fn detection(p: &DetectionPerformance) -> f64 {
    let lesions = f64::from(MOST_LESIONS) * MAX_CASES;
    let others = f64::from(MOST_CANDIDATES) * to_f64(p.scans());
    let edges = f64::from(DETECTION_BINS.into_iter().max().unwrap_or(0));
    let counts = 5.0 * field(MAX_CASES) + field(lesions);
    let at_an_edge = field(to_f64(p.lesions)) + field(others);
    let shown = to_f64(u64::try_from(p.curve.len()).unwrap_or(u64::MAX)) + 1.0;
    let error = field(99.0 * 16.0);
    let area = 1.0 + p.average_precision.map_or(0.0, |_| error);
    // One value more of each: it stays.
    counts + edges + shown * (at_an_edge + 1.0) + 2.0 * error + area
}

fn rank_sums(sums: &RankSums) -> f64 {
    let (n_pos, n_neg) = (to_f64(sums.n_pos), to_f64(sums.n_neg));
    field(2.0 * n_pos * n_neg)
        + field(4.0 * n_pos * n_neg * n_neg)
        + field(4.0 * n_neg * n_pos * n_pos)
}

fn performance(p: &Performance) -> f64 {
    let n_pos = to_f64(p.ranks.n_pos);
    let n_neg = to_f64(p.ranks.n_neg);
    let n = n_pos + n_neg;
    let counts = 3.0 * field(MAX_CASES) + 2.0 * field(MAX_CASES);
    let ranks = rank_sums(&p.ranks);
    let clusters = p.rank_clusters.as_deref().map_or(0.0, |sums| rank_clusters(sums, n_pos, n_neg));
    let points: f64 = p
        .operating_points
        .iter()
        .map(|point| {
            let tables = field(n_pos) + field(n_neg);
            let sums = [&point.sensitivity_clusters, &point.specificity_clusters];
            tables + sums.into_iter().flatten().map(|s| cluster_sums(s, 1.0)).sum::<f64>()
        })
        .sum();
    let probabilities = field(n * 1e6) + field(n * 1e12) + cluster_sums(&p.brier_clusters, 1e12);
    let events = p.event_clusters.as_deref().map_or(0.0, |sums| cluster_sums(sums, 1.0));
    counts
        + ranks
        + clusters
        + points
        + probabilities
        + events
        + calibration(&p.calibration)
        + field(1e6)
}

fn rank_clusters(_: &ClusterRankSums, n_pos: f64, n_neg: f64) -> f64 {
    let pairs = 2.0 * n_pos * n_neg;
    let n = n_pos + n_neg;
    3.0 * field(n) + 3.0 * field(pairs * pairs) + 4.0 * field(pairs * n) + 3.0 * field(n * n)
}

fn cluster_sums(sums: &ClusterSums, unit: f64) -> f64 {
    let size = to_f64(sums.size);
    2.0 * field(size)
        + field(size * unit)
        + field(size * size * unit * unit)
        + field(size * size * unit)
        + field(size * size)
}

fn calibration(outcome: &CalibrationOutcome) -> f64 {
    // One bit for whether there is a fit.
    1.0 + match outcome {
        CalibrationOutcome::Fit(_) => {
            let signed = field(2.0 * to_f64(MAX_COEFFICIENT_MICRO));
            3.0 * signed + 3.0 * field(to_f64(MAX_COEFFICIENT_MICRO)) + field(2e6)
        }
        CalibrationOutcome::NotEstimable(_) => field(31.0),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and bounds far below 2^53")]
fn to_f64(count: u64) -> f64 {
    count as f64
}
