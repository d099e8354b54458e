//! Voxels of a mask, one bit each.

use std::ops::Range;

use super::MAX_MASK_VOXELS;
use crate::decode::MAX_SIDE;
use crate::decode::fault::ImageFault;

const BITS: usize = u64::BITS as usize;

/// Which voxels of a volume a structure holds, in C order.
#[derive(Clone, PartialEq)]
pub(in crate::decode) struct Voxels {
    words: Vec<u64>,
    /// Planes, rows of each, voxels of a row.
    shape: [usize; 3],
}

impl Voxels {
    /// None yet. Sizes are looked at before anything is allocated.
    pub(in crate::decode) fn none(shape: [usize; 3]) -> Result<Self, ImageFault> {
        let voxels = shape.iter().try_fold(1_usize, |voxels, side| voxels.checked_mul(*side));
        let is_readable = shape.iter().all(|side| (1..=MAX_SIDE).contains(side));
        match voxels.filter(|voxels| is_readable && *voxels <= MAX_MASK_VOXELS) {
            Some(voxels) => Ok(Self { words: vec![0; voxels.div_ceil(BITS)], shape }),
            None => Err(ImageFault::Size),
        }
    }

    /// Adds the voxel of this place in C order.
    pub(in crate::decode) fn add(&mut self, place: usize) {
        self.words[place / BITS] |= 1 << (place % BITS);
    }

    pub(super) fn holds(&self, place: usize) -> bool {
        self.words[place / BITS] >> (place % BITS) & 1 == 1
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The smallest box around all of them; `None` where there is none.
    pub(super) fn bounds(&self) -> Option<[Range<usize>; 3]> {
        let [_, height, width] = self.shape;
        let (mut first, mut end) = ([usize::MAX; 3], [0; 3]);
        for (index, word) in self.words.iter().enumerate() {
            let mut left = *word;
            while left != 0 {
                let place = index * BITS + left.trailing_zeros() as usize;
                left &= left - 1;
                let at = [place / (height * width), place / width % height, place % width];
                for axis in 0..3 {
                    first[axis] = first[axis].min(at[axis]);
                    end[axis] = end[axis].max(at[axis] + 1);
                }
            }
        }
        (!self.is_empty()).then(|| [0, 1, 2].map(|axis| first[axis]..end[axis]))
    }

    /// Those of a part, in C order; beyond the volume there are none.
    pub(super) fn part(&self, part: &[Range<i64>; 3]) -> Vec<bool> {
        let [planes, rows, columns] = part;
        let [_, height, width] = self.shape;
        let inside = |place: i64, axis: usize| {
            usize::try_from(place).ok().filter(|place| *place < self.shape[axis])
        };
        let mut voxels = Vec::new();
        for plane in planes.clone() {
            for row in rows.clone() {
                let begin = inside(plane, 0).zip(inside(row, 1));
                let begin = begin.map(|(plane, row)| (plane * height + row) * width);
                voxels.extend(columns.clone().map(|column| {
                    begin.zip(inside(column, 2)).is_some_and(|(begin, at)| self.holds(begin + at))
                }));
            }
        }
        voxels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_holds_what_lies_in_it() {
        let mut voxels = Voxels::none([3, 5, 7]).unwrap_or_else(|_| panic!("it is small"));
        assert!(voxels.is_empty() && voxels.bounds().is_none());
        // At (1, 2, 3) and (2, 2, 6), on either side of a word's end.
        voxels.add(35 + 14 + 3);
        voxels.add(70 + 14 + 6);
        let bounds = voxels.bounds();
        assert_eq!(bounds, Some([1..3, 2..3, 3..7]));
        let part = voxels.part(&[1..3, 2..3, 3..7]);
        assert_eq!(part, [true, false, false, false, false, false, false, true]);
        let beyond = voxels.part(&[2..4, 2..3, 6..8]);
        assert_eq!(beyond, [true, false, false, false]);
        assert!(voxels.part(&[-1..0, 2..3, -1..7]).iter().all(|is_in| !is_in));
    }

    #[test]
    fn no_voxel_is_allocated_beyond_the_most() {
        for shape in [[512, 512, 513], [0, 5, 5], [1, 1, MAX_SIDE + 1], [MAX_SIDE; 3]] {
            assert_eq!(Voxels::none(shape).map(|_| ()), Err(ImageFault::Size), "{shape:?}");
        }
        assert!(Voxels::none([512, 512, 512]).is_ok());
    }
}
