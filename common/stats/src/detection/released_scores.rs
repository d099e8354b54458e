//! Average precision from counts at some scores.

use crate::NotEstimable;
use crate::count::{count_to_f64, len_to_f64};

/// What a cohort, or one patient of it, holds at some scores.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CountsAtScores {
    /// Lesions.
    pub lesions: u64,
    /// At each score, from the highest down: lesions found and findings in no lesion, with that score or a higher one.
    pub at: Vec<(u64, u64)>,
}

impl CountsAtScores {
    /// The area under the precision–recall curve over these scores, 0 to 1.
    ///
    /// Of N lesions h are found beside f false positives; recall is h / N, precision h / (h + f). From (0, 0) through
    /// the scores f runs straight in h, as in the free-response curve; precision then bends, and its area between two
    /// scores with h₁ < h₂ is
    ///
    /// ```text
    /// 1/N ∫ t / (a t + b) dt = 1/N [ (h₂ − h₁) / a − b / a² ln((h₂ + f₂) / (h₁ + f₁)) ]
    /// a = 1 + (f₂ − f₁) / (h₂ − h₁),   b = f₁ − (a − 1) h₁
    /// ```
    ///
    /// Beyond the lowest score nothing is found: its recall is not reached. With a score for every finding this is the
    /// usual average precision but for ties; with few it neither takes the best precision of a step for all of it, as
    /// Pascal VOC's and COCO's envelopes do, nor the worst.
    ///
    /// # Errors
    ///
    /// [`NotEstimable::EmptyInput`] without a score, [`NotEstimable::NoEvents`] without lesions,
    /// [`NotEstimable::InvalidInput`] where a lower score holds less than a higher one, or more lesions are found than
    /// there are.
    ///
    /// # References
    ///
    /// - J. Davis, M. Goadrich (2006). The relationship between precision-recall and ROC curves. ICML, 233–240 (between
    ///   two scores counts run straight, precision does not).
    /// - J. Keilwagen, I. Grosse, J. Grau (2014). PLoS ONE 9, e92209 (the integral).
    ///
    /// # Examples
    ///
    /// ```
    /// use fedval_stats::detection::CountsAtScores;
    ///
    /// // Half of the lesions at a precision of 0.8, and no more.
    /// let counts = CountsAtScores { lesions: 16, at: vec![(8, 2)] };
    /// assert!((counts.average_precision()? - 0.4).abs() < 1e-15);
    /// # Ok::<(), fedval_stats::NotEstimable>(())
    /// ```
    pub fn average_precision(&self) -> Result<f64, NotEstimable> {
        self.check()?;
        let mut before = (0, 0);
        let mut area = 0.0;
        for at in &self.at {
            area += between(before, *at);
            before = *at;
        }
        Ok((area / count_to_f64(self.lesions)).clamp(0.0, 1.0))
    }

    /// The standard error of [`average_precision`](Self::average_precision) between patients, by leaving out each in
    /// turn:
    ///
    /// ```text
    /// var = (n − 1) / n Σ (Aᵢ − Ā)²
    /// ```
    ///
    /// with Aᵢ the average precision without patient i at the same scores. Lesions and findings of one patient stay
    /// together, so that their likeness is allowed for.
    ///
    /// # Errors
    ///
    /// Those of `average_precision`, with and without each patient; [`NotEstimable::TooFewClusters`] below two patients,
    /// [`NotEstimable::InvalidInput`] where one holds more than the whole, or other scores.
    ///
    /// # References
    ///
    /// - B. Efron, C. Stein (1981). The jackknife estimate of variance. Ann. Stat. 9, 586–596 (it is not too small on
    ///   average).
    /// - K. Boyd, K. H. Eng, C. D. Page (2013). Area under the precision-recall curve: point estimates and confidence
    ///   intervals. ECML PKDD, 451–466 (intervals on the logit scale hold).
    pub fn average_precision_error<'p>(
        &self,
        patients: impl IntoIterator<Item = &'p Self>,
    ) -> Result<f64, NotEstimable> {
        let without =
            patients.into_iter().map(|patient| self.without(patient)?.average_precision());
        let areas: Vec<f64> = without.collect::<Result<_, _>>()?;
        if areas.len() < 2 {
            return Err(NotEstimable::TooFewClusters);
        }
        let n = len_to_f64(areas.len());
        let mean = areas.iter().sum::<f64>() / n;
        let squares: f64 = areas.iter().map(|area| (area - mean) * (area - mean)).sum();
        Ok(libm::sqrt((n - 1.0) / n * squares))
    }

    /// What is left without one patient.
    fn without(&self, patient: &Self) -> Result<Self, NotEstimable> {
        if patient.at.len() != self.at.len() {
            return Err(NotEstimable::InvalidInput);
        }
        let less = |all: u64, own: u64| all.checked_sub(own).ok_or(NotEstimable::InvalidInput);
        let pairs = self.at.iter().zip(&patient.at);
        Ok(Self {
            lesions: less(self.lesions, patient.lesions)?,
            at: pairs
                .map(|(all, own)| Ok((less(all.0, own.0)?, less(all.1, own.1)?)))
                .collect::<Result<_, NotEstimable>>()?,
        })
    }

    fn check(&self) -> Result<(), NotEstimable> {
        if self.at.is_empty() {
            return Err(NotEstimable::EmptyInput);
        }
        if self.lesions == 0 {
            return Err(NotEstimable::NoEvents);
        }
        let grows = self.at.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1);
        let is_possible = self.at.iter().all(|(hits, _)| *hits <= self.lesions);
        if grows && is_possible { Ok(()) } else { Err(NotEstimable::InvalidInput) }
    }
}

