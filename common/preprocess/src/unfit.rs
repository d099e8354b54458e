//! Why pixels do not become a model's input.

use fedval_study::summary::FailureReason;

use crate::volume::StackFault;

/// Why an image whose pixels are known cannot become what the protocol describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Not the size that the protocol demands, or beyond any size that is read.
    #[error("the image has another size than the protocol demands")]
    Size,
    /// Fewer or more pixels than rows and columns make.
    #[error("the image does not have as many pixels as its size says")]
    PixelCount,
    /// Colour where the protocol wants one channel.
    #[error("the image is in colour")]
    Colour,
    /// Signed values where the protocol wants stored values from 0 up.
    #[error("the pixels are signed")]
    Signed,
    /// White is low and the protocol refuses that.
    #[error("white is low in the image (MONOCHROME1)")]
    Monochrome1,
    /// A value mapping that cannot be applied, or leads to no number.
    #[error("the value mapping is not supported")]
    ValueMapping,
    /// More than one frame, and the protocol does not say which.
    #[error("the image has several frames")]
    MultiFrame,
    /// The protocol names a frame that is not there.
    #[error("the image does not have the frame that the protocol names")]
    FrameAbsent,
    /// A volume that has a single voxel along an axis.
    #[error("the volume has a single slice")]
    OneSlice,
    /// Voxels of a volume that are too small or too large to be.
    #[error("the volume does not say how large its voxels are")]
    Spacing,
    /// Axes of a volume that lean, or of which two point alike.
    #[error("the volume does not say clearly which way up it is")]
    Orientation,
    /// Slices that are no volume.
    #[error(transparent)]
    Stack(#[from] StackFault),
}

impl Unfit {
    /// The reason under which such a case is counted.
    #[must_use]
    pub const fn reason(self) -> FailureReason {
        match self {
            Self::Size => FailureReason::WrongSize,
            Self::PixelCount => FailureReason::Undecodable,
            Self::Colour
            | Self::Signed
            | Self::Monochrome1
            | Self::ValueMapping
            | Self::MultiFrame
            | Self::FrameAbsent
            | Self::OneSlice
            | Self::Spacing
            | Self::Orientation
            | Self::Stack(_) => FailureReason::Unsupported,
        }
    }
}
