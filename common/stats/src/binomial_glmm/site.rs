//! One site's part of the marginal likelihood.

use super::elementary::{exp, log1p_of_share};
use super::hermite::Quadrature;
use crate::count::count_to_f64;
use crate::scale::{log1p_exp, logit};

/// Newton's method finds a mode in half a dozen steps; bisection, where it must step in, in forty.
const MODE_STEPS: u32 = 100;

/// Standardised effects are of the order of 1. Newton's method doubles digits: after a step as small as this
/// the mode is good to ten of them, more than the quadrature around it needs.
const MODE_TOLERANCE: f64 = 1e-5;

/// What a processor without extensions computes beside each other.
const LANES: usize = 2;

/// A site's counts as numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Site {
    pub(super) x: f64,
    pub(super) n: f64,
    /// Log-odds of the share and their precision, both with half a case of each kind added.
    logit: f64,
    precision: f64,
}

/// A log-likelihood with its first and second derivatives in mu and τ.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Derivatives {
    /// Log-likelihood, without the binomial coefficients.
    pub(super) value: f64,
    /// By mu.
    pub(super) mu: f64,
    /// By τ.
    pub(super) tau: f64,
    /// By mu twice.
    pub(super) mu_mu: f64,
    /// By mu and τ.
    pub(super) mu_tau: f64,
    /// By τ twice.
    pub(super) tau_tau: f64,
}

impl Derivatives {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            value: self.value + other.value,
            mu: self.mu + other.mu,
            tau: self.tau + other.tau,
            mu_mu: self.mu_mu + other.mu_mu,
            mu_tau: self.mu_tau + other.mu_tau,
            tau_tau: self.tau_tau + other.tau_tau,
        }
    }

    /// Those of so many sites with the same counts.
    pub(super) fn times(self, sites: f64) -> Self {
        Self {
            value: sites * self.value,
            mu: sites * self.mu,
            tau: sites * self.tau,
            mu_mu: sites * self.mu_mu,
            mu_tau: sites * self.mu_tau,
            tau_tau: sites * self.tau_tau,
        }
    }
}

impl Site {
    pub(super) fn new(x: u64, n: u64) -> Self {
        let (x, n) = (count_to_f64(x), count_to_f64(n));
        let share = (x + 0.5) / (n + 1.0);
        Self { x, n, logit: logit(share), precision: n * share * (1.0 - share) }
    }

    /// The logarithm of binomial likelihood times normal density at standardised effect z, both
    /// without constants; and there `x − n p` and `n p (1 − p)`.
    #[inline]
    fn integrand(self, mu: f64, tau: f64, z: f64) -> (f64, f64, f64) {
        let eta = mu + tau * z;
        // One exponential serves the probability and its logarithm, at either end without overflow.
        let small = exp(-eta.abs());
        let share = 1.0 / (1.0 + small);
        let p = if eta > 0.0 { share } else { small * share };
        let log1p_exp = eta.max(0.0) + log1p_of_share(small);
        let log = self.x * eta - self.n * log1p_exp - 0.5 * z * z;
        (log, self.x - self.n * p, self.n * p * (1.0 - p))
    }

    /// `x − n p` and `n p (1 − p)` at log-odds eta.
    fn residual_and_variance(self, eta: f64) -> (f64, f64) {
        let small = exp(-eta.abs());
        let share = 1.0 / (1.0 + small);
        let p = if eta > 0.0 { share } else { small * share };
        (self.x - self.n * p, self.n * p * (1.0 - p))
    }

    /// Near the mode of the integrand: its derivative `τ(x − np) − z` falls in z and changes sign
    /// between `τ(x − n)` and `τx`. Quadrature around a place near the mode is as exact as around it.
    fn mode(self, mu: f64, tau: f64) -> f64 {
        let (mut low, mut high) = (tau * (self.x - self.n), tau * self.x);
        // Where a normal likelihood of the same share and variance would have it.
        let precision = self.precision;
        let guess = tau * precision * (self.logit - mu) / (1.0 + tau * tau * precision);
        let mut z = guess.clamp(low, high);
        for _ in 0..MODE_STEPS {
            let (r, v) = self.residual_and_variance(mu + tau * z);
            let slope = tau * r - z;
            if slope > 0.0 {
                low = z;
            } else {
                high = z;
            }
            let newton = z + slope / (1.0 + tau * tau * v);
            let next =
                if newton >= low && newton <= high { newton } else { f64::midpoint(low, high) };
            let is_near = (next - z).abs() < MODE_TOLERANCE;
            z = next;
            if is_near {
                break;
            }
        }
        z
    }

