//! What a model gives where it is no score: a mask for a task of masks, boxes for a task of findings.

use super::Breaches;
use crate::protocol::{
    BoxOutput, ClassScope, MOST_MASK_CHANNELS, MOST_MASK_VALUES, MOST_OVERLAPPING,
    MOST_VOLUME_MASK_VALUES, MaskOutput, MaskRule, Matching, ModelInput, OutputForm, ScoreScale,
    StudyProtocol, Suppression,
};

/// One, in millionths.
const ONE: u32 = 1_000_000;

pub(super) fn check(protocol: &StudyProtocol, found: &mut Breaches) {
    match protocol.model.output.form {
        OutputForm::Scores => {}
        OutputForm::Mask(mask) => check_mask(protocol, mask, found),
        OutputForm::Boxes(boxes) => check_boxes(protocol, boxes, found),
    }
}

fn check_mask(protocol: &StudyProtocol, mask: MaskOutput, found: &mut Breaches) {
    found.unless(
        protocol.task.structure().is_some(),
        "model.output.form",
        "is \"mask\", and no structure is outlined",
        "leave it out, or ask where a structure is with task = \"segmentation\"",
    );
    found.unless(
        (1..=MOST_MASK_CHANNELS).contains(&mask.channels),
        "model.output.channels",
        "must be 1 to 64",
        "give the second size of the output: the number of its channels",
    );
    check_size(&protocol.model.input, mask, found);
    let output = &protocol.model.output;
    found.unless(
        output.positive_index < mask.channels,
        "model.output.positive_index",
        "names no channel",
        "give the structure's channel, from 0",
    );
    check_rule(mask, output.scale, found);
}

/// How many numbers there are over all channels.
fn check_size(input: &ModelInput, mask: MaskOutput, found: &mut Breaches) {
    let depth = input.volume.map_or(1, |volume| volume.depth);
    let sides = [depth, input.height, input.width, mask.channels].map(u64::from);
    let values = sides.into_iter().fold(1, u64::saturating_mul);
    if input.volume.is_some() {
        found.unless(
            values <= MOST_VOLUME_MASK_VALUES,
            "model.output.channels",
            "times depth, height and width is more than 67,108,864 values",
            "let the model end in the structure's own channel, or take a coarser spacing",
        );
    } else {
        found.unless(
            values <= MOST_MASK_VALUES,
            "model.output.channels",
            "times height and width is more than 16,777,216 values",
            "let the model end in the structure's own channel, or take smaller images",
        );
    }
}

/// When a pixel belongs to the structure.
fn check_rule(mask: MaskOutput, scale: ScoreScale, found: &mut Breaches) {
    match mask.rule {
        MaskRule::Threshold(micro) => {
            found.unless(
                (1..ONE).contains(&micro),
                "model.output.threshold",
                "must lie between 0 and 1",
                "write a probability, such as 0.5, also for a model that gives logits",
            );
            found.unless(
                scale != ScoreScale::Value,
                "model.output.scale",
                "must be \"probability\" or \"logit\" where a mask has a threshold",
                "write the scale of the model's numbers",
            );
        }
        MaskRule::Highest => {
            found.unless(
                mask.channels > 1,
                "model.output.rule",
                "is \"highest\", and there is one channel",
                "write rule = \"threshold\" with a threshold",
            );
            found.unless(
                scale == ScoreScale::Value,
                "model.output.scale",
                "means nothing where the highest channel counts",
                "leave it out",
            );
        }
    }
}

fn check_boxes(protocol: &StudyProtocol, boxes: BoxOutput, found: &mut Breaches) {
    let plan = protocol.task.detection();
    found.unless(
        plan.is_some(),
        "model.output.form",
        "is \"boxes\", and no findings are counted",
        "leave it out, or ask what is where with task = \"detection\"",
    );
    found.unless(
        plan.is_none_or(|plan| matches!(plan.matching, Matching::Iou(_))),
        "detection.matching",
        "must be \"iou\" where the model gives boxes",
        "write matching = \"iou\": boxes are in pixels, and points are in millimetres",
    );
    found.unless(
        protocol.model.output.positive_index == 0,
        "model.output.positive_index",
        "has no place where the model gives boxes",
        "leave it out: the fifth number of a row is its score",
    );
    if let Some(suppression) = boxes.non_maximum_suppression {
        let most = plan.map_or(0, |plan| plan.most_candidates);
        check_suppression(boxes, suppression, most, found);
    }
}

/// Which of overlapping boxes stays. `most` findings of a scan are counted.
fn check_suppression(boxes: BoxOutput, rule: Suppression, most: u32, found: &mut Breaches) {
    found.unless(
        (1..1000).contains(&rule.iou),
        "model.output.non_maximum_suppression.iou",
        "must lie between 0 and 1, in thousandths",
        "write the largest overlap of two boxes that both stay, such as 0.5",
    );
    found.unless(
        (most.max(1)..=MOST_OVERLAPPING).contains(&rule.candidates),
        "model.output.non_maximum_suppression.candidates",
        "must be detection.most_candidates or more, and at most 4096",
        "write how many boxes of an image are held against each other, such as 1000",
    );
    found.unless(
        boxes.class.is_some() || rule.classes == ClassScope::Apart,
        "model.output.non_maximum_suppression.classes",
        "is \"together\", and the model's boxes have no class",
        "leave it out, or write the class whose boxes are findings",
    );
}
