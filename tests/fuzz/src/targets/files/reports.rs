//! Findings as DICOM SR.

use fedval_ingest::findings::Side;
use fedval_ingest::{ConceptCode, ReportRequest, read_report};
use fedval_study::protocol::Matching;

use super::{element, padded};
use crate::draw::Draw;
use crate::finite;

/// A report with what `draw` has as its content: sequences of any tag that is read, and values of them.
fn report(draw: &mut Draw<'_>, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let kinds = ["CONTAINER", "CODE", "NUM", "SCOORD", "SCOORD3D", "IMAGE"];
    bytes.extend(element(0x40, 0xa040, *b"CS", &padded(kinds[draw.below(kinds.len())])));
    let graphics = ["POINT", "POLYLINE", "CIRCLE", "ELLIPSE", "ELLIPSOID", "POLYGON"];
    bytes.extend(element(0x70, 0x23, *b"CS", &padded(graphics[draw.below(graphics.len())])));
    #[expect(clippy::cast_possible_truncation, reason = "what is too large is infinite")]
    let places: Vec<u8> =
        draw.list(Draw::number).iter().flat_map(|of| (*of as f32).to_le_bytes()).collect();
    bytes.extend(element(0x70, 0x22, *b"FL", &places));
    if depth > 0 {
        let items: Vec<u8> = (0..draw.below(4))
            .flat_map(|_| {
                let item = report(draw, depth - 1);
                let length = u32::try_from(item.len()).expect("inputs are short").to_le_bytes();
                [&[0xfe, 0xff, 0x00, 0xe0][..], &length, &item].concat()
            })
            .collect();
        let length = u32::try_from(items.len()).expect("inputs are short").to_le_bytes();
        bytes.extend([&[0x40, 0, 0x30, 0xa7][..], b"SQ\0\0", &length, &items].concat());
    }
    bytes
}

/// A report of either side, by either rule, with damage at its end or none.
pub(super) fn reports(draw: &mut Draw<'_>) {
    let meta = [
        element(2, 2, *b"UI", b"1.2.840.10008.5.1.4.1.1.88.34\0"),
        element(2, 0x10, *b"UI", b"1.2.840.10008.1.2.1\0"),
    ]
    .concat();
    let length = u32::try_from(meta.len()).expect("a short element").to_le_bytes();
    let side = if draw.flag() { Side::Reference } else { Side::Predicted };
    let matching = if draw.flag() { Matching::Iou(500) } else { Matching::CentreInRadius };
    let content = report(draw, 4);
    let bytes = [
        vec![0; 128],
        b"DICM".to_vec(),
        element(2, 0, *b"UL", &length),
        meta,
        content,
        if draw.flag() { draw.rest() } else { Vec::new() },
    ]
    .concat();
    let score = ConceptCode::default();
    let request = ReportRequest { side, matching, score: &score, bytes: &bytes };
    if let Ok(found) = read_report(&request) {
        finite(found.reference.iter().map(|of| of.radius_mm));
        finite(found.predicted.iter().map(|of| of.score));
    }
}
