//! The integer aggregates that leave a site: exact, mergeable where that makes sense, checkable.
//!
//! An aggregate is a handful of counts and sums of products. Each has a `check` that tests what
//! must hold of *any* data it could have come from (bounds, Cauchy–Schwarz, parity): a coordinator
//! cannot recompute a site's numbers, but it can refuse impossible ones. All comparisons are exact
//! integer arithmetic.

mod calibration_fit;
mod cluster_rank_sums;
mod cluster_sums;
mod cross_table;
mod delong_sums;
mod histogram;
mod inconsistent;
mod joint_rank_sums;
mod moments;
mod probability_sums;
mod rank_sums;
mod ranking;
mod two_by_two;

pub use crate::wide::Wide;
pub use calibration_fit::CalibrationFit;
pub use cluster_rank_sums::ClusterRankSums;
pub use cluster_sums::{ClusterSums, cluster_sums};
pub use cross_table::CrossTable;
pub use delong_sums::delong_sums;
pub use histogram::{Edges, Histogram, quantile};
pub use inconsistent::Inconsistent;
pub use joint_rank_sums::{JointRankSums, joint_rank_sums};
pub use moments::Moments;
pub(crate) use moments::{STEPS, steps};
pub use probability_sums::{ProbabilitySums, probability_sums};
pub use rank_sums::RankSums;
pub use ranking::{RankedCase, rank_sums, rank_sums_of};
pub use two_by_two::TwoByTwo;

pub(crate) use histogram::sorted_quantile;
pub(crate) use joint_rank_sums::doubled_placements;

/// One unit of a fixed-point number with six decimals.
pub(crate) const MICRO: u32 = 1_000_000;
