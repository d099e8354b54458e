//! Synthesis: invariances of the mean and of the heterogeneity.

use fedval_stats::fairness::stratified;
use fedval_stats::synthesis::{
    RandomEffects, SiteEstimates, Tau2Method, Test, common_effect, leave_one_out, primary,
    q_profile, random_effects,
};
use proptest::prelude::*;

fn any_sites() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    prop::collection::vec((-5.0..5.0_f64, 0.001..2.0_f64), 2..25)
        .prop_map(|rows| rows.into_iter().unzip())
}

const METHODS: [Tau2Method; 3] =
    [Tau2Method::Reml, Tau2Method::DerSimonianLaird, Tau2Method::PauleMandel];

fn fit(yi: &[f64], vi: &[f64], method: Tau2Method) -> RandomEffects {
    let sites = SiteEstimates::new(yi.to_vec(), vi.to_vec()).unwrap();
    random_effects(&sites, method, Test::HartungKnapp, 0.95).unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-8 * a.abs().max(b.abs()).max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The order in which sites report must not change the result beyond rounding.
    #[test]
    fn site_order_does_not_matter((yi, vi) in any_sites()) {
        let (mut reversed_y, mut reversed_v) = (yi.clone(), vi.clone());
        reversed_y.reverse();
        reversed_v.reverse();
        for method in METHODS {
            let (a, b) = (fit(&yi, &vi, method), fit(&reversed_y, &reversed_v, method));
            prop_assert!(near(a.tau2, b.tau2) && near(a.mu, b.mu) && near(a.se_mu, b.se_mu));
        }
    }

    /// Adding a constant to every site moves the mean by it, and nothing else.
    #[test]
    fn location_moves_only_the_mean((yi, vi) in any_sites(), c in -10.0..10.0_f64) {
        let moved: Vec<_> = yi.iter().map(|y| y + c).collect();
        for method in METHODS {
            let (a, b) = (fit(&yi, &vi, method), fit(&moved, &vi, method));
            prop_assert!(near(a.tau2, b.tau2) && near(a.mu + c, b.mu) && near(a.q, b.q));
        }
    }

    /// Another unit of the scale scales everything with it.
    #[test]
    fn units_scale_through((yi, vi) in any_sites(), unit in 0.01..100.0_f64) {
        let scaled_y: Vec<_> = yi.iter().map(|y| y * unit).collect();
        let scaled_v: Vec<_> = vi.iter().map(|v| v * unit * unit).collect();
        for method in METHODS {
            let (a, b) = (fit(&yi, &vi, method), fit(&scaled_y, &scaled_v, method));
            prop_assert!(near(a.tau2, b.tau2 / unit / unit) && near(a.mu, b.mu / unit));
            prop_assert!(near(a.i2_from_tau2, b.i2_from_tau2));
        }
    }

    /// Swapping the labels (logit p to −logit p) mirrors the mean and keeps the heterogeneity.
    #[test]
    fn signs_mirror((yi, vi) in any_sites()) {
        let mirrored: Vec<_> = yi.iter().map(|y| -y).collect();
        for method in METHODS {
            let (a, b) = (fit(&yi, &vi, method), fit(&mirrored, &vi, method));
            prop_assert!(near(a.tau2, b.tau2) && near(a.mu, -b.mu) && near(a.ci_lower, -b.ci_upper));
        }
    }

    #[test]
    fn intervals_cover_and_prediction_is_wider((yi, vi) in any_sites()) {
        let sites = SiteEstimates::new(yi, vi).unwrap();
        let primary = primary(&sites, 0.95).unwrap();
        let common = common_effect(&sites, 0.95).unwrap();
        prop_assert!(primary.ci_lower <= primary.mu && primary.mu <= primary.ci_upper);
        prop_assert!(common.ci_lower <= common.mu && common.mu <= common.ci_upper);
        prop_assert!((primary.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        if sites.k() >= 3 {
            let (lower, upper) = primary.prediction_interval(0.95).unwrap();
            prop_assert!(lower <= primary.ci_lower && primary.ci_upper <= upper);
        }
        let limits = q_profile(&sites, 0.95).unwrap();
        prop_assert!(limits.tau2_lower <= limits.tau2_upper && limits.i2_upper < 1.0);
        let paule_mandel =
            random_effects(&sites, Tau2Method::PauleMandel, Test::Wald, 0.95).unwrap();
        prop_assert!(limits.tau2_lower <= paule_mandel.tau2 + 1e-12);
        prop_assert!(paule_mandel.tau2 <= limits.tau2_upper + 1e-12);
    }

    /// DerSimonian–Laird is where the two definitions of I² meet.
    #[test]
    fn the_two_i2_agree_under_dersimonian_laird((yi, vi) in any_sites()) {
        let fit = fit(&yi, &vi, Tau2Method::DerSimonianLaird);
        prop_assert!((fit.i2_from_q - fit.i2_from_tau2).abs() < 1e-10);
    }

    #[test]
    fn leaving_out_is_fitting_the_rest((yi, vi) in any_sites()) {
        let sites = SiteEstimates::new(yi, vi).unwrap();
        for (index, refit) in leave_one_out(&sites, 0.95).into_iter().enumerate() {
            prop_assert_eq!(refit, primary(&sites.without(index).unwrap(), 0.95));
        }
    }

    /// Whoever says that a gap would have been found has an interval that is narrower than twice this gap.
    #[test]
    fn a_gap_that_would_be_found_is_larger_than_the_interval_leaves_open(
        (yi, vi) in any_sites(),
        level in 0.5..0.999_f64,
    ) {
        let gaps: Vec<_> = yi.into_iter().zip(vi.into_iter().map(f64::sqrt)).collect();
        for sites in 1..=gaps.len() {
            let found = stratified(&gaps[..sites], level).unwrap();
            let half = (found.gap.upper - found.gap.lower) / 2.0;
            prop_assert!(found.detectable > half, "{} {half}", found.detectable);
        }
    }
}
