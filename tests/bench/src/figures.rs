//! Samples, and how they are printed.

use std::io::Write as _;

use serde_json::Value;

/// Samples of one quantity.
#[derive(Debug, Clone, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds one.
    pub fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The smallest value that at least this share of the samples does not exceed; 0 without samples.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a short list"
        )]
        let place = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
        sorted.get(place).copied().unwrap_or_default()
    }

    /// Smallest, median, largest.
    #[must_use]
    pub fn spread(&self) -> [f64; 3] {
        [0.0, 0.5, 1.0].map(|share| self.quantile(share))
    }
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// Prints one line.
pub fn say(line: &str) {
    // Nobody reads: then nobody misses it.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a measurement as one line of JSON.
pub fn say_json(value: &Value) {
    say(&value.to_string());
}

/// Prints minimum, median and maximum of each named quantity.
pub fn say_table(rows: &[(&str, &Samples)]) {
    say(&format!("\n{:<44}{:>10}{:>10}{:>10}", "", "min", "median", "max"));
    for (name, samples) in rows {
        let [min, median, max] = samples.spread();
        say(&format!("{name:<44}{min:>10.3}{median:>10.3}{max:>10.3}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples_and_an_empty_list_has_none() {
        let samples: Samples = [5.0, 1.0, 3.0, 2.0].into_iter().collect();
        assert_eq!(samples.spread().map(f64::to_bits), [1.0, 2.0, 5.0].map(f64::to_bits));
        assert_eq!(samples.quantile(0.99).to_bits(), 5.0_f64.to_bits());
        assert_eq!(Samples::default().quantile(0.5).to_bits(), 0.0_f64.to_bits());
    }
}
