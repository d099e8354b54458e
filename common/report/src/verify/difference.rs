//! Where two JSON documents first differ.
//!
//! Both are walked through side by side, so that nothing is built of a document that may be as large as it
//! likes. One of them is this program's own and canonical; whatever agrees with it all along has its members in
//! order, once each, and nothing between them.

/// How two documents are held against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Agreement {
    /// Every value and every key.
    Same,
    /// What another revision of the program gives: the same keys, numbers to nine digits.
    Close,
}

/// Relative to the larger of the two, or absolute below 1.
const CLOSE: f64 = 1e-9;

/// The first path, in the order of keys, at which `found` and the canonical `expected` differ; `None` where both
/// agree.
pub(super) fn first_difference(
    found: &[u8],
    expected: &[u8],
    agreement: Agreement,
) -> Option<String> {
    let mut walk =
        Walk { found: Cursor(found), expected: Cursor(expected), path: Vec::new(), agreement };
    if walk.value().is_ok() && walk.found.0.is_empty() && walk.expected.0.is_empty() {
        return None;
    }
    Some(walk.path.iter().fold("$".to_owned(), |path, step| match step {
        Step::Member(key) => format!("{path}.{}", super::printable(&String::from_utf8_lossy(key))),
        Step::Element(index) => format!("{path}[{index}]"),
    }))
}

/// Both documents differ where the path points to.
struct Differ;

/// A step down a document.
enum Step<'d> {
    /// The key as it is written, without its quotation marks.
    Member(&'d [u8]),
    Element(usize),
}

/// What is left of a document.
struct Cursor<'d>(&'d [u8]);

impl<'d> Cursor<'d> {
    fn next(&self) -> u8 {
        self.0.first().copied().unwrap_or(0)
    }

    /// Takes one byte if it is the one.
    fn take(&mut self, byte: u8) -> bool {
        let is_it = self.next() == byte;
        if is_it {
            self.0 = &self.0[1..];
        }
        is_it
    }

    /// Takes a text, number or word: as it is written.
    fn scalar(&mut self) -> &'d [u8] {
        let length = if self.next() == b'"' {
            self.text_length()
        } else {
            let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b':');
            self.0.iter().position(ends).unwrap_or(self.0.len())
        };
        let (scalar, rest) = self.0.split_at(length);
        self.0 = rest;
        scalar
    }

    fn text_length(&self) -> usize {
        let mut is_escaped = false;
        for (at, byte) in self.0.iter().enumerate().skip(1) {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => return at + 1,
                _ => {}
            }
        }
        self.0.len()
    }

    /// Takes the next key with its colon; nothing where the object ends. Keys of a report are ASCII with nothing
    /// to escape: their order is that of their bytes.
    fn key(&mut self, is_first: bool) -> Option<&'d [u8]> {
        if !is_first && !self.take(b',') {
            return None;
        }
        let text = self.scalar();
        let key = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        self.take(b':').then_some(key)
    }
}

struct Walk<'d> {
    found: Cursor<'d>,
    expected: Cursor<'d>,
    path: Vec<Step<'d>>,
    agreement: Agreement,
}

impl<'d> Walk<'d> {
    /// Depth is that of the expected document, which is our own.
    fn value(&mut self) -> Result<(), Differ> {
        match (self.found.next(), self.expected.next()) {
            (b'{', b'{') => self.object(),
            (b'[', b'[') => self.array(),
            _ => {
                let (found, expected) = (self.found.scalar(), self.expected.scalar());
                let is_same = found == expected && !found.is_empty();
                if is_same || self.are_close(found, expected) { Ok(()) } else { Err(Differ) }
            }
        }
    }

    /// Goes down a step, and up again where both agree there.
    fn step(&mut self, step: Step<'d>) -> Result<(), Differ> {
        self.path.push(step);
        self.value()?;
        self.path.pop();
        Ok(())
    }

    fn differ_at(&mut self, step: Step<'d>) -> Result<(), Differ> {
        self.path.push(step);
        Err(Differ)
    }

    fn object(&mut self) -> Result<(), Differ> {
        self.found.take(b'{');
        self.expected.take(b'{');
        let (mut found, mut expected) = (self.found.key(true), self.expected.key(true));
        loop {
            match (found, expected) {
                (None, None) => break,
                (Some(own), Some(key)) if own == key => {
                    self.step(Step::Member(key))?;
                    (found, expected) = (self.found.key(false), self.expected.key(false));
                }
                (Some(own), key) if key.is_none_or(|key| own < key) => {
                    return self.differ_at(Step::Member(own));
                }
                (_, key) => return self.differ_at(Step::Member(key.unwrap_or_default())),
            }
        }
        if self.found.take(b'}') && self.expected.take(b'}') { Ok(()) } else { Err(Differ) }
    }

