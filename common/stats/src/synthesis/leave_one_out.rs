//! The primary analysis without each site in turn.

use super::{RandomEffects, SiteEstimates, primary};
use crate::NotEstimable;

/// [`primary`] refitted k times, the i-th without site i, in input order.
///
/// With two sites each refit has one and says [`NotEstimable::TooFewSites`].
///
/// # Examples
///
/// ```
/// use fedval_stats::synthesis::{SiteEstimates, leave_one_out};
///
/// let sites = SiteEstimates::new(vec![2.1, 1.4, 2.6], vec![0.04, 0.06, 0.05])?;
/// let refits = leave_one_out(&sites, 0.95);
/// assert!(refits.iter().all(|refit| refit.as_ref().is_ok_and(|fit| fit.k == 2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn leave_one_out(
    sites: &SiteEstimates,
    level: f64,
) -> Vec<Result<RandomEffects, NotEstimable>> {
    (0..sites.k())
        .map(|index| match sites.without(index) {
            Some(rest) => primary(&rest, level),
            None => Err(NotEstimable::TooFewSites { k: 0, needed: 2 }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sites_leave_reasons_not_numbers() {
        let two = SiteEstimates::new(vec![1.0, 2.0], vec![0.1, 0.1]).unwrap();
        let refits = leave_one_out(&two, 0.95);
        assert_eq!(refits, vec![Err(NotEstimable::TooFewSites { k: 1, needed: 2 }); 2]);
    }

    #[test]
    fn one_site_leaves_none() {
        let one = SiteEstimates::new(vec![1.0], vec![0.1]).unwrap();
        let refits = leave_one_out(&one, 0.95);
        assert_eq!(refits, vec![Err(NotEstimable::TooFewSites { k: 0, needed: 2 })]);
    }
}
