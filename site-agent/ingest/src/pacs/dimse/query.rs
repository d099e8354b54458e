//! C-FIND: a question as an identifier, and its answers (PS3.4, C.4.1).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_dictionary_std::uids::STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_FIND as FIND;

use super::association::{Association, not_an_image};
use super::command::{self, FIND_RESPONSE, SUCCESS};
use super::element::{Elements, put};
use crate::pacs::CaseFault;
use crate::pacs::attempt::Trouble;
use crate::pacs::find::Place;
use crate::pacs::question::{NO_STUDY, Question};
use crate::pacs::results::Found;

/// Longest identifier that is read: nothing longer was asked for.
const MOST_IDENTIFIER_BYTES: u64 = 64 << 10;
/// UTF-8 (PS3.3, C.12.1.1.2).
const UTF_8: &str = "ISO_IR 192";

/// What was found, and whether that is all of it.
pub(super) struct Answer {
    pub(super) found: Vec<Found>,
    pub(super) is_whole: bool,
}

/// Asks, and takes up at most `most` results.
pub(super) async fn ask(
    association: &mut Association,
    question: Question<'_>,
    most: usize,
) -> Result<Answer, Trouble> {
    let context = association.context_of(FIND)?;
    association.say(context, &command::find(FIND), Some(&identifier(question))).await?;
    let mut found = Vec::new();
    while found.len() < most {
        let (context, answer) = association.hear().await?.ok_or(Trouble::Broken)?;
        let status = answer.status_of(FIND_RESPONSE).ok_or(CaseFault::AnswerInvalid)?;
        if !command::is_pending(status) {
            let is_served = status == SUCCESS;
            let answer = Answer { found, is_whole: true };
            return if is_served { Ok(answer) } else { Err(command::unserved(status)) };
        }
        if !answer.has_data_set {
            return Err(CaseFault::AnswerInvalid.into());
        }
        let result = association.data_set(context, MOST_IDENTIFIER_BYTES, Vec::new()).await;
        let result = result.map_err(not_an_image)?;
        let result = Elements::read(&result).ok_or(CaseFault::AnswerInvalid)?;
        found.push(Found::of(|tag| result.text(tag)));
    }
    Ok(Answer { found, is_whole: false })
}

/// A question's keys. What is empty is to be answered.
fn identifier(question: Question<'_>) -> Vec<u8> {
    match question {
        Question::Nobody => keys("STUDY", &[(tags::STUDY_INSTANCE_UID, NO_STUDY)]),
        Question::Instance(uid) => keys(
            "IMAGE",
            &[
                (tags::SOP_CLASS_UID, ""),
                (tags::SOP_INSTANCE_UID, uid),
                (tags::STUDY_INSTANCE_UID, ""),
                (tags::SERIES_INSTANCE_UID, ""),
            ],
        ),
        Question::Place(uid) => keys(
            "SERIES",
            &[
                (tags::STUDY_INSTANCE_UID, ""),
                (tags::SERIES_INSTANCE_UID, uid),
                (tags::NUMBER_OF_SERIES_RELATED_INSTANCES, ""),
            ],
        ),
        Question::Studies(number) => {
            keys("STUDY", &[(tags::ACCESSION_NUMBER, number), (tags::STUDY_INSTANCE_UID, "")])
        }
        Question::Series(study) => keys(
            "SERIES",
            &[
                (tags::MODALITY, ""),
                (tags::STUDY_INSTANCE_UID, study),
                (tags::SERIES_INSTANCE_UID, ""),
                (tags::NUMBER_OF_SERIES_RELATED_INSTANCES, ""),
            ],
        ),
        Question::Instances(study, series) => keys(
            "IMAGE",
            &[
                (tags::SOP_CLASS_UID, ""),
                (tags::SOP_INSTANCE_UID, ""),
                (tags::STUDY_INSTANCE_UID, study),
                (tags::SERIES_INSTANCE_UID, series),
            ],
        ),
    }
}

/// Names one instance, to have it sent.
pub(super) fn instance(place: &Place) -> Vec<u8> {
    let keys_of_all = [
        (tags::SOP_INSTANCE_UID, place.instance()),
        (tags::STUDY_INSTANCE_UID, place.study()),
        (tags::SERIES_INSTANCE_UID, place.series()),
    ];
    keys("IMAGE", &keys_of_all)
}

/// Names the series that an instance is of, to have all of it sent.
pub(super) fn whole_series(place: &Place) -> Vec<u8> {
    let keys_of_all =
        [(tags::STUDY_INSTANCE_UID, place.study()), (tags::SERIES_INSTANCE_UID, place.series())];
    keys("SERIES", &keys_of_all)
}

/// Elements in the order of their tags.
fn keys(level: &str, keys: &[(Tag, &str)]) -> Vec<u8> {
    let mut all = vec![(tags::QUERY_RETRIEVE_LEVEL, level)];
    all.extend(keys);
    if keys.iter().any(|(_, value)| !value.is_ascii()) {
        all.push((tags::SPECIFIC_CHARACTER_SET, UTF_8));
    }
    all.sort_by_key(|(tag, _)| *tag);
    let mut bytes = Vec::new();
    for (tag, value) in all {
        let is_uid = [
            tags::SOP_CLASS_UID,
            tags::SOP_INSTANCE_UID,
            tags::STUDY_INSTANCE_UID,
            tags::SERIES_INSTANCE_UID,
        ]
        .contains(&tag);
        put(&mut bytes, tag, value.as_bytes(), if is_uid { 0 } else { b' ' });
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_order_and_other_letters_are_announced() {
        let plain = identifier(Question::Studies("A 17"));
        let read = Elements::read(&plain).unwrap();
        assert_eq!(read.text(tags::QUERY_RETRIEVE_LEVEL).as_deref(), Some("STUDY"));
        assert_eq!(read.text(tags::ACCESSION_NUMBER).as_deref(), Some("A 17"));
        assert_eq!(read.text(tags::STUDY_INSTANCE_UID).as_deref(), Some(""));
        assert_eq!(read.text(tags::SPECIFIC_CHARACTER_SET), None);
        let other = identifier(Question::Studies("Ü17"));
        let read = Elements::read(&other).unwrap();
        assert_eq!(read.text(tags::SPECIFIC_CHARACTER_SET).as_deref(), Some(UTF_8));
        assert_eq!(other[..4], [0x08, 0x00, 0x05, 0x00], "the lowest tag is the first");
    }
}