/// Precision integrated over the lesions found between two scores.
fn between((hits, others): (u64, u64), (more_hits, more_others): (u64, u64)) -> f64 {
    let found = more_hits.saturating_sub(hits);
    if found == 0 {
        return 0.0;
    }
    let found = count_to_f64(found);
    let slope = count_to_f64(more_others.saturating_sub(others)) / found;
    let (a, b) = (1.0 + slope, count_to_f64(others) - slope * count_to_f64(hits));
    let calls = |hits: u64, others: u64| count_to_f64(hits) + count_to_f64(others);
    let (before, after) = (calls(hits, others), calls(more_hits, more_others));
    // From nothing on precision is the same all along: b is 0, and there is no logarithm of nothing.
    let bend = if before > 0.0 { b / (a * a) * libm::log(after / before) } else { 0.0 };
    found / a - bend
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(lesions: u64, at: &[(u64, u64)]) -> CountsAtScores {
        CountsAtScores { lesions, at: at.to_vec() }
    }

    /// Precision summed over many narrow strips of recall.
    fn by_strips(counts: &CountsAtScores) -> f64 {
        let strips = 20_000;
        let real = |count: u64| f64::from(u32::try_from(count).unwrap());
        let mut area = 0.0;
        let mut before = (0.0, 0.0);
        for at in &counts.at {
            let after = (real(at.0), real(at.1));
            let width = (after.0 - before.0) / f64::from(strips);
            for strip in 0..strips {
                let way = (f64::from(strip) + 0.5) / f64::from(strips);
                let hits = before.0 + way * (after.0 - before.0);
                let others = before.1 + way * (after.1 - before.1);
                area += if width > 0.0 { width * hits / (hits + others) } else { 0.0 };
            }
            before = after;
        }
        area / real(counts.lesions)
    }

    #[test]
    fn the_area_is_that_of_strips() {
        for at in [
            &[(60, 20), (120, 100), (130, 800), (140, 1_200)][..],
            &[(0, 30), (50, 30), (90, 31)],
            &[(40, 0), (40, 10), (150, 10)],
            &[(1, 0), (2, 999), (3, 999)],
            &[(150, 0)],
        ] {
            let counts = counts(160, at);
            let (got, wanted) = (counts.average_precision().unwrap(), by_strips(&counts));
            assert!((got - wanted).abs() < 1e-6, "{at:?}: {got} {wanted}");
        }
    }

    #[test]
    fn all_found_and_nothing_else_is_one_and_nothing_found_is_nothing() {
        let all = counts(7, &[(3, 0), (7, 0), (7, 40)]);
        assert!((all.average_precision().unwrap() - 1.0).abs() < 1e-15);
        assert!(counts(7, &[(0, 0), (0, 9)]).average_precision().unwrap().abs() < 1e-15);
    }

    #[test]
    fn with_a_score_for_every_finding_it_is_nearly_the_usual_one() {
        // Three of four findings hit, then one of two, then one of five, a thousand times each.
        let pattern = [true, true, false, true, true, false, true, false, false, false, false];
        let (mut at, mut hits, mut others, mut usual) = (Vec::new(), 0_u32, 0_u32, 0.0);
        for part in [&pattern[..4], &pattern[4..6], &pattern[6..]] {
            for is_hit in part.iter().cycle().take(1_000 * part.len()) {
                if *is_hit {
                    hits += 1;
                    usual += f64::from(hits) / f64::from(hits + others);
                } else {
                    others += 1;
                }
                at.push((hits.into(), others.into()));
            }
        }
        let lesions = 6_000;
        let fine = counts(lesions, &at).average_precision().unwrap();
        assert!((fine - usual / 6_000.0).abs() < 5e-3, "{fine} {usual}");
        // Three scores tell the same: between them the share of hits does not change.
        let coarse = counts(lesions, &[at[3_999], at[5_999], at[10_999]]);
        assert!((coarse.average_precision().unwrap() - fine).abs() < 5e-3);
    }

    #[test]
    fn without_false_positives_its_error_is_that_of_a_share() {
        let patients: Vec<_> =
            (0..40).map(|patient| counts(1, &[(u64::from(patient < 30), 0)])).collect();
        let se = counts(40, &[(30, 0)]).average_precision_error(&patients).unwrap();
        assert!((se - (0.75_f64 * 0.25 / 39.0).sqrt()).abs() < 1e-12, "{se}");
        // The same patients twice over, each with both of his lesions found or none: no more is known.
        let twins: Vec<_> =
            (0..40).map(|patient| counts(2, &[(2 * u64::from(patient < 30), 0)])).collect();
        let same = counts(80, &[(60, 0)]).average_precision_error(&twins).unwrap();
        assert!((same - se).abs() < 1e-12);
    }

    /// A patient with up to two lesions, which are alike, and up to two false positives, at five scores.
    fn drawn(seed: &mut u64) -> CountsAtScores {
        let mut below = |most: u64| {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (*seed >> 33) % most
        };
        let (lesions, ease) = (below(3), below(3));
        let hits: Vec<u64> = (0..lesions).map(|_| below(4) + ease).collect();
        let others: Vec<u64> = (0..below(3)).map(|_| below(6).min(below(6))).collect();
        let above = |scores: &[u64], least: u64| {
            scores.iter().filter(|score| **score >= least).count() as u64
        };
        let at = (1..6).rev().map(|least| (above(&hits, least), above(&others, least)));
        CountsAtScores { lesions, at: at.collect() }
    }

    #[test]
    fn the_error_is_that_by_which_cohorts_differ() {
        let mut seed = 7;
        let (mut areas, mut errors) = (Vec::new(), Vec::new());
        for _ in 0..400 {
            let patients: Vec<_> = (0..80).map(|_| drawn(&mut seed)).collect();
            let mut whole = counts(0, &[(0, 0); 5]);
            for patient in &patients {
                whole.lesions += patient.lesions;
                for (sum, own) in whole.at.iter_mut().zip(&patient.at) {
                    *sum = (sum.0 + own.0, sum.1 + own.1);
                }
            }
            areas.push(whole.average_precision().unwrap());
            errors.push(whole.average_precision_error(&patients).unwrap());
        }
        let mean = |of: &[f64]| of.iter().sum::<f64>() / 400.0;
        let middle = mean(&areas);
        let squares: Vec<f64> = areas.iter().map(|area| (area - middle).powi(2)).collect();
        let (spread, told) = (mean(&squares).sqrt(), mean(&errors));
        assert!((told / spread - 1.0).abs() < 0.12, "{told} {spread}");
        // On the logit scale, where limits are made.
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let holds = |(area, se): (&f64, &f64)| {
            (logit(*area) - logit(middle)).abs() <= 1.96 * se / (area * (1.0 - area))
        };
        let held = areas.iter().zip(&errors).filter(|found| holds(*found)).count();
        assert!((370..=392).contains(&held), "{held} of 400");
    }

    #[test]
    fn what_no_cohort_has_is_a_reason() {
        for (counts, reason) in [
            (counts(3, &[]), NotEstimable::EmptyInput),
            (counts(0, &[(0, 2)]), NotEstimable::NoEvents),
            (counts(3, &[(2, 0), (1, 0)]), NotEstimable::InvalidInput),
            (counts(3, &[(2, 3), (2, 2)]), NotEstimable::InvalidInput),
            (counts(3, &[(4, 0)]), NotEstimable::InvalidInput),
        ] {
            assert_eq!(counts.average_precision(), Err(reason), "{counts:?}");
        }
        let whole = counts(3, &[(2, 1)]);
        let error = |patients: &[CountsAtScores]| whole.average_precision_error(patients);
        assert_eq!(error(&[counts(1, &[(1, 0)])]), Err(NotEstimable::TooFewClusters));
        assert_eq!(error(&[counts(1, &[]), counts(1, &[])]), Err(NotEstimable::InvalidInput));
        assert_eq!(
            error(&[counts(1, &[(0, 2)]), counts(1, &[(0, 0)])]),
            Err(NotEstimable::InvalidInput)
        );
        assert_eq!(
            error(&[counts(3, &[(2, 0)]), counts(0, &[(0, 1)])]),
            Err(NotEstimable::NoEvents)
        );
    }
}
