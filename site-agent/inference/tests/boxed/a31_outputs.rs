//! A31: outputs that are no scores. Each fails its case; that no metric is made of what is left is in
//! `fedval-evaluate`.

use fedval_ambient::Problem as _;
use fedval_inference::ScoreError;
use fedval_study::protocol::{ModelOutput, ModelSpecification};
use libtest_mimic::Trial;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{AttributeProto, GraphProto};

use crate::onnx_file::{
    around, bytes, graph, integers, node, node_with, specification, three_classes, tiny_cnn, value,
};
use crate::{load, refuses, score, serves_the_next, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a31_no_number_or_off_the_scale", a31_an_output_that_is_no_score_fails_its_case()),
        trial("a31_no_distribution", a31_classes_that_are_no_distribution_fail_their_case()),
        trial("a31_ten_million_outputs", a31_ten_million_outputs_are_refused()),
        trial("a31_another_shape", a31_an_output_of_another_shape_or_type_is_refused()),
    ]
}

async fn a31_an_output_that_is_no_score_fails_its_case() {
    // √−1 and ln −1 are no numbers, 1/0 and −ln 0 infinite; −½ and 3/2 are no probabilities.
    for (operator, hostile, harmless) in [
        ("Sqrt", -1.0, 1.0),
        ("Log", -1.0, 1.0),
        ("Reciprocal", 0.0, 2.0),
        ("Log", 0.0, 1.0),
        ("Neg", 0.5, -0.5),
        ("Relu", 1.5, 0.5),
        ("Identity", f32::NAN, 0.5),
        ("Identity", f32::INFINITY, 0.5),
    ] {
        let model = bytes(around(operator));
        let mut loaded = load(&specification(&model), &model).await.unwrap();
        let refused = score(&mut loaded, &[hostile; 16]).await;
        assert_eq!(refused, Err(ScoreError::Invalid), "{operator} of {hostile}");
        assert_eq!(refused.unwrap_err().code(), "MODEL_OUTPUT_INVALID");
        assert!(score(&mut loaded, &[harmless; 16]).await.is_ok(), "{operator} of {harmless}");
    }
    // An image of another size never reaches the model.
    let model = bytes(tiny_cnn());
    let mut loaded = load(&specification(&model), &model).await.unwrap();
    for values in [0, 15, 17, 10_000_000] {
        assert_eq!(score(&mut loaded, &vec![0.5; values]).await, Err(ScoreError::Invalid));
    }
}

async fn a31_classes_that_are_no_distribution_fail_their_case() {
    // Three conditions that are each there or not: a sigmoid of each in the place of one softmax.
    let mut conditions = three_classes();
    conditions.node[4] = node("Sigmoid", &["sum"], "score");
    let model = bytes(conditions);
    let one = specification(&model);
    let output = ModelOutput { values: 3, ..one.output.clone() };
    let mut loaded = load(&ModelSpecification { output, ..one.clone() }, &model).await.unwrap();
    for value in [0.0, 0.5, 1.0] {
        assert_eq!(score(&mut loaded, &[value; 16]).await, Err(ScoreError::Invalid), "{value}");
    }
    // The first of them alone is a probability.
    let mut loaded = load(&one, &model).await.unwrap();
    assert!(score(&mut loaded, &[0.5; 16]).await.is_ok());
}

async fn a31_ten_million_outputs_are_refused() {
    let tiled = |times| {
        let nodes =
            vec![node("Tile", &["image", "repeats"], "many"), node("Flatten", &["many"], "score")];
        let output = vec![value("score", &[None, None])];
        let graph = graph(nodes, vec![integers("repeats", &[1, 1, 1, times])]);
        bytes(GraphProto { output, ..graph })
    };
    refuses("10 million outputs", &tiled(625_000), "MODEL_OUTPUT_MISMATCH").await;
    // As many as the largest of classifiers are no attack.
    let classes = tiled(1_000);
    let mut loaded = load(&specification(&classes), &classes).await.unwrap();
    assert!(score(&mut loaded, &[0.5; 16]).await.is_ok());
    serves_the_next().await;
}

async fn a31_an_output_of_another_shape_or_type_is_refused() {
    // Nothing at all comes out.
    let none = vec![
        node("Slice", &["image", "from", "to"], "nothing"),
        node("Flatten", &["nothing"], "score"),
    ];
    let ends = vec![integers("from", &[0, 0, 0, 0]), integers("to", &[1, 1, 0, 4])];
    refuses("no output", &bytes(graph(none, ends)), "MODEL_LOAD_FAILED").await;
    for data_type in [DataType::Int64, DataType::String, DataType::Bool, DataType::Complex64] {
        let mut typed = tiny_cnn();
        let Some(Value::TensorType(tensor)) =
            typed.output[0].r#type.as_mut().and_then(|of| of.value.as_mut())
        else {
            panic!("a tensor")
        };
        tensor.elem_type = data_type as i32;
        refuses("another type", &bytes(typed), "MODEL_OUTPUT_MISMATCH").await;
    }
    // It says floats and gives integers, which are numbers all the same.
    let to = AttributeProto {
        name: "to".to_owned(),
        i: DataType::Int64 as i64,
        r#type: 2,
        ..AttributeProto::default()
    };
    let mut whole = around("Relu");
    whole.node[2] = node_with("Cast", &["flat"], "score", vec![to]);
    let whole = bytes(whole);
    let mut loaded = load(&specification(&whole), &whole).await.unwrap();
    assert_eq!(score(&mut loaded, &[1.0; 16]).await.map(f64::to_bits), Ok(1.0_f64.to_bits()));
    assert_eq!(score(&mut loaded, &[7.0; 16]).await, Err(ScoreError::Invalid));
    let unmade = GraphProto { output: vec![value("other", &[None, Some(1)])], ..tiny_cnn() };
    refuses("no output of that name", &bytes(unmade), "MODEL_OUTPUT_MISMATCH").await;
    let mut undone = tiny_cnn();
    undone.output.push(value("nobody", &[None]));
    refuses("an output that nothing makes", &bytes(undone), "MODEL_OUTPUT_MISMATCH").await;
}
