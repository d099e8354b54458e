//! The exponential and `ln(1 + x)` without branches, so that they are computed of several nodes at once.
//!
//! The algorithms are those of `libm` on the ranges that the quadrature needs, which they agree with to the
//! last digit or the one before: like it, they are the same on every machine.
//!
//! # References
//!
//! - Sun Microsystems (1993). FDLIBM 5.3, `e_exp.c` and `s_log1p.c`.

use std::f64::consts::SQRT_2;

const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Added to a number and taken off again, this rounds it to an integer, which stands in the lowest bits between.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// Below this the exponential is no normal number; nothing that small counts beside a peak of 1.
const LOWEST: f64 = -708.0;
/// Beyond this it is none at all.
const HIGHEST: f64 = 709.0;

/// `e^x`; of less than −708, some 10⁻³⁰⁸.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    let x = x.clamp(LOWEST, HIGHEST);
    let shifted = x * std::f64::consts::LOG2_E + ROUNDER;
    let k = shifted - ROUNDER;
    let (high, low) = (x - k * LN2_HIGH, k * LN2_LOW);
    let r = high - low;
    let square = r * r;
    let c = r - square
        * (1.666_666_666_666_660_2e-1
            + square
                * (-2.777_777_777_701_559_3e-3
                    + square
                        * (6.613_756_321_437_934e-5
                            + square
                                * (-1.653_390_220_546_525_2e-6
                                    + square * 4.138_136_797_057_238_5e-8))));
    let fraction = 1.0 + (r * c / (2.0 - c) - low + high);
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    fraction * power
}

/// `ln(1 + x)` for x from 0 to 1.
#[inline(always)]
#[expect(clippy::many_single_char_names, reason = "the symbols of the source")]
pub(super) fn log1p_of_share(x: f64) -> f64 {
    // Beyond √2 − 1 half of 1 + x is nearer to 1.
    let (f, k) = if x > SQRT_2 - 1.0 { (0.5 * (x - 1.0), 1.0) } else { (x, 0.0) };
    let half_square = 0.5 * f * f;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let odd = w
        * (3.999_999_999_940_942e-1
            + w * (2.222_219_843_214_978_4e-1 + w * 1.531_383_769_920_937_3e-1));
    let even = z
        * (6.666_666_666_666_735e-1
            + w * (2.857_142_874_366_239e-1
                + w * (1.818_357_216_161_805e-1 + w * 1.479_819_860_511_658_6e-1)));
    s * (half_square + odd + even) + k * LN2_LOW - half_square + f + k * LN2_HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_agree_with_the_library_on_their_ranges() {
        let share = |step: u32| f64::from(step) / 100_000.0;
        for step in 0..=100_000 {
            let x = share(step);
            assert!((log1p_of_share(x) - libm::log1p(x)).abs() <= 2.3e-16 * libm::log1p(x), "{x}");
            let x = -708.0 + 1_417.0 * x;
            assert!((exp(x) / libm::exp(x) - 1.0).abs() <= 4.5e-16, "{x}");
        }
        assert!((exp(0.0) - 1.0).abs() < 1e-300 && log1p_of_share(0.0).abs() < 1e-300);
        let tiny = 3e-300;
        assert!((log1p_of_share(tiny) / tiny - 1.0).abs() < 1e-15);
    }

    #[test]
    fn what_is_too_small_to_count_is_next_to_nothing() {
        for x in [-709.0, -1e4, f64::NEG_INFINITY] {
            assert!(exp(x) > 0.0 && exp(x) < 1e-307);
        }
    }
}
