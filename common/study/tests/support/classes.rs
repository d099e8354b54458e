//! A study of one condition made one of three classes, for tests of several crates.

use fedval_study::protocol::{Class, Combine, StudyProtocol, Task, Unit};

/// The same study about the classes none, mild and severe, with one endpoint: this metric.
pub(crate) fn three_classes(
    mut plan: StudyProtocol,
    task: fn(Vec<Class>) -> Task,
    metric: &str,
) -> StudyProtocol {
    let class = |name: &str| Class { name: name.parse().unwrap(), values: vec![name.to_owned()] };
    plan.task = task(["none", "mild", "severe"].map(class).into());
    plan.model.output.values = 3;
    plan.reference_standard.positive.clear();
    plan.reference_standard.negative.clear();
    plan.analysis.unit = Unit::Patient;
    plan.analysis.combine = Some(Combine::First);
    plan.analysis.prevalences.clear();
    plan.operating_points.clear();
    plan.subgroups.clear();
    plan.endpoints.truncate(1);
    plan.endpoints[0].metric = metric.parse().unwrap();
    plan
}
