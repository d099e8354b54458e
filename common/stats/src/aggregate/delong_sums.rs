//! DeLong's sums of independent cases from plain scores, in linear time.

use super::RankSums;
use crate::NotEstimable;

/// Bits that one pass of the sort looks at, and passes. Four million different leading digits leave few
/// scores of a cohort together that are not tied: those are compared, which costs less than a third pass.
const DIGIT_BITS: u32 = 11;
const DIGITS: u32 = 2;
const BUCKETS: usize = 1 << DIGIT_BITS;

/// Below so many scores, comparing is faster than counting.
const FEW: usize = 512;

/// Reduces independent cases, given as scores and whether the condition is present, to DeLong's sums: those of
/// [`rank_sums`](super::rank_sums) without clusters. Scores stand on any scale; −0 and 0 are tied.
///
/// Each class is sorted by counting leading digits, and one walk over both gives every placement. Takes
/// 16 bytes a case beside the input.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where the lists have different lengths or a score is not a number.
///
/// # References
///
/// - X. Sun, W. Xu (2014). IEEE Signal Process. Lett. 21(11), 1389–1393 (placements from ranks).
///
/// # Examples
///
/// ```
/// use fedval_stats::aggregate::delong_sums;
/// use fedval_stats::auroc::delong;
///
/// let sums = delong_sums(&[0.9, 0.4, 0.6, 0.1], &[true, true, false, false])?;
/// assert!((delong(&sums)?.auc - 0.75).abs() < 1e-15);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn delong_sums(scores: &[f64], positive: &[bool]) -> Result<RankSums, NotEstimable> {
    if scores.len() != positive.len() || scores.iter().any(|score| score.is_nan()) {
        return Err(NotEstimable::InvalidInput);
    }
    let (mut pos, mut neg) = classes(scores, positive);
    let mut scratch = Vec::with_capacity(pos.len().max(neg.len()));
    sort(&mut pos, &mut scratch);
    sort(&mut neg, &mut scratch);
    drop(scratch);
    Ok(walk(&pos, &neg))
}

/// The keys of both classes. Each is written to both lists and kept in one: labels have no pattern that a
/// processor could foresee.
fn classes(scores: &[f64], positive: &[bool]) -> (Vec<u64>, Vec<u64>) {
    let n_pos = positive.iter().filter(|positive| **positive).count();
    let (mut pos, mut neg) = (vec![0; n_pos + 1], vec![0; scores.len() - n_pos + 1]);
    let (mut next_pos, mut next_neg) = (0, 0);
    for (score, positive) in scores.iter().zip(positive) {
        let key = ordered(*score);
        pos[next_pos] = key;
        neg[next_neg] = key;
        next_pos += usize::from(*positive);
        next_neg += usize::from(!*positive);
    }
    pos.pop();
    neg.pop();
    (pos, neg)
}

