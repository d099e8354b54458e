//! A32: compressed bundles. A model is one ONNX file: nothing is ever inflated, so nothing can burst.

use std::io::Write as _;

use fedval_inference::InferenceLimits;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, FlushCompress};
use libtest_mimic::Trial;

use crate::onnx_file::{bytes, tiny_cnn};
use crate::{LIMITS, refuses, refuses_in, serves_the_next, trial};

/// Too little for a box that inflates: such a box ends, with another code.
const TIGHT: InferenceLimits = InferenceLimits { memory_bytes: 200 << 20, ..LIMITS };

/// Bytes of a bomb.
const BOMB: usize = 10 << 20;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a32_a_bomb_of_10_gb", a32_a_bomb_of_ten_gigabytes_is_not_inflated()),
        trial("a32_a_packed_model", a32_a_packed_model_is_no_model()),
    ]
}

/// Ten mebibytes that inflate to ten gibibytes of zeros: a thousand zeros and more in each byte. One piece
/// of it is made, and ends so that the next may follow.
fn zeros_in_pieces() -> Vec<u8> {
    let mut piece = Vec::with_capacity(1 << 16);
    let mut deflate = flate2::Compress::new(Compression::best(), false);
    let zeros = vec![0; 32 << 20];
    deflate.compress_vec(&zeros, &mut piece, FlushCompress::Sync).unwrap();
    assert!(deflate.total_in() == 32 << 20 && piece.len() < 1 << 16);
    let count = BOMB.div_ceil(piece.len());
    assert!(count * zeros.len() > 10_000_000_000, "{count} pieces");
    piece.repeat(count)
}

async fn a32_a_bomb_of_ten_gigabytes_is_not_inflated() {
    let deflated = zeros_in_pieces();
    let gzip = [b"\x1f\x8b\x08\0\0\0\0\0\x02\x03", &deflated[..]].concat();
    let zlib = [b"\x78\xda", &deflated[..]].concat();
    let local =
        b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\x0a\0\0\0model.onnx";
    let zip = [&local[..], &deflated].concat();
    for (what, bomb) in [("gzip", gzip), ("zlib", zlib), ("zip", zip), ("deflate", deflated)] {
        refuses_in(&TIGHT, what, &bomb, "MODEL_NOT_ONNX").await;
    }
    serves_the_next().await;
}

/// Whatever would come out: what the protocol pins are the model's own bytes.
async fn a32_a_packed_model_is_no_model() {
    let model = bytes(tiny_cnn());
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&model).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&model).unwrap();
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(&model).unwrap();
    for (what, packed) in [
        ("gzip", gzip.finish().unwrap()),
        ("zlib", zlib.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        ("Zstandard", b"\x28\xb5\x2f\xfd\x04\x00".to_vec()),
        ("xz", b"\xfd7zXZ\x00".to_vec()),
        ("tar", [&[b'm'; 257][..], b"ustar\x0000"].concat()),
    ] {
        refuses(what, &packed, "MODEL_NOT_ONNX").await;
    }
}
