//! A whole conversation with a peer that says what it said in advance, whatever it is told.

use std::io::Cursor;
use std::sync::Arc;

use tokio::io::{join, sink};
use tokio::runtime::Builder;

use super::arrivals::{Arrivals, Shelf};
use super::association::Association;
use super::inbox::Inbox;
use super::{Dimse, DimseRetrieval, DimseSettings, retrieve};
use crate::pacs::dialer::Stream;
use crate::pacs::find::Place;
use crate::pacs::question::Question;
use crate::pacs::{PacsLimits, Spool};

/// Who speaks with whom.
const OWN: &str = "FEDVAL";
const PACS: &str = "PACS";
/// What is asked for, and taken.
const STUDY: &str = "1.2";
const SERIES: &str = "1.2.3";
const INSTANCE: &str = "1.2.3.4";
/// The other one of the series.
const SECOND: &str = "1.2.3.5";
/// Results and bytes that are taken at most.
const MOST_RESULTS: usize = 8;
const MOST_BYTES: u64 = 1 << 16;

/// What the agent does in an association.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DimsePart {
    /// It asks for results by C-FIND.
    Find,
    /// It asks for an instance by C-GET, and takes it.
    Get,
    /// It asks for the two instances of a series by C-GET, and takes them.
    GetSeries,
    /// It has an instance sent by C-MOVE.
    Move,
    /// It takes an instance from whom brings it.
    Receive,
}

/// Has an association with a peer that says `bytes` and hangs up, in this process and over no network. What came of
/// it: results for [`Find`](DimsePart::Find), a status for [`Move`](DimsePart::Move), else the bytes that the files of
/// what was taken have, those of a series on the disk. What looks for bytes that the agent does not stand calls this.
/// The agent's title is `FEDVAL` and the peer's `PACS`; of the instances 1.2.3.4 and, in a series, 1.2.3.5 no class is
/// known. Not to be called where a runtime is entered already.
#[must_use]
pub fn dimse_conversation(part: DimsePart, bytes: &[u8]) -> Option<usize> {
    let settings = DimseSettings {
        address: "localhost:104".to_owned(),
        called_title: PACS.to_owned(),
        calling_title: OWN.to_owned(),
        retrieval: DimseRetrieval::Get,
        without_tls: true,
        authorities: Vec::new(),
        identity: None,
        modality: None,
        limits: PacsLimits::default(),
    };
    let dimse = Dimse::new(&settings).ok()?;
    let stream: Box<dyn Stream> = Box::new(join(Cursor::new(bytes.to_vec()), sink()));
    // A clock alone: a conversation that is all there waits for nothing.
    let runtime = Builder::new_current_thread().enable_time().build().ok()?;
    runtime.block_on(came_of(part, &dimse, stream))
}

async fn came_of(part: DimsePart, dimse: &Dimse, stream: Box<dyn Stream>) -> Option<usize> {
    let arrivals = Arc::new(Arrivals::of_one(Place::of(STUDY, SERIES, INSTANCE), MOST_BYTES));
    match part {
        DimsePart::Find => {
            let found = dimse.find(stream, Question::Instance(INSTANCE), MOST_RESULTS).await;
            found.ok().map(|found| found.len())
        }
        DimsePart::Get => got(dimse, stream, &arrivals).await,
        DimsePart::GetSeries => {
            let places = [INSTANCE, SECOND].map(|instance| Place::of(STUDY, SERIES, instance));
            let files = Spool::of_series(SERIES, std::env::temp_dir()).await.ok()?;
            let most = (MOST_BYTES, 2 * MOST_BYTES);
            got(dimse, stream, &Arrivals::of_series(places.to_vec(), most, files)).await
        }
        DimsePart::Move => {
            let status = dimse.ask_to_move(stream, &arrivals, &dimse.titles.own).await;
            status.ok().map(usize::from)
        }
        DimsePart::Receive => {
            let inbox = Inbox::new(Arc::clone(&arrivals), dimse.titles.clone(), &[], None);
            let mut association = Association::over(stream);
            let _ = inbox.converse(&mut association).await;
            length(&arrivals.brought().await.ok()??)
        }
    }
}

async fn got(dimse: &Dimse, stream: Box<dyn Stream>, arrivals: &Arrivals) -> Option<usize> {
    let status = dimse.get(stream, arrivals).await.ok()?;
    length(&retrieve::outcome(status, arrivals).await.ok()?)
}

