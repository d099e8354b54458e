//! One association: who speaks with whom about what, and messages over it (PS3.8, 9.3; PS3.7, 9.3).
//!
//! No PDU is taken that is longer than was agreed, no command and no data set beyond its limit. How
//! long all of it may take, the caller says.

use std::collections::VecDeque;
use std::time::Duration;

use dicom_ul::pdu::{
    AbortRQSource, AssociationRJ, AssociationRJResult,
    AssociationRJServiceProviderPresentationReason, AssociationRJSource, AssociationRQ, PDataValue,
    PDataValueType, PresentationContextProposed, PresentationContextResultReason, UserVariableItem,
};
use dicom_ul::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, Pdu, read_pdu, write_pdu};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::command::Command;
use super::title::Titles;
use crate::pacs::attempt::Trouble;
use crate::pacs::dialer::Stream;
use crate::pacs::{CaseFault, FetchError, PacsError};

/// DICOM's own context (PS3.7, A.2.1).
pub(super) const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";
/// Longest PDU that is taken, in bytes behind its head.
const MOST_PDU_BYTES: u32 = 128 << 10;
/// Type, a byte of nothing, and a length of four.
const PDU_HEAD_BYTES: usize = 6;
/// Longest command: none has more than a few UIDs and a comment.
const MOST_COMMAND_BYTES: u64 = 64 << 10;
/// Longest fragment that is sent, in bytes; what is sent is short.
const FRAGMENT_BYTES: usize = 4 << 10;
/// Head of a fragment within its PDU.
const FRAGMENT_HEAD_BYTES: usize = 6;
/// Shortest fragment that is sent, whatever the other side says that it takes.
const LEAST_FRAGMENT_BYTES: usize = 64;
/// Time to say farewell.
const FAREWELL: Duration = Duration::from_secs(1);

/// What was agreed on.
pub(super) struct Context {
    pub(super) id: u8,
    pub(super) class: String,
    pub(super) syntax: String,
}

/// What is offered: a class, with syntaxes of which the other side chooses one.
pub(super) struct Offer {
    pub(super) class: String,
    pub(super) syntaxes: Vec<String>,
}

impl Offer {
    pub(super) fn of(class: &str, syntaxes: &[&str]) -> Self {
        let syntaxes = syntaxes.iter().map(|syntax| (*syntax).to_owned()).collect();
        Self { class: class.to_owned(), syntaxes }
    }
}

/// One association, over which one message follows the other.
pub(super) struct Association {
    stream: Box<dyn Stream>,
    contexts: Vec<Context>,
    /// Bytes of a fragment that the other side takes.
    most_fragment: usize,
    /// Fragments that came with others.
    arrived: VecDeque<PDataValue>,
}

impl Association {
    pub(super) fn over(stream: Box<dyn Stream>) -> Self {
        let arrived = VecDeque::new();
        Self { stream, contexts: Vec::new(), most_fragment: FRAGMENT_BYTES, arrived }
    }

    /// Asks for an association. `about` is said of this side beside what has to be.
    pub(super) async fn request(
        stream: Box<dyn Stream>,
        titles: &Titles,
        offers: &[Offer],
        about: Vec<UserVariableItem>,
    ) -> Result<Self, Trouble> {
        let mut association = Self::over(stream);
        let proposed: Vec<_> = offers.iter().zip((1..=u8::MAX).step_by(2)).map(propose).collect();
        let request = AssociationRQ {
            protocol_version: 1,
            calling_ae_title: titles.own.as_str().to_owned(),
            called_ae_title: titles.pacs.as_str().to_owned(),
            application_context_name: APPLICATION_CONTEXT.to_owned(),
            presentation_contexts: proposed.clone(),
            user_variables: own_variables().into_iter().chain(about).collect(),
        };
        association.send(&Pdu::AssociationRQ(request)).await?;
        match association.receive().await? {
            Pdu::AssociationAC(accepted) => {
                for result in accepted.presentation_contexts {
                    let syntax = result.transfer_syntax.trim_end_matches('\0').to_owned();
                    let offered = proposed.iter().find(|proposed| proposed.id == result.id);
                    let is_known = association.context(result.id).is_some();
                    let offered = offered.filter(|one| one.transfer_syntaxes.contains(&syntax));
                    let is_taken = result.reason == PresentationContextResultReason::Acceptance;
                    if let Some(offered) = offered.filter(|_| is_taken && !is_known) {
                        let class = offered.abstract_syntax.clone();
                        association.contexts.push(Context { id: result.id, class, syntax });
                    }
                }
                association.heed(&accepted.user_variables);
                Ok(association)
            }
            Pdu::AssociationRJ(rejected) => Err(refused(&rejected)),
            Pdu::AbortRQ { .. } | Pdu::ReleaseRQ => Err(Trouble::Broken),
            _ => Err(CaseFault::AnswerInvalid.into()),
        }
    }

