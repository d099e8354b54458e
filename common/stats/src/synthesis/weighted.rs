//! The weighted mean at a given τ² and the sums that estimators are made of.

use super::SiteEstimates;

/// A residual below this share of the mean is rounding, not heterogeneity: identical estimates
/// must give Q = 0 exactly, or a test statistic would be computed from noise.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// Sums with weights `w_i = 1 / (v_i + tau2)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighted {
    /// `Σ w`.
    pub(super) sum_w: f64,
    /// `Σ w y / Σ w`.
    pub(super) mean: f64,
    /// `Σ w (y − mean)²`.
    pub(super) q: f64,
    /// `tr P` with `P = W − W11'W / Σw`.
    pub(super) trace_p: f64,
    /// `tr PP`.
    pub(super) trace_pp: f64,
}

impl Weighted {
    /// The sums at `tau2 >= 0`.
    pub(super) fn at(sites: &SiteEstimates, tau2: f64) -> Self {
        let weights: Vec<f64> = sites.vi().iter().map(|v| 1.0 / (v + tau2)).collect();
        let (sum_w, mean) = mean(sites, tau2);
        let q = squares(sites, tau2, mean, |w| w);
        let (trace_p, trace_pp) = traces(&weights, sum_w);
        Self { sum_w, mean, q, trace_p, trace_pp }
    }
}

/// `Σ w (y − mean)²` alone, without memory of its own.
pub(super) fn generalised_q(sites: &SiteEstimates, tau2: f64) -> f64 {
    let (_, mean) = mean(sites, tau2);
    squares(sites, tau2, mean, |w| w)
}

/// `Σ w² (y − mean)²` and `tr P` alone, without memory of its own: a fit looks at them some dozen times.
///
/// `tr P = Σ w_i r_i / Σw`, with r_i the sum of the other weights, is twice the sum over pairs, so that one
/// walk suffices and every term is positive.
pub(super) fn score_terms(sites: &SiteEstimates, tau2: f64) -> (f64, f64) {
    let (mut w, mut wy, mut pairs) = (Lanes::default(), Lanes::default(), Lanes::default());
    each(sites, tau2, |lane, y, weight| {
        pairs[lane] += weight * w[lane];
        w[lane] += weight;
        wy[lane] += weight * y;
    });
    let (mut sum_w, mut all_pairs) = (0.0, 0.0);
    for (w, pairs) in w.into_iter().zip(pairs) {
        // Within a lane, and of this lane with those before.
        all_pairs += pairs + w * sum_w;
        sum_w += w;
    }
    let mean = wy.iter().sum::<f64>() / sum_w;
    (squares(sites, tau2, mean, |w| w * w), 2.0 * all_pairs / sum_w)
}

/// So many sums are taken beside each other: each addition waits for the one before.
const LANES: usize = 4;
type Lanes = [f64; LANES];

/// Walks over estimates and weights, lane by lane.
#[inline]
fn each(sites: &SiteEstimates, tau2: f64, mut take: impl FnMut(usize, f64, f64)) {
    let (ys, rest_y) = sites.yi().as_chunks::<LANES>();
    let (vs, rest_v) = sites.vi().as_chunks::<LANES>();
    for (y, v) in ys.iter().zip(vs) {
        for lane in 0..LANES {
            take(lane, y[lane], 1.0 / (v[lane] + tau2));
        }
    }
    for (lane, (y, v)) in rest_y.iter().zip(rest_v).enumerate() {
        take(lane, *y, 1.0 / (v + tau2));
    }
}

/// `Σ w` and `Σ w y / Σ w`.
fn mean(sites: &SiteEstimates, tau2: f64) -> (f64, f64) {
    let (mut w, mut wy) = (Lanes::default(), Lanes::default());
    each(sites, tau2, |lane, y, weight| {
        w[lane] += weight;
        wy[lane] += weight * y;
    });
    let sum_w = w.iter().sum::<f64>();
    (sum_w, wy.iter().sum::<f64>() / sum_w)
}

