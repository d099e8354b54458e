//! What travels between the model's box and its parent.
//!
//! The first request is an order, as JSON: the box then reads the model from the file that was handed
//! in. Its reply is one byte. Every later request is a tensor of `f32`, as this machine keeps them: both
//! ends are the same program. Its reply is the scores as `f64`, or four bytes and then the numbers of a mask or
//! of boxes as `f32`, or nothing. Other numbers are little-endian.

use fedval_sandbox::numbers;
use fedval_study::protocol::{MOST_CLASSES, ModelSpecification};
use serde::{Deserialize, Serialize};

use crate::answer::{ModelAnswer, Wanted};
use crate::error::LoadError;

/// A reply with scores is at most one number for each class.
const MOST_SCORE_BYTES: u64 = 8 * MOST_CLASSES as u64;

/// What stands before the numbers of a tensor: one without any is no failure.
const TENSOR: [u8; 4] = [1, 0, 0, 0];

/// Longest reply of an honest box: of a mask its size is the protocol's.
pub(crate) fn max_reply_bytes(wanted: &Wanted) -> u64 {
    match wanted {
        Wanted::Scores(_) => MOST_SCORE_BYTES,
        Wanted::Mask(_) | Wanted::Boxes(_) => {
            let values = wanted.most_values() as u64;
            values.saturating_mul(4).saturating_add(TENSOR.len() as u64)
        }
    }
}

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

pub(crate) fn encode_answer(answer: Option<ModelAnswer>) -> Vec<u8> {
    match answer {
        None => encode_score_reply(None),
        Some(ModelAnswer::Scores(scores)) => encode_score_reply(Some(scores)),
        Some(ModelAnswer::Tensor(values)) => {
            [&TENSOR[..], bytemuck::cast_slice::<f32, u8>(&values)].concat()
        }
    }
}

/// What was asked for, or nothing. Of a tensor the numbers are whole; how many there must be is not looked at.
pub(crate) fn decode_answer(reply: &[u8], wanted: &Wanted) -> Option<ModelAnswer> {
    match wanted {
        Wanted::Scores(places) => decode_score_reply(reply, places.len()).map(ModelAnswer::Scores),
        Wanted::Mask(_) | Wanted::Boxes(_) => {
            let values = reply.strip_prefix(&TENSOR)?;
            let is_whole = values.len().is_multiple_of(size_of::<f32>());
            is_whole.then(|| ModelAnswer::Tensor(numbers(values).into_owned()))
        }
    }
}

fn encode_score_reply(scores: Option<Vec<f64>>) -> Vec<u8> {
    scores.unwrap_or_default().into_iter().flat_map(f64::to_le_bytes).collect()
}

/// As many scores as are asked for, or none.
fn decode_score_reply(reply: &[u8], scores: usize) -> Option<Vec<f64>> {
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
    fn a_tensor_comes_back_whole_or_not_at_all() {
        let wanted = Wanted::Boxes(5);
        for values in [vec![], vec![0.5, -1.0, 7.0]] {
            let reply = encode_answer(Some(ModelAnswer::Tensor(values.clone())));
            assert_eq!(decode_answer(&reply, &wanted), Some(ModelAnswer::Tensor(values)));
            assert_eq!(decode_answer(&reply[1..], &wanted), None);
        }
        let reply = encode_answer(Some(ModelAnswer::Tensor(vec![0.5])));
        assert_eq!(decode_answer(&reply[..6], &wanted), None);
        assert_eq!(decode_answer(&encode_answer(None), &wanted), None);
        let mask = Wanted::Mask(vec![1, 1, 2, 3]);
        assert_eq!((max_reply_bytes(&mask), max_reply_bytes(&Wanted::Scores(0..1))), (28, 80));
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