/// Bytes of all that arrived.
fn length(shelf: &Shelf) -> Option<usize> {
    match shelf {
        Shelf::Empty => None,
        Shelf::One(file) => Some(file.len()),
        Shelf::Series(files) => usize::try_from(files.bytes()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use dicom_core::Tag;
    use dicom_dictionary_std::tags;
    use dicom_dictionary_std::uids::{
        COMPUTED_RADIOGRAPHY_IMAGE_STORAGE as CLASS, EXPLICIT_VR_LITTLE_ENDIAN as EXPLICIT,
        IMPLICIT_VR_LITTLE_ENDIAN as IMPLICIT,
    };
    use dicom_ul::pdu::{
        AssociationAC, AssociationRQ, PDataValue, PDataValueType, PresentationContextProposed,
        PresentationContextResult, PresentationContextResultReason,
    };
    use dicom_ul::{Pdu, write_pdu};

    use super::*;
    use crate::pacs::dimse::association::{APPLICATION_CONTEXT, own_variables};
    use crate::pacs::dimse::command::{
        FIND_RESPONSE, GET_RESPONSE, MOVE_RESPONSE, STORE_REQUEST, SUCCESS,
    };
    use crate::pacs::dimse::element::put;

    const PENDING: u16 = 0xFF00;
    const NOTHING_FOLLOWS: u16 = 0x0101;
    const DATA: &[u8] = b"\x10\x00\x10\x00 no data set at all";

    fn accepted(contexts: &[(u8, &str)]) -> Pdu {
        let result = |(id, syntax): &(u8, &str)| PresentationContextResult {
            id: *id,
            reason: PresentationContextResultReason::Acceptance,
            transfer_syntax: (*syntax).to_owned(),
        };
        Pdu::AssociationAC(AssociationAC {
            protocol_version: 1,
            calling_ae_title: OWN.to_owned(),
            called_ae_title: PACS.to_owned(),
            application_context_name: APPLICATION_CONTEXT.to_owned(),
            presentation_contexts: contexts.iter().map(result).collect(),
            user_variables: own_variables().to_vec(),
        })
    }

    fn requested() -> Pdu {
        Pdu::AssociationRQ(AssociationRQ {
            protocol_version: 1,
            calling_ae_title: PACS.to_owned(),
            called_ae_title: OWN.to_owned(),
            application_context_name: APPLICATION_CONTEXT.to_owned(),
            presentation_contexts: vec![PresentationContextProposed {
                id: 3,
                abstract_syntax: CLASS.to_owned(),
                transfer_syntaxes: vec![EXPLICIT.to_owned()],
            }],
            user_variables: own_variables().to_vec(),
        })
    }

    fn elements(numbers: &[(Tag, u16)], texts: &[(Tag, &str)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (tag, number) in numbers {
            put(&mut bytes, *tag, &number.to_le_bytes(), 0);
        }
        for (tag, text) in texts {
            put(&mut bytes, *tag, text.as_bytes(), 0);
        }
        bytes
    }

    /// A command, and the data set behind it.
    fn message(context: u8, command: Vec<u8>, data_set: Option<Vec<u8>>) -> Pdu {
        let value = |value_type, data| PDataValue {
            presentation_context_id: context,
            value_type,
            is_last: true,
            data,
        };
        let data_set = data_set.map(|data| value(PDataValueType::Data, data));
        let command = value(PDataValueType::Command, command);
        Pdu::PData { data: std::iter::once(command).chain(data_set).collect() }
    }

    fn answer(field: u16, status: u16, result: Option<Vec<u8>>) -> Pdu {
        let follows = if result.is_some() { 0 } else { NOTHING_FOLLOWS };
        let command = elements(
            &[
                (tags::COMMAND_FIELD, field),
                (tags::MESSAGE_ID_BEING_RESPONDED_TO, 1),
                (tags::COMMAND_DATA_SET_TYPE, follows),
                (tags::STATUS, status),
            ],
            &[],
        );
        message(1, command, result)
    }

    fn stored(instance: &str) -> Pdu {
        let numbers = [
            (tags::COMMAND_FIELD, STORE_REQUEST),
            (tags::MESSAGE_ID, 7),
            (tags::COMMAND_DATA_SET_TYPE, 0),
        ];
        let texts =
            [(tags::AFFECTED_SOP_CLASS_UID, CLASS), (tags::AFFECTED_SOP_INSTANCE_UID, instance)];
        message(3, elements(&numbers, &texts), Some(DATA.to_vec()))
    }

    /// What honest peers say.
    fn honest() -> [(DimsePart, Vec<Pdu>); 5] {
        let found = elements(
            &[],
            &[
                (tags::SOP_INSTANCE_UID, INSTANCE),
                (tags::STUDY_INSTANCE_UID, STUDY),
                (tags::SERIES_INSTANCE_UID, SERIES),
            ],
        );
        let find = vec![
            accepted(&[(1, IMPLICIT), (3, IMPLICIT)]),
            answer(FIND_RESPONSE, PENDING, Some(found)),
            answer(FIND_RESPONSE, SUCCESS, None),
        ];
        let get = vec![
            accepted(&[(1, IMPLICIT), (3, EXPLICIT)]),
            stored(INSTANCE),
            answer(GET_RESPONSE, SUCCESS, None),
        ];
        let get_series = vec![
            accepted(&[(1, IMPLICIT), (3, EXPLICIT)]),
            stored(SECOND),
            answer(GET_RESPONSE, PENDING, None),
            stored(INSTANCE),
            answer(GET_RESPONSE, SUCCESS, None),
        ];
        let moved = vec![accepted(&[(1, IMPLICIT)]), answer(MOVE_RESPONSE, SUCCESS, None)];
        let received = vec![requested(), stored(INSTANCE), Pdu::ReleaseRQ];
        [
            (DimsePart::Find, find),
            (DimsePart::Get, get),
            (DimsePart::GetSeries, get_series),
            (DimsePart::Move, moved),
            (DimsePart::Receive, received),
        ]
    }

    #[test]
    fn an_honest_peer_is_understood_and_one_who_hangs_up_is_stood() {
        for (part, pdus) in honest() {
            let mut bytes = Vec::new();
            for pdu in &pdus {
                write_pdu(&mut bytes, pdu).unwrap();
            }
            let whole = dimse_conversation(part, &bytes);
            match part {
                DimsePart::Find => assert_eq!(whole, Some(1)),
                DimsePart::Move => assert_eq!(whole, Some(usize::from(SUCCESS))),
                DimsePart::GetSeries => {
                    assert!(whole.is_some_and(|length| length > 2 * DATA.len()), "{whole:?}");
                }
                DimsePart::Get | DimsePart::Receive => {
                    assert!(whole.is_some_and(|length| length > DATA.len()), "{part:?} {whole:?}");
                }
            }
            assert_eq!(dimse_conversation(part, b""), None);
            for length in 0..bytes.len() {
                let cut = dimse_conversation(part, &bytes[..length]);
                assert!(cut.is_none() || cut == whole, "{part:?} of {length} bytes: {cut:?}");
            }
        }
    }
}
