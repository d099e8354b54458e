//! Every quantity that would leave, in tables.

use fedval_ambient::terminal::table;
use fedval_study::classes::ClassAreas;
use fedval_study::coarse::OnGrid;
use fedval_study::detection::CurvePoint;
use fedval_study::empty_masks::{EmptyMasks, WithoutStructure};
use fedval_study::noisy::NoisyCount;
use fedval_study::protocol::Task;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::{
    Cell, ClassPerformance, CoarsePerformance, ConditionPerformance, DetectionPerformance,
    MeasurePerformance, NoisyPerformance, Outcome, Performance, Release,
};

/// The content of a result about `task`.
pub(in crate::cli) fn of(outcome: &Outcome, task: &Task) -> String {
    match outcome {
        Outcome::Released(release) => release_tables(release, exact_row),
        Outcome::ReleasedCoarse(release) => release_tables(release, coarse_row),
        Outcome::ReleasedNoisy(release) => release_tables(release, noisy_row),
        Outcome::ReleasedClasses(release) => class_tables(release, task),
        Outcome::ReleasedConditions(release) => condition_tables(release),
        Outcome::ReleasedMeasures(release) => measure_tables(release, task),
        Outcome::ReleasedDetection(release) => detection_tables(release, task),
        Outcome::Insufficient => "Only the word `insufficient`: too few patients.".to_owned(),
        Outcome::Refused => "Only the word `refused`.".to_owned(),
        Outcome::Failed(_) => "Only the word `failed` and the stage.".to_owned(),
    }
}

fn release_tables<P>(release: &Release<P>, row: fn(&P) -> Vec<String>) -> String {
    let groups = table(
        &["group", "patients", "positives", "negatives", "response counts", "scores"],
        group_rows(release, row),
    );
    format!("{groups}\n\n{}", failed_cases(&release.attrition))
}

/// The whole cohort, then each group: its name, and what `row` shows of it.
fn group_rows<P>(
    release: &Release<P>,
    row: impl Fn(&P) -> Vec<String>,
) -> impl Iterator<Item = Vec<String>> {
    let whole = std::iter::once(("whole cohort".to_owned(), Some(&release.overall)));
    let groups = release.subgroups.iter().map(|cell| {
        (format!("{} = {}", cell.dimension, cell.category), cell.performance.released())
    });
    whole.chain(groups).map(move |(name, group)| {
        let shown = group.map_or_else(|| vec!["withheld".to_owned()], &row);
        [vec![name], shown].concat()
    })
}

/// Each condition as a study of it alone would tell of it, with how many were not assessed for it; and the same by group.
fn condition_tables(release: &Release<ConditionPerformance>) -> String {
    let found = &release.overall;
    let head =
        ["condition", "patients", "positives", "negatives", "response counts", "scores", "missing"];
    let se = match found.macro_se_nano {
        Cell::Released(nano) => format!("{nano} / 10^9"),
        Cell::Suppressed => "withheld".to_owned(),
    };
    let groups: String =
        release.subgroups.iter().map(|cell| condition_group(cell, &head)).collect();
    format!(
        "{}\n\nPatients who were assessed for any: {}. Standard error of the mean of the areas: {se}{groups}\n\n{}",
        table(&head, condition_rows(found)),
        found.patients,
        failed_cases(&release.attrition)
    )
}

fn condition_group(cell: &SubgroupCell<ConditionPerformance>, head: &[&str]) -> String {
    let name = format!("{} = {}", cell.dimension, cell.category);
    match &cell.performance {
        Cell::Released(group) => format!(
            "\n\n{name}, patients who were assessed for any: {}\n{}",
            group.patients,
            table(head, condition_rows(group))
        ),
        Cell::Suppressed => format!("\n\n{name}: withheld"),
    }
}

fn condition_rows(found: &ConditionPerformance) -> impl Iterator<Item = Vec<String>> {
    found.conditions.iter().map(|cell| match &cell.performance {
        Cell::Released(own) => {
            let missing = found.missing(own).to_string();
            [vec![cell.name.to_string()], exact_row(own), vec![missing]].concat()
        }
        Cell::Suppressed => vec![cell.name.to_string(), "withheld".to_owned()],
    })
}

