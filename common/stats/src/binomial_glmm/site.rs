//! One site's part of the marginal likelihood.

use super::elementary::{exp, log1p_of_share};
use super::hermite::Quadrature;
use super::mode::Mode;
use crate::count::count_to_f64;
use crate::scale::{log1p_exp, logit};

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

/// The first and second derivatives of a log-likelihood in mu and τ.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Derivatives {
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

/// The integrand at the nodes, summed.
struct Posterior {
    /// The sum of all weights, which are parts of the integrand at the mode.
    mass: f64,
    /// Weighted sums of r, rz, r², r²z, r²z², v, vz, vz², taken in lanes.
    sums: [f64; 8],
}

impl Derivatives {
    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            mu: self.mu + other.mu,
            tau: self.tau + other.tau,
            mu_mu: self.mu_mu + other.mu_mu,
            mu_tau: self.mu_tau + other.mu_tau,
            tau_tau: self.tau_tau + other.tau_tau,
        }
    }

    /// Those of so many sites with the same counts.
    #[inline(always)]
    pub(super) fn times(self, sites: f64) -> Self {
        Self {
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
    #[inline(always)]
    pub(super) fn integrand(self, mu: f64, tau: f64, z: f64) -> (f64, f64, f64) {
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
    pub(super) fn residual_and_variance(self, eta: f64) -> (f64, f64) {
        let small = exp(-eta.abs());
        let share = 1.0 / (1.0 + small);
        let p = if eta > 0.0 { share } else { small * share };
        (self.x - self.n * p, self.n * p * (1.0 - p))
    }

    /// Where a normal likelihood of the same share and variance would have the mode of the integrand.
    #[inline(always)]
    pub(super) fn guess(self, mu: f64, tau: f64) -> f64 {
        tau * self.precision * (self.logit - mu) / (1.0 + tau * tau * self.precision)
    }

    /// The derivatives of the site's marginal log-likelihood at mu and τ > 0, from nodes around a mode.
    ///
    /// With s = (r, r z), r = x − np, they are posterior expectations: the gradient is E s, the Hessian
    /// `E ∂s + Var s` (Louis 1982).
    #[inline(always)]
    pub(super) fn derivatives<const N: usize>(
        self,
        mu: f64,
        tau: f64,
        mode: Mode,
        nodes: &Quadrature<N>,
    ) -> Derivatives {
        let Posterior { mass, sums } = self.posterior(mu, tau, mode, nodes);
        let [r, rz, rr, rrz, rrzz, v, vz, vzz] = sums.map(|sum| sum / mass);
        Derivatives {
            mu: r,
            tau: rz,
            mu_mu: rr - r * r - v,
            mu_tau: rrz - r * rz - vz,
            tau_tau: rrzz - rz * rz - vzz,
        }
    }

    /// The log-likelihood itself there, without the binomial coefficients.
    pub(super) fn value<const N: usize>(
        self,
        mu: f64,
        tau: f64,
        mode: Mode,
        nodes: &Quadrature<N>,
    ) -> f64 {
        let Posterior { mass, .. } = self.posterior(mu, tau, mode, nodes);
        mode.peak + libm::log(mass * mode.spread) - 0.5 * libm::log(std::f64::consts::TAU)
    }

    #[inline(always)]
    fn posterior<const N: usize>(
        self,
        mu: f64,
        tau: f64,
        mode: Mode,
        nodes: &Quadrature<N>,
    ) -> Posterior {
        let Mode { z: middle, peak, spread } = mode;
        let [mut zs, mut weights, mut rs, mut vs] = [[0.0; N]; 4];
        for i in 0..N {
            zs[i] = middle + spread * nodes.t[i];
            (weights[i], rs[i], vs[i]) = self.integrand(mu, tau, zs[i]);
        }
        for (weight, log_scaled) in weights.iter_mut().zip(nodes.log_scaled_weight) {
            *weight = exp(log_scaled + *weight - peak);
        }
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
        Posterior { mass, sums }
    }

    /// The derivatives at τ = 0, where the integral is the binomial likelihood itself. `tau` then holds
    /// the derivative by τ², `(r² − v) / 2`: by τ it is 0 always.
    pub(super) fn derivatives_without_spread(self, mu: f64) -> Derivatives {
        let (r, v) = self.residual_and_variance(mu);
        Derivatives { mu: r, tau: 0.5 * (r * r - v), mu_mu: -v, ..Derivatives::default() }
    }

    /// The log-likelihood at τ = 0.
    pub(super) fn value_without_spread(self, mu: f64) -> f64 {
        self.x * mu - self.n * log1p_exp(mu)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mode::{BESIDE, NEAR, modes};
    use super::*;

    fn site() -> Site {
        Site::new(17, 20)
    }

    fn mode(site: Site, mu: f64, tau: f64) -> Mode {
        modes(&[site; BESIDE], mu, tau, NEAR)[0]
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
            let got = site.value(mu, tau, mode(site, mu, tau), &Quadrature::<26>::of(25));
            assert!((got - want).abs() < tolerance, "{got} {want}");
        }
    }

    #[test]
    fn the_derivatives_agree_with_differences() {
        let nodes = Quadrature::<26>::of(25);
        let at = |mu: f64, tau: f64| site().derivatives(mu, tau, mode(site(), mu, tau), &nodes);
        let value = |mu: f64, tau: f64| site().value(mu, tau, mode(site(), mu, tau), &nodes);
        let (mu, tau, h) = (1.1, 0.8, 1e-5);
        let here = at(mu, tau);
        let by_mu =
            |f: fn(&Derivatives) -> f64| (f(&at(mu + h, tau)) - f(&at(mu - h, tau))) / (2.0 * h);
        let by_tau =
            |f: fn(&Derivatives) -> f64| (f(&at(mu, tau + h)) - f(&at(mu, tau - h))) / (2.0 * h);
        let rise = |up: f64, down: f64| (up - down) / (2.0 * h);
        assert!((rise(value(mu + h, tau), value(mu - h, tau)) - here.mu).abs() < 1e-7);
        assert!((rise(value(mu, tau + h), value(mu, tau - h)) - here.tau).abs() < 1e-7);
        assert!((by_mu(|d| d.mu) - here.mu_mu).abs() < 1e-7);
        assert!((by_tau(|d| d.mu) - here.mu_tau).abs() < 1e-7);
        assert!((by_tau(|d| d.tau) - here.tau_tau).abs() < 1e-7);
    }

    #[test]
    fn without_spread_is_the_limit() {
        let limit = site().derivatives_without_spread(0.9);
        let (nodes, mode) = (Quadrature::<26>::of(25), mode(site(), 0.9, 1e-4));
        let near = site().derivatives(0.9, 1e-4, mode, &nodes);
        let value = site().value(0.9, 1e-4, mode, &nodes);
        assert!((site().value_without_spread(0.9) - value).abs() < 1e-6);
        assert!((limit.tau - near.tau / 2e-4).abs() < 1e-3);
    }
}
