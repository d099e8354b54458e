//! Why an image is not usable.

use fedval_preprocess::Unfit;
use fedval_preprocess::volume::StackFault;
use fedval_study::summary::FailureReason;

/// Why an image could not be turned into the model's input.
///
/// Stays on site, as a code beside a line number; only [`ImageFault::reason`] is counted further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageFault {
    /// Neither PNG, JPEG, TIFF, NIfTI-1 nor DICOM Part 10.
    #[error("the file is neither PNG, JPEG, TIFF, NIfTI nor DICOM")]
    FormatUnknown,
    /// The file ends early or contradicts itself.
    #[error("the file is damaged")]
    Corrupt,
    /// Fewer or more pixel bytes than rows and columns make.
    #[error("the file does not hold as many pixels as it says")]
    PixelCount,
    /// DICOM attributes that describe the pixels are missing.
    #[error("the file does not describe its pixels")]
    DescriptionMissing,
    /// A DICOM transfer syntax, or a compression of TIFF, that is not read.
    #[error("the transfer syntax is not supported")]
    TransferSyntax,
    /// More than one frame, and the protocol does not say which.
    #[error("the image has several frames")]
    MultiFrame,
    /// The protocol names a frame that the file does not have.
    #[error("the image does not have the frame that the protocol names")]
    FrameAbsent,
    /// Several frames in pieces, and nothing that says which piece belongs to which.
    #[error("the frames of the image cannot be told apart")]
    FrameBounds,
    /// A photometric interpretation that is not read, or one that the rest of the file contradicts.
    #[error("the photometric interpretation is not supported")]
    Photometric,
    /// A compressed frame says something else about its pixels than the file around it.
    #[error("a compressed frame contradicts the file around it")]
    Codestream,
    /// Bits allocated, bits stored or high bit in a combination that is not read.
    #[error("the pixel format is not supported")]
    BitDepth,
    /// Signed pixels where the protocol wants stored values from 0 up.
    #[error("the pixels are signed")]
    Signed,
    /// Colour where the protocol wants one channel.
    #[error("the image is in colour")]
    Colour,
    /// Pixels that one can see through.
    #[error("the image is transparent")]
    Transparent,
    /// White is low and the protocol refuses that.
    #[error("white is low in the image (MONOCHROME1)")]
    Monochrome1,
    /// A look-up table or a rescale that cannot be applied.
    #[error("the value mapping is not supported")]
    ValueMapping,
    /// A palette in segments that do not make the table that the file announces.
    #[error("the segments of the palette do not make its table")]
    PaletteSegments,
    /// Not the size that the protocol demands, or beyond any size that is read.
    #[error("the image has another size than the protocol demands")]
    Size,
    /// A file does not say where its axes point, or not clearly.
    #[error("the file does not say which way up the image is")]
    Orientation,
    /// The masks of a case do not lie on the same grid.
    #[error("the masks of the case do not lie on the same grid")]
    MaskGrid,
    /// A voxel of a mask has a value that the protocol does not list, or one that is no whole number.
    #[error("a mask has a value that the protocol does not list")]
    MaskValue,
    /// A mask does not say how large its voxels are, or says what cannot be.
    #[error("a mask does not say how large its voxels are")]
    MaskSpacing,
    /// Both masks of a case are contours, or one is beside an image that does not say where it lies: nothing says which
    /// voxels they are of.
    #[error("masks of the case are contours, and nothing has a grid for them")]
    MaskNoGrid,
    /// A structure set has no region of the names that the protocol lists, or two of one name.
    #[error("a structure set has no region of the protocol's names, or two of one")]
    MaskRoi,
    /// A contour is a point or open, lies across the slices, or overlaps another so that it is not clear what is meant.
    #[error("a contour is not closed, not in a slice, or overlaps another")]
    MaskContour,
    /// Contours above each other with a slice between them that has none.
    #[error("a slice within a structure has no contour")]
    MaskGap,
    /// The file is no DICOM SR of a kind that is read.
    #[error("it is no DICOM SR of a kind that holds regions")]
    ReportClass,
    /// A finding without a region, with several, or with one that the study's rule has no use for.
    #[error("a finding has no region of the study's kind, or several")]
    ReportRegion,
    /// Regions of several images or frames of reference, or pixels where the study wants millimetres.
    #[error(
        "regions lie in several images, or in pixels where the study counts millimetres, or the reverse"
    )]
    ReportSpace,
    /// A finding without a score, with several, or with one beyond 0 to 1.
    #[error(
        "a finding has no score under the concept that the configuration names, or no such number"
    )]
    ReportScore,
    /// More reference findings than are read.
    #[error("the report has more than 256 findings")]
    ReportFull,
    /// A report that says of itself that not everything was looked for, or not with success.
    #[error("the report says itself that its detection did not succeed")]
    ReportFailed,
    /// A picture, where the protocol wants a volume.
    #[error("the file is no volume")]
    NotVolume,
    /// A volume that has a single voxel along an axis.
    #[error("the volume has a single slice")]
    OneSlice,
    /// A volume whose voxels have no size, or one that cannot be.
    #[error("the volume does not say how large its voxels are")]
    Spacing,
    /// A slice does not say in full where it lies, or to which series it belongs.
    #[error("the slices do not say where they lie")]
    Geometry,
    /// Slices of several series, or of several frames of reference.
    #[error("the slices are of several series")]
    SeriesMixed,
    /// Slices of different size or pixel spacing.
    #[error("the slices differ in size or pixel spacing")]
    SeriesGrid,
    /// Slices that are not parallel.
    #[error("the slices are not parallel")]
    SeriesOrientation,
    /// A localizer (scout), which is no slice of a volume.
    #[error("there is a localizer among the slices")]
    SeriesLocalizer,
    /// Two slices at the same place.
    #[error("two slices lie at the same place")]
    SeriesDuplicate,
    /// Slices at uneven distances: one is missing, or the spacing changes.
    #[error("the slices do not lie at even distances")]
    SeriesGap,
    /// Slices that do not lie one above the other: the gantry was tilted.
    #[error("the slices do not lie one above the other")]
    SeriesShifted,
    /// More slices than are read.
    #[error("there are too many slices")]
    SeriesTooLarge,
}

