//! A perceptron of any size as an ONNX file: image → hidden → hidden → probability, its weights drawn
//! at random.
//!
//! Each weight is read once a case, as in any network without shared weights: nearly all bytes of the
//! file are the square matrix in the middle.

use prost::Message;

/// Side of the input image, in pixels.
pub const SIDE: u32 = 8;
/// Name of the graph's input.
pub const INPUT: &str = "image";
/// Name of the graph's output.
pub const OUTPUT: &str = "probability";

/// IR version and operator set of the file.
const IR_VERSION: i64 = 8;
const OPERATOR_SET: i64 = 13;
/// `TensorProto.DataType.FLOAT`.
const FLOAT: i32 = 1;
const BYTES_OF_FLOAT: usize = 4;
const MIB: usize = 1 << 20;

/// The file's bytes: `mib` MiB within a thousandth, another file for every seed.
#[must_use]
pub fn perceptron(mib: usize, seed: u64) -> Vec<u8> {
    let pixels = (SIDE * SIDE) as usize;
    let hidden = width(mib * MIB / BYTES_OF_FLOAT, pixels + 1);
    let mut noise = Noise::new(seed);
    let initializer = vec![
        Tensor::drawn("w1", pixels, hidden, &mut noise),
        Tensor::drawn("w2", hidden, hidden, &mut noise),
        Tensor::drawn("w3", hidden, 1, &mut noise),
    ];
    let node = vec![
        Node::new("Flatten", &[INPUT], "pixels"),
        Node::new("MatMul", &["pixels", "w1"], "first"),
        Node::new("Relu", &["first"], "first_active"),
        Node::new("MatMul", &["first_active", "w2"], "second"),
        Node::new("Relu", &["second"], "second_active"),
        Node::new("MatMul", &["second_active", "w3"], "log_odds"),
        Node::new("Sigmoid", &["log_odds"], OUTPUT),
    ];
    let side = i64::from(SIDE);
    let graph = Graph {
        node,
        name: "perceptron".to_owned(),
        initializer,
        input: vec![Value::of_floats(INPUT, &[1, 1, side, side])],
        output: vec![Value::of_floats(OUTPUT, &[1, 1])],
    };
    let operators = OperatorSet { domain: Some(String::new()), version: Some(OPERATOR_SET) };
    let model =
        Model { ir_version: Some(IR_VERSION), graph: Some(graph), opset_import: vec![operators] };
    model.encode_to_vec()
}

/// The width w with w² + `around`·w nearest below `weights`.
fn width(weights: usize, around: usize) -> usize {
    (around * around + 4 * weights).isqrt().saturating_sub(around) / 2
}

/// Numbers without a pattern, the same for the same seed (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// Starts at a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Eight bits.
    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// −1 to 1.
    #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
    fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u32 << 23) as f32 - 1.0
    }
}

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(int64, optional, tag = "1")]
    ir_version: Option<i64>,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSet>,
}

#[derive(Clone, PartialEq, Message)]
struct OperatorSet {
    #[prost(string, optional, tag = "1")]
    domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    version: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "1")]
    node: Vec<Node>,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    input: Vec<Value>,
    #[prost(message, repeated, tag = "12")]
    output: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "3")]
    name: String,
    #[prost(string, tag = "4")]
    op_type: String,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    data_type: Option<i32>,
    #[prost(string, tag = "8")]
    name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    r#type: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, optional, tag = "1")]
    elem_type: Option<i32>,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    dim_value: Option<i64>,
}

impl Node {
    fn new(op_type: &str, inputs: &[&str], output: &str) -> Self {
        Self {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: output.to_owned(),
            op_type: op_type.to_owned(),
        }
    }
}

impl Tensor {
    /// A matrix whose rows many keep the size of what they are multiplied with.
    #[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
    fn drawn(name: &str, rows: usize, columns: usize, noise: &mut Noise) -> Self {
        let scale = (3.0 / rows as f32).sqrt();
        let mut raw_data = Vec::with_capacity(rows * columns * BYTES_OF_FLOAT);
        for _ in 0..rows * columns {
            raw_data.extend_from_slice(&(noise.float() * scale).to_le_bytes());
        }
        let dims = [rows, columns].map(|length| i64::try_from(length).unwrap_or(i64::MAX)).to_vec();
        Self { dims, data_type: Some(FLOAT), name: name.to_owned(), raw_data }
    }
}

impl Value {
    fn of_floats(name: &str, dims: &[i64]) -> Self {
        let dim = dims.iter().map(|&length| Dimension { dim_value: Some(length) }).collect();
        let tensor = TensorType { elem_type: Some(FLOAT), shape: Some(Shape { dim }) };
        Self { name: name.to_owned(), r#type: Some(Type { tensor_type: Some(tensor) }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_size_that_was_asked_for_and_every_seed_its_own_bytes() {
        let file = perceptron(1, 7);
        assert!(file.len().abs_diff(MIB) < MIB / 100, "{}", file.len());
        assert_eq!(file, perceptron(1, 7));
        assert_ne!(file, perceptron(1, 8));
    }
}
