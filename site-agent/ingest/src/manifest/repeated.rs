//! Which ids were there before, and where: beside the ids themselves, some ten bytes each.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;

/// Numbers by the ids that they stand for. The ids are somewhere else, and are not held a second time.
#[derive(Default)]
pub(super) struct Ids {
    numbers: HashTable<u32>,
    /// Keyed anew each time: no manifest can be made so that all of its ids fall into one place.
    state: RandomState,
}

impl Ids {
    /// The number of an id; `None` of one that was not added. `id_of` tells the id of a number that was.
    pub(super) fn find<'t>(&self, id: &str, id_of: impl Fn(u32) -> Option<&'t str>) -> Option<u32> {
        let is_it = |number: &u32| id_of(*number) == Some(id);
        self.numbers.find(self.state.hash_one(id), is_it).copied()
    }

    /// Adds an id that is new.
    pub(super) fn add<'t>(
        &mut self,
        id: &str,
        number: u32,
        id_of: impl Fn(u32) -> Option<&'t str>,
    ) {
        let Self { numbers, state } = self;
        let hash_of = |number: &u32| state.hash_one(id_of(*number).unwrap_or_default());
        numbers.insert_unique(state.hash_one(id), number, hash_of);
    }
}

/// The line of each case, by its place: where every case has a line of its own and no line is left out, nothing is held.
#[derive(Default)]
pub(super) struct Lines(Vec<Run>);

/// Cases whose lines follow each other.
struct Run {
    /// The first one's place and line.
    place: u32,
    line: u64,
}

impl Lines {
    /// Adds the next case.
    pub(super) fn push(&mut self, place: u32, line: u64) {
        if self.get(place) != Some(line) {
            self.0.push(Run { place, line });
        }
    }

    /// The line of a case that was added. Behind the last: the line that would follow.
    pub(super) fn get(&self, place: u32) -> Option<u64> {
        let behind = self.0.partition_point(|run| run.place <= place);
        let run = self.0.get(behind.checked_sub(1)?)?;
        Some(run.line + u64::from(place - run.place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_under_its_number_and_no_other_is() {
        let texts: Vec<String> = (0..5_000).map(|number| format!("id-{number}")).collect();
        let id_of = |number: u32| texts.get(number as usize).map(String::as_str);
        let mut ids = Ids::default();
        for (number, text) in (0..).zip(&texts) {
            assert_eq!(ids.find(text, id_of), None);
            ids.add(text, number, id_of);
        }
        assert!((0..).zip(&texts).all(|(number, text)| ids.find(text, id_of) == Some(number)));
        assert_eq!((ids.find("", id_of), ids.find("id-5000", id_of)), (None, None));
    }

    #[test]
    fn lines_are_told_also_behind_ones_that_are_left_out() {
        let told = [2, 3, 4, 7, 8, 20, 21, 22];
        let mut lines = Lines::default();
        assert_eq!(lines.get(0), None);
        for (place, line) in (0..).zip(told) {
            lines.push(place, line);
        }
        assert_eq!((0..8).filter_map(|place| lines.get(place)).collect::<Vec<_>>(), told);
        assert_eq!(lines.0.len(), 3);
    }
}
