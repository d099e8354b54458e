//! Agreement between readers, or between a model and a reader.
//!
//! [`kappa`] for grades, weighted by their distance or not; [`fleiss_kappa`] for any number of readers;
//! [`intraclass`], [`intraclass_of_two`] and [`bland_altman`] for measurements.

mod bland_altman;
mod fleiss;
mod intraclass;
mod kappa;

pub use bland_altman::{BlandAltman, bland_altman};
pub use fleiss::{FleissKappa, RatingSums, fleiss_kappa};
pub use intraclass::{Intraclass, MeasurementSums, ReaderMoments, intraclass, intraclass_of_two};
pub use kappa::{Kappa, Weighting, kappa};
