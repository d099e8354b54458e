//! A24: small files that ask for a hundred gigabytes when they are loaded or run.

use fedval_ambient::Problem as _;
use libtest_mimic::Trial;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto};

use crate::onnx_file::{bytes, floats, graph, integers, node, node_with, specification};
use crate::{load, resident_kibibytes, score, serves_the_next, trial};

/// Numbers of 32 bits in a hundred gigabytes.
const HUGE: i64 = 25_000_000_000;

/// Small models that ask for a hundred gigabytes, by their names.
pub(crate) fn models() -> Vec<(&'static str, GraphProto)> {
    vec![
        ("constant", constant_of_shape()),
        ("constants_that_contradict", contradiction()),
        ("expand", expand()),
        ("tile", tile(&[1, 1, 100_000, 15_625])),
        ("twelve_tiles_of_ten", tiles()),
        ("resize", resize()),
        ("a_size_from_the_image", size_from_the_image()),
        ("pad", pad()),
        ("outer_product", outer_product()),
    ]
}

pub(crate) fn trials() -> Vec<Trial> {
    let attack = |(name, graph)| {
        trial(&format!("a24_{name}_of_100_gb"), a24_memory_runs_out_in_the_box_alone(name, graph))
    };
    models().into_iter().map(attack).collect()
}

/// The box ends or refuses, this process does not grow, and the next model is served.
async fn a24_memory_runs_out_in_the_box_alone(what: &'static str, graph: GraphProto) {
    let before = resident_kibibytes();
    let model = bytes(graph);
    assert!(model.len() < 2_000, "{what} is no small file");
    let code = match load(&specification(&model), &model).await {
        Err(refused) => refused.code(),
        Ok(mut loaded) => {
            let ended = score(&mut loaded, &[0.5; 16]).await.unwrap_err();
            // What ended its box is gone, and is told so.
            let again = score(&mut loaded, &[0.5; 16]).await.unwrap_err();
            assert_eq!(again.code(), "MODEL_DIED", "{what}");
            ended.code()
        }
    };
    // A box that ran out of memory, or a graph that the engine could not size.
    let expected = ["MODEL_CRASHED", "MODEL_DIED", "MODEL_LOAD_FAILED"];
    assert!(expected.contains(&code), "{what}: {code}");
    // Other tests run in this process too; what the file asks for is five hundred times as much.
    assert!(resident_kibibytes() < before + 192 * 1024, "{what}: the parent grew");
    serves_the_next().await;
}

fn to_score(mut nodes: Vec<tract_onnx::pb::NodeProto>) -> Vec<tract_onnx::pb::NodeProto> {
    nodes.push(node("ReduceMax", &["huge"], "score"));
    nodes
}

fn constant_of_shape() -> GraphProto {
    let nodes = vec![
        node("ConstantOfShape", &["size"], "constant"),
        node("Add", &["constant", "image"], "huge"),
    ];
    graph(to_score(nodes), vec![integers("size", &[HUGE / 16, 1, 4, 4])])
}

/// Shapes that agree with each other, and that the engine asserts on all the same.
fn contradiction() -> GraphProto {
    let nodes = vec![
        node("ConstantOfShape", &["first"], "a"),
        node("ConstantOfShape", &["second"], "b"),
        node("Add", &["a", "b"], "huge"),
    ];
    let sizes = [HUGE / 10, 4];
    graph(to_score(nodes), vec![integers("first", &sizes), integers("second", &sizes)])
}

fn expand() -> GraphProto {
    let nodes = vec![node("Expand", &["image", "size"], "huge")];
    graph(to_score(nodes), vec![integers("size", &[HUGE / 16, 1, 4, 4])])
}

fn tile(repeats: &[i64]) -> GraphProto {
    graph(
        to_score(vec![node("Tile", &["image", "repeats"], "huge")]),
        vec![integers("repeats", repeats)],
    )
}

/// The image tiled a hundredfold, again and again.
fn tiles() -> GraphProto {
    let name = |step| match step {
        0 => "image".to_owned(),
        12 => "huge".to_owned(),
        step => format!("t{step}"),
    };
    let nodes = (0..12).map(|step| node("Tile", &[&name(step), "ten"], &name(step + 1)));
    graph(to_score(nodes.collect()), vec![integers("ten", &[1, 1, 10, 10])])
}

fn resize() -> GraphProto {
    let nearest = AttributeProto {
        name: "mode".to_owned(),
        s: b"nearest".to_vec(),
        r#type: 3,
        ..AttributeProto::default()
    };
    let resize = node_with("Resize", &["image", "", "scales"], "huge", vec![nearest]);
    graph(to_score(vec![resize]), vec![floats("scales", &[4], &[1.0, 1.0, 40_000.0, 40_000.0])])
}

fn pad() -> GraphProto {
    let nodes = vec![node("Pad", &["image", "pads"], "huge")];
    graph(to_score(nodes), vec![integers("pads", &[0, 0, 0, 0, 0, 0, 158_000, 158_000])])
}

/// A column times a row: a tensor as large as the product of both.
fn outer_product() -> GraphProto {
    let nodes = vec![
        node("Tile", &["image", "down"], "tall"),
        node("Tile", &["image", "across"], "wide"),
        node("MatMul", &["tall", "wide"], "huge"),
    ];
    let (down, across) =
        (integers("down", &[1, 1, 40_000, 1]), integers("across", &[1, 1, 1, 40_000]));
    graph(to_score(nodes), vec![down, across])
}

/// How much is asked for is not known before an image is seen.
fn size_from_the_image() -> GraphProto {
    let to = AttributeProto {
        name: "to".to_owned(),
        i: DataType::Int64 as i64,
        r#type: 2,
        ..AttributeProto::default()
    };
    let nodes = vec![
        node("ReduceMax", &["image"], "most"),
        node("Mul", &["most", "factor"], "wish"),
        node_with("Cast", &["wish"], "whole", vec![to]),
        node("Reshape", &["whole", "line"], "size"),
        node("ConstantOfShape", &["size"], "huge"),
    ];
    #[expect(clippy::cast_precision_loss, reason = "how much does not matter to the last byte")]
    let factor = floats("factor", &[1], &[HUGE as f32 * 2.0]);
    graph(to_score(nodes), vec![factor, integers("line", &[1])])
}
