//! What pydicom makes of its files, as `expected.py` wrote it down.

use std::collections::BTreeMap;

use serde::Deserialize;

/// pydicom's side.
#[derive(Debug, Deserialize)]
pub struct Expected {
    /// Its version.
    pub pydicom: String,
    /// By path below its folder of test files.
    pub files: BTreeMap<String, Reading>,
}

impl Expected {
    /// The committed digests.
    ///
    /// # Panics
    ///
    /// If they are not what `expected.py` writes.
    #[must_use]
    pub fn committed() -> Self {
        serde_json::from_str(include_str!("../expected.json")).expect("the script wrote it")
    }
}

/// What pydicom makes of one file.
#[derive(Debug, Deserialize)]
#[serde(tag = "outcome")]
pub enum Reading {
    /// Pixels.
    #[serde(rename = "decoded")]
    Decoded(Box<Pixels>),
    /// An exception.
    #[serde(rename = "refused")]
    Refused {
        /// Its class.
        why: String,
        /// Transfer syntax, where there is one.
        syntax: Option<String>,
        /// Photometric interpretation, where there is one.
        photometric: Option<String>,
    },
    /// A file of another kind.
    #[serde(rename = "no pixel data")]
    NoPixels,
}

impl Reading {
    /// Photometric interpretation, where there is one.
    #[must_use]
    pub fn photometric(&self) -> Option<&str> {
        match self {
            Self::Decoded(pixels) => Some(&pixels.photometric),
            Self::Refused { photometric, .. } => photometric.as_deref(),
            Self::NoPixels => None,
        }
    }
}

/// The pixels of a file, as digests.
#[derive(Debug, Deserialize)]
pub struct Pixels {
    /// Transfer syntax.
    pub syntax: String,
    /// Photometric interpretation.
    pub photometric: String,
    /// Rows and columns.
    pub shape: [usize; 2],
    /// SHA-256 of every frame's values.
    pub frames: Vec<String>,
    /// Some values of every frame, where the code is lossy and decoders may round.
    pub spots: Option<Vec<Vec<i64>>>,
    /// SHA-256 of the first frame's colours, where they are in a palette.
    pub palette: Option<String>,
    /// Mean of the first frame after its modality mapping.
    pub modality_mean: Option<f64>,
    /// Mean of the first frame as its window shows it, from 0 to 1.
    pub voi_mean: Option<f64>,
}
