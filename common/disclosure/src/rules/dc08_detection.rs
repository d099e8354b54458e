//! DC-08 where findings are counted: which edges of the grid are shown beside the locked cut-off.
//!
//! A count of lesions or of false positives is no count of patients: one patient may bear many. Between two scores
//! that are shown the counts grow by what some patients' findings add, and that step is what a reader learns. An edge is
//! shown only where every step beside it is about findings of at least k patients, and where neither its hits nor its
//! false positives are nine tenths those of two patients (DC-10's dominance). Edges are the protocol's, from the highest
//! score down: what lies below the last one shown is merged with nothing and is not told at all. How such a step divides
//! into hits and false positives is the model's answer, which `standard` shows exactly behind safe denominators (DC-06).
//!
//! Source: NVIDIA FLARE `max_bins_percent`; measured reconstruction of scores from thresholds at will (shared
//! `design/disclosure.md`, section 2); ACRO `safe_nk_n` 2, `safe_nk_k` 0.90.

use super::dc10_means::is_dominated;

/// What one patient's scans hold at each edge, from the lowest score to the highest: at or above it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatientFindings {
    /// Lesions that were found.
    pub hits: Vec<u64>,
    /// Findings in no lesion.
    pub false_positives: Vec<u64>,
}

impl PatientFindings {
    fn hits_between(&self, above: Option<usize>, edge: usize) -> u64 {
        between(&self.hits, above, edge)
    }

    fn false_positives_between(&self, above: Option<usize>, edge: usize) -> u64 {
        between(&self.false_positives, above, edge)
    }
}

/// What a lower edge holds beyond a higher one; all of it where there is none.
fn between(counts: &[u64], above: Option<usize>, edge: usize) -> u64 {
    let at = |edge: usize| counts.get(edge).copied().unwrap_or(0);
    at(edge).saturating_sub(above.map_or(0, at))
}

/// Whether a count is mostly that of two patients. Where nobody bears more than one, it is a count of patients.
#[must_use]
pub fn is_of_two(counts: impl Iterator<Item = u64>) -> bool {
    let (mut total, mut first, mut second) = (0_u64, 0_u64, 0_u64);
    for count in counts {
        total = total.saturating_add(count);
        if count > first {
            (first, second) = (count, first);
        } else if count > second {
            second = count;
        }
    }
    let two = first.saturating_add(second);
    first > 1 && is_dominated(total.into(), two.into())
}

/// The edges that are shown beside the cut-off at `point`, from the highest score down.
#[must_use]
pub fn shown(patients: &[PatientFindings], point: usize, k: u64) -> Vec<usize> {
    let edges = patients.first().map_or(0, |patient| patient.hits.len());
    let mut shown = Vec::new();
    let mut above = None;
    for edge in (0..edges).rev() {
        if edge == point {
            above = Some(edge);
            continue;
        }
        let down_to_the_point = edge < point || may_step(patients, Some(edge), point, k);
        let all = patients.iter().map(|patient| patient.false_positives_between(None, edge));
        if may_step(patients, above, edge, k) && down_to_the_point && !is_of_two(all) {
            shown.push(edge);
            above = Some(edge);
        }
    }
    shown
}

/// Whether a step from one shown edge to the next is about many.
fn may_step(patients: &[PatientFindings], above: Option<usize>, edge: usize, k: u64) -> bool {
    let hits = || patients.iter().map(|patient| patient.hits_between(above, edge));
    let others = || patients.iter().map(|patient| patient.false_positives_between(above, edge));
    let who = hits().zip(others()).filter(|(hits, others)| hits + others > 0).count();
    u64::try_from(who).unwrap_or(u64::MAX) >= k && !is_of_two(hits()) && !is_of_two(others())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A patient with one finding of this edge, a hit or not, on a grid of ten.
    fn patient(edge: usize, is_hit: bool) -> PatientFindings {
        many(edge, u64::from(is_hit), u64::from(!is_hit))
    }

    fn many(edge: usize, hits: u64, false_positives: u64) -> PatientFindings {
        let below = |count: u64| (0..10).map(|at| if at <= edge { count } else { 0 }).collect();
        PatientFindings { hits: below(hits), false_positives: below(false_positives) }
    }

    #[test]
    fn a_step_is_about_k_patients_or_is_not_shown() {
        // Eleven patients at edge 8, five at 7, six at 6, eleven at 3, two at 1; the cut-off is 5.
        let at = [(8, 11), (7, 5), (6, 6), (3, 11), (1, 2)];
        let patients: Vec<_> = at
            .into_iter()
            .flat_map(|(edge, count)| (0..count).map(move |i| patient(edge, i % 2 == 0)))
            .collect();
        // From 8 to the cut-off there are eleven; 7 would leave five or six on either side, and below 3 are two.
        assert_eq!(shown(&patients, 5, 11), [8, 3]);
        // With k = 5: 7 has five before it and six behind it; 6 has nobody between it and the cut-off.
        assert_eq!(shown(&patients, 5, 5), [8, 7, 3]);
        // With k = 12 the eleven at 3 and the two at 1 are one step.
        assert_eq!(shown(&patients, 5, 12), [1]);
        assert!(shown(&[], 5, 5).is_empty());
    }

    #[test]
    fn a_step_that_is_mostly_one_patients_is_not_shown() {
        let mut patients: Vec<_> = (0..20).map(|i| patient(8, i % 2 == 0)).collect();
        patients.extend((0..20).map(|i| patient(4, i % 2 == 0)));
        assert_eq!(shown(&patients, 5, 11), [4], "nobody is between 8 and 5");
        patients.extend((0..20).map(|i| patient(6, i % 2 == 0)));
        assert_eq!(shown(&patients, 5, 11), [8, 4]);
        // One patient more with a hundred false positives at the edge 4: nine tenths of the step.
        patients.push(many(4, 0, 100));
        assert_eq!(shown(&patients, 5, 11), [8]);
    }

    #[test]
    fn a_count_of_patients_is_never_of_two() {
        assert!(!is_of_two([1, 1].into_iter()) && !is_of_two([0, 0].into_iter()));
        assert!(is_of_two([2, 1].into_iter()) && is_of_two([7].into_iter()));
        assert!(!is_of_two([2, 1, 1].into_iter()));
    }
}
