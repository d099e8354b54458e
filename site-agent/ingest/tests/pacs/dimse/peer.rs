//! A PACS that speaks DIMSE and may do what no honest one does. Its associations are dicom-ul's own.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_dictionary_std::uids::{IMPLICIT_VR_LITTLE_ENDIAN, JPEG2000_LOSSLESS};
use dicom_ul::association::ServerAssociation;
use dicom_ul::pdu::{
    AbortRQSource, PDataValue, PDataValueType, Pdu, PresentationContextNegotiated,
    PresentationContextResultReason,
};
use dicom_ul::{ClientAssociationOptions, ServerAssociationOptions};

pub(crate) const FIND: u16 = 0x20;
pub(crate) const GET: u16 = 0x10;
pub(crate) const MOVE: u16 = 0x21;
pub(crate) const PENDING: u16 = 0xFF00;

/// Longest fragment that the peer sends.
const FRAGMENT: usize = 8 << 10;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) field: u16,
    context: u8,
    class: String,
    keys: Vec<(Tag, String)>,
}

impl Asked {
    /// A key of the identifier; empty where it is, or is not there.
    pub(crate) fn key(&self, tag: Tag) -> &str {
        let key = self.keys.iter().find(|(own, _)| *own == tag);
        key.map_or("", |(_, value)| value)
    }

    /// The same as if something else had been asked.
    pub(crate) fn otherwise(&self) -> Self {
        Self { field: 0x30, ..self.clone() }
    }
}

/// What the peer saw and did.
#[derive(Default)]
pub(crate) struct Seen {
    asked: Mutex<Vec<Asked>>,
    pub(crate) associations: AtomicUsize,
    /// Bytes that somebody took.
    pub(crate) sent: AtomicU64,
}

impl Seen {
    pub(crate) fn count(&self, field: u16) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.field == field).count()
    }

    pub(crate) fn last(&self, field: u16) -> Asked {
        let asked = self.asked.lock().unwrap();
        asked.iter().rev().find(|asked| asked.field == field).unwrap().clone()
    }
}

/// One association of the peer's.
pub(crate) struct Talk {
    association: ServerAssociation<TcpStream>,
    seen: Arc<Seen>,
}

impl Talk {
    fn send(&mut self, pdu: &Pdu) -> Option<()> {
        self.association.send(pdu).ok()
    }

    fn fragment(&mut self, context: u8, command: bool, last: bool, data: &[u8]) -> Option<()> {
        let value = PDataValue {
            presentation_context_id: context,
            value_type: if command { PDataValueType::Command } else { PDataValueType::Data },
            is_last: last,
            data: data.to_vec(),
        };
        self.send(&Pdu::PData { data: vec![value] })?;
        self.seen.sent.fetch_add(data.len() as u64, Ordering::SeqCst);
        Some(())
    }

    fn message(&mut self, context: u8, command: &[u8], data: Option<&[u8]>) -> Option<()> {
        self.fragment(context, true, true, command)?;
        let Some(data) = data else { return Some(()) };
        let mut fragments = data.chunks(FRAGMENT).peekable();
        while let Some(fragment) = fragments.next() {
            self.fragment(context, false, fragments.peek().is_none(), fragment)?;
        }
        Some(())
    }

    /// Answers with a status, and perhaps a result.
    pub(crate) fn answer(
        &mut self,
        asked: &Asked,
        status: u16,
        result: Option<&[(Tag, &str)]>,
    ) -> Option<()> {
        let mut command = Vec::new();
        put(&mut command, tags::AFFECTED_SOP_CLASS_UID, asked.class.as_bytes());
        put(&mut command, tags::COMMAND_FIELD, &(asked.field | 0x8000).to_le_bytes());
        put(&mut command, tags::MESSAGE_ID_BEING_RESPONDED_TO, &1_u16.to_le_bytes());
        let kind: u16 = if result.is_some() { 1 } else { 0x0101 };
        put(&mut command, tags::COMMAND_DATA_SET_TYPE, &kind.to_le_bytes());
        put(&mut command, tags::STATUS, &status.to_le_bytes());
        let result = result.map(|result| {
            let mut bytes = Vec::new();
            for (tag, value) in result {
                put(&mut bytes, *tag, value.as_bytes());
            }
            bytes
        });
        self.message(asked.context, &grouped(command), result.as_deref())
    }

