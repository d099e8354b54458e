//! `agent.toml`. `deploy/config/agent.toml` documents every key and is what `enrol` writes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use fedval_ambient::Failure;
use fedval_evaluate::MOST_SHARDS;
use fedval_inference::InferenceLimits;
use fedval_ingest::{
    ColumnMapping, DecodeLimits, FindingsSource, IndexTestColumn, ManifestSource, Pacs,
    ReferenceFindings,
};
use fedval_study::{ScoreSource, StudyId};
use serde::Deserialize;

use crate::hours::time_of;
use crate::inference::InferenceConfig;
use crate::network::CoordinatorConfig;
use crate::pacs::PacsConfig;
use crate::secret_file::invalid;

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
    /// Where the images lie, if not in a folder. Default: in a folder.
    pacs: Option<PacsConfig>,
    /// Processes beside the agent that evaluate its jobs. Default: none, and the agent does it.
    shards: Option<u32>,
    /// Where findings with a place lie, for a study that counts them. Default: nowhere.
    findings: Option<FindingsConfig>,
}

/// Findings of the reference standard and of the model, in files of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindingsConfig {
    reference: PathBuf,
    /// Default: none, and the study's model finds its own in the images.
    predicted: Option<PathBuf>,
    /// Default: none, and every scan of the manifest was read.
    status: Option<String>,
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
    /// Default: none. Grades that a device called, for a study of grades.
    called: Option<String>,
    /// Default: none. Masks of the reference standard, for a study of masks; alone where its model gives the others.
    reference_mask: Option<String>,
    /// Default: none. Masks that were made elsewhere, for a study of masks.
    predicted_mask: Option<String>,
    label: String,
    attributes: BTreeMap<String, String>,
}

impl Default for Columns {
    fn default() -> Self {
        let ColumnMapping { case_id, patient_id, index_test, label, attributes } =
            ColumnMapping::default();
        let image = index_test.name().to_owned();
        Self {
            case_id,
            patient_id,
            image,
            score: None,
            called: None,
            reference_mask: None,
            predicted_mask: None,
            label,
            attributes,
        }
    }
}

impl DataSource {
    /// Whether this source serves a study.
    pub(crate) fn serves(&self, study: &StudyId) -> bool {
        self.studies.is_empty() || self.studies.contains(study)
    }

    /// Where the scores of this source come from.
    pub(crate) const fn scores(&self) -> ScoreSource {
        let columns = &self.columns;
        match (&columns.score, &columns.called, &columns.predicted_mask, self.has_found()) {
            (None, None, None, false) => ScoreSource::Model,
            _ => ScoreSource::PredictionTable,
        }
    }

    /// Whether findings of the index test were brought.
    const fn has_found(&self) -> bool {
        matches!(self.findings, Some(FindingsConfig { predicted: Some(_), .. }))
    }

    /// Whether scores or calls of the index test were brought.
    const fn has_scores(&self) -> bool {
        self.columns.score.is_some() || self.columns.called.is_some()
    }

    /// Refuses results of two kinds, of which one would silently count for nothing.
    fn check_results(&self) -> Result<(), Failure> {
        if self.columns.score.is_some() && self.columns.called.is_some() {
            return Err(invalid("a source has a score column or a called one, not both"));
        }
        if self.findings.is_some() && self.has_scores() {
            let message = "a source with findings has no score column and no called one";
            return Err(invalid(message));
        }
        let has_masks = self.columns.reference_mask.is_some();
        if self.columns.predicted_mask.is_some() && !has_masks {
            let message = "a source with a predicted_mask has a reference_mask";
            return Err(invalid(message));
        }
        if has_masks && self.has_scores() {
            return Err(invalid("a source of masks has no score column and no called one"));
        }
        if has_masks && self.findings.is_some() {
            return Err(invalid("a source has masks or findings, not both"));
        }
        Ok(())
    }

    /// The PACS that the images are fetched from; `None` where they lie in a folder. Reads the files
    /// that the configuration names, and refuses keys of which one would silently count for nothing.
    pub(crate) fn pacs(&self, limits: &Limits) -> Result<Option<Pacs>, Failure> {
        self.check_results()?;
        let Some(pacs) = &self.pacs else { return Ok(None) };
        if self.scores() == ScoreSource::PredictionTable || self.root.is_some() {
            let message = "a source with a PACS has no score column, no called one, no findings, no masks \
                           and no root";
            return Err(invalid(message));
        }
        pacs.open(limits.decode().max_file_bytes).map(Some)
    }

