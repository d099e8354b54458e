//! Findings on their way out of the box: five numbers each, the place first.

use fedval_study::protocol::{MOST_CANDIDATES, Matching};

use super::MAX_REPORT_REFERENCES;
use crate::findings::{CaseFindings, Place, PredictedFinding, ReferenceFinding, Side};

/// Numbers of a finding: three of a point and a zero or four of a box, then the radius or the score.
const NUMBERS: usize = 5;

/// Nothing is larger, in whatever unit.
const MOST: f64 = 1e9;

pub(in crate::decode) fn encode(findings: &CaseFindings) -> Vec<u8> {
    let reference = findings.reference.iter().map(|of| (of.place, of.radius_mm));
    let predicted = findings.predicted.iter().map(|of| (of.place, of.score));
    reference.chain(predicted).flat_map(|(place, more)| finding(place, more)).collect()
}

fn finding(place: Place, more: f64) -> Vec<u8> {
    let [a, b, c, d] = match place {
        Place::Point([x, y, z]) => [x, y, z, 0.0],
        Place::Box(edges) => edges,
    };
    [a, b, c, d, more].into_iter().flat_map(f64::to_le_bytes).collect()
}

/// Reads what hostile bytes may have shaped; `None` of what no report can hold.
pub(in crate::decode) fn decode(
    reply: &[u8],
    side: Side,
    matching: Matching,
) -> Option<CaseFindings> {
    let (numbers, rest) = reply.as_chunks::<8>();
    let numbers: Vec<f64> = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let (findings, odd) = numbers.as_chunks::<NUMBERS>();
    let most = match side {
        Side::Reference => MAX_REPORT_REFERENCES,
        Side::Predicted => MOST_CANDIDATES as usize,
    };
    if !rest.is_empty() || !odd.is_empty() || findings.len() > most {
        return None;
    }
    let mut found = CaseFindings::default();
    for [a, b, c, d, more] in findings {
        let place = place(matching, [*a, *b, *c, *d])?;
        match side {
            Side::Reference => {
                let radius_mm = Some(*more).filter(|more| (0.0..=MOST).contains(more))?;
                found.reference.push(ReferenceFinding { place, radius_mm, excluded: false });
            }
            Side::Predicted => {
                let score = Some(*more).filter(|more| (0.0..=1.0).contains(more))?;
                found.predicted.push(PredictedFinding { place, score });
            }
        }
    }
    Some(found)
}

fn place(matching: Matching, numbers: [f64; 4]) -> Option<Place> {
    let [a, b, c, d] = numbers;
    // What is no number is not below anything.
    let are_places = numbers.iter().all(|number| number.abs() <= MOST);
    match matching {
        Matching::CentreInRadius => are_places.then_some(Place::Point([a, b, c])),
        Matching::Iou(_) => (are_places && a <= c && b <= d).then_some(Place::Box(numbers)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_survive_the_pipe_and_odd_ones_are_refused() {
        let reference = |place, radius_mm| ReferenceFinding { place, radius_mm, excluded: false };
        let points = CaseFindings {
            reference: vec![
                reference(Place::Point([1.0, -2.0, 0.1 + 0.2]), 4.5),
                reference(Place::Point([0.0; 3]), 0.0),
            ],
            predicted: Vec::new(),
        };
        let sent = encode(&points);
        let read = |reply: &[u8]| decode(reply, Side::Reference, Matching::CentreInRadius);
        assert!(read(&sent) == Some(points));
        assert!(read(&sent[..79]).is_none() && read(&[]) == Some(CaseFindings::default()));
        assert!(read(&sent[..40].repeat(257)).is_none());
        let predicted = |place, score| CaseFindings {
            reference: Vec::new(),
            predicted: vec![PredictedFinding { place, score }],
        };
        let boxes = |of: &CaseFindings| decode(&encode(of), Side::Predicted, Matching::Iou(500));
        let good = predicted(Place::Box([1.0, 2.0, 3.0, 2.0]), 0.5);
        assert!(boxes(&good) == Some(good));
        for (edges, score) in [
            ([3.0, 2.0, 1.0, 4.0], 0.5),
            ([1.0, f64::NAN, 3.0, 4.0], 0.5),
            ([1.0, 2.0, f64::INFINITY, 4.0], 0.5),
            ([1.0, 2.0, 3.0, 4.0], 1.5),
            ([1.0, 2.0, 3.0, 4.0], f64::NAN),
        ] {
            assert!(boxes(&predicted(Place::Box(edges), score)).is_none());
        }
    }
}
