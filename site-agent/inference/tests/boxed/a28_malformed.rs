//! A28: files that are no models, and models that only a parser could love.

use fedval_ambient::Problem as _;
use fedval_inference::{INFERENCE_ROLE, InferenceLimits, LoadError, inspect_model};
use fedval_sandbox::BoxProgram;
use libtest_mimic::{Failed, Trial};
use proptest::collection::vec;
use proptest::test_runner::{Config, TestRunner};
use tract_onnx::pb::{AttributeProto, GraphProto, ValueInfoProto};

use crate::onnx_file::{around, bytes, node, node_with, specification, tiny_cnn};
use crate::{CANARY, LIMITS, load_in, refuses, refuses_in, serves_the_next, trial};

/// Too little for a box that decodes millions of messages: such a box ends, with another code.
const TIGHT: InferenceLimits =
    InferenceLimits { memory_bytes: 384 << 20, max_model_bytes: 256 << 20, ..LIMITS };

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a28_no_model_at_all", a28_what_is_no_model_is_refused()),
        trial("a28_cycles", a28_graphs_with_cycles_are_refused()),
        trial("a28_ten_thousand_branches_deep", a28_ten_thousand_nested_branches_are_refused()),
        trial("a28_ten_million_nodes", a28_ten_million_nodes_are_refused()),
        trial("a28_millions_of_parts", a28_millions_of_other_parts_are_refused()),
        trial("a28_names_of_100_mb", a28_names_of_a_hundred_megabytes_are_refused()),
        trial("a28_a_panic_in_the_engine", a28_a_panic_in_the_engine_says_nothing()),
        Trial::test("a28_cut_short_anywhere", a28_a_model_cut_short_anywhere_is_refused),
        Trial::test("a28_damaged_anywhere", a28_a_model_damaged_anywhere_harms_nothing),
    ]
}

/// What the pre-parse alone says.
fn inspected(model: &[u8]) -> Result<(), LoadError> {
    inspect_model(model.to_vec(), &specification(model), LIMITS.max_nodes)
}

