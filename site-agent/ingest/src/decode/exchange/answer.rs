//! In the box: what is asked for is done and answered.

use fedval_sandbox::{Reply, numbers};

use super::request::{OwnedHead, decode_request};
use super::{About, DECODED, HEAD_BYTES};
use crate::decode::fault::ImageFault;
use crate::decode::mask::{
    MaskComparison, MaskRequest, OutputRequest, compare_masks, compare_output, reply as mask_reply,
};
use crate::decode::report::{ReportRequest, read_report, reply as report_reply};
use crate::decode::series::SeriesReader;
use crate::decode::{DecodeRequest, DecodedImage, decode_image};
use crate::findings::CaseFindings;

/// What the box answers: an image goes out from where it was decoded.
pub(in crate::decode) enum Answer {
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
pub(in crate::decode) struct Session {
    /// A series of which not every file was taken.
    series: Option<SeriesReader>,
}

impl Session {
    pub(in crate::decode) fn answer(&mut self, request: &[u8]) -> Answer {
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
            OwnedHead::Series { input, dicom_attributes, series } => {
                self.series = Some(SeriesReader::new(input, dicom_attributes, series));
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

pub(super) fn answer_of_order(order: &[usize]) -> Answer {
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

pub(super) fn answer_with(image: DecodedImage) -> Answer {
    let about = About { attributes: image.attributes, frame: image.frame };
    let about = serde_json::to_vec(&about).unwrap_or_default();
    let count = u32::try_from(image.tensor.len()).expect("an input has at most 3 × 16,384² values");
    let mut head = [DECODED; HEAD_BYTES];
    head[4..].copy_from_slice(&count.to_le_bytes());
    Answer::Image { head, tensor: image.tensor, about }
}
