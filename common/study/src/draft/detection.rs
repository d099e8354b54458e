//! From the author's TOML to what a study of findings counts.

use super::read::{ID, stand_in_name};
use super::reader::Fields;
use crate::protocol::{DetectionPlan, DetectionPoint, MOST_LESIONS, Matching};

/// How the author says when a finding counts as found.
#[derive(Clone, Copy)]
enum Kind {
    CentreInRadius,
    Iou,
}

/// Findings of the model in a scan, where the author says nothing.
const USUAL_CANDIDATES: u32 = 20;
const USUAL_BINS: u32 = 20;

/// The table `detection`, with the one cut-off of `operating_points` on its grid.
pub(super) fn plan_of(root: &Fields<'_, '_, '_>) -> DetectionPlan {
    let table = root.table("detection", "add a [detection] table with matching");
    let table = table.as_ref();
    let bins = table.and_then(|t| t.count_or("bins", USUAL_BINS)).unwrap_or(USUAL_BINS);
    DetectionPlan {
        bins,
        matching: table.and_then(matching_of).unwrap_or(Matching::CentreInRadius),
        most_candidates: table
            .and_then(|t| t.count_or("most_candidates", USUAL_CANDIDATES))
            .unwrap_or(USUAL_CANDIDATES),
        most_lesions: table
            .and_then(|t| t.count_or("most_lesions", MOST_LESIONS))
            .unwrap_or(MOST_LESIONS),
        point: point_of(root, bins),
    }
}

fn matching_of(table: &Fields<'_, '_, '_>) -> Option<Matching> {
    let kinds = [("centre_in_radius", Kind::CentreInRadius), ("iou", Kind::Iou)];
    Some(match table.word("matching", &kinds)? {
        Kind::CentreInRadius => Matching::CentreInRadius,
        Kind::Iou => {
            let least = table.number("iou", "give the smallest overlap, such as 0.5")?;
            // What is no share of thousandths breaks a rule.
            Matching::Iou(steps(least, 1000).unwrap_or(u32::MAX))
        }
    })
}

fn point_of(root: &Fields<'_, '_, '_>, bins: u32) -> DetectionPoint {
    let tables = root.tables("operating_points", "write one [[operating_points]] table");
    let mut points = tables.iter().map(|t| DetectionPoint {
        name: t.parsed("name", ID).unwrap_or_else(stand_in_name),
        edge: t
            .number("threshold", "give a score between 0 and 1")
            .map_or(1, |threshold| steps(threshold, bins).unwrap_or(u32::MAX)),
    });
    let first = points.next();
    // Every table is read, so that what is wrong in it is told.
    let is_only = points.count() == 0;
    let nowhere = u32::MAX;
    let none = DetectionPoint { edge: nowhere, name: stand_in_name() };
    first.map_or(none, |only| DetectionPoint {
        edge: if is_only { only.edge } else { nowhere },
        ..only
    })
}

/// How many steps of `1 / bins` a number is; `None` where it lies between two.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to 0 and 1")]
pub(super) fn steps(number: f64, bins: u32) -> Option<u32> {
    if !(0.0..=1.0).contains(&number) {
        return None;
    }
    let steps = (number * f64::from(bins)).round();
    // To the last bit, as scores are held against it.
    let is_there = (steps / f64::from(bins.max(1))).to_bits() == number.to_bits();
    is_there.then_some(steps as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_place_on_the_grid_or_none() {
        assert_eq!(steps(0.35, 20), Some(7));
        assert_eq!(steps(0.55, 20), Some(11));
        assert_eq!(steps(0.5, 1000), Some(500));
        assert_eq!((steps(0.33, 20), steps(1.2, 20), steps(f64::NAN, 20)), (None, None, None));
    }
}