/// A score as an integer of the same order.
fn ordered(score: f64) -> u64 {
    // Adding 0 makes −0 a 0.
    let bits = (score + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// Sorts by the leading digits of what the keys differ in, then within the few that share them.
fn sort(keys: &mut Vec<u64>, scratch: &mut Vec<u64>) {
    if keys.len() < FEW {
        return keys.sort_unstable();
    }
    let (lowest, highest) =
        keys.iter().fold((u64::MAX, 0), |(low, high), key| (low.min(*key), high.max(*key)));
    let width = u64::BITS - (highest - lowest).leading_zeros();
    let shift = width.saturating_sub(DIGIT_BITS * DIGITS);
    let leading = |key: u64| (key - lowest) >> shift;
    by_leading_digits(keys, scratch, leading);
    for close in keys.chunk_by_mut(|a, b| leading(*a) == leading(*b)) {
        if close.len() > 1 && close.iter().any(|key| *key != close[0]) {
            close.sort_unstable();
        }
    }
}

/// Counts one digit after the other, from the last.
fn by_leading_digits(keys: &mut Vec<u64>, scratch: &mut Vec<u64>, leading: impl Fn(u64) -> u64) {
    #[expect(clippy::cast_possible_truncation, reason = "below the number of buckets")]
    let digit = |key: u64, place: u32| (leading(key) >> (DIGIT_BITS * place)) as usize % BUCKETS;
    let mut counts = vec![[0_usize; BUCKETS]; DIGITS as usize];
    for key in keys.iter() {
        for (place, counts) in (0..).zip(counts.iter_mut()) {
            counts[digit(*key, place)] += 1;
        }
    }
    scratch.clear();
    scratch.resize(keys.len(), 0);
    for (place, counts) in (0..).zip(counts.iter_mut()) {
        let mut begin = 0;
        for count in counts.iter_mut() {
            (*count, begin) = (begin, begin + *count);
        }
        for key in keys.iter() {
            let next = &mut counts[digit(*key, place)];
            scratch[*next] = *key;
            *next += 1;
        }
        std::mem::swap(keys, scratch);
    }
}

/// One walk over both classes from the lowest score up.
fn walk(pos: &[u64], neg: &[u64]) -> RankSums {
    let n_pos = pos.len() as u64;
    let mut sums =
        RankSums { n_pos, n_neg: neg.len() as u64, doubled_u: 0, pos_squares: 0, neg_squares: 0 };
    let (mut pos_left, mut neg_left) = (pos, neg);
    let (mut pos_below, mut neg_below) = (0_u64, 0_u64);
    while let Some(key) = lower(pos_left.first(), neg_left.first()) {
        let pos_tied = take(&mut pos_left, key);
        let neg_tied = take(&mut neg_left, key);
        let of_pos = 2 * neg_below + neg_tied;
        let of_neg = 2 * (n_pos - pos_below - pos_tied) + pos_tied;
        if pos_tied > 0 {
            sums.doubled_u += u128::from(pos_tied) * u128::from(of_pos);
            sums.pos_squares += u128::from(pos_tied) * square(of_pos);
        }
        if neg_tied > 0 {
            sums.neg_squares += u128::from(neg_tied) * square(of_neg);
        }
        pos_below += pos_tied;
        neg_below += neg_tied;
    }
    sums
}

fn square(x: u64) -> u128 {
    u128::from(x) * u128::from(x)
}

fn lower(a: Option<&u64>, b: Option<&u64>) -> Option<u64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(*a.min(b)),
        (one, other) => one.or(other).copied(),
    }
}

/// Takes the keys at the front that equal `key`, and counts them.
fn take(keys: &mut &[u64], key: u64) -> u64 {
    let mut tied = 0;
    while let Some((_, rest)) = keys.split_first().filter(|(first, _)| **first == key) {
        *keys = rest;
        tied += 1;
    }
    tied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{RankedCase, rank_sums};

    /// Many scores with ties, negative ones too, by a fixed rule.
    fn many() -> (Vec<f64>, Vec<bool>) {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 40
        };
        (0..5_000)
            .map(|_| {
                (f64::from(u32::try_from(next() % 900).unwrap()) / 7.0 - 60.0, next() % 3 == 0)
            })
            .unzip()
    }

    #[test]
    fn the_sums_are_those_of_ranked_cases() {
        let (scores, positive) = many();
        let cases: Vec<RankedCase> = scores
            .iter()
            .zip(&positive)
            .map(|(score, &positive)| RankedCase {
                #[expect(clippy::cast_possible_truncation, reason = "steps of a seventh")]
                rank_key: (score * 7.0).round() as i64,
                positive,
                cluster: 0,
            })
            .collect();
        assert_eq!(delong_sums(&scores, &positive), Ok(rank_sums(&cases).0));
        let few = delong_sums(&scores[..40], &positive[..40]);
        assert_eq!(few, Ok(rank_sums(&cases[..40]).0));
    }

    #[test]
    fn infinities_have_an_order_and_both_zeros_are_tied() {
        let scores = [f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0];
        let sums = delong_sums(&scores, &[true, false, true, false]).unwrap();
        assert_eq!(sums.doubled_u, 4 + 3);
    }

    #[test]
    fn what_is_no_number_or_has_no_label_is_refused() {
        assert_eq!(delong_sums(&[f64::NAN], &[true]), Err(NotEstimable::InvalidInput));
        assert_eq!(delong_sums(&[1.0], &[]), Err(NotEstimable::InvalidInput));
    }
}
