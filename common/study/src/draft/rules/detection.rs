//! Studies of findings with a place: what they need, and what they do not have.

use super::Breaches;
use super::binary_only::{self, Part};
use crate::metric::MetricId;
use crate::protocol::{
    DETECTION_BINS, DetectionPlan, Endpoint, EndpointDirection, MOST_CANDIDATES, MOST_LESIONS,
    Matching, PredictionTables, Profile, ScoreScale, StudyProtocol, Unit,
};

/// A site whose model finds hardly anything has no curve, and one where it finds nothing no error of its area: they leave
/// the pooled average precision, which is then better for it. Some endpoint must hear of them.
pub(super) fn check_silence(protocol: &StudyProtocol, found: &mut Breaches) {
    let endpoints = &protocol.endpoints;
    let silent = endpoints.iter().position(|of| of.metric == MetricId::AveragePrecision);
    let Some(index) = silent else { return };
    found.unless(
        endpoints.iter().any(|of| matches!(of.metric, MetricId::LesionSensitivity(_))),
        format!("endpoints[{index}].metric"),
        "`average_precision` is silent about sites where the model finds hardly anything",
        "add an endpoint on lesion_sensitivity@NAME, which every site tells",
    );
}

pub(super) fn check(protocol: &StudyProtocol, plan: &DetectionPlan, found: &mut Breaches) {
    check_counting(plan, found);
    found.unless(
        (1..plan.bins).contains(&plan.point.edge),
        "operating_points",
        "must be one cut-off on the grid of scores",
        "write one [[operating_points]] table whose threshold is an edge of the bins: of 20 bins 0.05, 0.1 … 0.95",
    );
    binary_only::refuse(
        &[Part::Labels, Part::OperatingPoints, Part::Prevalences],
        protocol,
        "findings",
        "leave it out: findings stand in files of their own",
        found,
    );
    check_around(protocol, found);
}

fn check_counting(plan: &DetectionPlan, found: &mut Breaches) {
    found.unless(
        DETECTION_BINS.contains(&plan.bins),
        "detection.bins",
        "must be 10 or 20 (disclosure rule DC-08)",
        "write 20, the usual choice",
    );
    found.unless(
        !matches!(plan.matching, Matching::Iou(milli) if !(1..=1000).contains(&milli)),
        "detection.iou",
        "must be above 0 and at most 1, in thousandths",
        "write the smallest overlap that counts, such as 0.5",
    );
    found.unless(
        (1..=MOST_LESIONS).contains(&plan.most_lesions),
        "detection.most_lesions",
        "must be 1 to 10: nobody's lesions may be most of a site's (disclosure rule DC-10)",
        "write 10, or fewer",
    );
    found.unless(
        (1..=MOST_CANDIDATES).contains(&plan.most_candidates),
        "detection.most_candidates",
        "must be 1 to 100",
        "write how many findings of a scan anybody would look at, such as 20",
    );
}

fn check_around(protocol: &StudyProtocol, found: &mut Breaches) {
    found.unless(
        protocol.analysis.unit == Unit::Image,
        "analysis.unit",
        "must be \"image\" where findings are counted",
        "write \"image\": each scan is counted, with errors between patients",
    );
    let runs = protocol.model.output.form.boxes().is_some();
    found.unless(
        runs || protocol.prediction_tables == PredictionTables::Accept,
        "prediction_tables",
        "must be \"accept\" where the model gives no boxes",
        "write prediction_tables = \"accept\": sites bring the findings of the model in a file; or let it run \
         with form = \"boxes\" under [model.output]",
    );
    found.unless(
        protocol.model.output.scale == ScoreScale::Probability,
        "model.output.scale",
        "must be \"probability\" where findings are counted",
        "bring scores from 0 to 1",
    );
    found.unless(
        protocol.disclosure.profile == Profile::Standard,
        "disclosure.profile",
        "must be \"standard\" where findings are counted",
        "counts of findings have no rounded or noisy form: under another profile no site would answer",
    );
}

/// An endpoint asks for a metric that has an error and a cut-off that is there, on the side that is better.
pub(super) fn check_metric(
    path: &str,
    endpoint: &Endpoint,
    plan: &DetectionPlan,
    found: &mut Breaches,
) {
    let metric = format!("{path}.metric");
    found.unless(
        endpoint.metric != MetricId::Cpm,
        &metric,
        "cpm has no sampling error to hold against a limit",
        "choose lesion_sensitivity@NAME, fp_per_scan@NAME or average_precision",
    );
    check_direction(path, endpoint, found);
    let is_rate = matches!(endpoint.metric, MetricId::FalsePositivesPerScan(_));
    found.unless(
        !is_rate || endpoint.limit > 0.0,
        format!("{path}.limit"),
        format!("{} is not above 0", endpoint.limit),
        "write false positives a scan, such as 1",
    );
    if let MetricId::LesionSensitivity(point) | MetricId::FalsePositivesPerScan(point) =
        &endpoint.metric
    {
        found.unless(
            plan.point.name == *point,
            metric,
            format!("names no operating point: `{point}`"),
            "use the name of the [[operating_points]] table",
        );
    }
}

/// A limit on the wrong side would be met by being bad.
fn check_direction(path: &str, endpoint: &Endpoint, found: &mut Breaches) {
    let (wanted, wrong, next) = match endpoint.metric {
        MetricId::FalsePositivesPerScan(_) => (
            EndpointDirection::AtMost,
            "must be \"at_most\": the fewer false positives, the better",
            "write direction = \"at_most\"",
        ),
        MetricId::LesionSensitivity(_) => (
            EndpointDirection::AtLeast,
            "must be \"at_least\": the more lesions are found, the better",
            "write direction = \"at_least\"",
        ),
        MetricId::AveragePrecision => (
            EndpointDirection::AtLeast,
            "must be \"at_least\": the larger, the better",
            "write direction = \"at_least\"",
        ),
        _ => return,
    };
    found.unless(endpoint.direction == wanted, format!("{path}.direction"), wrong, next);
}
