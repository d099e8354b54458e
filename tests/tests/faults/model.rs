//! A small ONNX model, made up on the spot: the mean of the image's pixels, after as much work as wanted.

use std::fmt::Write as _;

/// The seven lowest bits.
fn low_bits(number: usize) -> u8 {
    u8::try_from(number & 127).expect("seven bits")
}

/// One field of a protocol buffer that holds bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 127 {
        bytes.push(low_bits(length) | 128);
        length >>= 7;
    }
    bytes.push(low_bits(length));
    bytes.extend(content);
    bytes
}

/// One field that holds a number.
fn number(number: u8, value: u32) -> Vec<u8> {
    let mut bytes = vec![number << 3];
    let mut rest = usize::try_from(value).expect("a small number");
    while rest > 127 {
        bytes.push(low_bits(rest) | 128);
        rest >>= 7;
    }
    bytes.push(low_bits(rest));
    bytes
}

fn floats(name: &str, shape: &[u32]) -> Vec<u8> {
    let axes = shape.iter().map(|&axis| field(1, &number(1, axis))).collect::<Vec<_>>().concat();
    let tensor = [number(1, 1), field(2, &axes)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn node(operator: &str, from: &[&str], to: &str) -> Vec<u8> {
    let inputs: Vec<u8> = from.iter().flat_map(|from| field(1, from.as_bytes())).collect();
    [inputs, field(2, to.as_bytes()), field(4, operator.as_bytes())].concat()
}

/// Pixels to a side of what a model at work makes of an image: 64 MiB, which the C library asks the
/// system for anew with every image.
const LARGE_SIDE: u32 = 4096;

/// How often the image is laid beside and below itself, as the operator `Tile` is told.
fn repeats(side: u32) -> Vec<u8> {
    let counts = [1, 1, LARGE_SIDE / side, LARGE_SIDE / side].map(|count| number(7, count));
    let (int64, shape) = (number(2, 7), number(1, 4));
    [shape, int64, counts.concat(), field(8, b"repeats")].concat()
}

/// The image made large, and so many cosines of each of its pixels, one after the other; what it ends
/// with is called `worked`.
fn work(side: u32, cosines: usize) -> Vec<u8> {
    let mut nodes = field(1, &node("Tile", &["image", "repeats"], "cosine-0"));
    for step in 0..cosines {
        let (from, to) = (format!("cosine-{step}"), format!("cosine-{}", step + 1));
        nodes.extend(field(1, &node("Cos", &[&from], &to)));
    }
    nodes.extend(field(1, &node("Identity", &[&format!("cosine-{cosines}")], "worked")));
    nodes.extend(field(5, &repeats(side)));
    nodes
}

/// The file. A model with `cosines` works about a tenth of a second on each of them for every image;
/// `padding` bytes that mean nothing make it larger.
pub(crate) fn mean_of_pixels(side: u32, cosines: usize, padding: usize) -> Vec<u8> {
    let (before, averaged) =
        if cosines == 0 { (Vec::new(), "image") } else { (work(side, cosines), "worked") };
    let graph = [
        before,
        field(1, &node("GlobalAveragePool", &[averaged], "mean")),
        field(1, &node("Flatten", &["mean"], "probability")),
        field(2, b"mean"),
        field(11, &floats("image", &[1, 1, side, side])),
        field(12, &floats("probability", &[1, 1])),
    ];
    let operators = [field(1, b""), number(2, 13)].concat();
    // No two pieces of the padding are alike, so that a piece in the wrong place is noticed.
    let mut text = String::with_capacity(padding);
    for piece in 0..padding / 8 {
        write!(text, "{piece:08}").expect("text grows");
    }
    [number(1, 8), field(6, text.as_bytes()), field(7, &graph.concat()), field(8, &operators)]
        .concat()
}
