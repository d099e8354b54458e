//! Numbers to two significant figures, as spreads and errors travel.

/// The nearest number with two figures; of a number above nothing never nothing.
pub(crate) const fn rounded(number: u64) -> u64 {
    let mut grid = 1;
    while number / grid >= 100 {
        grid *= 10;
    }
    (number + grid / 2) / grid * grid
}

/// Whether nothing but zeros follows the first two digits.
pub(crate) const fn are_all(mut number: u64) -> bool {
    while number >= 100 {
        if !number.is_multiple_of(10) {
            return false;
        }
        number /= 10;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rounded_has_two_figures_and_no_more() {
        for (number, to) in [(0, 0), (7, 7), (99, 99), (123, 120), (125, 130), (995_400, 1_000_000)]
        {
            assert_eq!(rounded(number), to);
            assert!(are_all(to));
            assert_eq!(are_all(number), number == to);
        }
    }
}
