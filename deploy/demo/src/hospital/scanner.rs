//! What a scanner makes of a chest.

use crate::radiograph::Radiograph;
use crate::random::Random;

/// How the detector works; it decides modality and SOP class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detector {
    /// A flat panel read out directly.
    DigitalRadiography,
    /// A plate that is carried to a reader.
    ComputedRadiography,
}

/// What brightness a large stored value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Photometric {
    /// MONOCHROME1: large is dark.
    LargeIsDark,
    /// MONOCHROME2: large is bright.
    LargeIsBright,
}

/// A scanner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scanner {
    /// Manufacturer (0008,0070).
    pub manufacturer: &'static str,
    /// Manufacturer's Model Name (0008,1090).
    pub model: &'static str,
    /// How it works.
    pub detector: Detector,
    /// Bits Stored (0028,0101): 8, 12 or 16.
    pub bits_stored: u32,
    /// Photometric Interpretation (0028,0004).
    pub photometric: Photometric,
    /// Standard deviation of the blur, in pixels.
    pub blur: f64,
    /// Standard deviation of the noise.
    pub noise: f64,
    /// Factor on brightness around the middle grey: the contrast that its processing adds.
    pub gain: f64,
}

impl Scanner {
    /// Takes the image: one stored value a pixel.
    #[must_use]
    pub fn expose(&self, scene: &Radiograph, random: &mut Random) -> Vec<u16> {
        scene
            .blurred(self.blur)
            .pixels
            .iter()
            .map(|light| self.stored(*light, self.noise * random.normal()))
            .collect()
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is clamped to what can be stored"
    )]
    fn stored(&self, light: f64, noise: f64) -> u16 {
        let largest = f64::from((1_u32 << self.bits_stored) - 1);
        let bright = (0.5 + self.gain * (light - 0.5) + noise).clamp(0.0, 1.0);
        let stored = match self.photometric {
            Photometric::LargeIsDark => 1.0 - bright,
            Photometric::LargeIsBright => bright,
        };
        libm::round(stored * largest) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCANNER: Scanner = Scanner {
        manufacturer: "",
        model: "",
        detector: Detector::DigitalRadiography,
        bits_stored: 12,
        photometric: Photometric::LargeIsBright,
        blur: 0.5,
        noise: 0.0,
        gain: 1.0,
    };

    #[test]
    fn values_use_all_bits_stored_and_monochrome1_turns_them_round() {
        assert_eq!(SCANNER.stored(1.0, 0.0), 4095);
        assert_eq!(SCANNER.stored(2.0, 0.0), 4095);
        assert_eq!(Scanner { bits_stored: 16, ..SCANNER }.stored(1.0, 0.0), 65535);
        let inverted = Scanner { bits_stored: 8, photometric: Photometric::LargeIsDark, ..SCANNER };
        assert_eq!((inverted.stored(1.0, 0.0), inverted.stored(0.0, 0.0)), (0, 255));
    }
}
