//! Good and hostile models in a box: each gives its code, and the parent lives.
//!
//! This executable is both sides: started with the inference role, it is the child.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod onnx_file;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use fedval_ambient::Problem as _;
use fedval_inference::{
    INFERENCE_ROLE, InferenceLimits, LoadError, ModelBox, ScoreError, inference_box_main,
};
use fedval_ingest::{DecodeRequest, decode_image};
use fedval_sandbox::BoxProgram;
use fedval_study::protocol::{ModelInput, ModelOutput, ModelSpecification, ScoreScale};
use libtest_mimic::{Arguments, Trial};
use onnx_file::{
    around, batch_of_two, branch, bytes, contradiction, declared_100_gb, external_data, idle_chain,
    nested, node, specification, tile_bomb, tiny_cnn,
};
use tempfile::NamedTempFile;

const LIMITS: InferenceLimits = InferenceLimits {
    memory_bytes: 1 << 30,
    load_seconds: 20,
    case_seconds: 20,
    max_model_bytes: 64 << 20,
    max_nodes: 20_000,
};

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(INFERENCE_ROLE) {
        return inference_box_main();
    }
    libtest_mimic::run(&Arguments::from_args(), trials()).exit_code()
}

fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("a_model_scores_as_its_weights_say", scores()),
        trial("a_logit_is_not_held_to_0_and_1", scores_logits()),
        trial("a10_a_model_that_mixes_a_batch_sees_one_image_at_a_time", mixes_nothing()),
        trial("an_output_that_is_no_score_fails_its_case_only", refuses_outputs()),
        trial("a_model_that_is_not_the_pinned_one_is_not_parsed", checks_the_digest()),
        trial("input_and_output_must_be_the_protocols", checks_the_interface()),
        trial("the_wall_clock_ends_a_load", times_out()),
        trial("a_tile_bomb_ends_its_box_and_nothing_else", survives_a_tile_bomb()),
        trial("radiographs_score_as_in_the_reference_engine", scores_radiographs()),
    ];
    let mut foreign = tiny_cnn();
    foreign.node[0].domain.push_str("com.microsoft");
    let cnn = bytes(tiny_cnn());
    for (name, model, code) in [
        ("text", b"# a read-me file, not a model\n".to_vec(), "MODEL_NOT_ONNX"),
        ("nothing", Vec::new(), "MODEL_NOT_ONNX"),
        ("half_a_model", cnn[..cnn.len() / 2].to_vec(), "MODEL_NOT_ONNX"),
        ("external_data", bytes(external_data()), "MODEL_EXTERNAL_DATA"),
        ("declared_100_gb", bytes(declared_100_gb()), "MODEL_TOO_LARGE"),
        ("200_000_nodes", bytes(idle_chain(200_000)), "MODEL_TOO_LARGE"),
        ("control_flow", bytes(branch()), "MODEL_OPERATOR_REFUSED"),
        ("a_loop", bytes(around("Loop")), "MODEL_OPERATOR_REFUSED"),
        ("randomness", bytes(around("RandomNormalLike")), "MODEL_OPERATOR_REFUSED"),
        ("a_custom_domain", bytes(foreign), "MODEL_OPERATOR_REFUSED"),
        ("200_nested_branches", bytes(nested(200)), "MODEL_NOT_ONNX"),
        ("a10_a_batch_of_two", bytes(batch_of_two()), "MODEL_INPUT_MISMATCH"),
        ("a_cycle", bytes(cycle()), "MODEL_LOAD_FAILED"),
        ("a_panic_in_the_engine", bytes(contradiction()), "MODEL_CRASHED"),
    ] {
        trials.push(trial(&format!("{name}_is_refused_by_its_code"), refuses(model, code)));
    }
    trials
}

fn trial(name: &str, test: impl Future<Output = ()> + Send + 'static) -> Trial {
    Trial::test(name, move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(test);
        Ok(())
    })
}

fn cycle() -> tract_onnx::pb::GraphProto {
    let mut graph = tiny_cnn();
    graph.node[0] = node("Add", &["image", "active"], "features");
    graph
}

async fn load(specification: &ModelSpecification, model: &[u8]) -> Result<ModelBox, LoadError> {
    let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
    load_in(&program, &LIMITS, specification, model).await
}

async fn load_in(
    program: &BoxProgram,
    limits: &InferenceLimits,
    specification: &ModelSpecification,
    model: &[u8],
) -> Result<ModelBox, LoadError> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(model).unwrap();
    ModelBox::load(program, limits, specification, file.path()).await
}

async fn score(model: &mut ModelBox, tensor: &[f32]) -> Result<f64, ScoreError> {
    model.score(tensor).await.map(|score| *score.open_on_site())
}

async fn refuses(model: Vec<u8>, code: &'static str) {
    let refused = load(&specification(&model), &model).await.unwrap_err();
    assert_eq!(refused.code(), code);
    assert!(refused.remedy().is_some());
}

async fn scores() {
    let model = bytes(tiny_cnn());
    let mut loaded = load(&specification(&model), &model).await.unwrap();
    for value in [1.0, 0.75, 0.5] {
        let expected = 1.0 / (1.0 + (1.0 - 2.0 * f64::from(value)).exp());
        let score = score(&mut loaded, &[value; 16]).await.unwrap();
        assert!((score - expected).abs() < 1e-6, "{score} is not {expected}");
    }
    assert_eq!(score(&mut loaded, &[0.5; 15]).await, Err(ScoreError::Invalid));
}

