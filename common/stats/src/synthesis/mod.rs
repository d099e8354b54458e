//! Synthesis of site estimates: random-effects meta-analysis.
//!
//! Each of k sites contributes an estimate `yi` with sampling variance `vi` on an analysis scale
//! (logit AUROC, logit sensitivity, ln O:E, calibration slope). The model is
//! `yi ~ N(mu, tau2 + vi)`.
//!
//! [`primary`] is the analysis that reports show; [`random_effects`] gives any combination of
//! estimator and test, for sensitivity analyses and for qualification against other software.
//! Symbols are metafor's.

mod common_effect;
mod dersimonian_laird;
mod leave_one_out;
mod paule_mandel;
mod prediction;
mod q_profile;
mod random_effects;
mod reml;
mod site_estimates;
mod tau2;
mod weighted;

pub use common_effect::{CommonEffect, common_effect};
pub use leave_one_out::leave_one_out;
pub use prediction::PredictionReference;
pub use q_profile::{QProfile, q_profile};
pub use random_effects::{RandomEffects, Test, primary, random_effects};
pub use site_estimates::{EstimateError, SiteEstimates};
pub use tau2::Tau2Method;
