//! The one byte form of a site result.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use fedval_study::performance::CalibrationOutcome;
use fedval_study::protocol::Profile;
use fedval_study::result::{AttritionCount, SubgroupCell};
use fedval_study::summary::FailureReason;
use fedval_study::{
    Canonical, CanonicalError, Cell, FailedStage, Outcome, Release, SiteResult, Terms,
};
use support::{Group, cases, header, large, locked, performance, protocol};

/// The first integer that a JSON number may not hold.
const TOO_LARGE: u64 = 1 << 53;

fn result() -> SiteResult {
    let repeated = Group { scanner: "a", positives: 30, negatives: 40, images: 3 };
    let subgroup = |category: &str, performance| SubgroupCell {
        dimension: "scanner".parse().unwrap(),
        category: category.parse().unwrap(),
        performance,
    };
    let release = Release {
        terms: Terms::exact(Profile::Standard, 11),
        attrition: vec![AttritionCount {
            reason: FailureReason::Other,
            patients: Cell::Released(12),
        }],
        overall: performance(&cases(1, &[repeated]), &protocol()),
        subgroups: vec![
            subgroup("a", Cell::Released(performance(&large(), &protocol()))),
            subgroup("b", Cell::Suppressed),
        ],
    };
    SiteResult {
        header: header(&locked(), "site-a"),
        outcome: Outcome::Released(Box::new(release)),
    }
}

fn release_of(result: &mut SiteResult) -> &mut Release {
    match &mut result.outcome {
        Outcome::Released(release) => release,
        other => panic!("not released: {other:?}"),
    }
}

fn text(result: SiteResult) -> String {
    String::from_utf8(Canonical::new(result).unwrap().bytes().to_vec()).unwrap()
}

#[test]
fn every_outcome_survives_its_bytes() {
    let mut silent = header(&locked(), "site-a");
    (silent.cohort, silent.policy) = (None, None);
    let without = |outcome| SiteResult { header: silent.clone(), outcome };
    for result in [
        result(),
        without(Outcome::Insufficient),
        without(Outcome::Refused),
        without(Outcome::Failed(FailedStage::ModelLoad)),
    ] {
        let canonical = Canonical::new(result.clone()).unwrap();
        let read: Canonical<SiteResult> = Canonical::parse(canonical.bytes()).unwrap();
        assert_eq!(read.into_value(), result);
    }
}

#[test]
fn sums_of_128_bits_stand_as_strings_of_digits() {
    let mut result = result();
    release_of(&mut result).overall.ranks.doubled_u = u128::MAX;
    let written = text(result.clone());
    assert!(written.contains("\"doubled_u\":\"340282366920938463463374607431768211455\""));
    let read: Canonical<SiteResult> = Canonical::parse(written.as_bytes()).unwrap();
    assert_eq!(read.into_value(), result);
}

#[test]
fn a_sum_in_another_form_is_refused() {
    let mut result = result();
    release_of(&mut result).overall.ranks.doubled_u = 77_777_777;
    let written = text(result);
    let good = "\"doubled_u\":\"77777777\"";
    assert!(written.contains(good));
    for bad in ["77777777", "\"077777777\"", "\"+77777777\"", "\"-1\"", "\"1e3\"", "\"\"", "null"] {
        let changed = written.replace(good, &format!("\"doubled_u\":{bad}"));
        assert!(Canonical::<SiteResult>::parse(changed.as_bytes()).is_err(), "{bad} was taken");
    }
    let overflow = written.replace(good, &format!("\"doubled_u\":\"{}0\"", u128::MAX));
    assert!(Canonical::<SiteResult>::parse(overflow.as_bytes()).is_err());
}

#[test]
fn a_count_from_2_to_the_53_on_has_no_canonical_form() {
    let changes: [fn(&mut Release, u64); 11] = [
        |r, n| r.terms.k = n,
        |r, n| r.attrition[0].patients = Cell::Released(n),
        |r, n| r.overall.patients.total = n,
        |r, n| r.overall.patients.with_negative = n,
        |r, n| r.overall.ranks.n_pos = n,
        |r, n| r.overall.rank_clusters.as_mut().unwrap().size_cross = n,
        |r, n| r.overall.operating_points[0].counts.fn_ = n,
        |r, n| r.overall.operating_points[0].sensitivity_clusters.as_mut().unwrap().size = n,
        |r, n| r.overall.probabilities.expected_micro = n,
        |r, n| r.overall.brier_clusters.size_squares = n,
        |r, n| r.overall.ece_micro = n,
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let with = |count| {
            let mut result = result();
            change(release_of(&mut result), count);
            Canonical::new(result)
        };
        assert!(with(TOO_LARGE - 1).is_ok(), "change {index}");
        for count in [TOO_LARGE, TOO_LARGE + 1, u64::MAX] {
            let refused = with(count);
            assert!(
                matches!(refused, Err(CanonicalError::Unrepresentable(_))),
                "change {index} to {count}: {refused:?}"
            );
        }
    }
}

#[test]
fn a_coefficient_from_2_to_the_53_on_has_no_canonical_form() {
    for (value, is_exact) in [
        (i64::MAX, false),
        (i64::MIN, false),
        (1 << 53, false),
        (-(1 << 53), false),
        ((1 << 53) - 1, true),
        (1 - (1 << 53), true),
    ] {
        let mut result = result();
        let CalibrationOutcome::Fit(fit) = &mut release_of(&mut result).overall.calibration else {
            panic!("the cohort is large enough for a fit")
        };
        fit.slope_micro = value;
        assert_eq!(Canonical::new(result).is_ok(), is_exact, "{value}");
    }
}

#[test]
fn what_rides_along_is_refused() {
    let written = text(result());
    for changed in [
        written.replacen("{\"header\":", "{\"comment\":\"x\",\"header\":", 1),
        written.replacen("\"k\":11", "\"k\":11,\"min\":3", 1),
        written.replacen("\"k\":11", "\"k\":11.0", 1),
        written.replacen("\"ece_micro\":", "\"ece_micro\": ", 1),
        format!("{written}{written}"),
    ] {
        assert_ne!(changed, written);
        assert!(Canonical::<SiteResult>::parse(changed.as_bytes()).is_err());
    }
}
