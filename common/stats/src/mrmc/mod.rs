//! Multi-reader multi-case studies: readers with and without the model, on the same cases.
//!
//! The Obuchowski–Rockette analysis of variance, with readers and cases random and Hillis' degrees of
//! freedom. With r readers and t treatments, the covariance of two areas depends on what they share:
//! `Cov1` the reader, `Cov2` the treatment, `Cov3` neither; all three and the error variance are means over
//! DeLong's covariance matrix.
//!
//! ```text
//! F = MS(T) / (MS(T:R) + max(0, r (Cov2 − Cov3))),   df1 = t − 1
//! df2 = denominator² / (MS(T:R)² / ((t − 1)(r − 1)))
//! ```
//!
//! # References
//!
//! - N. A. Obuchowski, H. E. Rockette (1995). Commun. Stat. Simul. 24, 285–308.
//! - S. L. Hillis (2007). Stat. Med. 26, 596–619.
//! - S. L. Hillis (2014). Stat. Med. 33, 330–360 (intervals of single treatments).

mod analysis;
mod degrees_of_freedom;
mod design;

pub use analysis::{
    EqualityTest, MeanSquares, Mrmc, TreatmentDifference, TreatmentMean, VarianceComponents, mrmc,
};
pub use degrees_of_freedom::DegreesOfFreedom;
pub use design::ReaderStudy;
