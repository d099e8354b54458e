//! ONNX Runtime in the box: it scores as the embedded engine does, and the attacks on that meet the same walls.
//!
//! The library is the one that `FEDVAL_ONNX_RUNTIME` names; `tests/run.sh` fetches it. Without it these tests fail.

use std::io::Write as _;
use std::path::PathBuf;

use fedval_ambient::Problem as _;
use fedval_inference::{
    INFERENCE_ROLE, InferenceLimits, LoadError, ModelBox, RuntimeLibrary, ScoreError,
};
use fedval_sandbox::BoxProgram;
use fedval_study::digest::Sha256Digest;
use fedval_study::protocol::{ModelOutput, ModelSpecification, ScoreScale};
use libtest_mimic::Trial;
use prost::Message as _;
use tempfile::NamedTempFile;
use tract_onnx::pb::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto};

use crate::onnx_file::{
    CLASSES, around, bytes, graph, integers, node, specification, three_classes, tiny_cnn, value,
};
use crate::{
    CANARY, LIMITS, Radiographs, a24_memory, a25_endless, load, radiographs, resident_kibibytes,
    score, trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("onnx_runtime_scores_as_the_weights_say", scores()),
        trial("onnx_runtime_agrees_with_the_embedded_engine_operator_by_operator", agrees()),
        trial("onnx_runtime_agrees_with_the_embedded_engine_on_radiographs", agrees_on_images()),
        trial("onnx_runtime_comes_back_to_the_last_bit", comes_back()),
        trial("onnx_runtime_is_given_what_the_inspection_read", is_given_what_was_inspected()),
        trial("onnx_runtime_takes_old_and_contradictory_files", takes_odd_files()),
        trial("onnx_runtime_refuses_what_the_inspection_refuses", refuses_alike()),
        trial("onnx_runtime_gives_no_score_for_what_is_none", gives_no_score()),
        trial("onnx_runtime_is_ended_by_the_wall_clock", is_ended_by_the_clock()),
        trial("a_library_that_is_none_is_told_by_its_code", is_no_library()),
        trial("a_library_that_changes_later_changes_nothing", stays_as_it_was_pinned()),
    ];
    trials.extend(a24_memory::models().into_iter().map(|(name, graph)| {
        trial(&format!("onnx_runtime_a24_{name}_of_100_gb"), runs_out_of_memory(name, graph))
    }));
    trials
}

/// The library's file.
fn file() -> PathBuf {
    let file = std::env::var_os("FEDVAL_ONNX_RUNTIME");
    file.expect("FEDVAL_ONNX_RUNTIME names libonnxruntime.so, as tests/run.sh says").into()
}

fn library() -> RuntimeLibrary {
    let pinned = Sha256Digest::of(&std::fs::read(file()).unwrap());
    RuntimeLibrary::open(&file(), &pinned).unwrap()
}

async fn load_with(
    library: &RuntimeLibrary,
    limits: &InferenceLimits,
    specification: &ModelSpecification,
    model: &[u8],
) -> Result<ModelBox, LoadError> {
    let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(model).unwrap();
    ModelBox::load_with(&program, limits, specification, file.path(), Some(library)).await
}

/// The same with the usual limits.
pub(crate) async fn load_here_as(
    specification: &ModelSpecification,
    model: &[u8],
) -> Result<ModelBox, LoadError> {
    load_with(&library(), &LIMITS, specification, model).await
}

async fn load_here(model: &[u8]) -> Result<ModelBox, LoadError> {
    load_with(&library(), &LIMITS, &specification(model), model).await
}

