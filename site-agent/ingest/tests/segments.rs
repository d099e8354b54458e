//! Masks as DICOM SEG, of bytes that are put together here, beside the same masks as NIfTI.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;
mod mask_file;

use dicom_file::{DicomFile, EXPLICIT, element_bytes, header, item, padded};
use fedval_ingest::decode::ImageFault;
use fedval_ingest::{
    FramePlace, ImageFrame, MaskComparison, MaskMeasures, MaskRequest, OutputRequest,
    compare_masks, compare_output,
};
use fedval_stats::segmentation::Presence;
use fedval_study::digest::{ModelDigest, Sha256Digest};
use fedval_study::protocol::{
    MaskOutput, MaskRule, ModelOutput, ModelSpecification, OutputForm, ScoreScale, Structure,
};
use mask_file::{LENGTHS, MaskFile, a_box, is_in, structure};

/// Frames of the volume of [`a_box`], from right to left and from front to back unless they are turned.
#[derive(Clone)]
struct Segments {
    /// Which slice each frame shows, of which segment.
    frames: Vec<(usize, u16)>,
    is_in: fn([usize; 3]) -> bool,
    between: Option<&'static str>,
    kind: &'static str,
    /// Millimetres that every second frame lies too high.
    slip: f64,
    /// Rows from left to right, so that slices are counted to the feet.
    is_turned: bool,
}

/// The box in the two slices that hold any of it.
fn boxed() -> Segments {
    Segments {
        frames: vec![(1, 1), (2, 1)],
        is_in: |at| is_in(at, [1, 1, 1]),
        between: Some("2.5"),
        kind: "BINARY",
        slip: 0.0,
        is_turned: false,
    }
}

fn sequence(group: u16, element: u16, items: &[Vec<u8>]) -> Vec<u8> {
    let items: Vec<u8> = items.iter().flat_map(|of| item(of)).collect();
    let length = u32::try_from(items.len()).unwrap();
    let tag = [group.to_le_bytes(), element.to_le_bytes()].concat();
    [&tag[..], b"SQ\0\0", &length.to_le_bytes(), &items].concat()
}

fn decimal(group: u16, element: u16, text: &str) -> Vec<u8> {
    element_bytes(group, element, "DS", &padded(text), true)
}

fn short(group: u16, element: u16, value: u16) -> Vec<u8> {
    element_bytes(group, element, "US", &value.to_le_bytes(), true)
}

impl Segments {
    fn bytes(&self) -> Vec<u8> {
        let frames = padded(&self.frames.len().to_string());
        [
            header(EXPLICIT),
            short(0x0028, 0x0002, 1),
            element_bytes(0x0028, 0x0008, "IS", &frames, true),
            short(0x0028, 0x0010, 5),
            short(0x0028, 0x0011, 6),
            short(0x0028, 0x0100, 1),
            short(0x0028, 0x0101, 1),
            short(0x0028, 0x0102, 0),
            short(0x0028, 0x0103, 0),
            element_bytes(0x0062, 0x0001, "CS", &padded(self.kind), true),
            sequence(0x5200, 0x9229, &[self.shared()]),
            sequence(0x5200, 0x9230, &self.of_frames()),
            element_bytes(0x7fe0, 0x0010, "OB", &self.pixels(), true),
        ]
        .concat()
    }

    fn shared(&self) -> Vec<u8> {
        let orientation = if self.is_turned { "-1\\0\\0\\0\\1\\0" } else { "1\\0\\0\\0\\1\\0" };
        let between = self.between.map(|mm| decimal(0x0018, 0x0088, mm)).unwrap_or_default();
        let measures = [decimal(0x0018, 0x0050, "5"), between, decimal(0x0028, 0x0030, "1\\0.8")];
        [
            sequence(0x0020, 0x9116, &[decimal(0x0020, 0x0037, orientation)]),
            sequence(0x0028, 0x9110, &[measures.concat()]),
        ]
        .concat()
    }

