//! The main job, from invented hospitals to a verified report.

mod answer;
mod coordinator;
mod policy;
mod program;
mod round;
mod site;
mod steward;

use std::path::{Path, PathBuf};

pub use program::TETHERED;

use crate::canary_search::{Searched, search_for_canaries};
use crate::console::Console;
use crate::error::DemoError;
use crate::hospital::{Hospital, hospitals, write_cohort};
use crate::model::lesion_detector;
use crate::output_folder::OutputFolder;
use coordinator::{Coordinator, Invitation};
use policy::policy_of;
use program::Service;
use site::Site;

/// The study, as its author wrote it.
pub const STUDY_TOML: &str = include_str!("../../study.toml");
/// Name of the model file that the study pins.
const MODEL_FILE: &str = "lesion-detector.onnx";

/// What a run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Folder with report and evidence.
    pub package: PathBuf,
    /// Fingerprint of the consortium's root certificate.
    pub root_fingerprint: String,
    /// What was searched for patients' names, without a finding.
    pub searched: Searched,
}

/// Runs everything.
///
/// # Errors
///
/// [`DemoError`] for the first step that did not work; every process is gone by then.
pub fn run(folder: &OutputFolder, console: &Console) -> Result<Finished, DemoError> {
    let logs = folder.folder("logs")?;
    let study = write_study(folder, console)?;
    let sites = make_hospitals(folder, &logs, console)?;

    let step = console.step("Making a consortium and enrolling four hospitals", None);
    let coordinator = Coordinator::create(folder, &logs)?;
    let mut services = vec![coordinator.serve()?];
    let invitation = enrol(&coordinator, &sites)?;
    step.done(&format!("coordinator at {}, mutual TLS", coordinator.url()));

    let step = console.step("Locking the study and signing four policies", None);
    let digest = coordinator.lock_study(&study)?;
    for site in &sites {
        site.sign_policy(&digest)?;
    }
    step.done(&format!("protocol {}", digest.get(..16).unwrap_or(&digest)));

    let step = console.step("Evaluating at four hospitals at once", None);
    for site in &sites {
        services.push(site.start()?);
    }
    coordinator.dispatch()?;
    round::follow(&coordinator, &sites, &mut services, &step)?;
    step.done("every hospital has answered");

    let package = folder.join("report");
    report(&coordinator, &invitation, &package, services, console)
}

fn write_study(folder: &OutputFolder, console: &Console) -> Result<PathBuf, DemoError> {
    let step = console.step("Writing the model and the study", None);
    let model = lesion_detector();
    folder.write(MODEL_FILE, &model)?;
    let study = folder.write("study.toml", STUDY_TOML.as_bytes())?;
    step.done(&format!("{} bytes of ONNX", model.len()));
    Ok(study)
}

fn make_hospitals(
    folder: &OutputFolder,
    logs: &Path,
    console: &Console,
) -> Result<Vec<Site>, DemoError> {
    let patients: u32 = hospitals().iter().map(|hospital| hospital.population.patients).sum();
    let step = console.step("Taking images at four invented hospitals", Some(patients.into()));
    let mut images = 0;
    let mut sites = Vec::new();
    for hospital in hospitals() {
        let root = folder.folder(&format!("sites/{}/data", hospital.id))?;
        let cohort = write_cohort(&hospital, &root, &|| step.advance())
            .map_err(|source| DemoError::Hospital { hospital: hospital.title, source })?;
        images += cohort.images;
        sites.push(Site::new(hospital, policy_of(hospital.id), cohort, logs)?);
    }
    step.done(&format!("{patients} patients, {images} DICOM files"));
    Ok(sites)
}

/// Enrols every site and returns the last invitation: all name the same root.
fn enrol(coordinator: &Coordinator, sites: &[Site]) -> Result<Invitation, DemoError> {
    let mut last = None;
    for site in sites {
        let Hospital { id, .. } = site.hospital;
        let invitation = coordinator.invite(id)?;
        site.enrol(&coordinator.url(), &invitation)?;
        last = Some(invitation);
    }
    Ok(last.expect("the demo has four hospitals"))
}

/// Builds the report, then verifies it with no server running.
fn report(
    coordinator: &Coordinator,
    invitation: &Invitation,
    package: &Path,
    services: Vec<Service>,
    console: &Console,
) -> Result<Finished, DemoError> {
    let step = console.step("Building the report", None);
    coordinator.report(package)?;
    // Agents first: none of them then misses its coordinator.
    services.into_iter().rev().for_each(drop);
    step.done("signed, with all evidence; every process has ended");

    let step = console.step("Verifying it from its files alone", None);
    let root_fingerprint = invitation.root_fingerprint.clone();
    coordinator.verify(package, &root_fingerprint)?;
    step.done("every number recomputed from signed site results");

    let searched = search_for_canaries(&[coordinator.home(), package])?;
    Ok(Finished { package: package.to_owned(), root_fingerprint, searched })
}
