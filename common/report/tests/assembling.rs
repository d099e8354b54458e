//! What a report says, number by number.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cohort;
mod consortium;
mod influence;
mod risk_of_bias;

use cohort::{Case, Recipe, performance};
use consortium::{
    Answers, Consortium, all_answers, answers, documents, plan, released, released_cases,
};
use fedval_report::{AssembleError, Estimable, Reason, Report, VerdictResult, Warning, assemble};
use fedval_stats::auroc;
use fedval_stats::grid::GridScore;
use fedval_stats::scale::Logit;
use fedval_study::{MetricId, Outcome, SiteStatus, StudyProtocol};

const OPENED: i64 = 1_760_000_000_000;

fn report(plan: &StudyProtocol, answers: &Answers) -> Report {
    let (protocol, round, results) = documents(plan, answers, OPENED);
    assemble(&protocol, &round, &results).unwrap()
}

fn json(report: &Report) -> serde_json::Value {
    serde_json::from_slice(report.canonical().unwrap().bytes()).unwrap()
}

fn metric(text: &str) -> MetricId {
    text.parse().unwrap()
}

/// As many true positives, misses, false alarms and true negatives at every operating point, each another patient.
fn cases(counts: [u32; 4]) -> Vec<Case> {
    let kinds = [(true, 2.0), (true, -2.0), (false, 2.0), (false, -2.0)].into_iter().zip(counts);
    let kinds = kinds.flat_map(|(kind, count)| (0..count).map(move |_| kind));
    let case = |(patient, (positive, logit)): (u32, (bool, f64))| Case {
        patient,
        positive,
        female: patient.is_multiple_of(2),
        old: patient.is_multiple_of(3),
        score: GridScore::from_logit(Logit::new(logit).unwrap()),
    };
    (0..).zip(kinds).map(case).collect()
}

/// A site where every positive case is called at `rule-out`.
fn without_misses(plan: &StudyProtocol) -> Outcome {
    let recipe = Recipe { seed: 21, separation: 2.2, shift: 1.3, ..Recipe::default() };
    let cases = recipe.cases();
    assert_eq!(performance(&cases, plan).operating_points[0].counts.fn_, 0);
    released_cases(plan, &cases)
}

/// Sites with one repeated image each third patient and some misses at every operating point.
fn plain(plan: &StudyProtocol, seed: u64) -> Outcome {
    released(plan, Recipe { seed, separation: 1.4, shift: -0.5, ..Recipe::default() })
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let (first, second) = (report(&plan(), &answers(&plan())), report(&plan(), &answers(&plan())));
    let bytes = first.canonical().unwrap();
    assert_eq!(bytes.bytes(), second.canonical().unwrap().bytes());
    let back = fedval_study::Canonical::<Report>::parse(bytes.bytes()).unwrap();
    assert_eq!(back.value(), &first);
}

/// A package has its groups written in two halves.
#[test]
fn a_packed_report_is_canonical_however_many_groups_it_has() {
    for dimensions in 0..=plan().subgroups.len() {
        let mut plan = plan();
        plan.subgroups.truncate(dimensions);
        let bytes = Consortium::new(30)
            .package(&plan, &answers(&plan))
            .files()
            .remove("report.json")
            .unwrap();
        let read = fedval_study::Canonical::<Report>::parse(&bytes).unwrap().into_value();
        assert_eq!(read.subgroups.is_empty(), dimensions == 0);
    }
}

#[test]
fn the_paths_that_scripts_rely_on_are_there() {
    let json = json(&report(&plan(), &answers(&plan())));
    for path in [
        "/schema",
        "/study/id",
        "/study/protocol_digest",
        "/model/digest",
        "/sites/0/id",
        "/sites/0/status",
        "/sites/0/n",
        "/sites/0/n_pos",
        "/sites/0/n_neg",
        "/sites/0/patients",
        "/sites/0/metrics/auroc/estimate",
        "/sites/0/metrics/auroc/se",
        "/sites/0/metrics/auroc/ci/1",
        "/sites/0/metrics/auroc/method",
        "/sites/0/metrics/sensitivity@rule-out/estimate",
        "/sites/0/operating_points/0/name",
        "/sites/0/operating_points/0/threshold",
        "/sites/0/operating_points/0/fn",
        "/sites/0/operating_points/0/sensitivity",
        "/sites/0/operating_points/0/specificity",
        "/synthesis/auroc/k",
        "/synthesis/auroc/estimate",
        "/synthesis/auroc/ci/0",
        "/synthesis/auroc/tau2",
        "/synthesis/auroc/i2",
        "/synthesis/auroc/q",
        "/synthesis/auroc/q_p",
        "/synthesis/auroc/prediction_interval/0",
        "/synthesis/auroc/method",
        "/subgroups/0/dimension",
        "/subgroups/0/category",
        "/verdicts/0/endpoint",
        "/verdicts/0/result",
        "/disclosure/profile",
        "/disclosure/k",
        "/disclosure/policy_digests/site-a",
        "/disclosure/withheld/0/site",
    ] {
        assert!(json.pointer(path).is_some_and(|value| !value.is_null()), "{path}");
    }
    assert_eq!(json["round"]["as_of"], "2025-10-19T08:53:20Z");
}

