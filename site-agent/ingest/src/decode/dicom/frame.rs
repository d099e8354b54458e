//! Which bytes of a file belong to a frame.

use super::data_set::Fragment;
use crate::decode::fault::ImageFault;

/// The bytes of the frame at `index`, counted from 0, of `frames` in all, put together from its
/// fragments.
pub(super) fn bytes(
    offsets: &[u8],
    fragments: &[Fragment<'_>],
    frames: u32,
    index: u32,
) -> Result<Vec<u8>, ImageFault> {
    if fragments.is_empty() {
        return Err(ImageFault::PixelCount);
    }
    let belonging = if frames == 1 {
        fragments
    } else if fragments.len() == frames as usize {
        std::slice::from_ref(fragments.get(index as usize).ok_or(ImageFault::FrameAbsent)?)
    } else {
        by_offsets(offsets, fragments, frames, index)?
    };
    Ok(belonging.iter().map(|fragment| fragment.bytes).collect::<Vec<_>>().concat())
}

/// The fragments between the frame's offset and the next one's, counted from the first fragment.
fn by_offsets<'f, 'a>(
    offsets: &[u8],
    fragments: &'f [Fragment<'a>],
    frames: u32,
    index: u32,
) -> Result<&'f [Fragment<'a>], ImageFault> {
    let (offsets, _) = offsets.as_chunks::<4>();
    if offsets.len() != frames as usize {
        return Err(ImageFault::FrameBounds);
    }
    let first = fragments.first().map_or(0, |fragment| fragment.offset);
    let place = |offset: &[u8; 4]| {
        let offset = first + u64::from(u32::from_le_bytes(*offset));
        fragments.binary_search_by_key(&offset, |fragment| fragment.offset)
    };
    let start = offsets.get(index as usize).map(place);
    let end = offsets.get(index as usize + 1).map_or(Ok(fragments.len()), place);
    match (start, end) {
        (Some(Ok(start)), Ok(end)) if start < end => Ok(&fragments[start..end]),
        (None, _) => Err(ImageFault::FrameAbsent),
        _ => Err(ImageFault::FrameBounds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_several_fragments_are_told_apart_by_the_offset_table_alone() {
        let pieces: [&[u8]; 3] = [b"ab", b"cd", b"ef"];
        let fragments: Vec<_> = (0_u64..)
            .zip(pieces)
            .map(|(place, bytes)| Fragment { offset: 100 + place * 10, bytes })
            .collect();
        let table = |offsets: [u32; 2]| offsets.map(u32::to_le_bytes).concat();
        let read = |offsets: &[u8], frames, index| bytes(offsets, &fragments, frames, index);
        assert_eq!(read(&table([0, 20]), 2, 0), Ok(b"abcd".to_vec()));
        assert_eq!(read(&table([0, 20]), 2, 1), Ok(b"ef".to_vec()));
        assert_eq!(read(&[], 1, 0), Ok(b"abcdef".to_vec()));
        assert_eq!(read(&[], 3, 2), Ok(b"ef".to_vec()));
        assert_eq!(read(&[], 2, 0), Err(ImageFault::FrameBounds));
        assert_eq!(read(&table([20, 0]), 2, 0), Err(ImageFault::FrameBounds));
        assert_eq!(read(&table([0, 5]), 2, 1), Err(ImageFault::FrameBounds));
    }
}
