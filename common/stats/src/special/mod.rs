//! Distribution functions and quantiles on `libm` alone.
//!
//! Written here rather than taken from a crate so that every platform evaluates the same
//! operations in the same order. Arguments are the callers' duty (each function names its
//! domain), which is why nothing here is public.

pub(crate) mod beta;
pub(crate) mod chi_square;
pub(crate) mod f;
pub(crate) mod gamma;
pub(crate) mod kolmogorov;
pub(crate) mod normal;
pub(crate) mod saddle_point;
pub(crate) mod student_t;
