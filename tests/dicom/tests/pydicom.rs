//! pydicom's own test files: what is read is what pydicom reads, what has no pixels is refused, and no damage harms.

use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;

use fedval_dicom_files::{Expected, Ours, Reading, Row, files, readme, rows, table, with_table};
use fedval_ingest::decode::{decode_series, stored_frame};
use fedval_ingest::findings::Side;
use fedval_ingest::{
    ConceptCode, DecodeRequest, MaskRequest, ReportRequest, compare_masks, decode_image,
    read_report,
};
use fedval_study::protocol::{
    AxisOrder, Border, FrameChoice, GantryTilt, Layout, Matching, ModelInput, Monochrome1, Resize,
    Structure, ValueScaling, VolumeInput,
};

/// Levels by which decoders of a lossy code may differ: each rounds a cosine transform once, and
/// colours are three of them.
const LOSSY_LEVELS: u64 = 3;

/// What a file without pixels is refused with: it is no DICOM file (PS3.10), is cut, or describes no pixels.
const WITHOUT_PIXELS: [&str; 3] =
    ["IMAGE_FORMAT_UNKNOWN", "IMAGE_CORRUPT", "IMAGE_DESCRIPTION_MISSING"];

/// Files beyond this take long to decode, and hold nothing that smaller ones do not.
const LARGE_BYTES: usize = 64 << 10;

/// Within so many bytes a file says of which class it is, and most of what it says of its pixels.
const HEAD_BYTES: usize = 2048;

/// The classes of segmentations and structure sets, and what those of reports begin with.
const MASKS: [&[u8]; 2] = [b"1.2.840.10008.5.1.4.1.1.66.4", b"1.2.840.10008.5.1.4.1.1.481.3"];
const REPORTS: [&[u8]; 1] = [b"1.2.840.10008.5.1.4.1.1.88."];

/// The files, or nothing outside CI where nobody fetched them: CI has no excuse.
fn folder() -> Option<PathBuf> {
    let folder = files();
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "tests/run.sh fetches {}", folder.display());
    None
}

#[test]
fn every_file_is_read_as_pydicom_reads_it_or_refused_with_a_reason() {
    let Some(folder) = folder() else { return };
    let expected = Expected::committed();
    let rows = rows(&folder, &expected);
    let wrong = |row: &&Row<'_>| match (row.theirs, &row.ours) {
        (Reading::NoPixels, Ours::Refused(code)) => !WITHOUT_PIXELS.contains(code),
        (Reading::NoPixels, _) | (_, Ours::Differs(_)) => true,
        (_, Ours::Within(levels)) => *levels > LOSSY_LEVELS,
        (_, Ours::Equal | Ours::OnlyHere | Ours::Refused(_)) => false,
    };
    let wrong: Vec<_> = rows.iter().filter(wrong).map(|row| (row.file, &row.ours)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(rows.len(), expected.files.len(), "a row for every file");
    let page = fs::read_to_string(readme()).expect("the README is there");
    let now = with_table(&page, &table(&rows));
    assert!(page == now, "the README's table is old: cargo run -p fedval-dicom-files\n{now}");
}

/// Numbers without a pattern (`SplitMix64`).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("below a usize")
    }
}

/// The file cut short, then with bits turned over: every other time where its elements are, else anywhere.
fn damaged(whole: &[u8], noise: &mut Noise) -> Vec<Vec<u8>> {
    let (cut, turned) = if whole.len() > LARGE_BYTES { (2, 4) } else { (4, 8) };
    let within = |copy: usize| {
        if copy.is_multiple_of(2) { whole.len() } else { whole.len().min(HEAD_BYTES) }
    };
    let mut copies = Vec::new();
    for copy in 0..cut {
        copies.push(whole[..noise.below(within(copy))].to_vec());
    }
    for copy in 0..turned {
        let mut bytes = whole.to_vec();
        for _ in 0..=copy % 5 {
            bytes[noise.below(within(copy))] ^= 1 << noise.below(8);
        }
        copies.push(bytes);
    }
    copies
}