    /// The context for a class in a transfer syntax.
    fn context(&self, class: &str, syntax: &str) -> Option<u8> {
        let mut contexts = self.association.presentation_contexts().iter();
        let is_fitting = |context: &&PresentationContextNegotiated| {
            context.reason == PresentationContextResultReason::Acceptance
                && context.abstract_syntax == class
                && context.transfer_syntax == syntax
        };
        contexts.find(is_fitting).map(|context| context.id)
    }

    /// Stores over this association, and hears what is said of it; `None` where nothing is.
    pub(crate) fn store(
        &mut self,
        class: &str,
        syntax: &str,
        instance: &str,
        data: &[u8],
    ) -> Option<u16> {
        let context = self.context(class, syntax)?;
        self.message(context, &store_request(class, instance), Some(data))?;
        match self.association.receive().ok()? {
            Pdu::PData { data } => number(&data[0].data, tags::STATUS),
            _ => None,
        }
    }

    /// Begins to store, and goes on for as long as somebody takes it.
    pub(crate) fn store_for_ever(&mut self, class: &str, syntax: &str, instance: &str) {
        let Some(context) = self.context(class, syntax) else { return };
        let command = store_request(class, instance);
        let mut taken = self.fragment(context, true, true, &command);
        while taken.is_some() {
            taken = self.fragment(context, false, false, &[0x5A; FRAGMENT]);
        }
    }

    /// Bytes that may be no PDU.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Option<()> {
        self.association.inner_stream().write_all(bytes).ok()
    }

    /// Waits until the other side says something, or goes.
    pub(crate) fn listen(&mut self) {
        let _ = self.association.receive();
    }

    pub(crate) fn abort(&mut self) -> Option<()> {
        self.send(&Pdu::AbortRQ { source: AbortRQSource::ServiceUser })
    }

    pub(crate) fn release(&mut self) -> Option<()> {
        self.send(&Pdu::ReleaseRQ)
    }

    /// The next request; `None` at the end of the association.
    fn hear(&mut self) -> Option<Asked> {
        let (mut command, mut keys) = (Vec::new(), Vec::new());
        loop {
            match self.association.receive().ok()? {
                Pdu::PData { data } => {
                    for value in data {
                        let is_command = value.value_type == PDataValueType::Command;
                        let part = if is_command { &mut command } else { &mut keys };
                        part.extend_from_slice(&value.data);
                        if value.is_last && !is_command {
                            return Some(asked(value.presentation_context_id, &command, &keys));
                        }
                    }
                }
                Pdu::ReleaseRQ => {
                    self.send(&Pdu::ReleaseRP)?;
                    return None;
                }
                _ => return None,
            }
        }
    }
}

fn asked(context: u8, command: &[u8], keys: &[u8]) -> Asked {
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).unwrap().trim_end_matches(['\0', ' ']).to_owned()
    };
    let class = elements(command).into_iter().find(|(tag, _)| *tag == tags::AFFECTED_SOP_CLASS_UID);
    Asked {
        field: number(command, tags::COMMAND_FIELD).unwrap(),
        context,
        class: class.map(|(_, value)| text(value)).unwrap(),
        keys: elements(keys).into_iter().map(|(tag, value)| (tag, text(value))).collect(),
    }
}

fn put(bytes: &mut Vec<u8>, tag: Tag, value: &[u8]) {
    let padded = value.len().next_multiple_of(2);
    bytes.extend([tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat());
    bytes.extend(u32::try_from(padded).unwrap().to_le_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len() + padded - value.len(), 0);
}

fn elements(mut bytes: &[u8]) -> Vec<(Tag, &[u8])> {
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let (value, rest) = rest.split_at(usize::from(word(4)));
        found.push((Tag(word(0), word(2)), value));
        bytes = rest;
    }
    found
}