/// `Σ f(w) (y − mean)²`.
#[inline]
fn squares(sites: &SiteEstimates, tau2: f64, mean: f64, factor: impl Fn(f64) -> f64) -> f64 {
    let least = ROUNDING * mean.abs();
    let mut sums = Lanes::default();
    each(sites, tau2, |lane, y, weight| {
        let residual = y - mean;
        // The whole product is left out: a squared weight may be infinite, and 0 times that is no number.
        let square = factor(weight) * residual * residual;
        sums[lane] += if residual.abs() > least { square } else { 0.0 };
    });
    sums.iter().sum()
}

/// `tr P = Σ w_i r_i / Σw` and `tr PP = Σ (w_i r_i / Σw)² + Σ w_i² s_i / (Σw)²`, where r_i and s_i
/// are the sums of the other weights and of their squares.
///
/// The textbook forms, `Σw − Σw²/Σw` and so on, cancel all their digits where one site is far more
/// precise than the rest; these have only positive terms.
fn traces(weights: &[f64], sum_w: f64) -> (f64, f64) {
    let mut after = Vec::with_capacity(weights.len());
    after.push((0.0, 0.0));
    for w in weights.iter().skip(1).rev() {
        let (sum, squares) = after.last().copied().unwrap_or_default();
        after.push((sum + w, squares + w * w));
    }
    let (mut before, mut before_squares) = (0.0, 0.0);
    let (mut trace_p, mut trace_pp) = (0.0, 0.0);
    for (w, (sum, squares)) in weights.iter().zip(after.iter().rev()) {
        let diagonal = w * (before + sum) / sum_w;
        let share = w / sum_w;
        trace_p += diagonal;
        trace_pp += diagonal * diagonal + share * share * (before_squares + squares);
        before += w;
        before_squares += w * w;
    }
    (trace_p, trace_pp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_traces_equal_the_textbook_forms_where_those_do_not_cancel() {
        let weights = [3.0, 1.0, 0.5, 2.0];
        let power = |n: i32| weights.iter().map(|w: &f64| w.powi(n)).sum::<f64>();
        let (trace_p, trace_pp) = traces(&weights, power(1));
        let ratio = power(2) / power(1);
        assert!((trace_p - (power(1) - ratio)).abs() < 1e-14);
        let textbook = power(2) - 2.0 * power(3) / power(1) + ratio * ratio;
        assert!((trace_pp - textbook).abs() < 1e-14);
    }

    #[test]
    fn the_score_is_that_of_the_sums() {
        let sites = SiteEstimates::new(vec![0.1, 2.0, 0.9], vec![0.1, 0.01, 0.3]).unwrap();
        for tau2 in [0.0, 0.2, 5.0] {
            let sums = Weighted::at(&sites, tau2);
            let rows = sites.yi().iter().zip(sites.vi());
            let q2: f64 = rows.map(|(y, v)| ((y - sums.mean) / (v + tau2)).powi(2)).sum();
            let (found, trace_p) = score_terms(&sites, tau2);
            assert!((found - q2).abs() < 1e-9 && (trace_p - sums.trace_p).abs() < 1e-9);
            assert_eq!(generalised_q(&sites, tau2).to_bits(), sums.q.to_bits());
        }
    }

    #[test]
    fn estimates_that_agree_have_no_squares_however_large_the_weights_are() {
        // The weights are 1e160, and their squares are more than a number holds.
        let sites = SiteEstimates::new(vec![0.5; 5], vec![1e-160; 5]).unwrap();
        let (q2, _) = score_terms(&sites, 0.0);
        assert!(q2.abs() < f64::MIN_POSITIVE, "{q2}");
    }

    #[test]
    fn one_dominant_weight_keeps_its_digits() {
        // With weights W ≫ 1 and 1: P = W/(W+1)·[[1, −1], [−1, 1]], so tr P → 2 and tr PP → 4.
        let (trace_p, trace_pp) = traces(&[1e15, 1.0], 1e15 + 1.0);
        assert!((trace_p - 2.0).abs() < 1e-14 && (trace_pp - 4.0).abs() < 1e-14);
    }
}