#[test]
fn every_site_of_the_round_stands_with_its_status() {
    let report = report(&plan(), &all_answers(&plan()));
    let statuses: Vec<_> = report.sites.iter().map(|site| site.status.as_str()).collect();
    assert_eq!(
        statuses,
        [
            "released",
            "released",
            "released",
            "insufficient",
            "missing",
            "released",
            "refused",
            "failed"
        ]
    );
    let tally = report.participants.sites;
    assert_eq!((tally.dispatched, tally.released, tally.missing), (8, 4, 1));
    let json = json(&report);
    assert_eq!(json["sites"][3]["n"]["not_estimable"], "insufficient");
    assert_eq!(json["sites"][4]["n"]["not_estimable"], "missing");
    assert!(json["sites"][4]["metrics"].as_object().unwrap().is_empty());
    let codes: Vec<_> = json["disclosure"]["withheld"].as_array().unwrap().iter().collect();
    let of = |site: &str| codes.iter().find(|item| item["site"] == site).unwrap();
    assert_eq!(
        (&of("site-d")["code"], &of("site-d")["rule"]),
        (&"INSUFFICIENT".into(), &"DC-02".into())
    );
    assert_eq!(of("site-g")["code"], "REFUSED");
}

#[test]
fn repeated_patients_widen_the_error_and_delong_stays_beside_it() {
    let plan = plan();
    let recipe = Recipe { seed: 11, repeats: 3, ..Recipe::default() };
    let report = report(&plan, &vec![("site-a", Some(released(&plan, recipe)))]);
    let site = &report.sites[0];
    let of = |id: &str| site.metrics[&metric(id)].value().unwrap().clone();
    let (clustered, delong) = (of("auroc"), of("auroc_delong"));
    assert_eq!(
        (clustered.method.as_ref(), delong.method.as_ref()),
        ("logit_obuchowski", "logit_delong")
    );
    assert!((clustered.estimate - delong.estimate).abs() < 1e-15);
    assert!(clustered.se.value() > delong.se.value());
    let ranks = performance(&recipe.cases(), &plan).ranks;
    assert!((delong.se.value().unwrap() - auroc::delong(&ranks).unwrap().se).abs() < 1e-15);
}

#[test]
fn an_empty_error_cell_goes_to_the_exact_binomial_model() {
    let plan = plan();
    let sites: Answers = vec![
        ("site-a", Some(plain(&plan, 31))),
        ("site-b", Some(without_misses(&plan))),
        ("site-c", Some(plain(&plan, 33))),
    ];
    let report = report(&plan, &sites);
    let pooled = report.synthesis_of(&metric("sensitivity@rule-out")).unwrap();
    assert_eq!((pooled.method.as_str(), pooled.k), ("binomial_glmm_ml", 3));
    assert!(pooled.prediction_interval.value().is_some());
    assert_eq!(pooled.q.reason(), Some(Reason::NotDefinedForMethod));
    let normal = &pooled.alternatives[0];
    assert_eq!(normal.method, "reml_hartung_knapp");
    assert_eq!(normal.estimate.reason(), Some(Reason::EmptyErrorCell));
    // Where no cell is empty the normal model leads and the exact one stands beside it.
    let other = report.synthesis_of(&metric("sensitivity@balanced")).unwrap();
    assert!(other.method.starts_with("reml"));
    assert_eq!(other.alternatives[0].method, "binomial_glmm_ml");
}

#[test]
fn two_sites_are_shown_with_a_warning_and_no_prediction() {
    let plan = plan();
    let sites: Answers = vec![
        ("site-a", Some(plain(&plan, 31))),
        ("site-b", Some(plain(&plan, 32))),
        ("site-c", Some(Outcome::Insufficient)),
    ];
    let report = report(&plan, &sites);
    let pooled = report.synthesis_of(&MetricId::Auroc).unwrap();
    assert_eq!(pooled.k, 2);
    assert!(pooled.warnings.contains(&Warning::TwoSitesCarryAlmostNoInformation));
    assert_eq!(pooled.prediction_interval.reason(), Some(Reason::TooFewSites));
    assert_eq!(pooled.leave_one_out[0].estimate.reason(), Some(Reason::TooFewSites));
    // The endpoint on a new site cannot be decided.
    assert_eq!(report.verdicts[1].result, VerdictResult::Inconclusive);
    assert_eq!(report.verdicts[1].reason, Some(Reason::TooFewSites));
}

