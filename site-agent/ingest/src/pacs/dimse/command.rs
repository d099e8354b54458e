//! Commands: what is asked, and what is answered (PS3.7, 9.3).

use dicom_dictionary_std::tags;

use super::element::{Elements, put};
use crate::pacs::attempt::Trouble;
use crate::pacs::name::is_uid;
use crate::pacs::{CaseFault, PacsError};

/// Command Field (0000,0100).
pub(super) const STORE_REQUEST: u16 = 0x0001;
const STORE_RESPONSE: u16 = 0x8001;
const GET_REQUEST: u16 = 0x0010;
pub(super) const GET_RESPONSE: u16 = 0x8010;
const FIND_REQUEST: u16 = 0x0020;
pub(super) const FIND_RESPONSE: u16 = 0x8020;
const MOVE_REQUEST: u16 = 0x0021;
pub(super) const MOVE_RESPONSE: u16 = 0x8021;

/// The only message that is asked over an association.
const MESSAGE: u16 = 1;
/// Command Data Set Type (0000,0800): none follows; any other value says that one does.
const NO_DATA_SET: u16 = 0x0101;
const A_DATA_SET: u16 = 0x0000;
const MEDIUM_PRIORITY: u16 = 0x0000;

/// Status (0000,0900; PS3.7, C, and PS3.4, C.4).
pub(super) const SUCCESS: u16 = 0x0000;
/// Sub-operations are over, and some of them failed.
pub(super) const SOME_FAILED: u16 = 0xB000;

/// What is read of a command.
pub(super) struct Command {
    pub(super) field: u16,
    pub(super) has_data_set: bool,
    pub(super) class: Option<String>,
    pub(super) instance: Option<String>,
    message: Option<u16>,
    answers: Option<u16>,
    status: Option<u16>,
}

impl Command {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let elements = Elements::read(bytes)?;
        let uid = |tag| elements.text(tag).filter(|uid| is_uid(uid));
        Some(Self {
            field: elements.number(tags::COMMAND_FIELD)?,
            has_data_set: elements.number(tags::COMMAND_DATA_SET_TYPE)? != NO_DATA_SET,
            class: uid(tags::AFFECTED_SOP_CLASS_UID),
            instance: uid(tags::AFFECTED_SOP_INSTANCE_UID),
            message: elements.number(tags::MESSAGE_ID),
            answers: elements.number(tags::MESSAGE_ID_BEING_RESPONDED_TO),
            status: elements.number(tags::STATUS),
        })
    }

    /// The status, if this answers what was asked.
    pub(super) fn status_of(&self, field: u16) -> Option<u16> {
        let is_answer = self.field == field && self.answers == Some(MESSAGE);
        self.status.filter(|_| is_answer)
    }

    /// What answers this request to store.
    pub(super) fn stored(&self) -> Vec<u8> {
        let mut rest = Vec::new();
        put_number(&mut rest, tags::COMMAND_FIELD, STORE_RESPONSE);
        let message = self.message.unwrap_or_default();
        put_number(&mut rest, tags::MESSAGE_ID_BEING_RESPONDED_TO, message);
        put_number(&mut rest, tags::COMMAND_DATA_SET_TYPE, NO_DATA_SET);
        put_number(&mut rest, tags::STATUS, SUCCESS);
        let instance = self.instance.as_deref().unwrap_or_default();
        put(&mut rest, tags::AFFECTED_SOP_INSTANCE_UID, instance.as_bytes(), 0);
        command(self.class.as_deref().unwrap_or_default(), &rest)
    }
}

pub(super) fn find(class: &str) -> Vec<u8> {
    request(class, FIND_REQUEST, None)
}

pub(super) fn get(class: &str) -> Vec<u8> {
    request(class, GET_REQUEST, None)
}

/// `destination` is a title.
pub(super) fn move_to(class: &str, destination: &str) -> Vec<u8> {
    request(class, MOVE_REQUEST, Some(destination))
}

