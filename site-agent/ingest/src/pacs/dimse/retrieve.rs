//! C-GET and C-MOVE: to have one instance sent, or all of a series (PS3.4, C.4.2 and C.4.3).

use dicom_dictionary_std::uids::{
    STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_GET as GET,
    STUDY_ROOT_QUERY_RETRIEVE_INFORMATION_MODEL_MOVE as MOVE,
};

use super::arrivals::{Arrivals, Shelf};
use super::association::Association;
use super::command::{self, GET_RESPONSE, MOVE_RESPONSE, SOME_FAILED, SUCCESS};
use super::title::Title;
use crate::pacs::CaseFault;
use crate::pacs::attempt::Trouble;

/// Has them sent over the association over which they are asked for; returns the last status.
pub(super) async fn get(
    association: &mut Association,
    arrivals: &Arrivals,
) -> Result<u16, Trouble> {
    let context = association.context_of(GET)?;
    association.say(context, &command::get(GET), Some(&arrivals.identifier())).await?;
    for _ in 0..arrivals.most_messages() {
        let (context, command) = association.hear().await?.ok_or(Trouble::Broken)?;
        match command.status_of(GET_RESPONSE) {
            Some(status) if command::is_pending(status) => {}
            Some(status) => return Ok(status),
            None => arrivals.take(association, context, &command).await?,
        }
    }
    Err(CaseFault::AnswerInvalid.into())
}

/// Has them sent to `destination`; returns the last status.
pub(super) async fn move_to(
    association: &mut Association,
    arrivals: &Arrivals,
    destination: &Title,
) -> Result<u16, Trouble> {
    let context = association.context_of(MOVE)?;
    let command = command::move_to(MOVE, destination.as_str());
    association.say(context, &command, Some(&arrivals.identifier())).await?;
    for _ in 0..arrivals.most_messages() {
        let (_, command) = association.hear().await?.ok_or(Trouble::Broken)?;
        let status = command.status_of(MOVE_RESPONSE).ok_or(CaseFault::AnswerInvalid)?;
        if !command::is_pending(status) {
            return Ok(status);
        }
    }
    Err(CaseFault::AnswerInvalid.into())
}

/// What a retrieval brought that ended with a status. Why the PACS did not bring it, the PACS says, and not
/// what somebody else brought.
///
/// Where some sub-operations failed, one instance that is here is the one that was asked for, as when it came at the
/// second try. Of a series the one that failed may not be listed, and so it is asked for once more.
pub(super) async fn outcome(status: u16, arrivals: &Arrivals) -> Result<Shelf, Trouble> {
    match (status, arrivals.brought().await.map_err(Trouble::Known)?) {
        (SUCCESS, Some(shelf)) => Ok(shelf),
        (SUCCESS, None) => Err(arrivals.missing()),
        (SOME_FAILED, Some(Shelf::One(file))) => Ok(Shelf::One(file)),
        (SOME_FAILED, _) => Err(Trouble::Broken),
        (status, _) => Err(command::unserved(status)),
    }
}