/// The largest score of the batch: one patient's bit could stand in every score.
async fn mixes_nothing() {
    let model = bytes(around("ReduceMax"));
    let mut loaded = load(&specification(&model), &model).await.unwrap();
    for value in [0.25, 0.875, 0.25, 0.5] {
        let alone = score(&mut loaded, &[value; 16]).await.unwrap();
        assert!((alone - f64::from(value)).abs() < 1e-6, "{alone} is not of one image alone");
    }
}

async fn scores_logits() {
    let model = bytes(around("Neg"));
    let mut specification = specification(&model);
    specification.output.scale = ScoreScale::Logit;
    let mut loaded = load(&specification, &model).await.unwrap();
    assert!((score(&mut loaded, &[7.5; 16]).await.unwrap() + 7.5).abs() < 1e-6);
}

async fn refuses_outputs() {
    for (operator, hostile) in [("Sqrt", -1.0), ("Reciprocal", 0.0), ("Neg", 0.5)] {
        let model = bytes(around(operator));
        let mut loaded = load(&specification(&model), &model).await.unwrap();
        assert_eq!(score(&mut loaded, &[hostile; 16]).await, Err(ScoreError::Invalid));
        let harmless = if operator == "Neg" { -0.5 } else { 1.0 };
        assert!(score(&mut loaded, &[harmless; 16]).await.is_ok());
    }
}

async fn checks_the_digest() {
    let model = bytes(tiny_cnn());
    let other = bytes(around("Relu"));
    let longer = [&model[..], b" "].concat();
    for found in [&other[..], &model[1..], &longer, b""] {
        let refused = load(&specification(&model), found).await.unwrap_err();
        assert_eq!(refused.code(), "MODEL_DIGEST_MISMATCH");
    }
    let limits = InferenceLimits { max_model_bytes: 10, ..LIMITS };
    // A program that is not there shows that none is started.
    let absent = BoxProgram { executable: "/nonexistent".into(), role: INFERENCE_ROLE };
    let refused = load_in(&absent, &limits, &specification(&model), &model).await;
    assert_eq!(refused.unwrap_err().code(), "MODEL_TOO_LARGE");
    let refused = load_in(&absent, &LIMITS, &specification(&model), &model).await;
    assert_eq!(refused.unwrap_err().code(), "SANDBOX_NOT_STARTED");
    let nowhere = Path::new("/nonexistent");
    let refused = ModelBox::load(&absent, &LIMITS, &specification(&model), nowhere).await;
    assert_eq!(refused.unwrap_err().code(), "MODEL_NOT_READ");
}

async fn checks_the_interface() {
    let model = bytes(tiny_cnn());
    let pinned = specification(&model);
    let code = async |changed: ModelSpecification| load(&changed, &model).await.unwrap_err().code();
    for input in [
        ModelInput { name: "other".to_owned(), ..pinned.input.clone() },
        ModelInput { height: 8, ..pinned.input.clone() },
        ModelInput { channels: 3, ..pinned.input.clone() },
    ] {
        let changed = ModelSpecification { input, ..pinned.clone() };
        assert_eq!(code(changed).await, "MODEL_INPUT_MISMATCH");
    }
    for output in [
        ModelOutput { name: "other".to_owned(), ..pinned.output.clone() },
        ModelOutput { positive_index: 1, ..pinned.output.clone() },
    ] {
        let changed = ModelSpecification { output, ..pinned.clone() };
        assert_eq!(code(changed).await, "MODEL_OUTPUT_MISMATCH");
    }
}

async fn times_out() {
    let model = bytes(idle_chain(15_000));
    let limits = InferenceLimits { load_seconds: 0, ..LIMITS };
    let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
    let refused = load_in(&program, &limits, &specification(&model), &model).await;
    assert_eq!(refused.unwrap_err().code(), "MODEL_LOAD_TIMEOUT");
}

async fn survives_a_tile_bomb() {
    let model = bytes(tile_bomb());
    match load(&specification(&model), &model).await {
        Err(LoadError::Crashed | LoadError::TimedOut | LoadError::Failed) => {}
        Err(other) => panic!("{other:?}"),
        Ok(mut loaded) => {
            let ended = score(&mut loaded, &[0.5; 16]).await.unwrap_err();
            assert!(matches!(ended, ScoreError::Died | ScoreError::TimedOut), "{ended:?}");
        }
    }
    scores().await;
}

/// Against the scores of ONNX Runtime on the same pixels, where that data set is at hand.
async fn scores_radiographs() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cxr");
    let Ok(model) = std::fs::read(format!("{data}/pneumonia.onnx")) else { return };
    let expected = std::fs::read(format!("{data}/expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let mut specification = specification(&model);
    (specification.input.height, specification.input.width) = (256, 256);
    "probability".clone_into(&mut specification.output.name);
    let mut loaded = load(&specification, &model).await.unwrap();
    for (site, extension) in [(0, "png"), (1, "dcm")] {
        let site = &expected["sites"][site];
        let folder = format!("{data}/{}/images", site["site"].as_str().unwrap());
        for (case, reference) in site["scores"].as_object().unwrap().iter().take(8) {
            let bytes = std::fs::read(format!("{folder}/{case}.{extension}")).unwrap();
            let request =
                DecodeRequest { input: &specification.input, dicom_attributes: &[], bytes: &bytes };
            let image = decode_image(&request).unwrap();
            let score = score(&mut loaded, &image.tensor).await.unwrap();
            assert!((score - reference.as_f64().unwrap()).abs() < 1e-4);
        }
    }
}
