//! How much each site alone moves the synthesis.

use super::{RandomEffects, SiteEstimates, Tau2Method, Test, random_effects};
use crate::NotEstimable;

/// What changes without one site, in the model with all of them and in the one without it (subscript −i).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Influence {
    /// The site's distance from the mean of the others, in its standard errors:
    /// `(y − mu₋) / √(v + τ²₋ + se₋²)`.
    pub studentised_residual: f64,
    /// The change of the mean, in standard errors that the site's share of the weight leaves:
    /// `(mu − mu₋) / √(h (v + τ²₋))`.
    pub dffits: f64,
    /// Cook's distance `(mu − mu₋)² / se²`.
    pub cooks_distance: f64,
    /// `se₋² / se²`: below 1 where the synthesis is more precise without the site.
    pub covariance_ratio: f64,
    /// τ² without the site, in squared units of the analysis scale.
    pub tau2_without: f64,
    /// The site's share h of the weight.
    pub weight: f64,
}

/// The influence of each site on the mean, by REML with Wald's error, in input order.
///
/// A reason stands where the others cannot be synthesised: with two sites, one is left.
///
/// # Errors
///
/// [`NotEstimable::TooFewSites`] below two sites, and those of [`random_effects`].
///
/// # References
///
/// - W. Viechtbauer, M. W.-L. Cheung (2010). Outlier and influence diagnostics for meta-analysis. Res. Synth.
///   Methods 1, 112–125.
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::{SiteEstimates, influence};
///
/// // The last site lies far below the others.
/// let sites = SiteEstimates::new(
///     vec![2.1, 1.4, 2.6, 1.9, 0.3],
///     vec![0.04, 0.06, 0.05, 0.03, 0.08],
/// )?;
/// let last = influence(&sites)?[4]?;
/// assert!(last.studentised_residual < -3.0 && last.covariance_ratio < 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn influence(
    sites: &SiteEstimates,
) -> Result<Vec<Result<Influence, NotEstimable>>, NotEstimable> {
    let all = fitted(sites)?;
    Ok((0..sites.k()).map(|site| of_one(sites, &all, site)).collect())
}

/// Nothing here depends on the level.
fn fitted(sites: &SiteEstimates) -> Result<RandomEffects, NotEstimable> {
    random_effects(sites, Tau2Method::Reml, Test::Wald, 0.95)
}

fn of_one(
    sites: &SiteEstimates,
    all: &RandomEffects,
    site: usize,
) -> Result<Influence, NotEstimable> {
    let rest = sites.without(site).ok_or(NotEstimable::TooFewSites { k: 0, needed: 2 })?;
    let rest = fitted(&rest)?;
    let (y, v, weight) = (sites.yi()[site], sites.vi()[site], all.weights[site]);
    let moved = all.mu - rest.mu;
    let own = v + rest.tau2;
    Ok(Influence {
        studentised_residual: (y - rest.mu) / libm::sqrt(own + rest.se_mu * rest.se_mu),
        dffits: moved / libm::sqrt(weight * own),
        cooks_distance: (moved / all.se_mu) * (moved / all.se_mu),
        covariance_ratio: (rest.se_mu / all.se_mu) * (rest.se_mu / all.se_mu),
        tau2_without: rest.tau2,
        weight,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_metafor() {
        // influence(rma(yi, vi)) in metafor 3.8-1, with a convergence threshold of 1e-14.
        let yi = vec![2.1, 1.4, 2.6, 1.9, 0.3];
        let sites = SiteEstimates::new(yi, vec![0.04, 0.06, 0.05, 0.03, 0.08]).unwrap();
        let found = influence(&sites).unwrap();
        let wanted = [
            (0, [0.506_082_676, 0.261_060_163, 0.085_180_424, 1.562_566_907, 0.859_772_129]),
            (2, [1.309_836_914, 0.649_306_716, 0.359_196_256, 1.065_924_177, 0.571_866_449]),
            (4, [-3.018_254_018, -1.471_888_744, 0.747_946_429, 0.387_555_076, 0.182_348_539]),
        ];
        for (site, wanted) in wanted {
            let of = found[site].unwrap();
            let got = [
                of.studentised_residual,
                of.dffits,
                of.cooks_distance,
                of.covariance_ratio,
                of.tau2_without,
            ];
            for (got, wanted) in got.iter().zip(wanted) {
                assert!((got - wanted).abs() < 2e-7, "{site}: {got} {wanted}");
            }
        }
        assert!((found[0].unwrap().weight - 0.203_222_412).abs() < 1e-8);
    }

    #[test]
    fn one_of_two_sites_leaves_a_reason() {
        let two = SiteEstimates::new(vec![1.0, 2.0], vec![0.1, 0.1]).unwrap();
        let reason = Err(NotEstimable::TooFewSites { k: 1, needed: 2 });
        assert_eq!(influence(&two).unwrap(), [reason, reason]);
        let one = SiteEstimates::new(vec![1.0], vec![0.1]).unwrap();
        assert!(influence(&one).is_err());
    }
}
