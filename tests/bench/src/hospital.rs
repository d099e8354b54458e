//! A small hospital: a few patients, one tiny radiograph each.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use image::{GrayImage, Luma};

use crate::BenchError;
use crate::network::{Noise, SIDE};

/// As many patients as a released result needs: 12 with and 12 without the condition pass every rule of
/// k = 11.
pub const PATIENTS: u32 = 24;

/// Writes manifest and images of so many patients to `folder`.
///
/// # Errors
///
/// [`BenchError`] if the folder cannot be written.
pub fn write(folder: &Path, seed: u64, patients: u32) -> Result<(), BenchError> {
    fs::create_dir_all(folder).map_err(BenchError::file(folder))?;
    let mut noise = Noise::new(seed);
    let mut manifest = "case_id,patient_id,image,label\n".to_owned();
    for patient in 0..patients {
        let label = patient % 2;
        let name = format!("image-{patient}.png");
        let path = folder.join(&name);
        let image = GrayImage::from_fn(SIDE, SIDE, |_, _| Luma([noise.byte()]));
        image.save(&path).map_err(|error| {
            BenchError::unexpected(format!("{} cannot be written: {error}", path.display()))
        })?;
        let _ = writeln!(manifest, "case-{patient},patient-{patient},{name},{label}");
    }
    let path = folder.join("manifest.csv");
    fs::write(&path, manifest).map_err(BenchError::file(&path))
}
