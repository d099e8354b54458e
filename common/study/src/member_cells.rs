//! The cells of one member, without an allocation of their own: a million members are in memory at once.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// So many cells stand in the member itself: with their number they take no more room than a pointer and two lengths.
const FEW: usize = 11;

/// A member's cell in each table of a protocol, in the order of tables: 24 bytes, and beyond eleven tables two more for each.
#[derive(Clone)]
pub struct MemberCells(Cells);

#[derive(Clone)]
enum Cells {
    Few { count: u8, cells: [u16; FEW] },
    Many(Box<[u16]>),
}

impl MemberCells {
    /// The cells.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        match &self.0 {
            Cells::Few { count, cells } => cells.get(..usize::from(*count)).unwrap_or(cells),
            Cells::Many(cells) => cells,
        }
    }

    /// Keeps the cells in the first tables.
    pub fn truncate(&mut self, tables: usize) {
        *self = self.iter().copied().take(tables).collect();
    }

    /// Adds the cell in one table more.
    pub fn push(&mut self, cell: u16) {
        *self = self.iter().copied().chain([cell]).collect();
    }
}

impl Default for MemberCells {
    fn default() -> Self {
        Self(Cells::Few { count: 0, cells: [0; FEW] })
    }
}

impl FromIterator<u16> for MemberCells {
    fn from_iter<I: IntoIterator<Item = u16>>(cells: I) -> Self {
        let mut rest = cells.into_iter().fuse();
        let (mut count, mut few) = (0_u8, [0; FEW]);
        for (place, cell) in few.iter_mut().zip(rest.by_ref()) {
            *place = cell;
            count += 1;
        }
        match rest.next() {
            None => Self(Cells::Few { count, cells: few }),
            Some(next) => Self(Cells::Many(few.into_iter().chain([next]).chain(rest).collect())),
        }
    }
}

impl From<&[u16]> for MemberCells {
    fn from(cells: &[u16]) -> Self {
        cells.iter().copied().collect()
    }
}

impl From<Vec<u16>> for MemberCells {
    fn from(cells: Vec<u16>) -> Self {
        cells.into_iter().collect()
    }
}

impl<const N: usize> From<[u16; N]> for MemberCells {
    fn from(cells: [u16; N]) -> Self {
        cells.into_iter().collect()
    }
}

impl Deref for MemberCells {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        self.as_slice()
    }
}

impl DerefMut for MemberCells {
    fn deref_mut(&mut self) -> &mut [u16] {
        match &mut self.0 {
            Cells::Few { count, cells } => {
                let count = usize::from(*count).min(FEW);
                &mut cells[..count]
            }
            Cells::Many(cells) => cells,
        }
    }
}

impl PartialEq for MemberCells {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for MemberCells {}

impl<const N: usize> PartialEq<[u16; N]> for MemberCells {
    fn eq(&self, other: &[u16; N]) -> bool {
        self.as_slice() == other
    }
}

impl PartialEq<Vec<u16>> for MemberCells {
    fn eq(&self, other: &Vec<u16>) -> bool {
        self.as_slice() == other
    }
}

impl fmt::Debug for MemberCells {
    /// Names the type only: where a patient stands does not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemberCells(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_what_they_were_however_many() {
        for count in 0..30_u16 {
            let cells: Vec<u16> = (0..count).map(|place| place * 7).collect();
            let mut held = MemberCells::from(cells.clone());
            assert_eq!(held.as_slice(), cells);
            assert!(held == MemberCells::from(&cells[..]));
            held.push(5);
            held.iter_mut().for_each(|cell| *cell += 1);
            let expected: Vec<u16> = cells.iter().chain(&[5]).map(|cell| cell + 1).collect();
            assert_eq!((held.as_slice(), held.len()), (&expected[..], expected.len()));
            assert_ne!(held.as_slice(), cells);
            held.truncate(cells.len() / 2);
            assert_eq!(held.len(), cells.len() / 2);
        }
        assert!(MemberCells::default() == [0_u16; 0]);
    }

    #[test]
    fn eleven_cells_take_no_more_than_is_said_and_are_not_shown() {
        assert_eq!(size_of::<MemberCells>(), 24);
        assert_eq!(format!("{:?}", MemberCells::from([17, 18])), "MemberCells(..)");
    }
}