    fn array(&mut self) -> Result<(), Differ> {
        self.found.take(b'[');
        self.expected.take(b'[');
        for index in 0.. {
            let ends = (self.found.next() == b']', self.expected.next() == b']');
            if ends == (true, true) {
                break;
            }
            let further = index == 0 || (self.found.take(b',') && self.expected.take(b','));
            if ends != (false, false) || !further {
                return self.differ_at(Step::Element(index));
            }
            self.step(Step::Element(index))?;
        }
        if self.found.take(b']') && self.expected.take(b']') { Ok(()) } else { Err(Differ) }
    }

    /// Whether both are numbers that another revision may give one for the other.
    fn are_close(&self, found: &[u8], expected: &[u8]) -> bool {
        let is_number =
            |text: &[u8]| text.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        // Counts are counts under any revision.
        let is_count = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        if self.agreement == Agreement::Same
            || !is_number(found)
            || !is_number(expected)
            || (is_count(found) && is_count(expected))
        {
            return false;
        }
        let number = |text: &[u8]| serde_json::from_slice::<f64>(text).ok();
        let (Some(one), Some(other)) = (number(found), number(expected)) else { return false };
        // Written as numbers are.
        let is_canonical = fedval_study::Canonical::new(one).is_ok_and(|n| n.bytes() == found);
        is_canonical && (one - other).abs() <= CLOSE * one.abs().max(other.abs()).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_differing_path_is_named() {
        let expected = br#"{"a":[1,{"b":2}],"c":3}"#;
        for (found, path) in [
            (&br#"{"a":[1,{"b":9}],"c":9}"#[..], "$.a[1].b"),
            (br#"{"a":[1],"c":3}"#, "$.a[1]"),
            (br#"{"a":[1,{"b":2},4],"c":3}"#, "$.a[2]"),
            (br#"{"a":[1,{"b":2}]}"#, "$.c"),
            (br#"{"a":[1,{"b":2}],"c":3,"d":4}"#, "$.d"),
            (br#"{"a":[1,{"b":"2"}],"c":3}"#, "$.a[1].b"),
            (br#"{"a":[1,{"b":{}}],"c":3}"#, "$.a[1].b"),
            (b"7", "$"),
            (b"not json", "$"),
            (b"", "$"),
            (br#"{"a":[1,{"b":2}],"c":3"#, "$"),
            (br#"{"a":[1,{"b":2}],"c":3}x"#, "$"),
            (br#"{"a":[1,{"b":2"#, "$.a[1]"),
        ] {
            let difference = first_difference(found, expected, Agreement::Same);
            assert_eq!(difference.as_deref(), Some(path), "{}", String::from_utf8_lossy(found));
        }
        assert_eq!(first_difference(expected, expected, Agreement::Same), None);
    }

    #[test]
    fn another_revision_says_the_same_and_may_differ_in_the_tenth_digit() {
        let expected = br#"{"a":[1,{"b":0.25}],"c":3}"#;
        let differs = |found: &[u8]| first_difference(found, expected, Agreement::Close);
        assert_eq!(differs(br#"{"a":[1,{"b":0.2500000000001}],"c":3}"#), None);
        assert_eq!(differs(br#"{"a":[1,{"b":0.25000001}],"c":3}"#).as_deref(), Some("$.a[1].b"));
        assert_eq!(differs(br#"{"a":[1,{"b":0.25}],"c":4}"#).as_deref(), Some("$.c"));
        assert_eq!(differs(br#"{"a":[1,{"b":0.25}],"c":3,"old":1}"#).as_deref(), Some("$.old"));
        assert_eq!(differs(br#"{"a":[1],"c":3}"#).as_deref(), Some("$.a[1]"));
        assert_eq!(differs(br#"{"a":[1,{}],"c":3}"#).as_deref(), Some("$.a[1].b"));
        assert_eq!(differs(br#"{"a":[1,{"b":0.25}]}"#).as_deref(), Some("$.c"));
    }

    /// What agrees is canonical: nobody asks again.
    #[test]
    fn another_form_of_the_same_does_not_agree() {
        let expected = br#"{"a":[1,{"b":0.25}],"c":3}"#;
        for found in [
            &br#"{"c":3,"a":[1,{"b":0.25}]}"#[..],
            br#"{"a":[1,{"b":0.25}],"a":[1,{"b":0.25}],"c":3}"#,
            br#"{"a":[1,{"b":0.25}],"c":3,"c":3}"#,
            br#"{"a":[1,{"b":0.25}], "c":3}"#,
            br#"{"a":[1,{"b":0.25}],"c":3.0}"#,
            br#"{"a":[1,{"b":2.5e-1}],"c":3}"#,
            br#"{"a":[1,{"b":0.25},],"c":3}"#,
            br#"{"a":[1,{"b":0.25}],"\u0063":3}"#,
        ] {
            for agreement in [Agreement::Same, Agreement::Close] {
                let difference = first_difference(found, expected, agreement);
                assert!(difference.is_some(), "{}", String::from_utf8_lossy(found));
            }
        }
    }
}
