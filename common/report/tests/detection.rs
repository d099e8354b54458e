//! Reports of studies of findings with a place.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
#[path = "../../study/tests/support/detection.rs"]
mod detection;
mod published;

use consortium::{Answers, Consortium, documents, plan};
use fedval_report::{
    AssembleError, Reason, Report, Warning, WithheldWhat, assemble, render, render_html, verify,
};
use fedval_stats::binomial_glmm;
use fedval_study::detection::{AveragePrecision, CurvePoint, PointCounts};
use fedval_study::protocol::{Endpoint, EndpointDirection, Profile, StudyProtocol};
use fedval_study::result::SubgroupCell;
use fedval_study::{Cell, DetectionPerformance, MetricId, Outcome, PatientCounts, Release, Terms};
use published::Published;
use serde_json::Value;

const OPENED: i64 = 1_760_000_000_000;

/// The study of the other tests about findings: sensitivity, and as a second endpoint false positives.
fn study() -> StudyProtocol {
    let mut plan = detection::of_findings(plan());
    plan.endpoints[0].limit = 0.6;
    plan.endpoints.push(Endpoint {
        name: "quiet".parse().unwrap(),
        metric: "fp_per_scan@call".parse().unwrap(),
        limit: 1.0,
        direction: EndpointDirection::AtMost,
        basis: plan.endpoints[0].basis,
    });
    plan
}

fn sensitivity() -> MetricId {
    "lesion_sensitivity@call".parse().unwrap()
}

fn rate() -> MetricId {
    "fp_per_scan@call".parse().unwrap()
}

/// A group of 40 scans with and 60 without lesions times `size`, in which so many of 80 lesions are found.
fn group(size: u64, hits: u64, others: u64) -> DetectionPerformance {
    DetectionPerformance {
        average_precision: None,
        curve: Vec::new(),
        lesions: 80 * size,
        patients: PatientCounts {
            total: 90 * size,
            with_negative: 55 * size,
            with_positive: 38 * size,
        },
        point: PointCounts {
            false_positives: Cell::Released(others * size),
            hits: hits * size,
            name: "call".parse().unwrap(),
            rate_se_micro: Cell::Released(60_000),
            sensitivity_se_micro: Cell::Released(52_000),
        },
        scans_with: 40 * size,
        scans_without: 60 * size,
    }
}

/// A site whose dimensions are halved, the first cell of the second one hidden.
fn released(plan: &StudyProtocol, hits: u64, others: u64) -> Outcome {
    let mut overall = group(2, hits, others);
    let at = |edge, false_positives, hits| CurvePoint { edge, false_positives, hits };
    overall.average_precision = Some(AveragePrecision { se_micro: 34_000 });
    // At 200 scans: rates of 0.1, then the cut-off, then 4 and 6.
    overall.curve = vec![at(8, 20, hits), at(2, 800, 2 * hits + 10), at(1, 1_200, 2 * hits + 20)];
    let tables = plan.tables();
    let cells = tables.iter().enumerate().flat_map(|(table, of)| {
        of.categories.iter().map(move |category| SubgroupCell {
            category: category.clone(),
            dimension: of.name.clone(),
            performance: match table {
                0 => Cell::Released(group(1, hits, others)),
                _ => Cell::Suppressed,
            },
        })
    });
    Outcome::ReleasedDetection(Box::new(Release {
        attrition: Vec::new(),
        overall,
        subgroups: cells.collect(),
        terms: Terms::exact(Profile::Standard, 11),
    }))
}

fn answers(plan: &StudyProtocol) -> Answers {
    vec![
        ("site-a", Some(released(plan, 60, 50))),
        ("site-b", Some(released(plan, 66, 40))),
        ("site-c", Some(released(plan, 54, 70))),
        ("site-d", Some(Outcome::Insufficient)),
        ("site-e", None),
    ]
}

