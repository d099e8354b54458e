//! A hospital's folder: DICOM files and the manifest that lists them.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use super::dicom_file::{DicomFile, DicomFileError};
use super::image::images_of;
use super::{Hospital, Patient};

/// Part of every patient's name and identifier: whatever holds it outside the hospital leaked.
pub const CANARY: &str = "ZZCANARY";

/// A hospital's folder cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CohortError {
    /// The file system refused.
    #[error("{} cannot be written", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An image could not be written.
    #[error("{} cannot be written", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: DicomFileError,
    },
}

/// What a site's agent is told about its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortFolder {
    /// The folder that holds everything.
    pub root: PathBuf,
    /// The manifest, inside the folder.
    pub manifest: PathBuf,
    /// Number of images.
    pub images: usize,
}

/// Writes all images and the manifest of a hospital into `root`, which must exist and be empty.
///
/// `on_patient` is called after each patient, from several threads.
///
/// # Errors
///
/// [`CohortError`] for the first file that cannot be written.
pub fn write_cohort(
    hospital: &Hospital,
    root: &Path,
    on_patient: &(dyn Fn() + Sync),
) -> Result<CohortFolder, CohortError> {
    let folder = root.join("images");
    fs::create_dir(&folder).map_err(|source| CohortError::Io { path: folder.clone(), source })?;
    let write = |number| {
        let rows = write_patient(hospital, number, root)?;
        on_patient();
        Ok(rows)
    };
    let rows: Vec<String> = in_parallel(hospital.population.patients, &write)?;
    let images = rows.iter().map(|rows| rows.lines().count()).sum();
    let manifest = root.join("manifest.csv");
    let text = format!("case_id,patient_id,image,label\n{}", rows.concat());
    fs::write(&manifest, text)
        .map_err(|source| CohortError::Io { path: manifest.clone(), source })?;
    Ok(CohortFolder { root: root.to_owned(), manifest, images })
}

/// `make(0)`, `make(1)`, …, in order, on every core.
fn in_parallel<T: Send>(
    count: u32,
    make: &(dyn Fn(u32) -> Result<T, CohortError> + Sync),
) -> Result<Vec<T>, CohortError> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let cores = u32::try_from(cores).unwrap_or(1);
    let share = count.div_ceil(cores).max(1);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|core| (core * share).min(count)..((core + 1) * share).min(count))
            .map(|numbers| scope.spawn(move || numbers.map(make).collect::<Result<Vec<_>, _>>()))
            .collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().expect("making an image does not panic")?);
        }
        Ok(all)
    })
}

/// Writes the patient's files and returns the manifest's lines about them.
fn write_patient(hospital: &Hospital, number: u32, root: &Path) -> Result<String, CohortError> {
    let (patient, scanner, images, mut random) = images_of(hospital, number);
    let patient_id = format!("{CANARY}-{}-{number:04}", hospital.id);
    let patient_name = format!("{CANARY}^{}{number:04}", given_name(hospital));
    let label = label(hospital, &patient);
    let mut rows = String::new();
    for image in &images {
        let relative = format!("images/{number:04}-{}.dcm", image.number);
        let path = root.join(&relative);
        let file = DicomFile {
            patient: &patient,
            patient_name: &patient_name,
            patient_id: &patient_id,
            scanner: &scanner,
            pixels: &image.pixels,
        };
        file.write(&path, &mut random)
            .map_err(|source| CohortError::Image { path: path.clone(), source })?;
        if image.number == 1 && hospital.damaged.contains(&number) {
            cut_short(&path).map_err(|source| CohortError::Io { path, source })?;
        }
        let case_id = format!("{}-{number:04}-{}", hospital.id, image.number);
        writeln!(rows, "{case_id},{patient_id},{relative},{label}")
            .expect("writing to a string does not fail");
    }
    Ok(rows)
}

/// DICOM's second name component: the hospital's initial letters, so that names differ by site.
fn given_name(hospital: &Hospital) -> String {
    hospital.id.chars().filter(char::is_ascii_alphabetic).take(3).collect::<String>().to_uppercase()
}

fn label(hospital: &Hospital, patient: &Patient) -> &'static str {
    match patient.lesion_contrast {
        _ if hospital.unlabelled.contains(&patient.number) => "",
        Some(_) => "1",
        None => "0",
    }
}

/// What a broken transfer leaves: header and half of the pixels.
fn cut_short(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(file.metadata()?.len() / 2)
}
