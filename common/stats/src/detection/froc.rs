//! The free-response ROC curve: sensitivity by false positives a scan.

use super::ScanFindings;
use crate::NotEstimable;
use crate::count::{count_to_f64, len_to_f64};

/// False positives a scan at which sensitivities are averaged to the CPM.
///
/// # References
///
/// - M. Niemeijer et al. (2011). IEEE Trans. Med. Imaging 30, 215–223.
pub const CPM_RATES: [f64; 7] = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0];

/// The curve of many scans, from single candidates: where those are.
#[derive(Debug, Clone, PartialEq)]
pub struct Froc {
    /// `(false positives a scan, sensitivity)` from the highest threshold down, after (0, 0).
    points: Vec<(f64, f64)>,
}

impl Froc {
    /// The curve of scans.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without scans, [`NotEstimable::NoEvents`] without lesions.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::detection::{Froc, ScanFindings};
    ///
    /// let scan = ScanFindings { hits: vec![0.9], false_positives: vec![0.4], ..ScanFindings::default() };
    /// assert!((Froc::of(&[scan])?.cpm() - 1.0).abs() < 1e-15);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn of(scans: &[ScanFindings]) -> Result<Self, NotEstimable> {
        if scans.is_empty() {
            return Err(NotEstimable::EmptyInput);
        }
        let mut found: Vec<(f64, bool)> = scans.iter().flat_map(of_scan).collect();
        let missed = scans.iter().fold(0.0, |sum, scan| sum + count_to_f64(scan.missed));
        let lesions = missed + len_to_f64(found.iter().filter(|(_, is_hit)| *is_hit).count());
        if lesions <= 0.0 {
            return Err(NotEstimable::NoEvents);
        }
        found.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let (mut hits, mut false_positives) = (0.0, 0.0);
        let mut points = vec![(0.0, 0.0)];
        #[expect(clippy::float_cmp, reason = "candidates of one and the same probability")]
        for ties in found.chunk_by(|a, b| a.0 == b.0) {
            let hit = len_to_f64(ties.iter().filter(|(_, is_hit)| *is_hit).count());
            hits += hit;
            false_positives += len_to_f64(ties.len()) - hit;
            points.push((false_positives / len_to_f64(scans.len()), hits / lesions));
        }
        Ok(Self { points })
    }

    /// The curve through the thresholds of counts, of one site or of several merged: between two of them it
    /// runs straight.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without scans, [`NotEstimable::NoEvents`] without lesions.
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::detection::{DetectionCounts, Froc};
    ///
    /// let counts = DetectionCounts { scans: 10, lesions: 20, at: vec![(0.5, 12, 5), (0.2, 18, 40)] };
    /// assert!((Froc::of_counts(&counts)?.sensitivity_at(0.5)? - 0.6).abs() < 1e-15);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn of_counts(counts: &DetectionCounts) -> Result<Self, NotEstimable> {
        if counts.scans == 0 {
            return Err(NotEstimable::EmptyInput);
        }
        if counts.lesions == 0 {
            return Err(NotEstimable::NoEvents);
        }
        let (scans, lesions) = (count_to_f64(counts.scans), count_to_f64(counts.lesions));
        let at = counts.at.iter();
        let mut points: Vec<(f64, f64)> = at
            .map(|(_, hits, false_positives)| {
                (count_to_f64(*false_positives) / scans, count_to_f64(*hits) / lesions)
            })
            .collect();
        points.push((0.0, 0.0));
        points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Ok(Self { points })
    }

    /// The sensitivity at so many false positives a scan: between points along a straight line, the
    /// highest of several at one rate, the last one beyond it.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] for a rate that is negative or not a number.
    pub fn sensitivity_at(&self, rate: f64) -> Result<f64, NotEstimable> {
        if rate.is_nan() || rate < 0.0 {
            return Err(NotEstimable::InvalidInput);
        }
        let right = self.points.partition_point(|(x, _)| *x <= rate);
        // The first point lies at 0.
        let (x0, y0) = self.points[right - 1];
        Ok(match self.points.get(right) {
            None => y0,
            Some((x1, y1)) => y0 + (y1 - y0) * (rate - x0) / (x1 - x0),
        })
    }

    /// The competition performance metric: the mean sensitivity at [`CPM_RATES`].
    #[must_use]
    pub fn cpm(&self) -> f64 {
        let sensitivities = CPM_RATES.iter().filter_map(|rate| self.sensitivity_at(*rate).ok());
        sensitivities.fold(0.0, |sum, x| sum + x) / len_to_f64(CPM_RATES.len())
    }
}

fn of_scan(scan: &ScanFindings) -> impl Iterator<Item = (f64, bool)> + '_ {
    let hits = scan.hits.iter().map(|probability| (*probability, true));
    hits.chain(scan.false_positives.iter().map(|probability| (*probability, false)))
}