/// Patients, means and spreads, each with how finely it is told.
fn measure_tables(release: &Release<MeasurePerformance>, task: &Task) -> String {
    let unit = task.quantity().map(|quantity| quantity.unit.as_str()).filter(|u| !u.is_empty());
    let row = |group: &MeasurePerformance| {
        let measures = group.measures.iter().map(|of| {
            let (mean, sd) = (number(of.mean), of.sd.value());
            format!("{}: mean {mean}, SD {sd}", of.measure)
        });
        vec![group.patients.to_string(), measures.collect::<Vec<_>>().join("\n")]
    };
    let head = unit.map_or_else(|| "measures".to_owned(), |unit| format!("measures, in {unit}"));
    let groups = table(&["group", "patients", &head], group_rows(release, row));
    let empty = if task.structure().is_some() {
        format!("\n\n{}", empty_masks(release.overall.empty_masks.as_ref()))
    } else {
        String::new()
    };
    format!("{groups}{empty}\n\n{}", failed_cases(&release.attrition))
}

/// Patients in whom a mask is empty, who are in no mean.
fn empty_masks(of: Option<&EmptyMasks>) -> String {
    let Some(of) = of else { return "No count of empty masks leaves.".to_owned() };
    let without = |count: fn(&WithoutStructure) -> u64| {
        of.without_structure.as_ref().map_or("withheld".to_owned(), |of| count(of).to_string())
    };
    let rows = [
        vec!["structure missed".to_owned(), of.missed.to_string()],
        vec!["structure seen where there is none".to_owned(), without(|of| of.spurious)],
        vec!["none, and none seen".to_owned(), without(|of| of.neither)],
    ];
    table(&["not measured", "patients"], rows)
}

/// Patients by class and call, under the protocol's names.
fn class_tables(release: &Release<ClassPerformance>, task: &Task) -> String {
    let found = &release.overall;
    // A class whose name is not at hand is shown all the same: its patients leave.
    let name = |place: usize| {
        let class = task.classes().get(place);
        class.map_or_else(|| format!("class {}", place + 1), |class| class.name.to_string())
    };
    let heads: Vec<String> =
        (0..found.classes()).map(|class| format!("called {}", name(class))).collect();
    let heads: Vec<&str> =
        std::iter::once("patients").chain(heads.iter().map(String::as_str)).collect();
    let rows = found.confusion.iter().enumerate().map(|(class, row)| {
        let head = format!("of {}", name(class));
        std::iter::once(head).chain(row.iter().map(u64::to_string)).collect::<Vec<_>>()
    });
    let areas = found.areas.as_deref().map(class_areas).unwrap_or_default();
    format!("{}{areas}\n\n{}", table(&heads, rows), failed_cases(&release.attrition))
}

/// How many numbers about areas leave beside the table, and of what kind.
fn class_areas(areas: &ClassAreas) -> String {
    let classes = areas.ranks.len();
    format!(
        "\n\nAreas of each class against the rest, in the exact bytes: {classes} values of 2U, {} sums \
         of squared placements, and one standard error of their mean, {} / 10^9",
        2 * classes,
        areas.macro_se_nano
    )
}

