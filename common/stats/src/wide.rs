//! 256-bit products, so that differences of sums of squares are exact before they are rounded.
//!
//! Variances from integer sums are small differences of large products; in floating point they
//! would lose digits to cancellation, in 128 bits they could overflow on hostile input.

use crate::count::count_to_f64;

/// An unsigned 256-bit number, `high · 2¹²⁸ + low`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Wide {
    // The derived order is lexicographic: the high half must come first.
    /// The upper 128 bits.
    pub high: u128,
    /// The lower 128 bits.
    pub low: u128,
}

/// 2⁶⁴ as a mask for the low limb.
const LIMB: u128 = u64::MAX as u128;

impl Wide {
    /// The largest number: what sums that had no room become.
    pub(crate) const MAX: Self = Self { high: u128::MAX, low: u128::MAX };

    /// The full product of two 128-bit numbers, by 64-bit limbs.
    pub(crate) fn product(a: u128, b: u128) -> Self {
        let (a_high, a_low) = (a >> 64, a & LIMB);
        let (b_high, b_low) = (b >> 64, b & LIMB);
        let low = a_low * b_low;
        let cross = a_high * b_low + (low >> 64);
        let middle = a_low * b_high + (cross & LIMB);
        Self {
            high: a_high * b_high + (cross >> 64) + (middle >> 64),
            low: (middle << 64) | (low & LIMB),
        }
    }

    /// The sum, or `None` where it exceeds 256 bits.
    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        let (low, carry) = self.low.overflowing_add(other.low);
        let high = self.high.checked_add(other.high)?.checked_add(u128::from(carry))?;
        Some(Self { high, low })
    }

    /// The product, or `None` where it exceeds 256 bits.
    pub(crate) fn checked_mul(self, factor: u64) -> Option<Self> {
        let high = Self { high: self.high.checked_mul(factor.into())?, low: 0 };
        Self::product(self.low, factor.into()).checked_add(high)
    }

    /// `self − other` as a rounded number; the subtraction itself is exact.
    pub(crate) fn difference(self, other: Self) -> f64 {
        if self >= other { self.minus(other).to_f64() } else { -other.minus(self).to_f64() }
    }

    /// `self − other`, for `self >= other`.
    fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high.wrapping_sub(other.high).wrapping_sub(u128::from(borrow)), low }
    }

    fn to_f64(self) -> f64 {
        // 2^128 is a power of two, so only the additions round.
        const TWO_128: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
        count_to_f64(self.high) * TWO_128 + count_to_f64(self.low)
    }
}

/// Whether `a·b <= c·d`, exactly.
pub(crate) fn product_at_most(a: u128, b: u128, c: u128, d: u128) -> bool {
    Wide::product(a, b) <= Wide::product(c, d)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_product_is_exact() {
        let wide = Wide::product(u128::MAX, u128::MAX);
        assert_eq!(wide, Wide { high: u128::MAX - 1, low: 1 });
    }

    #[test]
    fn limbs_carry() {
        let wide = Wide::product(u128::from(u64::MAX), 1 << 100);
        assert_eq!(wide, Wide { high: (1 << 36) - 1, low: u128::MAX << 100 });
    }

    #[test]
    fn a_difference_of_huge_neighbours_is_exact() {
        let a = Wide::product(u128::MAX, 3);
        let b = Wide::product(u128::MAX, 2).checked_add(Wide::product(u128::MAX - 5, 1));
        assert!((a.difference(b.unwrap()) - 5.0).abs() < 1e-12);
        assert!((b.unwrap().difference(a) + 5.0).abs() < 1e-12);
    }

    #[test]
    fn a_product_that_has_no_room_is_none() {
        assert_eq!(Wide { high: 0, low: u128::MAX }.checked_mul(2).map(|wide| wide.high), Some(1));
        assert_eq!(Wide::MAX.checked_mul(2), None);
        assert_eq!(Wide { high: 1, low: 7 }.checked_mul(3), Some(Wide { high: 3, low: 21 }));
    }

    #[test]
    fn comparison_does_not_wrap() {
        assert!(!product_at_most(u128::MAX, 2, 1, u128::MAX));
        assert!(product_at_most(1 << 127, 2, 1 << 126, 4));
    }
}