    /// What was agreed on by the side that was asked.
    pub(super) fn agree(&mut self, contexts: Vec<Context>, variables: &[UserVariableItem]) {
        self.contexts = contexts;
        self.heed(variables);
    }

    /// Sends no longer PDU than the other side takes; 0 sets no limit (PS3.8, D.1).
    fn heed(&mut self, variables: &[UserVariableItem]) {
        let most = variables.iter().find_map(|variable| match variable {
            UserVariableItem::MaxLength(most) if *most > 0 => usize::try_from(*most).ok(),
            _ => None,
        });
        if let Some(most) = most {
            let fits = most.saturating_sub(FRAGMENT_HEAD_BYTES) & !1;
            self.most_fragment = fits.clamp(LEAST_FRAGMENT_BYTES, FRAGMENT_BYTES);
        }
    }

    pub(super) fn context(&self, id: u8) -> Option<&Context> {
        self.contexts.iter().find(|context| context.id == id)
    }

    /// The context of a class that was offered once; without it the other side does not serve.
    pub(super) fn context_of(&self, class: &str) -> Result<u8, Trouble> {
        let context = self.contexts.iter().find(|context| context.class == class);
        context.map(|context| context.id).ok_or(CaseFault::AnswerInvalid.into())
    }

    /// Sends a command, and a data set that follows it.
    pub(super) async fn say(
        &mut self,
        context: u8,
        command: &[u8],
        data_set: Option<&[u8]>,
    ) -> Result<(), Trouble> {
        self.fragments(context, &PDataValueType::Command, command).await?;
        match data_set {
            Some(data_set) => self.fragments(context, &PDataValueType::Data, data_set).await,
            None => Ok(()),
        }
    }

    async fn fragments(
        &mut self,
        context: u8,
        kind: &PDataValueType,
        bytes: &[u8],
    ) -> Result<(), Trouble> {
        let mut fragments = bytes.chunks(self.most_fragment).peekable();
        while let Some(fragment) = fragments.next() {
            let value = PDataValue {
                presentation_context_id: context,
                value_type: kind.clone(),
                is_last: fragments.peek().is_none(),
                data: fragment.to_vec(),
            };
            self.send(&Pdu::PData { data: vec![value] }).await?;
        }
        Ok(())
    }

    /// The next command, with its context; `None` where the other side has nothing more to say.
    pub(super) async fn hear(&mut self) -> Result<Option<(u8, Command)>, Trouble> {
        let Some(first) = self.fragment().await? else {
            self.send(&Pdu::ReleaseRP).await?;
            return Ok(None);
        };
        let context = first.presentation_context_id;
        let kind = PDataValueType::Command;
        let bytes = self.whole(first, &kind, MOST_COMMAND_BYTES, Vec::new()).await;
        let bytes = bytes.map_err(not_an_image)?;
        let command = Command::read(&bytes).ok_or(CaseFault::AnswerInvalid)?;
        Ok(Some((context, command)))
    }

    /// The data set that follows a command, of at most `most` bytes, behind what stands in `front` of it: an image is
    /// not held twice.
    pub(super) async fn data_set(
        &mut self,
        context: u8,
        most: u64,
        front: Vec<u8>,
    ) -> Result<Vec<u8>, Trouble> {
        let first = self.fragment().await?.ok_or(Trouble::Broken)?;
        if first.presentation_context_id != context {
            return Err(CaseFault::AnswerInvalid.into());
        }
        self.whole(first, &PDataValueType::Data, most, front).await
    }

