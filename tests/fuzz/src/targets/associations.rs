//! What a PACS, or who stands in its place, may say in an association: the agent asks for results or for an instance,
//! has one sent, or takes one.

use fedval_ingest::pacs::{DimsePart, dimse_conversation};

use crate::Target;
use crate::draw::Draw;

const APPLICATION_CONTEXT: &[u8] = b"1.2.840.10008.3.1.1.1";
const IMPLICIT: &[u8] = b"1.2.840.10008.1.2";
const EXPLICIT: &[u8] = b"1.2.840.10008.1.2.1";
/// What the agent offers, and one that it does not.
const SYNTAXES: [&[u8]; 3] = [IMPLICIT, EXPLICIT, b"1.2.840.10008.1.2.4.100"];
/// An image, a report of which there are many kinds, and no storage at all.
const CLASSES: [&[u8]; 3] =
    [b"1.2.840.10008.5.1.4.1.1.1", b"1.2.840.10008.5.1.4.1.1.88.33", b"1.2.840.10008.1.1"];
/// What answers C-STORE, C-GET, C-FIND and C-MOVE, and what asks to store.
const FIELDS: [u16; 5] = [0x8001, 0x8010, 0x8020, 0x8021, 0x0001];
const STATUSES: [u16; 9] = [0x0000, 0xff00, 0xff01, 0xb000, 0x0124, 0xa700, 0xa801, 0xc001, 0xfe00];
/// The instance that is asked for, and another, which is asked for with it in a series.
const INSTANCES: [&[u8]; 3] = [b"1.2.3.4", b"1.2.3.4\0", b"1.2.3.5"];
/// Elements of the command group: classes, fields, messages, instances, statuses and what follows.
const OF_COMMANDS: [u16; 8] = [0x0000, 0x0002, 0x0100, 0x0110, 0x0120, 0x0800, 0x0900, 0x1000];

/// The length of some bytes; now and then another one.
fn length(draw: &mut Draw<'_>, bytes: &[u8]) -> usize {
    if draw.below(96) == 95 { draw.below(256) << (8 * draw.below(4)) } else { bytes.len() }
}

/// A PDU of a type.
fn pdu(draw: &mut Draw<'_>, kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length(draw, content)).unwrap_or(u32::MAX).to_be_bytes();
    [&[kind, 0][..], &length, content].concat()
}

/// An item of what is negotiated.
fn item(draw: &mut Draw<'_>, kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(length(draw, content)).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, 0][..], &length, content].concat()
}

fn title(text: &str) -> [u8; 16] {
    let mut title = [b' '; 16];
    title[..text.len()].copy_from_slice(text.as_bytes());
    title
}

/// What is said of a side beside its contexts: the longest PDU that it takes, and anything.
fn about(draw: &mut Draw<'_>) -> Vec<u8> {
    let longest = u32::try_from(draw.below(256) << (8 * draw.below(3))).unwrap_or(u32::MAX);
    let mut variables = item(draw, 0x51, &longest.to_be_bytes());
    for _ in 0..draw.below(3) {
        let kinds = [0x52, 0x54, 0x55, 0x56, 0x58, 0x59];
        let kind = kinds[draw.below(kinds.len())];
        let content = few(draw);
        variables.extend(item(draw, kind, &content));
    }
    item(draw, 0x50, &variables)
}

/// A few bytes, most of them small.
fn few(draw: &mut Draw<'_>) -> Vec<u8> {
    (0..draw.below(12)).map(|_| u8::try_from(draw.below(20)).unwrap_or_default()).collect()
}