    /// Among how many processes its jobs are split; `None` where the agent evaluates them.
    fn shards(&self) -> Result<Option<u32>, Failure> {
        match self.shards {
            Some(of) if !(1..=MOST_SHARDS).contains(&of) => {
                Err(invalid("`shards` is a number from 1 to 1000"))
            }
            // Each process would ask as much as the agent may.
            Some(_) if self.pacs.is_some() => Err(invalid("a source with a PACS has no `shards`")),
            // Masks, too, were made elsewhere, but measuring them takes its time.
            Some(_) if self.has_scores() || self.has_found() => {
                Err(invalid("scores and findings that were brought have no `shards`: nothing runs"))
            }
            of => Ok(of),
        }
    }

    /// Whether its images may be asked for at a minute of the day, 0 to 1439.
    pub(crate) fn is_open_at(&self, minute: u16) -> bool {
        let hours = self.pacs.as_ref().and_then(|pacs| pacs.hours);
        hours.is_none_or(|hours| hours.contains(minute))
    }

    /// What time it is here at a minute of the day, and when the PACS may be asked; `None` where that
    /// is always.
    pub(crate) fn hours_at(&self, minute: u16) -> Option<String> {
        let hours = self.pacs.as_ref()?.hours?;
        Some(format!("it is {} here, the PACS may be asked {hours}", time_of(minute)))
    }

    /// What the index test of each case is found by.
    fn index_test(&self) -> IndexTestColumn {
        if let Some(FindingsConfig { reference, predicted, status }) = self.findings.clone() {
            return match predicted {
                Some(predicted) => {
                    IndexTestColumn::Findings(FindingsSource { reference, predicted, status })
                }
                None => IndexTestColumn::Searched {
                    image: Box::new(self.image()),
                    findings: ReferenceFindings { reference, status },
                },
            };
        }
        let columns = self.columns.clone();
        match (columns.score, columns.called, columns.reference_mask, columns.predicted_mask) {
            (Some(score), _, _, _) => IndexTestColumn::Score(score),
            (None, Some(called), _, _) => IndexTestColumn::Called(called),
            (None, None, Some(reference), Some(predicted)) => {
                IndexTestColumn::Masks { reference, predicted }
            }
            (None, None, Some(reference), None) => {
                IndexTestColumn::Outlined { image: Box::new(self.image()), reference }
            }
            (None, None, None, _) => self.image(),
        }
    }

