//! Studies of findings with a place.

use fedval_study::LockedProtocol;
use fedval_study::protocol::{ClassScope, Suppression};

use super::{GOOD, parsed, refused};

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

/// The same with a model that gives boxes at the sites, and `output` among what is said of them.
fn findings_by_model(output: &str) -> String {
    findings()
        .replace("prediction_tables = \"accept\"\n", "")
        .replace("[model.output]\n", &format!("[model.output]\nform = \"boxes\"\n{output}"))
}

#[test]
fn a_study_says_which_of_overlapping_boxes_stays() {
    let suppression = |output: &str| {
        let protocol = parsed(&findings_by_model(output));
        let boxes = protocol.model.output.form.boxes().expect("a model that gives boxes");
        let locked = LockedProtocol::new(protocol.clone()).expect("it breaks no rule");
        let again = LockedProtocol::parse(locked.bytes()).expect("its own bytes");
        assert_eq!(again.protocol(), &protocol);
        (boxes.non_maximum_suppression, String::from_utf8_lossy(locked.bytes()).into_owned())
    };
    let rule = |candidates, classes, iou| Some(Suppression { candidates, classes, iou });
    let (usual, _) = suppression("non_maximum_suppression = { iou = 0.5 }\n");
    assert_eq!(usual, rule(1000, ClassScope::Apart, 500));
    let (other, _) = suppression(
        "class = 2\nnon_maximum_suppression = { iou = 0.45, candidates = 30, classes = \"together\" }\n",
    );
    assert_eq!(other, rule(30, ClassScope::Together, 450));
    // Protocols that say nothing of it are written as before there was a choice.
    let (none, text) = suppression("");
    assert_eq!(none, None);
    assert!(text.contains(r#""form":{"boxes":{}}"#), "{text}");
}

#[test]
fn a_suppression_that_means_nothing_is_refused_where_it_stands() {
    for (rule, key) in [
        ("{ iou = 0.0 }", "iou"),
        ("{ iou = 1.0 }", "iou"),
        ("{ iou = 0.0005 }", "iou"),
        ("{ candidates = 50 }", "iou"),
        ("{ iou = 0.5, candidates = 29 }", "candidates"),
        ("{ iou = 0.5, candidates = 4097 }", "candidates"),
        ("{ iou = 0.5, classes = \"together\" }", "classes"),
        ("{ iou = 0.5, classes = \"some\" }", "classes"),
        ("{ iou = 0.5, score = 0.1 }", "score"),
    ] {
        let text = findings_by_model(&format!("non_maximum_suppression = {rule}\n"));
        let problems = refused(&text).problems;
        let paths: Vec<String> = problems.into_iter().map(|p| p.path).collect();
        assert_eq!(paths, [format!("model.output.non_maximum_suppression.{key}")], "{rule}");
    }
    // Scores and masks have none.
    let text = GOOD
        .replace("[model.output]\n", "[model.output]\nnon_maximum_suppression = { iou = 0.5 }\n");
    assert_eq!(refused(&text).problems[0].path, "model.output.non_maximum_suppression");
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
