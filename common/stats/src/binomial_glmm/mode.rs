//! Where the integrands of several sites have their modes.
//!
//! A mode is a chain of Newton steps, each of which waits for the one before. Sites do not wait for each other: a
//! few of them together take little longer than one, and each ends on the same bits as by itself.

use super::elementary::exp;
use super::site::Site;

/// So many sites are looked at beside each other.
pub(super) const BESIDE: usize = 4;

/// Newton's method finds a mode in half a dozen steps; bisection, where it must step in, in forty.
const STEPS: u32 = 100;

/// Standardised effects are of the order of 1. Newton's method doubles digits: after a step as small as this
/// the mode is good to ten of them, more than the quadrature around it needs.
pub(super) const NEAR: f64 = 1e-5;

/// And after one as small as this to four, more than a quadrature of few nodes needs.
pub(super) const ROUGHLY_NEAR: f64 = 1e-2;

/// One number of each site.
type Beside = [f64; BESIDE];

/// The search in all of them.
struct Search {
    x: Beside,
    n: Beside,
    low: Beside,
    high: Beside,
    z: Beside,
    is_near: [bool; BESIDE],
}

/// A mode, and what the quadrature around it needs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode {
    pub(super) z: f64,
    /// The logarithm of the integrand there.
    pub(super) peak: f64,
    /// How far the nodes spread.
    pub(super) spread: f64,
}

/// The modes of the integrands at mu and τ, found by a last step of at most `near`, and how wide these are there.
#[inline(always)]
pub(super) fn modes(sites: &[Site; BESIDE], mu: f64, tau: f64, near: f64) -> [Mode; BESIDE] {
    let z = search(sites, mu, tau, near);
    let mut modes = z.map(|z| Mode { z, peak: 0.0, spread: 0.0 });
    for i in 0..BESIDE {
        let (peak, _, variance) = sites[i].integrand(mu, tau, z[i]);
        let spread = libm::sqrt(2.0 / (1.0 + tau * tau * variance));
        modes[i] = Mode { z: z[i], peak, spread };
    }
    modes
}

/// Near the modes: the derivative `τ(x − np) − z` of a site falls in z and changes sign between `τ(x − n)` and
/// `τx`. Quadrature around a place near a mode is as exact as around it.
#[inline(always)]
fn search(sites: &[Site; BESIDE], mu: f64, tau: f64, near: f64) -> Beside {
    let mut search = Search::begin(sites, mu, tau);
    for _ in 0..STEPS {
        search.step(mu, tau, near);
        if search.is_near.iter().all(|is_near| *is_near) {
            break;
        }
    }
    search.z
}

impl Search {
    #[inline(always)]
    fn begin(sites: &[Site; BESIDE], mu: f64, tau: f64) -> Self {
        let x = sites.map(|site| site.x);
        let n = sites.map(|site| site.n);
        let [mut low, mut high, mut z] = [[0.0; BESIDE]; 3];
        for i in 0..BESIDE {
            (low[i], high[i]) = (tau * (x[i] - n[i]), tau * x[i]);
            z[i] = sites[i].guess(mu, tau).clamp(low[i], high[i]);
        }
        Self { x, n, low, high, z, is_near: [false; BESIDE] }
    }

    /// A step of Newton's method, or half of what is left where that leads out of it. Who is near stays there.
    #[inline(always)]
    fn step(&mut self, mu: f64, tau: f64, near: f64) {
        let [mut slope, mut curvature] = [[0.0; BESIDE]; 2];
        for i in 0..BESIDE {
            let eta = mu + tau * self.z[i];
            let small = exp(-eta.abs());
            let share = 1.0 / (1.0 + small);
            let p = if eta > 0.0 { share } else { small * share };
            let (r, v) = (self.x[i] - self.n[i] * p, self.n[i] * p * (1.0 - p));
            slope[i] = tau * r - self.z[i];
            curvature[i] = 1.0 + tau * tau * v;
        }
        for i in 0..BESIDE {
            let z = self.z[i];
            let is_below = slope[i] > 0.0;
            self.low[i] = if is_below { z } else { self.low[i] };
            self.high[i] = if is_below { self.high[i] } else { z };
            let (low, high) = (self.low[i], self.high[i]);
            let newton = z + slope[i] / curvature[i];
            let next =
                if newton >= low && newton <= high { newton } else { f64::midpoint(low, high) };
            self.z[i] = if self.is_near[i] { z } else { next };
            self.is_near[i] |= (next - z).abs() < near;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_the_same_mode_whoever_is_beside_it() {
        let sites = [Site::new(17, 20), Site::new(20, 20), Site::new(0, 9), Site::new(700, 1000)];
        for (mu, tau) in [(1.0, 0.02), (2.5, 0.7), (-3.0, 20.0)] {
            let together = modes(&sites, mu, tau, NEAR);
            for (site, Mode { z, .. }) in sites.into_iter().zip(together) {
                let alone = modes(&[site; BESIDE], mu, tau, NEAR);
                assert_eq!(alone.map(|mode| mode.z.to_bits()), [z.to_bits(); BESIDE]);
                let (r, _) = site.residual_and_variance(mu + tau * z);
                assert!((tau * r - z).abs() < 1e-4 * (1.0 + tau * tau * site.n), "{z}");
            }
        }
    }
}