#[test]
fn five_sites_that_agree_are_warned_of_a_prediction_that_covers_less() {
    let plan = plan();
    let names = ["site-a", "site-b", "site-c", "site-d", "site-e"];
    let sites: Answers =
        names.into_iter().zip(31..).map(|(name, seed)| (name, Some(plain(&plan, seed)))).collect();
    let pooled = report(&plan, &sites);
    let pooled = pooled.synthesis_of(&MetricId::Auroc).unwrap();
    assert!(pooled.i2.value().is_some_and(|i2| *i2 < 0.75), "{:?}", pooled.i2);
    assert!(pooled.warnings.contains(&Warning::PredictionCoversLess));
    assert!(!pooled.warnings.contains(&Warning::FewOfOneClass));
}

/// Names of as many sites as any test here has.
const SITES: [&str; 11] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"];

#[test]
fn small_sites_are_warned_of() {
    let plan = plan();
    let with = |recipes: Vec<Recipe>| {
        let answers: Answers = SITES
            .into_iter()
            .zip(recipes)
            .map(|(name, recipe)| (name, Some(released(&plan, recipe))))
            .collect();
        report(&plan, &answers).synthesis_of(&MetricId::Auroc).unwrap().warnings.clone()
    };
    let rare = Recipe { seed: 7, patients: 900, prevalence: 0.02, ..Recipe::default() };
    let usual = Recipe { seed: 8, patients: 300, prevalence: 0.4, ..Recipe::default() };
    assert!(with(vec![rare, usual, usual]).contains(&Warning::FewOfOneClass));
    assert!(!with(vec![usual; 3]).contains(&Warning::FewOfOneClass));
    let small = |seed| Recipe { seed, patients: 44, prevalence: 0.5, ..Recipe::default() };
    let warnings = with((0..11).map(small).collect());
    assert!(warnings.contains(&Warning::ManySmallSites), "{warnings:?}");
    assert!(!warnings.contains(&Warning::FewOfOneClass), "{warnings:?}");
}

#[test]
fn one_site_and_none_are_not_estimable() {
    let plan = plan();
    for sites in [
        vec![("site-a", Some(plain(&plan, 31)))],
        vec![("site-a", Some(Outcome::Insufficient)), ("site-b", None)],
        vec![],
    ] {
        let report = report(&plan, &sites);
        let json = json(&report);
        assert_eq!(json["synthesis"]["auroc"]["not_estimable"], "too_few_sites");
        assert_eq!(json["synthesis"]["sensitivity@rule-out"]["not_estimable"], "too_few_sites");
        assert_eq!(json["synthesis"]["ece"]["not_estimable"], "no_sampling_error");
        assert!(report.verdicts.iter().all(|v| v.result == VerdictResult::Inconclusive));
        assert!(report.verdicts.iter().all(|v| v.reason == Some(Reason::TooFewSites)));
    }
}

#[test]
fn a_perfect_site_is_left_out_of_the_logit_synthesis_and_named() {
    let plan = plan();
    let perfect = Recipe { seed: 5, separation: 22.0, ..Recipe::default() };
    let sites: Answers = vec![
        ("site-a", Some(plain(&plan, 31))),
        ("site-b", Some(plain(&plan, 32))),
        ("site-c", Some(released(&plan, perfect))),
    ];
    let report = report(&plan, &sites);
    let site = report.sites[2].metrics[&MetricId::Auroc].value().unwrap();
    assert_eq!(site.method, "newcombe5");
    assert!(site.ci.value().unwrap()[0] < 1.0);
    let pooled = report.synthesis_of(&MetricId::Auroc).unwrap();
    assert_eq!((pooled.k, pooled.excluded[0].reason), (2, Reason::PerfectDiscrimination));
    assert!(pooled.warnings.contains(&Warning::SitesExcluded));
    let slope = &report.sites[2].metrics[&MetricId::CalibrationSlope];
    assert_eq!(slope.reason(), Some(Reason::Separation));
}

#[test]
fn weights_add_up_and_leave_one_out_moves_the_mean() {
    let report = report(&plan(), &all_answers(&plan()));
    let pooled = report.synthesis_of(&MetricId::Auroc).unwrap();
    let sum: f64 = pooled.weights.iter().filter_map(|weight| weight.weight.value()).sum();
    assert!((sum - 1.0).abs() < 1e-12);
    assert_eq!(pooled.leave_one_out.len(), 4);
    let without_c = &pooled.leave_one_out[2];
    assert_eq!(without_c.site.as_str(), "site-c");
    assert!(without_c.estimate.value().unwrap() > &pooled.estimate, "site-c is the worst");
    let i2 = pooled.i2.value().unwrap();
    assert!((0.0..=1.0).contains(i2) && pooled.i2 == pooled.i2_from_tau2);
    let [discrimination, transport] = &pooled.acceptance[..] else { panic!("two endpoints") };
    // A lower limit is met with a higher probability.
    assert!(transport.probability.value() > discrimination.probability.value());
}

