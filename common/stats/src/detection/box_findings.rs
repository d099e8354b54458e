//! What became of the boxes of one scan, in the form that curves over scans take.

use super::box_matching::{BoundingBox, Detection, matched};
use super::lesion_matching::ScanFindings;
use crate::NotEstimable;

/// An annotated box.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferenceBox {
    /// Where.
    pub place: BoundingBox,
    /// Whether readers left it open: hits on it count neither for nor against.
    pub excluded: bool,
}

/// Holds the boxes that the model found in one scan against the annotated ones.
///
/// In descending order of scores (of equals the first), each takes the free box that it overlaps most, by an
/// intersection over union of at least `threshold`. What takes none and overlaps an excluded box as much is ignored;
/// everything else, a second box on one lesion too, is a false positive, as COCO has it. Reference boxes that nobody
/// takes are missed at every threshold.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not finite, a side is negative or the threshold is not above 0.
///
/// # References
///
/// - T.-Y. Lin et al. (2014). Microsoft COCO. ECCV, 740–755.
///
/// # Examples
///
/// ```
/// use fedval_stats::detection::{BoundingBox, Detection, ReferenceBox, match_boxes};
///
/// let place = BoundingBox { x: 0.0, y: 0.0, width: 4.0, height: 4.0 };
/// let lesion = ReferenceBox { place, excluded: false };
/// let found = |score| Detection { place, score };
/// let findings = match_boxes(&[lesion], &[found(0.4), found(0.9)], 0.5)?;
/// assert_eq!((findings.hits, findings.false_positives), (vec![0.9], vec![0.4]));
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn match_boxes(
    references: &[ReferenceBox],
    detections: &[Detection],
    threshold: f64,
) -> Result<ScanFindings, NotEstimable> {
    let are_usable = references.iter().all(|reference| reference.place.is_usable())
        && detections.iter().all(|found| found.place.is_usable() && found.score.is_finite());
    if !are_usable || threshold.is_nan() || threshold <= 0.0 {
        return Err(NotEstimable::InvalidInput);
    }
    let of = |excluded: bool| -> Vec<BoundingBox> {
        let own = references.iter().filter(|reference| reference.excluded == excluded);
        own.map(|reference| reference.place).collect()
    };
    let (lesions, open) = (of(false), of(true));
    let mut detections = detections.to_vec();
    // Stable: equals keep their order.
    detections.sort_by(|one, other| other.score.total_cmp(&one.score));
    let mut findings = ScanFindings::default();
    for (detection, is_hit) in detections.iter().zip(matched(&lesions, &detections, threshold)) {
        if is_hit {
            findings.hits.push(detection.score);
        } else if open.iter().any(|place| detection.place.iou(place) >= threshold) {
            findings.ignored += 1;
        } else {
            findings.false_positives.push(detection.score);
        }
    }
    findings.missed = lesions.len().saturating_sub(findings.hits.len()) as u64;
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64) -> BoundingBox {
        BoundingBox { x, y: 0.0, width: 2.0, height: 2.0 }
    }

    #[test]
    fn an_open_box_takes_what_nothing_else_takes() {
        let references = [
            ReferenceBox { place: square(0.0), excluded: false },
            ReferenceBox { place: square(10.0), excluded: true },
            ReferenceBox { place: square(20.0), excluded: false },
        ];
        let found = |x: f64, score| Detection { place: square(x), score };
        let detections = [found(10.0, 0.8), found(0.0, 0.7), found(40.0, 0.6), found(10.5, 0.5)];
        let findings = match_boxes(&references, &detections, 0.5).unwrap();
        assert_eq!((findings.hits, findings.missed), (vec![0.7], 1));
        assert_eq!((findings.false_positives, findings.ignored), (vec![0.6], 2));
    }

    #[test]
    fn nothing_but_numbers_is_matched() {
        let found = Detection { place: square(f64::NAN), score: 0.5 };
        assert_eq!(match_boxes(&[], &[found], 0.5), Err(NotEstimable::InvalidInput));
        assert_eq!(match_boxes(&[], &[], 0.0), Err(NotEstimable::InvalidInput));
    }
}
