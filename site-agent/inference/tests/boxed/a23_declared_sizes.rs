//! A23: tensors that declare more than they hold, negative sizes, and sizes beyond all numbers.

use fedval_inference::InferenceLimits;
use libtest_mimic::Trial;
use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto};

use crate::onnx_file::{around, bytes, floats, node_with, tiny_cnn, value};
use crate::{LIMITS, refuses_in, serves_the_next, trial};

/// Too little for a box that believes what a tensor declares: such a box ends, with another code.
const TIGHT: InferenceLimits = InferenceLimits { memory_bytes: 200 << 20, ..LIMITS };

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a23_a_hundred_gigabytes_in_sixteen_bytes", a23_a_hundred_gigabytes_are_refused()),
        trial("a23_negative_and_overflowing_sizes", a23_impossible_sizes_are_refused()),
        trial("a23_a_declared_input", a23_an_input_of_other_size_is_refused()),
    ]
}

/// Sixteen bytes as a tensor of these sizes: as a weight, and as the value of a node.
fn models(dims: &[i64]) -> [Vec<u8>; 2] {
    let tensor = TensorProto { raw_data: vec![0; 16], ..floats("weight", dims, &[]) };
    let initializer = vec![tensor.clone(), floats("bias", &[1], &[0.0])];
    let stored = GraphProto { initializer, ..tiny_cnn() };
    let value =
        AttributeProto { name: "value".to_owned(), t: Some(tensor), ..AttributeProto::default() };
    let mut constant = around("Relu");
    constant.node.push(node_with("Constant", &[], "unused", vec![value]));
    [bytes(stored), bytes(constant)]
}

async fn refuses_sizes(dims: &[i64], code: &str) {
    for model in models(dims) {
        refuses_in(&TIGHT, &format!("{dims:?}"), &model, code).await;
    }
}

async fn a23_a_hundred_gigabytes_are_refused() {
    refuses_sizes(&[25_000, 1_000_000], "MODEL_TOO_LARGE").await;
    refuses_sizes(&[25_000_000_000], "MODEL_TOO_LARGE").await;
    refuses_sizes(&[5], "MODEL_TOO_LARGE").await;
    serves_the_next().await;
}

async fn a23_impossible_sizes_are_refused() {
    refuses_sizes(&[-1], "MODEL_NOT_ONNX").await;
    refuses_sizes(&[-2, -2], "MODEL_NOT_ONNX").await;
    refuses_sizes(&[i64::MIN], "MODEL_NOT_ONNX").await;
    refuses_sizes(&[i64::MAX, 4], "MODEL_TOO_LARGE").await;
    // Their product is four again, if nobody looks at the overflow.
    refuses_sizes(&[1 << 32, 1 << 32, 4], "MODEL_TOO_LARGE").await;
    refuses_sizes(&[i64::MAX, i64::MAX, 0], "MODEL_TOO_LARGE").await;
    // Less than is there.
    refuses_sizes(&[3], "MODEL_NOT_ONNX").await;
    refuses_sizes(&[0], "MODEL_NOT_ONNX").await;
}

async fn a23_an_input_of_other_size_is_refused() {
    for dims in [[Some(1), Some(1), Some(1 << 20), Some(1 << 20)], [None, None, Some(-4), Some(4)]]
    {
        let model = bytes(GraphProto { input: vec![value("image", &dims)], ..tiny_cnn() });
        refuses_in(&TIGHT, &format!("{dims:?}"), &model, "MODEL_INPUT_MISMATCH").await;
    }
}
