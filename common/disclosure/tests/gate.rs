//! The gate, on real aggregates.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../study/tests/support/mod.rs"]
mod support;

use fedval_disclosure::rules::Rule;
use fedval_disclosure::rules::dc01_closed_schema::SchemaBreach;
use fedval_disclosure::rules::dc19_budgets::Budgets;
use fedval_disclosure::{
    EffectivePolicy, Evidence, Gate, History, NoAggregates, SiteLocal, SitePolicy, Suppression,
    Verdict, Vetted, Withheld, bound_bits,
};
use fedval_study::Problem as _;
use fedval_study::protocol::StudyProtocol;
use fedval_study::result::SubgroupCell;
use fedval_study::summary::FailureReason;
use fedval_study::{
    Canonical, Cell, FailedStage, Outcome, Release, ResultDigest, SiteResult, SiteSummary,
};
use support::{Case, Group, cases, failed, group, header, large, locked, protocol, summary};

const POLICY: &[u8] = b"profile = \"standard\"\nk = 11\n";

fn policy() -> EffectivePolicy {
    SitePolicy::parse(POLICY).unwrap().for_study(&protocol())
}

fn evidence<'e>(
    summary: &'e SiteLocal<SiteSummary>,
    history: &'e SiteLocal<History>,
) -> Evidence<'e> {
    Evidence { summary, history, now_ms: 0, noise_seed: [7; 32] }
}

fn vet_summary(
    policy: EffectivePolicy,
    summary: SiteSummary,
) -> Result<Vetted<SiteResult>, Withheld> {
    let locked = locked();
    let gate = Gate::new(policy, locked.protocol());
    let summary = SiteLocal::new(summary);
    gate.vet(header(&locked, "site-a"), &evidence(&summary, &SiteLocal::new(History::default())))
}

fn vet(cases: &[Case]) -> Result<Vetted<SiteResult>, Withheld> {
    vet_summary(policy(), summary(cases, &protocol()))
}

fn release(vetted: &Vetted<SiteResult>) -> &Release {
    match &vetted.value().outcome {
        Outcome::Released(release) => release,
        other => panic!("not released: {other:?}"),
    }
}

fn shown(vetted: &Vetted<SiteResult>) -> Vec<(&str, Option<Suppression>)> {
    let decided = |cell: &SubgroupCell| {
        let quantity = format!("{} = {}", cell.dimension, cell.category);
        let decision = vetted.decisions().iter().find(|decision| decision.quantity == quantity);
        match (&cell.performance, decision.unwrap().verdict) {
            (Cell::Suppressed, Verdict::Withheld(why)) => Some(why),
            (Cell::Released(_), Verdict::Released) => None,
            other => panic!("{quantity}: {other:?}"),
        }
    };
    let cells = release(vetted).subgroups.iter();
    cells.map(|cell| (cell.category.as_str(), decided(cell))).collect()
}

#[test]
fn a_large_cohort_leaves_whole_and_every_quantity_is_accounted_for() {
    let vetted = vet(&large()).unwrap();
    assert_eq!(shown(&vetted), [("a", None), ("b", None), ("c", None)]);
    let decided: Vec<_> =
        vetted.decisions().iter().map(|d| (d.quantity.as_str(), d.verdict, d.rule)).collect();
    assert_eq!(
        decided,
        [
            ("whole cohort", Verdict::Released, Rule::Dc02),
            ("scanner = a", Verdict::Released, Rule::Dc03),
            ("scanner = b", Verdict::Released, Rule::Dc03),
            ("scanner = c", Verdict::Released, Rule::Dc03),
        ]
    );
}

#[test]
fn a_cohort_below_the_minimum_is_insufficient_and_says_nothing_else() {
    let few_positives = vet(&cases(1, &[group("a", 10, 400)])).unwrap_err();
    let few_negatives = vet(&cases(1, &[group("a", 400, 10)])).unwrap_err();
    let nobody = vet(&[]).unwrap_err();
    for withheld in [few_positives, few_negatives, nobody] {
        assert_eq!(withheld.code(), "INSUFFICIENT");
        assert_eq!(withheld.outcome(), Outcome::Insufficient);
    }
    assert!(vet(&cases(1, &[group("a", 11, 11)])).is_ok());
}

#[test]
fn a_patient_with_forty_images_counts_once() {
    let repeated = Group { scanner: "a", positives: 10, negatives: 40, images: 40 };
    let withheld = vet(&cases(1, &[repeated])).unwrap_err();
    assert!(matches!(withheld, Withheld::Insufficient), "400 positive images of 10 patients");

    let enough = Group { positives: 11, ..repeated };
    let vetted = vet(&cases(1, &[enough])).unwrap();
    let overall = &release(&vetted).overall;
    assert_eq!((overall.patients.with_positive, overall.ranks.n_pos), (11, 440));
    assert!(overall.is_clustered(), "its standard errors know that images repeat");
}

