//! Tasks: what those with several classes need, and what each does not have.

use std::collections::BTreeSet;

use super::binary_only::{self, LEAVE_OUT, Part};
use super::{Breaches, conditions, quantity, structure};
use crate::metric::MetricId;
use crate::protocol::{
    Combine, Endpoint, MOST_CLASSES, Profile, ScoreScale, StudyProtocol, Task, Unit,
};

pub(super) fn check(protocol: &StudyProtocol, found: &mut Breaches) {
    let output = &protocol.model.output;
    let values = u32::try_from(protocol.task.scores()).unwrap_or(u32::MAX);
    found.unless(
        output.values == values,
        "model.output.values",
        "must be one for each class or condition",
        "leave it out: it follows from the classes or conditions",
    );
    found.unless(
        output.separate == matches!(protocol.task, Task::MultiLabel(_)),
        "model.output.separate",
        "is for several conditions, and for them alone",
        "leave it out: it follows from the task",
    );
    found.unless(
        protocol.task.is_of_measures() || protocol.model.output.scale != ScoreScale::Value,
        "model.output.scale",
        "is \"value\", and no quantity is measured",
        "write \"probability\" or \"logit\", or ask for a quantity with task = \"regression\"",
    );
    match &protocol.task {
        Task::Binary => {}
        Task::Regression(of) => quantity::check(protocol, of, found),
        Task::Detection(plan) => super::detection::check(protocol, plan, found),
        Task::Segmentation(of) => structure::check(protocol, of, found),
        Task::MultiClass(_) | Task::Ordinal(_) => check_classes(protocol, found),
        Task::MultiLabel(of) => conditions::check(protocol, of, found),
    }
}

fn check_classes(protocol: &StudyProtocol, found: &mut Breaches) {
    let classes = protocol.task.classes();
    found.unless(
        (2..=MOST_CLASSES).contains(&classes.len()),
        "classes",
        "must be 2 to 10",
        "write a [[classes]] table with name and values for each, in the order of the model's output",
    );
    found.distinct("classes", "name", classes.iter().map(|class| class.name.as_str()));
    let mut seen = BTreeSet::new();
    for (index, class) in classes.iter().enumerate() {
        found.unless(
            !class.values.is_empty(),
            format!("classes[{index}].values"),
            "is empty",
            "list the values of the label column that mean this class",
        );
        for value in &class.values {
            found.unless(
                seen.insert(value.as_str()),
                format!("classes[{index}].values"),
                format!("`{value}` belongs to two classes"),
                "list each value once",
            );
        }
    }
    check_what_is_binary(protocol, found);
    check_analysis(protocol, found);
}

/// What only a binary task has.
fn check_what_is_binary(protocol: &StudyProtocol, found: &mut Breaches) {
    binary_only::refuse(&Part::ALL, protocol, "several classes", LEAVE_OUT, found);
}

fn check_analysis(protocol: &StudyProtocol, found: &mut Breaches) {
    found.unless(
        protocol.analysis.unit == Unit::Patient,
        "analysis.unit",
        "must be \"patient\" where there are several classes",
        "write \"patient\": each is counted once, and no table counts anybody twice",
    );
    let is_ordered = matches!(protocol.task, Task::Ordinal(_));
    found.unless(
        is_ordered || protocol.analysis.combine != Some(Combine::Maximum),
        "analysis.combine",
        "cannot be \"maximum\" where classes have no order",
        "write \"mean\" or \"first\"",
    );
    found.unless(
        protocol.model.output.scale == ScoreScale::Probability,
        "model.output.scale",
        "must be \"probability\" where there are several classes",
        "let the model end in a softmax",
    );
    found.unless(
        protocol.disclosure.profile == Profile::Standard,
        "disclosure.profile",
        "must be \"standard\" where there are several classes",
        "tables of several classes have no rounded or noisy form: under another profile no site would answer",
    );
}

/// Whether the task has the metric.
const fn has(task: &Task, metric: &MetricId) -> bool {
    let is_of_classes = metric.is_of_classes();
    match task {
        Task::Binary => {
            !is_of_classes
                && !metric.is_of_measures()
                && !metric.is_of_findings()
                && !matches!(metric, MetricId::OfCondition(..))
        }
        Task::MultiLabel(_) => metric.is_of_conditions(),
        Task::Detection(_) => metric.is_of_findings(),
        Task::MultiClass(_) => is_of_classes && !matches!(metric, MetricId::QuadraticKappa),
        Task::Ordinal(_) => {
            is_of_classes && !matches!(metric, MetricId::MacroAuroc | MetricId::ClassAuroc(_))
        }
        Task::Regression(_) => metric.is_of_quantity(),
        Task::Segmentation(_) => metric.is_of_masks(),
    }
}

/// What to write in the place of another one.
const fn metrics(task: &Task) -> &'static str {
    match task {
        Task::Binary => {
            "choose a metric of one condition, such as auroc, or write task = \"ordinal\""
        }
        Task::Detection(_) => {
            "choose lesion_sensitivity@NAME, fp_per_scan@NAME or average_precision"
        }
        Task::MultiLabel(_) => {
            "choose macro_auroc, auroc@CONDITION, calibration_slope@CONDITION, sensitivity@NAME, \
             specificity@NAME or another metric of one condition with its name behind @"
        }
        Task::MultiClass(_) => {
            "choose macro_auroc, balanced_accuracy, accuracy, class_auroc@NAME, class_sensitivity@NAME \
             or class_specificity@NAME"
        }
        Task::Ordinal(_) => {
            "choose quadratic_kappa, balanced_accuracy, accuracy, class_sensitivity@NAME or \
             class_specificity@NAME"
        }
        Task::Regression(_) => {
            "choose mean_absolute_error, mean_error, lower_limit_of_agreement or upper_limit_of_agreement"
        }
        Task::Segmentation(_) => "choose dice_misses_zero, dice, nsd or hd95",
    }
}

/// An endpoint asks for a metric that the task has.
pub(super) fn check_metric(
    path: &str,
    endpoint: &Endpoint,
    protocol: &StudyProtocol,
    found: &mut Breaches,
) {
    let path = format!("{path}.metric");
    found.unless(
        has(&protocol.task, &endpoint.metric),
        &path,
        format!("`{}` is not a metric of this task", endpoint.metric),
        metrics(&protocol.task),
    );
    conditions::check_endpoint(&path, endpoint, protocol, found);
    if let Some(of) = protocol.task.structure() {
        structure::check_endpoint(path.trim_end_matches(".metric"), endpoint, of, found);
    }
    if let Some(of) = protocol.task.quantity() {
        quantity::check_endpoint(path.trim_end_matches(".metric"), endpoint, of, found);
    }
    if let Task::Detection(plan) = &protocol.task {
        super::detection::check_metric(path.trim_end_matches(".metric"), endpoint, plan, found);
    }
    found.unless(
        endpoint.metric != MetricId::QuadraticKappa
            || (endpoint.limit > -1.0 && endpoint.limit < 1.0),
        path.replace(".metric", ".limit"),
        format!("{} is not between −1 and 1", endpoint.limit),
        "write an agreement, such as 0.7",
    );
    if let MetricId::ClassAuroc(class)
    | MetricId::ClassSensitivity(class)
    | MetricId::ClassSpecificity(class) = &endpoint.metric
    {
        found.unless(
            protocol.task.classes().iter().any(|of| of.name == *class),
            path,
            format!("names no class: `{class}`"),
            "use the name of one of the [[classes]]",
        );
    }
}
