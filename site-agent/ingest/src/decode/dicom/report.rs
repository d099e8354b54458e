//! DICOM SR: regions in a tree of content, each with its score beside it (PS3.3 C.17.3, C.18.6 and C.18.9; PS3.16 TID
//! 1410, 1411, 4000, 4006 and 4100).

use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};
use fedval_study::protocol::{MOST_CANDIDATES, Matching};

use super::nested::Item;
use super::part10::{Form, Part10};
use crate::decode::fault::ImageFault;
use crate::decode::report::{MAX_REPORT_REFERENCES, ReportRequest};
use crate::findings::{CaseFindings, Place, PredictedFinding, ReferenceFinding, Side};

/// What is read of a report.
const WANTED: [Tag; 16] = [
    tags::CONTENT_SEQUENCE,
    tags::VALUE_TYPE,
    tags::CONCEPT_NAME_CODE_SEQUENCE,
    tags::CONCEPT_CODE_SEQUENCE,
    tags::CODE_VALUE,
    tags::CODING_SCHEME_DESIGNATOR,
    tags::MEASURED_VALUE_SEQUENCE,
    tags::NUMERIC_VALUE,
    tags::MEASUREMENT_UNITS_CODE_SEQUENCE,
    tags::GRAPHIC_TYPE,
    tags::GRAPHIC_DATA,
    tags::REFERENCED_FRAME_OF_REFERENCE_UID,
    tags::REFERENCED_SOP_SEQUENCE,
    tags::REFERENCED_SOP_INSTANCE_UID,
    tags::REFERENCED_FRAME_NUMBER,
    tags::REFERENCED_CONTENT_ITEM_IDENTIFIER,
];

/// Reports whose content may hold regions.
const CLASSES: [&str; 6] = [
    uids::ENHANCED_SR_STORAGE,
    uids::COMPREHENSIVE_SR_STORAGE,
    uids::COMPREHENSIVE3_DSR_STORAGE,
    uids::EXTENSIBLE_SR_STORAGE,
    uids::MAMMOGRAPHY_CADSR_STORAGE,
    uids::CHEST_CADSR_STORAGE,
];

/// "Measurement Group", whose regions are findings.
const MEASUREMENT_GROUP: (&str, &str) = ("125007", "DCM");

/// "Summary of Detections" of a CAD SR, and "Succeeded": with any other value there may be more to find than is told.
const DETECTIONS: (&str, &str) = ("111064", "DCM");
const SUCCEEDED: (&str, &str) = ("111222", "DCM");

/// "Rendering Intent" of a CAD SR's finding, and "Not for Presentation": the model shows it to nobody.
const RENDERING: (&str, &str) = ("111056", "DCM");
const WITHHELD: (&str, &str) = ("111152", "DCM");

/// Percent, in the Unified Code for Units of Measure.
const PERCENT: &str = "%";

/// No body is so large, in whatever unit.
const MOST: f64 = 1e9;

/// Reads the findings of one side: every container and every code that has regions among its own content. A report that
/// holds regions elsewhere alone is not one without findings.
pub(in crate::decode) fn read(request: &ReportRequest<'_>) -> Result<CaseFindings, ImageFault> {
    let file = Part10::read(request.bytes)?;
    if !CLASSES.contains(&file.sop_class.as_str()) {
        return Err(ImageFault::ReportClass);
    }
    let root = Item::read(&file, &WANTED)?;
    let is_big_endian = file.form == Form::ExplicitBig;
    let found = CaseFindings::default();
    let mut reading = Reading { request, is_big_endian, space: None, has_region: false, found };
    reading.content(&root)?;
    let mut found = reading.found;
    if reading.has_region && found == CaseFindings::default() {
        return Err(ImageFault::ReportRegion);
    }
    // Findings beyond the most that any study counts would be left out anyway.
    found.predicted.sort_by(|one, other| other.score.total_cmp(&one.score));
    found.predicted.truncate(MOST_CANDIDATES as usize);
    Ok(found)
}

struct Reading<'r> {
    request: &'r ReportRequest<'r>,
    is_big_endian: bool,
    /// The image, or the frame of reference, that all regions lie in.
    space: Option<Vec<u8>>,
    /// Whether there is a region anywhere, of a finding or not.
    has_region: bool,
    found: CaseFindings,
}

