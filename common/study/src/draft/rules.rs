//! The rules of the protocol language, held against a draft and again against every locked
//! document that arrives.

mod amendment;
mod binary_only;
mod conditions;
mod detection;
mod lattice;
mod output;
mod quantity;
mod sizes;
mod structure;
mod task;
mod texts;
mod volume;

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::metric::{ConditionMetric, MetricId};
use crate::protocol::{
    AttributeSource, Condition, DICOM_ATTRIBUTES, Dimension, Endpoint, FrameChoice, Grouping,
    OperatingPoint, StudyProtocol, Unit, ValueScaling,
};

/// Room for the round number behind a study's identifier.
const MAX_STUDY_ID: usize = 52;
/// Shared cap of operating points and decision-curve thresholds (disclosure rule DC-08).
const MAX_OPERATING_POINTS: usize = 20;
/// Cut-offs lie at least so far apart, in log-odds.
const NEAREST_POINTS: f64 = 0.01;
/// Prevalences at which predictive values are reported.
const MAX_PREVALENCES: usize = 10;
/// Most one-way subgroup dimensions (disclosure rule DC-16).
const MAX_DIMENSIONS: usize = 4;
/// Smallest k that a site or a study may choose.
pub(crate) const MIN_K: u64 = 5;
/// Largest side of an input image, in pixels.
const MAX_SIDE: u32 = 8192;

/// A rule that a protocol breaks.
pub(crate) struct Breach {
    pub(crate) path: String,
    pub(crate) what: String,
    pub(crate) remedy: String,
}

/// Collects breaches.
#[derive(Default)]
struct Breaches(Vec<Breach>);

impl Breaches {
    fn unless(&mut self, holds: bool, path: impl Display, what: impl Display, remedy: &str) {
        if !holds {
            self.0.push(Breach {
                path: path.to_string(),
                what: what.to_string(),
                remedy: remedy.to_owned(),
            });
        }
    }

    fn distinct<'a>(&mut self, path: &str, key: &str, ids: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for (index, id) in ids.enumerate() {
            let path = format!("{path}[{index}].{key}");
            let what = format!("`{id}` is used twice");
            self.unless(seen.insert(id), path, what, "give each its own name");
        }
    }
}

/// Every rule that `protocol` breaks.
pub(crate) fn broken(protocol: &StudyProtocol) -> Vec<Breach> {
    let mut found = Breaches::default();
    sizes::check(protocol, &mut found);
    if !found.0.is_empty() {
        return found.0;
    }
    found.unless(
        protocol.id.as_str().len() <= MAX_STUDY_ID,
        "id",
        "has more than 52 characters",
        "shorten it: round numbers are appended to it",
    );
    amendment::check(protocol, &mut found);
    texts::check(protocol, &mut found);
    check_input(protocol, &mut found);
    volume::check(protocol, &mut found);
    check_reference_standard(protocol, &mut found);
    check_analysis(protocol, &mut found);
    check_operating_points(protocol, &mut found);
    task::check(protocol, &mut found);
    output::check(protocol, &mut found);
    check_subgroups(protocol, &mut found);
    lattice::check(protocol, &mut found);
    check_endpoints(protocol, &mut found);
    found.unless(
        protocol.disclosure.k >= MIN_K,
        "disclosure.k",
        "must be 5 or more",
        "write 11, the usual choice, or at least 5",
    );
    found.0
}

/// What a new study must not leave open, and one that was locked before the rule came may: its agents and its package go
/// on reading it.
pub(crate) fn left_open(protocol: &StudyProtocol) -> Vec<Breach> {
    let mut found = Breaches::default();
    structure::check_misses(protocol, &mut found);
    detection::check_silence(protocol, &mut found);
    found.0
}