async fn scores() {
    let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
    library().try_out(&program, &LIMITS).await.unwrap();
    let model = bytes(tiny_cnn());
    let mut loaded = load_here(&model).await.unwrap();
    for value in [1.0, 0.75, 0.5] {
        let expected = 1.0 / (1.0 + (1.0 - 2.0 * f64::from(value)).exp());
        let score = score(&mut loaded, &[value; 16]).await.unwrap();
        assert!((score - expected).abs() < 1e-6, "{score} is not {expected}");
    }
    assert_eq!(score(&mut loaded, &[0.5; 15]).await, Err(ScoreError::Invalid));

    let model = bytes(three_classes());
    let one = specification(&model);
    let of = |values| ModelOutput { values, ..one.output.clone() };
    let pinned = ModelSpecification { output: of(3), ..one.clone() };
    let mut loaded = load_with(&library(), &LIMITS, &pinned, &model).await.unwrap();
    let found = loaded.scores(&[0.5; 16]).await.unwrap();
    let powers = CLASSES.map(|(weight, bias)| f64::from(weight * 0.5 + bias).exp());
    let sum: f64 = powers.iter().sum();
    assert_eq!(found.open_on_site().len(), 3);
    for (score, power) in found.open_on_site().iter().zip(powers) {
        assert!((score - power / sum).abs() < 1e-6, "{score} is not {}", power / sum);
    }
    let more = ModelSpecification { output: of(4), ..one };
    let refused = load_with(&library(), &LIMITS, &more, &model).await.unwrap_err();
    assert_eq!(refused.code(), "MODEL_OUTPUT_MISMATCH");
}

async fn agrees() {
    for operator in [
        "Abs",
        "Ceil",
        "Cos",
        "Elu",
        "Erf",
        "Exp",
        "Floor",
        "HardSigmoid",
        "Identity",
        "LeakyRelu",
        "Log",
        "Neg",
        "Reciprocal",
        "Relu",
        "Sigmoid",
        "Sin",
        "Softplus",
        "Sqrt",
        "Tanh",
    ] {
        let model = bytes(around(operator));
        let mut pinned = specification(&model);
        pinned.output.scale = ScoreScale::Logit;
        let mut embedded = load(&pinned, &model).await.unwrap();
        let mut runtime = load_with(&library(), &LIMITS, &pinned, &model).await.unwrap();
        for value in [0.1, 0.375, 0.9, 3.25] {
            let one = score(&mut embedded, &[value; 16]).await.unwrap();
            let other = score(&mut runtime, &[value; 16]).await.unwrap();
            assert!((one - other).abs() < 1e-4, "{operator} of {value}: {one} and {other}");
        }
    }
}

/// To what the issue asks for; where that data set is at hand.
async fn agrees_on_images() {
    let Some(Radiographs { model, specification, cases }) = radiographs() else { return };
    let mut embedded = load(&specification, &model).await.unwrap();
    let mut runtime = load_with(&library(), &LIMITS, &specification, &model).await.unwrap();
    assert_eq!(cases.len(), 16);
    for (tensor, reference) in cases {
        let one = score(&mut embedded, &tensor).await.unwrap();
        let other = score(&mut runtime, &tensor).await.unwrap();
        assert!((one - other).abs() < 1e-4, "{one} and {other}");
        assert!((other - reference).abs() < 1e-4, "{other} and {reference}");
    }
}

async fn comes_back() {
    let model = bytes(three_classes());
    let tensor: Vec<f32> = (0_u8..16).map(|place| f32::from(place) / 17.0).collect();
    let mut found = Vec::new();
    for _ in 0..2 {
        let mut loaded = load_here(&model).await.unwrap();
        for _ in 0..3 {
            found.push(score(&mut loaded, &tensor).await.unwrap().to_bits());
            score(&mut loaded, &[0.9; 16]).await.unwrap();
        }
    }
    assert!(found.iter().all(|bits| *bits == found[0]), "{found:?}");
}

/// The file of a model in which `change` was made.
fn changed(change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut model = ModelProto::decode(&bytes(tiny_cnn())[..]).unwrap();
    change(&mut model);
    model.encode_to_vec()
}

/// One file that is two things to two readers: bytes that say another format, parts that only one of them knows,
/// and a say in how it is run.
async fn is_given_what_was_inspected() {
    let two_formats = changed(|model| "ORTM".clone_into(&mut model.producer_name));
    assert_eq!(&two_formats[4..8], b"ORTM", "where the library looks");
    let mut unknown = bytes(tiny_cnn());
    // Field 30 of a model, and field 26: nobody's yet.
    unknown.extend([0xf2, 0x01, 0x02, 0x08, 0x01, 0xd2, 0x01, 0x01, 0x41]);
    let configured = changed(|model| {
        let config = r#"{"session_options": {"intra_op_num_threads": 64, "enable_profiling": 1}}"#;
        model.metadata_props =
            vec![StringStringEntryProto { key: "ort_config".to_owned(), value: config.to_owned() }];
        CANARY.clone_into(&mut model.doc_string);
    });
    for model in [two_formats, unknown, configured] {
        let mut loaded = load_here(&model).await.unwrap();
        let score = score(&mut loaded, &[0.5; 16]).await.unwrap();
        assert!((score - 0.5).abs() < 1e-6, "{score}");
    }
}

