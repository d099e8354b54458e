//! The gate for studies of masks: means over patients with both, counts of the others, and what is held against it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../study/tests/support/masks.rs"]
mod masks;
mod measured_site;
#[path = "../../study/tests/support/mod.rs"]
mod support;

use fedval_disclosure::{Withheld, bound_bits};
use fedval_stats::segmentation::PresenceTally;
use fedval_study::empty_masks::{EmptyMasks, WithoutStructure};
use fedval_study::summary::Findings;
use fedval_study::{Measure, Outcome, SiteResult, SiteSummary};
use masks::{measured, of_masks, summary};
use measured_site::{MeasuredSite, code, released};

fn under(policy: &str) -> MeasuredSite {
    MeasuredSite::under(policy, of_masks(support::protocol(), 0.8))
}

fn standard() -> MeasuredSite {
    under("profile = \"standard\"\nk = 11\n")
}

fn tally(only_reference: u64, only_predicted: u64, neither: u64) -> PresenceTally {
    PresenceTally { both: 0, only_reference, only_predicted, neither }
}

#[test]
fn means_are_over_patients_with_both_masks_and_the_others_are_counted() {
    let site = standard();
    let vetted = site.vet(summary(0, &measured(110, 0.85), tally(4, 3, 12))).unwrap();
    let release = released(&vetted);
    assert_eq!(release.overall.patients, 110);
    let without_structure = Some(WithoutStructure { neither: 12, spurious: 3 });
    assert_eq!(release.overall.empty_masks, Some(EmptyMasks { missed: 4, without_structure }));
    // Ten rounds of eleven offsets from −0.5 to 0.5: their mean is nothing. 1/110 of a share is told as 0.01, of 40 mm
    // as 0.5.
    for (measure, mean, grid) in [
        (Measure::Dice, 850_000, 10_000),
        (Measure::Hd95, 6_000_000, 500_000),
        (Measure::Nsd, 850_000, 10_000),
    ] {
        let found = release.overall.of(&measure).unwrap();
        assert_eq!((found.mean.value_micro, found.mean.grid_micro), (mean, grid), "{measure}");
    }
    let few = released(&site.vet(summary(0, &measured(110, 0.85), tally(4, 3, 7))).unwrap());
    let nobody = released(&site.vet(summary(0, &measured(110, 0.85), tally(4, 0, 0))).unwrap());
    let told = Some(EmptyMasks { missed: 4, without_structure: None });
    assert_eq!((few.overall.empty_masks, nobody.overall.empty_masks), (told, told));
    let (all, without) = (bound_bits(vetted.value()), vetted.value().clone());
    let Outcome::ReleasedMeasures(mut release) = without.outcome.clone() else {
        panic!("measures")
    };
    release.overall.empty_masks = None;
    let fewer = SiteResult { outcome: Outcome::ReleasedMeasures(release), ..without };
    assert!(bound_bits(&fewer) < all, "counts speak, too");
}

#[test]
fn too_few_with_the_structure_say_nothing_however_many_there_are_beside() {
    let site = standard();
    let of = |found, missed| site.vet(summary(0, &measured(found, 0.85), tally(missed, 30, 30)));
    assert_eq!(code(of(21, 0)), "INSUFFICIENT");
    assert_eq!(code(of(2, 19)), "INSUFFICIENT");
    assert_eq!(code(of(22, 0)), "released");
}

#[test]
fn of_a_model_that_misses_nearly_everybody_the_mean_leaves_in_which_misses_count() {
    let site = standard();
    for (found, missed) in [(21_u32, 30_u32), (1, 40), (11, 11)] {
        let values = measured(found, 0.85);
        let vetted = site.vet(summary(0, &values, tally(missed.into(), 30, 30))).unwrap();
        let overall = released(&vetted).overall;
        let [told] = &overall.measures[..] else { panic!("one measure") };
        assert_eq!(told.measure, Measure::DiceMissesZero);
        assert_eq!(overall.patients, u64::from(found));
        let without_structure = Some(WithoutStructure { neither: 30, spurious: 30 });
        let counted = EmptyMasks { missed: missed.into(), without_structure };
        assert_eq!(overall.empty_masks, Some(counted));
        let n = f64::from(found + missed);
        let mean = values.iter().map(|of| of[0]).sum::<f64>() / n;
        assert!(told.mean.grid_micro * u64::from(found + missed) >= 1_000_000, "one step at most");
        let (value, step) =
            (told.mean.value(), f64::from(u32::try_from(told.mean.grid_micro).unwrap()) / 1e6);
        assert!((value - mean).abs() <= step / 2.0 + 1e-6, "{found}: {value} {mean}");
        // The spread is that of zeros and ones, whatever the few have and however the mean was rounded.
        let share = (value + step / 2.0).min(0.5);
        let widest = (share * (1.0 - share) * n / (n - 1.0)).sqrt();
        assert!((told.sd.value() - widest).abs() <= 0.05 * widest + 0.001, "{found}");
    }
    // Where misses may not be told, nobody can say whether a cohort is small.
    for policy in ["profile = \"strict\"\nk = 11\n", "profile = \"opensafely\"\nk = 11\n"] {
        let few = under(policy).vet(summary(0, &measured(2, 0.85), tally(90, 30, 30)));
        assert_eq!(code(few), "INSUFFICIENT", "{policy}");
    }
}

