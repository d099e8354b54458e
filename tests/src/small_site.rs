//! A small site made up on the spot: a manifest with files that are no images.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Writes `patients` cases to `folder`, half of them positive.
///
/// # Panics
///
/// If the folder cannot be written.
pub fn write(folder: &Path, patients: usize) {
    fs::create_dir_all(folder).expect("a writable folder");
    let mut manifest = "case_id,patient_id,image,label\n".to_owned();
    for index in 0..patients {
        let image = format!("image-{index}.png");
        fs::write(folder.join(&image), b"no image").expect("a writable folder");
        let label = index % 2;
        writeln!(manifest, "CASEX{index},PATIENTX{index},{image},{label}").expect("text");
    }
    fs::write(folder.join("manifest.csv"), manifest).expect("a writable folder");
}

/// A study whose model is the file at `model`.
#[must_use]
pub fn study(id: &str, model: &Path) -> String {
    format!(
        r#"
id = "{id}"
title = "A small study"
target_condition = "anything"
[model]
name = "model"
file = "{}"
[model.input]
name = "image"
layout = "nchw"
height = 8
width = 8
channels = 1
scaling = "unit"
resize = "refuse"
monochrome1 = "invert"
[model.output]
name = "probability"
scale = "probability"
[reference_standard]
description = "none"
positive = ["1"]
negative = ["0"]
[analysis]
unit = "patient"
combine = "mean"
[[operating_points]]
name = "half"
threshold = 0.5
[[endpoints]]
name = "discrimination"
metric = "auroc"
limit = 0.8
[disclosure]
k = 11
"#,
        model.display()
    )
}

/// The same for a model of square images with `side` pixels, every image a unit of analysis.
#[must_use]
pub fn image_study(id: &str, model: &Path, side: u32) -> String {
    study(id, model)
        .replace("height = 8", &format!("height = {side}"))
        .replace("width = 8", &format!("width = {side}"))
        .replace("unit = \"patient\"\ncombine = \"mean\"", "unit = \"image\"")
}
