//! What travels between the model's box and its parent.
//!
//! The first request is an order, as JSON: the box then reads the model from the file that was handed
//! in. Its reply is one byte. Every later request is a tensor of `f32`, as this machine keeps them: both
//! ends are the same program. Its reply is the scores as `f64`, or nothing. Other numbers are
//! little-endian.

use fedval_study::protocol::{MOST_CLASSES, ModelSpecification};
use serde::{Deserialize, Serialize};

use crate::error::LoadError;

/// A reply is at most one number for each class.
pub(crate) const MAX_REPLY_BYTES: u64 = 8 * MOST_CLASSES as u64;

/// Why the box refuses a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotOnnx,
    TooLarge,
    Operator,
    ExternalData,
    Input,
    Output,
    Engine,
    DigestMismatch,
    Library,
}

impl Refusal {
    /// Every refusal; its place, counted from 1, is the reply.
    const ALL: [Self; 9] = [
        Self::NotOnnx,
        Self::TooLarge,
        Self::Operator,
        Self::ExternalData,
        Self::Input,
        Self::Output,
        Self::Engine,
        Self::DigestMismatch,
        Self::Library,
    ];
}

impl From<Refusal> for LoadError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotOnnx => Self::NotOnnx,
            Refusal::TooLarge => Self::TooLarge,
            Refusal::Operator => Self::OperatorRefused,
            Refusal::ExternalData => Self::ExternalData,
            Refusal::Input => Self::InputMismatch,
            Refusal::Output => Self::OutputMismatch,
            Refusal::Engine => Self::Failed,
            Refusal::DigestMismatch => Self::DigestMismatch,
            Refusal::Library => Self::LibraryNotLoaded,
        }
    }
}

#[derive(Serialize)]
struct OrderRef<'a> {
    specification: &'a ModelSpecification,
    max_nodes: usize,
    with_library: bool,
}

/// What the box is told before it reads the model.
#[derive(Deserialize)]
pub(crate) struct Order {
    pub(crate) specification: ModelSpecification,
    pub(crate) max_nodes: usize,
    /// Whether a library was handed in, and so runs the model.
    pub(crate) with_library: bool,
}

pub(crate) fn encode_order(
    specification: &ModelSpecification,
    max_nodes: usize,
    with_library: bool,
) -> Vec<u8> {
    serde_json::to_vec(&OrderRef { specification, max_nodes, with_library })
        .expect("a specification is a plain structure")
}

pub(crate) fn decode_order(request: &[u8]) -> Option<Order> {
    serde_json::from_slice(request).ok()
}

pub(crate) fn encode_load_reply(refusal: Option<Refusal>) -> Vec<u8> {
    vec![refusal.map_or(0, |refusal| refusal as u8 + 1)]
}

/// Reads a reply that a hostile model may have shaped: anything odd counts as a crash.
pub(crate) fn decode_load_reply(reply: &[u8]) -> Result<(), LoadError> {
    let [place] = *reply else { return Err(LoadError::Crashed) };
    let Some(index) = usize::from(place).checked_sub(1) else { return Ok(()) };
    Err(Refusal::ALL.get(index).map_or(LoadError::Crashed, |refusal| (*refusal).into()))
}

pub(crate) fn encode_score(tensor: &[f32]) -> &[u8] {
    bytemuck::cast_slice(tensor)
}

pub(crate) fn encode_score_reply(scores: Option<Vec<f64>>) -> Vec<u8> {
    scores.unwrap_or_default().into_iter().flat_map(f64::to_le_bytes).collect()
}

/// As many scores as are asked for, or none.
pub(crate) fn decode_score_reply(reply: &[u8], scores: usize) -> Option<Vec<f64>> {
    let (numbers, rest) = reply.as_chunks::<8>();
    let is_whole = rest.is_empty() && numbers.len() == scores;
    is_whole.then(|| numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_scores_come_back_as_were_asked_for() {
        let reply = encode_score_reply(Some(vec![0.25, 0.75]));
        assert_eq!(decode_score_reply(&reply, 2), Some(vec![0.25, 0.75]));
        assert_eq!(decode_score_reply(&reply, 1), None);
        assert_eq!(decode_score_reply(&reply[1..], 2), None);
        assert_eq!(decode_score_reply(&encode_score_reply(None), 1), None);
    }

    #[test]
    fn every_refusal_keeps_its_meaning_and_an_unknown_reply_is_a_crash() {
        assert!(decode_load_reply(&encode_load_reply(None)).is_ok());
        for refusal in Refusal::ALL {
            let told = decode_load_reply(&encode_load_reply(Some(refusal))).unwrap_err();
            assert_eq!(told.to_string(), LoadError::from(refusal).to_string());
        }
        for odd in [&[][..], &[99], &[0, 0]] {
            assert!(matches!(decode_load_reply(odd), Err(LoadError::Crashed)));
        }
    }
}