fn assembled(plan: &StudyProtocol, answers: &Answers) -> Report {
    let (protocol, round, results) = documents(plan, answers, OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

fn keeps_to_the_schema(report: &Report) {
    let value: Value = serde_json::from_slice(report.canonical().unwrap().bytes()).unwrap();
    Published::read().check(&value).unwrap();
}

fn close(got: f64, wanted: f64) {
    assert!((got - wanted).abs() < 1e-9, "{got} {wanted}");
}

#[test]
fn a_report_of_findings_keeps_to_the_schema_and_its_package_verifies() {
    let plan = study();
    keeps_to_the_schema(&assembled(&plan, &answers(&plan)));
    let everyone = Consortium::new(21);
    let package = everyone.package(&plan, &answers(&plan));
    let files = package.files();
    let verification = verify(&files, Some(everyone.authority.root().fingerprint()));
    assert!(verification.first_failure().is_none(), "{:?}", verification.first_failure());
    let table = String::from_utf8(files["tables/detection.csv"].clone()).unwrap();
    assert_eq!(table.lines().count(), 1 + 3 * 4);
    assert!(table.contains("site-a,call,0.5,120,160,100,200\r\n"), "{table}");
}

#[test]
fn a_site_s_numbers_follow_from_its_counts() {
    let plan = study();
    let report = assembled(&plan, &answers(&plan));
    let site = &report.sites[0];
    let names: Vec<String> = site.metrics.keys().map(ToString::to_string).collect();
    assert_eq!(names.len(), 4);
    let metric = |id: &MetricId| site.metrics[id].value().unwrap().clone();
    let found = metric(&sensitivity());
    close(found.estimate, 0.75);
    close(*found.se.value().unwrap(), 0.052);
    // Wilson on p (1 − p) / se² cases.
    let n = 0.75 * 0.25 / (0.052 * 0.052);
    let z: f64 = 1.959_963_984_540_054;
    let centre = (0.75 + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (0.75 * 0.25 / n + z * z / (4.0 * n * n)).sqrt();
    let [lower, upper] = *found.ci.value().unwrap();
    close(lower, centre - half);
    close(upper, centre + half);
    let others = metric(&rate());
    close(others.estimate, 0.5);
    let [lower, upper] = *others.ci.value().unwrap();
    close(lower, 0.5 * (-z * 0.06 / 0.5).exp());
    close(upper, 0.5 * (z * 0.06 / 0.5).exp());
    // Points (0, 0), (0.1, 60/160), (0.5, 120/160), (4, 130/160), (6, 140/160), straight between them.
    let share = |hits: f64| hits / 160.0;
    let wanted = [
        share(60.0 + 60.0 * 0.025 / 0.4),
        share(60.0 + 60.0 * 0.15 / 0.4),
        share(120.0),
        share(120.0 + 10.0 * 0.5 / 3.5),
        share(120.0 + 10.0 * 1.5 / 3.5),
        share(130.0),
        share(140.0),
    ];
    let own = site.detection.as_ref().unwrap();
    for (value, wanted) in own.froc.iter().zip(wanted) {
        close(*value.sensitivity.value().unwrap(), wanted);
    }
    let cpm = metric(&MetricId::Cpm);
    close(cpm.estimate, wanted.iter().sum::<f64>() / 7.0);
    assert_eq!(cpm.ci.reason(), Some(Reason::NoSamplingError));
    assert_eq!((site.n.value(), site.n_pos.value()), (Some(&200), Some(&80)));
}

/// Precision over recall by strips, counts straight between these scores.
fn by_strips(lesions: f64, at: &[(f64, f64)]) -> f64 {
    let strips = 4_000;
    let mut area = 0.0;
    let mut before = (0.0, 0.0);
    for after in at {
        for strip in 0..strips {
            let way = (f64::from(strip) + 0.5) / f64::from(strips);
            let hits = before.0 + way * (after.0 - before.0);
            let others = before.1 + way * (after.1 - before.1);
            area += (after.0 - before.0) / f64::from(strips) * hits / (hits + others);
        }
        before = *after;
    }
    area / lesions
}

#[test]
fn an_average_precision_follows_from_the_counts_that_were_shown_and_has_the_error_that_was_told() {
    let mut plan = study();
    plan.endpoints[1].metric = MetricId::AveragePrecision;
    plan.endpoints[1].direction = EndpointDirection::AtLeast;
    plan.endpoints[1].limit = 0.2;
    let mut answers = answers(&plan);
    let report = assembled(&plan, &answers);
    let wanted =
        by_strips(160.0, &[(60.0, 20.0), (120.0, 100.0), (130.0, 800.0), (140.0, 1_200.0)]);
    let found = report.sites[0].metrics[&MetricId::AveragePrecision].value().unwrap();
    assert!((found.estimate - wanted).abs() < 1e-6, "{} {wanted}", found.estimate);
    close(*found.se.value().unwrap(), 0.034);
    let (p, z) = (found.estimate, 1.959_963_984_540_054);
    let end = |side: f64| {
        let logit = (p / (1.0 - p)).ln() + side * z * 0.034 / (p * (1.0 - p));
        1.0 / (1.0 + (-logit).exp())
    };
    let [lower, upper] = *found.ci.value().unwrap();
    close(lower, end(-1.0));
    close(upper, end(1.0));
    let pooled = report.synthesis_of(&MetricId::AveragePrecision).unwrap();
    assert_eq!((pooled.k, pooled.scale), (3, fedval_report::Scale::Logit));
    let verdict = &report.verdicts[1];
    assert_eq!((verdict.metric.clone(), verdict.k), (MetricId::AveragePrecision, 3));
    assert_eq!(verdict.result, fedval_report::VerdictResult::Met);
    keeps_to_the_schema(&report);
    let page = render_html(&report, &[]).unwrap();
    assert!(page.contains("Forest plot of Average precision over released scores by site"));
    // Groups have no curve, and so no area.
    assert!(
        report
            .subgroups
            .iter()
            .all(|group| !group.synthesis.contains_key(&MetricId::AveragePrecision))
    );

    // Where the error stayed, the number follows all the same, and is in no mean.
    let Some(Outcome::ReleasedDetection(release)) = &mut answers[0].1 else { panic!("findings") };
    release.overall.average_precision = None;
    let report = assembled(&plan, &answers);
    let found = report.sites[0].metrics[&MetricId::AveragePrecision].value().unwrap();
    assert!((found.estimate - wanted).abs() < 1e-6);
    assert_eq!(found.ci.reason(), Some(Reason::Withheld));
    let pooled = report.synthesis_of(&MetricId::AveragePrecision).unwrap();
    assert_eq!((pooled.k, pooled.excluded[0].reason), (2, Reason::Withheld));
}

#[test]
fn sites_are_pooled_with_a_prediction_interval_and_groups_apart() {
    let plan = study();
    let report = assembled(&plan, &answers(&plan));
    for id in [sensitivity(), rate()] {
        let pooled = report.synthesis_of(&id).unwrap();
        assert_eq!(pooled.k, 3);
        assert!(pooled.prediction_interval.value().is_some());
    }
    let found = report.synthesis_of(&sensitivity()).unwrap().estimate;
    assert!((0.68..0.82).contains(&found), "{found}");
    let cpm = report.synthesis.get(&MetricId::Cpm).unwrap();
    assert_eq!(cpm.reason(), Some(Reason::NoSamplingError));
    assert_eq!(report.verdicts.len(), 2);
    assert!(report.verdicts.iter().all(|verdict| verdict.estimate.value().is_some()));
    let section = report.detection.as_ref().unwrap();
    assert_eq!((section.sites, section.lesions, section.hits), (3, 480, 360));
    let [female, ..] = &report.subgroups[..] else { panic!("groups") };
    let pooled = female.synthesis.get(&sensitivity()).and_then(|found| found.value()).unwrap();
    assert_eq!(pooled.k, 3);
    let cell = female.sites[0].performance.released().unwrap();
    assert_eq!(cell.detection.map(|counts| (counts.hits, counts.scans)), Some((60, 100)));
    assert_eq!(report.participants.n_pos, Some(240));
}

/// The CPM of a site of [`released`] with so many hits and 50 false positives.
fn cpm(hits: f64) -> f64 {
    let found = [
        hits * (1.0 + 0.025 / 0.4),
        hits * (1.0 + 0.15 / 0.4),
        2.0 * hits,
        2.0 * hits + 10.0 * 0.5 / 3.5,
        2.0 * hits + 10.0 * 1.5 / 3.5,
        2.0 * hits + 10.0,
        2.0 * hits + 20.0,
    ];
    found.iter().sum::<f64>() / 160.0 / 7.0
}

#[test]
fn the_mean_cpm_has_the_limits_that_drawing_five_sites_gives() {
    let plan = study();
    let names = ["site-a", "site-b", "site-c", "site-d", "site-e"];
    let hits: [u32; 5] = [63, 45, 69, 52, 58];
    let of = |hits: u32| Some(released(&plan, hits.into(), 50));
    let mut answers: Answers = names.into_iter().zip(hits.map(of)).collect();
    let report = assembled(&plan, &answers);
    keeps_to_the_schema(&report);
    let over = report.means_over_sites[&MetricId::Cpm].value().unwrap();
    assert_eq!((over.k, over.method.as_str(), over.excluded.len()), (5, "site_bootstrap", 0));
    let mut wanted = hits.map(|hits| cpm(hits.into()));
    wanted.sort_by(f64::total_cmp);
    close(over.estimate, wanted.iter().sum::<f64>() / 5.0);
    // One draw in a thousand lies below four times the worst site and the next, and one above four times the best.
    let [lower, upper] = *over.ci.value().unwrap();
    close(lower, (4.0 * wanted[0] + wanted[1]) / 5.0);
    close(upper, (4.0 * wanted[4] + wanted[3]) / 5.0);
    let page = render_html(&report, &[]).unwrap();
    assert!(page.contains("mean over sites, sites drawn again"));
    assert!(page.contains("is its CPM; over 5 sites it is"));
    let package = Consortium::new(21).package(&plan, &answers);
    let table = String::from_utf8(package.files()["tables/synthesis.csv"].clone()).unwrap();
    let row = table.lines().find(|line| line.starts_with("cpm,")).unwrap();
    assert!(row.starts_with(&format!("cpm,5,{},", over.estimate)), "{row}");
    assert!(row.ends_with(",site_bootstrap,"), "{row}");

    // Of four sites there is a mean alone, and the fifth says why it is in none.
    let Some(Outcome::ReleasedDetection(release)) = &mut answers[1].1 else { panic!("findings") };
    release.overall.curve.clear();
    release.overall.average_precision = None;
    let report = assembled(&plan, &answers);
    keeps_to_the_schema(&report);
    let over = report.means_over_sites[&MetricId::Cpm].value().unwrap();
    assert_eq!((over.k, over.ci.reason()), (4, Some(Reason::TooFewSites)));
    let left_out: Vec<_> = over.excluded.iter().map(|of| (of.site.as_str(), of.reason)).collect();
    assert_eq!(left_out, [("site-b", Reason::Withheld)]);
    close(over.estimate, wanted[1..].iter().sum::<f64>() / 4.0);
}

/// What was handed out before there were such means is made again without them.
#[test]
fn a_report_of_an_earlier_revision_has_no_mean_over_sites() {
    let plan = study();
    let (protocol, mut round, results) = documents(&plan, &answers(&plan), OPENED);
    let means = |round: &_| assemble(&protocol, round, &results).unwrap().means_over_sites;
    assert_eq!(means(&round).len(), 1);
    round.report_revision = 3;
    assert!(means(&round).is_empty());
}

#[test]
fn what_stays_has_its_reason_and_no_number() {
    let plan = study();
    let mut answers = answers(&plan);
    let Some(Outcome::ReleasedDetection(release)) = &mut answers[0].1 else { panic!("findings") };
    release.overall.curve.clear();
    release.overall.average_precision = None;
    release.overall.point.false_positives = Cell::Suppressed;
    release.overall.point.rate_se_micro = Cell::Suppressed;
    release.overall.point.sensitivity_se_micro = Cell::Suppressed;
    let report = assembled(&plan, &answers);
    let metrics = &report.sites[0].metrics;
    let found = metrics[&sensitivity()].value().unwrap();
    assert_eq!(found.ci.reason(), Some(Reason::Withheld));
    assert_eq!(metrics[&rate()].reason(), Some(Reason::Withheld));
    assert_eq!(metrics[&MetricId::Cpm].reason(), Some(Reason::Withheld));
    assert_eq!(metrics[&MetricId::AveragePrecision].reason(), Some(Reason::Withheld));
    let pooled = report.synthesis_of(&sensitivity()).unwrap();
    let left_out: Vec<_> = pooled.excluded.iter().map(|site| site.reason).collect();
    assert_eq!((pooled.k, left_out), (2, vec![Reason::Withheld]));
    let told =
        report.disclosure.withheld.iter().any(|item| {
            item.site.as_str() == "site-a" && item.what == WithheldWhat::FalsePositives
        });
    assert!(told, "{:?}", report.disclosure.withheld);
    assert!(render_html(&report, &[]).unwrap().contains("the free-response curve"));
    keeps_to_the_schema(&report);
}

#[test]
fn a_site_that_finds_everything_is_pooled_as_it_is() {
    let plan = study();
    let mut answers = answers(&plan);
    let Some(Outcome::ReleasedDetection(release)) = &mut answers[0].1 else { panic!("findings") };
    release.overall.curve.truncate(1);
    release.overall.average_precision = None;
    release.overall.point.hits = release.overall.lesions;
    release.overall.point.sensitivity_se_micro = Cell::Released(0);
    let report = assembled(&plan, &answers);
    let site = report.sites[0].metrics[&sensitivity()].value().unwrap();
    // As 76 patients who are all alike.
    let [lower, upper] = *site.ci.value().unwrap();
    assert!((lower - 76.0 / (76.0 + 1.959_963_984_540_054_f64.powi(2))).abs() < 1e-9, "{lower}");
    close(upper, 1.0);
    let pooled = report.synthesis_of(&sensitivity()).unwrap();
    assert_eq!((pooled.k, pooled.method.as_str()), (3, "binomial_glmm_ml"));
    // p (1 − p) / 0.052² lesions at the others: 53.4 with p = 0.825, 81.1 with p = 0.675; at the first its 76 patients.
    let row = binomial_glmm::fit(&[(76, 76), (44, 53), (55, 81)], 0.95).unwrap();
    close(pooled.mu, row.mu);
    close(pooled.tau2, row.tau2);
    assert!(pooled.warnings.iter().all(|warning| *warning != Warning::ClusteringIgnored));
}

#[test]
fn the_page_shows_findings_the_curve_and_the_plot_of_the_metric() {
    let plan = study();
    let report = assembled(&plan, &answers(&plan));
    let page = render_html(&report, &[]).unwrap();
    for words in [
        "Lesion sensitivity at call",
        "Free-response ROC curve by site",
        "Forest plot of Lesion sensitivity at call by site",
        "Findings by sex",
        "120 / 160",
    ] {
        assert!(page.contains(words), "{words}");
    }
    for words in ["AUROC by", "NaN"] {
        assert!(!page.contains(words), "{words}");
    }
    let forms = render(&report, &[]).unwrap();
    let data = String::from_utf8(forms["figures/froc.csv"].clone()).unwrap();
    // Four scores and seven rates of each of three sites.
    assert_eq!(data.lines().count(), 1 + 3 * 11);
    assert!(data.contains("site-a,cut_off,0.5,0.5,0.75"), "{data}");
    assert!(forms.contains_key("figures/froc.svg"));
}

#[test]
fn a_release_of_another_task_or_that_no_cohort_has_is_refused() {
    let (of_findings, binary) = (study(), plan());
    let refused = |plan: &StudyProtocol, outcome: Outcome| {
        let (protocol, round, results) = documents(plan, &vec![("site-a", Some(outcome))], OPENED);
        assemble(&protocol, &round, &results).map(|_| ())
    };
    let other = refused(&binary, released(&of_findings, 60, 50));
    assert!(matches!(other, Err(AssembleError::Schema { .. })), "{other:?}");
    let of_binary = consortium::answers(&binary).remove(0).1.unwrap();
    assert!(matches!(refused(&of_findings, of_binary), Err(AssembleError::Schema { .. })));
    let Outcome::ReleasedDetection(mut release) = released(&of_findings, 60, 50) else {
        panic!("findings")
    };
    release.overall.point.hits = 161;
    let more = refused(&of_findings, Outcome::ReleasedDetection(release.clone()));
    assert!(matches!(more, Err(AssembleError::Contradictory { .. })), "{more:?}");
    release.overall.point.hits = 120;
    release.overall.point.rate_se_micro = Cell::Released(9_000_000_000_000_000);
    let unbounded = refused(&of_findings, Outcome::ReleasedDetection(release));
    assert!(matches!(unbounded, Err(AssembleError::Contradictory { .. })), "{unbounded:?}");
}
