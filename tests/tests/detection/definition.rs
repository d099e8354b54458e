//! What the model should be told of each scan, and what follows from it, from their definitions.

use std::collections::BTreeMap;

use super::{CUT_OFF, Found, Lesion, MOST_FOUND, MOST_LESIONS, Scan};

/// What the model should be told of one scan: whose it is, its lesions that count, the score of each that was found,
/// and the scores of false positives.
pub(crate) struct Truth {
    pub(crate) patient: usize,
    pub(crate) is_female: bool,
    pub(crate) lesions: usize,
    pub(crate) hits: Vec<f64>,
    pub(crate) others: Vec<f64>,
}

/// LUNA16's rule, from its definition.
pub(crate) fn truth(scans: &[Scan]) -> Vec<Truth> {
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let of = |scan: &Scan| {
        let before = before.entry(scan.patient).or_default();
        let mut counts = Vec::new();
        for lesion in &scan.lesions {
            let is_counted = !lesion.open && *before < MOST_LESIONS;
            *before += usize::from(is_counted);
            counts.push(is_counted);
        }
        let mut found = scan.found.clone();
        found.sort_by(|one, other| other.score.total_cmp(&one.score));
        found.truncate(MOST_FOUND);
        let is_in = |found: &Found, lesion: &Lesion| {
            let [a, b] = [found.place, lesion.centre];
            (0..3).map(|axis| (a[axis] - b[axis]).powi(2)).sum::<f64>().sqrt() < lesion.radius
        };
        let hits = scan.lesions.iter().zip(&counts).filter(|(_, counts)| **counts);
        let best = |lesion: &Lesion| {
            found.iter().filter(|found| is_in(found, lesion)).map(|f| f.score).reduce(f64::max)
        };
        Truth {
            patient: scan.patient,
            is_female: scan.is_female,
            lesions: counts.iter().filter(|counts| **counts).count(),
            hits: hits.filter_map(|(lesion, _)| best(lesion)).collect(),
            others: found
                .iter()
                .filter(|found| !scan.lesions.iter().any(|lesion| is_in(found, lesion)))
                .map(|found| found.score)
                .collect(),
        }
    };
    // A scan with lesions of which none counts is neither with nor without.
    let truth: Vec<Truth> = scans.iter().filter(|scan| scan.is_read).map(of).collect();
    let has_some = scans.iter().filter(|scan| scan.is_read).map(|scan| !scan.lesions.is_empty());
    let both = truth.into_iter().zip(has_some);
    both.filter(|(truth, has_some)| !has_some || truth.lesions > 0)
        .map(|(truth, _)| truth)
        .collect()
}

fn at_least(scores: &[f64], threshold: f64) -> usize {
    scores.iter().filter(|score| **score >= threshold).count()
}

/// Lesions found and false positives.
pub(crate) fn counts<'t>(truth: impl Iterator<Item = &'t Truth>, threshold: f64) -> (usize, usize) {
    truth.fold((0, 0), |(hits, others), scan| {
        (hits + at_least(&scan.hits, threshold), others + at_least(&scan.others, threshold))
    })
}

/// The error of lesions found among all, between patients who have some.
pub(crate) fn error_between_patients(truth: &[Truth]) -> f64 {
    let mut patients: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
    for scan in truth.iter().filter(|scan| scan.lesions > 0) {
        let (found, all) = patients.entry(scan.patient).or_default();
        *found += real(at_least(&scan.hits, CUT_OFF));
        *all += real(scan.lesions);
    }
    let n = real(patients.len());
    let size: f64 = patients.values().map(|(_, all)| all).sum();
    let share = patients.values().map(|(found, _)| found).sum::<f64>() / size;
    let squares: f64 = patients.values().map(|(found, all)| (found - share * all).powi(2)).sum();
    (n / (n - 1.0) * squares).sqrt() / size
}

pub(crate) fn real(n: usize) -> f64 {
    f64::from(u32::try_from(n).expect("a count of hundreds"))
}

/// Precision over recall by strips, counts straight between the scores that were told.
pub(crate) fn area<'t>(
    scans: &(impl Iterator<Item = &'t Truth> + Clone),
    thresholds: &[f64],
) -> f64 {
    let lesions: usize = scans.clone().map(|scan| scan.lesions).sum();
    let (mut area, mut before) = (0.0, (0.0, 0.0));
    for threshold in thresholds {
        let (hits, others) = counts(scans.clone(), *threshold);
        let after = (real(hits), real(others));
        let width = (after.0 - before.0) / 500.0;
        for strip in 0..500 {
            let way = (f64::from(strip) + 0.5) / 500.0;
            let hits = before.0 + way * (after.0 - before.0);
            let others = before.1 + way * (after.1 - before.1);
            area += if width > 0.0 { width * hits / (hits + others) } else { 0.0 };
        }
        before = after;
    }
    area / real(lesions)
}

/// With every single finding ranked, which a site does not tell: precision at each lesion that is found, averaged.
pub(crate) fn average_precision_of_all(truth: &[Truth]) -> f64 {
    let of = |scan: &Truth| {
        let hits = scan.hits.iter().map(|score| (*score, true));
        hits.chain(scan.others.iter().map(|score| (*score, false))).collect::<Vec<_>>()
    };
    let mut ranked: Vec<(f64, bool)> = truth.iter().flat_map(of).collect();
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    let (mut hits, mut sum) = (0, 0.0);
    for (place, (_, is_hit)) in ranked.iter().enumerate() {
        hits += usize::from(*is_hit);
        sum += if *is_hit { real(hits) / real(place + 1) } else { 0.0 };
    }
    sum / real(truth.iter().map(|scan| scan.lesions).sum())
}