    /// What the image of each case is found by.
    fn image(&self) -> IndexTestColumn {
        let image = self.columns.image.clone();
        match &self.pacs {
            None => IndexTestColumn::Image(image),
            Some(pacs) => IndexTestColumn::Instance(pacs.instance_key(), image),
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
                index_test: self.index_test(),
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
    fn a_score_column_makes_a_prediction_table_of_a_source() {
        let text = TEMPLATE.replace("# score = ", "score = ");
        let config: Config = toml::from_str(&text).unwrap();
        let source = &config.data_sources[0];
        assert_eq!(source.scores(), ScoreSource::PredictionTable);
        let columns = source.manifest_source().columns;
        assert_eq!(columns.index_test, IndexTestColumn::Score("score".to_owned()));
    }

    #[test]
    fn a_source_has_scores_or_calls_and_not_both() {
        let calls = TEMPLATE.replace("# called = ", "called = ");
        let config: Config = toml::from_str(&calls).unwrap();
        let source = &config.data_sources[0];
        assert_eq!(source.scores(), ScoreSource::PredictionTable);
        let columns = source.manifest_source().columns;
        assert_eq!(columns.index_test, IndexTestColumn::Called("called".to_owned()));
        assert!(source.pacs(&config.limits).unwrap().is_none());

        let both = calls.replace("# score = ", "score = ");
        let config: Config = toml::from_str(&both).unwrap();
        let refused = config.data_sources[0].pacs(&config.limits).unwrap_err();
        assert_eq!(refused.code, "CONFIG_INVALID");
    }

    #[test]
    fn files_of_findings_make_a_source_of_findings_and_of_nothing_else() {
        let text = TEMPLATE
            .replace("# [data_sources.findings]", "[data_sources.findings]")
            .replace("# reference = ", "reference = ")
            .replace("# predicted = ", "predicted = ");
        let config: Config = toml::from_str(&text).unwrap();
        let source = &config.data_sources[0];
        assert_eq!(source.scores(), ScoreSource::PredictionTable);
        let IndexTestColumn::Findings(files) = source.manifest_source().columns.index_test else {
            panic!("findings")
        };
        assert!(files.reference.is_absolute() && files.status.is_none());
        assert!(source.pacs(&config.limits).unwrap().is_none());
        let with_status = text.replace("# status = ", "status = ");
        let config: Config = toml::from_str(&with_status).unwrap();
        let columns = config.data_sources[0].manifest_source().columns;
        assert_eq!(columns.index_test.name(), "status");
        let with_scores = text.replace("# score = ", "score = ");
        let config: Config = toml::from_str(&with_scores).unwrap();
        let refused = config.data_sources[0].pacs(&config.limits).unwrap_err();
        assert_eq!(refused.code, "CONFIG_INVALID");
    }

    #[test]
    fn a_source_of_masks_has_both_and_nothing_else() {
        let masks = TEMPLATE
            .replace("# reference_mask = ", "reference_mask = ")
            .replace("# predicted_mask = ", "predicted_mask = ");
        let config: Config = toml::from_str(&masks).unwrap();
        let source = &config.data_sources[0];
        assert_eq!(source.scores(), ScoreSource::PredictionTable);
        let (reference, predicted) = ("reference_mask".to_owned(), "predicted_mask".to_owned());
        let columns = source.manifest_source().columns;
        assert_eq!(columns.index_test, IndexTestColumn::Masks { reference, predicted });
        assert!(source.pacs(&config.limits).unwrap().is_none());

        let with_scores = masks.replace("# score = ", "score = ");
        let only_one = TEMPLATE.replace("# predicted_mask = ", "predicted_mask = ");
        let with_findings = masks
            .replace("# [data_sources.findings]", "[data_sources.findings]")
            .replace("# reference = ", "reference = ")
            .replace("# predicted = ", "predicted = ");
        assert_eq!(with_findings.matches("\npredicted").count(), 2);
        let findings_and_one = with_findings
            .replace("\npredicted_mask = ", "\n# predicted_mask = ")
            .replace("\npredicted = ", "\n# predicted = ");
        for text in [with_scores, only_one, with_findings, findings_and_one] {
            let config: Config = toml::from_str(&text).unwrap();
            let refused = config.data_sources[0].pacs(&config.limits).unwrap_err();
            assert_eq!(refused.code, "CONFIG_INVALID");
        }
    }

    #[test]
    fn the_pacs_in_the_example_works_when_it_is_switched_on() {
        let start = TEMPLATE.find("# [data_sources.pacs]").unwrap();
        let (before, rest) = TEMPLATE.split_at(start);
        let (pacs, after) = rest.split_once("\n\n").unwrap();
        let is_file =
            |key: &str| ["ca", "credentials", "token", "certificate", "key"].contains(&key);
        let switched_on = |line: &str| {
            let text = line.trim_start_matches("# ");
            let key = text.split(" = ").next().unwrap_or_default();
            let is_prose = key == text && !text.starts_with('[') || key.contains(' ');
            let kept = if is_prose || is_file(key) { line } else { text };
            format!("{kept}\n")
        };
        let pacs: String = pacs.lines().map(switched_on).collect();
        assert!(pacs.contains("\nhours = "), "{pacs}");
        let root = "root = \"/srv/fedval\"\n";
        let text = format!("{before}{pacs}\n{after}");
        // Certificates are the machine's own.
        let text = text.replace("https://pacs.example.org", "http://localhost");
        let config: Config = toml::from_str(&text.replace(root, "")).unwrap();
        let source = &config.data_sources[0];
        let columns = source.manifest_source().columns;
        let key = fedval_ingest::InstanceKey::SopInstanceUid;
        assert_eq!(columns.index_test, IndexTestColumn::Instance(key, "image".to_owned()));
        assert_eq!((source.is_open_at(12 * 60), source.is_open_at(0)), (false, true));
        let said = source.hours_at(14 * 60 + 5);
        assert_eq!(said.as_deref(), Some("it is 14:05 here, the PACS may be asked 19:00-06:00"));
        assert!(source.pacs(&config.limits).unwrap().is_some());

        let with_root = text.clone();
        let with_scores = text.replace(root, "").replace("# score = ", "score = ");
        let with_calls = text.replace(root, "").replace("# called = ", "called = ");
        for text in [with_root, with_scores, with_calls] {
            let config: Config = toml::from_str(&text).unwrap();
            let refused = config.data_sources[0].pacs(&config.limits).unwrap_err();
            assert_eq!(refused.code, "CONFIG_INVALID");
        }
    }

    #[test]
    fn a_folder_of_images_or_masks_can_be_split_and_a_pacs_cannot() {
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
        let table = split.replace("# score = ", "score = ");
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
        for text in [table, findings, none, many, pacs] {
            assert_eq!(source(&text).unwrap_err().code, "CONFIG_INVALID");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = TEMPLATE.replace("lanes = 1", "lanes = 1\nlane = 2");
        assert!(toml::from_str::<Config>(&text).is_err());
    }
}
