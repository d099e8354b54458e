//! Sums whose rounding error grows with the logarithm of their length.

/// Values that are added in one block.
const BLOCK: usize = 128;

/// Sums that run beside each other in a block.
const LANES: usize = 8;

/// The sum by halves, in NumPy's order of adding: where a rule compares with an exact share, the last bit
/// decides, and this is the bit that its reference software has.
///
/// # References
///
/// - N. J. Higham (1993). The accuracy of floating point summation. SIAM J. Sci. Comput. 14, 783–799.
pub(crate) fn pairwise_sum(values: &[f64]) -> f64 {
    if values.len() < LANES {
        return values.iter().fold(0.0, |sum, value| sum + value);
    }
    if values.len() <= BLOCK {
        return block(values);
    }
    let half = values.len() / 2;
    let (first, last) = values.split_at(half - half % LANES);
    pairwise_sum(first) + pairwise_sum(last)
}

fn block(values: &[f64]) -> f64 {
    let (rows, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
    let first_half = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    let whole = first_half + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    rest.iter().fold(whole, |sum, value| sum + value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::count::len_to_f64;

    #[test]
    fn nothing_is_left_out() {
        for length in [0, 1, 7, 8, 9, 127, 128, 129, 1000] {
            let values: Vec<f64> = (0..length).map(len_to_f64).collect();
            let wanted = len_to_f64(length * length.saturating_sub(1) / 2);
            assert!((pairwise_sum(&values) - wanted).abs() < 1e-9, "{length}");
        }
    }

    #[test]
    fn the_order_is_that_of_numpy() {
        // numpy.sum of ten tenths is 0.9999999999999999 one by one, and 1.0 in eight lanes.
        assert!((pairwise_sum(&[0.1; 10]) - 1.0).abs() < 1e-17);
    }
}
