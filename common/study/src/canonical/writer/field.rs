//! Fields of structures as they are written. A large document has a few dozen names, and each of them ten thousand
//! times: what a name looks like, and that it follows the one before it, is found out once.

use std::cmp::Ordering;
use std::ptr;

use super::object::order;

/// So many fields are remembered.
const PLACES: usize = 128;
/// The longest that is, with comma, quotes and colon.
const LONGEST: usize = 40;

/// A field behind another one.
#[derive(Clone, Copy)]
struct Field {
    before: Option<&'static str>,
    name: &'static str,
    /// `,"name":`
    text: [u8; LONGEST],
    length: usize,
    follows: bool,
}

/// The fields that were written last.
#[derive(Default)]
pub(super) struct Fields(Vec<Option<Field>>);

impl Fields {
    /// The text `,"name":`, and whether the name follows the one `before` it in the order of keys; nothing of a name that
    /// is long or has anything in it that is not written as it is.
    pub(super) fn written(
        &mut self,
        before: Option<&'static str>,
        name: &'static str,
    ) -> Option<(&[u8], bool)> {
        if self.0.is_empty() {
            self.0.resize(PLACES, None);
        }
        let place = &mut self.0[place(before, name)];
        let is_known = place.as_ref().is_some_and(|field| field.is(before, name));
        if !is_known {
            *place = Some(Field::new(before, name)?);
        }
        place.as_ref().map(|field| (&field.text[..field.length], field.follows))
    }
}

impl Field {
    fn new(before: Option<&'static str>, name: &'static str) -> Option<Self> {
        let length = name.len() + 4;
        if length > LONGEST || !super::are_plain(name.as_bytes()) {
            return None;
        }
        let mut text = [0; LONGEST];
        text[..2].copy_from_slice(b",\"");
        text[2..length - 2].copy_from_slice(name.as_bytes());
        text[length - 2..length].copy_from_slice(b"\":");
        let follows = before.is_none_or(|before| order(before, name) == Ordering::Less);
        Some(Self { before, name, text, length, follows })
    }

    /// Names stand where they stand as long as the program runs: what lies at one place is one name.
    fn is(&self, before: Option<&'static str>, name: &'static str) -> bool {
        let is_before = match (self.before, before) {
            (Some(known), Some(before)) => ptr::eq(known, before),
            (known, before) => known.is_none() && before.is_none(),
        };
        is_before && ptr::eq(self.name, name)
    }
}

fn place(before: Option<&'static str>, name: &'static str) -> usize {
    let at = |name: &str| name.as_ptr().addr();
    let both = before.map_or(0, at).wrapping_mul(31).wrapping_add(at(name));
    (both ^ (both >> 7)) % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_known_by_the_one_before_it() {
        let mut fields = Fields::default();
        for _ in 0..2 {
            assert_eq!(fields.written(None, "b"), Some((&b",\"b\":"[..], true)));
            assert_eq!(fields.written(Some("a"), "b"), Some((&b",\"b\":"[..], true)));
            assert_eq!(fields.written(Some("b"), "b"), Some((&b",\"b\":"[..], false)));
            assert_eq!(fields.written(Some("b"), "a"), Some((&b",\"a\":"[..], false)));
        }
    }

    #[test]
    fn parts_of_one_text_are_names_of_their_own() {
        static TEXT: &str = "abc";
        let mut fields = Fields::default();
        for _ in 0..2 {
            assert_eq!(fields.written(None, &TEXT[..1]).unwrap().0, b",\"a\":");
            assert_eq!(fields.written(None, &TEXT[..3]).unwrap().0, b",\"abc\":");
            assert_eq!(fields.written(Some(&TEXT[..3]), &TEXT[1..2]).unwrap().0, b",\"b\":");
        }
    }

    #[test]
    fn names_that_are_not_written_as_they_are_are_not_kept() {
        let mut fields = Fields::default();
        assert_eq!(fields.written(None, "say \"a\""), None);
        assert_eq!(fields.written(None, "a name that is longer than any that is kept"), None);
        assert!(fields.written(None, "").is_some());
    }
}
