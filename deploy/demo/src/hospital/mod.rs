//! Invented hospitals: their scanners, their patients, their files.

mod anatomy;
mod catalogue;
mod cohort;
mod dicom_file;
mod image;
mod population;
mod scanner;

pub use catalogue::{HILLSIDE_CLINIC, NORTHGATE, RIVERSIDE, ST_BRIGID, hospitals};
pub use cohort::{CANARY, CohortError, CohortFolder, write_cohort};
pub use dicom_file::DicomFileError;
pub use image::{CaseImage, images_of, patient_of};
pub use population::{ETHNIC_GROUPS, Patient, Population, Sex};
pub use scanner::{Detector, Photometric, Scanner};

/// A hospital.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hospital {
    /// Its name as a site.
    pub id: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Everything random about it comes from this number.
    pub seed: u64,
    /// Whom it sees.
    pub population: Population,
    /// Its scanners, each with the share of patients imaged on it.
    pub scanners: &'static [(Scanner, f64)],
    /// Patients whose first file was cut short in transfer.
    pub damaged: &'static [u32],
    /// Patients whose reference standard is still outstanding.
    pub unlabelled: &'static [u32],
}
