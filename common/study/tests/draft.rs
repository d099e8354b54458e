//! What an author may get wrong, and what the author is told.

use fedval_study::Sha256Digest;
use fedval_study::draft::{Draft, DraftError};
use fedval_study::protocol::{
    EndpointDirection, MaskOutput, MaskRule, OutputForm, PredictionTables, ProbeRule, Reference,
    ScoreScale, StudyProtocol, Task, ValueScaling,
};
use fedval_study::{LockedProtocol, Measure};

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

/// [`GOOD`] as a study of three grades.
fn grades() -> String {
    let mut text = GOOD.replace("[model]\n", "task = \"ordinal\"\n[model]\n");
    for (what, with) in [
        ("positive = [\"1\"]\nnegative = [\"0\"]\n", ""),
        ("unit = \"image\"", "unit = \"patient\"\ncombine = \"maximum\""),
        ("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", ""),
        ("metric = \"auroc\"", "metric = \"quadratic_kappa\""),
    ] {
        text = text.replace(what, with);
    }
    let before = text.split("[[subgroups]]").next().unwrap_or_default().to_owned();
    let behind = text.split("[[endpoints]]").nth(1).unwrap_or_default();
    let class = |(name, value)| format!("[[classes]]\nname = \"{name}\"\nvalues = [\"{value}\"]\n");
    let classes = [("none", "0"), ("some", "1"), ("much", "2")].map(class).concat();
    format!("{before}[[endpoints]]{behind}{classes}")
}

#[test]
fn a_study_of_grades_names_them_in_the_order_of_the_models_output() {
    let protocol = parsed(&grades());
    let Task::Ordinal(classes) = &protocol.task else { panic!("not of grades") };
    let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, ["none", "some", "much"]);
    assert_eq!(protocol.model.output.values, 3);
    assert_eq!(protocol.labels().reference_of("2"), Some(Reference::Class(2)));
    assert_eq!(protocol.labels().reference_of("3"), None);
    let binary = parsed(GOOD);
    assert_eq!(binary.labels().reference_of("0"), Some(Reference::Condition(false)));
}

#[test]
fn what_a_task_does_not_have_is_refused_where_it_stands() {
    for (what, with, path) in [
        ("unit = \"patient\"\ncombine = \"maximum\"", "unit = \"image\"", "analysis.unit"),
        ("task = \"ordinal\"", "task = \"multi_class\"", "analysis.combine"),
        ("scale = \"probability\"", "scale = \"logit\"", "model.output.scale"),
        ("k = 11", "k = 11\nprofile = \"strict\"", "disclosure.profile"),
        ("metric = \"quadratic_kappa\"", "metric = \"auroc\"", "endpoints[0].metric"),
        ("metric = \"quadratic_kappa\"", "metric = \"macro_auroc\"", "endpoints[0].metric"),
        ("metric = \"quadratic_kappa\"", "metric = \"class_sensitivity@x\"", "endpoints[0].metric"),
        ("values = [\"1\"]", "values = [\"0\"]", "classes[1].values"),
        ("name = \"some\"", "name = \"none\"", "classes[1].name"),
        ("[analysis]", "positive = [\"1\"]\n[analysis]", "reference_standard.positive"),
        (
            "[[endpoints]]",
            "[[operating_points]]\nname = \"a\"\nthreshold = 0.5\n[[endpoints]]",
            "operating_points",
        ),
    ] {
        let text = grades().replacen(what, with, 1);
        let paths: Vec<String> = refused(&text).problems.into_iter().map(|p| p.path).collect();
        assert!(paths.iter().any(|found| found == path), "{path} in {paths:?}");
    }
    for metric in ["quadratic_kappa", "accuracy", "class_auroc@half"] {
        let text = GOOD.replace("metric = \"auroc\"", &format!("metric = \"{metric}\""));
        assert_eq!(refused(&text).problems[0].path, "endpoints[0].metric");
    }
}

