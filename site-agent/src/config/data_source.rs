//! `[[data_sources]]`: where cases lie, and in what form.

use std::path::{Path, PathBuf};

use fedval_ambient::Failure;
use fedval_evaluate::MOST_SHARDS;
use fedval_ingest::{ColumnMapping, IndexTestColumn, InstanceKey, ManifestSource, Pacs};
use fedval_study::{ScoreSource, StudyId};
use serde::Deserialize;

use super::columns::Columns;
use super::findings::FindingsConfig;
use super::limits::Limits;
use crate::dimse::DimseConfig;
use crate::hours::{Hours, time_of};
use crate::pacs::PacsConfig;
use crate::secret_file::invalid;

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
    /// The same for a PACS without web services. Default: none.
    dimse: Option<DimseConfig>,
    /// Processes beside the agent that evaluate its jobs. Default: none, and the agent does it.
    shards: Option<u32>,
    /// Where findings with a place lie, for a study that counts them. Default: nowhere.
    findings: Option<FindingsConfig>,
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
        match &self.findings {
            Some(findings) => findings.has_predicted(),
            None => false,
        }
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
        if self.findings.as_ref().is_some_and(FindingsConfig::has_idle_score) {
            let message = "a score_concept is of predicted findings, and the source names none";
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
        if !self.has_pacs() {
            return Ok(None);
        }
        if self.scores() == ScoreSource::PredictionTable || self.root.is_some() {
            let message = "a source with a PACS has no score column, no called one, no predicted findings or masks \
                           and no root";
            return Err(invalid(message));
        }
        let most = limits.decode().max_file_bytes;
        match (&self.pacs, &self.dimse) {
            (Some(pacs), None) => pacs.open(most).map(Some),
            (None, Some(dimse)) => dimse.open(most).map(Some),
            (Some(_), Some(_)) => {
                Err(invalid("a source has a PACS by web services or by DIMSE, not both"))
            }
            (None, None) => Ok(None),
        }
    }

    /// Whether its images lie in a PACS.
    pub(crate) const fn has_pacs(&self) -> bool {
        self.pacs.is_some() || self.dimse.is_some()
    }

    fn hours(&self) -> Option<Hours> {
        let of_pacs = self.pacs.as_ref().and_then(|pacs| pacs.hours);
        of_pacs.or_else(|| self.dimse.as_ref().and_then(|dimse| dimse.hours))
    }

    /// What the image column holds, where images come from a PACS.
    fn instance_key(&self) -> Option<InstanceKey> {
        let of_pacs = self.pacs.as_ref().map(PacsConfig::instance_key);
        of_pacs.or_else(|| self.dimse.as_ref().map(DimseConfig::instance_key))
    }

    /// Among how many processes its jobs are split; `None` where the agent evaluates them.
    pub(super) fn shards(&self) -> Result<Option<u32>, Failure> {
        match self.shards {
            Some(of) if !(1..=MOST_SHARDS).contains(&of) => {
                Err(invalid("`shards` is a number from 1 to 1000"))
            }
            // Each process would ask as much as the agent may.
            Some(_) if self.has_pacs() => Err(invalid("a source with a PACS has no `shards`")),
            // They are matched with all of the reference's at once, and in a moment.
            Some(_) if self.has_found() => {
                Err(invalid("findings that were brought have no `shards`: nothing runs"))
            }
            of => Ok(of),
        }
    }

    /// Whether its images may be asked for at a minute of the day, 0 to 1439.
    pub(crate) fn is_open_at(&self, minute: u16) -> bool {
        self.hours().is_none_or(|hours| hours.contains(minute))
    }

    /// What time it is here at a minute of the day, and when the PACS may be asked; `None` where that
    /// is always.
    pub(crate) fn hours_at(&self, minute: u16) -> Option<String> {
        let hours = self.hours()?;
        Some(format!("it is {} here, the PACS may be asked {hours}", time_of(minute)))
    }

    /// What the index test of each case is found by.
    fn index_test(&self) -> IndexTestColumn {
        if let Some(findings) = &self.findings {
            return findings.index_test(|| self.image());
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
        match self.instance_key() {
            None => IndexTestColumn::Image(image),
            Some(key) => IndexTestColumn::Instance(key, image),
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

#[cfg(test)]
mod tests {
    use fedval_ingest::ConceptCode;

    use super::*;
    use crate::config::{Config, TEMPLATE};

    #[test]
    fn the_documented_example_shows_the_usual_columns() {
        let config: Config = toml::from_str(TEMPLATE).unwrap();
        let columns = &config.data_sources[0].columns;
        assert_eq!(format!("{columns:?}"), format!("{:?}", Columns::default()));
    }

    #[test]
    fn the_documented_example_fits_a_screen() {
        for (line, number) in TEMPLATE.lines().zip(1..) {
            assert!(line.chars().count() <= 120, "line {number}: {line}");
        }
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
        assert_eq!(files.score, ConceptCode::default());
        let with_score =
            text.replace("# score_concept = [\"111047\"", "score_concept = [\"111012\"");
        let config: Config = toml::from_str(&with_score).unwrap();
        let columns = config.data_sources[0].manifest_source().columns;
        let IndexTestColumn::Findings(files) = columns.index_test else { panic!("findings") };
        assert_eq!((&files.score.value[..], &files.score.scheme[..]), ("111012", "DCM"));
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
    fn reference_findings_alone_stand_beside_images_in_files_or_folders() {
        let text = TEMPLATE
            .replace("# [data_sources.findings]", "[data_sources.findings]")
            .replace("# reference = ", "reference = ");
        let config: Config = toml::from_str(&text).unwrap();
        let source = &config.data_sources[0];
        assert_eq!(source.scores(), ScoreSource::Model);
        let column = source.manifest_source().columns.index_test;
        let IndexTestColumn::Searched { image, findings } = column else { panic!("searched") };
        assert_eq!(*image, IndexTestColumn::Image("image".to_owned()));
        assert!(findings.reference.is_absolute() && findings.status.is_none());
        assert!(source.pacs(&config.limits).unwrap().is_none());
        // A concept for scores that nothing brings.
        let idle = text.replace("# score_concept = ", "score_concept = ");
        let config: Config = toml::from_str(&idle).unwrap();
        let refused = config.data_sources[0].pacs(&config.limits).unwrap_err();
        assert_eq!(refused.code, "CONFIG_INVALID");
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
    fn the_pacs_without_web_services_in_the_example_works_when_it_is_switched_on() {
        let start = TEMPLATE.find("# [data_sources.dimse]").unwrap();
        let (before, rest) = TEMPLATE.split_at(start);
        let (table, after) = rest.split_once("\n\n").unwrap();
        let switched_on = |line: &str| {
            let text = line.trim_start_matches("# ");
            let key = text.split(" = ").next().unwrap_or_default();
            let is_prose = key == text && !text.starts_with('[') || key.contains(' ');
            let is_file = ["ca", "certificate", "key"].contains(&key);
            format!("{}\n", if is_prose || is_file { line } else { text })
        };
        let table: String = table.lines().map(switched_on).collect();
        let get = table.replace("\nlisten = ", "\n# listen = ");
        let get = get.replace("\nmove_destination = ", "\n# move_destination = ");
        let moved = table.replace("\nretrieve = \"get\"", "\nretrieve = \"move\"");
        for table in [get, moved] {
            let table = table.replace("\nwithout_tls = false", "\nwithout_tls = true");
            let text = format!("{before}{table}\n{after}").replace("root = \"/srv/fedval\"\n", "");
            let config: Config = toml::from_str(&text).unwrap();
            let source = &config.data_sources[0];
            assert!(source.pacs(&config.limits).unwrap().is_some());
            assert_eq!((source.is_open_at(12 * 60), source.is_open_at(0)), (false, true));
            let column = source.manifest_source().columns.index_test;
            let key = InstanceKey::SopInstanceUid;
            let image = IndexTestColumn::Instance(key, "image".to_owned());
            assert_eq!(column, image);
            let outlined = text.replace("# reference_mask = ", "reference_mask = ");
            let config: Config = toml::from_str(&outlined).unwrap();
            let source = &config.data_sources[0];
            assert!(source.pacs(&config.limits).unwrap().is_some());
            let (image, reference) = (Box::new(image), "reference_mask".to_owned());
            let column = source.manifest_source().columns.index_test;
            assert_eq!(column, IndexTestColumn::Outlined { image, reference });
            let both =
                format!("{before}{table}[data_sources.pacs]\nurl = \"https://pacs.test\"\n{after}");
            let config: Config =
                toml::from_str(&both.replace("root = \"/srv/fedval\"\n", "")).unwrap();
            let refused = config.data_sources[0].pacs(&config.limits).unwrap_err();
            assert_eq!(refused.code, "CONFIG_INVALID");
            let split = text.replace("# shards = 8", "shards = 8");
            let config: Config = toml::from_str(&split).unwrap();
            assert!(config.split(&config.data_sources[0]).is_err());
        }
    }
}
