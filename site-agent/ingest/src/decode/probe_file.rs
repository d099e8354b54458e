//! Probe images as the files that a hospital's would be, so that they go the whole way that those go.

use std::io::Cursor;

use fedval_preprocess::probe::{Content, GreyFile, Probe};
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};

use super::probe_volume::{nifti, series};

/// Explicit forms, the low byte first.
const SYNTAX: &str = "1.2.840.10008.1.2.1";
/// Digital X-ray, for presentation.
const CLASS: &str = "1.2.840.10008.5.1.4.1.1.1.1";
/// In the range of UUIDs, so that it is nobody's: the same in every file, which is kept nowhere.
const INSTANCE: &str = "2.25.1";
/// The bits of a stored value, in words of 16.
const STORED: u16 = 12;
const STORED_MASK: u16 = (1 << STORED) - 1;

/// A probe as files: a grey picture of 12 bits as DICOM, others as PNG, a volume as NIfTI, each of them one; or the slices
/// of a DICOM series. Bytes without a single pixel for a probe without any, which no reader takes.
#[must_use]
pub fn probe_files(probe: &Probe) -> Vec<Vec<u8>> {
    match &probe.content {
        Content::Grey(file) => vec![dicom(probe, file, &Place::default())],
        Content::Picture(values) => vec![png(probe, values, ExtendedColorType::L8)],
        Content::Colour(pixels) => {
            vec![png(probe, pixels.as_flattened(), ExtendedColorType::Rgb8)]
        }
        Content::Volume(file) => vec![nifti(file)],
        Content::Series(file) => series(probe, file),
    }
}

/// What a file says of where its pixels lie.
#[derive(Default)]
pub(super) struct Place {
    /// Elements before those of the pixels.
    pub(super) before: Vec<u8>,
    /// Pixel spacing.
    pub(super) spacing: Option<String>,
}

fn png(probe: &Probe, samples: &[u8], colour: ExtendedColorType) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let written =
        PngEncoder::new(&mut file).write_image(samples, probe.width, probe.height, colour);
    if written.is_ok() { file.into_inner() } else { Vec::new() }
}

/// A DICOM file of one or several frames (PS3.10, PS3.5).
pub(super) fn dicom(probe: &Probe, file: &GreyFile, place: &Place) -> Vec<u8> {
    let meta = [
        element(0x0002, 0x0001, "OB", &[0, 1]),
        element(0x0002, 0x0002, "UI", CLASS.as_bytes()),
        element(0x0002, 0x0003, "UI", INSTANCE.as_bytes()),
        element(0x0002, 0x0010, "UI", SYNTAX.as_bytes()),
        element(0x0002, 0x0012, "UI", INSTANCE.as_bytes()),
    ]
    .concat();
    let length = u32::try_from(meta.len()).unwrap_or(u32::MAX);
    let length = element(0x0002, 0x0000, "UL", &length.to_le_bytes());
    let data_set = data_set(probe, file, place);
    [&[0; 128][..], b"DICM", &length, &meta, &place.before, &data_set].concat()
}

fn data_set(probe: &Probe, file: &GreyFile, place: &Place) -> Vec<u8> {
    let photometric = if file.is_white_low { "MONOCHROME1" } else { "MONOCHROME2" };
    let frames = file.frames.len();
    let word =
        |element_number, value: u16| element(0x0028, element_number, "US", &value.to_le_bytes());
    let text =
        |element_number, form, text: &str| element(0x0028, element_number, form, text.as_bytes());
    let side = |side: u32| u16::try_from(side).unwrap_or(0);
    let [slope, intercept] = file.rescale.map(|number| number.to_string());
    let [centre, width] = file.window.map(|number| number.to_string());
    let mut parts = vec![word(0x0002, 1), text(0x0004, "CS", photometric)];
    if frames > 1 {
        parts.push(text(0x0008, "IS", &frames.to_string()));
    }
    parts.extend([word(0x0010, side(probe.height)), word(0x0011, side(probe.width))]);
    parts.extend(place.spacing.iter().map(|spacing| text(0x0030, "DS", spacing)));
    parts.extend([
        word(0x0100, 16),
        word(0x0101, STORED),
        word(0x0102, STORED - 1),
        word(0x0103, file.is_signed.into()),
        text(0x1050, "DS", &centre),
        text(0x1051, "DS", &width),
        text(0x1052, "DS", &intercept),
        text(0x1053, "DS", &slope),
    ]);
    let values = file.frames.iter().flatten();
    let pixels: Vec<u8> =
        values.flat_map(|value| (value.cast_unsigned() & STORED_MASK).to_le_bytes()).collect();
    parts.push(element(0x7fe0, 0x0010, "OW", &pixels));
    parts.concat()
}

/// One data element with its form, padded to an even length.
pub(super) fn element(group: u16, number: u16, form: &str, value: &[u8]) -> Vec<u8> {
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if form == "UI" { 0 } else { b' ' });
    }
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    let short = u16::try_from(value.len()).unwrap_or(u16::MAX);
    let length = match form {
        "OB" | "OW" => [&[0, 0][..], &length.to_le_bytes()].concat(),
        _ => short.to_le_bytes().to_vec(),
    };
    [&group.to_le_bytes()[..], &number.to_le_bytes(), form.as_bytes(), &length, &value].concat()
}

