//! Bytes to a tensor in this process, and what it should be.

use fedval_ingest::decode::ImageFault;
use fedval_ingest::{DecodeRequest, decode_image};
use fedval_study::protocol::ModelInput;

pub(crate) fn tensor(bytes: &[u8], input: &ModelInput) -> Result<Vec<f32>, ImageFault> {
    let request = DecodeRequest { input, dicom_attributes: &[], bytes };
    decode_image(&request).map(|image| image.tensor)
}

#[track_caller]
pub(crate) fn assert_close(tensor: &[f32], expected: &[f32]) {
    assert_eq!(tensor.len(), expected.len());
    assert!(tensor.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{tensor:?}");
}
