//! Small ONNX models, built from their protobuf messages.

#![allow(dead_code, reason = "every test that includes this module uses another part of it")]

use fedval_study::digest::{ModelDigest, Sha256Digest};
use fedval_study::protocol::{
    FrameChoice, Layout, ModelInput, ModelOutput, ModelSpecification, Monochrome1, OutputForm,
    Resize, ScoreScale, ValueScaling,
};
use prost::Message as _;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto,
};

/// A graph from `image` (any batch, one channel, 4 × 4) to `score`.
pub(crate) fn graph(node: Vec<NodeProto>, initializer: Vec<TensorProto>) -> GraphProto {
    GraphProto {
        name: "test".to_owned(),
        node,
        initializer,
        input: vec![value("image", &[None, Some(1), Some(4), Some(4)])],
        output: vec![value("score", &[None, Some(1)])],
        ..GraphProto::default()
    }
}

/// The average of 2·x − 1 over the image, as a probability.
pub(crate) fn tiny_cnn() -> GraphProto {
    let nodes = vec![
        node("Conv", &["image", "weight", "bias"], "features"),
        node("Relu", &["features"], "active"),
        node("GlobalAveragePool", &["active"], "pooled"),
        node("Flatten", &["pooled"], "flat"),
        node("Sigmoid", &["flat"], "score"),
    ];
    graph(nodes, vec![floats("weight", &[1, 1, 1, 1], &[2.0]), floats("bias", &[1], &[-1.0])])
}

/// One operator between the image's average and the score.
pub(crate) fn around(operator: &str) -> GraphProto {
    let nodes = vec![
        node("GlobalAveragePool", &["image"], "pooled"),
        node("Flatten", &["pooled"], "flat"),
        node(operator, &["flat"], "score"),
    ];
    graph(nodes, Vec::new())
}

/// Weight and bias of each class in [`three_classes`].
pub(crate) const CLASSES: [(f32, f32); 3] = [(0.0, 0.0), (6.0, -2.1), (12.0, -5.75)];

/// A probability for each of three classes, from the average of the image.
pub(crate) fn three_classes() -> GraphProto {
    let nodes = vec![
        node("GlobalAveragePool", &["image"], "pooled"),
        node("Flatten", &["pooled"], "flat"),
        node("MatMul", &["flat", "weight"], "product"),
        node("Add", &["product", "bias"], "sum"),
        node("Softmax", &["sum"], "score"),
    ];
    let (weight, bias): (Vec<f32>, Vec<f32>) = CLASSES.into_iter().unzip();
    let stored = vec![floats("weight", &[1, 3], &weight), floats("bias", &[3], &bias)];
    GraphProto { output: vec![value("score", &[None, Some(3)])], ..graph(nodes, stored) }
}

/// A node of one output.
pub(crate) fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// A node with attributes.
pub(crate) fn node_with(
    operator: &str,
    inputs: &[&str],
    output: &str,
    attribute: Vec<AttributeProto>,
) -> NodeProto {
    NodeProto { attribute, ..node(operator, inputs, output) }
}

/// The file of a model.
pub(crate) fn bytes(graph: GraphProto) -> Vec<u8> {
    let opset = OperatorSetIdProto { domain: String::new(), version: 17 };
    let model = ModelProto {
        ir_version: 8,
        opset_import: vec![opset],
        graph: Some(graph),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}

/// What a protocol would say of these models.
pub(crate) fn specification(model: &[u8]) -> ModelSpecification {
    ModelSpecification {
        name: "test".to_owned(),
        digest: ModelDigest(Sha256Digest::of(model)),
        bytes: model.len() as u64,
        input: ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 4,
            width: 4,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.0,
            standard_deviation: 1.0,
            resize: Resize::Refuse,
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

/// An input or output of 32-bit floats; `None` is a size that the model leaves open.
pub(crate) fn value(name: &str, dims: &[Option<i64>]) -> ValueInfoProto {
    let dim = dims
        .iter()
        .map(|dim| {
            dim.map_or_else(
                || dimension::Value::DimParam("n".to_owned()),
                dimension::Value::DimValue,
            )
        })
        .map(|value| Dimension { value: Some(value), ..Dimension::default() })
        .collect();
    let tensor =
        Tensor { elem_type: DataType::Float as i32, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(Value::TensorType(tensor)), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

/// A stored tensor of 64-bit integers, one axis.
pub(crate) fn integers(name: &str, values: &[i64]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![i64::try_from(values.len()).unwrap()],
        data_type: DataType::Int64 as i32,
        int64_data: values.to_vec(),
        ..TensorProto::default()
    }
}

/// A stored tensor.
pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}
