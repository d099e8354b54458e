//! Findings as DICOM SR, of bytes that are put together here.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;

use dicom_file::{EXPLICIT, element_bytes, header_of, padded, sequence};
use fedval_ingest::decode::ImageFault;
use fedval_ingest::findings::{Place, Side};
use fedval_ingest::{CaseFindings, ConceptCode, ReportRequest, read_report};
use fedval_study::protocol::Matching;

const COMPREHENSIVE_3D: &str = "1.2.840.10008.5.1.4.1.1.88.34";
const BOXES: Matching = Matching::Iou(500);
const POINTS: Matching = Matching::CentreInRadius;

fn text(group: u16, element: u16, form: &str, value: &str) -> Vec<u8> {
    element_bytes(group, element, form, &padded(value), true)
}

fn code(value: &str) -> Vec<u8> {
    [text(0x0008, 0x0100, "SH", value), text(0x0008, 0x0102, "SH", "DCM")].concat()
}

fn named(value: &str) -> Vec<u8> {
    sequence(0x0040, 0xa043, &[code(value)])
}

/// A name with a code for a value.
fn coded(name: &str, value: &str) -> Vec<u8> {
    [kind("CODE"), named(name), sequence(0x0040, 0xa168, &[code(value)])].concat()
}

fn kind(value: &str) -> Vec<u8> {
    text(0x0040, 0xa040, "CS", value)
}

fn content(items: &[Vec<u8>]) -> Vec<u8> {
    sequence(0x0040, 0xa730, items)
}

/// A container of a name, with content.
fn container(name: &str, items: &[Vec<u8>]) -> Vec<u8> {
    [kind("CONTAINER"), named(name), content(items)].concat()
}

fn group(items: &[Vec<u8>]) -> Vec<u8> {
    container("125007", items)
}

fn region(of: &str, graphic: &str, numbers: &[f32], beside: &[u8]) -> Vec<u8> {
    let data: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let graphics =
        [text(0x0070, 0x0023, "CS", graphic), element_bytes(0x0070, 0x0022, "FL", &data, true)];
    [kind(of), graphics.concat(), beside.to_vec()].concat()
}

/// A region of an image.
fn flat(graphic: &str, numbers: &[f32]) -> Vec<u8> {
    region("SCOORD", graphic, numbers, &image("1.2.3"))
}

/// A region of the patient.
fn deep(graphic: &str, numbers: &[f32]) -> Vec<u8> {
    region("SCOORD3D", graphic, numbers, &text(0x3006, 0x0024, "UI", "1.2.34"))
}

/// The image that a region was selected from.
fn image(uid: &str) -> Vec<u8> {
    let of = sequence(0x0008, 0x1199, &[text(0x0008, 0x1155, "UI", uid)]);
    content(&[[kind("IMAGE"), of].concat()])
}

fn number(name: &str, value: &str, units: &str) -> Vec<u8> {
    let units = sequence(0x0040, 0x08ea, &[text(0x0008, 0x0100, "SH", units)]);
    let measured = [units, text(0x0040, 0xa30a, "DS", value)].concat();
    [kind("NUM"), named(name), sequence(0x0040, 0xa300, &[measured])].concat()
}

fn probability(value: &str) -> Vec<u8> {
    number("111047", value, "1")
}

fn report(groups: &[Vec<u8>]) -> Vec<u8> {
    let measurements = container("126010", groups);
    [header_of(COMPREHENSIVE_3D, EXPLICIT), container("126000", &[measurements])].concat()
}

fn read(side: Side, matching: Matching, bytes: &[u8]) -> Result<CaseFindings, ImageFault> {
    read_report(&ReportRequest { side, matching, score: &ConceptCode::default(), bytes })
}

fn fault(side: Side, matching: Matching, groups: &[Vec<u8>]) -> Option<ImageFault> {
    read(side, matching, &report(groups)).err()
}

#[test]
fn boxes_of_a_model_are_what_is_round_its_regions_with_their_scores() {
    let line = flat("POLYLINE", &[1.0, 5.0, 4.0, 2.0, 3.0, 9.0, 1.0, 5.0]);
    let bytes = report(&[
        group(&[line, probability("0.25")]),
        group(&[
            number("111012", "0.9", "1"),
            flat("CIRCLE", &[10.0, 20.0, 13.0, 24.0]),
            number("111047", "85", "%"),
        ]),
    ]);
    let found = read(Side::Predicted, BOXES, &bytes).unwrap();
    assert!(found.reference.is_empty());
    let seen: Vec<_> = found.predicted.iter().map(|of| (of.place, of.score)).collect();
    let [upper, lower] = [[5.0, 15.0, 15.0, 25.0], [1.0, 2.0, 4.0, 9.0]].map(Place::Box);
    assert_eq!(seen, [(upper, 0.85), (lower, 0.25)], "from the highest score down");
}