/// Findings by group, then the counts at every score that leaves.
fn detection_tables(release: &Release<DetectionPerformance>, task: &Task) -> String {
    let row = |group: &DetectionPerformance| {
        let cell = |cell: Cell<u64>| cell.released().map_or("withheld".to_owned(), u64::to_string);
        let point = &group.point;
        vec![
            group.patients.total.to_string(),
            format!("{} with, {} without", group.scans_with, group.scans_without),
            format!("{} of {}", point.hits, group.lesions),
            cell(point.false_positives),
            format!("{}, {}", cell(point.sensitivity_se_micro), cell(point.rate_se_micro)),
        ]
    };
    let groups = table(
        &["group", "patients", "scans", "lesions found", "false positives", "errors / 10^6"],
        group_rows(release, row),
    );
    let score = |edge: u32| {
        // A score whose place is all that is known is shown all the same.
        task.detection()
            .map_or_else(|| format!("edge {edge}"), |plan| plan.threshold(edge).to_string())
    };
    let step = |point: &CurvePoint| {
        vec![score(point.edge), point.hits.to_string(), point.false_positives.to_string()]
    };
    let curve = match &release.overall.curve[..] {
        [] => "No further score leaves.".to_owned(),
        curve => {
            table(&["score at least", "lesions found", "false positives"], curve.iter().map(step))
        }
    };
    let area = release.overall.average_precision.map_or_else(
        || "No error of the average precision over these scores leaves.".to_owned(),
        |of| format!("Error of the average precision over these scores: {} / 10^6.", of.se_micro),
    );
    format!("{groups}\n\n{curve}\n\n{area}\n\n{}", failed_cases(&release.attrition))
}

fn failed_cases(attrition: &[AttritionCount]) -> String {
    if attrition.is_empty() {
        return "No failed cases are named.".to_owned();
    }
    let rows = attrition.iter().map(|row| {
        let patients = row.patients.released().map_or("withheld".to_owned(), u64::to_string);
        vec![format!("{:?}", row.reason), patients]
    });
    table(&["failed cases", "patients"], rows)
}

fn exact_row(performance: &Performance) -> Vec<String> {
    let counts = performance.operating_points.iter().map(|point| {
        let c = &point.counts;
        format!("{}: TP {} FN {} FP {} TN {}", point.name, c.tp, c.fn_, c.fp, c.tn)
    });
    vec![
        performance.patients.total.to_string(),
        performance.ranks.n_pos.to_string(),
        performance.ranks.n_neg.to_string(),
        counts.collect::<Vec<_>>().join("\n"),
        exact_scores(performance),
    ]
}

fn exact_scores(performance: &Performance) -> String {
    let sums = &performance.probabilities;
    format!(
        "2U {}\nexpected events {} / 10^6\nsquared errors {} / 10^12\nsums of squares, calibration, \
         ECE: in the exact bytes",
        performance.ranks.doubled_u, sums.expected_micro, sums.brier_pico
    )
}

fn coarse_row(group: &CoarsePerformance) -> Vec<String> {
    let errors = |cell: Cell<u64>| cell.released().map_or("withheld".to_owned(), u64::to_string);
    let counts = group.operating_points.iter().map(|point| {
        let (fn_, fp) = (errors(point.false_negatives), errors(point.false_positives));
        format!("{}: FN {fn_} FP {fp}", point.name)
    });
    let grid = &group.scores;
    let auroc = grid.auroc.map_or("withheld".to_owned(), number);
    let slope = grid.calibration.map_or("no fit".to_owned(), |line| number(line.slope));
    let scores = format!(
        "AUROC {auroc}\nBrier {}\nmean probability {}\nslope {slope}",
        number(grid.brier),
        number(grid.mean_probability)
    );
    vec![
        group.patients.total.to_string(),
        group.n_pos.to_string(),
        group.n_neg.to_string(),
        counts.collect::<Vec<_>>().join("\n"),
        scores,
    ]
}

/// A number and how finely it is told.
fn number(on: OnGrid) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a grid is below 2⁵³")]
    let grid = on.grid_micro as f64 / 1e6;
    format!("{} (to {grid})", on.value())
}

fn noisy_row(group: &NoisyPerformance) -> Vec<String> {
    let sum = |bins: &[NoisyCount]| bins.iter().map(|bin| bin.0).sum::<i64>();
    let bins = |bins: &[NoisyCount]| {
        bins.iter().map(|bin| bin.0.to_string()).collect::<Vec<_>>().join(" ")
    };
    let (positives, negatives) = (sum(&group.positives), sum(&group.negatives));
    vec![
        (positives + negatives).to_string(),
        positives.to_string(),
        negatives.to_string(),
        "from the bins".to_owned(),
        format!("positives {}\nnegatives {}", bins(&group.positives), bins(&group.negatives)),
    ]
}

