//! Reports of studies that measure a quantity.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
mod published;
#[path = "../../study/tests/support/quantity.rs"]
mod quantity;
mod vetted;

use consortium::{Answers, Consortium, documents};
use fedval_report::{
    AssembleError, Disclosed, Estimable, Metric, Reason, Report, Signal, VerdictResult, assemble,
    render_html, verify,
};
use fedval_stats::agreement::{MeasurementSums, intraclass};
use fedval_study::protocol::{EndpointDirection, StudyProtocol};
use fedval_study::{MetricId, Outcome, ScoreSource};
use ndarray::Array2;
use published::Published;
use quantity::{Patient, of_a_quantity, patients};
use serde_json::Value;
use vetted::vetted;

const OPENED: i64 = 1_760_000_000_000;

fn plan(limit: f64) -> StudyProtocol {
    of_a_quantity(consortium::plan(), limit)
}

/// Patients of both sexes and ages, at a hospital where the model is off by `bias`.
fn hospital(first: u32, count: u32, bias: f64) -> Vec<Patient> {
    let cells = |number: u32| {
        let (sex, age) = (number % 2, u32::from(number.is_multiple_of(5)));
        [sex, age].map(|cell| u16::try_from(cell).unwrap()).into()
    };
    patients((first, count), (bias, 5.0), cells)
}

fn hospitals() -> [(&'static str, Vec<Patient>); 3] {
    [
        ("site-a", hospital(0, 240, 6.0)),
        ("site-b", hospital(1_000, 310, 9.0)),
        ("site-c", hospital(2_000, 190, 7.0)),
    ]
}

/// What the gate of a hospital lets through.
fn released(plan: &StudyProtocol, patients: &[Patient]) -> Outcome {
    vetted(plan, quantity::summary(plan, patients), ScoreSource::Model)
}

fn answers(plan: &StudyProtocol) -> Answers {
    let mut answers: Answers = hospitals()
        .into_iter()
        .map(|(name, patients)| (name, Some(released(plan, &patients))))
        .collect();
    answers.push(("site-d", Some(Outcome::Insufficient)));
    answers.push(("site-e", None));
    answers
}

fn report(plan: &StudyProtocol) -> Report {
    let (protocol, round, results) = documents(plan, &answers(plan), OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

fn metric(report: &Report, site: usize, id: &MetricId) -> Metric {
    report.sites[site].metrics[id].value().unwrap().clone()
}

#[expect(clippy::cast_precision_loss, reason = "counts of hundreds")]
fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / (n - 1.0)).sqrt())
}

#[test]
fn a_report_of_a_quantity_keeps_to_the_schema_and_its_package_verifies() {
    let plan = plan(8.0);
    let value: Value = serde_json::from_slice(report(&plan).canonical().unwrap().bytes()).unwrap();
    Published::read().check(&value).unwrap();
    assert_eq!(value["quantity"]["unit"], "mo");
    assert_eq!(value["participants"].get("n_pos"), None);
    let everyone = Consortium::new(21);
    let package = everyone.package(&plan, &answers(&plan));
    let files = package.files();
    let verification = verify(&files, Some(everyone.authority.root().fingerprint()));
    assert!(verification.first_failure().is_none(), "{:?}", verification.first_failure());
    let table = String::from_utf8(files["tables/measures.csv"].clone()).unwrap();
    assert_eq!(table.lines().count(), 1 + 3 * 3);
    let groups = String::from_utf8(files["tables/subgroup_sites.csv"].clone()).unwrap();
    assert_eq!(groups.lines().count(), 1 + 3 * 4 * 2, "two metrics of four groups at three sites");
}

