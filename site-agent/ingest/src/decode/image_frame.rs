//! Where the pixels of an image lie: what is needed to hold against a mask what a model says of them.

use std::fmt;

use fedval_preprocess::Size;
use fedval_preprocess::volume::{MOST_SLICES, VolumeGrid};
use fedval_study::Sha256Digest;
use serde::{Deserialize, Serialize};

/// The pixels of an image as they are decoded, before any is resized; of a volume, those of its first slice and how the
/// others follow. Which of a volume's axes are rows and columns is as its file stores them.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageFrame {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Where they are in the patient; `None` where the file does not say it.
    pub place: Option<FramePlace>,
    /// Of a volume; `None` of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slices: Option<SliceRun>,
}

/// The slices of a volume.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceRun {
    /// How many there are, from 2 up.
    pub count: usize,
    /// From one to the next, in millimetres to the patient's right, front and head.
    pub step: [f64; 3],
}

/// A plane of pixels in the patient, in millimetres to the right, to the front and to the head.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FramePlace {
    /// The middle of the first pixel.
    pub origin: [f64; 3],
    /// From one row to the next.
    pub row_step: [f64; 3],
    /// From one column to the next.
    pub column_step: [f64; 3],
    /// In which the millimetres are; `None` where the file does not say it.
    pub frame_of_reference: Option<FrameOfReference>,
}

/// A frame of reference, told from others by a digest of its UID: places in two of them have nothing to do with each
/// other (PS3.3, C.7.4.1).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrameOfReference(u64);

impl FrameOfReference {
    /// The one of a UID, which is given without padding.
    #[must_use]
    pub fn of(uid: &str) -> Self {
        let digest = Sha256Digest::of(uid.as_bytes());
        let (first, _) = digest.as_bytes().as_chunks::<8>();
        Self(u64::from_le_bytes(first[0]))
    }
}

impl ImageFrame {
    /// One whose file says nothing of the patient.
    pub(super) const fn of(size: Size) -> Self {
        Self { height: size.height, width: size.width, place: None, slices: None }
    }

    /// A volume whose first voxel lies at `origin`. Of one whose file says no number there, nothing says where it lies:
    /// a model may still see it, and no mask is held against it.
    pub(super) fn of_volume(
        grid: &VolumeGrid,
        origin: [f64; 3],
        frame_of_reference: Option<FrameOfReference>,
    ) -> Self {
        let [width, height, count] = grid.lengths;
        let [column_step, row_step, step] = grid.steps;
        let place = FramePlace { origin, row_step, column_step, frame_of_reference };
        let slices = Some(SliceRun { count, step });
        Self { slices, ..Self::at(Size { height, width }, Some(place)) }
    }

    /// The same, where the file says it; what is no number is no place.
    pub(super) fn at(size: Size, place: Option<FramePlace>) -> Self {
        Self { place: place.filter(FramePlace::is_finite), ..Self::of(size) }
    }

    /// Height and width, if an image can have them.
    pub(super) fn size(&self) -> Option<Size> {
        Size::new(self.height, self.width).ok()
    }

    /// Whether an honest box would send it.
    pub(super) fn is_possible(&self) -> bool {
        self.size().is_some()
            && self.place.as_ref().is_none_or(FramePlace::is_finite)
            && self.slices.as_ref().is_none_or(SliceRun::is_possible)
    }
}

impl SliceRun {
    fn is_possible(&self) -> bool {
        (2..=MOST_SLICES).contains(&self.count) && self.step.iter().all(|part| part.is_finite())
    }
}

impl FramePlace {
    fn is_finite(&self) -> bool {
        let parts = [self.origin, self.row_step, self.column_step];
        parts.iter().flatten().all(|part| part.is_finite())
    }
}

impl fmt::Debug for ImageFrame {
    /// Shows no number of a case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImageFrame(..)")
    }
}

impl fmt::Debug for SliceRun {
    /// Shows no number of a case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SliceRun(..)")
    }
}

impl fmt::Debug for FrameOfReference {
    /// Shows no number of a case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameOfReference(..)")
    }
}

impl fmt::Debug for FramePlace {
    /// Shows no number of a case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FramePlace(..)")
    }
}
