//! `agent.toml`. `deploy/config/agent.toml` documents every key and is what `enrol` writes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fedval_inference::InferenceLimits;
use fedval_ingest::{ColumnMapping, DecodeLimits, IndexTestColumn, ManifestSource};
use fedval_study::{ScoreSource, StudyId};
use serde::Deserialize;

use crate::network::CoordinatorConfig;

/// The documented example, which is also the first configuration of every site.
pub(crate) const TEMPLATE: &str = include_str!("../../deploy/config/agent.toml");

const MIB: u64 = 1 << 20;

/// The agent's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Answers without aggregates leave at multiples of this after the offer (DC-21).
    #[serde(default = "usual_answer_step")]
    pub(crate) answer_step_seconds: u64,
    /// The coordinator.
    pub(crate) coordinator: CoordinatorConfig,
    /// Where cases lie. Default: none, so that every job fails with a clear reason.
    #[serde(default)]
    pub(crate) data_sources: Vec<DataSource>,
    /// Limits of decoding and inference.
    #[serde(default)]
    pub(crate) limits: Limits,
    /// The page of metrics. Default: none.
    pub(crate) metrics: Option<MetricsConfig>,
}

impl Config {
    /// The first source that serves a study.
    pub(crate) fn source_of(&self, study: &StudyId) -> Option<&DataSource> {
        self.data_sources.iter().find(|source| source.serves(study))
    }
}

const fn usual_answer_step() -> u64 {
    300
}

/// The page of metrics.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricsConfig {
    /// An address of this machine alone, such as 127.0.0.1:9464.
    pub(crate) listen: SocketAddr,
}

/// One place that holds cases.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataSource {
    /// A name for this site's own screens.
    pub(crate) name: String,
    manifest: PathBuf,
    /// Default: the manifest's folder.
    root: Option<PathBuf>,
    #[serde(default)]
    studies: Vec<StudyId>,
    #[serde(default)]
    columns: Columns,
}

/// How the manifest's columns are called.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Columns {
    case_id: String,
    patient_id: String,
    image: String,
    /// Default: none, and images are read.
    score: Option<String>,
    label: String,
    attributes: BTreeMap<String, String>,
}

impl Default for Columns {
    fn default() -> Self {
        let ColumnMapping { case_id, patient_id, index_test, label, attributes } =
            ColumnMapping::default();
        let (IndexTestColumn::Image(image) | IndexTestColumn::Score(image)) = index_test;
        Self { case_id, patient_id, image, score: None, label, attributes }
    }
}

impl DataSource {
    /// Whether this source serves a study.
    pub(crate) fn serves(&self, study: &StudyId) -> bool {
        self.studies.is_empty() || self.studies.contains(study)
    }

    /// Where the scores of this source come from.
    pub(crate) const fn scores(&self) -> ScoreSource {
        match self.columns.score {
            Some(_) => ScoreSource::PredictionTable,
            None => ScoreSource::Model,
        }
    }

    pub(crate) fn manifest_source(&self) -> ManifestSource {
        let columns = self.columns.clone();
        let folder = self.manifest.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        ManifestSource {
            manifest: self.manifest.clone(),
            root: self.root.clone().unwrap_or_else(|| folder.to_path_buf()),
            columns: ColumnMapping {
                case_id: columns.case_id,
                patient_id: columns.patient_id,
                index_test: match columns.score {
                    Some(score) => IndexTestColumn::Score(score),
                    None => IndexTestColumn::Image(columns.image),
                },
                label: columns.label,
                attributes: columns.attributes,
            },
        }
    }
}

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

    #[test]
    fn the_documented_example_is_read_and_shows_the_defaults() {
        let config: Config = toml::from_str(TEMPLATE).unwrap();
        assert_eq!(config.coordinator, CoordinatorConfig::at("https://fedval.example.org:443"));
        assert_eq!(format!("{:?}", config.limits), format!("{:?}", Limits::default()));
        let columns = &config.data_sources[0].columns;
        assert_eq!(format!("{columns:?}"), format!("{:?}", Columns::default()));
    }

    #[test]
    fn the_metrics_page_in_the_example_works_when_it_is_switched_on() {
        let text = TEMPLATE.replace("# [metrics]\n# listen", "[metrics]\nlisten");
        let config: Config = toml::from_str(&text).unwrap();
        assert!(config.metrics.is_some_and(|metrics| metrics.listen.ip().is_loopback()));
    }

    #[test]
    fn a_score_column_makes_a_prediction_table_of_a_source() {
        let text = TEMPLATE.replace("# score = ", "score = ");
        let config: Config = toml::from_str(&text).unwrap();
        let source = &config.data_sources[0];
        assert_eq!(source.scores(), ScoreSource::PredictionTable);
        let columns = source.manifest_source().columns;
        assert_eq!(columns.index_test, IndexTestColumn::Score("score".to_owned()));
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = TEMPLATE.replace("lanes = 1", "lanes = 1\nlane = 2");
        assert!(toml::from_str::<Config>(&text).is_err());
    }
}
