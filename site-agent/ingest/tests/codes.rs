//! Every lossless code gives back what was put into it, and a lossy one what another decoder makes of it;
//! `codestreams/make.py` wrote them.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;

use std::collections::BTreeMap;

use dicom_file::{DEFLATED_FRAMES, DicomFile, JPEG_2000};
use fedval_ingest::decode::{ImageFault, StoredFrame, stored_frame};

const UNCOMPRESSED: &str = "1.2.840.10008.1.2.1.98";
const JPEG_EXTENDED: &str = "1.2.840.10008.1.2.4.51";
const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.57";
const JPEG_LOSSLESS_SV1: &str = "1.2.840.10008.1.2.4.70";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const HTJ2K_LOSSLESS: &str = "1.2.840.10008.1.2.4.201";
const HTJ2K_RPCL: &str = "1.2.840.10008.1.2.4.202";
const HTJ2K: &str = "1.2.840.10008.1.2.4.203";

/// Levels by which decoders of a lossy code may differ.
const LOSSY_LEVELS: u64 = 2;

/// JPEG with prediction of each selection value from 1 up.
const PREDICTED: [&[u8]; 7] = [
    include_bytes!("codestreams/grey-1.ljpeg"),
    include_bytes!("codestreams/grey-2.ljpeg"),
    include_bytes!("codestreams/grey-3.ljpeg"),
    include_bytes!("codestreams/grey-4.ljpeg"),
    include_bytes!("codestreams/grey-5.ljpeg"),
    include_bytes!("codestreams/grey-6.ljpeg"),
    include_bytes!("codestreams/grey-7.ljpeg"),
];

/// What `make.py` calls grey.
fn grey() -> Vec<i64> {
    pixels().map(|(x, y)| (251 * x + 97 * y) % 4096).collect()
}

/// What `make.py` calls colour.
fn colour() -> Vec<i64> {
    pixels().flat_map(|(x, y)| [16 * x, 20 * y, 8 * (x + y)]).collect()
}

fn pixels() -> impl Iterator<Item = (i64, i64)> {
    (0..12).flat_map(|y| (0..16).map(move |x| (x, y)))
}

fn file(syntax: &'static str, stream: &[u8]) -> DicomFile {
    let (rows, columns, allocated, stored) = (12, 16, 16, 16);
    let fragment = Some(stream.to_vec());
    let grey = DicomFile::grey8([0; 6]);
    DicomFile { syntax, rows, columns, allocated, stored, fragment, ..grey }
}

/// Grey of 8 bits.
fn narrow(syntax: &'static str, stream: &[u8]) -> DicomFile {
    DicomFile { allocated: 8, stored: 8, ..file(syntax, stream) }
}

fn coloured(syntax: &'static str, photometric: &'static str, stream: &[u8]) -> DicomFile {
    DicomFile { photometric, samples: 3, ..narrow(syntax, stream) }
}

fn read(file: &DicomFile) -> Result<Vec<i64>, ImageFault> {
    stored_frame(&file.bytes(), 1).map(|StoredFrame { values, .. }| values)
}

#[test]
fn sixteen_bits_survive_every_lossless_code() {
    let codes: [(&str, &[u8]); 7] = [
        (HTJ2K_LOSSLESS, include_bytes!("codestreams/grey.htj2k")),
        (HTJ2K_RPCL, include_bytes!("codestreams/rpcl.htj2k")),
        (HTJ2K, include_bytes!("codestreams/grey.htj2k")),
        (JPEG_2000, include_bytes!("codestreams/grey.j2k")),
        (JPEG_LS, include_bytes!("codestreams/grey.jls")),
        (JPEG_LOSSLESS, include_bytes!("codestreams/grey.ljpeg")),
        (DEFLATED_FRAMES, include_bytes!("codestreams/grey.deflated")),
    ];
    for (syntax, stream) in codes {
        assert_eq!(read(&file(syntax, stream)), Ok(grey()), "{syntax}");
    }
}

#[test]
fn every_prediction_of_lossless_jpeg_gives_back_what_was_put_in() {
    for (stream, selection) in PREDICTED.iter().zip(1..) {
        assert_eq!(read(&file(JPEG_LOSSLESS, stream)), Ok(grey()), "selection value {selection}");
    }
    assert_eq!(read(&file(JPEG_LOSSLESS_SV1, PREDICTED[0])), Ok(grey()));
}

#[test]
fn pixels_in_fragments_are_what_they_are_without_a_code() {
    let words: Vec<u8> =
        grey().iter().flat_map(|value| value.to_le_bytes()[..2].to_vec()).collect();
    assert_eq!(read(&file(UNCOMPRESSED, &words)), Ok(grey()));
    let bytes: Vec<u8> = colour().iter().map(|value| u8::try_from(*value).unwrap()).collect();
    assert_eq!(read(&coloured(UNCOMPRESSED, "RGB", &bytes)), Ok(colour()));
    let short = read(&file(UNCOMPRESSED, &words[..words.len() - 2]));
    assert_eq!(short, Err(ImageFault::PixelCount));
}

