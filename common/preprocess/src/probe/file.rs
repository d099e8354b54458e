//! A probe as a file would hold it, without the file.

use std::fmt;

use fedval_study::ProbeName;

use super::volume::{SeriesFile, VolumeFile};

/// One probe image.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// Its name.
    pub name: ProbeName,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
    /// Its pixels, rows from the top.
    pub content: Content,
}

/// The pixels of a probe, and the kind of file that they go in.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A grey DICOM image.
    Grey(GreyFile),
    /// A grey PNG of 8 bits.
    Picture(Vec<u8>),
    /// A PNG of 8 bits a colour: red, green, blue.
    Colour(Vec<[u8; 3]>),
    /// A NIfTI volume.
    Volume(VolumeFile),
    /// The files of a DICOM series.
    Series(SeriesFile),
}

/// What a grey DICOM file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct GreyFile {
    /// Stored values of each frame, at least one.
    pub frames: Vec<Vec<i16>>,
    /// Whether stored values may be below 0. They have 12 bits of 16.
    pub is_signed: bool,
    /// Whether white is low (MONOCHROME1).
    pub is_white_low: bool,
    /// Slope and intercept.
    pub rescale: [Decimal; 2],
    /// Centre and width of the file's own window (function LINEAR).
    pub window: [Decimal; 2],
}

/// Bits of a stored value.
pub(super) const STORED_BITS: u32 = 12;

/// A number with a short decimal text, so that file and truth have the very same one: `digits` · 10^`exponent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// Its digits, with their sign.
    pub digits: i64,
    /// Power of ten.
    pub exponent: i32,
}

impl Decimal {
    pub(super) const fn whole(digits: i64) -> Self {
        Self { digits, exponent: 0 }
    }

    /// The number that is nearest to the text: reading a decimal is exact in the same way everywhere.
    #[must_use]
    pub fn value(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exponent {
            0 => write!(f, "{}", self.digits),
            exponent => write!(f, "{}E{exponent}", self.digits),
        }
    }
}
