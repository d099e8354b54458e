//! Tasks of masks: what they need, and what they do not have.

use std::collections::BTreeSet;

use super::Breaches;
use super::binary_only::{self, LEAVE_OUT, Part};
use crate::metric::MetricId;
use crate::protocol::{
    Combine, Endpoint, EndpointDirection, MOST_LABELS, MOST_MICROMETRES, MOST_ROI_NAME,
    PredictionTables, Profile, ScoreScale, Structure, StudyProtocol, Unit,
};

/// Largest pixel of a picture, in micrometres.
const MOST_SPACING: u32 = 100_000;

pub(super) fn check(protocol: &StudyProtocol, of: &Structure, found: &mut Breaches) {
    check_labels(of, found);
    check_rois(of, found);
    check_lengths(of, found);
    check_what_it_has_not(protocol, found);
    check_analysis(protocol, found);
    let runs = protocol.model.output.form.mask().is_some();
    found.unless(
        runs || protocol.model.output.scale == ScoreScale::Value,
        "model.output.scale",
        "must be \"value\" where masks are judged that were made elsewhere",
        "leave it out: a mask has no score",
    );
    found.unless(
        runs || protocol.prediction_tables == PredictionTables::Accept,
        "prediction_tables",
        "must be \"accept\" where the model gives no mask",
        "write \"accept\": sites bring the masks that the model made; or let it run with form = \"mask\" \
         under [model.output]",
    );
    found.unless(
        protocol.disclosure.profile == Profile::Standard,
        "disclosure.profile",
        "must be \"standard\" where masks are judged",
        "measures of masks have no rounded or noisy form: under another profile no site would answer",
    );
}

fn check_labels(of: &Structure, found: &mut Breaches) {
    let lists = [("labels", &of.labels), ("other_labels", &of.other_labels)];
    found.unless(
        !of.labels.is_empty(),
        "segmentation.labels",
        "is empty",
        "list the values of voxels that belong to the structure, such as [1]",
    );
    let mut seen = BTreeSet::new();
    for (key, labels) in lists {
        let path = format!("segmentation.{key}");
        found.unless(
            labels.len() <= MOST_LABELS,
            &path,
            "has more than 64 entries",
            "keep the values that occur in the masks",
        );
        for label in labels {
            found.unless(
                *label != 0,
                &path,
                "holds 0, which is the background",
                "leave the background out",
            );
            found.unless(
                seen.insert(*label),
                &path,
                format!("holds {label}, which is listed before"),
                "list each value once",
            );
        }
    }
}

fn check_rois(of: &Structure, found: &mut Breaches) {
    let path = "segmentation.rois";
    found.unless(
        of.rois.len() <= MOST_LABELS,
        path,
        "has more than 64 entries",
        "keep the names that occur in the structure sets",
    );
    let mut seen = BTreeSet::new();
    for name in &of.rois {
        let is_name = (1..=MOST_ROI_NAME).contains(&name.chars().count())
            && name.trim() == name
            && !name.chars().any(|of| of.is_control() || of == '\\');
        found.unless(
            is_name,
            path,
            "holds what can be no ROI Name",
            "write 1 to 64 characters without a backslash, and no space before or behind them",
        );
        found.unless(
            seen.insert(name),
            path,
            "holds a name that is listed before",
            "list each name once",
        );
    }
}

fn check_lengths(of: &Structure, found: &mut Breaches) {
    found.unless(
        (1..=MOST_MICROMETRES).contains(&of.hd95_bound_um),
        "segmentation.hd95_bound_mm",
        "must be 0.001 to 1000 mm",
        "give the distance beyond which a contour is simply wrong, such as 50",
    );
    found.unless(
        of.tolerance_um <= of.hd95_bound_um,
        "segmentation.tolerance_mm",
        "is larger than hd95_bound_mm",
        "give the difference that two experts' contours have, such as 2",
    );
    found.unless(
        of.pixel_spacing_um.is_none_or(|spacing| (1..=MOST_SPACING).contains(&spacing)),
        "segmentation.pixel_spacing_mm",
        "must be 0.001 to 100 mm",
        "give the size of a pixel, or leave it out where every mask is NIfTI",
    );
}

/// An endpoint on masks has a limit on the side that is better.
pub(super) fn check_endpoint(
    path: &str,
    endpoint: &Endpoint,
    of: &Structure,
    found: &mut Breaches,
) {
    let (wanted, words, remedy) = if endpoint.metric == MetricId::Hd95 {
        (EndpointDirection::AtMost, "must be \"at_most\": the nearer, the better", "at_most")
    } else {
        (EndpointDirection::AtLeast, "must be \"at_least\": the more, the better", "at_least")
    };
    found.unless(
        endpoint.direction == wanted,
        format!("{path}.direction"),
        words,
        &format!("write direction = \"{remedy}\""),
    );
    found.unless(
        endpoint.metric != MetricId::Hd95
            || (endpoint.limit > 0.0 && endpoint.limit < of.hd95_bound_mm()),
        format!("{path}.limit"),
        format!("{} is not between 0 and hd95_bound_mm", endpoint.limit),
        "give the distance that is still good enough, in millimetres",
    );
}

/// Means over patients with both masks are met by missing what is hard to outline: some endpoint must count the misses.
pub(super) fn check_misses(protocol: &StudyProtocol, found: &mut Breaches) {
    let endpoints = &protocol.endpoints;
    let silent = endpoints.iter().position(|of| of.metric.is_silent_about_misses());
    let Some(index) = silent.filter(|_| protocol.task.structure().is_some()) else { return };
    found.unless(
        endpoints.iter().any(|of| of.metric == MetricId::DiceMissesZero),
        format!("endpoints[{index}].metric"),
        format!(
            "`{}` is over patients in whom the model outlined something: it is met by missing the others",
            endpoints[index].metric
        ),
        "add an endpoint on dice_misses_zero, in which a structure that was missed counts 0, or choose it instead",
    );
}

fn check_what_it_has_not(protocol: &StudyProtocol, found: &mut Breaches) {
    binary_only::refuse(&Part::ALL, protocol, "masks", LEAVE_OUT, found);
}

fn check_analysis(protocol: &StudyProtocol, found: &mut Breaches) {
    found.unless(
        protocol.analysis.unit == Unit::Patient,
        "analysis.unit",
        "must be \"patient\" where masks are judged",
        "write \"patient\": each is counted once, and bounds what a mean says of anybody",
    );
    found.unless(
        protocol.analysis.combine != Some(Combine::Maximum),
        "analysis.combine",
        "cannot be \"maximum\" where masks are judged",
        "write \"mean\" or \"first\"",
    );
}
