//! What a model's file may hold, as it is looked at before an engine sees it.

use fedval_inference::inspect_model;
use fedval_study::digest::{ModelDigest, Sha256Digest};
use fedval_study::protocol::{
    FrameChoice, Layout, ModelInput, ModelOutput, ModelSpecification, Monochrome1, OutputForm,
    Resize, ScoreScale, ValueScaling,
};

use crate::Target;
use crate::draw::Draw;

const MAX_NODES: usize = 50;

/// Messages of onnx.proto, and the fields of each that hold another: all that can nest, and what is refused.
const NESTED: [&[(u8, usize)]; 9] = [
    // Model: graph, operator set, metadata, training.
    &[(7, 1), (8, 8), (14, 8), (20, 8)],
    // Graph: nodes, weights, inputs, outputs, values, annotations, sparse weights.
    &[(1, 2), (5, 4), (11, 5), (12, 5), (13, 5), (14, 8), (15, 4)],
    // Node: attributes.
    &[(5, 3)],
    // Attribute: tensors, graphs, types.
    &[(5, 4), (10, 4), (6, 1), (11, 1), (15, 6), (22, 4)],
    // Tensor: data elsewhere, segment.
    &[(13, 8), (3, 8)],
    // Value: type.
    &[(2, 6)],
    // Type: tensor, sequence, map, optional.
    &[(1, 7), (4, 6), (5, 6), (9, 6)],
    // Type of a tensor, or a shape: both nest by one field.
    &[(2, 7), (1, 8)],
    &[],
];
/// Words that mean something in a model.
const WORDS: [&str; 10] =
    ["", "image", "score", "Relu", "Conv", "Constant", "If", "com.microsoft", "location", "axis"];
const DEEPEST: usize = 12;

/// Fields of one message, well formed, whatever they mean.
fn message(draw: &mut Draw<'_>, kind: usize, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..draw.below(5) {
        let nested = NESTED[kind];
        match draw.below(4) {
            0 | 1 if !nested.is_empty() && depth < DEEPEST => {
                let (number, inner) = nested[draw.below(nested.len())];
                let content = message(draw, inner, depth + 1);
                put(&mut bytes, number, &content);
            }
            2 => {
                let number = small(draw, 26);
                put(&mut bytes, number, WORDS[draw.below(WORDS.len())].as_bytes());
            }
            _ => {
                varint(&mut bytes, u64::from(small(draw, 26)) << 3);
                let value =
                    if draw.flag() { u64::MAX >> draw.below(64) } else { draw.below(20) as u64 };
                varint(&mut bytes, value);
            }
        }
    }
    bytes
}

fn small(draw: &mut Draw<'_>, below: usize) -> u8 {
    u8::try_from(draw.below(below)).expect("a small number")
}

fn put(bytes: &mut Vec<u8>, number: u8, content: &[u8]) {
    varint(bytes, u64::from(number) << 3 | 2);
    varint(bytes, content.len() as u64);
    bytes.extend(content);
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn specification(model: &[u8]) -> ModelSpecification {
    ModelSpecification {
        name: "model".to_owned(),
        digest: ModelDigest(Sha256Digest::of(model)),
        bytes: model.len() as u64,
        input: ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 8,
            width: 9,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.5,
            standard_deviation: 0.25,
            resize: Resize::Bilinear,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Only,
            volume: None,
        },
        output: ModelOutput {
            name: "score".to_owned(),
            scale: ScoreScale::Probability,
            positive_index: 0,
            values: 1,
            separate: false,
            form: OutputForm::Scores,
        },
    }
}

fn inspected(model: Vec<u8>) {
    let specification = specification(&model);
    let _ = inspect_model(model, &specification, MAX_NODES);
}

pub(super) const TARGETS: &[Target] = &[
    Target { entry: "models::onnx_bytes", run: |draw| inspected(draw.rest()) },
    Target { entry: "models::onnx_messages", run: |draw| inspected(message(draw, 0, 0)) },
];
