//! C-GET and C-MOVE: to have one instance sent (PS3.4, C.4.2 and C.4.3).

use dicom_dictionary_std::uids::{
    STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_GET as GET,
    STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_MOVE as MOVE,
};

use super::association::Association;
use super::command::{self, GET_RESPONSE, MOVE_RESPONSE, SOME_FAILED, SUCCESS};
use super::title::Title;
use super::{query, storage};
use crate::pacs::attempt::Trouble;
use crate::pacs::find::Place;
use crate::pacs::{CaseFault, PacsError};

/// Answers that say nothing but that more follow. One instance takes few.
const MOST_ANSWERS: usize = 1000;

/// Has one instance sent over the association over which it is asked for.
pub(super) async fn get(
    association: &mut Association,
    place: &Place,
    most: u64,
) -> Result<Vec<u8>, Trouble> {
    let context = association.context_of(GET)?;
    association.say(context, &command::get(GET), Some(&query::instance(place))).await?;
    let mut file = None;
    for _ in 0..MOST_ANSWERS {
        let (context, command) = association.hear().await?.ok_or(Trouble::Broken)?;
        match command.status_of(GET_RESPONSE) {
            Some(status) if command::is_pending(status) => {}
            Some(status) => return outcome(status, file),
            None => {
                storage::look(&command, place)?;
                if file.is_some() {
                    return Err(CaseFault::AnswerInvalid.into());
                }
                file = Some(storage::take(association, context, &command, most).await?);
                association.say(context, &command.stored(), None).await?;
            }
        }
    }
    Err(CaseFault::AnswerInvalid.into())
}

/// Has one instance sent to `destination`; returns the last status.
pub(super) async fn move_to(
    association: &mut Association,
    place: &Place,
    destination: &Title,
) -> Result<u16, Trouble> {
    let context = association.context_of(MOVE)?;
    let command = command::move_to(MOVE, destination.as_str());
    association.say(context, &command, Some(&query::instance(place))).await?;
    for _ in 0..MOST_ANSWERS {
        let (_, command) = association.hear().await?.ok_or(Trouble::Broken)?;
        let status = command.status_of(MOVE_RESPONSE).ok_or(CaseFault::AnswerInvalid)?;
        if !command::is_pending(status) {
            return Ok(status);
        }
    }
    Err(CaseFault::AnswerInvalid.into())
}

/// What a retrieval brought that ended with a status.
pub(super) fn outcome(status: u16, file: Option<Vec<u8>>) -> Result<Vec<u8>, Trouble> {
    match (status, file) {
        (SUCCESS, Some(file)) => Ok(file),
        (SUCCESS, None) => Err(Trouble::Doubtful(CaseFault::NoInstance, PacsError::Failed)),
        (SOME_FAILED, _) => Err(Trouble::Doubtful(CaseFault::Failing, PacsError::Failed)),
        (status, _) => Err(command::unserved(status)),
    }
}