impl Reading<'_> {
    /// Looks through an item and what is below it, which is as deep as the data set was read.
    fn content(&mut self, item: &Item<'_>) -> Result<(), ImageFault> {
        let children = item.items(tags::CONTENT_SEQUENCE);
        if is_named(item, DETECTIONS) && !has_value(item, SUCCEEDED) {
            return Err(ImageFault::ReportFailed);
        }
        if self.request.side == Side::Predicted && children.iter().any(is_withheld) {
            // Findings below have an intent of their own.
            let mut below = children.iter().filter(|child| may_be_finding(child));
            return below.try_for_each(|child| self.content(child));
        }
        self.has_region |= is_region(item);
        // A region below a number is what was measured there, such as the ends of a diameter.
        if may_be_finding(item) {
            let regions: Vec<&Item<'_>> =
                children.iter().filter(|child| is_region(child)).collect();
            if !regions.is_empty() {
                self.finding(&regions, children)?;
            } else if is_named(item, MEASUREMENT_GROUP) {
                return Err(ImageFault::ReportRegion);
            }
        }
        children.iter().try_for_each(|child| self.content(child))
    }

    /// Takes a finding: its region, and of the model's its score. A point beside an outline is its centre.
    fn finding(&mut self, regions: &[&Item<'_>], children: &[Item<'_>]) -> Result<(), ImageFault> {
        let is_point = |region: &&&Item<'_>| region.text(tags::GRAPHIC_TYPE) == Some("POINT");
        let (points, outlines): (Vec<&&Item<'_>>, Vec<&&Item<'_>>) =
            regions.iter().partition(is_point);
        let region = match (&outlines[..], &points[..]) {
            ([outline], _) => outline,
            ([], [point]) => point,
            _ => return Err(ImageFault::ReportRegion),
        };
        self.check_space(region)?;
        let (place, radius_mm) = self.place(region)?;
        match self.request.side {
            Side::Reference => {
                if self.found.reference.len() == MAX_REPORT_REFERENCES {
                    return Err(ImageFault::ReportFull);
                }
                let finding = ReferenceFinding { place, radius_mm, excluded: false };
                self.found.reference.push(finding);
            }
            Side::Predicted => {
                let score = self.score(children)?;
                self.found.predicted.push(PredictedFinding { place, score });
            }
        }
        Ok(())
    }

    /// Places of two images, or of two frames of reference, cannot be held against each other.
    fn check_space(&mut self, region: &Item<'_>) -> Result<(), ImageFault> {
        let mut space: Vec<u8> = Vec::new();
        space.extend(region.bytes(tags::REFERENCED_FRAME_OF_REFERENCE_UID).unwrap_or_default());
        for child in region.items(tags::CONTENT_SEQUENCE) {
            // An image may stand elsewhere in the tree, and be named by its place there.
            let place = child.bytes(tags::REFERENCED_CONTENT_ITEM_IDENTIFIER);
            space.extend(place.unwrap_or_default());
            for image in child.items(tags::REFERENCED_SOP_SEQUENCE) {
                space.extend(image.bytes(tags::REFERENCED_SOP_INSTANCE_UID).unwrap_or_default());
                space.push(0);
                space.extend(image.bytes(tags::REFERENCED_FRAME_NUMBER).unwrap_or_default());
            }
        }
        if self.space.as_ref().is_some_and(|known| *known != space) {
            return Err(ImageFault::ReportSpace);
        }
        self.space = Some(space);
        Ok(())
    }

    /// Where a region is: of points in millimetres of the patient, with the radius of the ball that holds it; of boxes
    /// in pixels of the image.
    fn place(&self, region: &Item<'_>) -> Result<(Place, f64), ImageFault> {
        let kind = region.text(tags::GRAPHIC_TYPE).unwrap_or_default();
        let numbers = self.numbers(region)?;
        let is_in_patient = region.text(tags::VALUE_TYPE) == Some("SCOORD3D");
        match (self.request.matching, is_in_patient) {
            (Matching::CentreInRadius, true) => {
                let (points, rest) = numbers.as_chunks::<3>();
                let ball = ball(kind, points).filter(|_| rest.is_empty());
                let (centre, radius) = ball.ok_or(ImageFault::ReportRegion)?;
                let has_size = radius > 0.0 || self.request.side == Side::Predicted;
                let found = has_size.then_some((Place::Point(centre), radius));
                found.ok_or(ImageFault::ReportRegion)
            }
            (Matching::Iou(_), false) => {
                let (points, rest) = numbers.as_chunks::<2>();
                let edges = edges(kind, points).filter(|_| rest.is_empty());
                edges.map(|edges| (Place::Box(edges), 0.0)).ok_or(ImageFault::ReportRegion)
            }
            // Pixels have no millimetres, and a place in the patient no pixel.
            _ => Err(ImageFault::ReportSpace),
        }
    }

    fn numbers(&self, region: &Item<'_>) -> Result<Vec<f64>, ImageFault> {
        let bytes = region.bytes(tags::GRAPHIC_DATA).ok_or(ImageFault::ReportRegion)?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        let number = |bytes: &[u8; 4]| {
            let read = if self.is_big_endian { f32::from_be_bytes } else { f32::from_le_bytes };
            f64::from(read(*bytes))
        };
        let numbers: Vec<f64> = numbers.iter().map(number).collect();
        // What is no number is not within anything.
        let are_places = rest.is_empty() && numbers.iter().all(|number| number.abs() <= MOST);
        if are_places { Ok(numbers) } else { Err(ImageFault::ReportRegion) }
    }

    /// The one number of the concept that the site says holds the score, from 0 to 1 or in percent.
    fn score(&self, children: &[Item<'_>]) -> Result<f64, ImageFault> {
        let wanted = (self.request.score.value.as_str(), self.request.score.scheme.as_str());
        let mut scores = children
            .iter()
            .filter(|child| child.text(tags::VALUE_TYPE) == Some("NUM") && is_named(child, wanted));
        let (Some(score), None) = (scores.next(), scores.next()) else {
            return Err(ImageFault::ReportScore);
        };
        let [measured] = score.items(tags::MEASURED_VALUE_SEQUENCE) else {
            return Err(ImageFault::ReportScore);
        };
        let [number] = measured.decimals(tags::NUMERIC_VALUE)?[..] else {
            return Err(ImageFault::ReportScore);
        };
        let units = measured.items(tags::MEASUREMENT_UNITS_CODE_SEQUENCE).first();
        let is_percent = units.and_then(|units| units.text(tags::CODE_VALUE)) == Some(PERCENT);
        let score = if is_percent { number / 100.0 } else { number };
        if (0.0..=1.0).contains(&score) { Ok(score) } else { Err(ImageFault::ReportScore) }
    }
}

