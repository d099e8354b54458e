//! What travels between the decoder's box and its parent.
//!
//! Request: length of the head in four bytes, the head as JSON, the file, or both masks of a case one behind the
//! other, or the reference standard's and the numbers of a model's output. Reply: a byte that says how it went; for
//! an image three zeros follow, the number of values in four bytes, the values as `f32`, and the attributes with the
//! image's frame as JSON; for masks, what was measured of them. Integers are little-endian, values as this machine
//! keeps them: both ends are the same program.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use fedval_preprocess::all_finite;
use fedval_sandbox::{Reply, numbers};
use fedval_study::protocol::{ModelInput, ModelSpecification, Structure};
use serde::{Deserialize, Serialize};

use super::attributes::admitted;
use super::fault::ImageFault;
use super::image_frame::ImageFrame;
use super::mask::{
    MaskComparison, MaskRequest, OutputRequest, compare_masks, compare_output, reply as mask_reply,
};
use super::{DecodeRequest, DecodedImage, decode_image};

/// First byte of a reply with an image or a comparison; any other is a fault's place, counted from 1.
const DECODED: u8 = 0;

/// Bytes before the values of an image: a multiple of a value's, so that they can be read in place.
const HEAD_BYTES: usize = 8;

/// Bytes of a reply that are not values: generous for eleven attributes of 64 characters.
const REPLY_OVERHEAD: u64 = 16 * 1024;

#[derive(Serialize)]
enum Head<'a> {
    Image {
        input: &'a ModelInput,
        dicom_attributes: &'a [String],
    },
    /// The first of the two files is so long.
    Masks {
        structure: &'a Structure,
        reference_bytes: usize,
    },
    /// A file, and behind it the numbers of a model's output.
    Output {
        structure: &'a Structure,
        model: &'a ModelSpecification,
        frame: &'a ImageFrame,
        reference_bytes: usize,
    },
}

#[derive(Deserialize)]
enum OwnedHead {
    Image {
        input: ModelInput,
        dicom_attributes: Vec<String>,
    },
    Masks {
        structure: Structure,
        reference_bytes: usize,
    },
    Output {
        structure: Structure,
        model: Box<ModelSpecification>,
        frame: ImageFrame,
        reference_bytes: usize,
    },
}

/// What a reply says of an image beside its values.
#[derive(Serialize, Deserialize)]
struct About {
    attributes: BTreeMap<String, String>,
    frame: ImageFrame,
}

/// Longest reply of an honest box with an input of `values` values.
pub(super) const fn max_reply_bytes(values: u64) -> u64 {
    values.saturating_mul(4).saturating_add(REPLY_OVERHEAD)
}

/// What goes before the file.
pub(super) fn encode_head(request: &DecodeRequest<'_>) -> Vec<u8> {
    let DecodeRequest { input, dicom_attributes, .. } = *request;
    encoded(&Head::Image { input, dicom_attributes })
}

/// What goes before both masks of a case.
pub(super) fn encode_mask_head(request: &MaskRequest<'_>) -> Vec<u8> {
    let MaskRequest { structure, reference, .. } = *request;
    encoded(&Head::Masks { structure, reference_bytes: reference.len() })
}

/// What goes before the reference standard's mask and the numbers of a model's output.
pub(super) fn encode_output_head(request: &OutputRequest<'_>) -> Vec<u8> {
    let OutputRequest { structure, model, frame, reference, .. } = *request;
    encoded(&Head::Output { structure, model, frame, reference_bytes: reference.len() })
}

fn encoded(head: &Head<'_>) -> Vec<u8> {
    let head = serde_json::to_vec(head).expect("a part of a protocol is a plain structure");
    let length = u32::try_from(head.len()).expect("a part of a protocol is a few lines");
    [&length.to_le_bytes()[..], &head].concat()
}

/// What the box answers: an image goes out from where it was decoded.
pub(super) enum Answer {
    Image { head: [u8; HEAD_BYTES], tensor: Vec<f32>, about: Vec<u8> },
    Masks([u8; 1 + mask_reply::LENGTH]),
    Fault([u8; 1]),
}

impl Reply for Answer {
    fn parts(&self) -> Vec<&[u8]> {
        match self {
            Self::Image { head, tensor, about } => {
                vec![head, bytemuck::cast_slice(tensor), about]
            }
            Self::Masks(comparison) => vec![comparison],
            Self::Fault(place) => vec![place],
        }
    }
}

/// In the box: decodes and answers.
pub(super) fn answer(request: &[u8]) -> Answer {
    let answered = decode_request(request).ok_or(ImageFault::Corrupt);
    let answered = answered.and_then(|(head, bytes)| match head {
        OwnedHead::Image { input, dicom_attributes } => {
            let (input, dicom_attributes) = (&input, &dicom_attributes[..]);
            decode_image(&DecodeRequest { input, dicom_attributes, bytes }).map(answer_with)
        }
        OwnedHead::Masks { structure, reference_bytes } => {
            let masks = bytes.split_at_checked(reference_bytes).ok_or(ImageFault::Corrupt)?;
            let (structure, (reference, predicted)) = (&structure, masks);
            compare_masks(&MaskRequest { structure, reference, predicted })
                .map(|comparison| answer_of_masks(&comparison))
        }
        OwnedHead::Output { structure, model, frame, reference_bytes } => {
            let parts = bytes.split_at_checked(reference_bytes).ok_or(ImageFault::Corrupt)?;
            let (reference, values) = (parts.0, numbers(parts.1));
            let (structure, model, frame, values) = (&structure, &*model, &frame, &*values);
            compare_output(&OutputRequest { structure, model, frame, reference, values })
                .map(|comparison| answer_of_masks(&comparison))
        }
    });
    answered.unwrap_or_else(|fault| Answer::Fault([1 + fault as u8]))
}

