//! Frames that are deflated one by one (PS3.5 A.4.13): pixels as they are, once they are inflated.

use super::{Decoded, plain};
use crate::decode::dicom::description::Description;
use crate::decode::dicom::inflate::inflated;
use crate::decode::dicom::native;
use crate::decode::fault::ImageFault;

/// Never inflates more than the frame that the file describes, and a byte that makes its length even.
pub(super) fn decode(frame: &[u8], description: &Description) -> Result<Decoded, ImageFault> {
    let bytes = native::frame_bytes(description);
    plain(&inflated(frame, bytes + bytes % 2)?, description)
}
