//! DC-15: intervals and tests are made at the coordinator, from what was released.
//!
//! Nothing resampled leaves a site. Under terms that show exact counts the variance components of
//! DeLong and of ratio estimators may leave: sums of squares over at least k + 10 patients. Under terms
//! that round or keep response counts back, they would give those back, and stay: sums over scores, beside
//! totals of each label, hold one equation for each operating point.
//!
//! Source: OpenSAFELY (unrounded counts behind statistics are a third of its rejections); a Wilson
//! interval at three decimals identified a suppressed 37 of 41 (shared `design/disclosure.md`).

use fedval_study::Terms;

/// Whether sums of squares may leave.
#[must_use]
pub const fn variance_components_may_leave(terms: &Terms) -> bool {
    !terms.is_rounded()
        && terms.noise_rho_micro.is_none()
        && terms.withheld_responses == 0
        && !terms.zeros_withheld
}