    fn of_frames(&self) -> Vec<Vec<u8>> {
        let frame = |(index, (slice, segment)): (usize, &(usize, u16))| {
            let slip = if index % 2 == 1 { self.slip } else { 0.0 };
            let height = -30.0 + 2.5 * f64::from(u16::try_from(*slice).unwrap()) + slip;
            let left = if self.is_turned { "-6" } else { "-10" };
            let position = format!("{left}\\-20\\{height}");
            [
                sequence(0x0020, 0x9113, &[decimal(0x0020, 0x0032, &position)]),
                sequence(0x0062, 0x000a, &[short(0x0062, 0x000b, *segment)]),
            ]
            .concat()
        };
        self.frames.iter().enumerate().map(frame).collect()
    }

    /// The first pixel in the lowest bit, frames without a gap: 30 pixels are no whole bytes.
    fn pixels(&self) -> Vec<u8> {
        let mut bits = Vec::new();
        for (slice, _) in &self.frames {
            for pixel in 0..30 {
                let column = if self.is_turned { LENGTHS[0] - 1 - pixel % 6 } else { pixel % 6 };
                bits.push((self.is_in)([column, pixel / 6, *slice]));
            }
        }
        let mut bytes = vec![0; bits.len().div_ceil(8).next_multiple_of(2)];
        for (place, bit) in bits.iter().enumerate() {
            bytes[place / 8] |= u8::from(*bit) << (place % 8);
        }
        bytes
    }
}

fn compare_as(
    structure: &Structure,
    reference: &[u8],
    predicted: &[u8],
) -> Result<MaskComparison, ImageFault> {
    compare_masks(&MaskRequest { structure, reference, predicted })
}

fn compare(reference: &[u8], predicted: &[u8]) -> Result<MaskComparison, ImageFault> {
    compare_as(&structure(), reference, predicted)
}

fn fault(of: &Segments) -> Option<ImageFault> {
    compare(&a_box().bytes(), &of.bytes()).err()
}

#[track_caller]
fn assert_measures(compared: Result<MaskComparison, ImageFault>, expected: [f64; 3]) {
    let MaskMeasures { dice, hd95_mm, nsd } = compared.unwrap().measures.unwrap();
    let found = [dice, hd95_mm, nsd];
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
}

#[test]
fn segments_are_the_voxels_of_the_volume_that_they_were_drawn_in() {
    let volume = a_box().bytes();
    let reversed = Segments { frames: vec![(2, 1), (1, 1)], ..boxed() };
    let turned = Segments { is_turned: true, ..boxed() };
    for segments in [boxed(), reversed, turned, Segments { between: None, ..boxed() }] {
        assert_measures(compare(&volume, &segments.bytes()), [1.0, 0.0, 1.0]);
        assert_measures(compare(&segments.bytes(), &volume), [1.0, 0.0, 1.0]);
    }
}

#[test]
fn a_slice_that_the_file_leaves_out_has_no_structure() {
    let model = ModelSpecification {
        name: "mirror".to_owned(),
        digest: ModelDigest(Sha256Digest::of(b"mirror")),
        bytes: 6,
        input: dicom_file::input(5, 6),
        output: ModelOutput {
            name: "mask".to_owned(),
            scale: ScoreScale::Probability,
            positive_index: 0,
            values: 1,
            form: OutputForm::Mask(MaskOutput { channels: 1, rule: MaskRule::Threshold(500_000) }),
        },
    };
    let shown = |pixel: usize| f32::from(u8::from(is_in([pixel % 6, pixel / 6, 1], [1, 1, 1])));
    let values: Vec<f32> = (0..30).map(shown).collect();
    let of = |segments: &Segments, height: f64| {
        let place = FramePlace {
            origin: [10.0, 20.0, height],
            row_step: [0.0, -1.0, 0.0],
            column_step: [-0.8, 0.0, 0.0],
        };
        let frame = ImageFrame { height: 5, width: 6, place: Some(place) };
        let (structure, reference) = (structure(), segments.bytes());
        compare_output(&OutputRequest {
            structure: &structure,
            model: &model,
            frame: &frame,
            reference: &reference,
            values: &values,
        })
    };
    for segments in [boxed(), Segments { is_turned: true, ..boxed() }] {
        assert_measures(of(&segments, -27.5), [1.0, 0.0, 1.0]);
        let left_out = of(&segments, -30.0).unwrap();
        assert_eq!(left_out.presence, Presence::OnlyPredicted);
        assert_eq!(of(&segments, -26.0).err(), Some(ImageFault::MaskGrid));
    }
}

