//! DICOM RLE Lossless (PS3.5 Annex G).

use crate::decode::fault::ImageFault;

/// Bytes of the header: a count and fifteen offsets.
const HEADER_BYTES: usize = 64;

/// Bytes that one byte of a frame stands for at most: two make a run of 128.
const LONGEST_RUN: usize = 64;

/// Decodes `frame` into `planes` planes of `pixels` samples of `sample_bytes` each, little-endian.
///
/// Each byte of a sample is a segment of its own, the most significant first. Never allocates
/// more than the result, whatever the segments say.
pub(super) fn decode(
    frame: &[u8],
    planes: usize,
    pixels: usize,
    sample_bytes: usize,
) -> Result<Vec<u8>, ImageFault> {
    let (header, _) = frame.split_first_chunk::<HEADER_BYTES>().ok_or(ImageFault::PixelCount)?;
    let (words, _) = header.as_chunks();
    let words: Vec<usize> = words.iter().map(|word| u32::from_le_bytes(*word) as usize).collect();
    let segments = planes * sample_bytes;
    if words[0] != segments || segments >= words.len() {
        return Err(ImageFault::Codestream);
    }
    if pixels * segments > frame.len().saturating_mul(LONGEST_RUN) {
        return Err(ImageFault::PixelCount);
    }
    let mut samples = vec![0; pixels * segments];
    for segment in 0..segments {
        let start = words[1 + segment];
        let end = if segment + 1 < segments { words[2 + segment] } else { frame.len() };
        let packed = frame.get(start..end).ok_or(ImageFault::Corrupt)?;
        let plane = &mut samples[segment / sample_bytes * pixels * sample_bytes..];
        let byte = sample_bytes - 1 - segment % sample_bytes;
        let mut targets = plane[byte..].iter_mut().step_by(sample_bytes).take(pixels);
        unpack(packed, |byte| targets.next().map(|target| *target = byte));
        if targets.next().is_some() {
            return Err(ImageFault::PixelCount);
        }
    }
    Ok(samples)
}

/// PackBits; `put` answers `None` once the segment is full. Padding after that is not read.
fn unpack(packed: &[u8], mut put: impl FnMut(u8) -> Option<()>) {
    let mut rest = packed;
    while let [control, tail @ ..] = rest {
        match control.cast_signed() {
            -128 => rest = tail,
            count @ 0.. => {
                let length = usize::from(count.unsigned_abs()) + 1;
                // A full segment ends before a run that the padding byte seems to announce.
                let Some((literal, after)) = tail.split_at_checked(length) else {
                    return;
                };
                rest = after;
                if literal.iter().try_for_each(|byte| put(*byte)).is_none() {
                    return;
                }
            }
            count => {
                let [byte, after @ ..] = tail else { return };
                rest = after;
                let length = usize::from(count.unsigned_abs()) + 1;
                if (0..length).try_for_each(|_| put(*byte)).is_none() {
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut words = [0_u32; 16];
        words[0] = u32::try_from(segments.len()).unwrap();
        let mut offset = 64;
        for (word, segment) in words[1..].iter_mut().zip(segments) {
            *word = offset;
            offset += u32::try_from(segment.len()).unwrap();
        }
        words.iter().flat_map(|w| w.to_le_bytes()).chain(segments.concat()).collect()
    }

    #[test]
    fn runs_literals_and_pauses_unpack_to_bytes_of_samples() {
        let high = [0xfe, 1]; // three times 1
        let low = [0x80, 1, 7, 8, 0, 9, 0]; // pause, 7 8, 9, padding
        let samples = decode(&frame(&[&high, &low]), 1, 3, 2).unwrap();
        assert_eq!(samples, [7, 1, 8, 1, 9, 1]);
        let planes = decode(&frame(&[&high, &low]), 2, 3, 1).unwrap();
        assert_eq!(planes, [1, 1, 1, 7, 8, 9]);
    }

    #[test]
    fn short_segments_and_wrong_offsets_are_faults() {
        assert_eq!(decode(&frame(&[&[0xfe, 1]]), 1, 4, 1), Err(ImageFault::PixelCount));
        assert_eq!(decode(&frame(&[&[0xfe, 1]]), 1, 3, 2), Err(ImageFault::Codestream));
        assert_eq!(decode(&frame(&[&[0xfe, 1]]), 3, 3, 1), Err(ImageFault::Codestream));
        let mut beyond = frame(&[&[0xfe, 1]]);
        beyond[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(decode(&beyond, 1, 3, 1), Err(ImageFault::Corrupt));
        assert_eq!(decode(&[0; 63], 1, 1, 1), Err(ImageFault::PixelCount));
        assert_eq!(decode(&frame(&[[0, 1].as_slice(); 15]), 4, 1, 4), Err(ImageFault::Codestream));
    }
}
