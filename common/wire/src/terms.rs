//! Disclosure terms, and the mark of what was suppressed.

use fedval_proto as proto;
use fedval_study::protocol::Profile;
use fedval_study::{Cell, Terms};

use crate::WireError;
use crate::primitive::enumeration;

pub(crate) fn terms_to_wire(terms: &Terms) -> proto::Terms {
    proto::Terms {
        profile: profile_to_wire(terms.profile).into(),
        k: terms.k,
        withheld_responses: terms.withheld_responses,
        zeros_withheld: terms.zeros_withheld,
        rounding_base: terms.rounding_base,
        noise_rho_micro: terms.noise_rho_micro.unwrap_or(0),
    }
}

pub(crate) fn terms_from_wire(terms: Option<proto::Terms>) -> Result<Terms, WireError> {
    let terms = terms.ok_or(WireError::missing("terms"))?;
    Ok(Terms {
        profile: enumeration("profile", terms.profile, profile_from_wire)?,
        k: terms.k,
        withheld_responses: terms.withheld_responses,
        zeros_withheld: terms.zeros_withheld,
        rounding_base: terms.rounding_base,
        noise_rho_micro: Some(terms.noise_rho_micro).filter(|rho| *rho > 0),
    })
}

pub(crate) const fn profile_to_wire(profile: Profile) -> proto::Profile {
    match profile {
        Profile::Standard => proto::Profile::Standard,
        Profile::Strict => proto::Profile::Strict,
        Profile::Cms => proto::Profile::Cms,
        Profile::OpenSafely => proto::Profile::Opensafely,
        Profile::Acro => proto::Profile::Acro,
        Profile::Ohdsi => proto::Profile::Ohdsi,
        Profile::Dp => proto::Profile::Dp,
    }
}

pub(crate) const fn profile_from_wire(profile: proto::Profile) -> Option<Profile> {
    match profile {
        proto::Profile::Unspecified => None,
        proto::Profile::Standard => Some(Profile::Standard),
        proto::Profile::Strict => Some(Profile::Strict),
        proto::Profile::Cms => Some(Profile::Cms),
        proto::Profile::Opensafely => Some(Profile::OpenSafely),
        proto::Profile::Acro => Some(Profile::Acro),
        proto::Profile::Ohdsi => Some(Profile::Ohdsi),
        proto::Profile::Dp => Some(Profile::Dp),
    }
}

/// The only mark that is written.
pub(crate) fn mark() -> i32 {
    proto::Suppression::Withheld.into()
}

/// Reads a mark; the two of earlier agents, which told why, are not taken any more.
pub(crate) fn mark_from_wire<T>(number: i32) -> Result<Cell<T>, WireError> {
    enumeration("suppressed", number, |mark| match mark {
        proto::Suppression::Withheld => Some(Cell::Suppressed),
        proto::Suppression::Unspecified
        | proto::Suppression::Primary
        | proto::Suppression::Complementary => None,
    })
}