#[test]
fn two_files_with_other_slices_are_pieces_of_one_volume() {
    let higher =
        Segments { frames: vec![(2, 1), (3, 1)], is_in: |at| is_in(at, [1, 1, 2]), ..boxed() };
    assert_measures(compare(&boxed().bytes(), &higher.bytes()), [0.5, 2.5, 0.5]);
    assert_measures(compare(&higher.bytes(), &a_box().bytes()), [0.5, 2.5, 0.5]);
    let to_the_left = Segments { is_in: |at| is_in(at, [2, 1, 1]), ..boxed() };
    let third = 2.0 / 3.0;
    assert_measures(compare(&boxed().bytes(), &to_the_left.bytes()), [third, 0.8, third]);
}

#[test]
fn segments_of_another_structure_are_listed_or_fail_the_case() {
    let with_another = Segments { frames: vec![(1, 1), (1, 2), (2, 1), (2, 2)], ..boxed() };
    assert_eq!(fault(&with_another), Some(ImageFault::MaskValue));
    let listed = Structure { other_labels: vec![2], ..structure() };
    let compared = compare_as(&listed, &a_box().bytes(), &with_another.bytes());
    assert_measures(compared, [1.0, 0.0, 1.0]);
    let only_another = Segments { frames: vec![(1, 2), (2, 2)], ..boxed() };
    let compared = compare_as(&listed, &a_box().bytes(), &only_another.bytes()).unwrap();
    assert_eq!(compared.presence, Presence::OnlyReference);
}

#[test]
fn frames_that_are_no_slices_of_the_volume_are_refused() {
    // Every second frame a millimetre too high: between two slices.
    assert_eq!(fault(&Segments { slip: 1.0, ..boxed() }), Some(ImageFault::MaskSpacing));
    // The distance of two slices is then 3.5 mm, and the volume's is 2.5.
    let alone = Segments { slip: 1.0, between: None, ..boxed() };
    assert_eq!(fault(&alone), Some(ImageFault::MaskGrid));
    let elsewhere = MaskFile { origin: [10.0, 20.0, -29.0], ..a_box() }.bytes();
    let compared = compare(&elsewhere, &boxed().bytes());
    assert_eq!(compared.err(), Some(ImageFault::MaskGrid));
}

#[test]
fn what_is_no_binary_segmentation_is_refused() {
    assert_eq!(fault(&Segments { kind: "FRACTIONAL", ..boxed() }), Some(ImageFault::BitDepth));
    let image = DicomFile::grey8([0; 6]).bytes();
    let compared = compare(&a_box().bytes(), &image);
    assert_eq!(compared.err(), Some(ImageFault::DescriptionMissing));
    let mut short = boxed();
    let whole = short.bytes();
    short.frames.push((3, 1));
    let more = short.bytes();
    // Three frames are announced, and the bits of two follow.
    let pixels = short.pixels().len() + 12;
    let cut = [&more[..more.len() - pixels], &whole[whole.len() - 8 - 12..]].concat();
    assert_eq!(compare(&a_box().bytes(), &cut).err(), Some(ImageFault::PixelCount));
}
