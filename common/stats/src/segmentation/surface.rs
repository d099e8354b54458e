//! Distances from each of two surfaces to the other, and what is made of them.

use crate::NotEstimable;
use crate::aggregate::sorted_quantile;
use crate::pairwise::pairwise_sum;

/// How a percentile is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Percentile {
    /// Interpolated linearly between order statistics; every piece counts once.
    Interpolated,
    /// The first distance at which the share of area reaches the percentile.
    ByArea,
}

/// The pieces of one surface, by their distance to the other one.
#[derive(Debug, Clone, PartialEq)]
struct Side {
    /// In millimetres, from the smallest.
    distances: Vec<f64>,
    /// What each piece counts.
    areas: Vec<f64>,
    area: f64,
}

impl Side {
    fn new(mut pieces: Vec<(f64, f64)>) -> Result<Self, NotEstimable> {
        if pieces.is_empty() {
            return Err(NotEstimable::EmptyInput);
        }
        if pieces.iter().any(|(distance, _)| !distance.is_finite()) {
            return Err(NotEstimable::EmptyInput);
        }
        pieces.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let (distances, areas): (Vec<f64>, Vec<f64>) = pieces.into_iter().unzip();
        let area = pairwise_sum(&areas);
        Ok(Self { distances, areas, area })
    }

    fn sum(&self) -> f64 {
        self.distances.iter().zip(&self.areas).fold(0.0, |sum, (d, area)| sum + d * area)
    }

    fn within(&self, tolerance: f64) -> f64 {
        let pieces = self.distances.iter().zip(&self.areas);
        pieces.filter(|(d, _)| **d <= tolerance).fold(0.0, |sum, (_, area)| sum + area)
    }

    fn percentile(&self, share: f64, rule: Percentile) -> f64 {
        let last = self.distances.len() - 1;
        match rule {
            Percentile::Interpolated => sorted_quantile(&self.distances, share),
            Percentile::ByArea => {
                let mut below = 0.0;
                let reached = self.areas.iter().position(|area| {
                    below += area;
                    below / self.area >= share
                });
                self.distances[reached.unwrap_or(last)]
            }
        }
    }
}

/// Distances from the surface of each mask to that of the other, in millimetres.
#[derive(Debug, Clone, PartialEq)]
pub struct SurfaceDistances {
    reference: Side,
    predicted: Side,
    percentile: Percentile,
}

impl SurfaceDistances {
    /// From the pieces of both surfaces: the distance of each to the other surface, and what it counts.
    pub(super) fn new(
        reference: Vec<(f64, f64)>,
        predicted: Vec<(f64, f64)>,
        percentile: Percentile,
    ) -> Result<Self, NotEstimable> {
        Ok(Self { reference: Side::new(reference)?, predicted: Side::new(predicted)?, percentile })
    }

    /// The Hausdorff distance: the largest of both directions.
    #[must_use]
    pub fn hausdorff(&self) -> f64 {
        let largest = |side: &Side| side.distances[side.distances.len() - 1];
        largest(&self.reference).max(largest(&self.predicted))
    }

    /// The larger of both directions' percentiles: 0.95 for HD95.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] unless `0 <= share <= 1`.
    pub fn hausdorff_percentile(&self, share: f64) -> Result<f64, NotEstimable> {
        if !(0.0..=1.0).contains(&share) {
            return Err(NotEstimable::InvalidInput);
        }
        let of = |side: &Side| side.percentile(share, self.percentile);
        Ok(of(&self.reference).max(of(&self.predicted)))
    }

    /// The mean distance from the reference standard's surface to the predicted one, and back.
    #[must_use]
    pub fn mean_distances(&self) -> (f64, f64) {
        let mean = |side: &Side| side.sum() / side.area;
        (mean(&self.reference), mean(&self.predicted))
    }

    /// The average symmetric surface distance: the mean over both surfaces together.
    #[must_use]
    pub fn average_symmetric(&self) -> f64 {
        let (reference, predicted) = (&self.reference, &self.predicted);
        (reference.sum() + predicted.sum()) / (reference.area + predicted.area)
    }

    /// The share of both surfaces together that lies within `tolerance` millimetres of the other.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] unless the tolerance is finite and not negative.
    ///
    /// # References
    ///
    /// - S. Nikolov et al. (2021). J. Med. Internet Res. 23, e26151 (the surface Dice).
    pub fn normalised_surface_dice(&self, tolerance: f64) -> Result<f64, NotEstimable> {
        check(tolerance)?;
        let within = self.reference.within(tolerance) + self.predicted.within(tolerance);
        Ok(within / (self.reference.area + self.predicted.area))
    }

    /// The share of each surface that lies within `tolerance` of the other: the reference standard's, and
    /// the predicted one's.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] unless the tolerance is finite and not negative.
    pub fn overlap_within(&self, tolerance: f64) -> Result<(f64, f64), NotEstimable> {
        check(tolerance)?;
        let share = |side: &Side| side.within(tolerance) / side.area;
        Ok((share(&self.reference), share(&self.predicted)))
    }

    /// Pieces of each surface.
    #[must_use]
    pub fn pieces(&self) -> (usize, usize) {
        (self.reference.distances.len(), self.predicted.distances.len())
    }
}

fn check(tolerance: f64) -> Result<(), NotEstimable> {
    if tolerance.is_finite() && tolerance >= 0.0 { Ok(()) } else { Err(NotEstimable::InvalidInput) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distances(percentile: Percentile) -> SurfaceDistances {
        let reference = vec![(3.0, 1.0), (0.0, 2.0), (1.0, 1.0)];
        SurfaceDistances::new(reference, vec![(0.0, 4.0)], percentile).unwrap()
    }

    #[test]
    fn percentiles_go_by_their_rule() {
        let by_area = distances(Percentile::ByArea);
        assert!((by_area.hausdorff_percentile(0.75).unwrap() - 1.0).abs() < 1e-15);
        let interpolated = distances(Percentile::Interpolated);
        assert!((interpolated.hausdorff_percentile(0.75).unwrap() - 2.0).abs() < 1e-15);
        assert!((by_area.hausdorff() - 3.0).abs() < 1e-15);
    }

    #[test]
    fn areas_weigh() {
        let by_area = distances(Percentile::ByArea);
        assert!((by_area.mean_distances().0 - 1.0).abs() < 1e-15);
        assert!((by_area.average_symmetric() - 0.5).abs() < 1e-15);
        assert!((by_area.normalised_surface_dice(1.0).unwrap() - 0.875).abs() < 1e-15);
        assert!((by_area.overlap_within(0.0).unwrap().0 - 0.5).abs() < 1e-15);
    }

    #[test]
    fn no_share_and_no_tolerance_are_refused() {
        let by_area = distances(Percentile::ByArea);
        assert_eq!(by_area.hausdorff_percentile(1.5), Err(NotEstimable::InvalidInput));
        assert_eq!(by_area.normalised_surface_dice(-1.0), Err(NotEstimable::InvalidInput));
        assert_eq!(by_area.overlap_within(f64::NAN), Err(NotEstimable::InvalidInput));
    }
}