#[test]
fn a_subgroup_of_repeated_images_of_few_patients_is_hidden() {
    let repeated = Group { scanner: "c", positives: 3, negatives: 3, images: 40 };
    let vetted = vet(&cases(1, &[group("a", 40, 60), group("b", 30, 40), repeated])).unwrap();
    let [_, b, c] = shown(&vetted)[..] else { panic!("three scanners") };
    assert_eq!(c, ("c", Some(Suppression::Primary)));
    assert_eq!(b, ("b", Some(Suppression::Complementary)));
}

#[test]
fn a_small_subgroup_takes_the_smallest_other_with_it() {
    let vetted =
        vet(&cases(1, &[group("a", 40, 60), group("b", 15, 20), group("c", 2, 30)])).unwrap();
    assert_eq!(
        shown(&vetted),
        [("a", None), ("b", Some(Suppression::Complementary)), ("c", Some(Suppression::Primary)),]
    );
    let partner = vetted.decisions().iter().find(|d| d.quantity == "scanner = b").unwrap();
    assert_eq!(
        (partner.verdict, partner.rule),
        (Verdict::Withheld(Suppression::Complementary), Rule::Dc17)
    );
}

#[test]
fn a_few_patients_of_unknown_scanner_cannot_be_found_by_subtraction() {
    let vetted =
        vet(&cases(1, &[group("a", 40, 60), group("b", 30, 40), group("", 1, 1)])).unwrap();
    let hidden = shown(&vetted).iter().filter(|(_, why)| why.is_some()).count();
    // Scanner c has nobody; b goes with the two patients whose scanner nobody wrote down.
    assert_eq!(hidden, 2);
    assert_eq!(shown(&vetted)[0], ("a", None));
}

#[test]
fn hidden_leaves_hold_k_patients_of_each_label_whatever_the_sizes() {
    for small in 0..=22_u32 {
        for other in [0, 5, 11, 30] {
            let groups = [group("a", 40, 60), group("b", other, 25), group("c", small, 14)];
            let cases = cases(u64::from(small), &groups);
            let vetted = vet(&cases).unwrap();
            let hidden: Vec<_> = shown(&vetted)
                .into_iter()
                .filter(|(_, why)| why.is_some())
                .map(|(name, _)| groups.iter().find(|g| g.scanner == name).unwrap())
                .collect();
            let positives: u32 = hidden.iter().map(|g| g.positives).sum();
            let negatives: u32 = hidden.iter().map(|g| g.negatives).sum();
            assert!(
                hidden.is_empty() || (hidden.len() > 1 && positives >= 11 && negatives >= 11),
                "{groups:?}: {hidden:?}"
            );
        }
    }
}

#[test]
fn rare_failures_fold_into_other_and_stay_hidden_below_k() {
    let with_failures = |failures| {
        let summary = SiteSummary { failures, ..summary(&large(), &protocol()) };
        vet_summary(policy(), summary).unwrap()
    };
    let mut failures = failed(FailureReason::Undecodable, 6);
    failures.extend(failed(FailureReason::WrongSize, 6));
    let folded = with_failures(failures);
    let rows: Vec<_> =
        release(&folded).attrition.iter().map(|row| (row.reason, row.patients)).collect();
    assert_eq!(rows, [(FailureReason::Other, Cell::Released(12))]);

    let few = with_failures(failed(FailureReason::NoReference, 2));
    assert_eq!(release(&few).attrition[0].patients, Cell::Suppressed);
    let decision = few.decisions().last().unwrap();
    assert_eq!(decision.rule, Rule::Dc04);
    assert!(!String::from_utf8_lossy(few.bytes()).contains("no_reference"));
}

#[test]
fn a_job_beyond_the_budget_of_bits_is_refused_and_the_coordinator_hears_no_reason() {
    let needed = bound_bits(vet(&large()).unwrap().value());
    let with = |bits_per_job| {
        let budgets = Budgets { bits_per_job, ..policy().budgets };
        EffectivePolicy { budgets, ..policy() }
    };
    let within = with(needed);
    assert!(vet_summary(within, summary(&large(), &protocol())).is_ok());
    let beyond = with(needed - 1);
    let withheld = vet_summary(beyond, summary(&large(), &protocol())).unwrap_err();
    assert_eq!(withheld.outcome(), Outcome::Refused);
    let Withheld::Budget { bits, budget } = withheld else { panic!("{withheld}") };
    assert_eq!((bits, budget), (needed, needed - 1));
}

