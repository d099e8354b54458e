//! What an author may get wrong, and what the author is told.

mod classes;
mod findings;
mod masks;
mod quantity;
mod volumes;

use fedval_study::Sha256Digest;
use fedval_study::draft::{Draft, DraftError};
use fedval_study::protocol::{ProbeRule, StudyProtocol, ValueScaling};

const GOOD: &str = r#"
id = "chest"
title = "Pneumonia on chest radiographs"
target_condition = "pneumonia"

[model]
name = "cnn"
file = "cnn.onnx"
[model.input]
name = "image"
layout = "nchw"
height = 256
width = 256
channels = 1
scaling = "unit"
resize = "refuse"
monochrome1 = "invert"
[model.output]
name = "probability"
scale = "probability"

[reference_standard]
description = "radiologist's report"
positive = ["1"]
negative = ["0"]

[analysis]
unit = "image"

[[operating_points]]
name = "half"
threshold = 0.5

[[subgroups]]
dimension = "age"
dicom = "PatientAge"
bands = [{ name = "young", from = 0, below = 50 }, { name = "old", from = 50, below = 120 }]

[[endpoints]]
name = "discrimination"
metric = "auroc"
limit = 0.8

[disclosure]
k = 11
"#;

fn refused(text: &str) -> DraftError {
    Draft::parse(text).expect_err("the draft should be refused")
}

fn parsed(text: &str) -> StudyProtocol {
    let draft = Draft::parse(text).expect("a complete draft");
    draft.pin_model(Sha256Digest::of(b"model"), 5).expect("no model is pinned")
}

#[test]
fn a_complete_draft_is_taken() {
    let draft = Draft::parse(GOOD).expect("a complete draft");
    assert_eq!(draft.model_file().to_str(), Some("cnn.onnx"));
}

#[test]
fn every_problem_is_listed_at_once_with_its_line() {
    let bad = GOOD
        .replace("threshold = 0.5", "threshold = 1.5")
        .replace("unit = \"image\"", "unit = \"eye\"\ncolour = \"red\"")
        .replace("from = 50", "from = 40");
    let error = refused(&bad);
    let found: Vec<_> = error.problems.iter().map(|p| p.path.as_str()).collect();
    assert_eq!(
        found,
        [
            "analysis.unit",
            "analysis.colour",
            "operating_points[0].threshold",
            "subgroups[0].bands[1].from"
        ]
    );
    let line =
        |needle: &str| bad.lines().position(|l| l.contains(needle)).expect("it is there") + 1;
    assert_eq!(error.problems[2].line, line("threshold = 1.5"));
    assert!(error.problems.iter().all(|p| !p.remedy.is_empty()));
}

#[test]
fn an_unknown_key_names_the_known_ones() {
    let error = refused(&GOOD.replace("title =", "titel ="));
    let unknown = error.problems.iter().find(|p| p.path == "titel").expect("named");
    assert!(unknown.remedy.contains("title"));
}

#[test]
fn duplicate_names_and_dangling_references_are_found() {
    let twice = format!(
        "{GOOD}\n[[endpoints]]\nname = \"discrimination\"\nmetric = \"sensitivity@none\"\nlimit = 0.9\n"
    );
    let found: Vec<_> = refused(&twice).problems.into_iter().map(|p| p.path).collect();
    assert_eq!(found, ["endpoints[1].name", "endpoints[1].metric"]);
}

#[test]
fn a_patient_identifying_dicom_attribute_is_no_subgroup() {
    let error = refused(&GOOD.replace("PatientAge", "PatientName"));
    assert_eq!(error.problems[0].path, "subgroups[0].dicom");
}

#[test]
fn broken_toml_is_one_problem_at_its_line() {
    let error = refused("id = \"a\"\ntitle = \n");
    assert_eq!((error.problems.len(), error.problems[0].line), (1, 2));
}

#[test]
fn a_pinned_model_that_changed_is_refused() {
    let pinned = Sha256Digest::of(b"model").to_string();
    let text =
        GOOD.replace("file = \"cnn.onnx\"", &format!("file = \"cnn.onnx\"\nsha256 = \"{pinned}\""));
    let draft = Draft::parse(&text).expect("a complete draft");
    assert!(draft.clone().pin_model(Sha256Digest::of(b"model"), 5).is_ok());
    assert!(draft.pin_model(Sha256Digest::of(b"other"), 5).is_err());
}

#[test]
fn a_frame_is_chosen_by_number_and_silence_leaves_no_trace() {
    let with = |text: &str| GOOD.replace("monochrome1 =", &format!("{text}\nmonochrome1 ="));
    let input = |text: &str| serde_json::to_value(&parsed(text).model.input).expect("plain data");
    assert_eq!(input(GOOD).get("frame"), None);
    assert_eq!(input(GOOD), input(&with("frame = \"only\"")));
    assert_eq!(input(&with("frame = \"middle\""))["frame"], "middle");
    let third = input(&with("frame = \"number\"\nframe_number = 3"));
    assert_eq!(third["frame"]["number"], 3);
    let none = refused(&with("frame = \"number\"\nframe_number = 0"));
    assert_eq!(none.problems[0].path, "model.input.frame_number");
    let unused = refused(&with("frame_number = 3"));
    assert_eq!(unused.problems[0].path, "model.input.frame_number");
}

#[test]
fn a_files_own_window_can_be_asked_for() {
    let shown = parsed(&GOOD.replace("scaling = \"unit\"", "scaling = \"voi\""));
    assert_eq!(shown.model.input.scaling, ValueScaling::Voi);
}

#[test]
fn probe_images_can_be_required_and_silence_leaves_no_trace() {
    let with = |word: &str| {
        GOOD.replace("[model]\n", &format!("preprocessing_probes = \"{word}\"\n[model]\n"))
    };
    let text = |protocol: &StudyProtocol| serde_json::to_string(protocol).expect("plain data");
    let silent = parsed(GOOD);
    assert_eq!(silent.preprocessing_probes, ProbeRule::Accept);
    assert!(!text(&silent).contains("preprocessing_probes"));
    assert_eq!(parsed(&with("accept")), silent);
    let required = parsed(&with("require"));
    assert_eq!(required.preprocessing_probes, ProbeRule::Require);
    assert!(text(&required).contains(r#""preprocessing_probes":"require""#));
    let unknown = refused(&with("sometimes"));
    assert_eq!(unknown.problems[0].path, "preprocessing_probes");
}
