//! Boxes beside boxes.

/// A box by its corner and its sides, in one unit; sides are not negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl BoundingBox {
    /// Intersection over union; 0 for two boxes without area, or with one that is not finite.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f64 {
        let overlap = |a: f64, a_size: f64, b: f64, b_size: f64| {
            ((a + a_size).min(b + b_size) - a.max(b)).max(0.0)
        };
        let both = overlap(self.x, self.width, other.x, other.width)
            * overlap(self.y, self.height, other.y, other.height);
        let union = self.width * self.height + other.width * other.height - both;
        if union > 0.0 && union.is_finite() { both / union } else { 0.0 }
    }

    pub(super) fn is_usable(&self) -> bool {
        let numbers = [self.x, self.y, self.width, self.height];
        numbers.iter().all(|x| x.is_finite()) && self.width >= 0.0 && self.height >= 0.0
    }
}

/// A box that the model found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Where.
    pub place: BoundingBox,
    /// The model's score; any finite number.
    pub score: f64,
}

/// For each detection, in descending order of scores, whether it takes a box that no earlier one took: the
/// one with the highest IoU of at least `threshold`, the last of equal ones.
pub(super) fn matched(
    references: &[BoundingBox],
    detections: &[Detection],
    threshold: f64,
) -> Vec<bool> {
    let mut is_taken = vec![false; references.len()];
    detections
        .iter()
        .map(|detection| {
            let mut best = threshold;
            let mut found = None;
            for (place, reference) in references.iter().enumerate() {
                let iou = detection.place.iou(reference);
                if !is_taken[place] && iou >= best {
                    (best, found) = (iou, Some(place));
                }
            }
            if let Some(place) = found {
                is_taken[place] = true;
            }
            found.is_some()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, side: f64) -> BoundingBox {
        BoundingBox { x, y: 0.0, width: side, height: side }
    }

    #[test]
    fn iou_of_boxes() {
        assert!((square(0.0, 2.0).iou(&square(1.0, 2.0)) - 1.0 / 3.0).abs() < 1e-15);
        assert!(square(0.0, 1.0).iou(&square(5.0, 1.0)).abs() < 1e-15);
        assert!(square(0.0, 0.0).iou(&square(0.0, 0.0)).abs() < 1e-15);
    }

    #[test]
    fn a_box_is_taken_once() {
        let detection = Detection { place: square(0.0, 2.0), score: 0.9 };
        let matched = matched(&[square(0.0, 2.0)], &[detection, detection], 0.5);
        assert_eq!(matched, [true, false]);
    }
}
