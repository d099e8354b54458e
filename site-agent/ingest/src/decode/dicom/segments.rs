//! Palettes in segments (PS3.3 C.7.9.2): runs of entries, straight lines, and copies of segments before or behind.
//!
//! Numbers of a line are computed exactly and rounded to the nearest, of two equally near ones to the even one, as
//! pydicom does it. A copy is found by its offset in bytes from the beginning of the table, as the standard has it, and
//! has to begin where a segment does. A table that does not come out at the number of entries that it announces, or
//! that says anything else that the standard does not know, is refused as a whole.

use dicom_core::Tag;
use fedval_preprocess::LookupTable;

use super::data_set::DataSet;
use super::table::{self, Descriptor};
use crate::decode::fault::ImageFault;

/// Bytes of an offset.
const OFFSET_BYTES: usize = 4;

/// Reads the table whose segments are in `data`. `is_signed` says how its input is meant.
pub(super) fn read(
    data_set: &DataSet<'_>,
    descriptor: Tag,
    data: Tag,
    is_signed: bool,
) -> Result<LookupTable, ImageFault> {
    let Descriptor { count, first, bits } =
        Descriptor::read(data_set, None, descriptor, is_signed)?;
    let bytes = data_set.bytes(None, data).ok_or(ImageFault::ValueMapping)?;
    let entries = match bits {
        8 => expanded(&table::single_bytes(bytes, data_set.form()), 1, count),
        16 => expanded(&data_set.words(None, data).unwrap_or_default(), 2, count),
        _ => None,
    };
    let entries = entries.ok_or(ImageFault::PaletteSegments)?;
    LookupTable::new(first, entries, bits).ok_or(ImageFault::PaletteSegments)
}

/// A segment, and what it takes of the table.
enum Segment<'a> {
    /// Entries as they stand.
    Discrete(&'a [u16]),
    /// A straight line from the entry before to `end`, which is its last.
    Linear { length: u16, end: u16 },
    /// So many segments, from the one that begins at `start` on.
    Indirect { segments: usize, start: usize },
}

/// The `count` entries that segments make. `units` are their numbers, of `width` bytes each. `None` of what is not
/// exactly so many.
fn expanded(units: &[u16], width: usize, count: usize) -> Option<Vec<u16>> {
    let segments = segments(units, width)?;
    let mut entries = Vec::with_capacity(count);
    for (_, segment) in &segments {
        let copied = match segment {
            // Nothing is there that a copy could go on from.
            Segment::Indirect { .. } if entries.is_empty() => return None,
            Segment::Indirect { segments: copied, start } => {
                let first = segments.binary_search_by_key(start, |(at, _)| *at).ok()?;
                segments.get(first..first.checked_add(*copied)?)?
            }
            _ => {
                append(segment, &mut entries, count)?;
                continue;
            }
        };
        for (_, segment) in copied {
            append(segment, &mut entries, count)?;
        }
    }
    (entries.len() == count).then_some(entries)
}

/// The segments with the places where they begin. One without entries is refused, so that no table is walked through
/// longer than it has entries.
fn segments(units: &[u16], width: usize) -> Option<Vec<(usize, Segment<'_>)>> {
    let mut segments = Vec::new();
    let mut at = 0;
    while at < units.len() {
        // Bytes are filled up to an even number.
        if width == 1 && units[at..] == [0] {
            break;
        }
        let [opcode, length, rest @ ..] = &units[at..] else { return None };
        if *length == 0 {
            return None;
        }
        let (segment, taken) = match opcode {
            0 => {
                let length = usize::from(*length);
                (Segment::Discrete(rest.get(..length)?), length)
            }
            1 => (Segment::Linear { length: *length, end: *rest.first()? }, 1),
            2 => {
                let taken = OFFSET_BYTES / width;
                let start = place(rest.get(..taken)?, width)?;
                (Segment::Indirect { segments: usize::from(*length), start }, taken)
            }
            _ => return None,
        };
        segments.push((at, segment));
        at += 2 + taken;
    }
    Some(segments)
}

/// The place among the units that an offset in bytes means, its lowest part first.
fn place(offset: &[u16], width: usize) -> Option<usize> {
    let bits = u8::BITS * u32::try_from(width).ok()?;
    let bytes = offset.iter().rev().fold(0_u32, |sum, unit| (sum << bits) | u32::from(*unit));
    let bytes = usize::try_from(bytes).ok()?;
    bytes.is_multiple_of(width).then_some(bytes / width)
}

/// Adds the entries of a segment that is no copy, `most` in all.
fn append(segment: &Segment<'_>, entries: &mut Vec<u16>, most: usize) -> Option<()> {
    match segment {
        Segment::Discrete(values) => entries.extend_from_slice(values),
        Segment::Linear { length, end } => {
            let start = *entries.last()?;
            entries.extend((1..=*length).map(|step| between(start, *end, step, *length)));
        }
        Segment::Indirect { .. } => return None,
    }
    (entries.len() <= most).then_some(())
}

