//! `[limits]`: what the boxes of images and of the model may take.

use fedval_inference::InferenceLimits;
use fedval_ingest::DecodeLimits;
use serde::Deserialize;

const MIB: u64 = 1 << 20;

/// Limits of decoding and inference.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    pub(crate) lanes: usize,
    decode_memory_mib: u64,
    decode_seconds: u64,
    max_image_mib: u64,
    model_memory_mib: u64,
    model_load_seconds: u64,
    case_seconds: u64,
    max_model_mib: u64,
    max_model_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let (decode, inference) = (DecodeLimits::default(), InferenceLimits::default());
        Self {
            lanes: 1,
            decode_memory_mib: decode.memory_bytes / MIB,
            decode_seconds: decode.wall_clock_seconds,
            max_image_mib: decode.max_file_bytes / MIB,
            model_memory_mib: inference.memory_bytes / MIB,
            model_load_seconds: inference.load_seconds,
            case_seconds: inference.case_seconds,
            max_model_mib: inference.max_model_bytes / MIB,
            max_model_nodes: inference.max_nodes,
        }
    }
}

impl Limits {
    pub(crate) const fn decode(&self) -> DecodeLimits {
        DecodeLimits {
            memory_bytes: self.decode_memory_mib * MIB,
            wall_clock_seconds: self.decode_seconds,
            max_file_bytes: self.max_image_mib * MIB,
        }
    }

    pub(crate) const fn inference(&self) -> InferenceLimits {
        InferenceLimits {
            memory_bytes: self.model_memory_mib * MIB,
            load_seconds: self.model_load_seconds,
            case_seconds: self.case_seconds,
            max_model_bytes: self.max_model_mib * MIB,
            max_nodes: self.max_model_nodes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, TEMPLATE};

    #[test]
    fn the_documented_example_shows_the_defaults() {
        let config: Config = toml::from_str(TEMPLATE).unwrap();
        assert_eq!(format!("{:?}", config.limits), format!("{:?}", Limits::default()));
    }
}
