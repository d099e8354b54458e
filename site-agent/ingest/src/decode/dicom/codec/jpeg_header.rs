//! What a JPEG or JPEG-LS stream says of its image, up to the first scan (ISO/IEC 10918-1, Annex B).

use crate::decode::fault::ImageFault;

/// The frame header and what says how colours are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JpegHeader {
    /// Last byte of the marker: the process.
    pub(super) process: u8,
    /// Bits of a sample.
    pub(super) precision: u8,
    pub(super) height: u16,
    pub(super) width: u16,
    pub(super) components: u8,
    /// What the Adobe segment says of a transform, where there is one.
    pub(super) adobe_transform: Option<u8>,
    pub(super) has_jfif: bool,
}

/// Markers of frames: all between `C0` and `CF` but for tables and conditions, and that of JPEG-LS.
const fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7)
}

impl JpegHeader {
    pub(super) fn read(stream: &[u8]) -> Result<Self, ImageFault> {
        let mut rest = stream.strip_prefix(&[0xff, 0xd8]).ok_or(ImageFault::Corrupt)?;
        let (mut adobe_transform, mut has_jfif) = (None, false);
        loop {
            let (marker, segment, after) = segment(rest).ok_or(ImageFault::Corrupt)?;
            match (marker, segment) {
                (0xe0, [b'J', b'F', b'I', b'F', ..]) => has_jfif = true,
                (0xee, [b'A', b'd', b'o', b'b', b'e', _, _, _, _, _, _, transform, ..]) => {
                    adobe_transform = Some(*transform);
                }
                (0xd9 | 0xda, _) => return Err(ImageFault::Corrupt),
                (process, [precision, h1, h0, w1, w0, components, ..]) if is_frame(process) => {
                    return Ok(Self {
                        process,
                        precision: *precision,
                        height: u16::from_be_bytes([*h1, *h0]),
                        width: u16::from_be_bytes([*w1, *w0]),
                        components: *components,
                        adobe_transform,
                        has_jfif,
                    });
                }
                _ => {}
            }
            rest = after;
        }
    }
}

/// The next marker, its segment without the length, and what follows.
pub(super) fn segment(stream: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [0xff, rest @ ..] = stream else { return None };
    // Any number of fill bytes may stand before a marker.
    let start = rest.iter().position(|byte| *byte != 0xff)?;
    let [marker, rest @ ..] = &rest[start..] else { return None };
    let (length, _) = rest.split_first_chunk()?;
    let (segment, after) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some((*marker, segment.get(2..)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_colours_are_read_and_broken_lengths_are_faults() {
        let stream = [
            &b"\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\x01"[..],
            b"\xff\xff\xc0\x00\x0b\x08\x00\x02\x00\x03\x01\x01\x11\x00",
        ]
        .concat();
        let header = JpegHeader::read(&stream).unwrap();
        assert_eq!((header.process, header.precision, header.components), (0xc0, 8, 1));
        assert_eq!((header.height, header.width), (2, 3));
        assert_eq!((header.adobe_transform, header.has_jfif), (Some(1), false));
        for end in 0..stream.len() {
            assert_eq!(JpegHeader::read(&stream[..end]), Err(ImageFault::Corrupt));
        }
        assert_eq!(JpegHeader::read(b"\xff\xd8\xff\xe0\0\x01"), Err(ImageFault::Corrupt));
    }
}
