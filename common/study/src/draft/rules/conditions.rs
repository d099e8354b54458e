//! Tasks with several conditions: what each needs, and what such a study does not have.

use std::collections::BTreeSet;

use super::binary_only::{self, LEAVE_OUT, Part};
use super::{Breaches, check_prevalences};
use crate::condition_groups::MOST_TOLD;
use crate::id::Name;
use crate::metric::MetricId;
use crate::protocol::{Condition, Endpoint, MOST_CONDITIONS, Profile, StudyProtocol, Unit};

pub(super) fn check(protocol: &StudyProtocol, conditions: &[Condition], found: &mut Breaches) {
    found.unless(
        (2..=MOST_CONDITIONS).contains(&conditions.len()),
        "conditions",
        "must be 2 to 14",
        "write a [[conditions]] table with name, column, positive and negative for each, in the order of the \
         model's output",
    );
    found.distinct("conditions", "name", conditions.iter().map(|of| of.name.as_str()));
    found.distinct("conditions", "column", conditions.iter().map(|of| of.column.as_str()));
    for (index, condition) in conditions.iter().enumerate() {
        let path = format!("conditions[{index}]");
        check_values(&path, condition, found);
        check_prevalences(&format!("{path}.prevalences"), &condition.prevalences, found);
        found.unless(
            condition.prevalences.is_empty() || !condition.operating_points.is_empty(),
            format!("{path}.prevalences"),
            "are stated for a condition without an operating point",
            "write its cut-offs as [[conditions.operating_points]]: predictive values are those of a call",
        );
    }
    check_points(protocol, conditions, found);
    check_what_is_missing(protocol, found);
    check_analysis(protocol, found);
}

/// Every value means one thing.
fn check_values(path: &str, condition: &Condition, found: &mut Breaches) {
    found.unless(
        !condition.column.is_empty(),
        format!("{path}.column"),
        "is empty",
        "give the manifest's column of its reference standard",
    );
    let mut seen = BTreeSet::new();
    for (key, values) in [
        ("positive", &condition.positive),
        ("negative", &condition.negative),
        ("missing", &condition.missing),
    ] {
        let path = format!("{path}.{key}");
        found.unless(
            key == "missing" || !values.is_empty(),
            &path,
            "is empty",
            "list the values of the column that mean so",
        );
        for value in values {
            found.unless(
                !value.is_empty(),
                &path,
                "holds an empty value",
                "leave it out: an empty cell always means that the reference standard is missing",
            );
            found.unless(
                seen.insert(value.as_str()),
                &path,
                format!("`{value}` is listed twice"),
                "list each value of a condition once",
            );
        }
    }
}

/// Every operating point is a cut-off of one score.
fn check_points(protocol: &StudyProtocol, conditions: &[Condition], found: &mut Breaches) {
    for (index, point) in protocol.operating_points.iter().enumerate() {
        let names = conditions.iter().flat_map(|of| &of.operating_points);
        found.unless(
            names.filter(|name| **name == point.name).count() == 1,
            format!("operating_points[{index}]"),
            format!("`{}` is not the cut-off of one condition", point.name),
            "write it as [[conditions.operating_points]] under its condition, each with a name of its own",
        );
    }
    for (index, condition) in conditions.iter().enumerate() {
        let is_there =
            |name: &Name| protocol.operating_points.iter().any(|point| point.name == *name);
        found.unless(
            condition.operating_points.iter().all(is_there),
            format!("conditions[{index}].operating_points"),
            "names no operating point",
            "give each a name and a threshold",
        );
    }
}

/// What only a study of one condition has.
fn check_what_is_missing(protocol: &StudyProtocol, found: &mut Breaches) {
    let what = "several conditions";
    binary_only::refuse(&[Part::Labels], protocol, what, LEAVE_OUT, found);
    let one = "keep the dimension that matters most: with several conditions there is one, and nothing to cross";
    binary_only::refuse(&[Part::Crossings], protocol, what, one, found);
    found.unless(
        protocol.subgroups.len() <= 1,
        "subgroups",
        "has more than one dimension, which with several conditions would close a circle (disclosure rule DC-16)",
        one,
    );
    let categories = protocol.subgroups.first().map_or(0, |of| of.category_names().len());
    let conditions = protocol.task.conditions().len();
    found.unless(
        conditions.saturating_mul(categories.saturating_add(1)) <= MOST_TOLD,
        "subgroups[0]",
        format!(
            "has {categories} categories: {conditions} conditions of each and of the whole are more than {MOST_TOLD}, \
             more than the usual bit budget of a site has room for in a large cohort"
        ),
        "ask about fewer, larger groups, or fewer conditions",
    );
    let own = "write `prevalences` under each of the [[conditions]]: one is rarer than another";
    binary_only::refuse(&[Part::Prevalences], protocol, what, own, found);
}

fn check_analysis(protocol: &StudyProtocol, found: &mut Breaches) {
    found.unless(
        protocol.analysis.unit == Unit::Patient,
        "analysis.unit",
        "must be \"patient\" where there are several conditions",
        "write \"patient\": each is counted once for each condition, and errors are between patients",
    );
    found.unless(
        protocol.disclosure.profile == Profile::Standard,
        "disclosure.profile",
        "must be \"standard\" where there are several conditions",
        "counts of several conditions have no rounded or noisy form: under another profile no site would answer",
    );
}

/// An endpoint about one condition names it.
pub(super) fn check_endpoint(
    path: &str,
    endpoint: &Endpoint,
    protocol: &StudyProtocol,
    found: &mut Breaches,
) {
    if let MetricId::OfCondition(_, condition) = &endpoint.metric {
        found.unless(
            protocol.task.conditions().iter().any(|of| of.name == *condition),
            path,
            format!("names no condition: `{condition}`"),
            "use the name of one of the [[conditions]]",
        );
    }
}
