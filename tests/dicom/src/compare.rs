//! Our reading of each file, beside pydicom's.

use std::fs;
use std::path::Path;

use fedval_ingest::decode::{ImageFault, StoredFrame, stored_frame};
use fedval_ingest::{DecodeRequest, decode_image};
use fedval_study::Sha256Digest;
use fedval_study::protocol::{FrameChoice, Layout, ModelInput, Monochrome1, Resize, ValueScaling};

use crate::expected::{Expected, Pixels, Reading};

/// Relative difference of means that sums in another order and precision may have.
const MEAN_TOLERANCE: f64 = 1e-5;

/// What became of a file here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ours {
    /// Every value of every frame, and every mapping, is pydicom's.
    Equal,
    /// Of a lossy code: no value looked at is further away than so many levels.
    Within(u64),
    /// Decoded to something else: what.
    Differs(String),
    /// Decoded, and pydicom does not.
    OnlyHere,
    /// Refused, with this code.
    Refused(&'static str),
}

/// A file, as both read it.
#[derive(Debug)]
pub struct Row<'e> {
    /// Path below pydicom's folder.
    pub file: &'e str,
    /// pydicom's reading.
    pub theirs: &'e Reading,
    /// Ours.
    pub ours: Ours,
}

/// Reads every file of `folder` that pydicom looked at.
///
/// # Panics
///
/// If a file is missing.
#[must_use]
pub fn rows<'e>(folder: &Path, expected: &'e Expected) -> Vec<Row<'e>> {
    let row = |(file, theirs): (&'e String, &'e Reading)| {
        let bytes = fs::read(folder.join(file))
            .unwrap_or_else(|error| panic!("{file} of pydicom's files: {error}"));
        Row { file, theirs, ours: ours(&bytes, theirs) }
    };
    expected.files.iter().map(row).collect()
}

fn ours(bytes: &[u8], theirs: &Reading) -> Ours {
    let frames = match frames(bytes) {
        Ok(frames) => frames,
        Err(fault) => return Ours::Refused(fault.code()),
    };
    match theirs {
        Reading::Decoded(pixels) => compared(bytes, &frames, pixels),
        Reading::Refused { .. } | Reading::NoPixels => Ours::OnlyHere,
    }
}

fn frames(bytes: &[u8]) -> Result<Vec<StoredFrame>, ImageFault> {
    let first = stored_frame(bytes, 1)?;
    let others = (2..=first.frames).map(|number| stored_frame(bytes, number));
    std::iter::once(Ok(first.clone())).chain(others).collect()
}

fn compared(bytes: &[u8], frames: &[StoredFrame], theirs: &Pixels) -> Ours {
    let shape = |frame: &StoredFrame| [frame.rows, frame.columns];
    if frames.len() != theirs.frames.len() || frames.iter().any(|f| shape(f) != theirs.shape) {
        return Ours::Differs("number or size of frames".to_owned());
    }
    let values = if frames.iter().zip(&theirs.frames).all(|(f, sha)| digest(&f.values) == *sha) {
        Ours::Equal
    } else if let Some(spots) = &theirs.spots {
        let furthest = frames.iter().zip(spots).map(|(frame, spots)| distance(frame, spots)).max();
        Ours::Within(furthest.unwrap_or(0))
    } else {
        Ours::Differs("stored values".to_owned())
    };
    match (values, mapped(bytes, theirs)) {
        (Ours::Equal, Some(what)) => Ours::Differs(what),
        (values, _) => values,
    }
}

fn digest(values: &[i64]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Sha256Digest::of(&bytes).to_string()
}

/// The furthest of `spots`, which lie evenly over the frame, from our values there.
fn distance(frame: &StoredFrame, spots: &[i64]) -> u64 {
    let place = |spot: usize| spot * frame.values.len() / spots.len();
    let here = (0..spots.len()).map(|spot| frame.values[place(spot)]);
    here.zip(spots).map(|(ours, theirs)| ours.abs_diff(*theirs)).max().unwrap_or(0)
}

/// The first value mapping that is not pydicom's.
fn mapped(bytes: &[u8], theirs: &Pixels) -> Option<String> {
    let is_inverted = theirs.photometric == "MONOCHROME1";
    let read = |scaling, channels| tensor(bytes, theirs, scaling, channels);
    let differs = |what: &str, theirs: f64, scaling| {
        let ours = match read(scaling, 1) {
            Ok(tensor) => mean(&tensor),
            Err(fault) => return Some(format!("{what}: {}", fault.code())),
        };
        let tolerance = MEAN_TOLERANCE * theirs.abs().max(1.0);
        ((ours - theirs).abs() > tolerance).then(|| format!("{what}: {ours} for {theirs}"))
    };
    if let Some(sha) = &theirs.palette {
        let Ok(planes) = read(ValueScaling::Modality, 3) else { return Some("palette".to_owned()) };
        let colours: Vec<i64> = planes.iter().map(|value| whole(*value)).collect();
        return (digest(&colours) != *sha).then(|| "palette".to_owned());
    }
    // Of an inverted image we map the mirrored value, and pydicom the stored one.
    let modality = theirs.modality_mean.filter(|_| !is_inverted);
    let modality = modality.and_then(|mean| differs("modality", mean, ValueScaling::Modality));
    let voi = theirs.voi_mean.map(|mean| if is_inverted { 1.0 - mean } else { mean });
    modality.or_else(|| voi.and_then(|mean| differs("window", mean, ValueScaling::Voi)))
}

fn tensor(
    bytes: &[u8],
    theirs: &Pixels,
    scaling: ValueScaling,
    channels: u32,
) -> Result<Vec<f32>, ImageFault> {
    let [height, width] = theirs.shape.map(|side| u32::try_from(side).expect("a side of an image"));
    let input = ModelInput {
        name: "image".to_owned(),
        layout: Layout::Nhwc,
        height,
        width,
        channels,
        scaling,
        mean: 0.0,
        standard_deviation: 1.0,
        resize: Resize::Refuse,
        monochrome1: Monochrome1::Invert,
        frame: FrameChoice::Number(1),
        volume: None,
    };
    let request = DecodeRequest { input: &input, dicom_attributes: &[], bytes };
    decode_image(&request).map(|image| image.tensor)
}

#[expect(clippy::cast_precision_loss, reason = "fewer values than a mantissa counts")]
fn mean(values: &[f32]) -> f64 {
    values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64
}

#[expect(clippy::cast_possible_truncation, reason = "colours are whole numbers of 16 bits")]
const fn whole(value: f32) -> i64 {
    value as i64
}
