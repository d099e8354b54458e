//! Identifiers: the only strings that travel between sites and the coordinator.
//!
//! The character set `[a-z0-9-]{1,63}` leaves no room for markup, formulas, terminal escapes,
//! right-to-left overrides or paths, so no place that prints an identifier needs to defend itself.

use std::fmt;
use std::str::FromStr;

use fedval_ambient::Problem;
use serde::{Deserialize, Serialize};

/// Longest identifier, in characters.
pub const MAX_ID_LENGTH: usize = 63;

/// A text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an identifier is 1 to 63 characters of a-z, 0-9 and -")]
pub struct IdError;

impl Problem for IdError {
    fn code(&self) -> &'static str {
        "ID_INVALID"
    }

    fn remedy(&self) -> Option<String> {
        Some("use lower-case letters, digits and hyphens, such as `site-a`".to_owned())
    }
}

fn checked(text: &str) -> Result<String, IdError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.is_empty() || text.len() > MAX_ID_LENGTH || !text.chars().all(allowed) {
        return Err(IdError);
    }
    Ok(text.to_owned())
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                checked(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                checked(&text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

identifier!(
    /// One registered validation study.
    StudyId
);
identifier!(
    /// One institution.
    SiteId
);
identifier!(
    /// One round of a study: a dispatch of its locked protocol to sites, until it is closed.
    RoundId
);
identifier!(
    /// A name inside a protocol: an operating point, a subgroup dimension, a category, an endpoint.
    Name
);

impl RoundId {
    /// The `number`th round of `study`, counted from 1.
    ///
    /// # Errors
    ///
    /// [`IdError`] if the study's identifier leaves no room for the number.
    pub fn nth(study: &StudyId, number: u32) -> Result<Self, IdError> {
        format!("{study}-r{number}").parse()
    }

    /// Whether it is a round of the study.
    #[must_use]
    pub fn is_of(&self, study: &StudyId) -> bool {
        let number = self.0.strip_prefix(study.as_str()).and_then(|rest| rest.strip_prefix("-r"));
        number
            .and_then(|number| number.parse().ok())
            .is_some_and(|number| Self::nth(study, number).as_ref() == Ok(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_paths_escapes_and_capitals_are_refused() {
        for bad in
            ["", "Site", "a b", "a/b", "<b>", "=1+1", "\u{202e}a", "a\u{1b}", &"a".repeat(64)]
        {
            assert!(bad.parse::<SiteId>().is_err(), "{bad:?} was taken");
        }
        assert_eq!("nih-a".parse::<SiteId>().unwrap().as_str(), "nih-a");
    }

    #[test]
    fn deserialising_checks_too() {
        assert!(serde_json::from_str::<SiteId>("\"NIH\"").is_err());
    }
}
