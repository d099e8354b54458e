//! Regressions: what a quantity needs, and what a study of one does not have.

use super::Breaches;
use super::binary_only::{self, LEAVE_OUT, Part};
use crate::metric::MetricId;
use crate::protocol::{
    Combine, Endpoint, EndpointDirection, Profile, Quantity, ScoreScale, StudyProtocol, Unit,
};

/// Largest size of a bound, in 10⁻⁶: differences of two such are still exact in JSON.
const MOST_MICRO: u64 = 1_000_000_000_000_000;

pub(super) fn check(protocol: &StudyProtocol, quantity: &Quantity, found: &mut Breaches) {
    check_bounds(quantity, found);
    check_resolution(quantity, found);
    check_what_is_binary(protocol, found);
    found.unless(
        protocol.analysis.unit == Unit::Patient,
        "analysis.unit",
        "must be \"patient\" where a quantity is measured",
        "write \"patient\": what one patient can do to a mean is then known beforehand",
    );
    found.unless(
        protocol.analysis.combine != Some(Combine::Maximum),
        "analysis.combine",
        "cannot be \"maximum\" where a quantity is measured",
        "write \"mean\" or \"first\": the largest of several estimates is biased upwards",
    );
    found.unless(
        protocol.model.output.scale == ScoreScale::Value,
        "model.output.scale",
        "must be \"value\" where a quantity is measured",
        "leave it out, and let the model give the quantity in its unit",
    );
    found.unless(
        protocol.disclosure.profile != Profile::Dp,
        "disclosure.profile",
        "cannot be \"dp\" where a quantity is measured",
        "write \"standard\" or a profile that rounds: means have no noisy form, and no site would answer",
    );
}

fn check_bounds(quantity: &Quantity, found: &mut Breaches) {
    let Quantity { lower_micro, upper_micro, .. } = *quantity;
    for (key, bound) in [("lower", lower_micro), ("upper", upper_micro)] {
        found.unless(
            bound.unsigned_abs() <= MOST_MICRO,
            format!("quantity.{key}"),
            "is beyond 1000000000",
            "choose a larger unit",
        );
    }
    found.unless(
        lower_micro < upper_micro,
        "quantity.upper",
        "must be greater than lower",
        "give the least and the largest value that a patient can have",
    );
}

fn check_resolution(quantity: &Quantity, found: &mut Breaches) {
    let span = quantity.upper_micro.abs_diff(quantity.lower_micro);
    let largest = quantity.largest_error_micro;
    found.unless(
        largest > 0 && largest.unsigned_abs() <= span,
        "quantity.largest_error",
        "must be greater than 0 and no more than upper − lower",
        "leave it out, or give the size from which on an error is wrong, however large it is",
    );
    found.unless(
        quantity.grid_micro > 0 && quantity.grid_micro <= largest.unsigned_abs(),
        "quantity.grid",
        "must be at least 0.000001 and no more than the largest error",
        "give the smallest difference that matters, such as 0.1",
    );
}

/// What only a binary task has. Subgroups are for a quantity too.
fn check_what_is_binary(protocol: &StudyProtocol, found: &mut Breaches) {
    binary_only::refuse(
        &[Part::Labels, Part::OperatingPoints, Part::Prevalences],
        protocol,
        "a quantity",
        LEAVE_OUT,
        found,
    );
}

/// An endpoint on a quantity has a limit that can be met and missed, on the side that is better.
pub(super) fn check_endpoint(
    path: &str,
    endpoint: &Endpoint,
    quantity: &Quantity,
    found: &mut Breaches,
) {
    found.unless(
        endpoint.metric != MetricId::IntraclassCorrelation,
        format!("{path}.metric"),
        "an intraclass correlation is told of each site and has no mean over sites",
        "choose mean_absolute_error, mean_error or a limit of agreement",
    );
    check_direction(path, endpoint, found);
    check_limit(path, endpoint, quantity, found);
}

/// Errors near nothing are better: a limit on the wrong side would be met by being bad. A bias may be held from
/// either side.
fn check_direction(path: &str, endpoint: &Endpoint, found: &mut Breaches) {
    let (wanted, wrong, next) = match endpoint.metric {
        MetricId::MeanAbsoluteError => (
            EndpointDirection::AtMost,
            "must be \"at_most\": the smaller an error, the better",
            "write direction = \"at_most\"",
        ),
        MetricId::UpperLimitOfAgreement => (
            EndpointDirection::AtMost,
            "must be \"at_most\": errors are to stay below it",
            "write direction = \"at_most\"",
        ),
        MetricId::LowerLimitOfAgreement => (
            EndpointDirection::AtLeast,
            "must be \"at_least\": errors are to stay above it",
            "write direction = \"at_least\"",
        ),
        _ => return,
    };
    found.unless(endpoint.direction == wanted, format!("{path}.direction"), wrong, next);
}

/// Errors are cut to the largest: a limit beyond it would always be met, or never.
fn check_limit(path: &str, endpoint: &Endpoint, quantity: &Quantity, found: &mut Breaches) {
    let largest = quantity.largest_error_micro.unsigned_abs();
    let limit = Quantity::micro(endpoint.limit);
    let (holds, wrong) = match endpoint.metric {
        MetricId::MeanAbsoluteError => (
            limit.is_some_and(|limit| limit > 0 && limit.unsigned_abs() < largest),
            "is not between 0 and the largest error",
        ),
        MetricId::MeanError | MetricId::LowerLimitOfAgreement | MetricId::UpperLimitOfAgreement => {
            (
                limit.is_some_and(|limit| limit.unsigned_abs() < largest),
                "is not smaller than the largest error, in either direction",
            )
        }
        _ => return,
    };
    found.unless(
        holds,
        format!("{path}.limit"),
        format!("{} {wrong}", endpoint.limit),
        "give the error that is still good enough, in the quantity's unit",
    );
}