    /// The site's marginal log-likelihood and derivatives at mu and τ > 0.
    ///
    /// With s = (r, r z), r = x − np, the derivatives are posterior expectations:
    /// the gradient is E s, the Hessian `E ∂s + Var s` (Louis 1982).
    pub(super) fn derivatives<const N: usize>(
        self,
        mu: f64,
        tau: f64,
        nodes: &Quadrature<N>,
    ) -> Derivatives {
        let mode = self.mode(mu, tau);
        let (_, variance) = self.residual_and_variance(mu + tau * mode);
        let spread = libm::sqrt(2.0 / (1.0 + tau * tau * variance));
        let (peak, ..) = self.integrand(mu, tau, mode);
        let [mut zs, mut weights, mut rs, mut vs] = [[0.0; N]; 4];
        for i in 0..N {
            zs[i] = mode + spread * nodes.t[i];
            (weights[i], rs[i], vs[i]) = self.integrand(mu, tau, zs[i]);
        }
        for (weight, log_scaled) in weights.iter_mut().zip(nodes.log_scaled_weight) {
            *weight = exp(log_scaled + *weight - peak);
        }
        // Sums of 1, r, rz, r², r²z, r²z², v, vz, vz² under the posterior, in lanes.
        let mut lanes = [[0.0; LANES]; 9];
        for first in (0..N).step_by(LANES) {
            for lane in 0..LANES {
                let i = first + lane;
                let (weight, z, r, v) = (weights[i], zs[i], rs[i], vs[i]);
                let (rz, vz) = (r * z, v * z);
                let terms = [1.0, r, rz, r * r, r * rz, rz * rz, v, vz, vz * z];
                for (sum, term) in lanes.iter_mut().zip(terms) {
                    sum[lane] += weight * term;
                }
            }
        }
        let [mass, sums @ ..] = lanes.map(|lanes| lanes.iter().sum::<f64>());
        let [r, rz, rr, rrz, rrzz, v, vz, vzz] = sums.map(|sum| sum / mass);
        Derivatives {
            value: peak + libm::log(mass * spread) - 0.5 * libm::log(std::f64::consts::TAU),
            mu: r,
            tau: rz,
            mu_mu: rr - r * r - v,
            mu_tau: rrz - r * rz - vz,
            tau_tau: rrzz - rz * rz - vzz,
        }
    }

    /// The same at τ = 0, where the integral is the binomial likelihood itself. `tau` then holds
    /// the derivative by τ², `(r² − v) / 2`: by τ it is 0 always.
    pub(super) fn derivatives_without_spread(self, mu: f64) -> Derivatives {
        let (r, v) = self.residual_and_variance(mu);
        Derivatives {
            value: self.x * mu - self.n * log1p_exp(mu),
            mu: r,
            tau: 0.5 * (r * r - v),
            mu_mu: -v,
            ..Derivatives::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site::new(17, 20)
    }

    #[test]
    fn the_integral_agrees_with_a_fine_trapezoid() {
        // At x = n the integrand has a shoulder, which 25 nodes resolve to fewer digits.
        let full = Site::new(20, 20);
        for (site, mu, tau, tolerance) in [(site(), 1.0, 0.7, 1e-9), (full, 2.0, 1.5, 1e-7)] {
            let step = 1e-3;
            let sum: f64 = (-10_000..=10_000)
                .map(|i| libm::exp(site.integrand(mu, tau, f64::from(i) * step).0))
                .sum();
            let want = libm::log(sum * step / libm::sqrt(std::f64::consts::TAU));
            let got = site.derivatives(mu, tau, &Quadrature::<26>::of(25)).value;
            assert!((got - want).abs() < tolerance, "{got} {want}");
        }
    }

    #[test]
    fn the_derivatives_agree_with_differences() {
        let nodes = Quadrature::<26>::of(25);
        let at = |mu: f64, tau: f64| site().derivatives(mu, tau, &nodes);
        let (mu, tau, h) = (1.1, 0.8, 1e-5);
        let here = at(mu, tau);
        let by_mu =
            |f: fn(&Derivatives) -> f64| (f(&at(mu + h, tau)) - f(&at(mu - h, tau))) / (2.0 * h);
        let by_tau =
            |f: fn(&Derivatives) -> f64| (f(&at(mu, tau + h)) - f(&at(mu, tau - h))) / (2.0 * h);
        assert!((by_mu(|d| d.value) - here.mu).abs() < 1e-7);
        assert!((by_tau(|d| d.value) - here.tau).abs() < 1e-7);
        assert!((by_mu(|d| d.mu) - here.mu_mu).abs() < 1e-7);
        assert!((by_tau(|d| d.mu) - here.mu_tau).abs() < 1e-7);
        assert!((by_tau(|d| d.tau) - here.tau_tau).abs() < 1e-7);
    }

    #[test]
    fn without_spread_is_the_limit() {
        let limit = site().derivatives_without_spread(0.9);
        let near = site().derivatives(0.9, 1e-4, &Quadrature::<26>::of(25));
        assert!((limit.value - near.value).abs() < 1e-6);
        assert!((limit.tau - near.tau / 2e-4).abs() < 1e-3);
    }
}
