//! Who is counted for a condition, and what the areas are, from their definitions.

use std::collections::BTreeMap;

use super::{Patient, count};

/// Who is counted for a condition: score and reference, with the patient's place.
pub(crate) fn assessed(patients: &[Patient], condition: usize) -> Vec<(usize, f64, bool)> {
    let of = |(place, patient): (usize, &Patient)| {
        Some((place, patient.score(condition), patient.reference[condition]?))
    };
    patients.iter().enumerate().filter_map(of).collect()
}

/// What a patient's score is worth beside another's.
fn worth(with: f64, without: f64) -> f64 {
    if with > without {
        1.0
    } else if with < without {
        0.0
    } else {
        0.5
    }
}

/// The area of a condition by counting pairs, and each patient's part in its error.
pub(crate) fn area(patients: &[Patient], condition: usize) -> (f64, Vec<f64>) {
    let assessed = assessed(patients, condition);
    let placement = |(_, own, is_there): &(usize, f64, bool)| {
        let others: Vec<f64> = assessed
            .iter()
            .filter(|(.., other)| other != is_there)
            .map(|(_, other, _)| if *is_there { worth(*own, *other) } else { worth(*other, *own) })
            .collect();
        others.iter().sum::<f64>() / count(others.len())
    };
    let size =
        |side: bool| count(assessed.iter().filter(|(.., is_there)| *is_there == side).count());
    let wins = assessed.iter().filter(|(.., is_there)| *is_there).map(placement);
    let area = wins.sum::<f64>() / size(true);
    let mut parts = vec![0.0; patients.len()];
    for case in &assessed {
        let of_kind = size(case.2);
        parts[case.0] = (placement(case) - area) / (of_kind * (of_kind - 1.0)).sqrt();
    }
    (area, parts)
}

/// The mean of the areas, with its error between patients.
fn macro_area(patients: &[Patient]) -> (f64, f64) {
    let areas: Vec<(f64, Vec<f64>)> = (0..3).map(|of| area(patients, of)).collect();
    let part = |patient: usize| areas.iter().map(|(_, parts)| parts[patient]).sum::<f64>();
    let squares: f64 = (0..patients.len()).map(|patient| part(patient).powi(2)).sum();
    (areas.iter().map(|(area, _)| area).sum::<f64>() / 3.0, squares.sqrt() / 3.0)
}

/// The same with the error that may leave: to two figures, or, where fewer than k women or men lie in a crossing of two
/// conditions, the mean of those of the areas, which bounds it.
pub(crate) fn told_macro_area(patients: &[Patient]) -> (f64, f64) {
    let (mean, se) = macro_area(patients);
    let mut crossings = BTreeMap::new();
    for Patient { female, reference, .. } in patients {
        for (one, other) in [(0, 1), (0, 2), (1, 2)] {
            let crossing = (*female, one, other, reference[one], reference[other]);
            *crossings.entry(crossing).or_insert(0) += 1;
        }
    }
    if crossings.values().all(|patients| *patients >= 11) {
        let grid = 10_f64.powf(se.log10().floor() - 1.0);
        return (mean, (se / grid).round() * grid);
    }
    let error = |condition: usize| {
        area(patients, condition).1.iter().map(|part| part * part).sum::<f64>().sqrt()
    };
    (mean, (0..3).map(error).sum::<f64>() / 3.0)
}

/// Whether a condition is told of women and of men: k have it and have it not in both, and nobody or k lack its reference
/// standard; where one of two groups stays, the other would follow.
pub(crate) fn is_told_by_sex(patients: &[Patient], condition: usize) -> bool {
    [true, false].into_iter().all(|female| {
        let own = || patients.iter().filter(move |patient| patient.female == female);
        let count = |of: Option<bool>| own().filter(|p| p.reference[condition] == of).count();
        let (with, without, missing) = (count(Some(true)), count(Some(false)), count(None));
        with.min(without) >= 11 && with + without >= 21 && !(1..11).contains(&missing)
    })
}
