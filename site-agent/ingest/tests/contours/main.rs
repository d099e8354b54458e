//! Contours as DICOM RT Structure Set, of bytes that are put together here, beside the same masks as voxels.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../dicom_file/mod.rs"]
mod dicom_file;
mod drawn;
#[path = "../mask_file/mod.rs"]
mod mask_file;
#[path = "../mirror/mod.rs"]
mod mirror;
mod on_image;
mod refused;
#[path = "../segment_file/mod.rs"]
mod segment_file;
mod structure_set;

use fedval_ingest::decode::ImageFault;
use fedval_ingest::{MaskComparison, MaskMeasures, MaskRequest, compare_masks};
use fedval_study::protocol::Structure;

use mask_file::{a_box, structure};
use structure_set::StructureSet;

fn heart() -> Structure {
    Structure { rois: vec!["Heart".to_owned()], ..structure() }
}

fn compare_as(
    structure: &Structure,
    reference: &[u8],
    predicted: &[u8],
) -> Result<MaskComparison, ImageFault> {
    compare_masks(&MaskRequest { structure, reference, predicted })
}

fn compare(reference: &[u8], predicted: &[u8]) -> Result<MaskComparison, ImageFault> {
    compare_as(&heart(), reference, predicted)
}

fn fault(of: &StructureSet) -> Option<ImageFault> {
    compare(&a_box().bytes(), &of.bytes()).err()
}

fn measures(compared: Result<MaskComparison, ImageFault>) -> [f64; 3] {
    let MaskMeasures { dice, hd95_mm, nsd } = compared.unwrap().measures.unwrap();
    [dice, hd95_mm, nsd]
}

#[track_caller]
fn assert_measures(compared: Result<MaskComparison, ImageFault>, expected: [f64; 3]) {
    let found = measures(compared);
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
}
