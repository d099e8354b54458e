//! A25: models that never end: loops, and work without measure where loops are refused.

use fedval_ambient::Problem as _;
use fedval_inference::{INFERENCE_ROLE, InferenceLimits, ScoreError};
use fedval_sandbox::BoxProgram;
use libtest_mimic::Trial;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, TensorProto};

use crate::onnx_file::{around, bytes, graph, integers, node, node_with, specification, tiny_cnn};
use crate::{LIMITS, load_in, refuses, refuses_in, score, serves_the_next, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a25_a_loop_without_end", a25_a_loop_without_end_is_refused()),
        trial("a25_other_control_flow", a25_other_control_flow_is_refused()),
        trial("a25_two_hundred_thousand_nodes", a25_two_hundred_thousand_nodes_are_refused()),
        trial("a25_a_load_that_takes_long", a25_the_wall_clock_ends_a_load()),
        trial("a25_a_case_that_takes_long", a25_the_wall_clock_ends_a_case()),
    ]
}

fn body(name: &str, graph: GraphProto) -> AttributeProto {
    AttributeProto { name: name.to_owned(), g: Some(graph), r#type: 5, ..AttributeProto::default() }
}

/// 2^62 turns, each of which says: once more.
async fn a25_a_loop_without_end_is_refused() {
    let truth = TensorProto {
        name: "true".to_owned(),
        data_type: DataType::Bool as i32,
        int32_data: vec![1],
        ..TensorProto::default()
    };
    let turn = GraphProto {
        node: vec![node("Identity", &["again"], "once_more"), node("Relu", &["before"], "after")],
        ..GraphProto::default()
    };
    let mut endless = around("Loop");
    endless.node[2] =
        node_with("Loop", &["turns", "true", "flat"], "score", vec![body("body", turn)]);
    endless.initializer = vec![integers("turns", &[1 << 62]), truth];
    refuses("a loop", &bytes(endless), "MODEL_OPERATOR_REFUSED").await;
    // Without its body it is as little an operator of an ordinary graph.
    refuses("a bare loop", &bytes(around("Loop")), "MODEL_OPERATOR_REFUSED").await;
}

async fn a25_other_control_flow_is_refused() {
    for operator in ["If", "Scan", "SequenceMap"] {
        refuses(operator, &bytes(around(operator)), "MODEL_OPERATOR_REFUSED").await;
        let mut hidden = around("Relu");
        hidden.node[2].attribute = vec![body("then_branch", tiny_cnn())];
        refuses("a body of a harmless node", &bytes(hidden), "MODEL_OPERATOR_REFUSED").await;
    }
}

/// `count` nodes that do nothing.
fn idle_chain(count: usize) -> GraphProto {
    let name = |step| if step == 0 { "image".to_owned() } else { format!("n{step}") };
    let mut nodes: Vec<_> =
        (0..count).map(|step| node("Identity", &[&name(step)], &name(step + 1))).collect();
    nodes.push(node("ReduceMax", &[&name(count)], "score"));
    graph(nodes, Vec::new())
}

/// They would keep the engine's optimiser busy for a minute.
async fn a25_two_hundred_thousand_nodes_are_refused() {
    refuses("200,000 nodes", &bytes(idle_chain(200_000)), "MODEL_TOO_LARGE").await;
    refuses("one node too many", &bytes(idle_chain(LIMITS.max_nodes - 2)), "MODEL_TOO_LARGE").await;
}

/// The clock runs from the first look at the file to the end of the optimiser.
async fn a25_the_wall_clock_ends_a_load() {
    let model = bytes(idle_chain(15_000));
    let limits = InferenceLimits { load_seconds: 0, ..LIMITS };
    refuses_in(&limits, "a graph at the limit", &model, "MODEL_LOAD_TIMEOUT").await;
    serves_the_next().await;
}

/// Hours of cosines, each of sixteen million numbers.
pub(crate) fn hours() -> GraphProto {
    let mut nodes = vec![node("Tile", &["image", "repeats"], "c0")];
    nodes.extend(
        (0..2_000).map(|step| node("Cos", &[&format!("c{step}")], &format!("c{}", step + 1))),
    );
    nodes.push(node("ReduceMax", &["c2000"], "score"));
    graph(nodes, vec![integers("repeats", &[1, 1, 1024, 1024])])
}

async fn a25_the_wall_clock_ends_a_case() {
    let model = bytes(hours());
    let limits = InferenceLimits { load_seconds: 120, case_seconds: 1, ..LIMITS };
    let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
    let mut loaded = load_in(&program, &limits, &specification(&model), &model).await.unwrap();
    let ended = score(&mut loaded, &[0.5; 16]).await.unwrap_err();
    assert_eq!((ended, ended.code()), (ScoreError::TimedOut, "MODEL_TIMEOUT"));
    serves_the_next().await;
}
