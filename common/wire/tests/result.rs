//! Site results on the wire: what survives, what is refused, and how a refusal speaks.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod strategy;
#[path = "../../study/tests/support/mod.rs"]
mod support;

use fedval_proto as proto;
use fedval_stats::NotEstimable;
use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::Profile;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::summary::FailureReason;
use fedval_study::{Canonical, Cell, FailedStage, Outcome, Release, SiteResult, Terms};
use fedval_wire::{site_result_from_wire, site_result_to_wire};
use proptest::prelude::*;
use prost::Message as _;
use support::{Group, cases, header, large, locked, performance, protocol};

/// As a receiver gets it: bytes, message, result.
fn sent(result: &SiteResult) -> SiteResult {
    let bytes = site_result_to_wire(result).encode_to_vec();
    let message = proto::SiteResult::decode(bytes.as_slice()).unwrap();
    site_result_from_wire(message).unwrap()
}

/// A result with something in every place.
fn full() -> SiteResult {
    let (protocol, cases) = (protocol(), large());
    let of = |scanner: &str| {
        let own: Vec<_> = cases.iter().filter(|c| c.scanner == scanner).copied().collect();
        Cell::Released(performance(&own, &protocol))
    };
    let subgroup = |category: &str, performance| SubgroupCell {
        dimension: "scanner".parse().unwrap(),
        category: category.parse().unwrap(),
        performance,
    };
    let mut other = performance(&cases, &protocol);
    other.calibration = CalibrationOutcome::NotEstimable(NotEstimable::Separation);
    let attrition = |reason, patients| AttritionCount { reason, patients };
    let outcome = Outcome::Released(Box::new(Release {
        terms: Terms::exact(Profile::Standard, 11),
        attrition: vec![
            attrition(FailureReason::Undecodable, Cell::Released(12)),
            attrition(FailureReason::Other, Cell::Suppressed),
        ],
        overall: performance(&cases, &protocol),
        subgroups: vec![
            subgroup("a", of("a")),
            subgroup("b", Cell::Suppressed),
            subgroup("c", Cell::Released(other)),
        ],
    }));
    SiteResult { header: header(&locked(), "site-a"), outcome }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_result_survives_the_wire(result in strategy::site_result()) {
        prop_assert_eq!(sent(&result), result);
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(message) = proto::SiteResult::decode(bytes.as_slice()) {
            drop(site_result_from_wire(message));
        }
    }
}

#[test]
fn what_the_site_signed_is_what_the_receiver_verifies() {
    let repeated = Group { scanner: "a", positives: 30, negatives: 40, images: 3 };
    let mut clustered = full();
    let Outcome::Released(release) = &mut clustered.outcome else { panic!("released") };
    release.overall = performance(&cases(3, &[repeated]), &protocol());
    for result in [full(), clustered] {
        let signed = Canonical::new(result.clone()).unwrap();
        assert_eq!(Canonical::new(sent(&result)).unwrap().bytes(), signed.bytes());
    }
}

#[test]
fn a_reason_the_contract_does_not_name_travels_as_not_converged() {
    let mut result = full();
    let Outcome::Released(release) = &mut result.outcome else { panic!("released") };
    release.overall.calibration = CalibrationOutcome::NotEstimable(NotEstimable::EmptyInput);
    let Outcome::Released(release) = sent(&result).outcome else { panic!("released") };
    let told = CalibrationOutcome::NotEstimable(NotEstimable::NotConverged);
    assert_eq!(release.overall.calibration, told);
}

/// The refusal of [`full`] after `change`.
fn refused(change: impl FnOnce(&mut proto::SiteResult)) -> fedval_wire::WireError {
    let mut message = site_result_to_wire(&full());
    change(&mut message);
    site_result_from_wire(message).expect_err("the message should be refused")
}

