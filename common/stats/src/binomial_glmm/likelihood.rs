//! The marginal likelihood of all sites together, and its derivatives, at one mu and τ.

use std::sync::LazyLock;

use fearless_simd::{Level, Simd, WithSimd};

use super::hermite::Quadrature;
use super::mode::{BESIDE, Mode, NEAR, ROUGHLY_NEAR, modes};
use super::site::{Derivatives, Site};
use crate::NotEstimable;
use crate::scale::logit;

/// Nodes of the quadrature on the grid, where signs alone matter.
static ROUGH: LazyLock<Quadrature<8>> = LazyLock::new(|| Quadrature::of(7));

/// And where a maximum is computed: as many as the reference implementation takes at its most exact.
static FINE: LazyLock<Quadrature<26>> = LazyLock::new(|| Quadrature::of(25));

/// Sites with the same counts are one term of the likelihood: large consortia have many.
pub(super) struct Model {
    sites: Vec<(Site, f64)>,
    /// The log-odds of the pooled proportion: where the search for mu starts.
    pub(super) pooled: f64,
}

/// How exactly something is looked for.
#[derive(Clone, Copy)]
pub(super) enum Precision {
    Rough,
    Fine,
}

impl Model {
    pub(super) fn new(counts: &[(u64, u64)]) -> Result<Self, NotEstimable> {
        if counts.iter().any(|&(_, n)| n == 0) {
            return Err(NotEstimable::EmptyInput);
        }
        if counts.iter().any(|&(x, n)| x > n) {
            return Err(NotEstimable::InvalidInput);
        }
        if counts.iter().all(|&(x, _)| x == 0) || counts.iter().all(|&(x, n)| x == n) {
            return Err(NotEstimable::EmptyErrorCell);
        }
        let mut sorted = counts.to_vec();
        sorted.sort_unstable();
        let sites: Vec<_> = sorted
            .chunk_by(|one, other| one == other)
            .filter_map(|equal| {
                let (x, n) = *equal.first()?;
                Some((Site::new(x, n), crate::count::len_to_f64(equal.len())))
            })
            .collect();
        let (x, n) = sites
            .iter()
            .fold((0.0, 0.0), |(x, n), (site, times)| (x + times * site.x, n + times * site.n));
        Ok(Self { sites, pooled: logit(x / n) })
    }

    pub(super) fn derivatives(&self, mu: f64, tau: f64, by: Precision) -> Derivatives {
        match by {
            _ if tau <= 0.0 => {
                self.sites.iter().fold(Derivatives::default(), |sum, (site, times)| {
                    sum.plus(site.derivatives_without_spread(mu).times(*times))
                })
            }
            Precision::Rough => self.sum(mu, tau, ROUGHLY_NEAR, &ROUGH),
            Precision::Fine => self.sum(mu, tau, NEAR, &FINE),
        }
    }

    fn sum<const N: usize>(
        &self,
        mu: f64,
        tau: f64,
        near: f64,
        nodes: &Quadrature<N>,
    ) -> Derivatives {
        Level::new().dispatch(Sum { sites: &self.sites, mu, tau, near, nodes })
    }

    /// The log-likelihood at a place, without the binomial coefficients.
    pub(super) fn value(&self, mu: f64, tau: f64) -> f64 {
        if tau > 0.0 {
            let mut sum = 0.0;
            around_modes(&self.sites, mu, tau, NEAR, |site, times, mode| {
                sum += times * site.value(mu, tau, mode, &*FINE);
            });
            return sum;
        }
        self.sites
            .iter()
            .fold(0.0, |sum, (site, times)| sum + times * site.value_without_spread(mu))
    }
}

/// Derivatives of the sites of a model, summed.
///
/// It is compiled for each width that processors compute at, with the same operations in the same order: every
/// machine has the same bits.
struct Sum<'s, const N: usize> {
    sites: &'s [(Site, f64)],
    mu: f64,
    tau: f64,
    near: f64,
    nodes: &'s Quadrature<N>,
}

impl<const N: usize> WithSimd for Sum<'_, N> {
    type Output = Derivatives;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Derivatives {
        let Self { sites, mu, tau, near, nodes } = self;
        let mut sum = Derivatives::default();
        around_modes(sites, mu, tau, near, |site, times, mode| {
            sum = sum.plus(site.derivatives(mu, tau, mode, nodes).times(times));
        });
        sum
    }
}

/// Each site, how many of it there are, and its mode.
#[inline(always)]
fn around_modes(
    sites: &[(Site, f64)],
    mu: f64,
    tau: f64,
    near: f64,
    mut take: impl FnMut(Site, f64, Mode),
) {
    for some in sites.chunks(BESIDE) {
        // Where some are left over, the last one stands in for those that are not there.
        let mut beside = [some[0].0; BESIDE];
        for (i, place) in beside.iter_mut().enumerate() {
            *place = some[i.min(some.len() - 1)].0;
        }
        for ((site, times), mode) in some.iter().zip(modes(&beside, mu, tau, near)) {
            take(*site, *times, mode);
        }
    }
}
