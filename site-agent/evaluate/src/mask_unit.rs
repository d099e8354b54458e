//! From cases with two masks to patients, each counted once.

use fedval_stats::segmentation::Presence;
use fedval_study::protocol::Combine;
use fedval_vault::MasksOutcome;

use crate::unit::each_patient;

/// Dice, the 95th percentile of distances in millimetres, normalised surface Dice.
pub(crate) type Measured = [f64; 3];

/// One case whose masks were held against each other.
#[derive(Clone)]
pub(crate) struct MaskCase {
    pub(crate) patient: u32,
    /// Place in the manifest.
    pub(crate) case: u32,
    pub(crate) outcome: MasksOutcome,
}

/// One patient.
#[derive(Clone)]
pub(crate) struct MaskUnit {
    pub(crate) patient: u32,
    /// The cases that it was made of.
    pub(crate) cases: Vec<u32>,
    /// Under which the patient is counted.
    pub(crate) presence: Presence,
    /// What is measured of a patient in whom both masks hold something; of nobody else.
    pub(crate) measured: Option<Measured>,
}

/// Patients in the order of their numbers.
pub(crate) fn patients(cases: &[MaskCase], combine: Combine) -> Vec<MaskUnit> {
    let mut units = Vec::new();
    let of_patient = |cases: &[&MaskCase]| {
        units.extend(cases.first().map(|first| unit(first.patient, cases, combine)));
    };
    each_patient(cases, |case| case.patient, of_patient);
    units
}

fn unit(patient: u32, cases: &[&MaskCase], combine: Combine) -> MaskUnit {
    let counted = match combine {
        Combine::First => &cases[..cases.len().min(1)],
        Combine::Mean | Combine::Maximum => cases,
    };
    let presence = gravest(counted);
    let measured: Vec<Measured> =
        counted.iter().filter_map(|case| measured(case.outcome)).collect();
    MaskUnit {
        patient,
        cases: cases.iter().map(|case| case.case).collect(),
        presence,
        measured: (presence == Presence::Both).then(|| mean(&measured)).flatten(),
    }
}

/// A patient is counted under the gravest of their cases: a structure that was missed once was missed, whatever
/// another image shows, and a mean over the other images would hide it. Who has the structure in any image is of those
/// who have it: what is seen in another image, where there is none, does not put the patient among those without.
fn gravest(cases: &[&MaskCase]) -> Presence {
    let order =
        [Presence::OnlyReference, Presence::Both, Presence::OnlyPredicted, Presence::Neither];
    let has = |presence: &Presence| cases.iter().any(|case| presence_of(case.outcome) == *presence);
    order.into_iter().find(has).unwrap_or(Presence::Neither)
}

const fn presence_of(outcome: MasksOutcome) -> Presence {
    match outcome {
        MasksOutcome::Both(_) => Presence::Both,
        MasksOutcome::OnlyReference => Presence::OnlyReference,
        MasksOutcome::OnlyPredicted => Presence::OnlyPredicted,
        MasksOutcome::Neither => Presence::Neither,
    }
}

const fn measured(outcome: MasksOutcome) -> Option<Measured> {
    match outcome {
        MasksOutcome::Both([dice, hd95, nsd]) => {
            Some([f64::from_bits(dice), f64::from_bits(hd95), f64::from_bits(nsd)])
        }
        _ => None,
    }
}

/// Over the cases of one patient that have both masks.
fn mean(measured: &[Measured]) -> Option<Measured> {
    let cases = count(measured.len());
    let of = |place: usize| measured.iter().map(|case| case[place]).sum::<f64>() / cases;
    (!measured.is_empty()).then(|| [of(0), of(1), of(2)])
}

#[expect(clippy::cast_precision_loss, reason = "cases of one patient")]
const fn count(cases: usize) -> f64 {
    cases as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(patient: u32, case: u32, outcome: MasksOutcome) -> MaskCase {
        MaskCase { patient, case, outcome }
    }

    fn both(dice: f64, hd95: f64, nsd: f64) -> MasksOutcome {
        MasksOutcome::Both([dice, hd95, nsd].map(f64::to_bits))
    }

    #[test]
    fn a_patient_is_the_mean_of_the_cases_or_the_first() {
        let cases = [
            case(3, 0, both(0.5, 8.0, 0.25)),
            case(1, 1, MasksOutcome::Neither),
            case(3, 2, both(1.0, 2.0, 0.75)),
            case(3, 3, MasksOutcome::Neither),
        ];
        let of = |combine| patients(&cases, combine);
        let mean = of(Combine::Mean);
        assert_eq!(mean.iter().map(|unit| unit.patient).collect::<Vec<_>>(), [1, 3]);
        assert_eq!((mean[0].presence, mean[0].measured), (Presence::Neither, None));
        assert_eq!((mean[1].presence, &mean[1].cases[..]), (Presence::Both, &[0, 2, 3][..]));
        assert_eq!(mean[1].measured, Some([0.75, 5.0, 0.5]));
        assert_eq!(of(Combine::First)[1].measured, Some([0.5, 8.0, 0.25]));
    }

    #[test]
    fn whom_a_structure_was_missed_in_has_no_measure_of_another_image() {
        let cases = [
            case(0, 0, both(0.9, 1.0, 0.9)),
            case(0, 1, MasksOutcome::OnlyPredicted),
            case(1, 2, MasksOutcome::OnlyPredicted),
            case(1, 3, MasksOutcome::OnlyReference),
            case(1, 4, both(0.9, 1.0, 0.9)),
            case(2, 5, MasksOutcome::Neither),
            case(2, 6, MasksOutcome::OnlyPredicted),
        ];
        let seen = |combine| -> Vec<_> {
            let units = patients(&cases, combine);
            units.iter().map(|unit| (unit.presence, unit.measured.is_some())).collect()
        };
        let (spurious, missed) = (Presence::OnlyPredicted, Presence::OnlyReference);
        // Patient 0 has the structure, patient 2 has it nowhere.
        assert_eq!(
            seen(Combine::Mean),
            [(Presence::Both, true), (missed, false), (spurious, false)]
        );
        assert_eq!(
            seen(Combine::First),
            [(Presence::Both, true), (spurious, false), (Presence::Neither, false)]
        );
    }
}
