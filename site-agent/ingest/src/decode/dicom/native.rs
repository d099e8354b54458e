//! Pixels as they are: bytes to samples.

use super::description::{Allocated, Description, Photometric};
use super::samples::Samples;
use crate::decode::fault::ImageFault;

/// Order of the bytes of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    /// The high byte first.
    Big,
    /// Single bytes in words of which the high one comes first: neighbours are exchanged.
    Exchanged,
}

/// Bits that a frame takes.
fn frame_bits(description: &Description) -> u64 {
    let samples = match description.photometric {
        // Y, Y, B, R for two neighbours.
        Photometric::YbrFull422 => description.size.pixels() * 2,
        _ => description.frame_samples(),
    };
    samples as u64 * u64::from(description.sample.allocated().bits())
}

/// Bytes of a frame by itself: single bits fill up the last one.
pub(super) fn frame_bytes(description: &Description) -> u64 {
    frame_bits(description).div_ceil(8)
}

/// The samples of the frame at `index`, counted from 0, of all the frames in `bytes`.
///
/// Checks the length of what is there against every frame before it allocates one.
pub(super) fn frame(
    bytes: &[u8],
    description: &Description,
    index: u32,
    order: Order,
) -> Result<Samples, ImageFault> {
    let bits = frame_bits(description);
    let all = bits.checked_mul(description.frames.into()).ok_or(ImageFault::PixelCount)?;
    let all = all.div_ceil(8);
    // Values have an even length: an odd one has a byte of padding.
    let is_held = bytes.len() as u64 == all || bytes.len() as u64 == all + all % 2;
    if !is_held {
        return Err(ImageFault::PixelCount);
    }
    let start = bits * u64::from(index);
    let place = |bit: u64| usize::try_from(bit).map_err(|_| ImageFault::PixelCount);
    if description.sample.allocated() == Allocated::One {
        return Ok(single_bits(bytes, place(start)?, description.frame_samples()));
    }
    let exchanged;
    let bytes = if description.sample.allocated() == Allocated::Eight && order == Order::Exchanged {
        exchanged = bytes.as_chunks().0.iter().flat_map(|[a, b]| [*b, *a]).collect::<Vec<u8>>();
        &exchanged
    } else {
        bytes
    };
    let frame = bytes.get(place(start / 8)?..place((start + bits) / 8)?);
    match words(frame.ok_or(ImageFault::PixelCount)?, description.sample.allocated(), order)? {
        samples if description.photometric != Photometric::YbrFull422 => Ok(samples),
        Samples::Narrow(samples) => unshared(&samples, description.size.width).map(Samples::Narrow),
        Samples::Wide(_) => Err(ImageFault::BitDepth),
    }
}

/// Samples of whole bytes.
pub(super) fn words(
    bytes: &[u8],
    allocated: Allocated,
    order: Order,
) -> Result<Samples, ImageFault> {
    Ok(match (allocated, order) {
        (Allocated::One, _) => return Err(ImageFault::BitDepth),
        (Allocated::Eight, _) => Samples::Narrow(bytes.iter().map(|b| u16::from(*b)).collect()),
        (Allocated::Sixteen, Order::Little) => narrow(bytes, u16::from_le_bytes),
        (Allocated::Sixteen, _) => narrow(bytes, u16::from_be_bytes),
        (Allocated::ThirtyTwo, Order::Little) => wide(bytes, u32::from_le_bytes),
        (Allocated::ThirtyTwo, _) => wide(bytes, u32::from_be_bytes),
    })
}

fn narrow(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Samples {
    Samples::Narrow(bytes.as_chunks().0.iter().map(|word| number(*word)).collect())
}

fn wide(bytes: &[u8], number: fn([u8; 4]) -> u32) -> Samples {
    Samples::Wide(bytes.as_chunks().0.iter().map(|word| number(*word)).collect())
}

/// One bit a sample, the lowest of a byte first; frames follow each other without a gap.
fn single_bits(bytes: &[u8], start: usize, samples: usize) -> Samples {
    let bit = |place: usize| u16::from(bytes[place / 8] >> (place % 8) & 1);
    Samples::Narrow((start..start + samples).map(bit).collect())
}

/// Y Y B R of two neighbours to Y B R of each.
fn unshared(samples: &[u16], width: usize) -> Result<Vec<u16>, ImageFault> {
    if width % 2 == 1 {
        return Err(ImageFault::Photometric);
    }
    let (pairs, _) = samples.as_chunks::<4>();
    Ok(pairs.iter().flat_map(|[first, second, b, r]| [*first, *b, *r, *second, *b, *r]).collect())
}

#[cfg(test)]
mod tests {
    use super::super::description::SampleForm;
    use super::*;
    use fedval_preprocess::Size;

    fn described(photometric: Photometric, allocated: Allocated, frames: u32) -> Description {
        let bits = allocated.bits();
        Description {
            size: Size { height: 1, width: 2 },
            photometric,
            sample: SampleForm::new(allocated, bits, bits - 1, false).unwrap(),
            is_planar: false,
            frames,
        }
    }

    #[test]
    fn a_frame_is_taken_from_its_place_in_any_byte_order() {
        let grey = described(Photometric::Monochrome2, Allocated::Sixteen, 2);
        let bytes = [1, 0, 2, 0, 3, 0, 4, 0];
        let little = frame(&bytes, &grey, 1, Order::Little);
        assert_eq!(little, Ok(Samples::Narrow(vec![3, 4])));
        let big = frame(&bytes, &grey, 0, Order::Big);
        assert_eq!(big, Ok(Samples::Narrow(vec![0x100, 0x200])));
        assert_eq!(frame(&bytes[..7], &grey, 0, Order::Little), Err(ImageFault::PixelCount));
        let bytewise = described(Photometric::Monochrome2, Allocated::Eight, 1);
        let exchanged = frame(&[1, 2], &bytewise, 0, Order::Exchanged);
        assert_eq!(exchanged, Ok(Samples::Narrow(vec![2, 1])));
    }

    #[test]
    fn frames_of_single_bits_follow_without_a_gap() {
        let mask = described(Photometric::Monochrome2, Allocated::One, 3);
        let frames = [0, 1, 2].map(|index| frame(&[0b10_0110, 0], &mask, index, Order::Little));
        let expected = [[0, 1], [1, 0], [0, 1]];
        assert_eq!(frames, expected.map(|bits| Ok(Samples::Narrow(bits.to_vec()))));
    }

    #[test]
    fn neighbours_that_share_their_colour_get_it_each() {
        let colour = described(Photometric::YbrFull422, Allocated::Eight, 1);
        let samples = frame(&[10, 20, 3, 4], &colour, 0, Order::Little);
        assert_eq!(samples, Ok(Samples::Narrow(vec![10, 3, 4, 20, 3, 4])));
    }

    #[test]
    fn frames_that_no_memory_holds_are_a_length_that_is_wrong() {
        let frames = described(Photometric::Rgb, Allocated::ThirtyTwo, u32::MAX);
        let largest = Size { height: 16_384, width: 16_384 };
        let frames = Description { size: largest, ..frames };
        assert_eq!(frame(&[0; 64], &frames, 0, Order::Little), Err(ImageFault::PixelCount));
    }
}