#[test]
fn every_number_of_a_site_is_that_of_its_patients_within_the_rounding() {
    let report = report(&plan(8.0));
    for (site, (name, patients)) in hospitals().iter().enumerate() {
        let n = f64::from(u32::try_from(patients.len()).unwrap());
        let errors: Vec<f64> = patients.iter().map(Patient::error).collect();
        let sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
        let ((bias, sd), (mae, sd_of_sizes)) = (mean_and_sd(&errors), mean_and_sd(&sizes));
        // Half a step of 48/n, and of 96/n, of one, two and five times a power of ten.
        let steps = [if n < 240.0 { 0.5 } else { 0.2 }, if n < 200.0 { 1.0 } else { 0.5 }];
        for (id, truth, spread, step) in [
            (MetricId::MeanAbsoluteError, mae, sd_of_sizes, steps[0]),
            (MetricId::MeanError, bias, sd, steps[1]),
        ] {
            let found = metric(&report, site, &id);
            assert!((found.estimate - truth).abs() <= step / 2.0 + 1e-6, "{name} {id}");
            let se = (spread * spread / n + step * step / 12.0).sqrt();
            assert!((found.se.value().unwrap() / se - 1.0).abs() < 0.06, "{name} {id}");
            let [lower, upper] = *found.ci.value().unwrap();
            let wide = (upper - lower) / 2.0 / found.se.value().unwrap();
            assert!((1.96..1.98).contains(&wide), "Student's, not the normal: {wide}");
        }
        for (id, side) in
            [(MetricId::LowerLimitOfAgreement, -1.96), (MetricId::UpperLimitOfAgreement, 1.96)]
        {
            let found = metric(&report, site, &id);
            let room = steps[1] / 2.0 + 1.96 * 0.05 * sd;
            assert!((found.estimate - (bias + side * sd)).abs() <= room, "{name} {id}");
            let se = (sd * sd * (1.0 / n + 1.96_f64.powi(2) / (2.0 * (n - 1.0)))).sqrt();
            assert!(*found.se.value().unwrap() > 0.9 * se, "{name} {id}");
        }
        let table = Array2::from_shape_fn((patients.len(), 2), |(of, reader)| {
            if reader == 0 { patients[of].prediction } else { patients[of].reference }
        });
        let direct = intraclass(&MeasurementSums::of(&table).unwrap(), 0.95).unwrap();
        let found = metric(&report, site, &MetricId::IntraclassCorrelation);
        assert!((found.estimate - direct.agreement.unwrap()).abs() < 0.02, "{name}");
        // Two readers know little of how readers differ: the limits are wide, and they are told.
        let [lower, upper] = *found.ci.value().unwrap();
        assert!(lower < found.estimate && found.estimate < upper && upper <= 1.0, "{name}");
        assert_eq!(report.sites[site].n.value(), Some(&u64::try_from(patients.len()).unwrap()));
        assert_eq!(report.sites[site].n_pos.reason(), Some(Reason::NotDefinedForTask));
    }
    assert_eq!((report.participants.patients, report.participants.n_pos), (740, None));
}

#[test]
fn sites_are_pooled_on_the_scale_of_the_quantity() {
    let report = report(&plan(8.0));
    for id in [
        MetricId::MeanAbsoluteError,
        MetricId::MeanError,
        MetricId::LowerLimitOfAgreement,
        MetricId::UpperLimitOfAgreement,
    ] {
        let pooled = report.synthesis_of(&id).unwrap();
        assert_eq!((pooled.k, pooled.scale.as_str()), (3, "identity"), "{id}");
        let sites: Vec<f64> = (0..3).map(|site| metric(&report, site, &id).estimate).collect();
        let (low, high) = sites
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(*value), high.max(*value)));
        assert!((low..=high).contains(&pooled.estimate), "{id}");
        let ([lower, upper], [below, above]) =
            (*pooled.ci.value().unwrap(), *pooled.prediction_interval.value().unwrap());
        assert!(below < lower && lower < pooled.estimate && pooled.estimate < upper, "{id}");
        assert!(upper < above && pooled.tau2 > 0.0, "hospitals differ: {id}");
    }
    let icc = MetricId::IntraclassCorrelation;
    assert!(report.synthesis_of(&icc).is_none());
    // Of three sites there is the mean, and no limits.
    let over = report.means_over_sites[&icc].value().unwrap();
    let mean = (0..3).map(|site| metric(&report, site, &icc).estimate).sum::<f64>() / 3.0;
    assert!((over.estimate - mean).abs() < 1e-12);
    assert_eq!((over.k, over.ci.reason()), (3, Some(Reason::TooFewSites)));
}

#[test]
fn the_summary_explains_an_interval_of_errors_that_begins_below_nothing() {
    let mut report = report(&plan(8.0));
    let explains = |report: &Report| {
        let page = render_html(report, &[]).unwrap();
        page.contains("No value of it lies below 0")
    };
    let id = MetricId::MeanAbsoluteError;
    let Some(Estimable::Estimated(pooled)) = report.synthesis.get_mut(&id) else { panic!("{id}") };
    let [below, above] = *pooled.prediction_interval.value().unwrap();
    assert!(below < 0.0, "of three hospitals that differ");
    (pooled.ci, pooled.prediction_interval) =
        (Estimable::Estimated([5.0, 9.0]), Estimable::Estimated([0.5, above]));
    assert!(!explains(&report));
    let Some(Estimable::Estimated(pooled)) = report.synthesis.get_mut(&id) else { panic!("{id}") };
    pooled.prediction_interval = Estimable::Estimated([below, above]);
    assert!(explains(&report));
}

#[test]
fn the_smaller_an_error_the_better() {
    for (limit, result) in [
        (40.0, VerdictResult::Met),
        (0.5, VerdictResult::NotMet),
        (6.0, VerdictResult::Inconclusive),
    ] {
        let verdict = report(&plan(limit)).verdicts.remove(0);
        assert_eq!((verdict.result, verdict.direction), (result, EndpointDirection::AtMost));
        let worst = verdict.worst_site.value().unwrap();
        assert_eq!(worst.site.as_str(), "site-b", "where the model is off by nine months");
        let [probability, below] = [verdict.new_site_probability.value().unwrap(), &1.0];
        assert!(*probability > 0.0 && probability < below);
        let group = verdict.worst_subgroup.value().unwrap();
        assert_eq!(group.site.as_str(), "site-b");
        assert!(group.value.estimate >= worst.value.estimate - 0.5);
    }
}

