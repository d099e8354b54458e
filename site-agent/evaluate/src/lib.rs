//! Cohort, predictions and protocol to a site summary.
