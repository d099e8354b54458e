//! Cases in as few bytes as they need: a million of them are in memory at once.
//!
//! A case is one record: the patient's number, the reference standard, the id, what the index test is found by, attributes.
//! What most cases share is held once and stands in the record as a number: the folder of all images, names of attributes,
//! and their values. The records are made and read by this program alone, and never stored.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedval_study::protocol::{Assessed, MOST_CONDITIONS, Reference};

use super::attributes::SharedValues;
use super::blocks::Blocks;
use super::{Attributes, Case, IndexTest, ScanStatus};
use crate::pacs::{InstanceKey, InstanceName};

/// Cases by their place.
#[derive(Clone, Default)]
pub(super) struct PackedCases {
    records: Blocks,
    shared: Shared,
}

/// What records have in common.
#[derive(Clone, Default)]
struct Shared {
    /// The bytes that most paths begin with.
    root: Vec<u8>,
    keys: Vec<InstanceKey>,
    names: Vec<Arc<str>>,
    values: SharedValues,
}

impl PackedCases {
    /// None yet; most of their images will be below `root`.
    pub(super) fn below(root: &Path) -> Self {
        let root = root.as_os_str().as_bytes().to_vec();
        Self { records: Blocks::default(), shared: Shared { root, ..Shared::default() } }
    }

    pub(super) const fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn push(&mut self, case: &Case) {
        let shared = &mut self.shared;
        self.records.push(|out| {
            out.extend(case.patient.to_le_bytes());
            write_reference(out, case.reference);
            write_bytes(out, case.case_id.as_bytes());
            shared.write_index_test(out, &case.index_test);
            shared.write_attributes(out, &case.attributes);
        });
    }

    /// All of a case.
    pub(super) fn get(&self, place: usize) -> Option<Case> {
        self.case(Record(self.records.get(place)?)).ok()
    }

    fn case(&self, mut record: Record<'_>) -> Result<Case, Odd> {
        Ok(Case {
            patient: record.patient()?,
            reference: record.reference()?,
            case_id: record.text()?.to_owned(),
            index_test: self.shared.index_test(&mut record)?,
            attributes: self.shared.attributes(&mut record)?,
        })
    }

    pub(super) fn patient(&self, place: usize) -> Option<u32> {
        Record(self.records.get(place)?).patient().ok()
    }

    pub(super) fn reference(&self, place: usize) -> Option<Reference> {
        let mut record = Record(self.records.get(place)?);
        record.patient().and_then(|_| record.reference()).ok().flatten()
    }

    pub(super) fn case_id(&self, place: usize) -> Option<&str> {
        let mut record = Record(self.records.get(place)?);
        record.patient().and_then(|_| record.reference()).and_then(|_| record.text()).ok()
    }
}

impl Shared {
    fn write_index_test(&mut self, out: &mut Vec<u8>, index_test: &IndexTest) {
        match index_test {
            IndexTest::Image(path) => {
                out.push(0);
                self.write_path(out, Some(path));
            }
            IndexTest::Score(None) => out.push(1),
            IndexTest::Score(Some(score)) => {
                out.push(2);
                out.extend(score.to_bits().to_le_bytes());
            }
            IndexTest::Instance(name) => {
                out.push(3);
                write_number(out, number_in(&mut self.keys, &name.key()));
                write_bytes(out, name.value().as_bytes());
            }
            IndexTest::Scores(None) => out.push(4),
            IndexTest::Scores(Some(scores)) => {
                out.push(5);
                write_number(out, scores.len());
                out.extend(scores.iter().flat_map(|score| score.to_bits().to_le_bytes()));
            }
            IndexTest::Findings(status) => out.extend([6, status_byte(*status)]),
            IndexTest::Masks { reference, predicted } => {
                out.push(7);
                self.write_path(out, reference.as_deref());
                self.write_path(out, predicted.as_deref());
            }
            IndexTest::Outlined { image, reference } => {
                out.push(8);
                self.write_index_test(out, image);
                self.write_path(out, reference.as_deref());
            }
            IndexTest::Searched { image, status } => {
                out.push(9);
                self.write_index_test(out, image);
                out.push(status_byte(*status));
            }
        }
    }