async fn a28_what_is_no_model_is_refused() {
    let cnn = bytes(tiny_cnn());
    let words = format!("# {CANARY}: a read-me file, not a model\n").into_bytes();
    for (what, file) in [
        ("nothing", Vec::new()),
        ("text", words),
        ("half a model", cnn[..cnn.len() / 2].to_vec()),
        ("zeros", vec![0; 1_000]),
        ("ones", vec![0xff; 1_000]),
        ("a PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
        ("a program", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec()),
        ("a graph of an unknown version", {
            let graph = tract_onnx::pb::ModelProto {
                graph: Some(tiny_cnn()),
                ..tract_onnx::pb::ModelProto::default()
            };
            prost::Message::encode_to_vec(&graph)
        }),
    ] {
        refuses(what, &file, "MODEL_NOT_ONNX").await;
    }
    serves_the_next().await;
}

async fn a28_graphs_with_cycles_are_refused() {
    let mut graph = tiny_cnn();
    graph.node[0] = node("Add", &["image", "active"], "features");
    refuses("a cycle of two", &bytes(graph), "MODEL_LOAD_FAILED").await;
    let mut itself = around("Relu");
    itself.node[2] = node("Add", &["flat", "score"], "score");
    refuses("a node of its own output", &bytes(itself), "MODEL_LOAD_FAILED").await;
    let mut missing = around("Relu");
    CANARY.clone_into(&mut missing.node[2].input[0]);
    refuses("an input from nowhere", &bytes(missing), "MODEL_LOAD_FAILED").await;
}

/// Writes the file from its end, so that no branch is copied into the next.
fn nested(depth: usize) -> Vec<u8> {
    let mut reversed: Vec<u8> = Vec::new();
    let put = |reversed: &mut Vec<u8>, bytes: &[u8]| reversed.extend(bytes.iter().rev());
    let message = |reversed: &mut Vec<u8>, number: u8, since: usize| {
        let mut length = reversed.len() - since;
        let mut head = vec![number << 3 | 2];
        while length > 0x7f {
            head.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        head.push(u8::try_from(length).unwrap());
        put(reversed, &head);
    };
    for _ in 0..depth {
        // graph → node → attribute `then_branch` → graph.
        message(&mut reversed, 6, 0);
        put(&mut reversed, b"\x0a\x0bthen_branch");
        message(&mut reversed, 5, 0);
        put(&mut reversed, b"\x22\x02If");
        message(&mut reversed, 1, 0);
    }
    message(&mut reversed, 7, 0);
    put(&mut reversed, &[1 << 3, 8]);
    reversed.reverse();
    reversed
}

async fn a28_ten_thousand_nested_branches_are_refused() {
    // In this process, in a thread of a small stack: nothing calls itself to follow them.
    let deep = nested(10_000);
    let looked = std::thread::Builder::new().stack_size(256 << 10).spawn(move || {
        let refused = inspected(&deep).unwrap_err().code();
        (deep, refused)
    });
    let (deep, code) = looked.unwrap().join().unwrap();
    assert_eq!(code, "MODEL_OPERATOR_REFUSED");
    for file in [deep, nested(200), nested(1)] {
        refuses("nested branches", &file, "MODEL_OPERATOR_REFUSED").await;
    }
    // Lists in lists of unknown fields: groups.
    refuses("nested groups", &vec![15 << 3 | 3; 1 << 20], "MODEL_NOT_ONNX").await;
    serves_the_next().await;
}

/// A model whose graph has `count` times the empty message `field`.
fn crowded(field: u8, count: usize) -> Vec<u8> {
    let graph = [field << 3 | 2, 0].repeat(count);
    let empty = GraphProto::default();
    let head = bytes(GraphProto { doc_string: String::new(), ..empty });
    let mut length = graph.len();
    let mut file = head;
    file.push(7 << 3 | 2);
    while length > 0x7f {
        file.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    file.push(u8::try_from(length).unwrap());
    file.extend(graph);
    file
}

async fn a28_ten_million_nodes_are_refused() {
    refuses_in(&TIGHT, "10 million nodes", &crowded(1, 10_000_000), "MODEL_TOO_LARGE").await;
    serves_the_next().await;
}

/// Stored tensors, inputs, outputs, types of values, annotations: two bytes each.
async fn a28_millions_of_other_parts_are_refused() {
    for field in [5, 11, 12, 13, 14] {
        let what = format!("3 million of field {field}");
        refuses_in(&TIGHT, &what, &crowded(field, 3_000_000), "MODEL_TOO_LARGE").await;
    }
    let many = |attribute| {
        let mut graph = around("Relu");
        graph.node[2].attribute = vec![attribute];
        bytes(graph)
    };
    let strings = AttributeProto {
        name: "strings".to_owned(),
        strings: vec![Vec::new(); 2_000_000],
        ..AttributeProto::default()
    };
    refuses_in(&TIGHT, "2 million strings", &many(strings), "MODEL_TOO_LARGE").await;
    let mut graph = around("Concat");
    graph.node[2].input = vec!["flat".to_owned(); 2_000_000];
    refuses_in(&TIGHT, "2 million inputs of a node", &bytes(graph), "MODEL_TOO_LARGE").await;
}

async fn a28_names_of_a_hundred_megabytes_are_refused() {
    let long = CANARY.repeat(100_000_000 / CANARY.len());
    let mut named = tiny_cnn();
    named.node[0].name.clone_from(&long);
    let model = bytes(named);
    // Above the limit of the file no process is started at all.
    let absent = BoxProgram { executable: "/nonexistent".into(), role: INFERENCE_ROLE };
    let refused = load_in(&absent, &LIMITS, &specification(&model), &model).await.unwrap_err();
    assert_eq!(refused.code(), "MODEL_TOO_LARGE");
    refuses_in(&TIGHT, "the name of a node", &model, "MODEL_TOO_LARGE").await;
    drop(model);
    let further = ValueInfoProto { name: long, ..ValueInfoProto::default() };
    let mut named = tiny_cnn();
    named.value_info.push(further);
    refuses_in(&TIGHT, "the name of a value", &bytes(named), "MODEL_TOO_LARGE").await;
    serves_the_next().await;
}

/// Axes that the image does not have: the engine asserts.
async fn a28_a_panic_in_the_engine_says_nothing() {
    let axis = AttributeProto {
        name: "axis".to_owned(),
        i: 1 << 40,
        r#type: 2,
        ..AttributeProto::default()
    };
    for operator in ["Flatten", "Softmax", "Concat", "Gather", "ArgMax", "Split", "Squeeze"] {
        let mut graph = around(operator);
        graph.node[2] = node_with(operator, &["flat", "flat"], "score", vec![axis.clone()]);
        CANARY.clone_into(&mut graph.node[2].name);
        let model = bytes(graph);
        let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
        let Err(refused) = load_in(&program, &LIMITS, &specification(&model), &model).await else {
            panic!("{operator} was taken")
        };
        let expected = ["MODEL_CRASHED", "MODEL_LOAD_FAILED", "MODEL_OUTPUT_MISMATCH"];
        assert!(expected.contains(&refused.code()), "{operator}: {}", refused.code());
        assert!(!format!("{refused} {refused:?}").contains("ZZCANARY"));
        serves_the_next().await;
    }
}

fn a28_a_model_cut_short_anywhere_is_refused() -> Result<(), Failed> {
    let whole = bytes(tiny_cnn());
    inspected(&whole)?;
    // What stands behind the graph is the operator set's version.
    for end in 0..whole.len() - 6 {
        if inspected(&whole[..end]).is_ok() {
            return Err(format!("the first {end} of {} bytes were taken", whole.len()).into());
        }
    }
    Ok(())
}

/// Read or refused: what counts is that there is an answer, in this very process.
fn a28_a_model_damaged_anywhere_harms_nothing() -> Result<(), Failed> {
    let whole = bytes(tiny_cnn());
    let damage = (0..whole.len(), vec(proptest::num::u8::ANY, 0..6));
    let config = Config { failure_persistence: None, ..Config::with_cases(2_000) };
    TestRunner::new(config.clone())
        .run(&damage, |(place, noise)| {
            let mut damaged = whole.clone();
            damaged.splice(place..(place + noise.len() / 2).min(whole.len()), noise);
            let _ = inspected(&damaged);
            Ok(())
        })
        .map_err(|error| error.to_string())?;
    TestRunner::new(config)
        .run(&vec(proptest::num::u8::ANY, 0..200), |noise| {
            proptest::prop_assert!(inspected(&noise).is_err());
            Ok(())
        })
        .map_err(|error| error.to_string().into())
}
