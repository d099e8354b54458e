//! What travels between the decoder's box and its parent.
//!
//! Request: length of the head in four bytes, the head as JSON, the file (an image or a report), or both masks of a
//! case one behind the other, or the reference standard's and the numbers of a model's output. Reply: a byte that says
//! how it went; for an image three zeros follow, the number of values in four bytes, the values as `f32`, and the
//! attributes with the image's frame as JSON; for masks, what was measured of them; for a report, its findings. A series
//! is a conversation: it begins, each file is looked at, the order is asked for, each file is taken in it, and the end is
//! answered with the volume as with an image. Integers are
//! little-endian, values as this machine keeps them: both ends are the same program.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use fedval_preprocess::all_finite;
use fedval_sandbox::{Reply, numbers};
use fedval_study::protocol::{Matching, ModelInput, ModelSpecification, Structure};
use serde::{Deserialize, Serialize};

use super::attributes::admitted;
use super::fault::ImageFault;
use super::image_frame::ImageFrame;
use super::mask::{
    MaskComparison, MaskRequest, OutputRequest, compare_masks, compare_output, reply as mask_reply,
};
use super::report::{ReportRequest, read_report, reply as report_reply};
use super::series::SeriesReader;
use super::{DecodeRequest, DecodedImage, decode_image};
use crate::findings::{CaseFindings, ConceptCode, Side};

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
    Report {
        side: Side,
        matching: Matching,
        score: &'a ConceptCode,
    },
    /// A file, and behind it the numbers of a model's output.
    Output {
        structure: &'a Structure,
        model: &'a ModelSpecification,
        frame: &'a ImageFrame,
        reference_bytes: usize,
    },
    Series {
        input: &'a ModelInput,
        dicom_attributes: &'a [String],
    },
    Look,
    Order,
    Take,
    End,
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
    Report {
        side: Side,
        matching: Matching,
        score: ConceptCode,
    },
    Output {
        structure: Structure,
        model: Box<ModelSpecification>,
        frame: ImageFrame,
        reference_bytes: usize,
    },
    Series {
        input: ModelInput,
        dicom_attributes: Vec<String>,
    },
    Look,
    Order,
    Take,
    End,
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

/// What goes before a report.
pub(super) fn encode_report_head(request: &ReportRequest<'_>) -> Vec<u8> {
    let ReportRequest { side, matching, score, .. } = *request;
    encoded(&Head::Report { side, matching, score })
}

/// What goes before the reference standard's mask and the numbers of a model's output.
pub(super) fn encode_output_head(request: &OutputRequest<'_>) -> Vec<u8> {
    let OutputRequest { structure, model, frame, reference, .. } = *request;
    encoded(&Head::Output { structure, model, frame, reference_bytes: reference.len() })
}

/// What begins a series; its files are not among the bytes of `request`.
pub(super) fn encode_series_head(request: &DecodeRequest<'_>) -> Vec<u8> {
    let DecodeRequest { input, dicom_attributes, .. } = *request;
    encoded(&Head::Series { input, dicom_attributes })
}

/// A step of a series that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Goes before a file.
    Look,
    Order,
    /// Goes before a file.
    Take,
    End,
}

pub(super) fn encode_step(step: Step) -> Vec<u8> {
    encoded(&match step {
        Step::Look => Head::Look,
        Step::Order => Head::Order,
        Step::Take => Head::Take,
        Step::End => Head::End,
    })
}

fn encoded(head: &Head<'_>) -> Vec<u8> {
    let head = serde_json::to_vec(head).expect("a part of a protocol is a plain structure");
    let length = u32::try_from(head.len()).expect("a part of a protocol is a few lines");
    [&length.to_le_bytes()[..], &head].concat()
}

/// What the box answers: an image goes out from where it was decoded.
pub(super) enum Answer {
    Image {
        head: [u8; HEAD_BYTES],
        tensor: Vec<f32>,
        about: Vec<u8>,
    },
    Masks([u8; 1 + mask_reply::LENGTH]),
    Findings(Vec<u8>),
    /// Nothing but that it went well.
    Done([u8; 1]),
    Order(Vec<u8>),
    Fault([u8; 1]),
}

impl Reply for Answer {
    fn parts(&self) -> Vec<&[u8]> {
        match self {
            Self::Image { head, tensor, about } => {
                vec![head, bytemuck::cast_slice(tensor), about]
            }
            Self::Masks(comparison) => vec![comparison],
            Self::Findings(reply) => vec![reply],
            Self::Order(places) => vec![places],
            Self::Done(byte) | Self::Fault(byte) => vec![byte],
        }
    }
}

/// In the box: decodes and answers.
#[derive(Default)]
pub(super) struct Session {
    /// A series of which not every file was taken.
    series: Option<SeriesReader>,
}

impl Session {
    pub(super) fn answer(&mut self, request: &[u8]) -> Answer {
        let answered = decode_request(request).ok_or(ImageFault::Corrupt);
        let answered = answered.and_then(|(head, bytes)| self.answer_to(head, bytes));
        answered.unwrap_or_else(|fault| {
            // Nothing more comes of it.
            self.series = None;
            Answer::Fault([1 + fault as u8])
        })
    }

