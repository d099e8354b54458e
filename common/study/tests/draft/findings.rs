//! Studies of findings with a place.

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