#[test]
fn a_site_that_rounds_has_no_form_for_counts_of_empty_masks() {
    for policy in ["profile = \"strict\"\nk = 11\n", "profile = \"opensafely\"\nk = 11\n"] {
        let site = under(policy);
        let vetted = site.vet(summary(0, &measured(110, 0.85), tally(4, 30, 30))).unwrap();
        let release = released(&vetted);
        assert_eq!(release.overall.empty_masks, None, "{policy}");
        assert!(release.overall.of(&Measure::Dice).is_some());
    }
}

#[test]
fn evidence_that_contradicts_itself_does_not_leave() {
    let site = standard();
    let good = || summary(0, &measured(110, 0.85), tally(4, 3, 12));
    let wrong: [fn(&mut SiteSummary); 4] = [
        // Somebody is counted who is no member, or the other way round.
        |s| change(s, |tally| tally.neither += 1),
        |s| {
            s.members.patients.pop();
            let kept = s.members.cases.len() - 2;
            s.members.cases.truncate(kept);
        },
        |s| {
            let Findings::Measures(found) = &mut s.findings else { panic!("measures") };
            found.empty_masks = None;
        },
        |s| {
            let Findings::Measures(found) = &mut s.findings else { panic!("measures") };
            found.overall.as_mut().unwrap().measures.pop();
        },
    ];
    assert_eq!(code(site.vet(good())), "released");
    for (place, wrong) in wrong.into_iter().enumerate() {
        let mut summary = good();
        wrong(&mut summary);
        let answer = site.vet(summary);
        assert!(matches!(answer, Err(Withheld::Schema(_))), "{place}");
    }
}

fn change(summary: &mut SiteSummary, change: impl Fn(&mut PresenceTally)) {
    let Findings::Measures(found) = &mut summary.findings else { panic!("measures") };
    change(found.empty_masks.as_mut().unwrap());
}

#[test]
fn a_cohort_with_a_few_patients_more_is_told_of_no_second_time() {
    let mut site = standard();
    let vetted = site.vet(summary(0, &measured(110, 0.85), tally(4, 3, 12))).unwrap();
    site.remember(&vetted);
    // Another model on the same patients finds the structure in one whom the first missed.
    let same = summary(0, &measured(111, 0.9), tally(3, 3, 12));
    assert_eq!(code(site.vet(same)), "released");
    // One patient more, without the structure: the counts would tell of that patient.
    let one_more = summary(0, &measured(110, 0.85), tally(4, 3, 13));
    assert_eq!(code(site.vet(one_more)), "EARLIER_RELEASES");
    // Nor forty more: nobody sees how many of them have the structure, and the counts of both would tell.
    let many_more = summary(0, &measured(140, 0.85), tally(4, 3, 22));
    assert_eq!(code(site.vet(many_more)), "EARLIER_RELEASES");
    // Other patients altogether.
    let others = summary(10_000, &measured(140, 0.85), tally(4, 3, 22));
    assert_eq!(code(site.vet(others)), "released");
}

#[test]
fn beside_an_earlier_release_a_small_group_without_the_structure_takes_the_misses_with_it() {
    let mut site = standard();
    // All of these patients have the structure but three.
    let few = || summary(0, &measured(122, 0.85), tally(4, 1, 2));
    let told = released(&site.vet(few()).unwrap()).overall.empty_masks;
    assert_eq!(told, Some(EmptyMasks { missed: 4, without_structure: None }));
    // Another structure of the same patients was told of wholly: 129 patients there are.
    let vetted = site.vet(summary(0, &measured(110, 0.85), tally(4, 3, 12))).unwrap();
    site.remember(&vetted);
    assert_eq!(released(&site.vet(few()).unwrap()).overall.empty_masks, None);
}
