//! The cases that each unit of analysis was made of.

/// Places of cases in the manifest, unit by unit: four bytes a case and four a unit.
#[derive(Debug, Default)]
pub(crate) struct CaseLists {
    /// Where the cases of each unit end.
    ends: Vec<u32>,
    cases: Vec<u32>,
}

impl CaseLists {
    /// Of so many units with a case each.
    pub(crate) fn of_single_cases(units: usize) -> Self {
        Self { ends: Vec::with_capacity(units), cases: Vec::with_capacity(units) }
    }

    /// Adds the next unit.
    pub(crate) fn push(&mut self, cases: impl Iterator<Item = u32>) {
        self.cases.extend(cases);
        self.ends.push(u32::try_from(self.cases.len()).unwrap_or(u32::MAX));
    }

    /// Cases of all units.
    pub(crate) const fn cases(&self) -> usize {
        self.cases.len()
    }

    /// The cases of each unit, in the order of units.
    pub(crate) fn units(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let bounds = starts.zip(&self.ends);
        bounds.map(|(start, end)| &self.cases[start as usize..*end as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_has_its_own_cases() {
        let mut lists = CaseLists::default();
        for cases in [&[4, 7][..], &[], &[1]] {
            lists.push(cases.iter().copied());
        }
        assert_eq!(lists.units().collect::<Vec<_>>(), [&[4, 7][..], &[], &[1]]);
        assert_eq!((lists.cases(), CaseLists::default().units().count()), (3, 0));
    }
}