fn number(command: &[u8], wanted: Tag) -> Option<u16> {
    let (_, value) = elements(command).into_iter().find(|(tag, _)| *tag == wanted)?;
    Some(u16::from_le_bytes([value[0], value[1]]))
}

fn grouped(command: Vec<u8>) -> Vec<u8> {
    let mut whole = Vec::new();
    let length = u32::try_from(command.len()).unwrap().to_le_bytes();
    put(&mut whole, tags::COMMAND_GROUP_LENGTH, &length);
    whole.extend(command);
    whole
}

fn store_request(class: &str, instance: &str) -> Vec<u8> {
    let mut command = Vec::new();
    put(&mut command, tags::AFFECTED_SOP_CLASS_UID, class.as_bytes());
    put(&mut command, tags::COMMAND_FIELD, &1_u16.to_le_bytes());
    put(&mut command, tags::MESSAGE_ID, &7_u16.to_le_bytes());
    put(&mut command, tags::PRIORITY, &0_u16.to_le_bytes());
    put(&mut command, tags::COMMAND_DATA_SET_TYPE, &1_u16.to_le_bytes());
    put(&mut command, tags::AFFECTED_SOP_INSTANCE_UID, instance.as_bytes());
    grouped(command)
}

/// Opens an association to a listener and stores there, as a PACS does for C-MOVE. What is said of it;
/// `None` where the door is closed.
pub(crate) fn bring(
    port: u16,
    titles: (&str, &str),
    class: &str,
    syntax: &str,
    instance: &str,
    data: &[u8],
) -> Option<u16> {
    let options = ClientAssociationOptions::new()
        .calling_ae_title(titles.0.to_owned())
        .called_ae_title(titles.1.to_owned())
        .with_presentation_context(class.to_owned(), vec![syntax.to_owned()]);
    let mut association = options.establish(("127.0.0.1", port)).ok()?;
    let context = association.presentation_contexts()[0].id;
    let value = |kind: PDataValueType, data: &[u8]| PDataValue {
        presentation_context_id: context,
        value_type: kind,
        is_last: true,
        data: data.to_vec(),
    };
    let command = value(PDataValueType::Command, &store_request(class, instance));
    // In one PDU with the data set, as some do.
    let both = vec![command, value(PDataValueType::Data, data)];
    association.send(&Pdu::PData { data: both }).ok()?;
    let status = match association.receive().ok()? {
        Pdu::PData { data } => number(&data[0].data, tags::STATUS),
        _ => None,
    };
    let _ = association.release();
    status
}

/// A PACS on this machine, for as long as the tests run.
pub(crate) struct Peer {
    pub(crate) port: u16,
    pub(crate) seen: Arc<Seen>,
}

impl Peer {
    /// `answer` deals with each request; `None` ends the association without a word.
    pub(crate) fn start(
        answer: impl Fn(&mut Talk, &Asked) -> Option<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Seen::default()));
        let (counted, answer) = (Arc::clone(&seen), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&counted), Arc::clone(&answer));
                thread::spawn(move || {
                    seen.associations.fetch_add(1, Ordering::SeqCst);
                    let options = ServerAssociationOptions::new()
                        .accept_called_ae_title()
                        .ae_title("PACS")
                        .with_transfer_syntax(IMPLICIT_VR_LITTLE_ENDIAN)
                        .with_transfer_syntax(JPEG2000_LOSSLESS)
                        .promiscuous(true);
                    let Ok(association) = options.establish(stream) else { return };
                    let mut talk = Talk { association, seen: Arc::clone(&seen) };
                    while let Some(asked) = talk.hear() {
                        seen.asked.lock().unwrap().push(asked.clone());
                        if answer(&mut talk, &asked).is_none() {
                            return;
                        }
                    }
                });
            }
        });
        Self { port, seen }
    }
}
