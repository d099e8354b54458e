//! A31: outputs that are no scores. Each fails its case; that no metric is made of what is left is in
//! `fedval-evaluate`.

use fedval_ambient::Problem as _;
use fedval_inference::{ModelAnswer, ScoreError};
use fedval_study::protocol::{
    BoxOutput, MaskOutput, MaskRule, ModelOutput, ModelSpecification, OutputForm, ScoreScale,
};
use libtest_mimic::Trial;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{AttributeProto, GraphProto};

use crate::onnx_file::{
    around, bytes, floats, graph, integers, node, node_with, specification, three_classes,
    tiny_cnn, value,
};
use crate::{load, refuses, score, serves_the_next, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a31_no_number_or_off_the_scale", a31_an_output_that_is_no_score_fails_its_case()),
        trial("a31_no_distribution", a31_classes_that_are_no_distribution_fail_their_case()),
        trial("a31_ten_million_outputs", a31_ten_million_outputs_are_refused()),
        trial("a31_another_shape", a31_an_output_of_another_shape_or_type_is_refused()),
        trial("a31_masks", a31_a_mask_leaves_the_box_in_the_protocols_shape_alone()),
        trial("a31_boxes", a31_boxes_are_a_table_with_the_protocols_columns()),
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

/// A protocol's words for a model that gives a tensor.
fn of_form(model: &[u8], form: OutputForm, scale: ScoreScale) -> ModelSpecification {
    let one = specification(model);
    ModelSpecification { output: ModelOutput { form, scale, ..one.output.clone() }, ..one }
}

/// As many channels as there are weights, each of them the image times its weight.
fn channels(weights: &[f32], declared: &[Option<i64>]) -> Vec<u8> {
    let count = i64::try_from(weights.len()).unwrap();
    let stored = vec![floats("weight", &[count, 1, 1, 1], weights)];
    let conv = vec![node("Conv", &["image", "weight"], "score")];
    let output = vec![value("score", declared)];
    bytes(GraphProto { output, ..graph(conv, stored) })
}

async fn a31_a_mask_leaves_the_box_in_the_protocols_shape_alone() {
    let mask = |channels| OutputForm::Mask(MaskOutput { channels, rule: MaskRule::Highest });
    let two = channels(&[1.0, -2.0], &[None, Some(2), Some(4), Some(4)]);
    let pinned = of_form(&two, mask(2), ScoreScale::Value);
    let mut loaded = load(&pinned, &two).await.unwrap();
    let found = loaded.answer(&[0.5; 16]).await.unwrap();
    let expected: Vec<f32> = [[0.5; 16], [-1.0; 16]].concat();
    assert!(*found.open_on_site() == ModelAnswer::Tensor(expected));
    // What is no number, or beyond all, fails its case; the next is answered.
    for hostile in [f32::NAN, f32::INFINITY] {
        assert_eq!(loaded.answer(&[hostile; 16]).await.err(), Some(ScoreError::Invalid));
    }
    assert!(loaded.answer(&[0.25; 16]).await.is_ok());
    assert_eq!(loaded.scores(&[0.25; 16]).await.err(), Some(ScoreError::Invalid));
    // A probability is one.
    let one = channels(&[1.0], &[None, Some(1), Some(4), Some(4)]);
    let pinned = of_form(&one, mask(1), ScoreScale::Probability);
    let mut loaded = load(&pinned, &one).await.unwrap();
    assert_eq!(loaded.answer(&[1.5; 16]).await.err(), Some(ScoreError::Invalid));
    assert!(loaded.answer(&[1.0; 16]).await.is_ok());
    // Of another shape it is refused before any case is opened: as it is declared, and where nothing is, as it is.
    let undeclared = channels(&[1.0, -2.0], &[None, None, None, None]);
    let flat = bytes(tiny_cnn());
    for (what, model, form) in [
        ("too few channels", &two, mask(3)),
        ("too many channels", &two, mask(1)),
        ("a score", &flat, mask(1)),
        ("undeclared", &undeclared, mask(3)),
    ] {
        let refused = load(&of_form(model, form, ScoreScale::Value), model).await.unwrap_err();
        assert_eq!(refused.code(), "MODEL_OUTPUT_MISMATCH", "{what}");
    }
    let pinned = of_form(&undeclared, mask(2), ScoreScale::Value);
    assert!(load(&pinned, &undeclared).await.unwrap().answer(&[0.5; 16]).await.is_ok());
}

async fn a31_boxes_are_a_table_with_the_protocols_columns() {
    let table = |columns: i64| {
        let nodes = vec![
            node("Slice", &["image", "from", "to"], "corner"),
            node("Reshape", &["corner", "shape"], "flat"),
            node("Tile", &["flat", "repeats"], "score"),
        ];
        let stored = vec![
            integers("from", &[0, 0, 0, 0]),
            integers("to", &[1, 1, 3, 1]),
            integers("shape", &[3, 1]),
            integers("repeats", &[1, columns]),
        ];
        let output = vec![value("score", &[None, None])];
        bytes(GraphProto { output, ..graph(nodes, stored) })
    };
    let boxes = |class| OutputForm::Boxes(BoxOutput { class, non_maximum_suppression: None });
    for (columns, class) in [(5, None), (6, Some(0))] {
        let model = table(columns);
        let pinned = of_form(&model, boxes(class), ScoreScale::Probability);
        let mut loaded = load(&pinned, &model).await.unwrap();
        let found = loaded.answer(&[0.5; 16]).await.unwrap();
        let count = 3 * usize::try_from(columns).unwrap();
        assert!(*found.open_on_site() == ModelAnswer::Tensor(vec![0.5; count]));
        assert_eq!(loaded.answer(&[f32::NAN; 16]).await.err(), Some(ScoreError::Invalid));
    }
    let model = table(4);
    let refused = load(&of_form(&model, boxes(None), ScoreScale::Probability), &model).await;
    assert_eq!(refused.unwrap_err().code(), "MODEL_OUTPUT_MISMATCH");
}
