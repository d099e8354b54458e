//! Small ONNX models, built from their protobuf messages.

use fedval_study::digest::{ModelDigest, Sha256Digest};
use fedval_study::protocol::{
    FrameChoice, Layout, ModelInput, ModelOutput, ModelSpecification, Monochrome1, Resize,
    ScoreScale, ValueScaling,
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

/// The image tiled a thousandfold, again and again.
pub(crate) fn tile_bomb() -> GraphProto {
    let mut nodes: Vec<_> = (0..12)
        .map(|i| {
            let from = if i == 0 { "image".to_owned() } else { format!("t{i}") };
            node("Tile", &[from.as_str(), "ten"], &format!("t{}", i + 1))
        })
        .collect();
    nodes.push(node("ReduceMax", &["t12"], "score"));
    let ten = TensorProto {
        name: "ten".to_owned(),
        dims: vec![4],
        data_type: DataType::Int64 as i32,
        int64_data: vec![1, 1, 10, 10],
        ..TensorProto::default()
    };
    graph(nodes, vec![ten])
}

/// `count` nodes that do nothing.
pub(crate) fn idle_chain(count: usize) -> GraphProto {
    let nodes = (0..count).map(|i| {
        let from = if i == 0 { "image".to_owned() } else { format!("n{i}") };
        let to = if i + 1 == count { "score".to_owned() } else { format!("n{}", i + 1) };
        node("Identity", &[from.as_str()], &to)
    });
    graph(nodes.collect(), Vec::new())
}

/// A weight that declares 100 GB and holds 16 bytes.
pub(crate) fn declared_100_gb() -> GraphProto {
    let weight =
        TensorProto { raw_data: vec![0; 16], ..floats("weight", &[25_000, 1_000_000], &[]) };
    GraphProto { initializer: vec![weight, floats("bias", &[1], &[0.0])], ..tiny_cnn() }
}

/// A weight in another file.
pub(crate) fn external_data() -> GraphProto {
    let mut graph = tiny_cnn();
    let location = tract_onnx::pb::StringStringEntryProto {
        key: "location".to_owned(),
        value: "../../etc/passwd".to_owned(),
    };
    graph.initializer[0].external_data = vec![location];
    graph.initializer[0].data_location = Some(1);
    graph
}

/// Shapes that contradict each other in a way that the engine asserts.
pub(crate) fn contradiction() -> GraphProto {
    let size = |name: &str, dims: &[i64]| TensorProto {
        name: name.to_owned(),
        dims: vec![i64::try_from(dims.len()).unwrap()],
        data_type: DataType::Int64 as i32,
        int64_data: dims.to_vec(),
        ..TensorProto::default()
    };
    let nodes = vec![
        node("ConstantOfShape", &["first"], "a"),
        node("ConstantOfShape", &["second"], "b"),
        node("Add", &["a", "b"], "sum"),
        node("ReduceMax", &["sum"], "score"),
    ];
    let huge = 2_500_000_000;
    graph(nodes, vec![size("first", &[huge, 4]), size("second", &[huge, 4])])
}

pub(crate) fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.to_owned(),
        input: inputs.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// A node with a branch.
pub(crate) fn branch() -> GraphProto {
    let mut graph = around("If");
    let body = AttributeProto {
        name: "then_branch".to_owned(),
        g: Some(tiny_cnn()),
        ..AttributeProto::default()
    };
    graph.node[2].attribute = vec![body];
    graph
}

/// Branches in branches.
pub(crate) fn nested(depth: usize) -> GraphProto {
    let within = |body, _| {
        let mut graph = around("If");
        graph.node[2].attribute =
            vec![AttributeProto { g: Some(body), ..AttributeProto::default() }];
        graph
    };
    (0..depth).fold(tiny_cnn(), within)
}

/// A model that demands two cases at once, so that one could colour the other's score.
pub(crate) fn batch_of_two() -> GraphProto {
    let input = vec![value("image", &[Some(2), Some(1), Some(4), Some(4)])];
    GraphProto { input, ..tiny_cnn() }
}

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
        },
        output: ModelOutput {
            name: "score".to_owned(),
            scale: ScoreScale::Probability,
            positive_index: 0,
        },
    }
}

fn value(name: &str, dims: &[Option<i64>]) -> ValueInfoProto {
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

fn floats(name: &str, dims: &[i64], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        float_data: values.to_vec(),
        ..TensorProto::default()
    }
}