    fn index_test(&self, record: &mut Record<'_>) -> Result<IndexTest, Odd> {
        Ok(match record.byte()? {
            0 => IndexTest::Image(self.path(record)?.ok_or(Odd)?),
            1 => IndexTest::Score(None),
            2 => IndexTest::Score(Some(record.double()?)),
            3 => {
                let key = *self.keys.get(record.number()?).ok_or(Odd)?;
                let name = InstanceName::parse(key, record.text()?);
                IndexTest::Instance(name.ok_or(Odd)?)
            }
            4 => IndexTest::Scores(None),
            5 => {
                let scores = 0..record.number()?;
                let scores = scores.map(|_| record.double()).collect::<Result<_, Odd>>()?;
                IndexTest::Scores(Some(scores))
            }
            6 => IndexTest::Findings(record.status()?),
            7 => IndexTest::Masks { reference: self.path(record)?, predicted: self.path(record)? },
            8 => IndexTest::Outlined {
                image: Box::new(self.index_test(record)?),
                reference: self.path(record)?,
            },
            9 => IndexTest::Searched {
                image: Box::new(self.index_test(record)?),
                status: record.status()?,
            },
            _ => return Err(Odd),
        })
    }

    /// Bytes and not components: what is read is the path that was written, to the last separator.
    fn write_path(&self, out: &mut Vec<u8>, path: Option<&Path>) {
        let Some(path) = path.map(|path| path.as_os_str().as_bytes()) else { return out.push(0) };
        let below = path.strip_prefix(self.root.as_slice());
        out.push(if below.is_some() { 1 } else { 2 });
        write_bytes(out, below.unwrap_or(path));
    }

    /// `None` of an empty cell.
    fn path(&self, record: &mut Record<'_>) -> Result<Option<PathBuf>, Odd> {
        let bytes = match record.byte()? {
            0 => return Ok(None),
            1 => [self.root.as_slice(), record.bytes()?].concat(),
            2 => record.bytes()?.to_vec(),
            _ => return Err(Odd),
        };
        Ok(Some(OsString::from_vec(bytes).into()))
    }

    fn write_attributes(&mut self, out: &mut Vec<u8>, attributes: &Attributes) {
        write_number(out, attributes.entries().len());
        for (name, value) in attributes.entries() {
            write_number(out, number_in(&mut self.names, name));
            let known = self.values.number(value);
            write_number(out, known.map_or(0, |number| number + 1));
            if known.is_none() {
                write_bytes(out, value.as_bytes());
            }
        }
    }

    fn attributes(&self, record: &mut Record<'_>) -> Result<Attributes, Odd> {
        let count = record.number()?;
        let entry = |_| {
            let name = Arc::clone(self.names.get(record.number()?).ok_or(Odd)?);
            let value: Arc<str> = match record.number()? {
                0 => record.text()?.into(),
                number => Arc::clone(self.values.get(number - 1).ok_or(Odd)?),
            };
            Ok((name, value))
        };
        (0..count).map(entry).collect()
    }
}

/// The number of `item`, which is added where it is new. There are few.
fn number_in<T: Clone + PartialEq>(known: &mut Vec<T>, item: &T) -> usize {
    known.iter().position(|other| other == item).unwrap_or_else(|| {
        known.push(item.clone());
        known.len() - 1
    })
}

