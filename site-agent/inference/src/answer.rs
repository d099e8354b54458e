//! What a model gives of one case, and what its protocol lets it give.

use std::fmt;
use std::ops::Range;

use fedval_study::protocol::{ModelInput, ModelOutput, ModelSpecification, OutputForm, ScoreScale};

use crate::inspection::shape_of;

/// Values of an output, one of which is the score, or that hold boxes: far more than any classifier tells apart, and
/// than any detector finds.
pub(crate) const MOST_VALUES: usize = 1 << 16;

/// What a model gave of one case.
#[derive(Clone, PartialEq)]
pub enum ModelAnswer {
    /// One score for each class or condition, or a single one, on the protocol's scale and not rounded.
    Scores(Vec<f64>),
    /// Every number of the output: of a mask exactly as many as the protocol says, of boxes whole rows.
    Tensor(Vec<f32>),
}

impl fmt::Debug for ModelAnswer {
    /// Names the type only: what was seen in a patient's image does not belong into logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ModelAnswer(..)")
    }
}

/// What is read of the output of a model's graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The numbers at these places, of an output of any shape.
    Scores(Range<usize>),
    /// All numbers, of an output of exactly this shape.
    Mask(Vec<usize>),
    /// All numbers, of a table with so many columns.
    Boxes(usize),
}

impl Wanted {
    pub(crate) fn of(specification: &ModelSpecification) -> Self {
        let (input, output) = (&specification.input, &specification.output);
        match output.form {
            OutputForm::Scores => {
                let first = output.positive_index as usize;
                Self::Scores(first..first.saturating_add(output.values as usize))
            }
            OutputForm::Mask(mask) => {
                Self::Mask(shape_of(&ModelInput { channels: mask.channels, ..input.clone() }))
            }
            OutputForm::Boxes(boxes) => Self::Boxes(boxes.columns()),
        }
    }

    /// Most values that the output may have.
    pub(crate) fn most_values(&self) -> usize {
        match self {
            Self::Scores(_) | Self::Boxes(_) => MOST_VALUES,
            Self::Mask(shape) => product(shape),
        }
    }

    /// Whether an output of these sizes is the protocol's; one that is `None` is known at run time only, and held
    /// against it there.
    pub(crate) fn admits(&self, sizes: &[Option<usize>]) -> bool {
        let is = |size: &Option<usize>, wanted: usize| size.is_none_or(|size| size == wanted);
        let known: Option<Vec<usize>> = sizes.iter().copied().collect();
        let values = known.map(|sizes| product(&sizes));
        match self {
            Self::Scores(places) => {
                values.is_none_or(|values| places.end <= values && values <= MOST_VALUES)
            }
            Self::Mask(shape) => {
                sizes.len() == shape.len()
                    && sizes.iter().zip(shape).all(|(size, wanted)| is(size, *wanted))
            }
            Self::Boxes(columns) => {
                let is_table = match sizes {
                    [_, last] => is(last, *columns),
                    [batch, _, last] => is(batch, 1) && is(last, *columns),
                    _ => false,
                };
                is_table && values.is_none_or(|values| values <= MOST_VALUES)
            }
        }
    }

    /// Whether an output of exactly these sizes is the protocol's.
    pub(crate) fn takes(&self, shape: &[usize]) -> bool {
        self.admits(&shape.iter().copied().map(Some).collect::<Vec<_>>())
    }
}

fn product(sizes: &[usize]) -> usize {
    sizes.iter().fold(1, |values, size| values.saturating_mul(*size))
}

/// A number of a mask or a box to the precision that both keep.
#[expect(
    clippy::cast_possible_truncation,
    reason = "what is too large becomes infinite, and is refused"
)]
pub(crate) const fn narrow(number: f64) -> f32 {
    number as f32
}

/// What the parent of a box, or whoever asks a server, lets pass: neither is trusted to have checked.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) wanted: Wanted,
    output: ModelOutput,
}

impl Expected {
    pub(crate) fn of(specification: &ModelSpecification) -> Self {
        Self { wanted: Wanted::of(specification), output: specification.output.clone() }
    }

