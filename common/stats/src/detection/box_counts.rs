//! Boxes counted by the bin of their score: what a site can send.

use super::coco::{AveragePrecision, ImageBoxes, check, from_the_highest, of_image};
use crate::NotEstimable;
use crate::aggregate::Edges;

/// Hits and other detections of one class at one IoU, by bins of their score.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxCounts {
    edges: Edges,
    /// Boxes of the reference standard.
    references: u64,
    /// From the lowest scores to the highest: hits, and others.
    bins: Vec<(u64, u64)>,
}

impl BoxCounts {
    /// Counts images. A score outside the edges counts in the nearest bin.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where a number is not finite, a side is negative or the threshold is not
    /// above 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::aggregate::Edges;
    /// use fedval_stats::detection::{BoundingBox, BoxCounts, Detection, ImageBoxes};
    ///
    /// let place = BoundingBox { x: 0.0, y: 0.0, width: 4.0, height: 4.0 };
    /// let found = |score| ImageBoxes {
    ///     references: vec![place],
    ///     detections: vec![Detection { place, score }],
    /// };
    /// let edges = Edges::new(vec![0.0, 0.5, 1.0])?;
    /// let one = BoxCounts::of(&[found(0.9)], 0.5, edges.clone())?;
    /// let both = one.merge(&BoxCounts::of(&[found(0.2)], 0.5, edges)?)?;
    /// assert!((both.average_precision()?.recall - 1.0).abs() < 1e-15);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn of(images: &[ImageBoxes], threshold: f64, edges: Edges) -> Result<Self, NotEstimable> {
        check(images, threshold)?;
        let references = images.iter().map(|image| image.references.len() as u64).sum();
        let mut bins = vec![(0, 0); edges.bins()];
        let inner = &edges.as_slice()[1..edges.bins()];
        for (score, is_hit) in images.iter().flat_map(|image| of_image(image, threshold)) {
            let (hits, others) = &mut bins[inner.partition_point(|edge| *edge <= score)];
            *(if is_hit { hits } else { others }) += 1;
        }
        Ok(Self { edges, references, bins })
    }

    /// The counts of two disjoint sets of images together (saturating).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where their bins differ.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotEstimable> {
        if self.edges != other.edges {
            return Err(NotEstimable::InvalidInput);
        }
        self.references = self.references.saturating_add(other.references);
        for (own, more) in self.bins.iter_mut().zip(&other.bins) {
            *own = (own.0.saturating_add(more.0), own.1.saturating_add(more.1));
        }
        Ok(self)
    }

    /// [`average_precision`](super::average_precision) with the detections of a bin as one.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::NoEvents`] without a box of the reference standard.
    pub fn average_precision(&self) -> Result<AveragePrecision, NotEstimable> {
        if self.references == 0 {
            return Err(NotEstimable::NoEvents);
        }
        let filled = self.bins.iter().rev().copied().filter(|counts| *counts != (0, 0));
        Ok(from_the_highest(filled, self.references))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detection::{BoundingBox, Detection, average_precision};

    fn image(score: f64, is_hit: bool) -> ImageBoxes {
        let place = BoundingBox { x: 0.0, y: 0.0, width: 4.0, height: 4.0 };
        let elsewhere = BoundingBox { x: 9.0, ..place };
        let place_found = if is_hit { place } else { elsewhere };
        ImageBoxes {
            references: vec![place],
            detections: vec![Detection { place: place_found, score }],
        }
    }

    #[test]
    fn bins_that_hold_one_detection_each_give_the_exact_value() {
        let images = [image(0.9, true), image(0.7, false), image(0.5, true), image(0.3, false)];
        let edges = Edges::new(vec![0.0, 0.4, 0.6, 0.8, 1.0]).unwrap();
        let apart: Vec<BoxCounts> = images
            .iter()
            .map(|image| BoxCounts::of(std::slice::from_ref(image), 0.5, edges.clone()).unwrap())
            .collect();
        let merged = apart[1..].iter().fold(apart[0].clone(), |sum, one| sum.merge(one).unwrap());
        let (got, wanted) = (merged.average_precision(), average_precision(&images, 0.5));
        assert_eq!(got, wanted);
    }

    #[test]
    fn other_bins_and_no_references_are_refused() {
        let edges = |last| Edges::new(vec![0.0, last]).unwrap();
        let one = BoxCounts::of(&[], 0.5, edges(1.0)).unwrap();
        let other = BoxCounts::of(&[], 0.5, edges(2.0)).unwrap();
        assert_eq!(one.average_precision(), Err(NotEstimable::NoEvents));
        assert_eq!(one.merge(&other), Err(NotEstimable::InvalidInput));
    }
}
