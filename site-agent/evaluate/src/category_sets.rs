//! Categories of cases, each combination once: a case holds the number of its own.

use std::collections::HashMap;
use std::sync::Arc;

/// A case's category in each dimension of the dictionary, by its place among the dimension's; `None` where the value is
/// missing or unlisted.
pub(crate) type Categories = [Option<u16>];

/// Combinations that cases have.
#[derive(Debug, Default)]
pub(crate) struct CategorySets {
    sets: Vec<Arc<Categories>>,
    numbers: HashMap<Arc<Categories>, u32>,
}

impl CategorySets {
    /// The number of a combination, which is added where it is new. There are fewer than cases.
    pub(crate) fn number(&mut self, categories: &Categories) -> u32 {
        if let Some(number) = self.numbers.get(categories) {
            return *number;
        }
        let number = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        let set: Arc<Categories> = categories.into();
        self.sets.push(Arc::clone(&set));
        self.numbers.insert(set, number);
        number
    }

    /// The combination with a number; nothing for one that was not given out.
    pub(crate) fn get(&self, number: u32) -> &Categories {
        self.sets.get(number as usize).map_or(&[], |set| &**set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_combination_has_one_number_and_is_had_back_by_it() {
        let mut sets = CategorySets::default();
        let combinations: [&Categories; 4] = [&[Some(1), None], &[None, Some(1)], &[], &[None]];
        let numbers = combinations.map(|categories| sets.number(categories));
        assert_eq!(numbers, [0, 1, 2, 3]);
        assert_eq!(combinations.map(|categories| sets.number(categories)), numbers);
        assert!(numbers.iter().zip(combinations).all(|(number, set)| sets.get(*number) == set));
        assert!(sets.get(4).is_empty());
    }
}