    /// Whether a case can have this answer.
    pub(crate) fn holds(&self, answer: &ModelAnswer) -> bool {
        match (&self.wanted, answer) {
            (Wanted::Scores(places), ModelAnswer::Scores(scores)) => {
                scores.len() == places.len() && self.output.holds(scores)
            }
            (Wanted::Mask(shape), ModelAnswer::Tensor(values)) => {
                let on_scale = |value: &f32| match self.output.scale {
                    ScoreScale::Probability => (0.0..=1.0).contains(value),
                    ScoreScale::Logit | ScoreScale::Value => value.is_finite(),
                };
                values.len() == product(shape) && values.iter().all(on_scale)
            }
            (Wanted::Boxes(columns), ModelAnswer::Tensor(values)) => {
                values.len().is_multiple_of(*columns)
                    && values.len() <= MOST_VALUES
                    && values.iter().all(|value| value.is_finite())
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(wanted: Wanted, scale: ScoreScale) -> Expected {
        let output = ModelOutput {
            name: "output".to_owned(),
            scale,
            positive_index: 0,
            values: 1,
            separate: false,
            form: OutputForm::Scores,
        };
        Expected { wanted, output }
    }

    #[test]
    fn a_mask_has_the_protocols_shape_and_no_other() {
        let wanted = Wanted::Mask(vec![1, 2, 3, 4]);
        assert!(wanted.takes(&[1, 2, 3, 4]));
        for other in [&[1, 2, 4, 3][..], &[2, 2, 3, 4], &[2, 3, 4], &[1, 1, 2, 3, 4], &[24], &[]] {
            assert!(!wanted.takes(other), "{other:?}");
        }
        assert!(wanted.admits(&[None, Some(2), None, Some(4)]));
        assert!(!wanted.admits(&[None, Some(1), None, None]) && !wanted.admits(&[None; 3]));
        assert_eq!(wanted.most_values(), 24);
    }

    #[test]
    fn boxes_are_a_table_of_any_length() {
        let wanted = Wanted::Boxes(5);
        for shape in [&[0, 5][..], &[7, 5], &[1, 7, 5], &[13_107, 5]] {
            assert!(wanted.takes(shape), "{shape:?}");
        }
        for shape in [&[5][..], &[7, 6], &[2, 7, 5], &[13_108, 5], &[usize::MAX, 5], &[1, 1, 7, 5]]
        {
            assert!(!wanted.takes(shape), "{shape:?}");
        }
        assert!(wanted.admits(&[None, None, Some(5)]) && !wanted.admits(&[None, Some(4)]));
    }

    #[test]
    fn scores_stand_anywhere_in_an_output_that_is_long_enough() {
        let wanted = Wanted::Scores(1..3);
        assert!(wanted.takes(&[1, 3]) && wanted.takes(&[3, 1, 1]) && wanted.admits(&[None]));
        assert!(!wanted.takes(&[1, 2]) && !wanted.takes(&[1, MOST_VALUES + 1]));
    }

    #[test]
    fn a_number_that_is_none_or_off_the_scale_fails_the_whole_answer() {
        let mask = |scale, values: [f32; 2]| {
            expected(Wanted::Mask(vec![1, 1, 1, 2]), scale)
                .holds(&ModelAnswer::Tensor(values.to_vec()))
        };
        assert!(mask(ScoreScale::Probability, [0.0, 1.0]));
        assert!(!mask(ScoreScale::Probability, [0.0, 1.1]));
        assert!(mask(ScoreScale::Logit, [-8.0, 1e9]) && mask(ScoreScale::Value, [-8.0, 3.0]));
        for odd in [f32::NAN, f32::INFINITY] {
            assert!(!mask(ScoreScale::Probability, [0.0, odd]));
            assert!(!mask(ScoreScale::Logit, [0.0, odd]) && !mask(ScoreScale::Value, [0.0, odd]));
        }
        let boxes = |values: &[f32]| {
            expected(Wanted::Boxes(5), ScoreScale::Probability)
                .holds(&ModelAnswer::Tensor(values.to_vec()))
        };
        assert!(boxes(&[]) && boxes(&[0.0, 0.0, 9.0, 9.0, 0.5]));
        assert!(!boxes(&[0.0, 0.0, 9.0, 9.0]) && !boxes(&[0.0, 0.0, f32::NAN, 9.0, 0.5]));
        // What was asked for is answered, and nothing else.
        let scores = ModelAnswer::Scores(vec![0.5, 0.5]);
        assert!(!expected(Wanted::Mask(vec![1, 1, 1, 2]), ScoreScale::Probability).holds(&scores));
        assert!(expected(Wanted::Scores(0..2), ScoreScale::Probability).holds(&scores));
        assert!(!expected(Wanted::Scores(0..1), ScoreScale::Probability).holds(&scores));
        // Scores of several conditions need not add up.
        let both = ModelAnswer::Scores(vec![0.9, 0.8]);
        let mut separate = expected(Wanted::Scores(0..2), ScoreScale::Probability);
        assert!(!separate.holds(&both));
        separate.output.separate = true;
        assert!(separate.holds(&both));
    }
}
