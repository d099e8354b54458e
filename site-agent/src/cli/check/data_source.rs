//! Where the cases lie: that it can be read, and that a study finds there what it needs.

use std::fs::{self, File};
use std::path::Path;

use fedval_ambient::{Clock as _, Exit, Failure, SystemClock};
use fedval_disclosure::SiteLocal;
use fedval_evaluate::attribute_columns;
use fedval_ingest::{
    Cohort, IndexTestColumn, read_findings, read_manifest, read_reference_findings,
};
use fedval_study::protocol::StudyProtocol;
use fedval_study::{LockedProtocol, StudyId};

use super::cases::last_job;
use super::{Checked, Outcome};
use crate::config::{Config, DataSource, Limits};
use crate::home::Home;

/// Opens what each data source names, whatever the study. A PACS is asked for nothing in particular.
pub(super) async fn every(home: &Home) -> Vec<Checked> {
    let what = || "data sources".to_owned();
    let Ok(config) = home.config() else {
        return vec![Checked::untested(what(), "agent.toml cannot be read")];
    };
    if config.data_sources.is_empty() {
        return vec![Checked {
            what: what(),
            outcome: Outcome::Fails(missing("there is no data source")),
        }];
    }
    let mut checks = Vec::new();
    for source in &config.data_sources {
        checks.push(look(source, &config).await);
    }
    checks
}

/// Opens what a data source names. Outside its hours a PACS is left alone, by this command as well.
async fn look(source: &DataSource, config: &Config) -> Checked {
    let (what, minute) = (format!("data source {}", source.name), SystemClock.minute_of_day());
    let is_open = source.is_open_at(minute);
    let opened = match config.split(source) {
        Ok(_) => open(source, &config.limits, is_open).await,
        Err(refused) => Err(refused),
    };
    match (opened, source.hours_at(minute)) {
        (Ok(_), Some(hours)) if !is_open => Checked::untested(what, &hours),
        (Ok(note), Some(hours)) => Checked::new(what, Ok(format!("{note}; {hours}"))),
        (opened, _) => Checked::new(what, opened),
    }
}

/// What the hours of a PACS say where it may not be asked now.
pub(super) fn closed(source: &DataSource) -> Option<String> {
    let minute = SystemClock.minute_of_day();
    source.hours_at(minute).filter(|_| !source.is_open_at(minute))
}

async fn open(source: &DataSource, limits: &Limits, is_open: bool) -> Result<String, Failure> {
    let files = source.manifest_source();
    let manifest = File::open(&files.manifest);
    manifest.map_err(|error| Failure::disk("read the manifest", &files.manifest, &error))?;
    // Before anything is said of it: keys of which one would count for nothing are refused here.
    let pacs = source.pacs(limits)?;
    let readable = |path: &Path| {
        let file = File::open(path);
        file.map(drop).map_err(|error| Failure::disk("read the findings", path, &error))
    };
    match &files.columns.index_test {
        IndexTestColumn::Findings(findings) => {
            readable(&findings.reference)?;
            readable(&findings.predicted)?;
            return Ok("its manifest and its findings can be read".to_owned());
        }
        IndexTestColumn::Searched { findings, .. } => readable(&findings.reference)?,
        _ => {}
    }
    if let Some(pacs) = pacs {
        if is_open {
            pacs.check().await?;
        }
        return Ok("its manifest can be read, and the PACS answers".to_owned());
    }
    let folder = fs::read_dir(&files.root);
    folder.map_err(|error| Failure::disk("list the folder of images", &files.root, &error))?;
    Ok("its manifest and its folder can be read".to_owned())
}

fn missing(message: &str) -> Failure {
    let remedy = "add a [[data_sources]] table to agent.toml";
    Failure::new(Exit::Usage, "DATA_SOURCE_MISSING", message, remedy)
}

/// The study's protocol as this site received it, and the source that serves it.
pub(super) async fn for_study(
    home: &Home,
    study: &StudyId,
) -> Result<(StudyProtocol, DataSource), Failure> {
    let protocol = protocol_of(home, study).await?;
    let config = home.config()?;
    let source = config.source_of(study).cloned();
    let source =
        source.ok_or_else(|| missing(&format!("no data source serves the study `{study}`")))?;
    Ok((protocol, source))
}

/// Reads the manifest as the study would. Of a million lines that takes a while: elsewhere than where the screen is
/// kept up to date.
pub(super) async fn read(
    protocol: &StudyProtocol,
    source: &DataSource,
) -> Result<SiteLocal<Cohort>, Failure> {
    let (files, plan) = (source.manifest_source(), protocol.clone());
    let read = tokio::task::spawn_blocking(move || {
        let columns = attribute_columns(&plan, &files.columns);
        let cohort = read_manifest(&files, plan.labels(), &columns).map_err(Failure::from)?;
        if let Some(plan) = plan.task.detection() {
            match &files.columns.index_test {
                IndexTestColumn::Findings(findings) => {
                    read_findings(findings, cohort.open_on_site(), plan.matching)?;
                }
                IndexTestColumn::Searched { findings, .. } => {
                    read_reference_findings(findings, cohort.open_on_site(), plan.matching)?;
                }
                _ => {}
            }
        }
        Ok(cohort)
    });
    let read: Result<_, Failure> = read.await.expect("reading a manifest does not panic");
    read.map_err(|mut failure| {
        failure.message = format!("source `{}`: {}", source.name, failure.message);
        failure
    })
}

/// What there is to say of a cohort that was read.
pub(super) fn found(cohort: &SiteLocal<Cohort>, source: &DataSource) -> Result<String, Failure> {
    let unrecorded = &cohort.open_on_site().unrecorded;
    if unrecorded.is_empty() {
        return Ok(format!("source `{}` has what the study needs", source.name));
    }
    Err(Failure::new(
        Exit::AnswerIsNo,
        "ATTRIBUTE_UNRECORDED",
        format!("source `{}` has no column `{}`", source.name, unrecorded.join("`, `")),
        "map it under [data_sources.columns] attributes, or go on: subgroups by it are withheld here",
    ))
}

async fn protocol_of(home: &Home, study: &StudyId) -> Result<StudyProtocol, Failure> {
    let job = last_job(&home.vault().await?, study).await?;
    let locked = job.and_then(|job| LockedProtocol::parse(&job.protocol).ok());
    locked.map(|locked| locked.protocol().clone()).ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "STUDY_NOT_FOUND",
            format!("the study `{study}` was not dispatched to this site"),
            "run `fedval-agent jobs` to see what was",
        )
    })
}
