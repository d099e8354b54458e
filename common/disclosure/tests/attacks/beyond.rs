//! Attacks that are in no list but our own: deploy/docs/threats.md, "Found while building".

use std::collections::BTreeSet;

use fedval_disclosure::rules::Rule;
use fedval_disclosure::rules::dc06_response_counts::{Pair, stays};
use fedval_disclosure::{Suppression, Verdict, Withheld, cell_plan, profiles};
use fedval_study::protocol::Profile;
use fedval_study::{Cell, Outcome};

use crate::scene::{Site, ample, block, cohort, decision, exact, hidden, protocol};
use crate::support::{self, Case};

#[test]
fn the_mark_of_a_partner_looks_like_any_other() {
    let cases = cohort(&[block("f", "a", 40, 60), block("m", "b", 30, 40), block("m", "c", 3, 30)]);
    let vetted = Site::standard().vet("m", &cases).unwrap();
    let why = |quantity| decision(&vetted, quantity).verdict;
    assert_eq!(why("scanner = c"), Verdict::Withheld(Suppression::Primary));
    assert_eq!(why("scanner = b"), Verdict::Withheld(Suppression::Complementary));
    let text = String::from_utf8(vetted.bytes().to_vec()).unwrap();
    assert!(!text.contains("primary") && !text.contains("complementary"));
    assert!(hidden(&vetted).contains(&"scanner = b".to_owned()));
}

#[test]
fn the_one_patient_of_a_cell_cannot_subtract_himself() {
    // Hidden are one positive of scanner b and ten of c: eleven together, but ten for who is in b.
    let cases = cohort(&[
        block("f", "a", 60, 60),
        block("m", "a", 60, 60),
        block("m", "b", 1, 30),
        block("m", "c", 10, 30),
    ]);
    let vetted = Site::standard().vet("m", &cases).unwrap();
    assert!(hidden(&vetted).contains(&"scanner = a".to_owned()), "{:?}", hidden(&vetted));
}

#[test]
fn two_groups_that_are_nearly_the_same_patients_are_not_both_shown() {
    // Scanner c is where all women are, but for three men.
    let cases = cohort(&[
        block("f", "c", 40, 60),
        block("m", "c", 3, 3),
        block("m", "a", 60, 80),
        block("m", "b", 40, 50),
    ]);
    let vetted = Site::standard().vet("m", &cases).unwrap();
    let shown = |name: &str| !hidden(&vetted).contains(&name.to_owned());
    assert!(!(shown("sex = f") && shown("scanner = c")), "{:?}", hidden(&vetted));
}

#[test]
fn a_scanner_that_the_site_says_it_has_not_needs_no_partner() {
    let cases = cohort(&[
        block("f", "a", 40, 60),
        block("f", "b", 30, 40),
        block("m", "a", 40, 50),
        block("m", "b", 35, 45),
    ]);
    let silent = hidden(&Site::standard().vet("m", &cases).unwrap());
    assert!(silent.len() > 3, "who says nothing loses a neighbour: {silent:?}");
    let site = Site::with("standard;absent = [{ scanner = [\"c\"] }]");
    let vetted = site.vet("m", &cases).unwrap();
    let gone = hidden(&vetted);
    assert_eq!(gone, ["scanner = c", "both = f-c", "both = m-c"]);
    assert_eq!(decision(&vetted, "scanner = c").rule, Rule::Dc05);
}

#[test]
fn what_the_site_says_of_itself_must_be_true() {
    let cases = cohort(&[block("f", "a", 40, 60), block("m", "b", 30, 40), block("m", "c", 1, 0)]);
    let scanner = Site::with("standard;absent = [{ scanner = [\"c\"] }]").vet("m", &cases);
    assert!(matches!(scanner, Err(Withheld::NotAbsent { cell }) if cell == "scanner = c"));
    let both = Site::with("standard;absent = [{ scanner = [\"c\"], sex = [\"f\"] }]");
    assert!(both.vet("m", &cases).is_ok(), "no woman was on scanner c");
    let empty = Site::with("standard;absent = [{}]").vet("m", &cases).unwrap();
    assert_eq!(
        decision(&empty, "scanner = c").rule,
        Rule::Dc03,
        "an entry of nothing says nothing"
    );
}

#[test]
fn a_category_of_nobody_is_not_shown_to_be_empty() {
    let cases = cohort(&[block("f", "a", 40, 60), block("m", "b", 30, 40)]);
    let vetted = Site::standard().vet("m", &cases).unwrap();
    let gone = hidden(&vetted);
    let scanners = gone.iter().filter(|name| name.starts_with("scanner")).count();
    assert!(scanners >= 2, "a single blank under a known whole is a zero: {gone:?}");
}

#[test]
fn a_model_that_differs_on_a_trigger_meets_the_same_ledger() {
    let mut site = Site::standard();
    let cases = ample();
    site.release("honest", &cases).unwrap();
    // The second model's author knows one patient, and leaves that patient out by failing.
    let fails: Vec<Case> = cases.iter().filter(|case| case.patient != 7).copied().collect();
    assert!(matches!(site.vet("trigger", &fails), Err(Withheld::EarlierReleases)));
}

