//! The bits of a scan (ISO/IEC 14495-1, Annex A.1): after a byte of ones follows a stuffed zero bit.

use crate::decode::fault::ImageFault;

/// Reads bits from the highest down.
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    held: u64,
    count: u32,
    was_ones: bool,
}

impl<'a> Bits<'a> {
    pub(super) const fn new(scan: &'a [u8]) -> Self {
        Self { rest: scan, held: 0, count: 0, was_ones: false }
    }

    /// Takes whole bytes while there is room. A marker ends the scan.
    fn fill(&mut self) {
        while self.count <= 48 {
            let [byte, after @ ..] = self.rest else { return };
            let is_marker = *byte == 0xff && after.first().is_some_and(|next| *next >= 0x80);
            if is_marker || self.was_ones && *byte >= 0x80 {
                self.rest = &[];
                return;
            }
            let width = if self.was_ones { 7 } else { 8 };
            self.held = self.held << width | u64::from(*byte);
            self.count += width;
            self.was_ones = *byte == 0xff;
            self.rest = after;
        }
    }

    /// The next `width` bits, at most 32.
    pub(super) fn take(&mut self, width: u32) -> Result<u32, ImageFault> {
        if self.count < width {
            self.fill();
        }
        self.count = self.count.checked_sub(width).ok_or(ImageFault::PixelCount)?;
        let bits = self.held >> self.count & ((1 << width) - 1);
        Ok(u32::try_from(bits).expect("at most 32 bits are taken"))
    }

    pub(super) fn take_flag(&mut self) -> Result<bool, ImageFault> {
        Ok(self.take(1)? == 1)
    }

    /// Zeros before the next one, which is taken too; more than `most` are a fault.
    pub(super) fn take_zeros(&mut self, most: u32) -> Result<u32, ImageFault> {
        let mut zeros = 0;
        while !self.take_flag()? {
            zeros += 1;
            if zeros > most {
                return Err(ImageFault::Corrupt);
            }
        }
        Ok(zeros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffed_bits_are_left_out_and_a_marker_ends_the_scan() {
        let mut bits = Bits::new(&[0b1010_0000, 0xff, 0b0100_0001, 0xff, 0xd9]);
        assert_eq!(bits.take(3), Ok(0b101));
        assert_eq!(bits.take_zeros(9), Ok(5));
        assert_eq!(bits.take(7), Ok(0b111_1111));
        assert_eq!(bits.take_flag(), Ok(true));
        assert_eq!(bits.take_zeros(3), Err(ImageFault::Corrupt));
        assert_eq!(bits.take(2), Ok(1));
        assert_eq!(bits.take(1), Err(ImageFault::PixelCount));
    }
}
