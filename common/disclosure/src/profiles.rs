//! The presets as data: what each trusted system asks, in this engine's terms.
//!
//! A site names one and may be stricter; a study may ask for one too. In force is, field by field, the
//! stricter of both (shared `design/disclosure.md`, section 1, has the sources' exact settings).

use fedval_study::Terms;
use fedval_study::protocol::Profile;

/// A preset's terms.
#[must_use]
pub const fn terms(profile: Profile) -> Terms {
    let standard = Terms::exact(profile, 5);
    match profile {
        // The rule on the denominator alone; k is the site's, 11 as shipped.
        Profile::Standard => standard,
        // OpenSAFELY's base, on every number.
        Profile::Strict => Terms { k: 11, rounding_base: 5, ..standard },
        // resdac.org/node/1506: no cell of 1 to 10, nor one from which it follows; 0 may be shown.
        Profile::Cms => Terms { k: 11, withheld_responses: 10, ..standard },
        // docs.opensafely.org: redact counts up to 7, round the others to 5.
        Profile::OpenSafely => Terms { k: 8, withheld_responses: 7, rounding_base: 5, ..standard },
        // ACRO 1.0.2: safe_threshold 10, zeros_are_disclosive.
        Profile::Acro => Terms { k: 10, withheld_responses: 9, zeros_withheld: true, ..standard },
        // OHDSI: minCellCount 5; 0 may be shown.
        Profile::Ohdsi => Terms { withheld_responses: 4, ..standard },
        // ρ = 0.05 a release: σ = 3.2 for one table, ε = 1.7 at δ = 10⁻⁶.
        Profile::Dp => Terms { k: 11, noise_rho_micro: Some(50_000), ..standard },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_that_asks_for_one_preset_and_a_site_with_another_get_the_stricter_of_each_field() {
        let both = terms(Profile::Cms).stricter(terms(Profile::Strict));
        assert_eq!((both.k, both.withheld_responses, both.rounding_base), (11, 10, 5));
        assert!(both.keeps(terms(Profile::Cms)) && both.keeps(terms(Profile::Strict)));
        assert!(!terms(Profile::Cms).keeps(terms(Profile::Strict)));
        assert!(terms(Profile::Acro).keeps(terms(Profile::Ohdsi)));
        assert!(!terms(Profile::Standard).keeps(terms(Profile::Dp)));
    }
}