/// The number at `step` of `length` steps from `start` to `end`.
fn between(start: u16, end: u16, step: u16, length: u16) -> u16 {
    let [start, end, step, length] = [start, end, step, length].map(u32::from);
    // Both weights together are the length: no sum is beyond 32 bits.
    let sum = start * (length - step) + end * step;
    let (whole, rest) = (sum / length, sum % length);
    let up = match (2 * rest).cmp(&length) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => whole % 2,
        std::cmp::Ordering::Greater => 1,
    };
    u16::try_from(whole + up).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(units: &[u16], count: usize) -> Option<Vec<u16>> {
        expanded(units, 1, count)
    }

    fn words(units: &[u16], count: usize) -> Option<Vec<u16>> {
        expanded(units, 2, count)
    }

    #[test]
    fn runs_and_lines_are_those_that_pydicom_makes() {
        // Down by 256 in 4 and up by 9 in 6, whose fourth number lies half-way and goes to the even one.
        let units = [0, 2, 0, 255, 1, 5, 0, 1, 6, 9, 1, 2, 9];
        let expected = [0, 255, 204, 153, 102, 51, 0, 2, 3, 4, 6, 8, 9, 9, 9];
        assert_eq!(bytes(&units, 15), Some(expected.to_vec()));
        assert_eq!(words(&units, 15), Some(expected.to_vec()));
        let whole = words(&[0, 1, 65_535, 1, 4, 0, 1, 65_531, 65_535], 65_536).unwrap();
        assert_eq!(whole[..6], [65_535, 49_151, 32_768, 16_384, 0, 1]);
        assert_eq!(whole[65_530..], [65_530, 65_531, 65_532, 65_533, 65_534, 65_535][..]);
    }

    #[test]
    fn a_copy_goes_on_from_where_the_table_is_and_is_found_by_its_byte() {
        // A run, a line up by 4 to 8, and both again; then the line alone, down from 8 to 8.
        let eight = [0, 1, 4, 1, 2, 8, 2, 2, 0, 0, 0, 0, 2, 1, 3, 0, 0, 0];
        assert_eq!(bytes(&eight, 8), Some(vec![4, 6, 8, 4, 6, 8, 8, 8]));
        // The same of words, whose second segment begins at the sixth byte.
        let sixteen = [0, 1, 4, 1, 2, 8, 2, 2, 0, 0, 2, 1, 6, 0];
        assert_eq!(words(&sixteen, 8), Some(vec![4, 6, 8, 4, 6, 8, 8, 8]));
        // The upper half of the offset counts.
        assert_eq!(words(&[0, 1, 4, 2, 1, 0, 1], 2), None);
        assert_eq!(bytes(&[0, 1, 4, 2, 1, 0, 0, 1, 0], 2), None);
    }

    #[test]
    fn bytes_may_end_in_one_that_fills_up() {
        assert_eq!(bytes(&[0, 1, 7, 0], 1), Some(vec![7]));
        assert_eq!(bytes(&[0, 1, 7, 1], 1), None);
        assert_eq!(words(&[0, 1, 7, 0], 1), None);
    }

    #[test]
    fn what_the_standard_does_not_know_is_refused() {
        for (what, units, count) in [
            ("nothing", &[][..], 1),
            ("a line first", &[1, 2, 9], 2),
            ("a copy first", &[2, 1, 4, 0, 0, 1, 9], 2),
            ("an opcode that is reserved", &[0, 1, 5, 3, 1, 5], 2),
            ("a run without entries", &[0, 1, 5, 0, 0], 1),
            ("a line without entries", &[0, 1, 5, 1, 0, 9], 1),
            ("a copy of nothing", &[0, 1, 5, 2, 0, 0, 0], 1),
            ("a run that ends early", &[0, 4, 1, 2, 3], 4),
            ("a line without an end", &[0, 1, 5, 1, 1], 2),
            ("half an offset", &[0, 1, 5, 2, 1, 0], 2),
            ("a copy from within a segment", &[0, 2, 5, 6, 2, 1, 4, 0], 3),
            ("a copy from within a word", &[0, 1, 5, 2, 1, 1, 0], 2),
            ("a copy of itself", &[0, 1, 5, 2, 1, 6, 0], 2),
            ("a copy of a copy", &[0, 1, 5, 2, 1, 0, 0, 2, 1, 6, 0], 3),
            ("a copy of more than there is", &[0, 1, 5, 2, 3, 0, 0], 4),
            ("fewer entries than announced", &[0, 2, 5, 6], 3),
            ("more entries than announced", &[0, 2, 5, 6], 1),
        ] {
            assert_eq!(words(units, count), None, "{what}");
        }
    }
}