fn check_input(protocol: &StudyProtocol, found: &mut Breaches) {
    let input = &protocol.model.input;
    for (key, side) in [("height", input.height), ("width", input.width)] {
        let path = format!("model.input.{key}");
        found.unless(
            (1..=MAX_SIDE).contains(&side),
            path,
            "must be 1 to 8192 pixels",
            "give the size the model was trained on",
        );
    }
    found.unless(
        matches!(input.channels, 1 | 3),
        "model.input.channels",
        "must be 1 or 3",
        "write 1 for grey, 3 for a model that takes colour",
    );
    found.unless(
        input.standard_deviation > 0.0,
        "model.input.standard_deviation",
        "must be greater than 0",
        "leave it out for no division",
    );
    if let ValueScaling::Window { low, high } = input.scaling {
        found.unless(
            low < high,
            "model.input.window_high",
            "must be greater than window_low",
            "exchange the two",
        );
    }
    found.unless(
        input.frame != FrameChoice::Number(0),
        "model.input.frame_number",
        "must be at least 1",
        "write 1 for the first frame",
    );
}

fn check_reference_standard(protocol: &StudyProtocol, found: &mut Breaches) {
    let standard = &protocol.reference_standard;
    for (index, value) in standard.negative.iter().enumerate() {
        found.unless(
            !standard.positive.contains(value),
            format!("reference_standard.negative[{index}]"),
            format!("`{value}` is positive and negative"),
            "list each value once",
        );
    }
}

fn check_analysis(protocol: &StudyProtocol, found: &mut Breaches) {
    let analysis = &protocol.analysis;
    found.unless(
        (analysis.unit == Unit::Patient) == analysis.combine.is_some(),
        "analysis.combine",
        "must be given where unit is \"patient\", and only there",
        "write \"mean\", \"maximum\" or \"first\", or change the unit",
    );
    found.unless(
        (0.0..=0.5).contains(&analysis.failure_limit),
        "analysis.failure_limit",
        "must be 0 to 0.5",
        "write a share of cases, such as 0.05",
    );
    found.unless(
        (2..=100).contains(&analysis.ece_bins),
        "analysis.ece_bins",
        "must be 2 to 100",
        "write 10, the usual choice",
    );
    found.unless(
        analysis.level > 0.5 && analysis.level < 1.0,
        "analysis.level",
        "must lie between 0.5 and 1",
        "write 0.95",
    );
    check_prevalences("analysis.prevalences", &analysis.prevalences, found);
}

/// Shares at which predictive values are reported.
fn check_prevalences(path: &str, prevalences: &[f64], found: &mut Breaches) {
    found.unless(
        prevalences.len() <= MAX_PREVALENCES
            && prevalences.iter().all(|share| *share > 0.0 && *share < 1.0),
        path,
        "must be at most 10 shares strictly between 0 and 1",
        "write the prevalence of the places where the model is to be used, such as [0.02, 0.1]",
    );
}

fn check_operating_points(protocol: &StudyProtocol, found: &mut Breaches) {
    let points = &protocol.operating_points;
    found.unless(
        points.len() <= MAX_OPERATING_POINTS,
        "operating_points",
        "has more than 20 entries (disclosure rule DC-08)",
        "keep the cut-offs that decisions hang on",
    );
    found.distinct("operating_points", "name", points.iter().map(|p| p.name.as_str()));
    // Cut-offs of two conditions stand on two scores.
    let condition = |point: &OperatingPoint| {
        let is_of = |of: &Condition| of.operating_points.contains(&point.name);
        protocol.task.conditions().iter().position(is_of)
    };
    for (index, point) in points.iter().enumerate() {
        let near = |other: &OperatingPoint| {
            condition(point) == condition(other)
                && (log_odds(point.threshold) - log_odds(other.threshold)).abs() < NEAREST_POINTS
        };
        found.unless(
            points.len() > MAX_OPERATING_POINTS || !points[..index].iter().any(near),
            format!("operating_points[{index}].threshold"),
            "lies within 0.01 of another on the log-odds scale (disclosure rule DC-08)",
            "two cut-offs so near each other single out the cases between them; keep one",
        );
        found.unless(
            point.threshold > 0.0 && point.threshold < 1.0,
            format!("operating_points[{index}].threshold"),
            format!("{} is not a probability between 0 and 1", point.threshold),
            "thresholds stand on the probability scale, also for a model that gives logits",
        );
    }
}

fn log_odds(probability: f64) -> f64 {
    (probability / (1.0 - probability)).ln()
}

