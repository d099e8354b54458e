//! How much each site moves a pooled value, against a fit of another program.

use fedval_report::InfluenceMeasures;

use super::{cases, metric, report};
use crate::consortium::{Answers, plan, released_cases};

/// Positives who are called, of all positives. One site misses half of them.
const SITES: [(&str, u32, u32); 5] = [
    ("site-a", 90, 100),
    ("site-b", 85, 100),
    ("site-c", 176, 200),
    ("site-d", 50, 100),
    ("site-e", 120, 150),
];

/// Studentised residual, DFFITS, Cook's distance, covariance ratio, and τ² without the site, by the formulas of
/// Viechtbauer and Cheung (2010) and REML by bisection of its score; of metafor's own example in `fedval-stats` that
/// program gives what metafor does.
const WANTED: [[f64; 5]; 5] = [
    [0.898_849_525, 0.432_435_742, 0.194_688_130, 1.286_592_279, 0.749_840_364],
    [0.317_420_223, 0.149_522_796, 0.028_391_824, 1.588_427_553, 0.930_240_760],
    [0.648_033_688, 0.321_799_248, 0.120_405_410, 1.455_954_881, 0.840_033_284],
    [-4.811_863_419, -2.325_006_968, 0.755_422_919, 0.208_689_571, 0.065_626_838],
    [-0.070_281_426, -0.044_470_731, 0.002_649_773, 1.672_470_999, 0.973_294_495],
];

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 2e-6, "{found} {wanted}");
}

#[test]
fn influence_is_that_of_another_program() {
    let plan = plan();
    let released =
        |called: u32, all: u32| released_cases(&plan, &cases([called, all - called, 20, 80]));
    let sites: Answers =
        SITES.into_iter().map(|(site, called, all)| (site, Some(released(called, all)))).collect();
    let report = report(&plan, &sites);
    let pooled = report.synthesis_of(&metric("sensitivity@rule-out")).unwrap();
    assert_eq!(pooled.method, "reml_hartung_knapp");
    close(pooled.mu, 1.445_352_511);
    close(pooled.tau2, 0.715_844_819);
    assert_eq!((pooled.influence.len(), pooled.leave_one_out.len()), (5, 5));
    for ((place, (site, ..)), wanted) in SITES.iter().enumerate().zip(WANTED) {
        let (of, refit) = (&pooled.influence[place], &pooled.leave_one_out[place]);
        assert_eq!((of.site.as_str(), refit.site.as_str()), (*site, *site));
        let of = of.measures.value().unwrap();
        let InfluenceMeasures { studentised_residual, dffits, cooks_distance, covariance_ratio } =
            *of;
        let tau2 = *refit.tau2.value().unwrap();
        let found = [studentised_residual, dffits, cooks_distance, covariance_ratio, tau2];
        found.into_iter().zip(wanted).for_each(|(found, wanted)| close(found, wanted));
        assert_eq!(of.stands_out(), *site == "site-d");
    }
    close(*pooled.leave_one_out[3].estimate.value().unwrap(), 0.856_722_901);
}
