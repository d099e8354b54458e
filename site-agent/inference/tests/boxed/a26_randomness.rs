//! A26: operators that draw numbers. What would draw all the same is found when cases are looked at again:
//! `a26_a_score_that_does_not_come_back_to_the_last_bit_ends_the_evaluation` in `fedval-evaluate`.

use libtest_mimic::Trial;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, TensorProto};

use crate::onnx_file::{around, bytes, node, node_with};
use crate::{refuses, serves_the_next, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a26_operators_that_draw", a26_operators_that_draw_are_refused()),
        trial("a26_training", a26_layers_in_training_are_refused()),
    ]
}

async fn a26_operators_that_draw_are_refused() {
    for operator in [
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
        "Multinomial",
        "Bernoulli",
    ] {
        refuses(operator, &bytes(around(operator)), "MODEL_OPERATOR_REFUSED").await;
    }
    // Recurrent layers keep a state, and what is random may stand anywhere in a graph.
    for operator in ["LSTM", "GRU", "RNN"] {
        refuses(operator, &bytes(around(operator)), "MODEL_OPERATOR_REFUSED").await;
    }
    let mut unused = around("Relu");
    unused.node.push(node("RandomNormalLike", &["flat"], "noise"));
    refuses("noise that nothing uses", &bytes(unused), "MODEL_OPERATOR_REFUSED").await;
    serves_the_next().await;
}

async fn a26_layers_in_training_are_refused() {
    let mut dropout = around("Dropout");
    let truth = TensorProto {
        name: "training".to_owned(),
        data_type: DataType::Bool as i32,
        int32_data: vec![1],
        ..TensorProto::default()
    };
    dropout.node[2].input.extend([String::new(), "training".to_owned()]);
    dropout.initializer.push(truth);
    refuses("dropout in training", &bytes(dropout), "MODEL_OPERATOR_REFUSED").await;
    let training = AttributeProto {
        name: "training_mode".to_owned(),
        i: 1,
        r#type: 2,
        ..AttributeProto::default()
    };
    let mut normalised = around("BatchNormalization");
    normalised.node[2] = node_with("BatchNormalization", &["flat"], "score", vec![training]);
    refuses("normalisation in training", &bytes(normalised), "MODEL_OPERATOR_REFUSED").await;
}
