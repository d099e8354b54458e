//! What a report of several classes holds beside metrics.

use fedval_study::Name;
use serde::{Deserialize, Serialize};

/// The classes of a study, and how all sites' patients were called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassSection {
    /// Patients over the sites that released them, K × K: by the reference standard's class, then by the class that
    /// they are called.
    pub confusion: Vec<Vec<u64>>,
    /// The classes, in the order of rows and columns.
    pub names: Vec<Name>,
    /// Whether classes are grades, the least first.
    pub ordered: bool,
    /// Sites in the table.
    pub sites: u64,
}

/// How the patients of one site were called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteClasses {
    /// Patients, K × K.
    pub confusion: Vec<Vec<u64>>,
}

impl SiteClasses {
    /// Patients of each class of the reference standard.
    #[must_use]
    pub fn sizes(&self) -> Vec<u64> {
        self.confusion.iter().map(|row| row.iter().sum()).collect()
    }
}
