//! What a JPEG-LS scan is coded with (ISO/IEC 14495-1, Annex C).

use crate::decode::fault::ImageFault;

/// Coding parameters, given or by default. Numbers are sample values unless said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameters {
    /// Largest sample, at most 2^16 − 1.
    pub(super) largest: i64,
    /// Largest difference between a sample and what is decoded; 0 is lossless.
    pub(super) near: i64,
    /// Where gradients change their region.
    pub(super) thresholds: [i64; 3],
    /// Samples after which the counts of a context are halved.
    pub(super) reset: i64,
}

/// The same where nothing is given: what the standard counts with.
const RESET: i64 = 64;

impl Parameters {
    /// The defaults of C.2.4.1.1 for samples of `precision` bits.
    pub(super) fn by_default(precision: u8, near: i64) -> Self {
        Self::completed((1 << precision) - 1, near, [0; 3], 0)
    }

    /// Zeros stand for the defaults.
    fn completed(largest: i64, near: i64, given: [i64; 3], reset: i64) -> Self {
        let defaults = default_thresholds(largest, near);
        let or = |given: i64, default| if given == 0 { default } else { given };
        let thresholds = [0, 1, 2].map(|place| or(given[place], defaults[place]));
        Self { largest, near, thresholds, reset: or(reset, RESET) }
    }

    /// Reads a segment of preset parameters; `None` where it holds others, such as tables.
    pub(super) fn preset(segment: &[u8], precision: u8, near: i64) -> Result<Self, ImageFault> {
        let [1, numbers @ ..] = segment else { return Err(ImageFault::TransferSyntax) };
        let (numbers, []) = numbers.as_chunks() else { return Err(ImageFault::Corrupt) };
        let numbers: Vec<i64> = numbers.iter().map(|n| u16::from_be_bytes(*n).into()).collect();
        let [largest, t1, t2, t3, reset] = numbers[..] else { return Err(ImageFault::Corrupt) };
        let most = (1 << precision) - 1;
        let largest = if largest == 0 { most } else { largest };
        let found = Self::completed(largest, near, [t1, t2, t3], reset);
        let [t1, t2, t3] = found.thresholds;
        let is_ordered = near < t1 && t1 <= t2 && t2 <= t3 && t3 <= largest;
        let is_bounded = largest <= most && (3..=largest.max(255)).contains(&found.reset);
        if is_ordered && is_bounded { Ok(found) } else { Err(ImageFault::Corrupt) }
    }

    /// Kinds of coded error.
    pub(super) const fn range(&self) -> i64 {
        (self.largest + 2 * self.near) / self.step() + 1
    }

    /// Distance between values that errors stand for.
    pub(super) const fn step(&self) -> i64 {
        2 * self.near + 1
    }

    /// Bits of an error that is written as it is.
    pub(super) const fn error_bits(&self) -> u32 {
        bits_of(self.range())
    }

    /// Longest code, in bits.
    pub(super) fn limit(&self) -> u32 {
        let sample_bits = bits_of(self.largest + 1).max(2);
        2 * (sample_bits + sample_bits.max(8))
    }
}

/// The least bits that tell `values` apart.
const fn bits_of(values: i64) -> u32 {
    i64::BITS - (values - 1).leading_zeros()
}

fn default_thresholds(largest: i64, near: i64) -> [i64; 3] {
    let within =
        |value: i64, least: i64| if value > largest || value < least { least } else { value };
    let wider = [3 * near, 5 * near, 7 * near];
    let [t1, t2, t3] = if largest >= 128 {
        let factor = (largest.min(4095) + 128) / 256;
        [factor + 2 + wider[0], factor * 4 + 3 + wider[1], factor * 17 + 4 + wider[2]]
    } else {
        let factor = 256 / (largest + 1);
        [3 / factor + wider[0], 7 / factor + wider[1], 21 / factor + wider[2]]
    };
    let least = if largest >= 128 { [0; 3] } else { [2, 3, 4] };
    let t1 = within(t1.max(least[0]), near + 1);
    let t2 = within(t2.max(least[1]), t1);
    [t1, t2, within(t3.max(least[2]), t2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_standard() {
        let eight = Parameters::by_default(8, 0);
        assert_eq!((eight.thresholds, eight.reset), ([3, 7, 21], 64));
        assert_eq!((eight.range(), eight.error_bits(), eight.limit()), (256, 8, 32));
        assert_eq!(Parameters::by_default(12, 0).thresholds, [18, 67, 276]);
        let near = Parameters::by_default(8, 3);
        assert_eq!((near.thresholds, near.range()), ([12, 22, 42], 38));
        assert_eq!(Parameters::by_default(16, 0).limit(), 64);
    }

    #[test]
    fn presets_are_held_against_the_precision() {
        let segment = |numbers: [u16; 5]| {
            [vec![1], numbers.iter().flat_map(|n| n.to_be_bytes()).collect()].concat()
        };
        let read = |numbers| Parameters::preset(&segment(numbers), 8, 0);
        assert_eq!(read([0; 5]), Ok(Parameters::by_default(8, 0)));
        assert_eq!(read([255, 9, 9, 9, 3]).map(|p| p.thresholds), Ok([9, 9, 9]));
        assert_eq!(read([256, 0, 0, 0, 0]), Err(ImageFault::Corrupt));
        assert_eq!(read([255, 9, 8, 9, 3]), Err(ImageFault::Corrupt));
        assert_eq!(read([255, 9, 9, 9, 1]), Err(ImageFault::Corrupt));
        let table = Parameters::preset(&[2, 0], 8, 0);
        assert_eq!(table, Err(ImageFault::TransferSyntax));
    }
}