#[test]
fn points_are_the_middles_of_regions_of_the_patient() {
    let ellipse = [-3.0, 0.0, 5.0, 7.0, 0.0, 5.0, 2.0, -2.0, 5.0, 2.0, 2.0, 5.0];
    let found = read(Side::Reference, POINTS, &report(&[group(&[deep("ELLIPSE", &ellipse)])]));
    let found = found.unwrap();
    let [lesion] = &found.reference[..] else { panic!("one lesion") };
    assert_eq!(lesion.place, Place::Point([2.0, 0.0, 5.0]));
    assert!((lesion.radius_mm - 5.0).abs() < 1e-9 && !lesion.excluded);
    let point = group(&[deep("POINT", &[1.5, -2.0, 3.0]), probability("1")]);
    let found = read(Side::Predicted, POINTS, &report(std::slice::from_ref(&point))).unwrap();
    assert_eq!(found.predicted[0].place, Place::Point([1.5, -2.0, 3.0]));
    // A lesion without a size could never be found.
    assert_eq!(fault(Side::Reference, POINTS, &[point]), Some(ImageFault::ReportRegion));
}

#[test]
fn a_report_without_a_finding_says_that_there_is_none() {
    let found = read(Side::Predicted, BOXES, &report(&[])).unwrap();
    assert!(found == CaseFindings::default());
    // The ends of a diameter are no finding.
    let measured = [number("111047", "9", "mm"), content(&[flat("POLYLINE", &[1.0; 6])])].concat();
    let outline = flat("CIRCLE", &[10.0, 20.0, 13.0, 24.0]);
    let found = read(Side::Reference, BOXES, &report(&[group(&[measured, outline])])).unwrap();
    assert_eq!(found.reference.len(), 1);
}

#[test]
fn regions_that_belong_to_no_finding_are_not_a_report_without_one() {
    let line = || content(&[flat("POLYLINE", &[1.0, 5.0, 4.0, 2.0, 3.0, 9.0, 1.0, 5.0])]);
    for holder in [
        number("111047", "0.9", "1"),
        [kind("TEXT"), named("121071")].concat(),
        [kind("IMAGE"), named("121112")].concat(),
    ] {
        let groups = [container("126011", &[[holder, line()].concat()])];
        for side in [Side::Reference, Side::Predicted] {
            assert_eq!(fault(side, BOXES, &groups), Some(ImageFault::ReportRegion), "{side:?}");
        }
    }
}

#[test]
fn a_report_that_says_that_it_failed_is_not_one_without_findings() {
    let of = |status: &str| fault(Side::Predicted, BOXES, &[coded("111064", status)]);
    assert_eq!(of("111222"), None);
    for status in ["111223", "111224", "111225"] {
        assert_eq!(of(status), Some(ImageFault::ReportFailed), "{status}");
    }
    let silent = [kind("CODE"), named("111064")].concat();
    assert_eq!(fault(Side::Predicted, BOXES, &[silent]), Some(ImageFault::ReportFailed));
}

#[test]
fn a_candidate_that_the_model_shows_to_nobody_is_none() {
    let outline = || flat("CIRCLE", &[1.0, 1.0, 1.0, 3.0]);
    let finding = |intent: &str, further: &[Vec<u8>]| {
        let own = [coded("111056", intent), outline(), probability("0.5")];
        [kind("CODE"), named("111059"), content(&[&own[..], further].concat())].concat()
    };
    let count = |side, items: &[Vec<u8>]| {
        let found = read(side, BOXES, &report(items)).unwrap();
        found.predicted.len() + found.reference.len()
    };
    assert_eq!(count(Side::Predicted, &[finding("111150", &[]), finding("111151", &[])]), 2);
    assert_eq!(count(Side::Predicted, &[finding("111152", &[]), finding("111150", &[])]), 1);
    // All of them withheld: nothing was found.
    assert_eq!(count(Side::Predicted, &[finding("111152", &[])]), 0);
    let within = finding("111152", &[finding("111150", &[])]);
    assert_eq!(count(Side::Predicted, &[within]), 1);
    // What a reader drew is there, whoever is to see it.
    assert_eq!(count(Side::Reference, &[finding("111152", &[])]), 1);
}

#[test]
fn a_centre_beside_an_outline_is_no_second_region() {
    let (centre, outline) = (flat("POINT", &[1.0, 1.0]), flat("CIRCLE", &[1.0, 1.0, 1.0, 3.0]));
    let cad = [kind("CODE"), named("111059"), content(&[centre.clone(), outline.clone()])].concat();
    let found = read(Side::Reference, BOXES, &report(&[cad])).unwrap();
    assert_eq!(found.reference[0].place, Place::Box([-1.0, -1.0, 3.0, 3.0]));
    let twice = group(&[outline.clone(), outline]);
    assert_eq!(fault(Side::Reference, BOXES, &[twice]), Some(ImageFault::ReportRegion));
    let alone = group(&[centre]);
    assert_eq!(fault(Side::Reference, BOXES, &[alone]), Some(ImageFault::ReportRegion));
}

