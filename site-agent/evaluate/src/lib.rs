//! Cohort, model and protocol to a site summary: every case once, checkpointed, then counted.

mod attributes;
mod class_unit;
mod classes;
mod commitment;
mod dry_run;
mod evaluated;
mod lane;
mod mask_lane;
mod mask_unit;
mod masks;
mod measures;
mod members;
mod performance;
mod prediction;
mod purity;
mod reader;
mod recorder;
mod regression;
mod run;
mod scorer;
mod summary;
mod unit;

pub use attributes::attribute_columns;
pub use dry_run::{DryRun, Looked};
pub use reader::NoImage;
pub use run::{EvaluateError, Evaluation, Progress};
pub use unit::ScoreGrid;
