//! DC-13: smallest and largest value, range, worst case and outliers are single patients: never.
//!
//! No metric and no field of a result can name one; this says so to rules that could come close.
//!
//! Source: DataSHIELD and OpenSAFELY redact minimum and maximum; statbarn *Endpoints*.

/// Whether a quantile, in percent, is an extreme.
#[must_use]
pub const fn is_one(percent: u64) -> bool {
    percent == 0 || percent >= 100
}

#[cfg(test)]
mod tests {
    use fedval_study::MetricId;

    #[test]
    fn no_metric_names_an_extreme() {
        for asked in ["min", "max", "range", "worst_case", "hd95_max", "mce", "emax", "outliers"] {
            assert!(asked.parse::<MetricId>().is_err(), "{asked} is a metric");
        }
    }
}
