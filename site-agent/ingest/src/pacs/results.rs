//! What a PACS answers to a question: results, which QIDO-RS sends as a list in JSON (PS3.18, F.2).

use std::fmt;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::CaseFault;
use super::name::is_uid;
use super::request::{Answer, JSON};

/// Largest answer to a query that is read.
pub(super) const MOST_JSON_BYTES: u64 = 4 << 20;
/// Results that are read of one answer, and of all pages together, unless a whole series is listed.
pub(super) const MOST_RESULTS: usize = 1000;
/// Longest value that is kept: a UID has at most 64 characters, and an accession number 16, of some bytes each.
const MOST_VALUE_BYTES: usize = 256;

/// What is read of one result: attributes by their tags. The rest is skipped.
#[derive(Deserialize)]
pub(super) struct Found {
    #[serde(rename = "0020000D")]
    study: Option<Attribute>,
    #[serde(rename = "0020000E")]
    series: Option<Attribute>,
    #[serde(rename = "00080016")]
    class: Option<Attribute>,
    #[serde(rename = "00080018")]
    instance: Option<Attribute>,
    #[serde(rename = "00080050")]
    accession_number: Option<Attribute>,
    #[serde(rename = "00080060")]
    modality: Option<Attribute>,
    #[serde(rename = "00201209")]
    instances: Option<Count>,
}

/// The attribute's only value, if that is a number.
#[derive(Deserialize)]
struct Count {
    #[serde(rename = "Value", default, deserialize_with = "only_number")]
    value: Option<u64>,
}

fn only_number<'de, D: Deserializer<'de>>(values: D) -> Result<Option<u64>, D::Error> {
    values.deserialize_seq(OnlyNumber)
}

/// Whatever stands in the list, no more of it than the first is held.
struct OnlyNumber;

impl<'de> Visitor<'de> for OnlyNumber {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let first: Option<Number> = values.next_element()?;
        let mut is_only = true;
        while values.next_element::<IgnoredAny>()?.is_some() {
            is_only = false;
        }
        Ok(first.and_then(|first| first.0).filter(|_| is_only))
    }
}

/// A whole number, which some write as a text; absent where it is none.
struct Number(Option<u64>);

impl Number {
    fn of(text: &str) -> Option<u64> {
        text.trim_matches(['\0', ' ']).parse().ok()
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        value.deserialize_any(AnyNumber).map(Self)
    }
}

struct AnyNumber;

impl<'de> Visitor<'de> for AnyNumber {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Number::of(text))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// The attribute's only value, if that is a text which may be one of those that are read here. A list of others may hold
/// as many as an answer has bytes, and is skipped.
#[derive(Deserialize)]
struct Attribute {
    #[serde(rename = "Value", default, deserialize_with = "only_text")]
    value: Option<String>,
}

fn only_text<'de, D: Deserializer<'de>>(values: D) -> Result<Option<String>, D::Error> {
    values.deserialize_seq(OnlyText)
}

/// As [`OnlyNumber`].
struct OnlyText;

impl<'de> Visitor<'de> for OnlyText {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let first = values.next_element::<Option<String>>()?.flatten();
        let mut is_only = true;
        while values.next_element::<IgnoredAny>()?.is_some() {
            is_only = false;
        }
        Ok(first.filter(|text| is_only && text.len() <= MOST_VALUE_BYTES))
    }
}

impl Found {
    /// A result whose attributes came as texts, several values with backslashes between (PS3.5, 6.2).
    pub(super) fn of(text: impl Fn(Tag) -> Option<String>) -> Self {
        let attribute = |tag| {
            let text = text(tag)?;
            let is_one = text.len() <= MOST_VALUE_BYTES && !text.contains('\\');
            Some(Attribute { value: is_one.then_some(text) })
        };
        Self {
            study: attribute(tags::STUDY_INSTANCE_UID),
            series: attribute(tags::SERIES_INSTANCE_UID),
            class: attribute(tags::SOP_CLASS_UID),
            instance: attribute(tags::SOP_INSTANCE_UID),
            accession_number: attribute(tags::ACCESSION_NUMBER),
            modality: attribute(tags::MODALITY),
            instances: text(tags::NUMBER_OF_SERIES_RELATED_INSTANCES)
                .map(|text| Count { value: Number::of(&text) }),
        }
    }

    pub(super) fn study(&self) -> Option<&str> {
        uid(self.study.as_ref())
    }

    pub(super) fn series(&self) -> Option<&str> {
        uid(self.series.as_ref())
    }

    pub(super) fn instance(&self) -> Option<&str> {
        uid(self.instance.as_ref())
    }

    pub(super) fn class(&self) -> Option<&str> {
        uid(self.class.as_ref())
    }

    /// How many instances a series has, where the PACS says so.
    pub(super) fn instances(&self) -> Option<u64> {
        self.instances.as_ref()?.value
    }

    pub(super) fn accession_number(&self) -> Option<&str> {
        value(self.accession_number.as_ref())
    }

    pub(super) fn modality(&self) -> Option<&str> {
        value(self.modality.as_ref())
    }
}

