//! The standard normal distribution.
//!
//! # References
//!
//! - M. J. Wichura (1988). Algorithm AS 241. Appl. Stat. 37(3), 477–484.

/// P(Z ≤ x). The complementary error function keeps the lower tail relatively exact.
pub(crate) fn cdf(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}

/// P(|Z| ≥ |z|), the two-sided p-value of a z statistic.
pub(crate) fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// The density at x.
pub(crate) fn density(x: f64) -> f64 {
    // 1 / √(2π)
    const PEAK: f64 = 0.398_942_280_401_432_7;
    PEAK * libm::exp(-0.5 * x * x)
}

/// The x with P(Z ≥ x) = p, for 0 < p < 1.
pub(crate) fn upper_quantile(p: f64) -> f64 {
    -quantile(p)
}

/// The x with P(Z ≤ x) = p, for 0 < p < 1.
///
/// AS 241 (relative error 10⁻¹⁶), then one Newton step, which removes what the evaluation of the
/// rational functions lost.
pub(crate) fn quantile(p: f64) -> f64 {
    let x = wichura(p);
    // In the far tails the density underflows before the quantile loses digits.
    let slope = density(x);
    if slope > 1e-290 { x - (cdf(x) - p) / slope } else { x }
}

fn wichura(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * ratio(r, &CENTRE);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let x = if r <= 5.0 { ratio(r - 1.6, &SHOULDER) } else { ratio(r - 5.0, &TAIL) };
    if q < 0.0 { -x } else { x }
}

/// Numerator and denominator of a rational function, constant term first.
type Rational = [[f64; 8]; 2];

fn ratio(r: f64, coefficients: &Rational) -> f64 {
    let horner = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |sum, c| sum * r + c);
    horner(&coefficients[0]) / horner(&coefficients[1])
}

#[expect(clippy::excessive_precision, reason = "digits as published")]
const CENTRE: Rational = [
    [
        3.387_132_872_796_366_608_0,
        1.331_416_678_917_843_774_5e+2,
        1.971_590_950_306_551_442_7e+3,
        1.373_169_376_550_946_112_5e+4,
        4.592_195_393_154_987_145_7e+4,
        6.726_577_092_700_870_085_3e+4,
        3.343_057_558_358_812_810_5e+4,
        2.509_080_928_730_122_672_7e+3,
    ],
    [
        1.0,
        4.231_333_070_160_091_125_2e+1,
        6.871_870_074_920_579_082_9e+2,
        5.394_196_021_424_751_107_7e+3,
        2.121_379_430_158_659_586_7e+4,
        3.930_789_580_009_271_061_0e+4,
        2.872_908_573_572_194_267_4e+4,
        5.226_495_278_852_854_561_0e+3,
    ],
];

#[expect(clippy::excessive_precision, reason = "digits as published")]
const SHOULDER: Rational = [
    [
        1.423_437_110_749_683_577_34,
        4.630_337_846_156_545_295_90,
        5.769_497_221_460_691_405_50,
        3.647_848_324_763_204_604_54,
        1.270_458_252_452_368_382_58,
        2.417_807_251_774_506_117_70e-1,
        2.272_384_498_926_918_458_33e-2,
        7.745_450_142_783_414_076_40e-4,
    ],
    [
        1.0,
        2.053_191_626_637_758_821_87,
        1.676_384_830_183_803_849_40,
        6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1,
        1.519_866_656_361_645_719_66e-2,
        5.475_938_084_995_344_946_00e-4,
        1.050_750_071_644_416_843_24e-9,
    ],
];

#[expect(clippy::excessive_precision, reason = "digits as published")]
const TAIL: Rational = [
    [
        6.657_904_643_501_103_777_20,
        5.463_784_911_164_114_369_90,
        1.784_826_539_917_291_335_80,
        2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2,
        1.242_660_947_388_078_438_60e-3,
        2.711_555_568_743_487_578_15e-5,
        2.010_334_399_292_288_132_65e-7,
    ],
    [
        1.0,
        5.998_322_065_558_879_376_90e-1,
        1.369_298_809_227_358_053_10e-1,
        1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4,
        1.846_318_317_510_054_681_80e-5,
        1.421_511_758_316_445_888_70e-7,
        2.044_263_103_389_939_785_64e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{ContinuousCDF, Normal};

    #[test]
    fn the_usual_critical_values_are_exact() {
        // Abramowitz & Stegun, table 26.5; further digits from a 50-digit evaluation.
        assert!((upper_quantile(0.025) - 1.959_963_984_540_054).abs() < 1e-15);
        assert!((upper_quantile(0.05) - 1.644_853_626_951_472_7).abs() < 1e-15);
        assert!((upper_quantile(0.005) - 2.575_829_303_548_900_4).abs() < 1e-14);
    }

    #[test]
    fn the_cdf_agrees_with_an_independent_implementation() {
        let oracle = Normal::standard();
        for step in -80..=80 {
            let x = f64::from(step) / 10.0;
            let want = oracle.cdf(x);
            // statrs is itself off by a few 1e-10; the next test is the sharp one.
            assert!((cdf(x) - want).abs() <= 1e-9 * want, "{x}");
            assert!((two_sided_p(x) - 2.0 * oracle.cdf(-x.abs())).abs() <= 1e-10, "{x}");
        }
    }

    #[test]
    fn the_cdf_is_relatively_exact() {
        // R 4.2.2, pnorm.
        for (x, want) in [
            (1.5, 0.933_192_798_731_142),
            (0.3, 0.617_911_422_188_953),
            (-2.2, 0.013_903_447_513_498_6),
            (-4.0, 3.167_124_183_311_992e-5),
            (-6.0, 9.865_876_450_376_98e-10),
            (-8.0, 6.220_960_574_271_785e-16),
        ] {
            assert!((cdf(x) / want - 1.0).abs() < 1e-13, "{x}");
        }
    }

    #[test]
    fn the_quantile_inverts_the_cdf_far_into_both_tails() {
        for exponent in 1..=280 {
            let p = libm::pow(10.0, -f64::from(exponent));
            let back = cdf(quantile(p));
            assert!((back / p - 1.0).abs() < 1e-11, "1e-{exponent}: {back:e}");
        }
        assert!(quantile(0.5).abs() < 1e-16);
        assert!((quantile(0.3) + quantile(0.7)).abs() < 1e-15);
    }
}
