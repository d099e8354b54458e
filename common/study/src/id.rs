//! Identifiers: the only strings that travel between sites and the coordinator.
//!
//! The character set `[a-z0-9-]{1,63}` leaves no room for markup, formulas, terminal escapes,
//! right-to-left overrides or paths, so no place that prints an identifier needs to defend itself.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

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

/// An identifier of its own.
fn new(text: &str) -> Result<Arc<str>, IdError> {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if text.is_empty() || text.len() > MAX_ID_LENGTH || !text.bytes().all(allowed) {
        return Err(IdError);
    }
    Ok(text.into())
}

/// So many names that were read are remembered.
const REMEMBERED: usize = 64;

thread_local! {
    /// Names that were read last. A consortium's results hold a million, and nearly all are the same few.
    static RECENT: RefCell<[Option<Arc<str>>; REMEMBERED]> =
        const { RefCell::new([const { None }; REMEMBERED]) };
}

/// The identifier of the same text that was read before, where it is remembered.
fn shared(text: &str) -> Result<Arc<str>, IdError> {
    if text.len() > MAX_ID_LENGTH {
        return Err(IdError);
    }
    let sum = |sum: usize, byte: u8| sum.wrapping_mul(31).wrapping_add(usize::from(byte));
    let place = text.bytes().fold(0, sum) % REMEMBERED;
    RECENT.with_borrow_mut(|recent| match &recent[place] {
        Some(known) if **known == *text => Ok(Arc::clone(known)),
        _ => {
            let own = new(text)?;
            Ok(Arc::clone(recent[place].insert(own)))
        }
    })
}

/// Reads an identifier where it stands in the input.
struct Identifier(fn(&str) -> Result<Arc<str>, IdError>);

impl Visitor<'_> for Identifier {
    type Value = Arc<str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Arc<str>, E> {
        (self.0)(text).map_err(E::custom)
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $read:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

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
                new(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                new(&text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Identifier($read)).map(Self)
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
    StudyId,
    new
);
identifier!(
    /// One institution.
    SiteId,
    new
);
identifier!(
    /// One round of a study: a dispatch of its locked protocol to sites, until it is closed.
    RoundId,
    new
);
identifier!(
    /// A name inside a protocol: an operating point, a subgroup dimension, a category, an endpoint.
    Name,
    shared
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
        assert!(serde_json::from_str::<SiteId>("7").is_err());
    }

    #[test]
    fn what_is_read_is_what_is_written_whatever_was_read_before() {
        for number in (0..1000).chain(0..1000) {
            let text = format!("site-{number}");
            let read: SiteId = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(read.as_str(), text);
            assert_eq!(serde_json::to_string(&read).unwrap(), format!("\"{text}\""));
        }
    }
}
