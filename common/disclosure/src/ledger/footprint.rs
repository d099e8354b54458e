//! What the ledger remembers of a release: who was in which cell, and which cells were shown.

use fedval_study::Members;

/// Members of a cohort and the cells that a release showed of them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Footprint {
    /// Who stands where.
    pub members: Members,
    /// For each table, whether each cell was shown.
    pub shown: Vec<Vec<bool>>,
    /// Whether counts carried noise: then sums of them bound nobody's share, and only what they cost
    /// is remembered.
    pub noisy: bool,
}

impl std::fmt::Debug for Footprint {
    /// Counts only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Footprint").field("members", &self.members).finish_non_exhaustive()
    }
}

/// The bytes are no footprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what the ledger remembers of a release is damaged")]
pub struct FootprintDamaged;

impl Footprint {
    /// That of an answer about a cohort of which no cell was shown.
    #[must_use]
    pub fn of_nothing_shown(members: Members) -> Self {
        let tables = members.cases.first().map_or(0, |case| case.cells.len());
        Self { members, shown: vec![Vec::new(); tables], noisy: false }
    }

    /// The stored form: noise, number of tables, for each its cells and a byte for each cell, members.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let short = |n: usize| u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes();
        let mut bytes = vec![u8::from(self.noisy)];
        bytes.extend(short(self.shown.len()));
        for cells in &self.shown {
            bytes.extend(short(cells.len()));
            bytes.extend(cells.iter().map(|shown| u8::from(*shown)));
        }
        self.members.append_to(&mut bytes);
        bytes
    }

    /// Reads the stored form.
    ///
    /// # Errors
    ///
    /// [`FootprintDamaged`] for anything that [`to_bytes`](Self::to_bytes) does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FootprintDamaged> {
        let (noisy, mut rest) = bytes.split_first().ok_or(FootprintDamaged)?;
        let mut shown = Vec::new();
        for _ in 0..short(&mut rest)? {
            let cells = usize::from(short(&mut rest)?);
            let (flags, after) = rest.split_at_checked(cells).ok_or(FootprintDamaged)?;
            shown.push(flags.iter().map(|flag| *flag == 1).collect());
            rest = after;
        }
        let members = Members::from_bytes(rest).map_err(|_| FootprintDamaged)?;
        let tables = members.cases.iter().all(|case| case.cells.len() == shown.len());
        if *noisy > 1 || !tables {
            return Err(FootprintDamaged);
        }
        Ok(Self { members, shown, noisy: *noisy == 1 })
    }
}

fn short(rest: &mut &[u8]) -> Result<u16, FootprintDamaged> {
    let (number, after) = rest.split_first_chunk::<2>().ok_or(FootprintDamaged)?;
    *rest = after;
    Ok(u16::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use fedval_study::members::Member;

    use super::*;

    #[test]
    fn the_stored_form_is_read_as_it_was_written() {
        let case = Member { patient: 0, case: [1; 16], positive: true, cells: [1, 0].into() };
        let footprint = Footprint {
            members: Members::new(vec![[9; 16]], vec![case]),
            shown: vec![vec![true, false, true], vec![false]],
            noisy: true,
        };
        let bytes = footprint.to_bytes();
        assert_eq!(Footprint::from_bytes(&bytes), Ok(footprint));
        for end in 0..bytes.len() {
            assert_eq!(Footprint::from_bytes(&bytes[..end]), Err(FootprintDamaged), "{end}");
        }
    }
}
