//! Sentences that every report carries.

use crate::report::{WithheldItem, WithheldWhat};

/// What no reader may conclude.
pub(super) fn limits() -> Vec<String> {
    [
        "Minimum counts, suppression and site-side review do not bound what a model built with \
         intent could say about one patient whom its author already knows; only differential \
         privacy gives such a bound, and this study does not use it.",
        "Signatures prove who released each number and that nobody changed it since; no \
         cryptography proves that a site computed it from real patients, so a site that invents \
         its numbers is found by audit, not by verification.",
        "Sites were not drawn at random from all hospitals: a prediction interval speaks of new \
         sites that resemble the ones shown.",
        "The least favourable site or subgroup is the extreme of several estimates and looks worse \
         than it is by chance alone; read it with its interval.",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// In which direction withholding may bias what is shown.
pub(super) fn possible_bias(withheld: &[WithheldItem]) -> &'static str {
    let (whole, groups) =
        withheld.iter().fold((false, false), |(whole, groups), item| match item.what {
            WithheldWhat::WholeSite => (true, groups),
            WithheldWhat::Subgroup { .. } => (whole, true),
            WithheldWhat::Attrition { .. } => (whole, groups),
        });
    match (whole, groups) {
        (false, false) => {
            "No site and no subgroup is missing from the estimates. Rules on denominators do not \
             depend on how well the model did, so they do not select favourable results."
        }
        (true, false) => {
            "Sites that are missing here are mostly small ones or ones that declined. How the model \
             does there is not known, so the direction of the bias is not known either; the \
             estimates speak for larger sites that took part."
        }
        (false, true) => {
            "Subgroups that are missing here are small at their site. How the model does in them is \
             not known, so the direction of the bias is not known either; subgroup results speak \
             for sites where the group is large."
        }
        (true, true) => {
            "Sites and subgroups that are missing here are mostly small ones, or sites that \
             declined. How the model does there is not known, so the direction of the bias is not \
             known either; the estimates speak for larger sites and larger groups."
        }
    }
}
