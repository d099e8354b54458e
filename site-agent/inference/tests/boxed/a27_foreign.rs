//! A27: operators of other domains, and values that are no tensors of numbers.

use libtest_mimic::Trial;
use prost::Message as _;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{
    AttributeProto, FunctionProto, ModelProto, SparseTensorProto, TensorProto, TrainingInfoProto,
    TypeProto,
};

use crate::onnx_file::{around, bytes, floats, node_with, tiny_cnn};
use crate::{CANARY, refuses, serves_the_next, trial};

const REFUSED: &str = "MODEL_OPERATOR_REFUSED";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a27_other_domains", a27_operators_of_other_domains_are_refused()),
        trial("a27_strings_sequences_optionals", a27_what_is_no_number_is_refused()),
        trial("a27_types_that_are_no_tensors", a27_types_that_are_no_tensors_are_refused()),
        trial("a27_functions_and_training", a27_operators_of_the_models_own_are_refused()),
        trial("a27_sparse_tensors", a27_sparse_tensors_are_refused()),
    ]
}

async fn a27_operators_of_other_domains_are_refused() {
    for domain in ["com.microsoft", "ai.onnx.ml", "ai.onnx.preview.training", "org.pytorch", CANARY]
    {
        let mut graph = tiny_cnn();
        domain.clone_into(&mut graph.node[0].domain);
        refuses(domain, &bytes(graph), REFUSED).await;
    }
    for operator in ["ImageDecoder", "NonexistentOperator", "conv", "Conv\0", "", CANARY] {
        refuses(operator, &bytes(around(operator)), REFUSED).await;
    }
    serves_the_next().await;
}

async fn a27_what_is_no_number_is_refused() {
    for operator in [
        "StringNormalizer",
        "StringConcat",
        "StringSplit",
        "RegexFullMatch",
        "TfIdfVectorizer",
        "LabelEncoder",
        "SequenceConstruct",
        "SequenceAt",
        "SequenceInsert",
        "SplitToSequence",
        "ConcatFromSequence",
        "Optional",
        "OptionalGetElement",
        "OptionalHasElement",
    ] {
        refuses(operator, &bytes(around(operator)), REFUSED).await;
    }
    let mut stored = tiny_cnn();
    stored.initializer.push(TensorProto {
        name: "words".to_owned(),
        dims: vec![1],
        data_type: DataType::String as i32,
        string_data: vec![CANARY.as_bytes().to_vec()],
        ..TensorProto::default()
    });
    refuses("strings in a tensor", &bytes(stored), REFUSED).await;
    let typed = AttributeProto {
        name: "type".to_owned(),
        type_protos: vec![TypeProto::default()],
        ..AttributeProto::default()
    };
    let mut graph = around("Relu");
    graph.node[2] = node_with("Relu", &["flat"], "score", vec![typed]);
    refuses("a type as an attribute", &bytes(graph), REFUSED).await;
}

/// Fields of a type, written by hand: this engine's reader does not know them.
async fn a27_types_that_are_no_tensors_are_refused() {
    let field = |number: u8, content: &[u8]| {
        [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
    };
    let model = bytes(tiny_cnn());
    for (what, number) in
        [("sequence", 4), ("map", 5), ("opaque", 7), ("sparse tensor", 8), ("optional", 9)]
    {
        // A further output of that type, in the model's one graph: messages are laid together.
        let value = [field(1, b"further"), field(2, &field(number, &[]))].concat();
        let appended = [&model[..], &field(7, &field(12, &value))].concat();
        refuses(what, &appended, REFUSED).await;
        let nested = [field(1, b"nested"), field(2, &field(number, &field(1, &field(4, &[]))))];
        let appended = [&model[..], &field(7, &field(13, &nested.concat()))].concat();
        refuses(what, &appended, REFUSED).await;
    }
}

async fn a27_operators_of_the_models_own_are_refused() {
    let model = ModelProto::decode(&bytes(tiny_cnn())[..]).unwrap();
    let functions =
        vec![FunctionProto { name: Some("Conv".to_owned()), ..FunctionProto::default() }];
    let own = ModelProto { functions, ..model.clone() };
    refuses("a function", &own.encode_to_vec(), REFUSED).await;
    let training_info = vec![TrainingInfoProto::default()];
    let training = ModelProto { training_info, ..model };
    refuses("a training graph", &training.encode_to_vec(), REFUSED).await;
}

async fn a27_sparse_tensors_are_refused() {
    let sparse = || SparseTensorProto {
        values: Some(floats("weight", &[1], &[1.0])),
        ..SparseTensorProto::default()
    };
    let mut stored = tiny_cnn();
    stored.sparse_initializer.push(sparse());
    refuses("a sparse weight", &bytes(stored), REFUSED).await;
    let value = AttributeProto {
        name: "sparse_value".to_owned(),
        sparse_tensor: Some(sparse()),
        ..AttributeProto::default()
    };
    let mut constant = around("Relu");
    constant.node.push(node_with("Constant", &[], "unused", vec![value]));
    refuses("a sparse constant", &bytes(constant), REFUSED).await;
}
