//! DC-24: exact counts once, by exception.
//!
//! A site whose preset rounds counts or keeps them back may sign, for one locked protocol by its digest, that
//! they leave as `standard` lets them: for a frozen cohort, the first time that anything is said of these
//! patients, and only where one person lets the job run and another releases it. `standard` itself is no
//! exception: there counts are exact behind safe denominators.
//!
//! Source: shared `design/disclosure.md`, section 3.

use fedval_study::protocol::Profile;
use fedval_study::{Members, Terms};

use super::dc18_earlier_releases;
use crate::{History, profiles};

/// The terms of an exact release: those of `standard`, with the site's k and at least the study's floor.
///
/// Noise is no rounding: a site that protects its patients by noise has no exception.
#[must_use]
pub fn terms(own: Terms, floor: Terms) -> Option<Terms> {
    if own.noise_rho_micro.is_some() {
        return None;
    }
    let standard = profiles::terms(Profile::Standard);
    Some(Terms { k: own.k.max(standard.k), ..standard }.stricter(floor))
}

/// Whether nothing was ever said about any of these patients.
#[must_use]
pub fn is_first(members: &Members, history: &History) -> bool {
    !dc18_earlier_releases::meets_others(members, history)
        && !dc18_earlier_releases::mixes_noise(members, false, history)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_is_standard_with_the_sites_k_and_never_below_the_study() {
        let strict = Terms { k: 20, ..profiles::terms(Profile::Strict) };
        let floor = profiles::terms(Profile::Standard);
        let exact = terms(strict, floor).unwrap();
        assert!(!exact.is_rounded() && exact.k == 20);
        assert!(terms(strict, profiles::terms(Profile::Strict)).unwrap().is_rounded());
        assert_eq!(terms(profiles::terms(Profile::Dp), floor), None);
    }
}
