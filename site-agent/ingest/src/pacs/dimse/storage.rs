//! One instance that a PACS sends: from its request to store (PS3.7, 9.3.1) to a file.

use dicom_ul::IMPLEMENTATION_CLASS_UID;

use super::association::Association;
use super::command::Command;
use crate::pacs::attempt::Trouble;
use crate::pacs::{CaseFault, file_meta};

/// Takes the data set, of at most `most` bytes, and makes a file of it. None of it is looked at.
pub(super) async fn take(
    association: &mut Association,
    context: u8,
    command: &Command,
    most: u64,
) -> Result<Vec<u8>, Trouble> {
    let agreed = association.context(context).ok_or(CaseFault::AnswerInvalid)?;
    let (class, instance) = (command.class.as_deref(), command.instance.as_deref());
    let (Some(class), Some(instance)) = (class.filter(|own| *own == agreed.class), instance) else {
        return Err(CaseFault::AnswerInvalid.into());
    };
    let front = file_meta::front(class, instance, &agreed.syntax, IMPLEMENTATION_CLASS_UID);
    association.data_set(context, most, front).await
}