#[test]
fn verdicts_name_the_worst_site_and_subgroup() {
    let report = report(&plan(), &answers(&plan()));
    let verdict = &report.verdicts[0];
    let worst = verdict.worst_site.value().unwrap();
    assert_eq!(worst.site.as_str(), "site-c");
    let group = verdict.worst_subgroup.value().unwrap();
    assert!(group.value.estimate <= worst.value.estimate);
}

#[test]
fn suppressed_cells_are_coded_and_never_filled() {
    let report = report(&plan(), &answers(&plan()));
    let json = json(&report);
    let female = &json["subgroups"][0]["sites"];
    assert_eq!(female[1]["site"], "site-b");
    assert_eq!(female[1]["performance"]["withheld"], "S");
    assert_eq!(json["subgroups"][1]["sites"][1]["performance"]["withheld"], "S");
    assert!(female[0]["performance"]["auroc"]["estimate"].is_number());
    assert_eq!(report.subgroups[0].synthesis[&MetricId::Auroc].value().unwrap().k, 2);
    let withheld = json["disclosure"]["withheld"].as_array().unwrap();
    let rules: Vec<_> = withheld
        .iter()
        .filter(|item| item["what"].get("subgroup").is_some())
        .map(|item| item["rule"].as_str().unwrap())
        .collect();
    assert_eq!(rules, ["DC-03, DC-17", "DC-03, DC-17"], "which of the two, stays on site");
    assert!(report.disclosure.possible_bias.contains("direction"));
}

#[test]
fn documents_that_do_not_belong_together_are_refused() {
    let plan = plan();
    let (protocol, round, results) = documents(&plan, &answers(&plan), OPENED);
    let site = || "site-a".parse().unwrap();

    let mut other = round.clone();
    other.model = fedval_study::ModelDigest(consortium::digest("other model"));
    let refused = assemble(&protocol, &other, &results);
    assert!(matches!(refused, Err(AssembleError::RoundDisagrees { field: "model digest" })));

    let mut fewer = results.clone();
    fewer.remove(&site());
    let refused = assemble(&protocol, &round, &fewer);
    assert!(matches!(refused, Err(AssembleError::ResultAbsent { .. })));

    let mut more = round.clone();
    more.sites.remove(0);
    let refused = assemble(&protocol, &more, &results);
    assert!(matches!(refused, Err(AssembleError::ResultUnexpected { .. })));

    let mut relabelled = round.clone();
    relabelled.sites[0].status = SiteStatus::Refused;
    let refused = assemble(&protocol, &relabelled, &results);
    assert!(matches!(refused, Err(AssembleError::RecordDisagrees { field: "status", .. })));

    let mut twice = round.clone();
    twice.sites.insert(0, twice.sites[0].clone());
    let refused = assemble(&protocol, &twice, &results);
    assert!(matches!(refused, Err(AssembleError::SitesOutOfOrder)));

    let mut changed = results.clone();
    if let Some(result) = changed.get_mut(&site()) {
        result.outcome = Outcome::Insufficient;
    }
    assert!(assemble(&protocol, &round, &changed).is_err());
}

#[test]
fn a_release_below_the_floor_or_against_itself_is_refused() {
    let plan = plan();
    let with = |change: &dyn Fn(&mut fedval_study::Release)| {
        let Outcome::Released(mut release) = plain(&plan, 31) else { panic!("released") };
        change(&mut release);
        let (protocol, round, results) =
            documents(&plan, &vec![("site-a", Some(Outcome::Released(release)))], OPENED);
        assemble(&protocol, &round, &results)
    };
    assert!(with(&|_| {}).is_ok());
    let below = with(&|release| release.terms.k = 10);
    assert!(matches!(below, Err(AssembleError::BelowFloor { .. })));
    let contradictory = with(&|release| release.overall.operating_points[0].counts.tp += 1);
    assert!(matches!(contradictory, Err(AssembleError::Contradictory { .. })));
    let schema = with(&|release| release.subgroups.truncate(1));
    assert!(matches!(schema, Err(AssembleError::Schema { .. })));
}

#[test]
fn ratios_are_pooled_on_the_log_scale() {
    let report = report(&plan(), &all_answers(&plan()));
    let pooled = report.synthesis_of(&MetricId::OeRatio).unwrap();
    let [lower, upper] = pooled.ci.value().unwrap();
    // Symmetric on the log scale: the estimate is the geometric mean of the limits.
    assert!((pooled.estimate * pooled.estimate - lower * upper).abs() < 1e-9);
    assert!(matches!(pooled.se, Estimable::Estimated(se) if se > 0.0));
}