#[test]
fn a_hidden_pair_does_not_follow_from_a_later_release_of_any_model() {
    let mut site = Site::with("cms");
    let cases = ample();
    site.release("m", &cases).unwrap();
    let twenty: Vec<u32> = (0..20).chain(40..60).collect();
    let fewer: Vec<Case> =
        cases.iter().filter(|case| !twenty.contains(&case.patient)).copied().collect();
    for model in ["m", "twin"] {
        assert!(matches!(site.vet(model, &fewer), Err(Withheld::EarlierReleases)), "{model}");
    }
    assert!(site.vet("m", &cases).is_ok());
}

#[test]
fn a_clock_that_was_set_back_opens_no_budget() {
    let mut site = Site::with("standard;releases_per_year = 1");
    site.release("m", &ample()).unwrap();
    site.now_ms -= 400 * 24 * 3600 * 1000;
    assert!(matches!(site.vet("m", &ample()), Err(Withheld::Exhausted(_))));
}

#[test]
fn response_pairs_that_stay_take_partners_under_every_profile_that_hides_them() {
    for profile in [Profile::Cms, Profile::OpenSafely, Profile::Acro, Profile::Ohdsi] {
        let site = Site::with(profile.as_str());
        let vetted = site.vet("m", &ample()).unwrap();
        let Outcome::ReleasedCoarse(release) = &vetted.value().outcome else { panic!("coarse") };
        let terms = profiles::terms(profile);
        for (point, whole) in release.overall.operating_points.iter().enumerate() {
            let cells: Vec<_> = release
                .subgroups
                .iter()
                .filter(|cell| cell.dimension.as_str() == "scanner")
                .filter_map(|cell| cell.performance.released())
                .map(|group| group.operating_points[point].false_negatives)
                .collect();
            let staying = cells.iter().filter(|cell| **cell == Cell::Suppressed).count();
            let is_riddle = whole.false_negatives.released().is_none() || staying != 1;
            assert!(is_riddle, "{profile:?}, {}: one blank under a shown sum", whole.name);
            for shown in cells.iter().filter_map(Cell::released) {
                let alone = Pair { right: 400, wrong: *shown };
                assert!(terms.is_rounded() || !stays(alone, &terms), "{profile:?}: {shown}");
            }
        }
    }
}

#[test]
fn a_crossing_stays_under_rounding() {
    let vetted = Site::with("strict").vet("m", &ample()).unwrap();
    let cell = decision(&vetted, "both = f-a");
    assert_eq!(
        (cell.verdict, cell.rule),
        (Verdict::Withheld(Suppression::Complementary), Rule::Dc07)
    );
}

#[test]
fn the_plan_does_not_depend_on_the_order_of_patients() {
    let cases = cohort(&[
        block("f", "a", 40, 60),
        block("f", "b", 5, 40),
        block("m", "a", 40, 50),
        block("m", "c", 35, 45),
    ]);
    let tables = protocol().tables();
    let mut turned = cases.clone();
    turned.reverse();
    let plan = |cases: &[Case]| {
        cell_plan::plan(
            &tables,
            &support::members(cases, &protocol()),
            &[],
            &BTreeSet::default(),
            11,
        )
        .unwrap()
    };
    assert_eq!(plan(&cases), plan(&turned));
    let vetted = Site::standard().vet("m", &cases).unwrap();
    assert_eq!(exact(&vetted).subgroups.len(), 11);
}

#[test]
fn exact_counts_leave_once_by_exception_and_by_two_persons() {
    let digest = fedval_study::LockedProtocol::new(protocol()).unwrap().digest();
    let exception = format!("strict;locked_exact = [\"{digest}\"]");
    let one = format!("profile = \"strict\"\nk = 11\nlocked_exact = [\"{digest}\"]\n");
    let refused = |text: &str| fedval_disclosure::SitePolicy::parse(text.as_bytes()).is_err();
    assert!(refused(&one), "by one person");
    let runs = format!("{one}two_persons = true\nrun_without_approval = [\"{digest}\"]\n");
    assert!(refused(&runs), "nobody lets it run, so one person alone would release it");
    let mut site = Site::with(&format!("{exception}\ntwo_persons = true"));
    let first = site.vet("m", &ample()).unwrap();
    assert!(matches!(first.value().outcome, Outcome::Released(_)), "exact");
    site.release("m", &ample()).unwrap();
    let second = site.vet("n", &ample()).unwrap();
    assert!(matches!(second.value().outcome, Outcome::ReleasedCoarse(_)), "and no second time");
    let zeros = "0".repeat(64);
    let other = Site::with(&format!("strict;locked_exact = [\"{zeros}\"]\ntwo_persons = true"));
    let vetted = other.vet("m", &ample()).unwrap();
    assert!(matches!(vetted.value().outcome, Outcome::ReleasedCoarse(_)), "another protocol");
}
