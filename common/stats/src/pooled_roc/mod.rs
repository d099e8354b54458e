//! The ROC curve of all sites together, from counts on a fixed grid, and what of it lies within sites.
//!
//! Scores never leave a site; counts of each class by grid cell do, as a secure sum. [`pooled_auroc`] takes
//! ties within a cell as half and brackets the exact area by bounds that no data can violate.
//! [`within_sites`] compares only cases of one site: where sites differ in their scores' level, the pooled
//! area differs from it, and both are shown.

mod average_precision;
mod histogram;
mod within_sites;

pub use average_precision::{average_precision, pooled_average_precision};
pub use histogram::{GRID_BINS, PooledAuroc, ScoreHistogram, cell_centre, grid_bin, pooled_auroc};
pub use within_sites::within_sites;