#[test]
fn groups_are_told_with_their_errors_and_small_ones_are_not() {
    let plan = plan(8.0);
    let mut answers = answers(&plan);
    // Ten patients from 65 on: they are too few, and the others would give them away.
    let few =
        patients((9_000, 100), (2.0, 5.0), |n| vec![u16::from(n % 2 == 0), u16::from(n < 10)]);
    answers[3].1 = Some(released(&plan, &few));
    let (protocol, round, results) = documents(&plan, &answers, OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    for group in &report.subgroups {
        let cell = group.sites.iter().find(|cell| cell.site.as_str() == "site-d").unwrap();
        let is_age = group.dimension.as_str() == "age";
        assert_eq!(cell.performance.released().is_none(), is_age, "{}", group.category);
        let Disclosed::Released(cell) = &group.sites[0].performance else { panic!("site-a") };
        assert_eq!((cell.n_pos, cell.auroc.is_none()), (None, true));
        let names: Vec<String> = cell.metrics.keys().map(ToString::to_string).collect();
        assert_eq!(names, ["mean_absolute_error", "mean_error"]);
        let pooled = group.synthesis[&MetricId::MeanAbsoluteError].value().unwrap();
        assert_eq!(pooled.k, if is_age { 3 } else { 4 });
    }
    assert_eq!(
        report.disclosure.withheld.iter().filter(|of| of.site.as_str() == "site-d").count(),
        2
    );
    // One gap of each dimension in each of two metrics; a tenth of 48 months must not go unseen.
    assert_eq!(report.gaps.len(), 4);
    for gap in &report.gaps {
        let found = gap.result.value().unwrap();
        assert_eq!(found.powered, found.detectable <= 4.8);
        assert!(found.estimate.abs() < 3.0, "groups do not differ");
    }
}

#[test]
fn a_site_without_classes_is_judged_by_its_patients() {
    let plan = plan(8.0);
    let sites = [("site-a", 100, Signal::EnoughPatients), ("site-b", 99, Signal::FewPatients)];
    let answers: Answers = sites
        .iter()
        .map(|(site, count, _)| (*site, Some(released(&plan, &hospital(0, *count, 6.0)))))
        .collect();
    let (protocol, round, results) = documents(&plan, &answers, OPENED);
    let report = assemble(&protocol, &round, &results).unwrap();
    for (place, (_, count, signal)) in sites.into_iter().enumerate() {
        assert_eq!(report.sites[place].patients.value(), Some(&u64::from(count)));
        assert_eq!(report.risk_of_bias[place].signals[3], signal);
    }
}

#[test]
fn the_page_speaks_of_errors_in_their_unit() {
    let page = render_html(&report(&plan(8.0)), &[]).unwrap();
    for words in [
        "Mean absolute error at most 8.00\u{a0}mo on average across sites",
        "740 patients, in whom the model estimates bone-age.",
        "mean absolute error was",
        "Errors and agreement with the reference standard by site",
        "Forest plot of Mean absolute error by site",
        "Forest plot of Mean error (bias) by site",
        "Upper limit of agreement, mo",
        "Errors by sex",
        "error beyond 48\u{a0}mo",
        "a tenth of the largest error",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for words in ["With condition", "Without pneumonia", "AUROC by", "Sensitivity at", "NaN"] {
        assert!(!page.contains(words), "{words}");
    }
}

#[test]
fn a_release_of_another_task_or_on_another_grid_is_refused() {
    let plan = plan(8.0);
    let binary = consortium::plan();
    let assembled = |plan: &StudyProtocol, outcome: Outcome| {
        let (protocol, round, results) = documents(plan, &vec![("site-a", Some(outcome))], OPENED);
        assemble(&protocol, &round, &results).map(|_| ())
    };
    let own = || released(&plan, &hospital(0, 240, 1.0));
    assert!(assembled(&plan, own()).is_ok());
    let of_binary = consortium::answers(&binary).remove(0).1.unwrap();
    for (plan, outcome) in [(&binary, own()), (&plan, of_binary)] {
        let refused = assembled(plan, outcome);
        assert!(matches!(refused, Err(AssembleError::Schema { .. })), "{refused:?}");
    }
    let Outcome::ReleasedMeasures(mut release) = own() else { panic!("measures") };
    release.overall.measures[0].mean.grid_micro = 100_000;
    let refused = assembled(&plan, Outcome::ReleasedMeasures(release));
    assert!(matches!(refused, Err(AssembleError::Schema { .. })), "{refused:?}");
}