fn answer_of_masks(comparison: &MaskComparison) -> Answer {
    let mut reply = [DECODED; 1 + mask_reply::LENGTH];
    reply[1..].copy_from_slice(&mask_reply::encode(comparison));
    Answer::Masks(reply)
}

fn decode_request(request: &[u8]) -> Option<(OwnedHead, &[u8])> {
    let (length, rest) = request.split_first_chunk()?;
    let (head, bytes) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((serde_json::from_slice(head).ok()?, bytes))
}

fn answer_with(image: DecodedImage) -> Answer {
    let about = About { attributes: image.attributes, frame: image.frame };
    let about = serde_json::to_vec(&about).unwrap_or_default();
    let count = u32::try_from(image.tensor.len()).expect("an input has at most 3 × 16,384² values");
    let mut head = [DECODED; HEAD_BYTES];
    head[4..].copy_from_slice(&count.to_le_bytes());
    Answer::Image { head, tensor: image.tensor, about }
}

/// An image as its box sent it: the reply itself, so that its values are not copied on their way to
/// the model.
#[derive(Clone, PartialEq)]
pub struct ReceivedImage {
    reply: Vec<u8>,
    count: usize,
    attributes: BTreeMap<String, String>,
    frame: ImageFrame,
}

impl ReceivedImage {
    /// Values in the protocol's axis order, without the batch axis; all finite.
    #[must_use]
    pub fn tensor(&self) -> Cow<'_, [f32]> {
        numbers(&self.reply[HEAD_BYTES..][..self.count * size_of::<f32>()])
    }

    /// DICOM attributes by keyword, each at most 64 printable ASCII characters.
    #[must_use]
    pub const fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// The pixels that it was made of.
    #[must_use]
    pub const fn frame(&self) -> &ImageFrame {
        &self.frame
    }

    /// The attributes alone.
    #[must_use]
    pub fn into_attributes(self) -> BTreeMap<String, String> {
        self.attributes
    }
}

impl fmt::Debug for ReceivedImage {
    /// Shows no pixel and no attribute.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceivedImage(..)")
    }
}

/// In the parent: reads a reply, which hostile bytes may have shaped. `None` where it is not what
/// an honest box would send.
pub(super) fn decode_reply(
    reply: Vec<u8>,
    request: &DecodeRequest<'_>,
) -> Option<Result<ReceivedImage, ImageFault>> {
    let (status, rest) = reply.split_first()?;
    if *status != DECODED {
        return fault_of(*status, rest).map(Err);
    }
    let (head, rest) = reply.split_first_chunk::<HEAD_BYTES>()?;
    let [0, 0, 0, 0, count @ ..] = *head else { return None };
    let count = u32::from_le_bytes(count) as usize;
    let (values, about) = rest.split_at_checked(count.checked_mul(4)?)?;
    if count != request.input.values() || !all_finite(&numbers(values)) {
        return None;
    }
    let About { attributes, frame } = serde_json::from_slice(about).ok()?;
    if !frame.is_possible() {
        return None;
    }
    let attributes = admitted(attributes, request.dicom_attributes);
    Some(Ok(ReceivedImage { reply, count, attributes, frame }))
}

/// The same for a comparison of two masks.
pub(super) fn decode_mask_reply(reply: &[u8]) -> Option<Result<MaskComparison, ImageFault>> {
    let (status, rest) = reply.split_first()?;
    if *status != DECODED {
        return fault_of(*status, rest).map(Err);
    }
    mask_reply::decode(rest).map(Ok)
}

fn fault_of(status: u8, rest: &[u8]) -> Option<ImageFault> {
    let fault = ImageFault::ALL.get(usize::from(status).checked_sub(1)?)?;
    rest.is_empty().then_some(*fault)
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::{FrameChoice, Layout, Monochrome1, Resize, ValueScaling};

    use super::*;

    #[test]
    fn every_fault_survives_the_pipe_and_odd_replies_are_refused() {
        let input = ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 1,
            width: 2,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.0,
            standard_deviation: 1.0,
            resize: Resize::Refuse,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Only,
        };
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes: b"" };
        let sent = |answer: &Answer| answer.parts().concat();
        for fault in ImageFault::ALL {
            let reply = sent(&Answer::Fault([1 + fault as u8]));
            assert_eq!(decode_reply(reply, &request), Some(Err(fault)));
        }
        let frame = ImageFrame { height: 5, width: 7, place: None };
        let image = |tensor| DecodedImage { tensor, attributes: BTreeMap::new(), frame };
        let reply = sent(&answer_with(image(vec![0.5, 1.0])));
        let received = decode_reply(reply.clone(), &request).unwrap().unwrap();
        assert_eq!(*received.tensor(), [0.5, 1.0]);
        assert!(received.attributes().is_empty());
        assert_eq!(*received.frame(), frame);
        let nowhere =
            DecodedImage { frame: ImageFrame { height: 0, ..frame }, ..image(vec![0.5, 1.0]) };
        assert_eq!(decode_reply(sent(&answer_with(nowhere)), &request), None);
        for odd in [vec![0.5], vec![0.5, f32::NAN], vec![0.5; 3]] {
            assert_eq!(decode_reply(sent(&answer_with(image(odd))), &request), None);
        }
        let short = &[DECODED, 0, 0, 0, 255, 255, 255, 255][..];
        for odd in [&[][..], &[200], &[0], short, &[1, 1], &reply[..7], &reply[..12]] {
            assert_eq!(decode_reply(odd.to_vec(), &request), None);
        }
    }
}