/// Hits and false positives at fixed thresholds, mergeable over sites.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionCounts {
    /// Scans.
    pub scans: u64,
    /// Lesions.
    pub lesions: u64,
    /// `(threshold, hits, false positives)` with probabilities at or above it.
    pub at: Vec<(f64, u64, u64)>,
}

impl DetectionCounts {
    /// Counts scans at thresholds.
    #[must_use]
    pub fn of(scans: &[ScanFindings], thresholds: &[f64]) -> Self {
        let count = |found: &mut dyn Iterator<Item = &f64>, threshold: f64| {
            found.filter(|probability| **probability >= threshold).count() as u64
        };
        let at = thresholds.iter().map(|threshold| {
            let hits = count(&mut scans.iter().flat_map(|scan| &scan.hits), *threshold);
            let false_positives =
                count(&mut scans.iter().flat_map(|scan| &scan.false_positives), *threshold);
            (*threshold, hits, false_positives)
        });
        let lesions = scans.iter().map(|scan| scan.missed + scan.hits.len() as u64).sum();
        Self { scans: scans.len() as u64, lesions, at: at.collect() }
    }

    /// The counts of two disjoint cohorts together (saturating).
    ///
    /// # Errors
    ///
    /// [`NotEstimable::InvalidInput`] where their thresholds differ.
    pub fn merge(mut self, other: &Self) -> Result<Self, NotEstimable> {
        let same = |(a, b): (&(f64, u64, u64), &(f64, u64, u64))| a.0.to_bits() == b.0.to_bits();
        if self.at.len() != other.at.len() || !self.at.iter().zip(&other.at).all(same) {
            return Err(NotEstimable::InvalidInput);
        }
        self.scans = self.scans.saturating_add(other.scans);
        self.lesions = self.lesions.saturating_add(other.lesions);
        for (own, more) in self.at.iter_mut().zip(&other.at) {
            own.1 = own.1.saturating_add(more.1);
            own.2 = own.2.saturating_add(more.2);
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(hits: &[f64], false_positives: &[f64], missed: u64) -> ScanFindings {
        ScanFindings {
            hits: hits.to_vec(),
            false_positives: false_positives.to_vec(),
            missed,
            ..ScanFindings::default()
        }
    }

    #[test]
    fn without_lesions_there_is_no_sensitivity() {
        assert_eq!(Froc::of(&[]), Err(NotEstimable::EmptyInput));
        assert_eq!(Froc::of(&[scan(&[], &[0.3], 0)]), Err(NotEstimable::NoEvents));
    }

    #[test]
    fn a_lesion_that_is_missed_is_missed_at_every_rate() {
        let froc = Froc::of(&[scan(&[0.9], &[], 1)]).unwrap();
        for rate in [0.0, 1.0, 100.0] {
            assert!((froc.sensitivity_at(rate).unwrap() - 0.5).abs() < 1e-15);
        }
        assert_eq!(froc.sensitivity_at(f64::NAN), Err(NotEstimable::InvalidInput));
    }

    #[test]
    fn merged_counts_give_the_curve_of_all_scans_at_their_thresholds() {
        let (one, other) = (scan(&[0.9, 0.3], &[0.6], 1), scan(&[0.7], &[0.8, 0.2], 0));
        let thresholds = [0.85, 0.75, 0.65, 0.5, 0.25, 0.1];
        let counts =
            |scan: &ScanFindings| DetectionCounts::of(std::slice::from_ref(scan), &thresholds);
        let merged = counts(&one).merge(&counts(&other)).unwrap();
        let (apart, whole) = (Froc::of_counts(&merged).unwrap(), Froc::of(&[one, other]).unwrap());
        for rate in [0.0, 0.5, 1.0, 1.5, 8.0] {
            let (got, wanted) = (apart.sensitivity_at(rate), whole.sensitivity_at(rate));
            assert!((got.unwrap() - wanted.unwrap()).abs() < 1e-15, "{rate}");
        }
        let none = DetectionCounts { scans: 3, lesions: 0, at: vec![] };
        assert_eq!(Froc::of_counts(&none), Err(NotEstimable::NoEvents));
    }

    #[test]
    fn merging_adds_where_thresholds_are_the_same() {
        let one = DetectionCounts::of(&[scan(&[0.9], &[0.2], 1)], &[0.5, 0.1]);
        let sum = one.clone().merge(&one).unwrap();
        assert_eq!((sum.scans, sum.lesions, sum.at[1]), (2, 4, (0.1, 2, 2)));
        let other = DetectionCounts::of(&[], &[0.5]);
        assert_eq!(one.merge(&other), Err(NotEstimable::InvalidInput));
    }
}
