//! Oracle cases through the statistics engine: does this engine, on this machine, give the numbers that
//! independent software gave?
//!
//! A [`Case`] carries an input, what other software printed for it, and a tolerance for each field.
//! [`qualify`] calls the same functions of `fedval-stats` that the product calls, puts their answer
//! into the case's shape and compares. The cases that come with the program are [`embedded`]; others
//! of the same form are read with [`Case::parse`].
//!
//! One topic is one file of `topic`: nothing there computes, it only translates.

mod case;
mod compare;
mod embedded;
mod input;
mod output;
mod qualification;
mod topic;

pub use case::{Case, CaseError};
pub use compare::Difference;
pub use embedded::embedded;
pub use input::Malformed;
pub use qualification::{Outcome, Qualification, Qualified, qualify};
