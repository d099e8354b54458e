//! COCO's average precision.

use super::box_matching::{BoundingBox, Detection, matched};
use crate::NotEstimable;
use crate::count::count_to_f64;

/// Detections of an image beyond so many, from the highest score down, are left out.
const MOST_DETECTIONS: usize = 100;

/// Recalls at which the precision is read: 0, 0.01 … 1.
const RECALLS: u32 = 101;

/// No IoU has to be larger to count as 1.
const NEARLY_ONE: f64 = 1.0 - 1e-10;

/// Boxes of one class in one image.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImageBoxes {
    /// The reference standard's.
    pub references: Vec<BoundingBox>,
    /// The model's.
    pub detections: Vec<Detection>,
}

/// Average precision of one class at one IoU.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AveragePrecision {
    /// The mean over [0, 1] of the highest precision at that recall or a higher one.
    pub average_precision: f64,
    /// The recall of all detections.
    pub recall: f64,
}

/// COCO's average precision of one class at one IoU, over images of all sizes: detections in descending order
/// of scores, each taking the free box that it overlaps most; precision at 101 recalls.
///
/// # Errors
///
/// [`NotEstimable::NoEvents`] where no image holds a box of the reference standard;
/// [`NotEstimable::InvalidInput`] where a number is not finite, a side is negative or the threshold is not
/// above 0.
///
/// # References
///
/// - T.-Y. Lin et al. (2014). Microsoft COCO. ECCV, 740–755; the rules are those of its evaluation code.
///
/// # Examples
///
/// ```
/// use fedval_stats::detection::{BoundingBox, Detection, ImageBoxes, average_precision};
///
/// let place = BoundingBox { x: 0.0, y: 0.0, width: 4.0, height: 4.0 };
/// let image = ImageBoxes {
///     references: vec![place],
///     detections: vec![Detection { place, score: 0.9 }],
/// };
/// assert!((average_precision(&[image], 0.5)?.average_precision - 1.0).abs() < 1e-12);
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn average_precision(
    images: &[ImageBoxes],
    threshold: f64,
) -> Result<AveragePrecision, NotEstimable> {
    check(images, threshold)?;
    let references: usize = images.iter().map(|image| image.references.len()).sum();
    if references == 0 {
        return Err(NotEstimable::NoEvents);
    }
    let mut found: Vec<(f64, bool)> =
        images.iter().flat_map(|image| of_image(image, threshold)).collect();
    // Stable: detections of one score stay in the order of their images.
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let each = found.iter().map(|(_, is_hit)| (u64::from(*is_hit), u64::from(!*is_hit)));
    Ok(from_the_highest(each, references as u64))
}

/// From groups of detections, those of the highest scores first: hits, and others.
pub(super) fn from_the_highest(
    groups: impl Iterator<Item = (u64, u64)>,
    references: u64,
) -> AveragePrecision {
    let (mut hits, mut all) = (0, 0_u64);
    let curve: Vec<(f64, f64)> = groups
        .map(|(new, others)| {
            hits = new.saturating_add(hits);
            all = new.saturating_add(others).saturating_add(all);
            let precision = count_to_f64(hits) / count_to_f64(all);
            (count_to_f64(hits) / count_to_f64(references), precision)
        })
        .collect();
    AveragePrecision {
        average_precision: mean_precision(&curve),
        recall: curve.last().map_or(0.0, |(recall, _)| *recall),
    }
}

pub(super) fn check(images: &[ImageBoxes], threshold: f64) -> Result<(), NotEstimable> {
    let is_usable = |image: &ImageBoxes| {
        let detections = image.detections.iter();
        image.references.iter().all(BoundingBox::is_usable)
            && detections.clone().all(|detection| detection.place.is_usable())
            && detections.clone().all(|detection| detection.score.is_finite())
    };
    if threshold > 0.0 && images.iter().all(is_usable) {
        Ok(())
    } else {
        Err(NotEstimable::InvalidInput)
    }
}

/// Scores of an image's detections, and which of them hit.
pub(super) fn of_image(image: &ImageBoxes, threshold: f64) -> Vec<(f64, bool)> {
    let threshold = threshold.min(NEARLY_ONE);
    let mut detections = image.detections.clone();
    detections.sort_by(|a, b| b.score.total_cmp(&a.score));
    detections.truncate(MOST_DETECTIONS);
    let hits = matched(&image.references, &detections, threshold);
    detections.iter().map(|detection| detection.score).zip(hits).collect()
}

/// The mean over recalls of the highest precision at or beyond each; 0 beyond the last.
fn mean_precision(curve: &[(f64, f64)]) -> f64 {
    let mut envelope: Vec<f64> = curve.iter().map(|(_, precision)| *precision).collect();
    for place in (1..envelope.len()).rev() {
        envelope[place - 1] = envelope[place - 1].max(envelope[place]);
    }
    let sum = (0..RECALLS).fold(0.0, |sum, step| {
        let recall = f64::from(step) * 0.01;
        let place = curve.partition_point(|(reached, _)| *reached < recall);
        sum + envelope.get(place).copied().unwrap_or(0.0)
    });
    sum / f64::from(RECALLS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: BoundingBox = BoundingBox { x: 0.0, y: 0.0, width: 4.0, height: 4.0 };

    #[test]
    fn without_references_there_is_no_precision() {
        let image = ImageBoxes {
            references: vec![],
            detections: vec![Detection { place: PLACE, score: 0.9 }],
        };
        assert_eq!(average_precision(&[image], 0.5), Err(NotEstimable::NoEvents));
        assert_eq!(average_precision(&[], 0.0), Err(NotEstimable::InvalidInput));
    }

    #[test]
    fn nothing_found_is_zero() {
        let image = ImageBoxes { references: vec![PLACE], detections: vec![] };
        let found = average_precision(&[image], 0.5).unwrap();
        assert!(found.average_precision.abs() < 1e-15 && found.recall.abs() < 1e-15);
    }
}
