//! Studies of masks.

use fedval_study::protocol::{
    EndpointDirection, MaskOutput, MaskRule, OutputForm, PredictionTables, ScoreScale,
};
use fedval_study::{LockedProtocol, Measure};

use super::{GOOD, parsed, refused};

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
    let tilted = format!("{volume}\ngantry_tilt = \"resample\"");
    assert_eq!(of(&masks_of_volumes(&tilted, threshold)), ["model.input.volume.gantry_tilt"]);
    let large = volume.replace("depth = 64", "depth = 4096");
    let paths = of(&masks_of_volumes(&large, &format!("{threshold}channels = 64\n")));
    assert!(paths.iter().any(|path| path == "model.output.channels"), "{paths:?}");
    let boxes = masks_of_volumes(volume, "").replace("form = \"mask\"", "form = \"boxes\"");
    assert!(of(&boxes).iter().any(|path| path == "model.output.form"));
}