fn check_subgroups(protocol: &StudyProtocol, found: &mut Breaches) {
    let dimensions = &protocol.subgroups;
    found.unless(
        dimensions.len() <= MAX_DIMENSIONS,
        "subgroups",
        "has more than 4 dimensions (disclosure rule DC-16)",
        "keep the four that matter most",
    );
    found.distinct("subgroups", "dimension", dimensions.iter().map(|d| d.name.as_str()));
    for (index, dimension) in dimensions.iter().enumerate() {
        check_dimension(&format!("subgroups[{index}]"), dimension, found);
    }
}

fn check_dimension(path: &str, dimension: &Dimension, found: &mut Breaches) {
    if let AttributeSource::Dicom(keyword) = &dimension.source {
        found.unless(
            DICOM_ATTRIBUTES.contains(&keyword.as_str()),
            format!("{path}.dicom"),
            format!("`{keyword}` is not an attribute that subgroups may use"),
            &format!("use one of {}", DICOM_ATTRIBUTES.join(", ")),
        );
    }
    let names = dimension.category_names();
    let list = match &dimension.grouping {
        Grouping::Categories(_) => "categories",
        Grouping::Bands(_) => "bands",
    };
    found.unless(
        names.len() >= 2,
        format!("{path}.{list}"),
        "needs at least two entries",
        "one group alone compares with nothing",
    );
    found.distinct(&format!("{path}.{list}"), "name", names.iter().map(|n| n.as_str()));
    match &dimension.grouping {
        Grouping::Categories(categories) => {
            let mut seen = BTreeSet::new();
            for (index, category) in categories.iter().enumerate() {
                for value in &category.values {
                    found.unless(
                        seen.insert(value.as_str()),
                        format!("{path}.categories[{index}].values"),
                        format!("`{value}` belongs to two categories"),
                        "list each value once",
                    );
                }
            }
        }
        Grouping::Bands(_) => check_bands(path, dimension, found),
    }
}

fn check_bands(path: &str, dimension: &Dimension, found: &mut Breaches) {
    let Grouping::Bands(bands) = &dimension.grouping else { return };
    for (index, band) in bands.iter().enumerate() {
        found.unless(
            band.from < band.below,
            format!("{path}.bands[{index}].below"),
            "must be greater than from",
            "exchange the two",
        );
        for earlier in &bands[..index] {
            found.unless(
                band.below <= earlier.from || earlier.below <= band.from,
                format!("{path}.bands[{index}].from"),
                format!("`{}` overlaps `{}`", band.name, earlier.name),
                "a band holds from ≤ value < below: let one begin where the other ends",
            );
        }
    }
}

fn check_endpoints(protocol: &StudyProtocol, found: &mut Breaches) {
    let endpoints = &protocol.endpoints;
    found.unless(
        !endpoints.is_empty(),
        "endpoints",
        "is empty",
        "add [[endpoints]] with metric and limit: a study answers a question fixed in advance",
    );
    found.distinct("endpoints", "name", endpoints.iter().map(|e| e.name.as_str()));
    for (index, endpoint) in endpoints.iter().enumerate() {
        check_endpoint(&format!("endpoints[{index}]"), endpoint, protocol, found);
    }
}

fn check_endpoint(path: &str, endpoint: &Endpoint, protocol: &StudyProtocol, found: &mut Breaches) {
    let is_share = endpoint.metric.is_share();
    found.unless(
        !is_share || (endpoint.limit > 0.0 && endpoint.limit < 1.0),
        format!("{path}.limit"),
        format!("{} is not between 0 and 1", endpoint.limit),
        "write it as a fraction, such as 0.85",
    );
    found.unless(
        !matches!(endpoint.metric, MetricId::Ece | MetricId::OfCondition(ConditionMetric::Ece, _)),
        format!("{path}.metric"),
        "ece has no sampling error to hold against a limit",
        "choose calibration_slope, calibration_intercept or oe_ratio",
    );
    task::check_metric(path, endpoint, protocol, found);
    if let MetricId::Sensitivity(point) | MetricId::Specificity(point) = &endpoint.metric {
        found.unless(
            protocol.operating_points.iter().any(|p| p.name == *point),
            format!("{path}.metric"),
            format!("names no operating point: `{point}`"),
            "use the name of one of the [[operating_points]]",
        );
    }
}