    /// What fragments of one kind and one context make up, at most `most` bytes, behind `front`.
    async fn whole(
        &mut self,
        first: PDataValue,
        kind: &PDataValueType,
        most: u64,
        front: Vec<u8>,
    ) -> Result<Vec<u8>, Trouble> {
        let context = first.presentation_context_id;
        let before = front.len();
        let (mut bytes, mut next) = (front, first);
        loop {
            if next.value_type != *kind || next.presentation_context_id != context {
                return Err(CaseFault::AnswerInvalid.into());
            }
            if (bytes.len() - before + next.data.len()) as u64 > most {
                return Err(CaseFault::TooLarge.into());
            }
            bytes.extend_from_slice(&next.data);
            if next.is_last {
                return Ok(bytes);
            }
            next = self.fragment().await?.ok_or(Trouble::Broken)?;
        }
    }

    /// The next fragment; `None` where the other side releases the association.
    async fn fragment(&mut self) -> Result<Option<PDataValue>, Trouble> {
        loop {
            if let Some(value) = self.arrived.pop_front() {
                return Ok(Some(value));
            }
            match self.receive().await? {
                Pdu::PData { data } => self.arrived.extend(data),
                Pdu::ReleaseRQ => return Ok(None),
                Pdu::AbortRQ { .. } => return Err(Trouble::Broken),
                _ => return Err(CaseFault::AnswerInvalid.into()),
            }
        }
    }

    pub(super) async fn send(&mut self, pdu: &Pdu) -> Result<(), Trouble> {
        let mut bytes = Vec::new();
        // Titles and UIDs were looked at before.
        write_pdu(&mut bytes, pdu).map_err(|_| CaseFault::AnswerInvalid)?;
        self.stream.write_all(&bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    pub(super) async fn receive(&mut self) -> Result<Pdu, Trouble> {
        let mut pdu = vec![0; PDU_HEAD_BYTES];
        self.stream.read_exact(&mut pdu).await?;
        let length = u32::from_be_bytes([pdu[2], pdu[3], pdu[4], pdu[5]]);
        if length > MOST_PDU_BYTES {
            return Err(CaseFault::AnswerInvalid.into());
        }
        pdu.resize(PDU_HEAD_BYTES + length as usize, 0);
        self.stream.read_exact(&mut pdu[PDU_HEAD_BYTES..]).await?;
        match read_pdu(pdu.as_slice(), MOST_PDU_BYTES, true) {
            Ok(Some(pdu)) => Ok(pdu),
            Ok(None) | Err(_) => Err(CaseFault::AnswerInvalid.into()),
        }
    }

    /// Ends an association over which everything was said. What comes of it changes nothing.
    pub(super) async fn release(mut self) {
        let farewell = async {
            self.send(&Pdu::ReleaseRQ).await?;
            while !matches!(self.receive().await?, Pdu::ReleaseRP | Pdu::AbortRQ { .. }) {}
            Ok::<(), Trouble>(())
        };
        let _ = timeout(FAREWELL, farewell).await;
    }

    /// Breaks an association off.
    pub(super) async fn abort(mut self) {
        let farewell = Pdu::AbortRQ { source: AbortRQSource::ServiceUser };
        let _ = timeout(FAREWELL, self.send(&farewell)).await;
    }
}

/// What has to be said of this side (PS3.7, D.3.3).
pub(super) fn own_variables() -> [UserVariableItem; 3] {
    [
        UserVariableItem::MaxLength(MOST_PDU_BYTES),
        UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.to_owned()),
        UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION_NAME.to_owned()),
    ]
}

fn propose((offer, id): (&Offer, u8)) -> PresentationContextProposed {
    PresentationContextProposed {
        id,
        abstract_syntax: offer.class.clone(),
        transfer_syntaxes: offer.syntaxes.clone(),
    }
}

/// A command or a result that is too long is no image that is too large.
pub(super) fn not_an_image(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Known(FetchError::Case(_)) => CaseFault::AnswerInvalid.into(),
        trouble => trouble,
    }
}

/// Why no association was agreed on (PS3.8, 9.3.4).
fn refused(rejected: &AssociationRJ) -> Trouble {
    use AssociationRJServiceProviderPresentationReason as Reason;
    let is_busy = rejected.result == AssociationRJResult::Transient
        || matches!(
            rejected.source,
            AssociationRJSource::ServiceProviderPresentation(
                Reason::TemporaryCongestion | Reason::LocalLimitExceeded
            )
        );
    if is_busy { Trouble::Busy(None) } else { PacsError::TitleRefused.into() }
}