fn may_be_finding(item: &Item<'_>) -> bool {
    matches!(item.text(tags::VALUE_TYPE), Some("CONTAINER" | "CODE"))
}

fn is_region(item: &Item<'_>) -> bool {
    matches!(item.text(tags::VALUE_TYPE), Some("SCOORD" | "SCOORD3D"))
}

/// Whether an item says of the finding above it that nobody is to see it.
fn is_withheld(item: &Item<'_>) -> bool {
    is_named(item, RENDERING) && has_value(item, WITHHELD)
}

/// Whether an item is called so.
fn is_named(item: &Item<'_>, concept: (&str, &str)) -> bool {
    is_code(item, tags::CONCEPT_NAME_CODE_SEQUENCE, concept)
}

/// Whether an item's value is this code.
fn has_value(item: &Item<'_>, concept: (&str, &str)) -> bool {
    is_code(item, tags::CONCEPT_CODE_SEQUENCE, concept)
}

fn is_code(item: &Item<'_>, sequence: Tag, (value, scheme): (&str, &str)) -> bool {
    item.items(sequence).first().is_some_and(|code| {
        code.text(tags::CODE_VALUE) == Some(value)
            && code.text(tags::CODING_SCHEME_DESIGNATOR) == Some(scheme)
    })
}

/// The middle of a region of the patient and how far its furthest corner is from there; `None` of what is no region.
fn ball(kind: &str, points: &[[f64; 3]]) -> Option<([f64; 3], f64)> {
    let is_region = match (kind, points.len()) {
        ("POINT", 1) | ("ELLIPSE", 4) | ("ELLIPSOID", 6) => true,
        ("POLYGON" | "POLYLINE", corners) => corners > 2,
        _ => false,
    };
    let of = |axis: usize| points.iter().map(move |point| point[axis]);
    let middle = [0, 1, 2].map(|axis| {
        let least = of(axis).fold(f64::INFINITY, f64::min);
        let most = of(axis).fold(f64::NEG_INFINITY, f64::max);
        least.midpoint(most)
    });
    let distance = |point: &[f64; 3]| {
        let squares = (0..3).map(|axis| (point[axis] - middle[axis]).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let radius = points.iter().map(distance).fold(0.0, f64::max);
    is_region.then_some((middle, radius))
}

/// The box round a region of an image: left, upper, right and lower edge; `None` of what has no extent.
fn edges(kind: &str, points: &[[f64; 2]]) -> Option<[f64; 4]> {
    let round = |[x, y]: [f64; 2], [dx, dy]: [f64; 2]| [x - dx, y - dy, x + dx, y + dy];
    match (kind, points) {
        ("CIRCLE", [centre, edge]) => {
            let radius = (centre[0] - edge[0]).hypot(centre[1] - edge[1]);
            Some(round(*centre, [radius; 2]))
        }
        ("ELLIPSE", [one, other, upper, lower]) => {
            let middle = [0, 1].map(|axis| one[axis].midpoint(other[axis]));
            let half = [0, 1].map(|axis| {
                let (along, across) = (one[axis] - other[axis], upper[axis] - lower[axis]);
                along.hypot(across) / 2.0
            });
            Some(round(middle, half))
        }
        ("POLYLINE", [_, _, _, ..]) => {
            let of = |axis: usize| points.iter().map(move |point| point[axis]);
            let least = |axis| of(axis).fold(f64::INFINITY, f64::min);
            let most = |axis| of(axis).fold(f64::NEG_INFINITY, f64::max);
            Some([least(0), least(1), most(0), most(1)])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_of_an_image_has_the_box_that_just_holds_it() {
        assert_eq!(edges("CIRCLE", &[[10.0, 20.0], [13.0, 24.0]]), Some([5.0, 15.0, 15.0, 25.0]));
        // Half axes of 4 and 3, turned by a right angle and by none.
        let upright = [[10.0, 6.0], [10.0, 14.0], [7.0, 10.0], [13.0, 10.0]];
        assert_eq!(edges("ELLIPSE", &upright), Some([7.0, 6.0, 13.0, 14.0]));
        // A circle by two axes that lie askew.
        let askew = [[7.0, 6.0], [13.0, 14.0], [6.0, 13.0], [14.0, 7.0]];
        assert_eq!(edges("ELLIPSE", &askew), Some([5.0, 5.0, 15.0, 15.0]));
        let line = [[1.0, 5.0], [4.0, 2.0], [3.0, 9.0], [1.0, 5.0]];
        assert_eq!(edges("POLYLINE", &line), Some([1.0, 2.0, 4.0, 9.0]));
        for kind in ["POINT", "MULTIPOINT", "CIRCLE", ""] {
            assert_eq!(edges(kind, &[[1.0, 1.0]]), None, "{kind}");
        }
    }

    #[test]
    fn a_region_of_the_patient_has_the_ball_that_holds_it() {
        assert_eq!(ball("POINT", &[[1.0, 2.0, 3.0]]), Some(([1.0, 2.0, 3.0], 0.0)));
        let ellipse = [[-3.0, 0.0, 5.0], [7.0, 0.0, 5.0], [2.0, -2.0, 5.0], [2.0, 2.0, 5.0]];
        assert_eq!(ball("ELLIPSE", &ellipse), Some(([2.0, 0.0, 5.0], 5.0)));
        assert_eq!(ball("POLYGON", &ellipse[..2]), None);
        assert_eq!(ball("MULTIPOINT", &ellipse), None);
    }
}