async fn takes_odd_files() {
    // Stored tensors among the inputs, as old exporters wrote them.
    let stored = |name: &str, rank: usize| value(name, &vec![Some(1); rank]);
    let mut old = tiny_cnn();
    old.input.extend([stored("weight", 4), stored("bias", 1)]);
    // A symbolic batch was exported as one of two, in between and at the end.
    let mut stale = tiny_cnn();
    stale.value_info = vec![value("features", &[Some(2), Some(1), Some(4), Some(4)])];
    stale.output = vec![value("score", &[Some(2), Some(1)])];
    // Another output, which nobody asks for.
    let mut more = tiny_cnn();
    more.output.insert(0, value("pooled", &[None, Some(1), Some(1), Some(1)]));
    for odd in [old, stale, more] {
        let mut loaded = load_here(&bytes(odd)).await.unwrap();
        let score = score(&mut loaded, &[0.5; 16]).await.unwrap();
        assert!((score - 0.5).abs() < 1e-6, "{score}");
    }
}

async fn refuses_alike() {
    let mut foreign = tiny_cnn();
    "com.microsoft".clone_into(&mut foreign.node[0].domain);
    let mut elsewhere = tiny_cnn();
    elsewhere.initializer[0].data_location = Some(1);
    let mut larger = tiny_cnn();
    larger.initializer[0].dims = vec![25_000_000_000];
    let mut two = tiny_cnn();
    two.input = vec![value("image", &[Some(2), Some(1), Some(4), Some(4)])];
    for (what, graph, code) in [
        ("a loop", around("Loop"), "MODEL_OPERATOR_REFUSED"),
        ("a foreign domain", foreign, "MODEL_OPERATOR_REFUSED"),
        ("noise", around("RandomNormalLike"), "MODEL_OPERATOR_REFUSED"),
        ("data elsewhere", elsewhere, "MODEL_EXTERNAL_DATA"),
        ("more than it holds", larger, "MODEL_TOO_LARGE"),
        ("a batch of two", two, "MODEL_INPUT_MISMATCH"),
    ] {
        let refused = load_here(&bytes(graph)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{what}");
    }
    // What the inspection admits and the library does not: its words, which quote the model, stay inside.
    let mut unmade = tiny_cnn();
    CANARY.clone_into(&mut unmade.node[0].input[0]);
    let version = |version| OperatorSetIdProto { domain: String::new(), version };
    let future = changed(|model| model.opset_import = vec![version(9_999)]);
    for model in [bytes(unmade), future] {
        let refused = load_here(&model).await.unwrap_err();
        assert_eq!(refused.code(), "MODEL_LOAD_FAILED");
        let told = format!("{refused} {refused:?} {}", refused.remedy().unwrap());
        assert!(!told.contains("ZZCANARY"), "{told}");
    }
    let model = bytes(tiny_cnn());
    let pinned = specification(b"another file");
    let refused = load_with(&library(), &LIMITS, &pinned, &model).await.unwrap_err();
    assert_eq!(refused.code(), "MODEL_DIGEST_MISMATCH");
}

async fn gives_no_score() {
    for (operator, hostile, harmless) in [
        ("Sqrt", -1.0, 1.0),
        ("Reciprocal", 0.0, 2.0),
        ("Relu", 1.5, 0.5),
        ("Identity", f32::NAN, 0.5),
    ] {
        let mut loaded = load_here(&bytes(around(operator))).await.unwrap();
        let refused = score(&mut loaded, &[hostile; 16]).await;
        assert_eq!(refused, Err(ScoreError::Invalid), "{operator} of {hostile}");
        assert!(score(&mut loaded, &[harmless; 16]).await.is_ok(), "{operator} of {harmless}");
    }
    let nodes =
        vec![node("Tile", &["image", "repeats"], "many"), node("Flatten", &["many"], "score")];
    let many = graph(nodes, vec![integers("repeats", &[1, 1, 1, 625_000])]);
    let many = bytes(GraphProto { output: vec![value("score", &[None, None])], ..many });
    let code = match load_here(&many).await {
        Err(refused) => refused.code(),
        Ok(mut loaded) => score(&mut loaded, &[0.5; 16]).await.unwrap_err().code(),
    };
    assert!(["MODEL_OUTPUT_MISMATCH", "MODEL_OUTPUT_INVALID"].contains(&code), "{code}");
}

async fn is_ended_by_the_clock() {
    let model = bytes(a25_endless::hours());
    let limits = InferenceLimits { load_seconds: 120, case_seconds: 1, ..LIMITS };
    let pinned = specification(&model);
    let mut loaded = load_with(&library(), &limits, &pinned, &model).await.unwrap();
    assert_eq!(score(&mut loaded, &[0.5; 16]).await, Err(ScoreError::TimedOut));
}

/// The library says that there is no memory, or ends with its box; this process does not grow, and the next
/// model is served.
async fn runs_out_of_memory(what: &'static str, graph: GraphProto) {
    let before = resident_kibibytes();
    let code = match load_here(&bytes(graph)).await {
        Err(refused) => refused.code(),
        Ok(mut loaded) => score(&mut loaded, &[0.5; 16]).await.unwrap_err().code(),
    };
    let expected = ["MODEL_CRASHED", "MODEL_DIED", "MODEL_LOAD_FAILED", "MODEL_OUTPUT_INVALID"];
    assert!(expected.contains(&code), "{what}: {code}");
    // Copies of the library are in memory that every test's process has for itself.
    assert!(resident_kibibytes() < before + 320 * 1024, "{what}: the parent grew");
    let model = bytes(tiny_cnn());
    let mut next = load_here(&model).await.unwrap();
    assert!(score(&mut next, &[0.5; 16]).await.is_ok());
}

async fn is_no_library() {
    let model = bytes(tiny_cnn());
    let not_elf = b"MZ no library of this system".to_vec();
    // Cut in the middle, and one that is whole and another's.
    let cut = std::fs::read(file()).unwrap()[..1 << 20].to_vec();
    let other =
        ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6", "/lib/aarch64-linux-gnu/libm.so.6"];
    let other = other.into_iter().find_map(|file| std::fs::read(file).ok()).expect("libm");
    for (what, library) in [("no library", not_elf), ("a cut one", cut), ("another's", other)] {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&library).unwrap();
        let wrong = RuntimeLibrary::open(file.path(), &Sha256Digest::of(b"other")).unwrap_err();
        assert_eq!(wrong.code(), "ENGINE_LIBRARY_MISMATCH", "{what}");
        let library = RuntimeLibrary::open(file.path(), &Sha256Digest::of(&library)).unwrap();
        let refused =
            load_with(&library, &LIMITS, &specification(&model), &model).await.unwrap_err();
        assert_eq!(refused.code(), "ENGINE_LIBRARY_NOT_LOADED", "{what}");
        let tried = library.try_out(&BoxProgram::current(INFERENCE_ROLE).unwrap(), &LIMITS).await;
        assert_eq!(tried.unwrap_err().code(), "ENGINE_LIBRARY_NOT_LOADED", "{what}");
        assert!(refused.remedy().unwrap().contains("install"), "{what}");
        assert_eq!(refused.waits(), Some(false));
    }
}

async fn stays_as_it_was_pinned() {
    let copy = NamedTempFile::new().unwrap();
    std::fs::copy(file(), copy.path()).unwrap();
    let pinned = Sha256Digest::of(&std::fs::read(copy.path()).unwrap());
    let library = RuntimeLibrary::open(copy.path(), &pinned).unwrap();
    std::fs::write(copy.path(), b"MZ something else").unwrap();
    let model = bytes(tiny_cnn());
    let mut loaded = load_with(&library, &LIMITS, &specification(&model), &model).await.unwrap();
    assert!(score(&mut loaded, &[0.5; 16]).await.is_ok());
    let again = RuntimeLibrary::open(copy.path(), &pinned).unwrap_err();
    assert_eq!(again.code(), "ENGINE_LIBRARY_MISMATCH");
    // Gone altogether: boxes that start later need the copy alone.
    std::fs::remove_file(copy.path()).unwrap();
    assert!(load_with(&library, &LIMITS, &specification(&model), &model).await.is_ok());
    let missing = RuntimeLibrary::open(copy.path(), &pinned).unwrap_err();
    assert_eq!(missing.code(), "ENGINE_LIBRARY_NOT_READ");
    assert!(missing.remedy().unwrap().contains("fedval-agent check"));
}
