//! The AUROC with its interval.

use std::fs;

use fedval_stats::aggregate::delong_sums;
use fedval_stats::auroc::{delong, interval};
use serde_json::{Value, json};

use crate::noise::Noise;
use crate::{BenchError, median};

/// Bytes of a case in the input: a score and a label.
const CASE_BYTES: f64 = 9.0;

pub(crate) fn time(cases: usize, repeat: usize) -> Result<Value, BenchError> {
    let mut noise = Noise::new();
    let (mut scores, mut labels) = (Vec::with_capacity(cases), Vec::with_capacity(cases));
    for _ in 0..cases {
        let label = noise.uniform() < 0.3;
        labels.push(label);
        scores.push(1.0 / (1.0 + (-noise.normal() - if label { 1.0 } else { 0.0 }).exp()));
    }
    let (seconds, area) = median(repeat, || {
        let sums = delong_sums(&scores, &labels)?;
        delong(&sums)?;
        Ok(interval(&sums, None, 0.95)?.0)
    })?;
    let input = CASE_BYTES * scores.iter().map(|_| 1.0).sum::<f64>();
    Ok(json!({
        "what": "auroc", "cases": cases, "seconds": seconds, "auc": area.estimate,
        "peak_over_input": peak_bytes().map(|peak| peak / input),
    }))
}

/// The most memory that this process held.
fn peak_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024.0)
}