#[cfg(test)]
mod tests {
    use fedval_study::detection::{AveragePrecision, PointCounts};
    use fedval_study::measures::{Measure, Measured};
    use fedval_study::protocol::{
        Class, DetectionPlan, DetectionPoint, Matching, Profile, Quantity,
    };
    use fedval_study::{PatientCounts, Terms};

    use super::of as of_outcome;
    use super::*;

    #[test]
    fn every_number_of_a_measure_is_shown_with_its_grid_and_unit() {
        let on = |value_micro, grid_micro| OnGrid { value_micro, grid_micro };
        let of = |mean, sd| Measured { mean, measure: Measure::AbsoluteError, sd };
        let group = MeasurePerformance {
            empty_masks: None,
            measures: vec![of(on(3_500_000, 500_000), on(2_100_000, 100_000))],
            patients: 60,
        };
        let cell = |category: &str, performance| SubgroupCell {
            category: category.parse().unwrap(),
            dimension: "sex".parse().unwrap(),
            performance,
        };
        let release = Release {
            attrition: Vec::new(),
            overall: group.clone(),
            subgroups: vec![cell("f", Cell::Released(group)), cell("m", Cell::Suppressed)],
            terms: Terms::exact(Profile::Standard, 11),
        };
        let task = Task::Regression(Quantity {
            grid_micro: 100_000,
            largest_error_micro: 20_000_000,
            lower_micro: 0,
            name: "age".parse().unwrap(),
            unit: "mo".to_owned(),
            upper_micro: 200_000_000,
        });
        let shown = of_outcome(&Outcome::ReleasedMeasures(Box::new(release)), &task);
        for words in
            ["absolute_error: mean 3.5 (to 0.5), SD 2.1", "in mo", "60", "sex = f", "withheld"]
        {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }

    #[test]
    fn every_count_of_findings_that_leaves_is_shown() {
        let group = DetectionPerformance {
            average_precision: Some(AveragePrecision { se_micro: 23_000 }),
            curve: vec![CurvePoint { edge: 7, false_positives: 31, hits: 52 }],
            lesions: 93,
            patients: PatientCounts { total: 120, with_negative: 80, with_positive: 60 },
            point: PointCounts {
                false_positives: Cell::Suppressed,
                hits: 71,
                name: "call".parse().unwrap(),
                rate_se_micro: Cell::Suppressed,
                sensitivity_se_micro: Cell::Released(47_000),
            },
            scans_with: 66,
            scans_without: 88,
        };
        let task = Task::Detection(DetectionPlan {
            bins: 20,
            matching: Matching::CentreInRadius,
            most_candidates: 20,
            most_lesions: 10,
            point: DetectionPoint { edge: 10, name: "call".parse().unwrap() },
        });
        let release = Release {
            attrition: Vec::new(),
            overall: group,
            subgroups: Vec::new(),
            terms: Terms::exact(Profile::Standard, 11),
        };
        let outcome = Outcome::ReleasedDetection(Box::new(release));
        let shown = of(&outcome, &task);
        for words in
            ["71 of 93", "withheld", "0.35", "52", "31", "66 with, 88 without", "47000", "23000"]
        {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(of(&outcome, &Task::Binary).contains("edge 7"), "nothing is left out");
    }

    #[test]
    fn classes_bear_the_names_of_the_protocol() {
        let class = |name: &str| Class { name: name.parse().unwrap(), values: Vec::new() };
        let task = Task::Ordinal(["none", "mild"].map(class).into());
        let release = Release {
            attrition: Vec::new(),
            overall: ClassPerformance { areas: None, confusion: vec![vec![40, 3], vec![5, 31]] },
            subgroups: Vec::new(),
            terms: Terms::exact(Profile::Standard, 11),
        };
        let outcome = Outcome::ReleasedClasses(Box::new(release));
        let shown = of(&outcome, &task);
        for words in ["called none", "called mild", "of none", "of mild", "40", "31"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        assert!(of(&outcome, &Task::Binary).contains("called class 2"), "nothing is left out");
    }
}
