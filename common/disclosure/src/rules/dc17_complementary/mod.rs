//! DC-17: what is hidden must not follow from what is shown.
//!
//! A table adds up: to the whole cohort, a crossing also to its rows and columns. In every such sum,
//! hidden cells take partners, smallest first, until at least two hold k patients of each label
//! together, without the one patient of a cell who knows his own share (`equations`). In crossings
//! that is not enough, since rows and columns bind each other: a linear programme finds the interval in
//! which each hidden cell can lie, and it must be k wide (`intervals`). Last, over all tables of this
//! and every earlier release together, nothing about fewer than k patients may lie in the span of what
//! is shown (`rank`).
//!
//! The rank test looks for one or two sets of patients whom no row tells apart. Several conditions share patients, and each
//! one splits few of them into more sets than that: so up to three conditions are held against each other in all that
//! follows from them, of the whole and by group, hidden groups included (`remainders`). What four or more of them together
//! would say of few patients in three or more sets is not looked for.
//!
//! Source: EU SDC Handbook (2024), chapters 4 and 5; R `GaussSuppression`; Fischetti and Salazar (2000)
//! on feasibility intervals.

pub(crate) mod equations;
pub(crate) mod intervals;
pub(crate) mod rank;
pub(crate) mod remainders;
