//! From a patient's number to the images that the hospital keeps.

use super::Hospital;
use super::anatomy::Anatomy;
use super::population::Patient;
use super::scanner::Scanner;
use crate::random::Random;

/// One image of a patient.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseImage {
    /// Number within the patient, from 1.
    pub number: u32,
    /// Stored values, row by row.
    pub pixels: Vec<u16>,
}

/// A patient and the scanner that took the images.
///
/// The same hospital and number always give the same: nothing depends on the patients before.
#[must_use]
pub fn patient_of(hospital: &Hospital, number: u32) -> (Patient, Scanner) {
    let (patient, scanner, _) = drawn(hospital, number);
    (patient, scanner)
}

/// The same with the images, and the random sequence that goes on from there.
#[must_use]
pub fn images_of(hospital: &Hospital, number: u32) -> (Patient, Scanner, Vec<CaseImage>, Random) {
    let (patient, scanner, mut random) = drawn(hospital, number);
    let anatomy = Anatomy::draw(&patient, &mut random);
    let images = (1..=patient.images)
        .map(|number| {
            // No patient stands twice in the same place.
            let shift = (random.between(-2.5, 2.5), random.between(-2.5, 2.5));
            CaseImage { number, pixels: scanner.expose(&anatomy.scene(shift), &mut random) }
        })
        .collect();
    (patient, scanner, images, random)
}

fn drawn(hospital: &Hospital, number: u32) -> (Patient, Scanner, Random) {
    let mut random = Random::of(hospital.seed, u64::from(number));
    let patient = hospital.population.patient(number, &mut random);
    let shares = hospital.scanners.iter().map(|(_, share)| *share);
    let (scanner, _) = hospital.scanners[random.index_by_share(shares)];
    (patient, scanner, random)
}
