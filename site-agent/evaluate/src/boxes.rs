//! Boxes that a model gives, to findings in the image's own pixels.

use fedval_ingest::findings::Place;
use fedval_ingest::{ImageFrame, PredictedFinding};
use fedval_preprocess::{Placement, Size};
use fedval_study::protocol::{BoxOutput, ClassScope, DetectionPlan, ModelInput};

use crate::suppression::{self, Candidate};

/// Left, upper, right and lower edge in pixels of the image, and the score, as the bits of an f64 each.
pub(crate) type KeptBox = [u64; 5];

/// The findings of one case that stay where boxes overlap, from the highest score down and as many as the protocol
/// counts; of equals those that stand first, or those that suppression puts first. `None` where one lies beside the
/// frame that the model saw, has its edges in the wrong order or a score that is none: then nothing else of that output
/// is believed.
pub(crate) fn findings(
    values: &[f32],
    form: BoxOutput,
    plan: &DetectionPlan,
    frame: &ImageFrame,
    input: &ModelInput,
) -> Option<Vec<KeptBox>> {
    let size = Size::new(frame.height, frame.width).ok()?;
    let placement = Placement::of(size, input).ok()?;
    let mut found = Vec::new();
    for row in values.chunks_exact(form.columns()) {
        if let Row::Box(candidate) = read(row, form, placement.frame_sides())? {
            found.push(candidate);
        }
    }
    if let Some(rule) = form.non_maximum_suppression {
        found = suppression::kept(found, rule);
    }
    found.retain(|candidate| is_of_class(candidate.class, form));
    found.sort_by(|one, other| other.score.total_cmp(&one.score));
    found.truncate(usize::try_from(plan.most_candidates).unwrap_or(usize::MAX));
    Some(found.iter().map(|of| in_image(of, &placement).map(f64::to_bits)).collect())
}

/// The box in the image's pixels, with its score.
fn in_image(candidate: &Candidate, placement: &Placement) -> [f64; 5] {
    let [x0, y0, x1, y1] = candidate.edges;
    let ([x0, y0], [x1, y1]) = (placement.point([x0, y0]), placement.point([x1, y1]));
    [x0, y0, x1, y1, candidate.score]
}

/// Whether a box of this class is a finding.
fn is_of_class(own: f64, form: BoxOutput) -> bool {
    form.class.is_none_or(|class| (own - f64::from(class)).abs() < 0.5)
}

/// Whether boxes of classes that are no findings are looked at: only where they can suppress one that is.
fn others_count(form: BoxOutput) -> bool {
    form.non_maximum_suppression.is_some_and(|rule| rule.classes == ClassScope::Together)
}

/// What a row of the output is.
enum Row {
    /// A box in pixels of the frame.
    Box(Candidate),
    /// Of a class that nobody asks about, or none at all.
    LeftOut,
}

/// Reads a row; `None` of one that cannot be.
fn read(row: &[f32], form: BoxOutput, [width, height]: [f64; 2]) -> Option<Row> {
    let [x0, y0, x1, y1, score, rest @ ..] = row else { return None };
    // Scores fall into bins whose edges are decimals: what is written as 0.7 lies at 0.7, not beside it.
    let score: f64 = score.to_string().parse().ok()?;
    let [x0, y0, x1, y1] = [*x0, *y0, *x1, *y1].map(widened);
    let class = match (form.class, rest) {
        (None, []) => 0.0,
        (Some(_), [own]) => widened(*own),
        _ => return None,
    };
    // Lists of a fixed length are filled up with rows of score 0.
    if score == 0.0 || !(is_of_class(class, form) || others_count(form)) {
        return Some(Row::LeftOut);
    }
    let is_inside =
        (0.0..=x1).contains(&x0) && x1 <= width && (0.0..=y1).contains(&y0) && y1 <= height;
    if !is_inside || !(0.0..=1.0).contains(&score) {
        return None;
    }
    Some(Row::Box(Candidate { edges: [x0, y0, x1, y1], score, class }))
}

/// -0 becomes 0: which of the two an engine writes would decide between boxes of equal scores.
fn widened(number: f32) -> f64 {
    f64::from(number) + 0.0
}