#[test]
fn a_deflated_frame_holds_as_many_pixels_as_its_file_says() {
    let bits: Vec<i64> = pixels().map(|(x, y)| i64::from((x + y) % 3 == 0)).collect();
    let stream = include_bytes!("codestreams/bits.deflated");
    let single = DicomFile { allocated: 1, stored: 1, ..file(DEFLATED_FRAMES, stream) };
    assert_eq!(read(&single), Ok(bits));
    let shorter = DicomFile { rows: 8, ..single.clone() };
    assert_eq!(read(&shorter), Err(ImageFault::PixelCount));
    let taller = DicomFile { rows: 13, ..single };
    assert_eq!(read(&taller), Err(ImageFault::PixelCount));
    let grey = include_bytes!("codestreams/grey.deflated");
    let cut = file(DEFLATED_FRAMES, &grey[..grey.len() / 2]);
    assert_eq!(read(&cut), Err(ImageFault::Corrupt));
}

#[test]
fn lossy_codes_are_what_other_decoders_make_of_them() {
    let decoded = include_str!("codestreams/decoded.json");
    let decoded: BTreeMap<String, Vec<i64>> = serde_json::from_str(decoded).unwrap();
    let codes: [(&str, &str, &[u8]); 2] = [
        (JPEG_EXTENDED, "extended8.jpg", include_bytes!("codestreams/extended8.jpg")),
        (HTJ2K, "lossy.htj2k", include_bytes!("codestreams/lossy.htj2k")),
    ];
    for (syntax, name, stream) in codes {
        let values = read(&narrow(syntax, stream)).unwrap();
        let theirs = &decoded[name];
        assert_eq!(values.len(), theirs.len(), "{name}");
        let furthest = values.iter().zip(theirs).map(|(one, other)| one.abs_diff(*other)).max();
        assert!(furthest.unwrap() <= LOSSY_LEVELS, "{name}: {furthest:?}");
    }
}

#[test]
fn twelve_bits_with_a_cosine_transform_are_refused() {
    let stream = include_bytes!("codestreams/extended12.jpg");
    let twelve = DicomFile { stored: 12, ..file(JPEG_EXTENDED, stream) };
    assert_eq!(read(&twelve), Err(ImageFault::BitDepth));
}

#[test]
fn what_is_not_read_is_refused_before_a_pixel_is_looked_at() {
    for end in [
        // JPEG 2000 Part 2, JPIP, JPEG XL, HTJ2K by JPIP, MPEG-2, MPEG-4, HEVC, hierarchical JPEG.
        ".4.92", ".4.93", ".4.94", ".4.95", ".4.110", ".4.111", ".4.112", ".4.204", ".4.205",
        ".4.100", ".4.102", ".4.107", ".4.59",
    ] {
        let syntax: &'static str = format!("1.2.840.10008.1.2{end}").leak();
        let stream = include_bytes!("codestreams/grey.j2k");
        let fault = read(&file(syntax, stream)).unwrap_err();
        assert_eq!(fault.code(), "TRANSFER_SYNTAX_UNSUPPORTED", "{syntax}");
    }
}

#[test]
fn signs_survive_and_have_to_be_what_the_file_says() {
    let codes: [(&str, &[u8]); 2] = [
        (HTJ2K_LOSSLESS, include_bytes!("codestreams/signed.htj2k")),
        (JPEG_2000, include_bytes!("codestreams/signed.j2k")),
    ];
    for (syntax, stream) in codes {
        let unsigned = file(syntax, stream);
        assert_eq!(read(&unsigned), Err(ImageFault::Codestream));
        let signed = DicomFile { is_signed: true, ..unsigned };
        let expected = grey().iter().map(|value| value - 2048).collect();
        assert_eq!(read(&signed), Ok(expected), "{syntax}");
    }
}

#[test]
fn colours_survive_with_the_codes_own_transform_and_without() {
    let codes: [(&str, &str, &[u8]); 4] = [
        (HTJ2K_LOSSLESS, "YBR_RCT", include_bytes!("codestreams/colour.htj2k")),
        (JPEG_2000, "YBR_RCT", include_bytes!("codestreams/colour.j2k")),
        (JPEG_LS, "RGB", include_bytes!("codestreams/colour.jls")),
        (JPEG_LOSSLESS, "RGB", include_bytes!("codestreams/colour.ljpeg")),
    ];
    for (syntax, photometric, stream) in codes {
        let file = coloured(syntax, photometric, stream);
        assert_eq!(read(&file), Ok(colour()), "{syntax}");
    }
}

#[test]
fn a_stream_of_another_size_or_depth_than_the_file_says_is_refused() {
    let stream = include_bytes!("codestreams/grey.jls");
    let taller = DicomFile { rows: 13, ..file(JPEG_LS, stream) };
    assert_eq!(read(&taller), Err(ImageFault::Codestream));
    let shallower = DicomFile { stored: 8, ..file(JPEG_LS, stream) };
    assert_eq!(read(&shallower), Err(ImageFault::Codestream));
    let coloured = coloured(JPEG_LS, "RGB", stream);
    assert_eq!(read(&coloured), Err(ImageFault::Codestream));
    let cut = file(JPEG_LS, &stream[..stream.len() / 2]);
    assert_eq!(read(&cut), Err(ImageFault::PixelCount));
}