fn write_reference(out: &mut Vec<u8>, reference: Option<Reference>) {
    match reference {
        None => out.push(0),
        Some(Reference::Condition(is_there)) => out.push(1 + u8::from(is_there)),
        Some(Reference::Class(class)) => out.extend([3, class]),
        Some(Reference::Value(micro)) => {
            out.push(4);
            out.extend(micro.to_le_bytes());
        }
        Some(Reference::Mask) => out.push(5),
        Some(Reference::Conditions(assessed)) => {
            out.push(6);
            out.extend((0..MOST_CONDITIONS).map(|place| match assessed.at(place) {
                None => 0,
                Some(is_there) => 1 + u8::from(is_there),
            }));
        }
        Some(Reference::Findings) => out.push(7),
    }
}

const fn status_byte(status: ScanStatus) -> u8 {
    match status {
        ScanStatus::Read => 0,
        ScanStatus::NoReference => 1,
        ScanStatus::NoResult => 2,
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_number(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Seven bits a byte, the lowest first; all bytes but the last have the highest bit.
fn write_number(out: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// A record that this program did not make: there is none.
struct Odd;

/// What is left of a record.
struct Record<'b>(&'b [u8]);

impl<'b> Record<'b> {
    fn patient(&mut self) -> Result<u32, Odd> {
        self.array().map(u32::from_le_bytes)
    }

    /// `None` of an empty cell.
    fn reference(&mut self) -> Result<Option<Reference>, Odd> {
        Ok(Some(match self.byte()? {
            0 => return Ok(None),
            1 => Reference::Condition(false),
            2 => Reference::Condition(true),
            3 => Reference::Class(self.byte()?),
            4 => Reference::Value(self.array().map(i64::from_le_bytes)?),
            5 => Reference::Mask,
            6 => Reference::Conditions(self.assessed()?),
            7 => Reference::Findings,
            _ => return Err(Odd),
        }))
    }

    fn assessed(&mut self) -> Result<Assessed, Odd> {
        let mut assessed = Assessed::default();
        for place in 0..MOST_CONDITIONS {
            match self.byte()? {
                0 => {}
                said => assessed = assessed.with(place, said > 1),
            }
        }
        Ok(assessed)
    }

    fn status(&mut self) -> Result<ScanStatus, Odd> {
        match self.byte()? {
            0 => Ok(ScanStatus::Read),
            1 => Ok(ScanStatus::NoReference),
            2 => Ok(ScanStatus::NoResult),
            _ => Err(Odd),
        }
    }

    fn double(&mut self) -> Result<f64, Odd> {
        self.array().map(|bits| f64::from_bits(u64::from_le_bytes(bits)))
    }

    fn text(&mut self) -> Result<&'b str, Odd> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Odd)
    }

    fn bytes(&mut self) -> Result<&'b [u8], Odd> {
        let length = self.number()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Odd)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<usize, Odd> {
        let (mut number, mut shift) = (0_usize, 0);
        loop {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f).checked_shl(shift).ok_or(Odd)?;
            if byte < 0x80 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    fn byte(&mut self) -> Result<u8, Odd> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Odd> {
        let (array, rest) = self.0.split_first_chunk().ok_or(Odd)?;
        self.0 = rest;
        Ok(*array)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(path: &str) -> IndexTest {
        IndexTest::Image(path.into())
    }

    /// One of each kind, with odd numbers, paths and texts.
    fn index_tests() -> Vec<IndexTest> {
        let uid = InstanceName::parse(InstanceKey::SopInstanceUid, "1.2.3").unwrap();
        let number = InstanceName::parse(InstanceKey::AccessionNumber, "A ü").unwrap();
        let scores = [0.1, -0.0, f64::INFINITY, 1e-300].map(|score| IndexTest::Score(Some(score)));
        let mut all = vec![
            image("/data/images/a.png"),
            image("/data/images"),
            image("/data/images2/ü"),
            image("/elsewhere/b.png"),
            IndexTest::Score(None),
            IndexTest::Instance(uid),
            IndexTest::Instance(number),
            IndexTest::Scores(None),
            IndexTest::Scores(Some(vec![0.25, 0.5, 0.75])),
            IndexTest::Scores(Some(vec![0.5; 300])),
            IndexTest::Outlined { image: Box::new(image("/data/images/a")), reference: None },
            IndexTest::Masks { reference: Some("/data/images/m".into()), predicted: None },
        ];
        all.extend(scores);
        for status in [ScanStatus::Read, ScanStatus::NoReference, ScanStatus::NoResult] {
            all.push(IndexTest::Findings(status));
            all.push(IndexTest::Searched { image: Box::new(image("/data/images/c")), status });
        }
        all
    }

    fn references() -> Vec<Option<Reference>> {
        let assessed = Assessed::default().with(0, true).with(3, false).with(13, true);
        vec![
            None,
            Some(Reference::Condition(false)),
            Some(Reference::Condition(true)),
            Some(Reference::Class(7)),
            Some(Reference::Value(i64::MIN)),
            Some(Reference::Mask),
            Some(Reference::Conditions(assessed)),
            Some(Reference::Findings),
        ]
    }

    #[test]
    fn a_case_is_what_it_was_whatever_stands_in_it() {
        let attributes: [&[(&str, &str)]; 3] =
            [&[], &[("sex", "F")], &[("age", "ü\""), ("sex", "M")]];
        let mut cases = Vec::new();
        for (number, index_test) in (0_u32..).zip(index_tests()) {
            for reference in references() {
                let attributes = attributes[cases.len() % 3].iter().copied().collect();
                let (case_id, patient) = (format!("\"ü{}", cases.len()), number * 70_000);
                let index_test = index_test.clone();
                cases.push(Case { case_id, patient, index_test, reference, attributes });
            }
        }
        let mut packed = PackedCases::below(Path::new("/data/images"));
        for case in &cases {
            packed.push(case);
        }
        assert_eq!(packed.len(), cases.len());
        for (place, case) in cases.iter().enumerate() {
            assert!(packed.get(place).as_ref() == Some(case), "{place}");
            assert_eq!(packed.case_id(place), Some(case.case_id.as_str()));
            assert_eq!(packed.patient(place), Some(case.patient));
            assert!(packed.reference(place) == case.reference, "{place}");
        }
        assert!(packed.get(cases.len()).is_none());
    }

    #[test]
    fn a_score_that_is_no_number_keeps_its_bits_and_a_path_its_text() {
        let odd = f64::from_bits(0x7ff8_0000_0000_00aa);
        let mut packed = PackedCases::below(Path::new("/data"));
        for index_test in [IndexTest::Score(Some(odd)), image("/data//x/"), image("/data")] {
            let case_id = String::new();
            let attributes = Attributes::default();
            packed.push(&Case { case_id, patient: 0, index_test, reference: None, attributes });
        }
        let found = |place| packed.get(place).unwrap().index_test;
        assert!(matches!(found(0), IndexTest::Score(Some(nan)) if nan.to_bits() == odd.to_bits()));
        for (place, path) in [(1, "/data//x/"), (2, "/data")] {
            let IndexTest::Image(found) = found(place) else { panic!("an image") };
            assert_eq!(found.as_os_str(), path);
        }
    }

    #[test]
    fn a_row_of_a_prediction_table_takes_less_than_forty_bytes() {
        let mut packed = PackedCases::below(Path::new("/data"));
        for number in 0..1_000_u32 {
            packed.push(&Case {
                case_id: format!("CASE-{number:08}"),
                patient: number / 2,
                index_test: IndexTest::Score(Some(0.5)),
                reference: Some(Reference::Condition(true)),
                attributes: [("sex", if number % 4 < 2 { "F" } else { "M" })].into_iter().collect(),
            });
        }
        let bytes: usize =
            (0..1_000).filter_map(|place| packed.records.get(place)).map(<[u8]>::len).sum();
        // Four more say where each record ends.
        assert!(bytes / 1_000 + 4 < 40, "{bytes}");
    }
}