fn release_of(message: &mut proto::SiteResult) -> &mut proto::Release {
    match &mut message.outcome {
        Some(proto::site_result::Outcome::Released(release)) => release,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_absent_part_is_named() {
    let in_release = |change: fn(&mut proto::Release)| refused(|m| change(release_of(m))).field;
    let in_overall = |change: fn(&mut proto::Performance)| {
        refused(|m| change(release_of(m).overall.as_mut().unwrap())).field
    };
    assert_eq!(refused(|m| m.header = None).field, "header");
    assert_eq!(refused(|m| m.outcome = None).field, "outcome");
    assert_eq!(in_release(|r| r.overall = None), "overall");
    assert_eq!(in_release(|r| r.attrition[0].cell = None), "attrition.cell");
    assert_eq!(in_release(|r| r.subgroups[0].cell = None), "subgroups.cell");
    assert_eq!(in_overall(|p| p.patients = None), "patients");
    assert_eq!(in_overall(|p| p.ranks = None), "ranks");
    assert_eq!(in_overall(|p| p.probabilities = None), "probabilities");
    assert_eq!(in_overall(|p| p.brier_clusters = None), "brier_clusters");
    assert_eq!(in_overall(|p| p.calibration = None), "calibration");
    assert!(site_result_from_wire(proto::SiteResult::default()).is_err());
}

#[test]
fn an_unspecified_or_unknown_value_is_named() {
    use proto::attrition_count::Cell as Attrition;
    use proto::performance::Calibration;
    use proto::subgroup_cell::Cell as Subgroup;
    for bad in [0, -1, 99] {
        let in_release = |change: &dyn Fn(&mut proto::Release)| {
            let error = refused(|m| change(release_of(m)));
            assert_eq!(error.expected, "must be a known value");
            error.field
        };
        assert_eq!(in_release(&|r| r.profile = bad), "profile");
        assert_eq!(in_release(&|r| r.attrition[0].reason = bad), "attrition.reason");
        let suppressed = |r: &mut proto::Release| {
            r.attrition[0].cell = Some(Attrition::Suppressed(bad));
        };
        assert_eq!(in_release(&suppressed), "suppressed");
        let suppressed = |r: &mut proto::Release| {
            r.subgroups[0].cell = Some(Subgroup::Suppressed(bad));
        };
        assert_eq!(in_release(&suppressed), "suppressed");
        let reason = |r: &mut proto::Release| {
            let overall = r.overall.as_mut().unwrap();
            overall.calibration = Some(Calibration::NotEstimable(bad));
        };
        assert_eq!(in_release(&reason), "not_estimable");
        let failed = proto::site_result::Outcome::Failed(proto::Failed { stage: bad });
        assert_eq!(refused(|m| m.outcome = Some(failed)).field, "failed.stage");
    }
}

#[test]
fn a_text_that_is_no_identifier_is_named_and_never_repeated() {
    for bad in ["", "Chest", "../x", "=1+1", "<b>", "a b", &"a".repeat(64), "\u{1b}[31m"] {
        let header = |change: fn(&mut proto::ResultHeader, String)| {
            refused(|m| change(m.header.as_mut().unwrap(), bad.to_owned()))
        };
        let in_release = |change: fn(&mut proto::Release, String)| {
            refused(|m| change(release_of(m), bad.to_owned()))
        };
        for (error, field) in [
            (header(|h, text| h.study = text), "header.study"),
            (header(|h, text| h.round = text), "header.round"),
            (header(|h, text| h.site = text), "header.site"),
            (in_release(|r, text| r.subgroups[0].dimension = text), "subgroups.dimension"),
            (in_release(|r, text| r.subgroups[0].category = text), "subgroups.category"),
            (
                in_release(|r, text| r.overall.as_mut().unwrap().operating_points[0].name = text),
                "operating_points.name",
            ),
        ] {
            assert_eq!(error.field, field);
            assert_eq!(error.to_string(), format!("field `{field}` must be an identifier"));
        }
    }
}

#[test]
fn a_digest_of_another_length_is_named() {
    let header = |change: fn(&mut proto::ResultHeader, Vec<u8>), length: usize| {
        refused(|m| change(m.header.as_mut().unwrap(), vec![7; length])).field
    };
    for length in [1, 31, 33, 64] {
        assert_eq!(header(|h, bytes| h.protocol = bytes, length), "header.protocol");
        assert_eq!(header(|h, bytes| h.model = bytes, length), "header.model");
        assert_eq!(header(|h, bytes| h.agent_build = bytes, length), "header.agent_build");
        assert_eq!(header(|h, bytes| h.cohort = bytes, length), "header.cohort");
        assert_eq!(header(|h, bytes| h.policy = bytes, length), "header.policy");
    }
    // Only a cohort that was never opened and a policy that does not exist may be absent.
    assert_eq!(header(|h, bytes| h.protocol = bytes, 0), "header.protocol");
    assert_eq!(header(|h, bytes| h.model = bytes, 0), "header.model");
    assert_eq!(header(|h, bytes| h.agent_build = bytes, 0), "header.agent_build");
    let mut silent = full();
    silent.outcome = Outcome::Failed(FailedStage::DataSource);
    (silent.header.cohort, silent.header.policy) = (None, None);
    assert_eq!(sent(&silent), silent);
}

#[test]
fn a_probe_that_is_unknown_or_there_twice_is_named() {
    let probe = |probe: proto::ProbeName, bytes: usize| proto::ProbeDigest {
        probe: probe.into(),
        digest: vec![7; bytes],
    };
    let header = |probes: Vec<proto::ProbeDigest>| {
        refused(|m| m.header.as_mut().unwrap().preprocessing = probes)
    };
    let frame = || probe(proto::ProbeName::Frame, 32);
    let twice = header(vec![frame(), frame()]);
    assert_eq!(twice.field, "header.preprocessing.probe");
    assert_eq!(
        header(vec![probe(proto::ProbeName::Frame, 31)]).field,
        "header.preprocessing.digest"
    );
    for bad in [0, -1, 99] {
        let unknown = header(vec![proto::ProbeDigest { probe: bad, ..frame() }]);
        assert_eq!(unknown.field, "header.preprocessing.probe");
    }
}
