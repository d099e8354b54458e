//! Cohort, model and protocol to a site summary: every case once, checkpointed, then counted.

mod agreement;
mod attributes;
mod cells;
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
mod probes;
mod purity;
mod reader;
mod recorder;
mod regression;
mod run;
mod scorer;
mod shard;
mod store;
mod summary;
mod unit;

pub use attributes::attribute_columns;
pub use dry_run::{DryRun, Looked};
pub use probes::{check_preprocessing, probe_count};
pub use reader::NoImage;
pub use run::{EvaluateError, Evaluation, Progress};
pub use shard::{MOST_SHARDS, Shard};
pub use store::Store;
pub use unit::ScoreGrid;
