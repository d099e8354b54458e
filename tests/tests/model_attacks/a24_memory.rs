//! A24, A31, A35: models that ask for a hundred gigabytes, that give no scores, that break the engine with
//! words in their names. Each ends its own job, and the agent serves the next.

use fedval_tests::process::Launch;
use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use crate::onnx_file::{around, bytes, floats, graph, integers, node};
use crate::scene::{Scene, harmless};

/// The image tiled a hundredfold, again and again.
fn tile_bomb() -> Vec<u8> {
    let name = |step| if step == 0 { "image".to_owned() } else { format!("t{step}") };
    let mut nodes: Vec<NodeProto> =
        (0..12).map(|step| node("Tile", &[&name(step), "ten"], &name(step + 1))).collect();
    nodes.push(node("ReduceMax", &["t12"], "score"));
    bytes(graph(nodes, vec![integers("ten", &[1, 1, 10, 10])]))
}

/// Shapes that the engine asserts on, with words in every name that it might repeat.
fn outspoken() -> Vec<u8> {
    let sizes = |name: &str| integers(name, &[2_500_000_000, 4]);
    let mut nodes = vec![
        node("ConstantOfShape", &["ZZCANARY-first"], "ZZCANARY-a"),
        node("ConstantOfShape", &["ZZCANARY-second"], "ZZCANARY-b"),
        node("Add", &["ZZCANARY-a", "ZZCANARY-b"], "ZZCANARY-sum"),
        node("ReduceMax", &["ZZCANARY-sum"], "score"),
    ];
    for node in &mut nodes {
        "ZZCANARY^PATIENT \u{1b}[31m /phi-canary/".clone_into(&mut node.name);
    }
    bytes(graph(nodes, vec![sizes("ZZCANARY-first"), sizes("ZZCANARY-second")]))
}

/// A weight of a hundred gigabytes in sixteen bytes.
fn declared() -> Vec<u8> {
    let raw_data = vec![0; 16];
    let weight = TensorProto { raw_data, ..floats("weight", &[25_000, 1_000_000], &[]) };
    bytes(GraphProto { initializer: vec![weight], ..around("Relu") })
}

#[test]
fn a24_a_model_that_asks_for_100_gb_fails_its_job_and_the_agent_serves_the_next() {
    let mut scene = Scene::with(|data| data.add_good(60));
    scene.lock("bomb", &tile_bomb());
    scene.lock("declared", &declared());
    scene.lock("good", &harmless(0));
    scene.run(&Launch::default());
    let note = scene.ask("bomb");
    assert!(["MODEL_DIED", "MODEL_CRASHED"].contains(&note.as_str()), "{note}");
    assert_eq!(scene.status("bomb"), "failed");
    assert_eq!(scene.ask("declared"), "MODEL_TOO_LARGE");
    scene.serves_the_next("good");
    scene.keeps_its_secrets();
}

#[test]
fn a31_outputs_that_are_no_scores_give_no_metric_at_all() {
    let mut scene = Scene::with(|data| data.add_good(60));
    // ln of what lies below 0; a number above 1.
    let mut above = around("Exp");
    above.name = "above 1".to_owned();
    let mut below = around("Sqrt");
    below.node[1] = node("Flatten", &["negative"], "flat");
    below.node.insert(1, node("Neg", &["pooled"], "negative"));
    scene.lock("not-a-number", &bytes(below));
    scene.lock("above-one", &bytes(above));
    scene.lock("good", &harmless(0));
    scene.run(&Launch::default());
    for study in ["not-a-number", "above-one"] {
        assert_eq!(scene.ask(study), "TOO_MANY_FAILED_CASES");
        assert_eq!(scene.status(study), "failed");
    }
    scene.consortium.fedval(&["study", "close", "above-one", "--json"]).json();
    let (_, report) = scene.consortium.report("above-one");
    let site = &report["sites"][0];
    assert_eq!(site["status"], "failed");
    assert!(site["metrics"].as_object().is_none_or(serde_json::Map::is_empty), "{site}");
    scene.serves_the_next("good");
    scene.keeps_its_secrets();
}

#[test]
fn a35_a_model_that_breaks_the_engine_with_words_is_told_by_its_code_alone() {
    let mut scene = Scene::with(|data| data.add_good(60));
    scene.lock("outspoken", &outspoken());
    scene.lock("good", &harmless(0));
    scene.run(&Launch::default());
    assert_eq!(scene.ask("outspoken"), "MODEL_CRASHED");
    assert_eq!(scene.status("outspoken"), "failed");
    scene.serves_the_next("good");
    scene.keeps_its_secrets();
}
