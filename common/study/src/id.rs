//! Identifiers: the only strings that travel between sites and the coordinator.
//!
//! The character set `[a-z0-9-]{1,63}` leaves no room for markup, formulas, terminal escapes,
//! right-to-left overrides or paths, so no place that prints an identifier needs to defend itself.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use fedval_ambient::Problem;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

fn check(text: &str) -> Result<(), IdError> {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if text.is_empty() || text.len() > MAX_ID_LENGTH || !text.bytes().all(allowed) {
        return Err(IdError);
    }
    Ok(())
}

/// Reads an identifier where it stands in the input: a consortium's results name a million.
struct Identifier<T>(PhantomData<T>);

impl<T: FromStr<Err = IdError> + TryFrom<String, Error = IdError>> Visitor<'_> for Identifier<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<T, E> {
        text.try_into().map_err(E::custom)
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

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
                check(text).map(|()| Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                check(&text).map(|()| Self(text.into()))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.into()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Identifier(PhantomData))
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