/// The same as findings that are matched.
pub(crate) fn predicted(kept: &[KeptBox]) -> Vec<PredictedFinding> {
    let finding = |of: &KeptBox| {
        let [x0, y0, x1, y1, score] = of.map(f64::from_bits);
        PredictedFinding { place: Place::Box([x0, y0, x1, y1]), score }
    };
    kept.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::{
        DetectionPoint, FrameChoice, Layout, Matching, Monochrome1, Resize, Suppression,
        ValueScaling,
    };

    use super::*;

    const FRAME: ImageFrame = ImageFrame { height: 40, width: 20, place: None, slices: None };

    fn input() -> ModelInput {
        ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 10,
            width: 10,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.0,
            standard_deviation: 1.0,
            resize: Resize::Bilinear,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Only,
            volume: None,
        }
    }

    fn of(values: &[f32], class: Option<u32>, most_candidates: u32) -> Option<Vec<[f64; 5]>> {
        let all = BoxOutput { class, non_maximum_suppression: None };
        of_form(values, all, most_candidates)
    }

    fn of_form(values: &[f32], form: BoxOutput, most_candidates: u32) -> Option<Vec<[f64; 5]>> {
        let plan = DetectionPlan {
            bins: 10,
            matching: Matching::Iou(500),
            most_candidates,
            most_lesions: 3,
            point: DetectionPoint { edge: 5, name: "call".parse().unwrap() },
        };
        let found = findings(values, form, &plan, &FRAME, &input())?;
        Some(found.into_iter().map(|of| of.map(f64::from_bits)).collect())
    }

    #[test]
    fn boxes_come_back_to_the_images_pixels_from_the_highest_score_down() {
        let rows = [
            [1.0, 2.0, 3.0, 4.0, 0.25],
            // What a list was filled up with.
            [0.0, 0.0, 0.0, 0.0, 0.0],
            [0.0, 0.0, 10.0, 10.0, 0.75],
        ];
        let found = of(rows.as_flattened(), None, 9).unwrap();
        assert_eq!(found, [[0.0, 0.0, 20.0, 40.0, 0.75], [2.0, 8.0, 6.0, 16.0, 0.25]]);
        assert_eq!(of(rows.as_flattened(), None, 1).unwrap().len(), 1);
        assert_eq!(of(&[], None, 9).unwrap().len(), 0);
    }

    #[test]
    fn a_score_is_the_decimal_that_it_is_written_as() {
        // At the edge of a bin of twenty; the number of 32 bits that is nearest to it lies below.
        let found = of(&[1.0, 1.0, 2.0, 2.0, 0.7], None, 9).unwrap();
        assert_eq!(found[0][4].to_bits(), 0.7_f64.to_bits());
        assert!(f64::from(0.7_f32) < 14.0 / 20.0);
        for tenths in 1_u8..10 {
            let score = f32::from(tenths) / 10.0;
            let found = of(&[1.0, 1.0, 2.0, 2.0, score], None, 9).unwrap();
            assert_eq!(found[0][4].to_bits(), (f64::from(tenths) / 10.0).to_bits(), "{tenths}");
        }
        let below = of(&[1.0, 1.0, 2.0, 2.0, 0.7_f32.next_down()], None, 9).unwrap();
        assert!(below[0][4] < 0.7);
        // The least number that there is is a score, too.
        assert!(of(&[1.0, 1.0, 2.0, 2.0, f32::from_bits(1)], None, 9).unwrap()[0][4] > 0.0);
    }

    #[test]
    fn only_boxes_of_the_class_are_findings() {
        let rows = [[1.0, 1.0, 2.0, 2.0, 0.5, 0.0], [1.0, 1.0, 3.0, 3.0, 0.5, 1.0]];
        assert_eq!(of(rows.as_flattened(), Some(1), 9).unwrap(), [[2.0, 4.0, 6.0, 12.0, 0.5]]);
        assert_eq!(of(rows.as_flattened(), Some(2), 9).unwrap().len(), 0);
    }

    #[test]
    fn overlapping_boxes_are_suppressed_within_a_class_or_across_all() {
        let rows = [
            [1.0, 1.0, 5.0, 5.0, 0.5, 1.0],
            // The same place with a better score, of another class.
            [1.0, 1.0, 5.0, 5.0, 0.9, 0.0],
            // Three quarters of the first, and of its class.
            [1.0, 1.0, 5.0, 4.0, 0.4, 1.0],
            [6.0, 6.0, 8.0, 8.0, 0.3, 1.0],
        ];
        let of_rule = |classes, most: u32| {
            let rule = Suppression { candidates: 1000, classes, iou: 500 };
            let form = BoxOutput { class: Some(1), non_maximum_suppression: Some(rule) };
            let found = of_form(rows.as_flattened(), form, most).unwrap();
            found.into_iter().map(|of| of[4]).collect::<Vec<f64>>()
        };
        assert_eq!(of(rows.as_flattened(), Some(1), 9).unwrap().len(), 3);
        assert_eq!(of_rule(ClassScope::Apart, 9), [0.5, 0.3]);
        assert_eq!(of_rule(ClassScope::Together, 9), [0.3]);
        // What suppresses is no finding, and does not take the place of one.
        assert_eq!(of_rule(ClassScope::Together, 1), [0.3]);
    }

    #[test]
    fn zero_is_the_same_with_either_sign() {
        // At one place, with one score: the smaller one stays, whichever zero stands before it.
        let large = [0.0, 0.0, 5.0, 5.0, 0.5, 0.0];
        let small = [0.0, 0.0, 5.0, 4.0, 0.5, 0.0];
        let rule = Suppression { candidates: 9, classes: ClassScope::Together, iou: 500 };
        let form = BoxOutput { class: Some(0), non_maximum_suppression: Some(rule) };
        let bits = |rows: [[f32; 6]; 2]| {
            let found = of_form(rows.as_flattened(), form, 9).unwrap();
            found.into_iter().map(|of| of.map(f64::to_bits)).collect::<Vec<_>>()
        };
        let expected = [[0.0, 0.0, 10.0, 16.0, 0.5].map(f64::to_bits)];
        assert_eq!(bits([large, small]), expected);
        for place in [0, 1, 5] {
            let (mut signed_large, mut signed_small) = (large, small);
            signed_large[place] = -0.0;
            signed_small[place] = -0.0;
            for rows in [[signed_large, small], [large, signed_small], [signed_large, signed_small]]
            {
                assert_eq!(bits(rows), expected, "{place}");
            }
        }
    }

    #[test]
    fn a_box_of_a_class_that_suppresses_must_be_one() {
        let rows = [[1.0, 1.0, 2.0, 2.0, 0.5, 1.0], [3.0, 1.0, 2.0, 2.0, 0.5, 0.0]];
        let form = |classes| BoxOutput {
            class: Some(1),
            non_maximum_suppression: Some(Suppression { candidates: 9, classes, iou: 500 }),
        };
        assert!(of_form(rows.as_flattened(), form(ClassScope::Apart), 9).is_some());
        assert!(of_form(rows.as_flattened(), form(ClassScope::Together), 9).is_none());
        // A class that is no number belongs to none.
        let odd = [1.0, 1.0, 2.0, 2.0, 0.5, f32::NAN];
        assert_eq!(of_form(&odd, form(ClassScope::Apart), 9), Some(Vec::new()));
    }

    #[test]
    fn one_box_that_cannot_be_fails_the_case() {
        let good = [1.0, 1.0, 2.0, 2.0, 0.5];
        for bad in [
            [-0.1, 1.0, 2.0, 2.0, 0.5],
            [1.0, 1.0, 10.1, 2.0, 0.5],
            [1.0, 1.0, 2.0, 10.1, 0.5],
            [3.0, 1.0, 2.0, 2.0, 0.5],
            [1.0, 3.0, 2.0, 2.0, 0.5],
            [1.0, 1.0, 2.0, 2.0, 1.1],
            [1.0, 1.0, 2.0, 2.0, -0.1],
            [1.0, f32::NAN, 2.0, 2.0, 0.5],
            [1.0, 1.0, 2.0, 2.0, f32::NAN],
        ] {
            assert!(of([good, bad].as_flattened(), None, 9).is_none(), "{bad:?}");
        }
    }
}
