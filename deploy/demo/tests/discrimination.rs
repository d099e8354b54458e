//! What the detector is worth at each hospital: the demo's story, held against its images.

mod detector;

use detector::{Scored, auroc, recalibration, scored_images};
use fedval_demo::hospital::{Hospital, NORTHGATE, Population, RIVERSIDE, ST_BRIGID};

/// Patients that the model's maker had: like Northgate's, on its newer scanner, and none of them
/// in the study.
fn development() -> Hospital {
    Hospital {
        id: "development",
        seed: 0xDE,
        scanners: &NORTHGATE.scanners[..1],
        population: Population { patients: 600, ..NORTHGATE.population },
        ..NORTHGATE
    }
}

fn observed_over_expected(scored: &[Scored]) -> f64 {
    let observed: f64 = scored.iter().map(|image| f64::from(u8::from(image.positive))).sum();
    observed / scored.iter().map(|image| 1.0 / (1.0 + (-image.logit).exp())).sum::<f64>()
}

/// Printed with `--nocapture`: the numbers that README.md quotes.
#[expect(clippy::print_stdout, reason = "a test prints for people")]
fn told(hospital: &Hospital) -> (Vec<Scored>, f64) {
    let scored = scored_images(hospital);
    let (auroc, ratio) = (auroc(scored.iter()), observed_over_expected(&scored));
    println!("{}: {} images, AUROC {auroc:.3}, O/E {ratio:.2}", hospital.id, scored.len());
    (scored, auroc)
}

#[test]
fn gain_and_bias_are_the_regression_on_the_makers_own_images() {
    let (scored, auroc) = told(&development());
    let (intercept, slope) = recalibration(&scored);
    println!("recalibration: {intercept:.3} + {slope:.3} logit");
    assert!((0.88..0.96).contains(&auroc), "{auroc}");
    assert!(intercept.abs() < 0.1 && (slope - 1.0).abs() < 0.05, "{intercept} {slope}");
}

#[test]
fn it_holds_up_at_northgate_and_riverside() {
    for (hospital, expected) in [(NORTHGATE, 0.90), (RIVERSIDE, 0.87)] {
        let (scored, auroc) = told(&hospital);
        assert!((auroc - expected).abs() < 0.04, "{}: {auroc}", hospital.id);
        let ratio = observed_over_expected(&scored);
        assert!((0.8..1.25).contains(&ratio), "{}: {ratio}", hospital.id);
    }
}

#[test]
fn it_does_less_well_for_women() {
    let scored = scored_images(&RIVERSIDE);
    let by = |female: bool| auroc(scored.iter().filter(move |image| image.female == female));
    println!("riverside: women {:.3}, men {:.3}", by(true), by(false));
    assert!(by(true) < by(false) - 0.03);
}

#[test]
fn it_fails_at_st_brigid_on_the_old_scanner_alone() {
    let (scored, overall) = told(&ST_BRIGID);
    let by = |make: &'static str| auroc(scored.iter().filter(move |i| i.manufacturer == make));
    let (new, old) = (by("Aurelis"), by("Borealis"));
    println!("  newer scanner {new:.3}, older scanner {old:.3}");
    assert!((0.55..0.70).contains(&overall), "{overall}");
    assert!(new > 0.85 && old < 0.65, "{new} {old}");
    // Grain looks like lesions: nearly everybody would be recalled.
    let recalled = scored.iter().filter(|image| !image.positive && image.logit >= 0.0).count();
    let negative = scored.iter().filter(|image| !image.positive).count();
    assert!(recalled * 10 > negative * 6, "{recalled} of {negative}");
}