/// Contexts of which the agent has offered the first ones, accepted or not; or contexts for it to accept.
fn contexts(draw: &mut Draw<'_>, part: DimsePart) -> Vec<u8> {
    let are_proposed = part == DimsePart::Receive;
    let mut contexts = Vec::new();
    for id in (1_u8..).step_by(2).take(2 + draw.below(3)) {
        let usual = match part {
            // What is asked goes in implicit little endian, and images come in contexts of their own.
            DimsePart::Find | DimsePart::Move => IMPLICIT,
            DimsePart::Get | DimsePart::GetSeries if id == 1 => IMPLICIT,
            DimsePart::Get | DimsePart::GetSeries | DimsePart::Receive => EXPLICIT,
        };
        let syntax = if draw.below(8) == 7 { SYNTAXES[draw.below(3)] } else { usual };
        let mut parts = Vec::new();
        if are_proposed {
            let class = if draw.flag() { CLASSES[0] } else { CLASSES[draw.below(3)] };
            parts.extend(item(draw, 0x30, class));
        }
        parts.extend(item(draw, 0x40, syntax));
        let verdict = if draw.below(8) == 7 { u8::try_from(draw.below(6)).unwrap_or(1) } else { 0 };
        let content = [&[id, 0, verdict, 0][..], &parts].concat();
        contexts.extend(item(draw, if are_proposed { 0x20 } else { 0x21 }, &content));
    }
    contexts
}

/// The first PDU: the agent's request is accepted, or it is asked for an association.
fn opening(draw: &mut Draw<'_>, part: DimsePart) -> Vec<u8> {
    let (called, calling) = match draw.below(12) {
        0 => ("ANY", "PACS"),
        1 => ("FEDVAL", "ANY"),
        _ => ("FEDVAL", "PACS"),
    };
    let content = [
        &[0, 1, 0, 0][..],
        &title(called),
        &title(calling),
        &[0; 32],
        &item(draw, 0x10, APPLICATION_CONTEXT),
        &contexts(draw, part),
        &about(draw),
    ]
    .concat();
    pdu(draw, if part == DimsePart::Receive { 0x01 } else { 0x02 }, &content)
}

fn element(draw: &mut Draw<'_>, group: u16, number: u16, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length(draw, value)).unwrap_or(u32::MAX).to_le_bytes();
    [&group.to_le_bytes()[..], &number.to_le_bytes(), &length, value].concat()
}

/// A command that is mostly one: `field` with a status, or to store the instance.
fn command(draw: &mut Draw<'_>, field: u16, is_followed: bool) -> Vec<u8> {
    let follows: u16 = if is_followed { 0 } else { 0x0101 };
    let mut elements = Vec::new();
    for number in OF_COMMANDS {
        let value = match number {
            0x0002 => CLASSES[0].to_vec(),
            0x0100 => field.to_le_bytes().to_vec(),
            0x0110 | 0x0120 => vec![1, 0],
            0x0800 => follows.to_le_bytes().to_vec(),
            0x0900 => STATUSES[draw.below(STATUSES.len())].to_le_bytes().to_vec(),
            0x1000 if draw.below(6) == 5 => INSTANCES[draw.below(INSTANCES.len())].to_vec(),
            0x1000 => INSTANCES[1].to_vec(),
            _ => vec![0; 4],
        };
        match draw.below(64) {
            62 => {}
            63 => {
                let value = few(draw);
                elements.extend(element(draw, 0, number, &value));
            }
            _ => elements.extend(element(draw, 0, number, &value)),
        }
    }
    elements
}

/// What is found, with a sequence of undefined length now and then.
fn data_set(draw: &mut Draw<'_>) -> Vec<u8> {
    let mut elements = Vec::new();
    for (group, number) in [(8, 0x16), (8, 0x18), (8, 0x50), (8, 0x60), (0x20, 0x0d), (0x20, 0x0e)]
    {
        let value = if draw.flag() { INSTANCES[draw.below(3)].to_vec() } else { few(draw) };
        elements.extend(element(draw, group, number, &value));
        if draw.below(6) == 5 {
            let tags = [(8, 0x1140), (0xfffe, 0xe000), (0xfffe, 0xe00d), (0xfffe, 0xe0dd)];
            let (group, number): (u16, u16) = tags[draw.below(tags.len())];
            let length: u32 = if draw.flag() { u32::MAX } else { 0 };
            elements.extend([&group.to_le_bytes()[..], &number.to_le_bytes()].concat());
            elements.extend(length.to_le_bytes());
        }
    }
    elements
}

