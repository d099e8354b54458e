//! What the parent asks for, and how the box reads it.

use fedval_study::protocol::{Matching, ModelInput, ModelSpecification, Structure};
use serde::{Deserialize, Serialize};

use crate::decode::DecodeRequest;
use crate::decode::image_frame::ImageFrame;
use crate::decode::mask::{MaskRequest, OutputRequest};
use crate::decode::report::ReportRequest;
use crate::findings::{ConceptCode, Side};

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
        series: Option<&'a str>,
    },
    Look,
    Order,
    Take,
    End,
}

#[derive(Deserialize)]
pub(super) enum OwnedHead {
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
        series: Option<String>,
    },
    Look,
    Order,
    Take,
    End,
}

/// What goes before the file.
pub(in crate::decode) fn encode_head(request: &DecodeRequest<'_>) -> Vec<u8> {
    let DecodeRequest { input, dicom_attributes, .. } = *request;
    encoded(&Head::Image { input, dicom_attributes })
}

/// What goes before both masks of a case.
pub(in crate::decode) fn encode_mask_head(request: &MaskRequest<'_>) -> Vec<u8> {
    let MaskRequest { structure, reference, .. } = *request;
    encoded(&Head::Masks { structure, reference_bytes: reference.len() })
}

/// What goes before a report.
pub(in crate::decode) fn encode_report_head(request: &ReportRequest<'_>) -> Vec<u8> {
    let ReportRequest { side, matching, score, .. } = *request;
    encoded(&Head::Report { side, matching, score })
}

/// What goes before the reference standard's mask and the numbers of a model's output. It is as long as it takes for
/// these to lie at a multiple of their size: the box reads them in place, and holds them once.
pub(in crate::decode) fn encode_output_head(request: &OutputRequest<'_>) -> Vec<u8> {
    let OutputRequest { structure, model, frame, reference, .. } = *request;
    let reference_bytes = reference.len();
    let mut head = json(&Head::Output { structure, model, frame, reference_bytes });
    let before = size_of::<u32>() + head.len() + reference_bytes;
    let spaces = before.next_multiple_of(size_of::<f32>()) - before;
    head.resize(head.len() + spaces, b' ');
    with_length(&head)
}

/// What begins a series, of which the UID may be known; its files are not among the bytes of `request`.
pub(in crate::decode) fn encode_series_head(
    request: &DecodeRequest<'_>,
    series: Option<&str>,
) -> Vec<u8> {
    let DecodeRequest { input, dicom_attributes, .. } = *request;
    encoded(&Head::Series { input, dicom_attributes, series })
}

/// A step of a series that has begun.
#[derive(Debug, Clone, Copy)]
pub(in crate::decode) enum Step {
    /// Goes before a file.
    Look,
    Order,
    /// Goes before a file.
    Take,
    End,
}

pub(in crate::decode) fn encode_step(step: Step) -> Vec<u8> {
    encoded(&match step {
        Step::Look => Head::Look,
        Step::Order => Head::Order,
        Step::Take => Head::Take,
        Step::End => Head::End,
    })
}

fn encoded(head: &Head<'_>) -> Vec<u8> {
    with_length(&json(head))
}

fn json(head: &Head<'_>) -> Vec<u8> {
    serde_json::to_vec(head).expect("a part of a protocol is a plain structure")
}

fn with_length(head: &[u8]) -> Vec<u8> {
    let length = u32::try_from(head.len()).expect("a part of a protocol is a few lines");
    [&length.to_le_bytes()[..], head].concat()
}

/// In the box: what is asked for, and the bytes behind it.
pub(super) fn decode_request(request: &[u8]) -> Option<(OwnedHead, &[u8])> {
    let (length, rest) = request.split_first_chunk()?;
    let (head, bytes) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((serde_json::from_slice(head).ok()?, bytes))
}
