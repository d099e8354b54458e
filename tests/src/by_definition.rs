//! Statistics as their definitions say them, slow and plain, to hold reports against.

/// Of at least two values.
#[must_use]
pub fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let n = count(values.len());
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / (n - 1.0)).sqrt())
}

/// The finest of 1, 2 and 5 times a power of ten, from `finest` on, that is no finer than one patient's share of `room`.
///
/// # Panics
///
/// If there is none up to ten.
#[must_use]
pub fn step(room: f64, patients: usize, finest: f64) -> f64 {
    let steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];
    let is_one = |step: &f64| *step >= finest && *step >= room / count(patients);
    steps.into_iter().find(is_one).expect("enough patients")
}

/// Mean, τ² up to 1000 and Hartung–Knapp error of a random-effects model of estimates with standard errors, by search
/// for the highest restricted likelihood.
#[must_use]
pub fn pooled(found: &[(f64, f64)]) -> (f64, f64, f64) {
    let weights = |tau2: f64| found.iter().map(move |(_, se)| 1.0 / (se * se + tau2));
    let mean = |tau2: f64| {
        let sum: f64 = weights(tau2).sum();
        found.iter().zip(weights(tau2)).map(|((y, _), w)| w * y).sum::<f64>() / sum
    };
    let squares = |tau2: f64| -> f64 {
        let mu = mean(tau2);
        found.iter().zip(weights(tau2)).map(|((y, _), w)| w * (y - mu).powi(2)).sum()
    };
    let likelihood = |tau2: f64| {
        let logs: f64 = weights(tau2).map(f64::ln).sum();
        f64::midpoint(logs - weights(tau2).sum::<f64>().ln(), -squares(tau2))
    };
    let (mut low, mut high) = (0.0, 1000.0);
    for _ in 0..300 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if likelihood(left) < likelihood(right) { low = left } else { high = right }
    }
    let tau2 = if likelihood(0.0) >= likelihood(low) { 0.0 } else { f64::midpoint(low, high) };
    let spread = squares(tau2) / (count(found.len()) - 1.0);
    (mean(tau2), tau2, (spread / weights(tau2).sum::<f64>()).sqrt())
}

#[expect(clippy::cast_precision_loss, reason = "counts of hundreds")]
const fn count(of: usize) -> f64 {
    of as f64
}
