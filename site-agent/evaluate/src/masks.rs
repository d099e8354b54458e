//! The sums of patients with two masks, and who they are.

use fedval_ingest::Cohort;
use fedval_stats::segmentation::PresenceTally;
use fedval_study::Members;
use fedval_study::protocol::{Quantity, Structure, StudyProtocol};
use fedval_study::summary::MeasureFindings;

use crate::mask_unit::{MaskUnit, Measured};
use crate::measures::{self, MeasuredUnit};

/// Sums over patients in whom both masks hold the structure, and counts of all kinds.
pub(crate) fn findings(
    protocol: &StudyProtocol,
    structure: &Structure,
    units: &[MaskUnit],
) -> MeasureFindings {
    let measured: Vec<MeasuredUnit> = units
        .iter()
        .filter_map(|unit| {
            Some(MeasuredUnit { values: values(structure, unit.measured?)?, ..plain(unit) })
        })
        .collect();
    let tally = PresenceTally::of(units.iter().map(|unit| unit.presence));
    MeasureFindings { empty_masks: Some(tally), ..measures::findings(protocol, &measured) }
}

/// Every analysed patient, measured or not: counts of empty masks are told, too.
pub(crate) fn members(
    protocol: &StudyProtocol,
    cohort: &Cohort,
    units: &[MaskUnit],
    secret: &[u8; 32],
) -> Members {
    let units: Vec<MeasuredUnit> = units.iter().map(plain).collect();
    measures::members(protocol, cohort, &units, secret)
}

fn plain(unit: &MaskUnit) -> MeasuredUnit {
    MeasuredUnit {
        patient: unit.patient,
        cases: unit.cases.clone(),
        values: Vec::new(),
        categories: Vec::new(),
    }
}

/// In the order of the task's measures, each cut to its bounds; `None` of what is no number, which no mask has.
fn values(structure: &Structure, [dice, hd95, nsd]: Measured) -> Option<Vec<i64>> {
    let ranges = structure.measures();
    let values = ranges.iter().zip([dice, hd95, nsd]);
    values.map(|(range, value)| Quantity::micro(value).map(|micro| range.clip(micro))).collect()
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::Border;

    use super::*;

    #[test]
    fn a_distance_is_cut_to_the_bound() {
        let structure = Structure {
            labels: vec![1],
            other_labels: Vec::new(),
            rois: Vec::new(),
            border: Border::Surfel,
            tolerance_um: 1_000,
            hd95_bound_um: 20_000,
            pixel_spacing_um: None,
        };
        let cut = values(&structure, [0.25, 1234.5, 1.0]);
        assert_eq!(cut, Some(vec![250_000, 20_000_000, 1_000_000]));
        assert_eq!(values(&structure, [0.25, 3.5, 0.0]), Some(vec![250_000, 3_500_000, 0]));
        assert_eq!(values(&structure, [0.25, f64::NAN, 0.0]), None);
    }
}
