//! Studies of several classes or grades.

use fedval_study::protocol::{Reference, Task};

use super::{GOOD, parsed, refused};

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