    fn answer_to(&mut self, head: OwnedHead, bytes: &[u8]) -> Result<Answer, ImageFault> {
        match head {
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
            OwnedHead::Report { side, matching, score } => {
                read_report(&ReportRequest { side, matching, score: &score, bytes })
                    .map(|findings| answer_of_report(&findings))
            }
            OwnedHead::Series { input, dicom_attributes } => {
                self.series = Some(SeriesReader::new(input, dicom_attributes));
                Ok(Answer::Done([DECODED]))
            }
            OwnedHead::Look => {
                self.begun()?.look(bytes)?;
                Ok(Answer::Done([DECODED]))
            }
            OwnedHead::Order => Ok(answer_of_order(&self.begun()?.order()?)),
            OwnedHead::Take => {
                self.begun()?.take(bytes)?;
                Ok(Answer::Done([DECODED]))
            }
            OwnedHead::End => {
                let series = self.series.take().ok_or(ImageFault::Corrupt)?;
                series.finish().map(answer_with)
            }
        }
    }

    fn begun(&mut self) -> Result<&mut SeriesReader, ImageFault> {
        self.series.as_mut().ok_or(ImageFault::Corrupt)
    }
}

fn answer_of_order(order: &[usize]) -> Answer {
    let place = |place: &usize| u32::try_from(*place).unwrap_or(u32::MAX).to_le_bytes();
    let places = order.iter().flat_map(place);
    Answer::Order(std::iter::once(DECODED).chain(places).collect())
}

fn answer_of_report(findings: &CaseFindings) -> Answer {
    let mut reply = vec![DECODED];
    reply.extend(report_reply::encode(findings));
    Answer::Findings(reply)
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
    let is_of_kind = frame.slices.is_some() == request.input.volume.is_some();
    if !frame.is_possible() || !is_of_kind {
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

/// The same for the findings of a report.
pub(super) fn decode_report_reply(
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
pub(super) fn decode_done(reply: &[u8]) -> Option<Result<(), ImageFault>> {
    let (status, rest) = reply.split_first()?;
    if *status != DECODED {
        return fault_of(*status, rest).map(Err);
    }
    rest.is_empty().then_some(Ok(()))
}

/// The same for the order of `files`: each of them once.
pub(super) fn decode_order(reply: &[u8], files: usize) -> Option<Result<Vec<usize>, ImageFault>> {
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

#[cfg(test)]
mod tests {
    use fedval_study::protocol::{FrameChoice, Layout, Monochrome1, Resize, ValueScaling};

    use super::*;
    use crate::decode::image_frame::SliceRun;

    fn input() -> ModelInput {
        ModelInput {
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
            volume: None,
        }
    }

    #[test]
    fn an_order_names_every_file_once() {
        let sent = |order: &[usize]| answer_of_order(order).parts().concat();
        assert_eq!(decode_order(&sent(&[2, 0, 1]), 3), Some(Ok(vec![2, 0, 1])));
        for odd in [&[2, 0][..], &[2, 0, 0], &[0, 1, 3], &[0, 1, 2, 3]] {
            assert_eq!(decode_order(&sent(odd), 3), None, "{odd:?}");
        }
        assert_eq!(decode_order(&sent(&[0, 1, 2])[..12], 3), None);
        assert_eq!(decode_done(&[DECODED, 0]), None);
    }

    #[test]
    fn steps_without_a_series_are_refused_and_a_fault_ends_one() {
        let input = input();
        let mut session = Session::default();
        let fault = |answer: Answer| decode_done(&answer.parts().concat());
        for step in [Step::Look, Step::Order, Step::Take, Step::End] {
            let answer = session.answer(&encode_step(step));
            assert_eq!(fault(answer), Some(Err(ImageFault::Corrupt)), "{step:?}");
        }
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes: b"" };
        assert_eq!(fault(session.answer(&encode_series_head(&request))), Some(Ok(())));
        let no_dicom = [&encode_step(Step::Look)[..], b"no file"].concat();
        assert_eq!(fault(session.answer(&no_dicom)), Some(Err(ImageFault::FormatUnknown)));
        assert_eq!(fault(session.answer(&no_dicom)), Some(Err(ImageFault::Corrupt)));
    }

    #[test]
    fn every_fault_survives_the_pipe_and_odd_replies_are_refused() {
        let input = input();
        let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes: b"" };
        let sent = |answer: &Answer| answer.parts().concat();
        for fault in ImageFault::ALL {
            let reply = sent(&Answer::Fault([1 + fault as u8]));
            assert_eq!(decode_reply(reply, &request), Some(Err(fault)));
        }
        let frame = ImageFrame { height: 5, width: 7, place: None, slices: None };
        let image = |tensor| DecodedImage { tensor, attributes: BTreeMap::new(), frame };
        let reply = sent(&answer_with(image(vec![0.5, 1.0])));
        let received = decode_reply(reply.clone(), &request).unwrap().unwrap();
        assert_eq!(*received.tensor(), [0.5, 1.0]);
        assert!(received.attributes().is_empty());
        assert_eq!(*received.frame(), frame);
        let nowhere =
            DecodedImage { frame: ImageFrame { height: 0, ..frame }, ..image(vec![0.5, 1.0]) };
        assert_eq!(decode_reply(sent(&answer_with(nowhere)), &request), None);
        let slices = Some(SliceRun { count: 2, step: [0.0, 0.0, 1.0] });
        let volume =
            DecodedImage { frame: ImageFrame { slices, ..frame }, ..image(vec![0.5, 1.0]) };
        assert_eq!(decode_reply(sent(&answer_with(volume)), &request), None);
        for odd in [vec![0.5], vec![0.5, f32::NAN], vec![0.5; 3]] {
            assert_eq!(decode_reply(sent(&answer_with(image(odd))), &request), None);
        }
        let short = &[DECODED, 0, 0, 0, 255, 255, 255, 255][..];
        for odd in [&[][..], &[200], &[0], short, &[1, 1], &reply[..7], &reply[..12]] {
            assert_eq!(decode_reply(odd.to_vec(), &request), None);
        }
    }
}
