//! In the parent: what the box sent is held against what an honest one would send.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use fedval_preprocess::all_finite;
use fedval_sandbox::numbers;

use super::{About, DECODED, HEAD_BYTES};
use crate::decode::DecodeRequest;
use crate::decode::attributes::admitted;
use crate::decode::fault::ImageFault;
use crate::decode::image_frame::ImageFrame;
use crate::decode::mask::{MaskComparison, reply as mask_reply};
use crate::decode::report::{ReportRequest, reply as report_reply};
use crate::findings::CaseFindings;

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
pub(in crate::decode) fn decode_reply(
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
    let is_of_kind = frame.slices.is_some() == request.input.volume.is_some();
    if !frame.is_possible() || !is_of_kind {
        return None;
    }
    let attributes = admitted(attributes, request.dicom_attributes);
    Some(Ok(ReceivedImage { reply, count, attributes, frame }))
}

/// The same for a comparison of two masks.
pub(in crate::decode) fn decode_mask_reply(
    reply: &[u8],
) -> Option<Result<MaskComparison, ImageFault>> {
    let (status, rest) = reply.split_first()?;
    if *status != DECODED {
        return fault_of(*status, rest).map(Err);
    }
    mask_reply::decode(rest).map(Ok)
}

/// The same for the findings of a report.
pub(in crate::decode) fn decode_report_reply(
    reply: &[u8],
    request: &ReportRequest<'_>,
) -> Option<Result<CaseFindings, ImageFault>> {
    let (status, rest) = reply.split_first()?;
    if *status != DECODED {
        return fault_of(*status, rest).map(Err);
    }
    report_reply::decode(rest, request.side, request.matching).map(Ok)
}

/// The same for a step of a series that is answered with nothing.
pub(in crate::decode) fn decode_done(reply: &[u8]) -> Option<Result<(), ImageFault>> {
    let (status, rest) = reply.split_first()?;
    if *status != DECODED {
        return fault_of(*status, rest).map(Err);
    }
    rest.is_empty().then_some(Ok(()))
}

/// The same for the order of `files`: each of them once.
pub(in crate::decode) fn decode_order(
    reply: &[u8],
    files: usize,
) -> Option<Result<Vec<usize>, ImageFault>> {
    let (status, rest) = reply.split_first()?;
    if *status != DECODED {
        return fault_of(*status, rest).map(Err);
    }
    let (places, rest) = rest.as_chunks::<4>();
    if !rest.is_empty() || places.len() != files {
        return None;
    }
    let order: Vec<usize> =
        places.iter().map(|place| u32::from_le_bytes(*place) as usize).collect();
    let mut is_there = vec![false; files];
    for place in &order {
        let seen = is_there.get_mut(*place)?;
        if std::mem::replace(seen, true) {
            return None;
        }
    }
    Some(Ok(order))
}

fn fault_of(status: u8, rest: &[u8]) -> Option<ImageFault> {
    let fault = ImageFault::ALL.get(usize::from(status).checked_sub(1)?)?;
    rest.is_empty().then_some(*fault)
}