#[cfg(test)]
mod tests {
    use fedval_preprocess::probe::{Expected, Probes, digest};
    use fedval_study::protocol::{
        AxisOrder, FrameChoice, GantryTilt, Layout, ModelInput, Monochrome1, Resize, ValueScaling,
        VolumeInput,
    };

    use super::*;
    use crate::decode::{DecodeRequest, decode_image, decode_series};

    /// A protocol of its own kind for each combination.
    fn inputs() -> Vec<ModelInput> {
        let mut inputs = Vec::new();
        let windowed = ValueScaling::Window { low: -1350.0, high: 150.0 };
        for scaling in [ValueScaling::Unit, ValueScaling::Modality, windowed, ValueScaling::Voi] {
            for resize in [Resize::Refuse, Resize::Bilinear, Resize::Letterbox] {
                for frame in [FrameChoice::Only, FrameChoice::Middle, FrameChoice::Number(700)] {
                    for (monochrome1, layout, channels) in [
                        (Monochrome1::Invert, Layout::Nchw, 1),
                        (Monochrome1::Refuse, Layout::Nhwc, 3),
                        (Monochrome1::Invert, Layout::Nchw, 3),
                    ] {
                        inputs.push(ModelInput {
                            name: "image".to_owned(),
                            layout,
                            height: 23,
                            width: 17,
                            channels,
                            scaling,
                            mean: 0.5,
                            standard_deviation: 0.25,
                            resize,
                            monochrome1,
                            frame,
                            volume: None,
                        });
                    }
                }
            }
        }
        let volumes = inputs.clone().into_iter().filter(is_of_volumes);
        let volumes: Vec<_> = volumes.flat_map(|input| volumes_of(&input)).collect();
        inputs.extend(volumes);
        inputs
    }

    /// Whether the rules let it be one of volumes, but for what happens to inverted pictures.
    fn is_of_volumes(input: &ModelInput) -> bool {
        input.resize == Resize::Refuse
            && input.frame == FrameChoice::Only
            && input.channels == 1
            && input.scaling != ValueScaling::Voi
    }

    fn volumes_of(input: &ModelInput) -> Vec<ModelInput> {
        let of =
            |(orientation, depth, spacing_mm, gantry_tilt): (&str, u32, [f64; 3], GantryTilt)| {
                let orientation: AxisOrder = orientation.parse().unwrap();
                let volume = VolumeInput {
                    depth,
                    gantry_tilt,
                    orientation,
                    spacing_mm,
                    padding: -90.0,
                    slab: None,
                };
                let monochrome1 = Monochrome1::Refuse;
                ModelInput { monochrome1, volume: Some(volume), ..input.clone() }
            };
        [
            ("SPL", 11, [2.5, 0.7, 0.7], GantryTilt::Refuse),
            ("RAS", 9, [1.0, 1.0, 1.0], GantryTilt::Resample),
            ("LIP", 6, [1.25, 0.5, 3.0], GantryTilt::Resample),
            ("SPL", 1, [5.0, 1.0, 1.0], GantryTilt::Refuse),
            ("SPL", 12, [2.5, 0.7, 0.7], GantryTilt::Resample),
        ]
        .map(of)
        .to_vec()
    }

    #[test]
    fn every_probe_comes_out_of_its_file_as_by_the_protocol() {
        for input in inputs() {
            let probes = Probes::of(&input);
            let found = probes.images.iter().map(|probe| {
                let files = probe_files(probe);
                let input = &probes.input;
                let image = match (&probe.content, &files[..]) {
                    (Content::Series(_), files) => decode_series(input, &[], files),
                    (_, [bytes]) => {
                        decode_image(&DecodeRequest { input, dicom_attributes: &[], bytes })
                    }
                    _ => panic!("one file"),
                };
                let image = image.map_err(crate::decode::fault::ImageFault::reason);
                let outcome = image.as_ref().map(|image| image.tensor.as_slice()).map_err(|of| *of);
                (probe.name, digest(probe.name, &probes.input, outcome))
            });
            let found = found.collect();
            assert_eq!(Expected::default().check(&input, &found), Ok(()), "{input:?}");
        }
    }

    #[test]
    fn a_probe_is_refused_for_the_reason_it_was_made_for_and_no_other() {
        use fedval_preprocess::Unfit;
        use fedval_preprocess::volume::StackFault;
        use fedval_study::ProbeName;
        for input in inputs() {
            let probes = Probes::of(&input);
            for probe in &probes.images {
                let truth = probe.truth(&probes.input).err();
                let may = match (probe.name, truth) {
                    (name, None) => name != ProbeName::VolumeGap,
                    (ProbeName::Frame, Some(unfit)) => unfit == Unfit::MultiFrame,
                    (ProbeName::Polarity, Some(unfit)) => unfit == Unfit::Monochrome1,
                    (ProbeName::Resize, Some(unfit)) => unfit == Unfit::Size,
                    (ProbeName::Colour, Some(unfit)) => unfit == Unfit::Colour,
                    (ProbeName::VolumeGap, Some(unfit)) => unfit == Unfit::Stack(StackFault::Gap),
                    (_, Some(_)) => false,
                };
                assert!(may, "{} is {truth:?} by {input:?}", probe.name);
            }
        }
    }
}