impl ImageFault {
    /// Every fault; its place is its number between the box and its parent.
    pub(super) const ALL: [Self; 44] = [
        Self::FormatUnknown,
        Self::Corrupt,
        Self::PixelCount,
        Self::DescriptionMissing,
        Self::TransferSyntax,
        Self::MultiFrame,
        Self::FrameAbsent,
        Self::FrameBounds,
        Self::Photometric,
        Self::Codestream,
        Self::BitDepth,
        Self::Signed,
        Self::Colour,
        Self::Transparent,
        Self::Monochrome1,
        Self::ValueMapping,
        Self::PaletteSegments,
        Self::Size,
        Self::Orientation,
        Self::MaskGrid,
        Self::MaskValue,
        Self::MaskSpacing,
        Self::MaskNoGrid,
        Self::MaskRoi,
        Self::MaskContour,
        Self::MaskGap,
        Self::ReportClass,
        Self::ReportRegion,
        Self::ReportSpace,
        Self::ReportScore,
        Self::ReportFull,
        Self::ReportFailed,
        Self::NotVolume,
        Self::OneSlice,
        Self::Spacing,
        Self::Geometry,
        Self::SeriesMixed,
        Self::SeriesGrid,
        Self::SeriesOrientation,
        Self::SeriesLocalizer,
        Self::SeriesDuplicate,
        Self::SeriesGap,
        Self::SeriesShifted,
        Self::SeriesTooLarge,
    ];

