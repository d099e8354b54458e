//! Nodes and weights of Gauss–Hermite quadrature, `∫ e^{−t²} f(t) dt ≈ Σ w f(t)`.
//!
//! # References
//!
//! - W. H. Press et al. (2007). Numerical Recipes, 3rd ed., section 4.6.

use std::f64::consts::FRAC_2_SQRT_PI;

/// A node t and the logarithm of `w e^{t²}`, which is what adaptive quadrature multiplies with.
#[derive(Debug, Clone, Copy, Default)]
struct Node {
    t: f64,
    log_scaled_weight: f64,
}

/// Nodes beside each other, up to a number that fills the lanes: those that are too many weigh nothing.
#[derive(Debug)]
pub(super) struct Quadrature<const N: usize> {
    pub(super) t: [f64; N],
    pub(super) log_scaled_weight: [f64; N],
}

impl<const N: usize> Quadrature<N> {
    /// So many nodes; there must be room for them.
    pub(super) fn of(number: usize) -> Self {
        let nodes = nodes(number);
        debug_assert!(nodes.len() <= N, "every node has its place");
        let weightless = Node { t: 0.0, log_scaled_weight: f64::NEG_INFINITY };
        let node = |index: usize| nodes.get(index).copied().unwrap_or(weightless);
        Self {
            t: std::array::from_fn(|index| node(index).t),
            log_scaled_weight: std::array::from_fn(|index| node(index).log_scaled_weight),
        }
    }
}

/// So many nodes, from the negative end to the positive.
///
/// Roots are bracketed by scanning the orthonormal Hermite polynomial, whose roots lie within
/// ±√(2n + 1), on a grid finer than their spacing.
fn nodes(number: usize) -> Vec<Node> {
    const STEPS: u32 = 4_000;
    let bound = libm::sqrt(2.0 * crate::count::len_to_f64(number) + 1.0);
    // An odd offset keeps the grid from hitting the root at 0 exactly.
    let at = |step: u32| -bound * 1.000_1 + 2.000_3 * bound * f64::from(step) / f64::from(STEPS);
    let node = |step: u32| {
        let t = crate::root::brent(|t| polynomial(number, t).0, at(step), at(step + 1))?;
        let slope = polynomial(number, t).1;
        // For orthonormal polynomials the weight is 2 / H'ₙ(t)².
        Some(Node { t, log_scaled_weight: libm::log(2.0 / (slope * slope)) + t * t })
    };
    (0..STEPS).filter_map(node).collect()
}

/// The orthonormal Hermite polynomial of a degree, and its derivative.
fn polynomial(degree: usize, t: f64) -> (f64, f64) {
    // π^(−1/4) = √(1/√π)
    let mut current = libm::sqrt(FRAC_2_SQRT_PI / 2.0);
    let mut previous = 0.0;
    for lower in 1..=degree {
        let j = crate::count::len_to_f64(lower);
        let next = t * libm::sqrt(2.0 / j) * current - libm::sqrt((j - 1.0) / j) * previous;
        (previous, current) = (current, next);
    }
    (current, libm::sqrt(2.0 * crate::count::len_to_f64(degree)) * previous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaussian_moments_are_exact() {
        // ∫ e^{−t²} t^{2m} dt = Γ(m + ½), exact up to degree 2n − 1 = 49.
        let nodes = nodes(25);
        for m in 0..=20_u32 {
            let power = |t: f64| (0..2 * m).fold(1.0, |product, _| product * t);
            let sum: f64 = nodes
                .iter()
                .map(|node| libm::exp(node.log_scaled_weight - node.t * node.t) * power(node.t))
                .sum();
            let want = libm::tgamma(f64::from(m) + 0.5);
            assert!((sum / want - 1.0).abs() < 1e-10, "{m}: {sum} {want}");
        }
    }

    #[test]
    fn all_nodes_are_found_and_mirror_each_other() {
        assert_eq!(nodes(7).len(), 7);
        let nodes = nodes(25);
        assert_eq!(nodes.len(), 25);
        for (left, right) in nodes.iter().zip(nodes.iter().rev()) {
            assert!((left.t + right.t).abs() < 1e-12);
        }
        assert!(nodes.windows(2).all(|pair| pair[0].t < pair[1].t));
    }
}
