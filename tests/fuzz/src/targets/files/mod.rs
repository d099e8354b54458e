//! What a site's files may hold: images, and the manifest that lists them.

mod lists;
mod masks;
mod pictures;
mod reports;

use fedval_ingest::decode::stored_frame;

use crate::Target;
use pictures::{decoded, dicom, input};

fn padded(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(bytes.len().next_multiple_of(2), b' ');
    bytes
}

fn element(group: u16, number: u16, form: [u8; 2], value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("values here are short");
    let tag = [group.to_le_bytes(), number.to_le_bytes()].concat();
    [&tag[..], &form, &length.to_le_bytes(), value].concat()
}

pub(super) const TARGETS: &[Target] = &[
    Target {
        entry: "files::dicom",
        run: |draw| {
            let input = input(draw);
            let file = dicom(draw);
            decoded(&input, &file);
            let _ = stored_frame(&file, 1);
        },
    },
    Target {
        entry: "files::png",
        run: |draw| {
            let input = input(draw);
            decoded(&input, &[b"\x89PNG\r\n\x1a\n".as_slice(), &draw.rest()].concat());
        },
    },
    Target {
        entry: "files::jpeg",
        run: |draw| {
            let input = input(draw);
            decoded(&input, &[[0xff, 0xd8, 0xff].as_slice(), &draw.rest()].concat());
        },
    },
    Target {
        entry: "files::tiff",
        run: |draw| {
            let input = input(draw);
            let start: &[u8] = if draw.flag() { b"II*\0" } else { b"MM\0*" };
            decoded(&input, &[start, &draw.rest()].concat());
        },
    },
    Target {
        entry: "files::nifti",
        run: |draw| {
            let input = input(draw);
            let mut file = draw.rest();
            // Only what calls itself one is read.
            if let Some(name) = file.get_mut(344..348) {
                name.copy_from_slice(b"n+1\0");
            }
            decoded(&input, &file);
        },
    },
    Target { entry: "files::masks", run: masks::masks },
    Target { entry: "files::contours", run: masks::contours },
    Target { entry: "files::reports", run: reports::reports },
    Target { entry: "files::manifest", run: lists::manifest },
    Target { entry: "files::parquet_replies", run: lists::parquet_replies },
    Target { entry: "files::findings", run: lists::findings },
];