/// The attribute's only value, without padding.
fn value(attribute: Option<&Attribute>) -> Option<&str> {
    Some(attribute?.value.as_deref()?.trim_end_matches('\0').trim())
}

fn uid(attribute: Option<&Attribute>) -> Option<&str> {
    value(attribute).filter(|uid| is_uid(uid))
}

/// Reads an answer to a query. One with too many results is given up where it becomes so.
pub(super) fn read(answer: &Answer, most: usize) -> Result<Vec<Found>, CaseFault> {
    let Some(body) = &answer.body else { return Ok(Vec::new()) };
    if !answer.is(JSON) && !answer.is("application/json") {
        return Err(CaseFault::AnswerInvalid);
    }
    let mut found = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = json.deserialize_seq(List(&mut found, most)).and_then(|()| json.end());
    match read {
        Ok(()) => Ok(found),
        Err(_) if found.len() > most => Err(CaseFault::TooLarge),
        Err(_) => Err(CaseFault::AnswerInvalid),
    }
}

/// Takes up results, one more than may be.
struct List<'f>(&'f mut Vec<Found>, usize);

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of results")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut results: A) -> Result<(), A::Error> {
        while let Some(found) = results.next_element()? {
            self.0.push(found);
            if self.0.len() > self.1 {
                return Err(A::Error::custom("more results than are read"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(body: Option<&str>) -> Result<usize, CaseFault> {
        let (content_type, body) = (JSON.to_owned(), body.map(|body| body.as_bytes().to_vec()));
        read(&Answer { content_type, body }, MOST_RESULTS).map(|found| found.len())
    }

    #[test]
    fn a_number_of_instances_is_read_however_it_is_written() {
        let of = |value: &str| {
            let body = format!(r#"[{{"00201209": {{"vr": "IS", "Value": [{value}]}}}}]"#);
            let body = Some(body.into_bytes());
            let found = read(&Answer { content_type: JSON.to_owned(), body }, 1).unwrap();
            found[0].instances()
        };
        assert_eq!(of("300"), Some(300));
        assert_eq!(of("\"300 \""), Some(300));
        let other_kinds = ["true", "[]", "[1]", "[[], {}]", "{}", r#"{"1": [1]}"#, "1e99"];
        for none in ["", "-1", "1.5", "null", "\"many\"", "1, 2"].into_iter().chain(other_kinds) {
            assert_eq!(of(none), None, "{none}");
        }
        let told = Found::of(|tag| {
            (tag == tags::NUMBER_OF_SERIES_RELATED_INSTANCES).then(|| "12 ".to_owned())
        });
        assert_eq!(told.instances(), Some(12));
    }

    #[test]
    fn a36_values_without_number_or_end_are_not_kept() {
        let kept = |found: &Found| found.series.as_ref().and_then(|own| own.value.clone());
        let told = |value: &str| {
            let found = Found::of(|tag| {
                (tag == tags::SERIES_INSTANCE_UID || tag == tags::MODALITY)
                    .then(|| value.to_owned())
            });
            assert_eq!(found.modality().map(str::to_owned), kept(&found));
            kept(&found)
        };
        let listed = |values: &str| {
            let body = format!(r#"[{{"0020000E": {{"vr": "UI", "Value": [{values}]}}}}]"#);
            let body = Some(body.into_bytes());
            let found = read(&Answer { content_type: JSON.to_owned(), body }, 1);
            found.map(|found| kept(&found[0]))
        };
        assert_eq!(told("1.2.3").as_deref(), Some("1.2.3"));
        assert_eq!(listed("\"1.2.3\""), Ok(Some("1.2.3".to_owned())));
        let long = "1".repeat(MOST_VALUE_BYTES + 1);
        for none in ["1.2\\1.3", &"\\".repeat(65_000), &long] {
            assert_eq!(told(none), None);
        }
        let many = vec!["\"\""; 65_000].join(",");
        for none in ["", "null", "\"1.2\", \"1.3\"", &many, &format!("\"{long}\"")] {
            assert_eq!(listed(none), Ok(None));
        }
        assert_eq!(listed("1"), Err(CaseFault::AnswerInvalid));
    }

    #[test]
    fn a_list_is_read_up_to_the_most_results_and_not_beyond() {
        let list = |results: usize| format!("[{}]", vec!["{}"; results].join(","));
        assert_eq!(count(None), Ok(0), "no content is no result");
        for results in [0, 1, MOST_RESULTS] {
            assert_eq!(count(Some(&list(results))), Ok(results));
        }
        assert_eq!(count(Some(&list(MOST_RESULTS + 1))), Err(CaseFault::TooLarge));
        let and_nonsense = list(MOST_RESULTS + 1).replace(']', ", nonsense");
        assert_eq!(count(Some(&and_nonsense)), Err(CaseFault::TooLarge), "it is not looked at");
        for bad in ["", "[{}] []", "[{}", "{}", "null"] {
            assert_eq!(count(Some(bad)), Err(CaseFault::AnswerInvalid), "{bad}");
        }
    }
}