/// A file, and the models that it is shown to.
struct Shown<'f> {
    whole: &'f [u8],
    image: ModelInput,
    volume: ModelInput,
    is_mask: bool,
    is_report: bool,
}

impl<'f> Shown<'f> {
    fn of(whole: &'f [u8], photometric: Option<&str>) -> Self {
        let is_grey = photometric.is_none_or(|name| name.starts_with("MONOCHROME"));
        let image = ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 8,
            width: 9,
            channels: if is_grey { 1 } else { 3 },
            scaling: if is_grey { ValueScaling::Voi } else { ValueScaling::Unit },
            mean: 0.0,
            standard_deviation: 1.0,
            resize: Resize::Bilinear,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Middle,
            volume: None,
        };
        let volume = VolumeInput {
            depth: 4,
            gantry_tilt: GantryTilt::Refuse,
            orientation: AxisOrder::AXIAL,
            spacing_mm: [2.0, 1.0, 1.0],
            padding: 0.0,
            slab: None,
        };
        let volume =
            ModelInput { scaling: ValueScaling::Modality, volume: Some(volume), ..image.clone() };
        let (is_mask, is_report) = (is_of(whole, &MASKS), is_of(whole, &REPORTS));
        Self { whole, image, volume, is_mask, is_report }
    }

    /// Gives a damaged copy to a reader of images, one by turn, and to those of what else the file is. Read or refused:
    /// what counts is an answer.
    fn read(&self, damaged: &[u8], turn: usize) {
        let decode = |input| {
            let request = DecodeRequest { input, dicom_attributes: &[], bytes: damaged };
            decode_image(&request).is_ok()
        };
        let _ = match turn % 3 {
            0 => stored_frame(damaged, 1).is_ok(),
            1 => decode(&self.image),
            _ => {
                let series = [damaged.to_vec(), self.whole.to_vec()];
                decode_series(&self.volume, &[], &series).is_ok() || decode(&self.volume)
            }
        };
        if self.is_mask {
            let structure = structure();
            let request =
                MaskRequest { structure: &structure, reference: self.whole, predicted: damaged };
            let _ = compare_masks(&request);
        }
        if self.is_report {
            let score = ConceptCode::default();
            for side in [Side::Reference, Side::Predicted] {
                let matching = Matching::CentreInRadius;
                let _ =
                    read_report(&ReportRequest { side, matching, score: &score, bytes: damaged });
            }
        }
    }
}

/// Whether the undamaged file says so.
fn is_of(whole: &[u8], classes: &[&[u8]]) -> bool {
    let head = &whole[..whole.len().min(HEAD_BYTES)];
    classes.iter().any(|class| head.windows(class.len()).any(|bytes| bytes == *class))
}

fn structure() -> Structure {
    Structure {
        labels: vec![1],
        other_labels: vec![2],
        rois: Vec::new(),
        border: Border::VoxelBorder,
        tolerance_um: 500,
        hd95_bound_um: 50_000,
        pixel_spacing_um: None,
    }
}

#[test]
fn no_damaged_copy_of_any_file_panics() {
    let Some(folder) = folder() else { return };
    let mut noise = Noise(20_261_127);
    let (mut panicked, mut kinds) = (Vec::new(), [0; 2]);
    for (place, (file, theirs)) in Expected::committed().files.iter().enumerate() {
        let whole = fs::read(folder.join(file)).expect("listed files are there");
        let shown = Shown::of(&whole, theirs.photometric());
        kinds[0] += usize::from(shown.is_mask);
        kinds[1] += usize::from(shown.is_report);
        for (copy, bytes) in damaged(&whole, &mut noise).iter().enumerate() {
            if catch_unwind(|| shown.read(bytes, place + copy)).is_err() {
                panicked.push((file.clone(), copy));
            }
        }
    }
    assert!(panicked.is_empty(), "file and copy: {panicked:?}");
    assert!(kinds.iter().all(|files| *files > 0), "segmentations and reports are among them");
}
