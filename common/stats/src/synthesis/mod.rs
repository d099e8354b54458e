//! Synthesis of site estimates: random-effects meta-analysis.
//!
//! Each of k sites contributes an estimate `yi` with sampling variance `vi` on an analysis scale
//! (logit AUROC, logit sensitivity, ln O:E, calibration slope). The model is
//! `yi ~ N(mu, tau2 + vi)`.
//!
//! [`primary`] is the analysis that reports show; [`random_effects`] gives any combination of
//! estimator and test, for sensitivity analyses and for qualification against other software.
//! [`leave_one_out`] and [`influence`] show what hangs on one site;
//! [`between_groups`] and [`meta_regression`] ask what explains the differences between sites.
//! [`mean_over_sites`] is for numbers without a sampling variance to weigh sites by.
//! Symbols are metafor's.

mod between_groups;
mod common_effect;
mod dersimonian_laird;
mod influence;
mod leave_one_out;
mod mean_over_sites;
mod meta_regression;
mod paule_mandel;
mod prediction;
mod q_profile;
mod random_effects;
mod reml;
mod site_estimates;
mod tau2;
mod weighted;

pub use between_groups::{BetweenGroups, between_groups};
pub use common_effect::{CommonEffect, common_effect};
pub use influence::{Influence, influence};
pub use leave_one_out::leave_one_out;
pub use mean_over_sites::{SiteMean, mean_over_sites};
pub use meta_regression::{MetaRegression, Moderators, meta_regression};
pub use prediction::PredictionReference;
pub use q_profile::{QProfile, q_profile};
pub use random_effects::{RandomEffects, Test, primary, random_effects};
pub use site_estimates::{EstimateError, SiteEstimates};
pub use tau2::Tau2Method;
pub(crate) use tau2::tau2_of;
