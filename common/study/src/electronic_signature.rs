//! What a person signs under a report (21 CFR 11.50: printed name, date and time, meaning).

use std::fmt;
use std::str::FromStr;

use fedval_ambient::is_plain;
use serde::{Deserialize, Serialize};

use crate::digest::Sha256Digest;
use crate::id::{Name, RoundId, StudyId};
use crate::person::PersonRole;

/// Longest printed name, in characters.
const LONGEST_NAME: usize = 100;

/// What a signature means (the four that 21 CFR 11.50(a)(3) names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureMeaning {
    /// The signer wrote or made the report.
    Authorship,
    /// The signer read it.
    Review,
    /// The signer approves it.
    Approval,
    /// The signer answers for it.
    Responsibility,
}

impl SignatureMeaning {
    /// Every meaning.
    pub const ALL: [Self; 4] =
        [Self::Authorship, Self::Review, Self::Approval, Self::Responsibility];

    /// The meaning as commands, files and reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorship => "authorship",
            Self::Review => "review",
            Self::Approval => "approval",
            Self::Responsibility => "responsibility",
        }
    }
}

impl fmt::Display for SignatureMeaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SignatureMeaning {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|meaning| meaning.as_str() == text);
        known.ok_or("is none of authorship, review, approval, responsibility")
    }
}

/// A person's name as people write it: one line, no more than 100 characters, nothing unseen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PrintedName(String);

impl PrintedName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PrintedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PrintedName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_named = !text.is_empty() && text.trim() == text;
        if is_named && text.chars().count() <= LONGEST_NAME && text.chars().all(is_plain) {
            Ok(Self(text))
        } else {
            Err("is no name of 1 to 100 characters on one line")
        }
    }
}

impl FromStr for PrintedName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<PrintedName> for String {
    fn from(name: PrintedName) -> Self {
        name.0
    }
}

/// What a person signs. Its canonical bytes are bound to one report, so that a signature cannot be lifted
/// from one record to another (21 CFR 11.70).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElectronicSignature {
    /// The study.
    pub study: StudyId,
    /// The round that the report is of.
    pub round: RoundId,
    /// SHA-256 of `report.json`.
    pub report: Sha256Digest,
    /// The person, as the consortium knows them.
    pub signer: Name,
    /// What the person may do there.
    pub role: PersonRole,
    /// The person's name in print.
    pub printed_name: PrintedName,
    /// What the signature means.
    pub meaning: SignatureMeaning,
    /// When it was given, milliseconds since 1970-01-01 UTC.
    pub signed_at_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_name_is_one_line_that_people_can_see() {
        for good in ["Maria Rossi", "Ö", "O’Brien-Núñez, MD", "王芳"] {
            assert_eq!(good.parse::<PrintedName>().unwrap().as_str(), good);
        }
        let long = "x".repeat(101);
        for bad in ["", " Maria", "Maria\n", "Ma\u{202e}ria", "Ma\u{1b}[2Jria", &long] {
            assert!(bad.parse::<PrintedName>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn meanings_are_read_as_they_are_written() {
        for meaning in SignatureMeaning::ALL {
            assert_eq!(meaning.as_str().parse(), Ok(meaning));
        }
        assert!("consent".parse::<SignatureMeaning>().is_err());
    }
}
