//! Synthesis over sites.

use fedval_stats::bivariate::{binomial, reitsma};
use fedval_stats::synthesis::{
    Moderators, RandomEffects, Tau2Method, Test, between_groups, common_effect, influence,
    leave_one_out, mean_over_sites, meta_regression, primary, q_profile, random_effects,
};
use fedval_stats::{Interval, binomial_glmm};

use crate::draw::Draw;
use crate::{Target, finite};

const METHODS: [Tau2Method; 3] =
    [Tau2Method::Reml, Tau2Method::DerSimonianLaird, Tau2Method::PauleMandel];
const TESTS: [Test; 3] = [Test::Wald, Test::HartungKnapp, Test::ModifiedHartungKnapp];

fn effects(fit: &RandomEffects, draw: &mut Draw<'_>) {
    finite([fit.mu, fit.se_mu, fit.tau2, fit.ci_lower, fit.ci_upper, fit.q, fit.q_p]);
    let interval = fit.prediction_interval(draw.share());
    finite(interval.iter().flat_map(|(lower, upper)| [*lower, *upper]));
    finite(fit.probability_new_site_at_least(draw.number()));
}

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "synthesis::common_effect",
        run: |draw| {
            let Some(sites) = draw.sites() else { return };
            let common = common_effect(&sites, draw.share());
            finite(common.iter().flat_map(|c| [c.mu, c.se_mu, c.ci_lower, c.ci_upper, c.q]));
        },
    },
    Target {
        entry: "synthesis::random_effects",
        run: |draw| {
            let Some(sites) = draw.sites() else { return };
            let (method, test) = (METHODS[draw.below(3)], TESTS[draw.below(3)]);
            if let Ok(fit) = random_effects(&sites, method, test, draw.share()) {
                effects(&fit, draw);
            }
        },
    },
    Target {
        entry: "synthesis::primary",
        run: |draw| {
            let Some(sites) = draw.sites() else { return };
            if let Ok(fit) = primary(&sites, draw.share()) {
                effects(&fit, draw);
            }
        },
    },
    Target {
        entry: "synthesis::leave_one_out",
        run: |draw| {
            let Some(sites) = draw.sites() else { return };
            let _ = leave_one_out(&sites, draw.share());
        },
    },
    Target {
        entry: "synthesis::mean_over_sites",
        run: |draw| {
            let (estimates, level) = (draw.numbers(), draw.share());
            let Ok(over) = mean_over_sites(&estimates, level, draw.count()) else { return };
            finite([over.mean]);
            let limits = over.limits.iter().flat_map(|(lower, upper)| [*lower, *upper]);
            finite(limits);
        },
    },
    Target {
        entry: "synthesis::influence",
        run: |draw| {
            let Some(sites) = draw.sites() else { return };
            for site in influence(&sites).unwrap_or_default().into_iter().flatten() {
                finite([site.studentised_residual, site.dffits, site.cooks_distance]);
                finite([site.covariance_ratio, site.tau2_without, site.weight]);
            }
        },
    },
    Target {
        entry: "synthesis::q_profile",
        run: |draw| {
            let Some(sites) = draw.sites() else { return };
            let profile = q_profile(&sites, draw.share());
            finite(
                profile.iter().flat_map(|p| [p.tau2_lower, p.tau2_upper, p.i2_lower, p.i2_upper]),
            );
        },
    },
    Target {
        entry: "synthesis::between_groups",
        run: |draw| {
            let Some(sites) = draw.sites() else { return };
            finite(between_groups(&sites).iter().map(|test| test.p));
        },
    },
    Target {
        entry: "synthesis::meta_regression",
        run: |draw| {
            let Some(sites) = draw.sites() else { return };
            let columns = draw.below(3);
            let rows = if draw.flag() { sites.k() } else { draw.below(8) };
            let x = ndarray::Array2::from_shape_fn((rows, columns), |_| draw.number());
            let Ok(moderators) = Moderators::new(x) else { return };
            if let Ok(fit) = meta_regression(&sites, &moderators, TESTS[draw.below(3)]) {
                finite(fit.coefficients.iter().chain(&fit.se).copied());
                finite([fit.qm, fit.qm_p, fit.r2].into_iter().flatten());
            }
        },
    },
    Target {
        entry: "binomial_glmm::fit",
        run: |draw| {
            let sites = draw.list(|draw| (draw.count(), draw.count()));
            let fit = binomial_glmm::fit(&sites[..sites.len().min(5)], draw.share());
            finite(fit.iter().flat_map(|f| [f.mu, f.se_mu, f.tau2, f.ci_lower, f.ci_upper]));
        },
    },
    Target {
        entry: "bivariate::reitsma",
        run: |draw| {
            let sites = draw.list(Draw::table);
            let Ok(fit) = reitsma(&sites[..sites.len().min(4)]) else { return };
            finite(fit.mean.into_iter().chain(fit.between.concat()));
            finite(fit.correlation());
            finite(fit.hsroc().map(|curve| curve.area()));
            let ends = |of: Interval| [of.estimate, of.lower, of.upper];
            let values = fit.predictive_values(draw.share(), 0.95);
            finite(values.iter().flat_map(|of| [of.positive, of.negative]).flat_map(ends));
            let ratios = fit.likelihood_ratios(0.95);
            finite(ratios.iter().flat_map(|of| [of.positive, of.negative]).flat_map(ends));
        },
    },
    Target {
        entry: "bivariate::binomial",
        run: |draw| {
            let sites = draw.list(Draw::table);
            let Ok(fit) = binomial(&sites[..sites.len().min(4)]) else { return };
            finite(fit.mean.into_iter().chain(fit.se));
        },
    },
];
