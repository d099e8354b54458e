//! Studies of a quantity.

use fedval_study::draft::Draft;
use fedval_study::protocol::{EndpointDirection, Reference, ScoreScale};
use fedval_study::{LockedProtocol, Measure};

use super::{GOOD, parsed, refused};

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