#[test]
fn the_bytes_are_canonical_and_the_same_evidence_gives_the_same_digest() {
    let (first, second) = (vet(&large()).unwrap(), vet(&large()).unwrap());
    let read: Canonical<SiteResult> = Canonical::parse(first.bytes()).unwrap();
    assert_eq!(read.value(), first.value());
    assert_eq!(first.digest(), ResultDigest(read.digest()));
    assert_eq!(first.bytes(), second.bytes());
    let mut shuffled = large();
    shuffled.reverse();
    assert_eq!(vet(&shuffled).unwrap().digest(), first.digest(), "the order of cases says nothing");
    let other = vet(&cases(8, &[group("a", 30, 40), group("b", 25, 35), group("c", 20, 30)]));
    assert_ne!(other.unwrap().digest(), first.digest());
}

#[test]
fn the_bound_of_bits_grows_with_what_is_said() {
    let vetted = vet(&large()).unwrap();
    let silent =
        Vetted::without_aggregates(header(&locked(), "site-a"), NoAggregates::Refused, None);
    let silent = bound_bits(silent.unwrap().value());
    assert!(silent > 0);
    let mut fewer = vetted.value().clone();
    let Outcome::Released(release) = &mut fewer.outcome else { panic!("released") };
    release.subgroups[0].performance = Cell::Suppressed;
    let without_a_subgroup = bound_bits(&fewer);
    let Outcome::Released(release) = &mut fewer.outcome else { panic!("released") };
    release.overall.operating_points.pop();
    let without_a_point = bound_bits(&fewer);
    let whole = bound_bits(vetted.value());
    assert!(silent < without_a_point && without_a_point < without_a_subgroup);
    assert!(without_a_subgroup < whole);
    let repeated = Group { scanner: "a", positives: 75, negatives: 105, images: 2 };
    let clustered = bound_bits(vet(&cases(1, &[repeated])).unwrap().value());
    let single = bound_bits(vet(&cases(1, &[Group { images: 1, ..repeated }])).unwrap().value());
    assert!(single < clustered, "sums by patient say more");
}

#[test]
fn evidence_on_another_protocol_is_refused() {
    let breach = |protocol: &StudyProtocol, summary: SiteSummary| {
        let gate = Gate::new(policy(), protocol);
        let (summary, history) = (SiteLocal::new(summary), SiteLocal::new(History::default()));
        match gate.vet(header(&locked(), "site-a"), &evidence(&summary, &history)) {
            Err(Withheld::Schema(breach)) => breach,
            other => panic!("{other:?}"),
        }
    };
    let whole = protocol();
    let mut fewer_points = protocol();
    fewer_points.operating_points.pop();
    assert_eq!(breach(&fewer_points, summary(&large(), &whole)), SchemaBreach::OperatingPoints);
    let mut no_subgroups = protocol();
    no_subgroups.subgroups.clear();
    assert_eq!(breach(&no_subgroups, summary(&large(), &whole)), SchemaBreach::Subgroups);
    let mut wild = summary(&large(), &whole);
    support::binary_mut(&mut wild).overall.as_mut().unwrap().by_patient.ece_micro = 1_000_001;
    assert_eq!(breach(&whole, wild), SchemaBreach::OutOfRange);
    let mut lying = summary(&large(), &whole);
    support::binary_mut(&mut lying).overall.as_mut().unwrap().by_patient.operating_points[0]
        .counts
        .tp += 1;
    assert_eq!(breach(&whole, lying), SchemaBreach::Inconsistent);
}

#[test]
fn an_answer_without_aggregates_carries_none() {
    for (answer, outcome) in [
        (NoAggregates::Insufficient, Outcome::Insufficient),
        (NoAggregates::Refused, Outcome::Refused),
        (NoAggregates::Failed(FailedStage::ModelLoad), Outcome::Failed(FailedStage::ModelLoad)),
    ] {
        let vetted = Vetted::without_aggregates(header(&locked(), "site-a"), answer, None).unwrap();
        assert_eq!(vetted.value().outcome, outcome);
        assert!(vetted.decisions().is_empty());
    }
}

#[test]
fn a_few_patients_with_several_images_are_summed_as_if_their_images_were_independent() {
    let mut cohort = cases(7, &[group("a", 30, 40), group("b", 25, 35)]);
    let repeated = Case { patient: 0, ..cohort[1] };
    cohort.push(repeated);
    let found = summary(&cohort, &protocol());
    assert_eq!(support::binary(&found).overall.as_ref().unwrap().patients_with_several, 1);
    let vetted = vet(&cohort).unwrap();
    let overall = &release(&vetted).overall;
    assert!(!overall.is_clustered(), "one patient's two images must not be told apart");
    assert_eq!(overall.brier_clusters.clusters, 131);
    assert!(vetted.decisions().iter().any(|decision| decision.rule == Rule::Dc14));
}
