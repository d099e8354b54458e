//! Every lossless code gives back what was put into it; `codestreams/make.py` put it there.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod dicom_file;

use dicom_file::{DicomFile, JPEG_2000};
use fedval_ingest::decode::{ImageFault, StoredFrame, stored_frame};

const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";
const JPEG_LS: &str = "1.2.840.10008.1.2.4.80";
const HTJ2K: &str = "1.2.840.10008.1.2.4.201";

/// What `make.py` calls grey.
fn grey() -> Vec<i64> {
    pixels().map(|(x, y)| (251 * x + 97 * y) % 4096).collect()
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

fn coloured(syntax: &'static str, photometric: &'static str, stream: &[u8]) -> DicomFile {
    let (samples, allocated, stored) = (3, 8, 8);
    DicomFile { photometric, samples, allocated, stored, ..file(syntax, stream) }
}

fn read(file: &DicomFile) -> Result<Vec<i64>, ImageFault> {
    stored_frame(&file.bytes(), 1).map(|StoredFrame { values, .. }| values)
}

#[test]
fn sixteen_bits_survive_every_lossless_code() {
    let codes: [(&str, &[u8]); 4] = [
        (HTJ2K, include_bytes!("codestreams/grey.htj2k")),
        (JPEG_2000, include_bytes!("codestreams/grey.j2k")),
        (JPEG_LS, include_bytes!("codestreams/grey.jls")),
        (JPEG_LOSSLESS, include_bytes!("codestreams/grey.ljpeg")),
    ];
    for (syntax, stream) in codes {
        assert_eq!(read(&file(syntax, stream)), Ok(grey()), "{syntax}");
    }
}

#[test]
fn signs_survive_and_have_to_be_what_the_file_says() {
    let codes: [(&str, &[u8]); 2] = [
        (HTJ2K, include_bytes!("codestreams/signed.htj2k")),
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
    let expected: Vec<i64> = pixels().flat_map(|(x, y)| [16 * x, 20 * y, 8 * (x + y)]).collect();
    let codes: [(&str, &str, &[u8]); 3] = [
        (HTJ2K, "YBR_RCT", include_bytes!("codestreams/colour.htj2k")),
        (JPEG_2000, "YBR_RCT", include_bytes!("codestreams/colour.j2k")),
        (JPEG_LS, "RGB", include_bytes!("codestreams/colour.jls")),
    ];
    for (syntax, photometric, stream) in codes {
        let file = coloured(syntax, photometric, stream);
        assert_eq!(read(&file), Ok(expected.clone()), "{syntax}");
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
