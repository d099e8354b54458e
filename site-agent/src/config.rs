//! `agent.toml`. `deploy/config/agent.toml` documents every key and is what `enrol` writes.
//!
//! Each table has a room of its own: here, or beside what it sets up (`[coordinator]` in `network`, `[inference]` in
//! `inference`, `[data_sources.pacs]` in `pacs`).

mod columns;
mod data_source;
mod findings;
mod limits;
mod metrics;

use fedval_ambient::Failure;
use fedval_study::{ScoreSource, StudyId};
use serde::Deserialize;

pub(crate) use data_source::DataSource;
pub(crate) use limits::Limits;

use crate::inference::InferenceConfig;
use crate::network::CoordinatorConfig;
use crate::secret_file::invalid;
use metrics::MetricsConfig;

/// The documented example, which is also the first configuration of every site.
pub(crate) const TEMPLATE: &str = include_str!("../../deploy/config/agent.toml");

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
    /// Who runs the models. Default: the embedded engine.
    #[serde(default)]
    pub(crate) inference: InferenceConfig,
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

    /// Among how many processes the jobs of a source are split; `None` where the agent evaluates them.
    pub(crate) fn split(&self, source: &DataSource) -> Result<Option<u32>, Failure> {
        let split = source.shards()?;
        // Processes beside each other would ask it for more at once than `parallel_requests` says, and they have no network.
        let asks_server = source.scores() == ScoreSource::Model && self.inference.is_remote();
        if split.is_some() && asks_server {
            let message = "engine = \"remote\" and a source of images with `shards` do not go together: an \
                           inference server is shared among machines by itself";
            return Err(invalid(message));
        }
        Ok(split)
    }
}

const fn usual_answer_step() -> u64 {
    300
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_read() {
        let config: Config = toml::from_str(TEMPLATE).unwrap();
        assert_eq!(config.coordinator, CoordinatorConfig::at("https://fedval.example.org:443"));
    }

    #[test]
    fn the_engine_in_the_example_is_the_embedded_one_and_the_other_keys_are_read() {
        let config: Config = toml::from_str(TEMPLATE).unwrap();
        assert_eq!(config.inference.describe(), "the embedded engine");
        let start = TEMPLATE.find("[inference]").unwrap();
        let (table, _) = TEMPLATE[start..].split_once("\n[limits]").unwrap();
        let switched_on = |line: &str| {
            let text = line.trim_start_matches("# ");
            let is_key = text.split(" = ").next().is_some_and(|key| !key.contains(' '));
            (is_key || text.starts_with('[')).then(|| format!("{text}\n"))
        };
        let text: String = table.lines().filter_map(switched_on).collect();
        let keys = ["library", "library_sha256", "server", "ca", "parallel_requests", "compare"];
        assert!(keys.iter().all(|key| text.contains(&format!("\n{key} = "))), "{text}");
        let text = format!("coordinator.url = \"https://fedval.example.org\"\n{text}");
        // Each key is known; both engines at once are not meant.
        let config: Config = toml::from_str(&text).unwrap();
        assert_eq!(config.inference.engines(1).unwrap_err().code, "CONFIG_INVALID");
    }

    #[test]
    fn images_masks_and_scores_can_be_split_and_a_pacs_and_findings_cannot() {
        let source = |text: &str| {
            let config: Config = toml::from_str(text).unwrap();
            config.split(&config.data_sources[0])
        };
        assert_eq!(source(TEMPLATE).unwrap(), None);
        let split = TEMPLATE.replace("# shards = 8", "shards = 8");
        assert_eq!(source(&split).unwrap(), Some(8));
        let masks = split
            .replace("# reference_mask = ", "reference_mask = ")
            .replace("# predicted_mask = ", "predicted_mask = ");
        assert_eq!(source(&masks).unwrap(), Some(8));
        let remote = |text: &str| text.replace("engine = \"embedded\"", "engine = \"remote\"");
        assert_eq!(source(&remote(&split)).unwrap_err().code, "CONFIG_INVALID");
        // Where nobody splits anything, and where no model runs.
        assert_eq!(source(&remote(TEMPLATE)).unwrap(), None);
        assert_eq!(source(&remote(&masks)).unwrap(), Some(8));
        for key in ["score", "called"] {
            let table = split.replace(&format!("# {key} = "), &format!("{key} = "));
            assert_eq!(source(&table).unwrap(), Some(8), "{key}");
            assert_eq!(source(&remote(&table)).unwrap(), Some(8), "no model runs");
        }
        let mut findings = split.clone();
        for key in ["[data_sources.findings]", "reference = ", "predicted = "] {
            assert!(findings.contains(&format!("# {key}")), "{key}");
            findings = findings.replace(&format!("# {key}"), key);
        }
        let none = split.replace("shards = 8", "shards = 0");
        let many = split.replace("shards = 8", "shards = 1001");
        let start = split.find("# [data_sources.pacs]").unwrap();
        let (before, after) = split.split_at(start);
        let pacs = format!(
            "{before}[data_sources.pacs]\nurl = \"https://pacs.example.org/dicom-web\"\n{after}"
        );
        for text in [findings, none, many, pacs] {
            assert_eq!(source(&text).unwrap_err().code, "CONFIG_INVALID");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = TEMPLATE.replace("lanes = 1", "lanes = 1\nlane = 2");
        assert!(toml::from_str::<Config>(&text).is_err());
    }
}