#[test]
fn a_score_stands_once_beside_its_region_and_lies_from_0_to_1() {
    let outline = || flat("CIRCLE", &[1.0, 1.0, 1.0, 3.0]);
    let of = |items: &[Vec<u8>]| fault(Side::Predicted, BOXES, &[group(items)]);
    assert_eq!(of(&[outline(), probability("0.5")]), None);
    for items in [
        vec![outline()],
        vec![outline(), number("111012", "0.5", "1")],
        vec![outline(), probability("0.5"), probability("0.5")],
        vec![outline(), probability("1.5")],
        vec![outline(), probability("-0.5")],
        vec![outline(), probability("0.5\\0.6")],
        vec![outline(), number("111047", "101", "%")],
    ] {
        assert_eq!(of(&items), Some(ImageFault::ReportScore));
    }
    for odd in ["nan", "inf", "x"] {
        assert!(of(&[outline(), probability(odd)]).is_some(), "{odd}");
    }
    let certainty = ConceptCode { value: "111012".to_owned(), scheme: "DCM".to_owned() };
    let bytes = report(&[group(&[outline(), number("111012", "50", "%")])]);
    let (side, matching) = (Side::Predicted, BOXES);
    let request = ReportRequest { side, matching, score: &certainty, bytes: &bytes };
    assert!((read_report(&request).unwrap().predicted[0].score - 0.5).abs() < 1e-12);
}

#[test]
fn places_of_two_images_or_in_another_unit_are_refused() {
    let of = |uid: &str| group(&[region("SCOORD", "CIRCLE", &[1.0, 1.0, 1.0, 3.0], &image(uid))]);
    assert_eq!(fault(Side::Reference, BOXES, &[of("1.2"), of("1.2")]), None);
    let two = fault(Side::Reference, BOXES, &[of("1.2"), of("1.3")]);
    assert_eq!(two, Some(ImageFault::ReportSpace));
    assert_eq!(fault(Side::Reference, POINTS, &[of("1.2")]), Some(ImageFault::ReportSpace));
    let patient = group(&[deep("POLYGON", &[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0])]);
    assert_eq!(fault(Side::Reference, BOXES, &[patient]), Some(ImageFault::ReportSpace));
    for odd in [f32::NAN, f32::INFINITY, 2e9] {
        let odd = group(&[flat("CIRCLE", &[1.0, odd, 1.0, 3.0])]);
        assert_eq!(fault(Side::Reference, BOXES, &[odd]), Some(ImageFault::ReportRegion));
    }
    assert_eq!(fault(Side::Reference, BOXES, &[group(&[])]), Some(ImageFault::ReportRegion));
}

#[test]
fn no_more_is_read_than_any_study_counts() {
    let outline = || flat("CIRCLE", &[1.0, 1.0, 1.0, 3.0]);
    let lesions = |count: usize| vec![group(&[outline()]); count];
    assert_eq!(fault(Side::Reference, BOXES, &lesions(256)), None);
    assert_eq!(fault(Side::Reference, BOXES, &lesions(257)), Some(ImageFault::ReportFull));
    let found = |place: usize| group(&[outline(), probability(&format!("0.{place:03}"))]);
    let many: Vec<Vec<u8>> = (0..300).map(found).collect();
    let kept = read(Side::Predicted, BOXES, &report(&many)).unwrap().predicted;
    assert_eq!(kept.len(), 100);
    assert!((kept[99].score - 0.2).abs() < 1e-12, "the hundred best");
}

#[test]
fn what_is_no_such_report_is_refused_and_damage_harms_nobody() {
    let radiograph = header_of("1.2.840.10008.5.1.4.1.1.1", EXPLICIT);
    let read = |bytes: &[u8]| read(Side::Reference, BOXES, bytes).err();
    assert_eq!(read(&radiograph), Some(ImageFault::ReportClass));
    assert_eq!(read(b"case_id,x,y\n"), Some(ImageFault::ReportClass));
    let deep = (0..40).fold(Vec::new(), |inner, _| container("126010", &[inner]));
    let bytes = [header_of(COMPREHENSIVE_3D, EXPLICIT), deep].concat();
    assert_eq!(read(&bytes), Some(ImageFault::Corrupt));
    let whole = report(&[group(&[flat("CIRCLE", &[1.0, 1.0, 1.0, 3.0])])]);
    for end in (132..whole.len()).step_by(3) {
        let _ = read(&whole[..end]);
    }
}
