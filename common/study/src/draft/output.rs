//! From the author's TOML to what is read of the model's output.

use super::detection::steps;
use super::reader::Fields;
use crate::protocol::{
    BoxOutput, ClassScope, MaskOutput, MaskRule, ModelOutput, OutputForm, ScoreScale, Suppression,
    Task,
};

/// A number to its millionths.
const MICRO: f64 = 1e6;

/// Boxes of an image that are held against each other, where the author says nothing.
const USUAL_OVERLAPPING: u32 = 1000;

/// The table `model.output`.
pub(super) fn output_of(output: Option<&Fields<'_, '_, '_>>, task: &Task) -> ModelOutput {
    let scales = [
        ("probability", ScoreScale::Probability),
        ("logit", ScoreScale::Logit),
        ("value", ScoreScale::Value),
    ];
    let scale = |o: &Fields<'_, '_, '_>| {
        // A quantity has no other scale.
        if task.is_of_measures() {
            o.word_or("scale", &scales, ScoreScale::Value)
        } else {
            o.word("scale", &scales)
        }
    };
    ModelOutput {
        name: output.and_then(|o| o.text("name", "name the graph's output")).unwrap_or_default(),
        scale: output.and_then(scale).unwrap_or(if task.is_of_measures() {
            ScoreScale::Value
        } else {
            ScoreScale::Probability
        }),
        positive_index: output.and_then(|o| o.count_or("positive_index", 0)).unwrap_or(0),
        values: u32::try_from(task.scores()).unwrap_or(u32::MAX),
        separate: matches!(task, Task::MultiLabel(_)),
        form: output.and_then(form_of).unwrap_or_default(),
    }
}

fn form_of(output: &Fields<'_, '_, '_>) -> Option<OutputForm> {
    #[derive(Clone, Copy)]
    enum Kind {
        Scores,
        Mask,
        Boxes,
    }
    let kinds = [("scores", Kind::Scores), ("mask", Kind::Mask), ("boxes", Kind::Boxes)];
    Some(match output.word_or("form", &kinds, Kind::Scores)? {
        Kind::Scores => OutputForm::Scores,
        Kind::Mask => OutputForm::Mask(MaskOutput {
            channels: output.count_or("channels", 1)?,
            rule: rule_of(output)?,
        }),
        Kind::Boxes => {
            let class = output.has("class").then(|| output.count("class", "give a class's number"));
            let key = "non_maximum_suppression";
            let suppression = output.has(key).then(|| suppression_of(output, key));
            OutputForm::Boxes(BoxOutput {
                class: class.flatten(),
                non_maximum_suppression: suppression.flatten(),
            })
        }
    })
}

fn suppression_of(output: &Fields<'_, '_, '_>, key: &str) -> Option<Suppression> {
    let table = output.table(key, "write { iou = 0.5 }")?;
    let classes = [("apart", ClassScope::Apart), ("together", ClassScope::Together)];
    let iou =
        table.number("iou", "give the largest overlap of two boxes that both stay, such as 0.5");
    let candidates = table.count_or("candidates", USUAL_OVERLAPPING);
    let classes = table.word_or("classes", &classes, ClassScope::Apart);
    // What is no share of thousandths breaks a rule.
    let iou = steps(iou?, 1000).unwrap_or(u32::MAX);
    Some(Suppression { candidates: candidates?, classes: classes?, iou })
}

fn rule_of(output: &Fields<'_, '_, '_>) -> Option<MaskRule> {
    #[derive(Clone, Copy)]
    enum Kind {
        Threshold,
        Highest,
    }
    let kinds = [("threshold", Kind::Threshold), ("highest", Kind::Highest)];
    Some(match output.word("rule", &kinds)? {
        Kind::Threshold => {
            let least = output.number("threshold", "give a probability, such as 0.5")?;
            MaskRule::Threshold(micro(least))
        }
        Kind::Highest => MaskRule::Highest,
    })
}

/// To whole millionths; what is no probability becomes more than any rule allows.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held to 0 and 1")]
fn micro(probability: f64) -> u32 {
    if (0.0..=1.0).contains(&probability) { (probability * MICRO).round() as u32 } else { u32::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_kept_in_millionths() {
        assert_eq!([0.5, 0.3, 1.0, 0.0].map(micro), [500_000, 300_000, 1_000_000, 0]);
        assert_eq!([-0.1, 1.1, f64::NAN].map(micro), [u32::MAX; 3]);
    }
}
