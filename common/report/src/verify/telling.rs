//! Parts as they become known.

use super::PartCheck;

/// Every part so far. Each is told when it is added.
pub(super) struct Telling<'t> {
    tell: &'t mut dyn FnMut(&PartCheck),
    parts: Vec<PartCheck>,
}

impl<'t> Telling<'t> {
    pub(super) fn new(tell: &'t mut dyn FnMut(&PartCheck)) -> Self {
        Self { tell, parts: Vec::new() }
    }

    pub(super) fn of(&mut self, part: PartCheck) {
        (self.tell)(&part);
        self.parts.push(part);
    }

    pub(super) fn of_all(&mut self, parts: impl IntoIterator<Item = PartCheck>) {
        parts.into_iter().for_each(|part| self.of(part));
    }

    pub(super) fn into_parts(self) -> Vec<PartCheck> {
        self.parts
    }
}
