//! DC-07: cells are rounded once, and a total is what its rounded cells add up to.
//!
//! Cells and total that were each rounded by themselves can be unpicked: their differences say in
//! which direction each was rounded. Here the total is rounded first and the cells are rounded up or
//! down so that they add up to it, those with the largest remainders up (controlled rounding). Where
//! a cell is hidden nothing has to add up, and each is rounded to the nearest.
//!
//! Source: EU SDC Handbook (2024), controlled rounding; OpenSAFELY (totals are sums of rounded counts).

/// A count rounded to the nearest multiple of `base`.
#[must_use]
pub const fn nearest(count: u64, base: u64) -> u64 {
    count.saturating_add(base / 2) / base * base
}

/// The fewest that a count may be which was rounded to this, as a whole or as a cell.
#[must_use]
pub const fn least(rounded: u64, base: u64) -> u64 {
    rounded.saturating_sub(base.saturating_sub(1))
}

/// The cells of a table rounded to multiples of `base`.
///
/// `total` is the rounded total that they add up to; `None` where a cell is hidden. Cells whose floors
/// and ceilings cannot reach the total are rounded to the nearest.
#[must_use]
pub fn cells(counts: &[u64], total: Option<u64>, base: u64) -> Vec<u64> {
    let nearest_of = || counts.iter().map(|count| nearest(*count, base)).collect();
    let Some(total) = total else { return nearest_of() };
    let mut rounded: Vec<u64> = counts.iter().map(|count| count / base * base).collect();
    let floor: u64 = rounded.iter().sum();
    let mut order: Vec<usize> =
        (0..counts.len()).filter(|index| !counts[*index].is_multiple_of(base)).collect();
    order.sort_by_key(|index| std::cmp::Reverse(counts[*index] % base));
    let Some(missing) = total.checked_sub(floor) else { return nearest_of() };
    let Ok(up) = usize::try_from(missing / base) else { return nearest_of() };
    if up > order.len() {
        return nearest_of();
    }
    for index in &order[..up] {
        rounded[*index] += base;
    }
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_cells_add_up_to_the_rounded_total() {
        assert_eq!(nearest(12, 5), 10);
        assert_eq!(nearest(13, 5), 15);
        assert_eq!((least(15, 5), least(15, 1), least(3, 5)), (11, 15, 0));
        let counts = [12, 13, 11];
        assert_eq!(cells(&counts, Some(nearest(36, 5)), 5), [10, 15, 10]);
        assert_eq!(cells(&counts, None, 5), [10, 15, 10]);
        let counts = [12, 12, 12];
        assert_eq!(cells(&counts, Some(nearest(36, 5)), 5), [15, 10, 10]);
        assert_eq!(cells(&[7, 3], None, 1), [7, 3]);
    }

    #[test]
    fn for_any_cells_the_rounded_total_can_be_reached() {
        for a in 0..12 {
            for b in 0..12 {
                for c in 0..12 {
                    let total = nearest(a + b + c, 5);
                    let rounded = cells(&[a, b, c], Some(total), 5);
                    assert_eq!(rounded.iter().sum::<u64>(), total, "{a} {b} {c}");
                    let near = |(count, rounded): (&u64, &u64)| count.abs_diff(*rounded) < 5;
                    assert!([a, b, c].iter().zip(&rounded).all(near));
                }
            }
        }
    }
}
