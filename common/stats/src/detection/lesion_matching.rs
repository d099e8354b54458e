//! Candidates beside lesions, by LUNA16's rule.

use crate::NotEstimable;

/// An annotated lesion; places and sizes in millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lesion {
    /// Its centre.
    pub centre: [f64; 3],
    /// Its diameter.
    pub diameter_mm: f64,
    /// Whether readers left it open: hits on it count neither for nor against.
    pub excluded: bool,
}

/// A candidate that the model found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Its place, in millimetres.
    pub place: [f64; 3],
    /// The model's probability, or another finite score that grows with it.
    pub probability: f64,
}

/// What became of the candidates and lesions of one scan.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScanFindings {
    /// For each lesion that was hit, the highest probability of a candidate in it.
    pub hits: Vec<f64>,
    /// Lesions that no candidate lies in.
    pub missed: u64,
    /// Probabilities of candidates that lie in no lesion.
    pub false_positives: Vec<f64>,
    /// Candidates that lie in an excluded lesion alone.
    pub ignored: u64,
    /// Further candidates in lesions that were hit already.
    pub duplicates: u64,
}

/// Holds the candidates of one scan against its lesions.
///
/// A candidate hits a lesion whose centre is less than half a diameter away. A lesion takes the highest
/// probability of its candidates; the others are neither hits nor false positives. Lesions without a
/// candidate are missed at every threshold.
///
/// # Errors
///
/// [`NotEstimable::InvalidInput`] where a number is not finite or a diameter is negative.
///
/// # References
///
/// - A. A. A. Setio et al. (2017). Med. Image Anal. 42, 1–13 (LUNA16).
///
/// # Examples
///
/// ```
/// use fedval_stats::detection::{Candidate, Lesion, match_scan};
///
/// let lesion = Lesion { centre: [0.0; 3], diameter_mm: 8.0, excluded: false };
/// let at = |x: f64, probability| Candidate { place: [x, 0.0, 0.0], probability };
/// let findings = match_scan(&[lesion], &[at(1.0, 0.6), at(-2.0, 0.9), at(4.0, 0.3)])?;
/// assert_eq!((findings.hits, findings.duplicates), (vec![0.9], 1));
/// assert_eq!(findings.false_positives, [0.3]); // exactly at the edge is outside
/// # Ok::<(), fedval_stats::NotEstimable>(())
/// ```
pub fn match_scan(
    lesions: &[Lesion],
    candidates: &[Candidate],
) -> Result<ScanFindings, NotEstimable> {
    check(lesions, candidates)?;
    let mut is_left = vec![true; candidates.len()];
    let mut findings = ScanFindings::default();
    for lesion in lesions {
        let inside: Vec<usize> =
            (0..candidates.len()).filter(|of| is_inside(&candidates[*of], lesion)).collect();
        if lesion.excluded {
            findings.ignored += inside.iter().map(|of| u64::from(is_left[*of])).sum::<u64>();
        }
        for of in &inside {
            is_left[*of] = false;
        }
        if lesion.excluded {
            continue;
        }
        let highest = inside.iter().map(|of| candidates[*of].probability).reduce(f64::max);
        match highest {
            Some(highest) => {
                findings.hits.push(highest);
                findings.duplicates += inside.len() as u64 - 1;
            }
            None => findings.missed += 1,
        }
    }
    let left = candidates.iter().zip(is_left).filter(|(_, is_left)| *is_left);
    findings.false_positives = left.map(|(candidate, _)| candidate.probability).collect();
    Ok(findings)
}

fn check(lesions: &[Lesion], candidates: &[Candidate]) -> Result<(), NotEstimable> {
    let is_place = |place: &[f64; 3]| place.iter().all(|x| x.is_finite());
    let is_lesion = |lesion: &Lesion| {
        is_place(&lesion.centre) && lesion.diameter_mm.is_finite() && lesion.diameter_mm >= 0.0
    };
    let is_candidate =
        |candidate: &Candidate| is_place(&candidate.place) && candidate.probability.is_finite();
    if lesions.iter().all(is_lesion) && candidates.iter().all(is_candidate) {
        Ok(())
    } else {
        Err(NotEstimable::InvalidInput)
    }
}

fn is_inside(candidate: &Candidate, lesion: &Lesion) -> bool {
    let squared =
        candidate.place.iter().zip(lesion.centre).fold(0.0, |sum, (a, b)| sum + (a - b) * (a - b));
    let radius = lesion.diameter_mm / 2.0;
    squared < radius * radius
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excluded_lesion_takes_its_candidates_with_it() {
        let lesion = Lesion { centre: [5.0; 3], diameter_mm: 4.0, excluded: true };
        let candidate = Candidate { place: [5.0, 5.5, 5.0], probability: 0.9 };
        let findings = match_scan(&[lesion], &[candidate]).unwrap();
        assert_eq!(findings, ScanFindings { ignored: 1, ..ScanFindings::default() });
    }

    #[test]
    fn nothing_but_numbers_is_matched() {
        let candidate = Candidate { place: [f64::NAN; 3], probability: 0.9 };
        assert_eq!(match_scan(&[], &[candidate]), Err(NotEstimable::InvalidInput));
        let candidate = Candidate { place: [0.0; 3], probability: f64::INFINITY };
        assert_eq!(match_scan(&[], &[candidate]), Err(NotEstimable::InvalidInput));
    }
}