    /// Stable identifier for the site's own list of failed cases.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::FormatUnknown => "IMAGE_FORMAT_UNKNOWN",
            Self::Corrupt => "IMAGE_CORRUPT",
            Self::PixelCount => "IMAGE_TRUNCATED",
            Self::DescriptionMissing => "IMAGE_DESCRIPTION_MISSING",
            Self::TransferSyntax => "TRANSFER_SYNTAX_UNSUPPORTED",
            Self::MultiFrame => "IMAGE_MULTI_FRAME",
            Self::FrameAbsent => "IMAGE_FRAME_ABSENT",
            Self::FrameBounds => "IMAGE_FRAME_BOUNDS",
            Self::Photometric => "IMAGE_PHOTOMETRIC",
            Self::Codestream => "IMAGE_CODESTREAM",
            Self::BitDepth => "IMAGE_BIT_DEPTH",
            Self::Signed => "IMAGE_SIGNED",
            Self::Colour => "IMAGE_COLOUR",
            Self::Transparent => "IMAGE_TRANSPARENT",
            Self::Monochrome1 => "IMAGE_MONOCHROME1",
            Self::ValueMapping => "IMAGE_VALUE_MAPPING",
            Self::PaletteSegments => "IMAGE_PALETTE_SEGMENTS",
            Self::Size => "IMAGE_SIZE",
            Self::Orientation => "IMAGE_ORIENTATION",
            Self::MaskGrid => "MASK_GRID",
            Self::MaskValue => "MASK_VALUE",
            Self::MaskSpacing => "MASK_SPACING",
            Self::MaskNoGrid => "MASK_NO_GRID",
            Self::MaskRoi => "MASK_ROI",
            Self::MaskContour => "MASK_CONTOUR",
            Self::MaskGap => "MASK_GAP",
            Self::ReportClass
            | Self::ReportRegion
            | Self::ReportSpace
            | Self::ReportScore
            | Self::ReportFull
            | Self::ReportFailed => "FINDINGS_REPORT",
            Self::NotVolume => "VOLUME_NEEDED",
            Self::OneSlice => "VOLUME_ONE_SLICE",
            Self::Spacing => "VOLUME_SPACING",
            Self::Geometry => "VOLUME_GEOMETRY",
            Self::SeriesMixed => "SERIES_MIXED",
            Self::SeriesGrid => "SERIES_GRID",
            Self::SeriesOrientation => "SERIES_ORIENTATION",
            Self::SeriesLocalizer => "SERIES_LOCALIZER",
            Self::SeriesDuplicate => "SERIES_DUPLICATE",
            Self::SeriesGap => "SERIES_GAP",
            Self::SeriesShifted => "SERIES_SHIFTED",
            Self::SeriesTooLarge => "SERIES_TOO_LARGE",
        }
    }

    /// The reason under which the case is counted.
    #[must_use]
    pub const fn reason(self) -> FailureReason {
        match self {
            Self::FormatUnknown | Self::Corrupt | Self::PixelCount | Self::DescriptionMissing => {
                FailureReason::Undecodable
            }
            Self::TransferSyntax
            | Self::MultiFrame
            | Self::FrameAbsent
            | Self::FrameBounds
            | Self::Photometric
            | Self::Codestream
            | Self::BitDepth
            | Self::Signed
            | Self::Colour
            | Self::Transparent
            | Self::Monochrome1
            | Self::ValueMapping
            | Self::PaletteSegments
            | Self::Orientation
            | Self::MaskValue
            | Self::MaskSpacing
            | Self::MaskNoGrid
            | Self::MaskRoi
            | Self::MaskContour
            | Self::MaskGap
            | Self::ReportClass
            | Self::ReportRegion
            | Self::ReportSpace
            | Self::ReportScore
            | Self::ReportFull
            | Self::ReportFailed
            | Self::NotVolume
            | Self::OneSlice
            | Self::Spacing
            | Self::Geometry
            | Self::SeriesMixed
            | Self::SeriesGrid
            | Self::SeriesOrientation
            | Self::SeriesLocalizer
            | Self::SeriesDuplicate
            | Self::SeriesGap
            | Self::SeriesShifted
            | Self::SeriesTooLarge => FailureReason::Unsupported,
            Self::Size | Self::MaskGrid => FailureReason::WrongSize,
        }
    }
}

impl From<Unfit> for ImageFault {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Size => Self::Size,
            Unfit::PixelCount => Self::PixelCount,
            Unfit::Colour => Self::Colour,
            Unfit::Signed => Self::Signed,
            Unfit::Monochrome1 => Self::Monochrome1,
            Unfit::ValueMapping => Self::ValueMapping,
            Unfit::MultiFrame => Self::MultiFrame,
            Unfit::FrameAbsent => Self::FrameAbsent,
            Unfit::OneSlice => Self::OneSlice,
            Unfit::Spacing => Self::Spacing,
            Unfit::Orientation => Self::Orientation,
            Unfit::Stack(fault) => fault.into(),
        }
    }
}

impl From<StackFault> for ImageFault {
    fn from(fault: StackFault) -> Self {
        match fault {
            StackFault::OneSlice => Self::OneSlice,
            StackFault::TooMany => Self::SeriesTooLarge,
            StackFault::Geometry => Self::Geometry,
            StackFault::Grid => Self::SeriesGrid,
            StackFault::Orientation => Self::SeriesOrientation,
            StackFault::Duplicate => Self::SeriesDuplicate,
            StackFault::Gap => Self::SeriesGap,
            StackFault::Shifted => Self::SeriesShifted,
        }
    }
}

// The box says a fault by its place.
const _: () = {
    let mut place = 0;
    while place < ImageFault::ALL.len() {
        assert!(ImageFault::ALL[place] as usize == place, "every fault stands at its own place");
        place += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted_alike_with_and_without_a_file_around_it() {
        for unfit in [
            Unfit::Size,
            Unfit::PixelCount,
            Unfit::Colour,
            Unfit::Signed,
            Unfit::Monochrome1,
            Unfit::ValueMapping,
            Unfit::MultiFrame,
            Unfit::FrameAbsent,
            Unfit::OneSlice,
            Unfit::Spacing,
            Unfit::Orientation,
            Unfit::Stack(StackFault::Gap),
            Unfit::Stack(StackFault::Geometry),
        ] {
            assert_eq!(ImageFault::from(unfit).reason(), unfit.reason(), "{unfit:?}");
        }
    }
}
