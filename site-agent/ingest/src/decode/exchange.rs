//! What travels between the decoder's box and its parent.
//!
//! Request: length of the head in four bytes, the head as JSON, the file. Reply: a byte that says
//! how it went; then, for an image, the number of values in four bytes, the values as `f32`, and
//! the attributes as JSON. Integers are little-endian, values as this machine keeps them: both ends
//! are the same program.

use std::collections::BTreeMap;

use fedval_study::protocol::ModelInput;
use serde::{Deserialize, Serialize};

use super::attributes::admitted;
use super::fault::ImageFault;
use super::tensor::all_finite;
use super::{DecodeRequest, DecodedImage, decode_image};

/// First byte of a reply with an image; any other is a fault's place, counted from 1.
const DECODED: u8 = 0;

/// Bytes of a reply that are not values: generous for eleven attributes of 64 characters.
const REPLY_OVERHEAD: u64 = 16 * 1024;

#[derive(Serialize)]
struct Head<'a> {
    input: &'a ModelInput,
    dicom_attributes: &'a [String],
}

#[derive(Deserialize)]
struct OwnedHead {
    input: ModelInput,
    dicom_attributes: Vec<String>,
}

/// Longest reply of an honest box with an input of `values` values.
pub(super) const fn max_reply_bytes(values: u64) -> u64 {
    values.saturating_mul(4).saturating_add(REPLY_OVERHEAD)
}

/// What goes before the file.
pub(super) fn encode_head(request: &DecodeRequest<'_>) -> Vec<u8> {
    let head = Head { input: request.input, dicom_attributes: request.dicom_attributes };
    let head = serde_json::to_vec(&head).expect("a protocol's input is a plain structure");
    let length = u32::try_from(head.len()).expect("a protocol's input is a few lines");
    [&length.to_le_bytes()[..], &head].concat()
}

/// In the box: decodes and encodes the reply.
pub(super) fn answer(request: &[u8]) -> Vec<u8> {
    let decoded = decode_request(request).ok_or(ImageFault::Corrupt).and_then(|(head, bytes)| {
        decode_image(&DecodeRequest {
            input: &head.input,
            dicom_attributes: &head.dicom_attributes,
            bytes,
        })
    });
    match decoded {
        Ok(image) => encode_image(&image),
        Err(fault) => vec![1 + fault as u8],
    }
}

fn decode_request(request: &[u8]) -> Option<(OwnedHead, &[u8])> {
    let (length, rest) = request.split_first_chunk()?;
    let (head, bytes) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((serde_json::from_slice(head).ok()?, bytes))
}

fn encode_image(image: &DecodedImage) -> Vec<u8> {
    let attributes = serde_json::to_vec(&image.attributes).unwrap_or_default();
    let mut reply = Vec::with_capacity(5 + image.tensor.len() * 4 + attributes.len());
    reply.push(DECODED);
    let count = u32::try_from(image.tensor.len()).expect("an input has at most 3 × 16,384² values");
    reply.extend_from_slice(&count.to_le_bytes());
    reply.extend_from_slice(bytemuck::cast_slice(&image.tensor));
    reply.extend_from_slice(&attributes);
    reply
}

/// In the parent: reads a reply, which hostile bytes may have shaped. `None` where it is not what
/// an honest box would send.
pub(super) fn decode_reply(
    reply: &[u8],
    request: &DecodeRequest<'_>,
) -> Option<Result<DecodedImage, ImageFault>> {
    let (status, rest) = reply.split_first()?;
    if *status != DECODED {
        let fault = ImageFault::ALL.get(usize::from(*status) - 1)?;
        return rest.is_empty().then_some(Err(*fault));
    }
    let (count, rest) = rest.split_first_chunk()?;
    let count = u32::from_le_bytes(*count) as usize;
    let (values, attributes) = rest.split_at_checked(count.checked_mul(4)?)?;
    if count != request.input.values() {
        return None;
    }
    let mut tensor = vec![0.0; count];
    bytemuck::cast_slice_mut(&mut tensor).copy_from_slice(values);
    if !all_finite(&tensor) {
        return None;
    }
    let attributes: BTreeMap<String, String> = serde_json::from_slice(attributes).ok()?;
    Some(Ok(DecodedImage { tensor, attributes: admitted(attributes, request.dicom_attributes) }))
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::{Layout, Monochrome1, Resize, ValueScaling};

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
        };
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes: b"" };
        for fault in ImageFault::ALL {
            assert_eq!(decode_reply(&[1 + fault as u8], &request), Some(Err(fault)));
        }
        let image = |tensor| DecodedImage { tensor, attributes: BTreeMap::new() };
        let reply = encode_image(&image(vec![0.5, 1.0]));
        assert_eq!(decode_reply(&reply, &request), Some(Ok(image(vec![0.5, 1.0]))));
        for odd in [vec![0.5], vec![0.5, f32::NAN], vec![0.5; 3]] {
            assert_eq!(decode_reply(&encode_image(&image(odd)), &request), None);
        }
        for odd in [&[][..], &[200], &[0, 255, 255, 255, 255], &[1, 1], &reply[..7]] {
            assert_eq!(decode_reply(odd, &request), None);
        }
    }
}
