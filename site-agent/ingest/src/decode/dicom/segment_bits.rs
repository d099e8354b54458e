//! The bits of a segmentation's frames, as its file stores them.

use std::borrow::Cow;

use dicom_object::mem::InMemElement;
use fedval_preprocess::Size;

use super::inflate::inflated;
use super::part10::Coding;
use crate::decode::fault::ImageFault;

/// The pixels of all frames, a bit each.
pub(super) struct SegmentBits<'o> {
    stored: Stored<'o>,
    /// Of a frame.
    pixels: usize,
}

enum Stored<'o> {
    /// Frame after frame, without a gap between them.
    Together(Cow<'o, [u8]>),
    /// Each frame deflated by itself: it begins with a byte of its own.
    Deflated(&'o [Vec<u8>]),
}

/// The pixels of one frame.
pub(super) struct FrameBits<'b> {
    bytes: Cow<'b, [u8]>,
    /// Where the first one lies.
    first: usize,
}

impl<'o> SegmentBits<'o> {
    /// Refuses a coding that is not read of segmentations.
    pub(super) const fn check(coding: Coding) -> Result<(), ImageFault> {
        match coding {
            Coding::Native | Coding::Deflated => Ok(()),
            _ => Err(ImageFault::TransferSyntax),
        }
    }

    /// Holds the length of what is there against the number of frames.
    pub(super) fn of(
        element: &'o InMemElement,
        coding: Coding,
        size: Size,
        frames: usize,
    ) -> Result<Self, ImageFault> {
        let pixels = size.pixels();
        let stored = if coding == Coding::Deflated {
            // A fragment holds a whole frame (PS3.5 A.4.13).
            let fragments = element.fragments().ok_or(ImageFault::Corrupt)?;
            if fragments.len() != frames {
                return Err(ImageFault::PixelCount);
            }
            Stored::Deflated(fragments)
        } else {
            let bytes = element.to_bytes().map_err(|_| ImageFault::Corrupt)?;
            let bits = pixels.checked_mul(frames).ok_or(ImageFault::Size)?;
            if bytes.len() < bits.div_ceil(8) {
                return Err(ImageFault::PixelCount);
            }
            Stored::Together(bytes)
        };
        Ok(Self { stored, pixels })
    }

    /// The frame at `index`, counted from 0.
    pub(super) fn frame(&self, index: usize) -> Result<FrameBits<'_>, ImageFault> {
        let frames = match &self.stored {
            Stored::Together(bytes) => {
                let (bytes, first) = (Cow::Borrowed(&bytes[..]), index * self.pixels);
                return Ok(FrameBits { bytes, first });
            }
            Stored::Deflated(frames) => frames,
        };
        let least = self.pixels.div_ceil(8);
        // A byte may make the length even.
        let most = least.next_multiple_of(2);
        let bytes = inflated(frames.get(index).ok_or(ImageFault::PixelCount)?, most as u64)?;
        if (least..=most).contains(&bytes.len()) {
            Ok(FrameBits { bytes: Cow::Owned(bytes), first: 0 })
        } else {
            Err(ImageFault::PixelCount)
        }
    }
}

impl FrameBits<'_> {
    /// Whether a pixel is set, counted along the rows. The first one lies in the lowest bit of its byte.
    pub(super) fn is_set(&self, pixel: usize) -> bool {
        let bit = self.first + pixel;
        self.bytes[bit / 8] >> (bit % 8) & 1 == 1
    }
}
