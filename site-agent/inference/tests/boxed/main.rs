//! Good and hostile models in a box: each gives its code, and the parent lives.
//!
//! This executable is both sides: started with the inference role, it is the child.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod a21_external_data;
mod a23_declared_sizes;
mod a24_memory;
mod a25_endless;
mod a26_randomness;
mod a27_foreign;
mod a28_malformed;
mod a29_other_bytes;
mod a30_break_out;
mod a31_outputs;
mod a32_compressed;
#[path = "../onnx_file/mod.rs"]
mod onnx_file;
mod onnx_runtime;
#[path = "../real_server/mod.rs"]
mod real_server;
mod served;

use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use fedval_ambient::Problem as _;
use fedval_inference::{
    INFERENCE_ROLE, InferenceLimits, LoadError, ModelBox, ScoreError, inference_box_main,
};
use fedval_ingest::{DecodeRequest, decode_image};
use fedval_sandbox::BoxProgram;
use fedval_study::protocol::{ModelInput, ModelOutput, ModelSpecification, ScoreScale};
use libtest_mimic::{Arguments, Trial};
use onnx_file::{CLASSES, around, bytes, specification, three_classes, tiny_cnn, value};
use tempfile::NamedTempFile;
use tract_onnx::pb::GraphProto;

const LIMITS: InferenceLimits = InferenceLimits {
    memory_bytes: 1 << 30,
    load_seconds: 20,
    case_seconds: 20,
    max_model_bytes: 64 << 20,
    max_nodes: 20_000,
};

/// What stands in hostile models wherever they may say something: none of it comes out.
const CANARY: &str = "ZZCANARY^PATIENT";

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some(INFERENCE_ROLE) => return inference_box_main(),
        Some(a30_break_out::AT_ONCE) => return a30_break_out::hostile_box_main(false),
        Some(a30_break_out::LATER) => return a30_break_out::hostile_box_main(true),
        _ => {}
    }
    let own = vec![
        trial("a_model_scores_as_its_weights_say", scores()),
        trial("of_several_classes_each_has_its_score", scores_classes()),
        trial("a_logit_is_not_held_to_0_and_1", scores_logits()),
        trial("a10_a_model_that_mixes_a_batch_sees_one_image_at_a_time", mixes_nothing()),
        trial("a10_a_batch_of_two_is_refused", refuses_a_batch_of_two()),
        trial("input_and_output_must_be_the_protocols", checks_the_interface()),
        trial("radiographs_score_as_in_the_reference_engine", scores_radiographs()),
    ];
    let attacks = [
        a21_external_data::trials(),
        a23_declared_sizes::trials(),
        a24_memory::trials(),
        a25_endless::trials(),
        a26_randomness::trials(),
        a27_foreign::trials(),
        a28_malformed::trials(),
        a29_other_bytes::trials(),
        a30_break_out::trials(),
        a31_outputs::trials(),
        a32_compressed::trials(),
        onnx_runtime::trials(),
        served::trials(),
    ];
    let trials = own.into_iter().chain(attacks.into_iter().flatten()).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(name: &str, test: impl Future<Output = ()> + Send + 'static) -> Trial {
    Trial::test(name, move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(test);
        Ok(())
    })
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
    model.scores(tensor).await.map(|scores| scores.open_on_site()[0])
}

/// The model is refused by its code, which says nothing that stands in it.
async fn refuses(what: &str, model: &[u8], code: &str) {
    refuses_in(&LIMITS, what, model, code).await;
}

async fn refuses_in(limits: &InferenceLimits, what: &str, model: &[u8], code: &str) {
    let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
    let refused = load_in(&program, limits, &specification(model), model).await;
    let refused = refused.err().unwrap_or_else(|| panic!("{what} was taken"));
    assert_eq!(refused.code(), code, "{what}");
    let told = format!("{refused} {refused:?} {}", refused.remedy().unwrap());
    assert!(!told.contains("ZZCANARY"), "{told}");
}

/// Whatever went before, the next model is loaded and scores.
async fn serves_the_next() {
    let model = bytes(tiny_cnn());
    let mut loaded = load(&specification(&model), &model).await.unwrap();
    assert!(score(&mut loaded, &[0.5; 16]).await.is_ok());
}

/// Memory of this process, the box's parent, in KiB.
fn resident_kibibytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
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

async fn scores_classes() {
    let model = bytes(three_classes());
    let one = specification(&model);
    let of = |values| ModelOutput { values, ..one.output.clone() };
    let pinned = ModelSpecification { output: of(3), ..one.clone() };
    let mut loaded = load(&pinned, &model).await.unwrap();
    let found = loaded.scores(&[0.5; 16]).await.unwrap();
    let powers = CLASSES.map(|(weight, bias)| f64::from(weight * 0.5 + bias).exp());
    let sum: f64 = powers.iter().sum();
    assert_eq!(found.open_on_site().len(), 3);
    for (score, power) in found.open_on_site().iter().zip(powers) {
        assert!((score - power / sum).abs() < 1e-6, "{score} is not {}", power / sum);
    }
    let more = ModelSpecification { output: of(4), ..one };
    assert_eq!(load(&more, &model).await.unwrap_err().code(), "MODEL_OUTPUT_MISMATCH");
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

async fn refuses_a_batch_of_two() {
    let input = vec![value("image", &[Some(2), Some(1), Some(4), Some(4)])];
    let model = bytes(GraphProto { input, ..tiny_cnn() });
    refuses("a model of two cases at once", &model, "MODEL_INPUT_MISMATCH").await;
}

async fn scores_logits() {
    let model = bytes(around("Neg"));
    let mut specification = specification(&model);
    specification.output.scale = ScoreScale::Logit;
    let mut loaded = load(&specification, &model).await.unwrap();
    assert!((score(&mut loaded, &[7.5; 16]).await.unwrap() + 7.5).abs() < 1e-6);
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

/// Against the scores of ONNX Runtime on the same pixels, where that data set is at hand.
async fn scores_radiographs() {
    let Some(Radiographs { model, specification, cases }) = radiographs() else { return };
    let mut loaded = load(&specification, &model).await.unwrap();
    for (tensor, reference) in cases {
        assert!((score(&mut loaded, &tensor).await.unwrap() - reference).abs() < 1e-4);
    }
}

/// A model, what a protocol says of it, and images as it sees them with their scores in the reference engine.
struct Radiographs {
    model: Vec<u8>,
    specification: ModelSpecification,
    cases: Vec<(Vec<f32>, f64)>,
}

/// `None` where that data set is not at hand.
fn radiographs() -> Option<Radiographs> {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cxr");
    let model = fs::read(format!("{data}/pneumonia.onnx")).ok()?;
    let expected = fs::read(format!("{data}/expected.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
    let mut specification = specification(&model);
    (specification.input.height, specification.input.width) = (256, 256);
    "probability".clone_into(&mut specification.output.name);
    let mut cases = Vec::new();
    for (site, extension) in [(0, "png"), (1, "dcm")] {
        let site = &expected["sites"][site];
        let folder = format!("{data}/{}/images", site["site"].as_str().unwrap());
        for (case, reference) in site["scores"].as_object().unwrap().iter().take(8) {
            let bytes = fs::read(format!("{folder}/{case}.{extension}")).unwrap();
            let request =
                DecodeRequest { input: &specification.input, dicom_attributes: &[], bytes: &bytes };
            let image = decode_image(&request).unwrap();
            cases.push((image.tensor, reference.as_f64().unwrap()));
        }
    }
    Some(Radiographs { model, specification, cases })
}