fn request(class: &str, field: u16, destination: Option<&str>) -> Vec<u8> {
    let mut rest = Vec::new();
    put_number(&mut rest, tags::COMMAND_FIELD, field);
    put_number(&mut rest, tags::MESSAGE_ID, MESSAGE);
    if let Some(destination) = destination {
        put(&mut rest, tags::MOVE_DESTINATION, destination.as_bytes(), b' ');
    }
    put_number(&mut rest, tags::PRIORITY, MEDIUM_PRIORITY);
    put_number(&mut rest, tags::COMMAND_DATA_SET_TYPE, A_DATA_SET);
    command(class, &rest)
}

/// In front of everything else stand the length of what follows, and the class.
fn command(class: &str, rest: &[u8]) -> Vec<u8> {
    let mut group = Vec::new();
    put(&mut group, tags::AFFECTED_SOP_CLASS_UID, class.as_bytes(), 0);
    group.extend(rest);
    let length = u32::try_from(group.len()).expect("a command is short").to_le_bytes();
    let mut command = Vec::new();
    put(&mut command, tags::COMMAND_GROUP_LENGTH, &length, 0);
    command.extend(group);
    command
}

fn put_number(bytes: &mut Vec<u8>, tag: dicom_core::Tag, number: u16) {
    put(bytes, tag, &number.to_le_bytes(), 0);
}

/// Whether more answers follow.
pub(super) const fn is_pending(status: u16) -> bool {
    matches!(status, 0xFF00 | 0xFF01)
}

/// Why a request was not served, by the status of its last answer.
pub(super) fn unserved(status: u16) -> Trouble {
    match status {
        // Not authorised.
        0x0124 => Trouble::Doubtful(CaseFault::Failing, PacsError::Refused),
        0xA801 => PacsError::DestinationUnknown.into(),
        // Out of resources.
        0xA700..=0xA7FF => Trouble::Busy(None),
        // Cancelled by the other side, or unable to process: both may end otherwise.
        0xFE00 | 0xC000..=0xCFFF => Trouble::Broken,
        _ => CaseFault::AnswerInvalid.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pacs::FetchError;

    #[test]
    fn a_command_tells_its_length_and_is_read_again() {
        let bytes = move_to("1.2.3", "FEDVAL");
        let (length, rest) = bytes[8..].split_first_chunk::<4>().unwrap();
        assert_eq!(u32::from_le_bytes(*length) as usize, rest.len());
        let read = Command::read(&bytes).unwrap();
        assert_eq!((read.field, read.has_data_set), (MOVE_REQUEST, true));
        assert_eq!((read.class.as_deref(), read.message), (Some("1.2.3"), Some(MESSAGE)));
        let answer = Command::read(&read.stored()).unwrap();
        assert_eq!(answer.status_of(STORE_RESPONSE), Some(SUCCESS));
        assert_eq!((answer.status_of(GET_RESPONSE), answer.has_data_set), (None, false));
        for length in 0..bytes.len() {
            assert!(Command::read(&bytes[..length]).is_none_or(|read| read.class.is_some()));
        }
    }

    #[test]
    fn a_status_says_whose_fault_it_is_and_whether_to_ask_again() {
        assert!(matches!(unserved(0xA701), Trouble::Busy(None)));
        assert!(matches!(unserved(0xC001), Trouble::Broken));
        assert!(matches!(unserved(0x0122), Trouble::Doubtful(CaseFault::AnswerInvalid, _)));
        assert!(matches!(unserved(0x0124), Trouble::Doubtful(_, PacsError::Refused)));
        let Trouble::Known(unknown) = unserved(0xA801) else { panic!("it is known whose fault") };
        assert_eq!(unknown, FetchError::Pacs(PacsError::DestinationUnknown));
        assert!(is_pending(0xFF01) && !is_pending(SUCCESS) && !is_pending(SOME_FAILED));
    }
}