#[test]
fn a_protocol_of_one_condition_is_written_as_it_was_before_there_were_tasks() {
    let text = serde_json::to_string(&parsed(GOOD)).expect("a plain structure");
    assert!(!text.contains("\"task\"") && !text.contains("\"values\":1"), "{text}");
    let grades = serde_json::to_string(&parsed(&grades())).expect("a plain structure");
    assert!(grades.contains("\"task\":{\"ordinal\":[") && grades.contains("\"values\":3"));
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

/// [`GOOD`] as a study of a quantity.
fn regression() -> String {
    let mut text = GOOD.replace("[model]\n", "task = \"regression\"\n[model]\n");
    for (what, with) in [
        ("positive = [\"1\"]\nnegative = [\"0\"]\n", ""),
        ("scale = \"probability\"\n", ""),
        ("unit = \"image\"", "unit = \"patient\"\ncombine = \"mean\""),
        ("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", ""),
        (
            "metric = \"auroc\"\nlimit = 0.8",
            "metric = \"mean_absolute_error\"\nlimit = 8\ndirection = \"at_most\"",
        ),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replace(what, with);
    }
    text + "[quantity]\nname = \"bone-age\"\nunit = \"mo\"\nlower = 0\nupper = 228\nlargest_error = 48\n\
            grid = 0.1\n"
}

#[test]
fn a_study_of_a_quantity_says_what_bounds_a_patients_influence() {
    let protocol = parsed(&regression());
    let quantity = protocol.task.quantity().expect("a quantity");
    assert_eq!((quantity.lower_micro, quantity.upper_micro), (0, 228_000_000));
    assert_eq!((quantity.largest_error_micro, quantity.grid_micro), (48_000_000, 100_000));
    assert_eq!((quantity.name.as_str(), quantity.unit.as_str()), ("bone-age", "mo"));
    assert_eq!(protocol.model.output.scale, ScoreScale::Value);
    assert_eq!(protocol.model.output.values, 1);
    assert_eq!(protocol.endpoints[0].direction, EndpointDirection::AtMost);
    assert_eq!(protocol.subgroups.len(), 1, "a quantity has subgroups");
    assert_eq!(protocol.labels().reference_of("61.25"), Some(Reference::Value(61_250_000)));
    let measures = protocol.task.measures().into_iter().map(|of| of.measure).collect::<Vec<_>>();
    assert_eq!(measures, [Measure::AbsoluteError, Measure::Error, Measure::Level]);
    let text = serde_json::to_string(&protocol).expect("a plain structure");
    assert!(text.contains("\"task\":{\"regression\":{"), "{text}");
    let locked = LockedProtocol::new(protocol.clone()).expect("it breaks no rule");
    assert_eq!(LockedProtocol::parse(locked.bytes()).expect("its own bytes").protocol(), &protocol);
    // Without a largest error there is room for all of the scale; without a unit, for a plain number.
    let bare = regression().replace("largest_error = 48\n", "").replace("unit = \"mo\"\n", "");
    let bare = parsed(&bare);
    let quantity = bare.task.quantity().expect("a quantity");
    assert_eq!((quantity.largest_error_micro, quantity.unit.as_str()), (228_000_000, ""));
}

#[test]
fn what_a_quantity_does_not_have_is_refused_where_it_stands() {
    for (what, with, path) in [
        ("unit = \"patient\"\ncombine = \"mean\"", "unit = \"image\"", "analysis.unit"),
        ("combine = \"mean\"", "combine = \"maximum\"", "analysis.combine"),
        ("k = 11", "k = 11\nprofile = \"dp\"", "disclosure.profile"),
        ("[reference_standard]", "scale = \"logit\"\n[reference_standard]", "model.output.scale"),
        ("[analysis]", "positive = [\"1\"]\n[analysis]", "reference_standard.positive"),
        ("combine = \"mean\"", "combine = \"mean\"\nprevalences = [0.1]", "analysis.prevalences"),
        (
            "[[endpoints]]",
            "[[operating_points]]\nname = \"a\"\nthreshold = 0.5\n[[endpoints]]",
            "operating_points",
        ),
        ("upper = 228", "upper = 0", "quantity.upper"),
        ("upper = 228", "upper = 2e9", "quantity.upper"),
        ("upper = 228\n", "", "quantity.upper"),
        ("largest_error = 48", "largest_error = 229", "quantity.largest_error"),
        ("largest_error = 48", "largest_error = 0", "quantity.largest_error"),
        ("grid = 0.1", "grid = 0", "quantity.grid"),
        ("grid = 0.1", "grid = -1", "quantity.grid"),
        ("grid = 0.1", "grid = 49", "quantity.grid"),
        ("grid = 0.1", "grid = 0.1\nclasses = 3", "quantity.classes"),
        ("unit = \"mo\"", "unit = \"m\u{202e}o\"", "quantity.unit"),
        ("metric = \"mean_absolute_error\"", "metric = \"auroc\"", "endpoints[0].metric"),
        (
            "metric = \"mean_absolute_error\"",
            "metric = \"intraclass_correlation\"",
            "endpoints[0].metric",
        ),
        ("direction = \"at_most\"", "", "endpoints[0].direction"),
        ("limit = 8", "limit = 48", "endpoints[0].limit"),
        ("limit = 8", "limit = 0", "endpoints[0].limit"),
    ] {
        let text = regression();
        assert!(text.contains(what), "{what}");
        let text = text.replacen(what, with, 1);
        let paths: Vec<String> = refused(&text).problems.into_iter().map(|p| p.path).collect();
        assert!(paths.iter().any(|found| found == path), "{path} in {paths:?}");
    }
}

#[test]
fn limits_of_a_quantity_have_the_direction_that_a_good_model_meets() {
    // Bias is held against limits on either side.
    let bias = regression()
        .replace("mean_absolute_error", "mean_error")
        .replace("direction = \"at_most\"", "direction = \"at_least\"")
        .replace("limit = 8", "limit = -3");
    assert!(Draft::parse(&bias).is_ok());
    let of = |metric: &str, direction: &str, limit: &str| {
        regression()
            .replace("mean_absolute_error", metric)
            .replace("direction = \"at_most\"", &format!("direction = \"{direction}\""))
            .replace("limit = 8", &format!("limit = {limit}"))
    };
    let (lower, upper) = ("lower_limit_of_agreement", "upper_limit_of_agreement");
    for (metric, direction, limit) in [
        ("mean_error", "at_most", "3"),
        (lower, "at_least", "-12"),
        (upper, "at_most", "12"),
        (upper, "at_most", "-1"),
    ] {
        let text = of(metric, direction, limit);
        assert!(Draft::parse(&text).is_ok(), "{metric} {direction} {limit}");
    }
    // On the wrong side a limit would be met by being bad; beyond the largest error it would always be met.
    for (metric, direction, limit, path) in [
        (lower, "at_most", "-12", "endpoints[0].direction"),
        (upper, "at_least", "12", "endpoints[0].direction"),
        (lower, "at_least", "-48", "endpoints[0].limit"),
        (upper, "at_most", "48", "endpoints[0].limit"),
        ("mean_error", "at_least", "-48", "endpoints[0].limit"),
        ("mean_error", "at_most", "48.5", "endpoints[0].limit"),
    ] {
        let error = refused(&of(metric, direction, limit));
        let found: Vec<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(found, [path], "{metric} {direction} {limit}");
    }
    for metric in ["mean_absolute_error", "mean_error"] {
        let text = GOOD.replace("metric = \"auroc\"", &format!("metric = \"{metric}\""));
        assert_eq!(refused(&text).problems[0].path, "endpoints[0].metric");
    }
    let value = GOOD.replace("scale = \"probability\"", "scale = \"value\"");
    assert_eq!(refused(&value).problems[0].path, "model.output.scale");
    let table = format!("{GOOD}[quantity]\nname = \"x\"\n");
    assert_eq!(refused(&table).problems[0].path, "quantity");
}

/// [`GOOD`] as a study of findings.
fn findings() -> String {
    let mut text = GOOD.replace(
        "[model]\n",
        "task = \"detection\"\nprediction_tables = \"accept\"\n[detection]\n\
         matching = \"iou\"\niou = 0.5\nmost_candidates = 30\n[model]\n",
    );
    for (what, with) in [
        ("positive = [\"1\"]\nnegative = [\"0\"]\n", ""),
        ("threshold = 0.5", "threshold = 0.35"),
        ("metric = \"auroc\"", "metric = \"lesion_sensitivity@half\""),
    ] {
        text = text.replace(what, with);
    }
    text
}

#[test]
fn a_study_of_findings_has_its_cut_off_on_the_grid() {
    let protocol = parsed(&findings());
    let plan = protocol.task.detection().expect("a study of findings");
    assert_eq!((plan.bins, plan.most_candidates, plan.most_lesions), (20, 30, 10));
    assert_eq!(plan.matching.least_iou(), Some(0.5));
    assert_eq!((plan.point.edge, plan.point.name.as_str()), (7, "half"));
    assert!(protocol.operating_points.is_empty());
    assert_eq!(parsed(GOOD).task.detection(), None);
}

#[test]
fn what_a_study_of_findings_does_not_have_is_refused_where_it_stands() {
    for (what, with, path) in [
        ("threshold = 0.35", "threshold = 0.36", "operating_points"),
        ("threshold = 0.35", "threshold = 1.0", "operating_points"),
        (
            "[[operating_points]]",
            "[[operating_points]]\nname = \"b\"\nthreshold = 0.5\n[[operating_points]]",
            "operating_points",
        ),
        ("iou = 0.5", "iou = 0.0", "detection.iou"),
        ("iou = 0.5", "iou = 0.5\nbins = 40", "detection.bins"),
        ("most_candidates = 30", "most_candidates = 101", "detection.most_candidates"),
        ("most_candidates = 30", "most_lesions = 11", "detection.most_lesions"),
        ("unit = \"image\"", "unit = \"patient\"\ncombine = \"first\"", "analysis.unit"),
        ("prediction_tables = \"accept\"\n", "", "prediction_tables"),
        ("scale = \"probability\"", "scale = \"logit\"", "model.output.scale"),
        ("k = 11", "k = 11\nprofile = \"strict\"", "disclosure.profile"),
        ("metric = \"lesion_sensitivity@half\"", "metric = \"auroc\"", "endpoints[0].metric"),
        ("metric = \"lesion_sensitivity@half\"", "metric = \"cpm\"", "endpoints[0].metric"),
        ("lesion_sensitivity@half", "lesion_sensitivity@none", "endpoints[0].metric"),
        (
            "metric = \"lesion_sensitivity@half\"\nlimit = 0.8",
            "metric = \"fp_per_scan@half\"\ndirection = \"at_most\"\nlimit = 0",
            "endpoints[0].limit",
        ),
        (
            "metric = \"lesion_sensitivity@half\"\nlimit = 0.8",
            "metric = \"fp_per_scan@half\"\nlimit = 0.8",
            "endpoints[0].direction",
        ),
        (
            "metric = \"lesion_sensitivity@half\"\nlimit = 0.8",
            "metric = \"lesion_sensitivity@half\"\ndirection = \"at_most\"\nlimit = 0.8",
            "endpoints[0].direction",
        ),
        (
            "metric = \"lesion_sensitivity@half\"\nlimit = 0.8",
            "metric = \"average_precision\"\ndirection = \"at_most\"\nlimit = 0.8",
            "endpoints[0].direction",
        ),
        (
            "metric = \"lesion_sensitivity@half\"\nlimit = 0.8",
            "metric = \"average_precision\"\nlimit = 1.5",
            "endpoints[0].limit",
        ),
    ] {
        let text = findings().replacen(what, with, 1);
        assert_ne!(text, findings(), "{what}");
        let error = refused(&text);
        let found: Vec<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert!(found.contains(&path), "{with}: {found:?}");
    }
}

#[test]
fn a_ranking_of_findings_is_asked_for_beside_how_many_are_found() {
    // Alone it is met by finding hardly anything at some sites.
    let area = findings().replace("lesion_sensitivity@half", "average_precision");
    assert_eq!(refused(&area).problems[0].path, "endpoints[0].metric");
    let both = format!(
        "{area}[[endpoints]]\nname = \"found\"\nmetric = \"lesion_sensitivity@half\"\nlimit = 0.5\n"
    );
    assert_eq!(parsed(&both).endpoints[0].metric.to_string(), "average_precision");
    // Nobody else has such metrics.
    for metric in ["cpm", "average_precision"] {
        let binary = GOOD.replace("metric = \"auroc\"", &format!("metric = \"{metric}\""));
        assert_eq!(refused(&binary).problems[0].path, "endpoints[0].metric");
    }
}

/// The endpoint that misses count in.
const MISSES: &str =
    "[[endpoints]]\nname = \"misses\"\nmetric = \"dice_misses_zero\"\nlimit = 0.7\n";

/// [`GOOD`] as a study of masks.
fn segmentation() -> String {
    let mut text = GOOD
        .replace("[model]\n", "task = \"segmentation\"\nprediction_tables = \"accept\"\n[model]\n");
    for (what, with) in [
        ("positive = [\"1\"]\nnegative = [\"0\"]\n", ""),
        ("scale = \"probability\"\n", ""),
        ("unit = \"image\"", "unit = \"patient\"\ncombine = \"mean\""),
        ("[[operating_points]]\nname = \"half\"\nthreshold = 0.5\n", ""),
        ("metric = \"auroc\"\nlimit = 0.8", "metric = \"dice\"\nlimit = 0.8"),
    ] {
        assert!(text.contains(what), "{what}");
        text = text.replace(what, with);
    }
    let before = text.split("[[subgroups]]").next().unwrap_or_default().to_owned();
    let behind = text.split("[[endpoints]]").nth(1).unwrap_or_default();
    format!(
        "{before}[[endpoints]]{behind}{MISSES}[segmentation]\nlabels = [1, 4]\nother_labels = [2]\n\
         border = \"surfel\"\ntolerance_mm = 1.5\nhd95_bound_mm = 40\n"
    )
}

#[test]
fn a_study_of_masks_says_what_it_looks_for_and_how_it_measures() {
    let protocol = parsed(&segmentation());
    let structure = protocol.task.structure().expect("a structure");
    assert_eq!((&structure.labels[..], &structure.other_labels[..]), (&[1, 4][..], &[2][..]));
    assert_eq!((structure.tolerance_um, structure.hd95_bound_um), (1_500, 40_000));
    assert_eq!(structure.pixel_spacing_um, None);
    assert_eq!(protocol.model.output.scale, ScoreScale::Value);
    let measures = protocol.task.measures().into_iter().map(|of| of.measure).collect::<Vec<_>>();
    assert_eq!(measures, [Measure::Dice, Measure::Hd95, Measure::Nsd]);
    let locked = LockedProtocol::new(protocol.clone()).expect("it breaks no rule");
    assert_eq!(LockedProtocol::parse(locked.bytes()).expect("its own bytes").protocol(), &protocol);
    let named = segmentation().replace("border =", "rois = [\"Heart\", \"heart\"]\nborder =");
    let structure = parsed(&named).task.structure().cloned().expect("a structure");
    assert_eq!(structure.rois, ["Heart", "heart"]);
    let pictures = segmentation().replace("border =", "pixel_spacing_mm = 0.143\nborder =");
    let structure = parsed(&pictures).task.structure().cloned().expect("a structure");
    assert_eq!(structure.pixel_spacing_um, Some(143));
    let near = segmentation().replace(
        "metric = \"dice\"\nlimit = 0.8",
        "metric = \"hd95\"\nlimit = 6\ndirection = \"at_most\"",
    );
    assert_eq!(parsed(&near).endpoints[0].direction, EndpointDirection::AtMost);
}

/// The same with a model that gives masks at the sites.
fn segmentation_by_model(output: &str) -> String {
    let output = format!("[model.output]\nform = \"mask\"\n{output}");
    segmentation()
        .replace("prediction_tables = \"accept\"\n", "")
        .replace("[model.output]\n", &output)
}

#[test]
fn a_model_may_give_the_masks_itself() {
    let logits = segmentation_by_model(
        "scale = \"logit\"\nrule = \"threshold\"\nthreshold = 0.3\nchannels = 2\npositive_index = 1\n",
    );
    let protocol = parsed(&logits);
    let output = &protocol.model.output;
    let mask = MaskOutput { channels: 2, rule: MaskRule::Threshold(300_000) };
    assert_eq!((output.form, output.scale), (OutputForm::Mask(mask), ScoreScale::Logit));
    assert_eq!((output.positive_index, protocol.prediction_tables), (1, PredictionTables::Refuse));
    let locked = LockedProtocol::new(protocol.clone()).expect("it breaks no rule");
    assert_eq!(LockedProtocol::parse(locked.bytes()).expect("its own bytes").protocol(), &protocol);
    let highest = segmentation_by_model("rule = \"highest\"\nchannels = 3\n");
    let mask = MaskOutput { channels: 3, rule: MaskRule::Highest };
    assert_eq!(parsed(&highest).model.output.form, OutputForm::Mask(mask));
    // Protocols without a mask say nothing of one, as before there was a choice.
    let before = LockedProtocol::new(parsed(&segmentation())).expect("it breaks no rule");
    assert!(!String::from_utf8_lossy(before.bytes()).contains("\"form\""));
}

#[test]
fn an_output_that_no_mask_can_have_is_refused_where_it_stands() {
    let threshold = "rule = \"threshold\"\nthreshold = 0.5\n";
    for (output, path) in [
        (format!("scale = \"logit\"\n{threshold}channels = 0\n"), "model.output.channels"),
        (format!("scale = \"logit\"\n{threshold}channels = 65\n"), "model.output.channels"),
        (
            format!("scale = \"logit\"\n{threshold}positive_index = 1\n"),
            "model.output.positive_index",
        ),
        (threshold.to_owned(), "model.output.scale"),
        (
            "scale = \"logit\"\nrule = \"threshold\"\nthreshold = 1.5\n".to_owned(),
            "model.output.threshold",
        ),
        ("scale = \"logit\"\nrule = \"threshold\"\n".to_owned(), "model.output.threshold"),
        ("rule = \"highest\"\n".to_owned(), "model.output.rule"),
        ("scale = \"logit\"\nrule = \"highest\"\nchannels = 2\n".to_owned(), "model.output.scale"),
        ("rule = \"lowest\"\n".to_owned(), "model.output.rule"),
    ] {
        let problems = refused(&segmentation_by_model(&output)).problems;
        let paths: Vec<String> = problems.into_iter().map(|p| p.path).collect();
        assert!(paths.iter().any(|found| found == path), "{path} in {paths:?}");
    }
    let of_one_condition =
        GOOD.replace("[model.output]\n", &format!("[model.output]\nform = \"mask\"\n{threshold}"));
    assert_eq!(refused(&of_one_condition).problems[0].path, "model.output.form");
    let boxes = segmentation().replace("[model.output]\n", "[model.output]\nform = \"boxes\"\n");
    let paths: Vec<String> = refused(&boxes).problems.into_iter().map(|p| p.path).collect();
    assert!(paths.iter().any(|path| path == "model.output.form"), "{paths:?}");
}

#[test]
fn what_masks_do_not_have_is_refused_where_it_stands() {
    for (what, with, path) in [
        ("unit = \"patient\"\ncombine = \"mean\"", "unit = \"image\"", "analysis.unit"),
        ("combine = \"mean\"", "combine = \"maximum\"", "analysis.combine"),
        ("k = 11", "k = 11\nprofile = \"strict\"", "disclosure.profile"),
        ("prediction_tables = \"accept\"\n", "", "prediction_tables"),
        ("metric = \"dice\"", "metric = \"auroc\"", "endpoints[0].metric"),
        ("metric = \"dice\"", "metric = \"mean_absolute_error\"", "endpoints[0].metric"),
        ("metric = \"dice\"", "metric = \"hd95\"", "endpoints[0].direction"),
        ("limit = 0.8", "limit = 0.8\ndirection = \"at_most\"", "endpoints[0].direction"),
        ("limit = 0.8", "limit = 1.2", "endpoints[0].limit"),
        ("labels = [1, 4]", "labels = []", "segmentation.labels"),
        ("labels = [1, 4]", "labels = [0]", "segmentation.labels"),
        ("labels = [1, 4]", "labels = [1.5]", "segmentation.labels"),
        ("other_labels = [2]", "other_labels = [4]", "segmentation.other_labels"),
        ("border = \"surfel\"", "border = \"mesh\"", "segmentation.border"),
        ("tolerance_mm = 1.5", "tolerance_mm = 41", "segmentation.tolerance_mm"),
        ("tolerance_mm = 1.5", "tolerance_mm = -1", "segmentation.tolerance_mm"),
        ("hd95_bound_mm = 40", "hd95_bound_mm = 0", "segmentation.hd95_bound_mm"),
        ("border =", "rois = []\nborder =", "segmentation.rois"),
        ("border =", "rois = [\" Heart\"]\nborder =", "segmentation.rois"),
        ("border =", "rois = [\"A\", \"A\"]\nborder =", "segmentation.rois"),
        ("border =", "pixel_spacing_mm = 0\nborder =", "segmentation.pixel_spacing_mm"),
    ] {
        let text = segmentation();
        assert!(text.contains(what), "{what}");
        let problems = refused(&text.replacen(what, with, 1)).problems;
        let paths: Vec<String> = problems.into_iter().map(|p| p.path).collect();
        assert!(paths.iter().any(|found| found == path), "{path} in {paths:?}");
    }
    for metric in ["dice", "dice_misses_zero"] {
        let text = GOOD.replace("metric = \"auroc\"", &format!("metric = \"{metric}\""));
        let problems = refused(&text).problems;
        assert_eq!((problems.len(), problems[0].path.as_str()), (1, "endpoints[0].metric"));
    }
}

#[test]
fn a_study_of_masks_counts_misses_in_some_endpoint() {
    for (metric, direction, limit) in
        [("dice", "at_least", 0.8), ("nsd", "at_least", 0.8), ("hd95", "at_most", 5.0)]
    {
        let endpoint =
            format!("metric = \"{metric}\"\ndirection = \"{direction}\"\nlimit = {limit:?}");
        let beside = segmentation().replace("metric = \"dice\"\nlimit = 0.8", &endpoint);
        let protocol = parsed(&beside);
        let alone = beside.replace(MISSES, "");
        assert_ne!(alone, beside);
        let problems = refused(&alone).problems;
        assert_eq!((problems.len(), problems[0].path.as_str()), (1, "endpoints[0].metric"));
        assert!(problems[0].remedy.contains("dice_misses_zero"), "{}", problems[0].remedy);
        // What was locked before there was such a rule stays readable.
        let mut earlier = protocol;
        earlier.endpoints.truncate(1);
        assert!(LockedProtocol::new(earlier).is_ok(), "{metric}");
    }
    let instead = segmentation()
        .replace(MISSES, "")
        .replace("metric = \"dice\"", "metric = \"dice_misses_zero\"");
    assert_eq!(parsed(&instead).endpoints.len(), 1);
    let wrong = instead.replace("limit = 0.8", "limit = 0.8\ndirection = \"at_most\"");
    assert_eq!(refused(&wrong).problems[0].path, "endpoints[0].direction");
}

/// [`GOOD`] as a study of volumes.
fn volumes() -> String {
    GOOD.replace("resize = \"refuse\"\nmonochrome1 = \"invert\"\n", "").replace(
        "[model.output]",
        "[model.input.volume]\ndepth = 64\nspacing_mm = [2.0, 1, 1.0]\norientation = \"SPL\"\n\
         [model.output]",
    )
}

#[test]
fn a_study_of_volumes_says_its_millimetres_and_its_axes() {
    let volume = |text: &str| {
        let protocol = parsed(text);
        let locked = LockedProtocol::new(protocol.clone()).expect("it keeps to the rules");
        let read = LockedProtocol::parse(locked.bytes()).expect("its own bytes");
        assert_eq!(read.protocol(), &protocol);
        serde_json::to_value(&protocol.model.input).expect("plain data")
    };
    let input = volume(&volumes());
    assert_eq!(input["resize"], "refuse");
    assert_eq!(input["monochrome1"], "refuse");
    assert_eq!(input["volume"]["orientation"], "SPL");
    assert_eq!(input["volume"]["padding"], 0.0);
    assert_eq!(input["volume"].get("slab"), None);
    let windowed = "scaling = \"window\"\nwindow_low = -1000\nwindow_high = 400";
    let windowed = volumes().replace("scaling = \"unit\"", windowed);
    assert_eq!(volume(&windowed)["volume"]["padding"], -1000.0);
    let slab = "depth = 64\nslab = { depth = 16, pooling = \"max\" }";
    let slabs = volume(&volumes().replace("depth = 64", slab));
    assert_eq!(slabs["volume"]["slab"]["depth"], 16);
    assert_eq!(slabs["volume"]["slab"]["overlap"], 0);
    let picture = serde_json::to_value(&parsed(GOOD).model.input).expect("plain data");
    assert_eq!(picture.get("volume"), None, "a study of pictures says nothing of it");
}

#[test]
fn what_volumes_do_not_have_is_refused_where_it_stands() {
    for (what, with, path) in [
        ("depth = 64", "depth = 0", "volume.depth"),
        ("depth = 64", "depth = 4097", "volume.depth"),
        ("depth = 64", "depth = 4096", "volume"),
        ("[2.0, 1, 1.0]", "[2.0, 1]", "volume.spacing_mm"),
        ("[2.0, 1, 1.0]", "[2.0, 1, 0.0]", "volume.spacing_mm"),
        ("\"SPL\"", "\"SPI\"", "volume.orientation"),
        ("scaling = \"unit\"", "scaling = \"modality\"", "volume.padding"),
        ("scaling = \"unit\"", "scaling = \"voi\"", "scaling"),
        ("\"nchw\"", "\"nhwc\"", "layout"),
        ("channels = 1", "channels = 3", "channels"),
        ("channels = 1", "channels = 1\nresize = \"bilinear\"", "resize"),
        ("channels = 1", "channels = 1\nmonochrome1 = \"invert\"", "monochrome1"),
        ("channels = 1", "channels = 1\nframe = \"middle\"", "frame"),
        ("depth = 64", "depth = 64\nslab = { depth = 65, pooling = \"max\" }", "volume.slab.depth"),
        (
            "depth = 64",
            "depth = 64\nslab = { depth = 4, overlap = 4, pooling = \"max\" }",
            "volume.slab.overlap",
        ),
    ] {
        let text = volumes().replacen(what, with, 1);
        let problems = refused(&text).problems;
        assert!(
            problems.iter().any(|problem| problem.path == format!("model.input.{path}")),
            "{with}: {problems:?}"
        );
    }
}

/// A study of masks by a model of volumes.
fn masks_of_volumes(volume: &str, output: &str) -> String {
    segmentation_by_model(output)
        .replace("resize = \"refuse\"\nmonochrome1 = \"invert\"\n", "")
        .replace("[model.output]", &format!("[model.input.volume]\n{volume}\n[model.output]"))
}

#[test]
fn a_model_of_volumes_may_give_masks_and_no_boxes() {
    let volume = "depth = 64\nspacing_mm = [2.0, 1.0, 1.0]\norientation = \"SPL\"";
    let threshold = "scale = \"logit\"\nrule = \"threshold\"\nthreshold = 0.5\n";
    let protocol = parsed(&masks_of_volumes(volume, threshold));
    assert!(protocol.model.output.form.mask().is_some() && protocol.model.input.volume.is_some());
    let locked = LockedProtocol::new(protocol.clone()).expect("it breaks no rule");
    assert_eq!(LockedProtocol::parse(locked.bytes()).expect("its own bytes").protocol(), &protocol);
    let slab = |pooling: &str| {
        format!("{volume}\nslab = {{ depth = 16, overlap = 4, pooling = \"{pooling}\" }}")
    };
    let highest = "rule = \"highest\"\nchannels = 2\n";
    for (pooling, output) in [("max", threshold), ("mean", threshold), ("mean", highest)] {
        let _ = parsed(&masks_of_volumes(&slab(pooling), output));
    }
    let of = |text: &str| -> Vec<String> {
        refused(text).problems.into_iter().map(|problem| problem.path).collect()
    };
    let paths = of(&masks_of_volumes(&slab("max"), highest));
    assert_eq!(paths, ["model.input.volume.slab.pooling"]);
    let large = volume.replace("depth = 64", "depth = 4096");
    let paths = of(&masks_of_volumes(&large, &format!("{threshold}channels = 64\n")));
    assert!(paths.iter().any(|path| path == "model.output.channels"), "{paths:?}");
    let boxes = masks_of_volumes(volume, "").replace("form = \"mask\"", "form = \"boxes\"");
    assert!(of(&boxes).iter().any(|path| path == "model.output.form"));
}
