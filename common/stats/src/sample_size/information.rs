//! The information about intercept and slope that a case is expected to carry.

use crate::scale::expit;

/// Standard deviations to either side that are integrated over: beyond them lies 10⁻²³ of the density.
const REACH: f64 = 10.0;
/// Steps of the integral over a normal density, for which the trapezoidal rule converges exponentially.
const STEPS: u32 = 400;

/// `E[p(1 − p) Lʲ]` for j = 0, 1, 2, with `p = expit(L)` and L from a mixture of normals, each given by its
/// weight, mean and standard deviation.
pub(super) fn expected_information(parts: &[(f64, f64, f64)]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (weight, mean, sd) in parts {
        let mut mass = 0.0;
        let mut part = [0.0; 3];
        for step in 0..=STEPS {
            let away = REACH * (2.0 * f64::from(step) / f64::from(STEPS) - 1.0);
            let density = libm::exp(-away * away / 2.0);
            let predictor = mean + sd * away;
            let p = expit(predictor);
            mass += density;
            for (power, sum) in [1.0, predictor, predictor * predictor].iter().zip(&mut part) {
                *sum += density * p * (1.0 - p) * power;
            }
        }
        for (sum, part) in sums.iter_mut().zip(part) {
            *sum += weight * part / mass;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_spread_it_is_that_of_one_point() {
        let [a, ab, b] = expected_information(&[(1.0, 0.5, 1e-9)]);
        let p = expit(0.5);
        assert!((a - p * (1.0 - p)).abs() < 1e-12);
        assert!((ab - 0.5 * a).abs() < 1e-9 && (b - 0.25 * a).abs() < 1e-9);
    }

    #[test]
    fn a_symmetric_mixture_has_no_mixed_information() {
        let [_, ab, _] = expected_information(&[(0.5, 1.0, 1.3), (0.5, -1.0, 1.3)]);
        assert!(ab.abs() < 1e-15);
    }
}