/// Bytes of a message in one fragment or two, each in a PDU of its own or both in one.
fn fragments(draw: &mut Draw<'_>, context: u8, is_command: bool, bytes: &[u8]) -> Vec<u8> {
    let at = if draw.below(4) == 3 { bytes.len() / 2 } else { bytes.len() };
    let (one, other) = bytes.split_at(at);
    let fragment = |draw: &mut Draw<'_>, of: &[u8], is_last: bool| {
        let odd = if draw.below(24) == 23 { u8::try_from(draw.below(4)).unwrap_or(0) } else { 0 };
        let control = (u8::from(is_command) | (u8::from(is_last) << 1)) ^ odd;
        let value = [&[context, control][..], of].concat();
        let length = u32::try_from(length(draw, &value)).unwrap_or(u32::MAX).to_be_bytes();
        [&length[..], &value].concat()
    };
    if other.is_empty() {
        let only = fragment(draw, one, true);
        return pdu(draw, 0x04, &only);
    }
    let (one, other) = (fragment(draw, one, false), fragment(draw, other, true));
    if draw.flag() {
        return pdu(draw, 0x04, &[one, other].concat());
    }
    [pdu(draw, 0x04, &one), pdu(draw, 0x04, &other)].concat()
}

/// One message, or what ends an association, or what is none of it.
fn message(draw: &mut Draw<'_>, usual: u16) -> Vec<u8> {
    let field = match draw.below(8) {
        0 => FIELDS[draw.below(FIELDS.len())],
        // Over the association of C-GET, and of who brings something, an instance is stored.
        1..=3 if usual == 0x8010 => 0x0001,
        _ => usual,
    };
    let context = match draw.below(12) {
        0 => u8::try_from(draw.below(256)).unwrap_or_default(),
        _ if field == 0x0001 && usual != 0x0001 => 3,
        _ => 1,
    };
    match draw.below(16) {
        0 => pdu(draw, 0x05, &[0; 4]),
        1 => pdu(draw, 0x06, &[0; 4]),
        2 => {
            let kind = if draw.flag() { 0x07 } else { 0x03 };
            let value = few(draw);
            pdu(draw, kind, &value)
        }
        3 => {
            let (kind, value) = (u8::try_from(draw.below(256)).unwrap_or_default(), few(draw));
            pdu(draw, kind, &value)
        }
        _ => {
            let is_followed = field == 0x0001 || (field == 0x8020 && draw.flag());
            let command = command(draw, field, is_followed);
            let mut message = fragments(draw, context, true, &command);
            if is_followed {
                let data_set = data_set(draw);
                message.extend(fragments(draw, context, false, &data_set));
            }
            message
        }
    }
}

/// All that a peer says: an opening, messages of which most have the field `usual`, and then anything.
fn said(draw: &mut Draw<'_>, part: DimsePart, usual: u16) -> Vec<u8> {
    let mut said = opening(draw, part);
    for _ in 0..draw.below(6) {
        said.extend(message(draw, usual));
    }
    said.extend(draw.rest());
    said
}

fn conversation(draw: &mut Draw<'_>, part: DimsePart, usual: u16) {
    let said = said(draw, part, usual);
    let _ = dimse_conversation(part, &said);
}

pub(super) const TARGETS: &[Target] = &[
    Target { entry: "associations::find", run: |draw| conversation(draw, DimsePart::Find, 0x8020) },
    Target { entry: "associations::get", run: |draw| conversation(draw, DimsePart::Get, 0x8010) },
    Target {
        entry: "associations::get_series",
        run: |draw| conversation(draw, DimsePart::GetSeries, 0x8010),
    },
    Target { entry: "associations::move", run: |draw| conversation(draw, DimsePart::Move, 0x8021) },
    Target {
        entry: "associations::receive",
        run: |draw| conversation(draw, DimsePart::Receive, 0x0001),
    },
];
