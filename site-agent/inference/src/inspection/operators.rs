//! The operators of ordinary inference graphs.

use tract_onnx::pb::NodeProto;

use super::tensors;
use crate::exchange::Refusal;

/// Operators of the standard domain that a model may use, in alphabetical order.
///
/// Left out on purpose: control flow (`If`, `Loop`, `Scan`), randomness (`Random*`, `Multinomial`,
/// `Bernoulli`), sequences, strings and optionals, image decoders, and recurrent layers, whose
/// state could carry one case into the next. `NonMaxSuppression` too, whose answer to boxes of equal
/// scores is each engine's own: the protocol can ask the agent for it.
#[rustfmt::skip]
const ALLOWED: [&str; 136] = [
    "Abs", "Acos", "Acosh", "Add", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh",
    "Attention", "AveragePool", "BatchNormalization", "Cast", "CastLike", "Ceil", "Celu",
    "Clip", "Concat", "Constant", "ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose",
    "Cos", "Cosh", "CumSum", "DepthToSpace", "DequantizeLinear", "Div", "Dropout",
    "DynamicQuantizeLinear", "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike",
    "Flatten", "Floor", "Gather", "GatherElements", "GatherND", "Gelu", "Gemm",
    "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "Greater", "GreaterOrEqual",
    "GridSample", "GroupNormalization", "HardSigmoid", "HardSwish", "Hardmax", "Identity",
    "InstanceNormalization", "IsInf", "IsNaN", "LRN", "LayerNormalization", "LeakyRelu", "Less",
    "LessOrEqual", "Log", "LogSoftmax", "LpNormalization", "MatMul", "MatMulInteger", "Max",
    "MaxPool", "Mean", "MeanVarianceNormalization", "Min", "Mish", "Mod", "Mul", "Neg", "Not",
    "OneHot", "Or", "PRelu", "Pad", "Pow", "QLinearConv", "QLinearMatMul", "QuantizeLinear",
    "RMSNormalization", "Range", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
    "ReduceSumSquare", "Relu", "Reshape", "Resize", "Round", "Selu", "Shape", "Shrink",
    "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Slice", "Softmax", "Softplus", "Softsign",
    "SpaceToDepth", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Swish", "Tan", "Tanh",
    "ThresholdedRelu", "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze", "Upsample", "Where",
    "Xor",
];

/// Checks one node of the graph.
pub(super) fn check(node: &NodeProto) -> Result<(), Refusal> {
    let is_standard = matches!(node.domain.as_str(), "" | "ai.onnx");
    if !is_standard || !is_allowed(&node.op_type) || trains(node) {
        return Err(Refusal::Operator);
    }
    for attribute in &node.attribute {
        // Stands for an attribute of a function, of which there is none.
        if !attribute.ref_attr_name.is_empty() {
            return Err(Refusal::Operator);
        }
        attribute.t.iter().chain(&attribute.tensors).try_for_each(tensors::check)?;
    }
    Ok(())
}

fn is_allowed(operator: &str) -> bool {
    ALLOWED.contains(&operator)
}

/// In training mode, dropout is random and batch normalisation keeps state.
fn trains(node: &NodeProto) -> bool {
    match node.op_type.as_str() {
        "Dropout" => node.input.get(2).is_some_and(|mode| !mode.is_empty()),
        "BatchNormalization" => {
            node.attribute.iter().any(|a| a.name == "training_mode" && a.i != 0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::AttributeProto;

    use super::*;

    fn node(operator: &str) -> NodeProto {
        NodeProto { op_type: operator.to_owned(), ..NodeProto::default() }
    }

    #[test]
    fn what_can_branch_draw_or_remember_is_refused() {
        for operator in [
            "If",
            "Loop",
            "Scan",
            "RandomNormal",
            "RandomUniformLike",
            "Multinomial",
            "Bernoulli",
            "SequenceAt",
            "OptionalGetElement",
            "StringConcat",
            "ImageDecoder",
            "LSTM",
            "NonMaxSuppression",
            "",
        ] {
            assert_eq!(check(&node(operator)), Err(Refusal::Operator), "{operator} was taken");
        }
        assert_eq!(check(&node("Conv")), Ok(()));
    }

    #[test]
    fn foreign_domains_references_and_training_modes_are_refused() {
        let foreign = NodeProto { domain: "com.microsoft".to_owned(), ..node("Conv") };
        assert_eq!(check(&foreign), Err(Refusal::Operator));
        let of_function =
            AttributeProto { ref_attr_name: "alpha".to_owned(), ..AttributeProto::default() };
        let referring = NodeProto { attribute: vec![of_function], ..node("LeakyRelu") };
        assert_eq!(check(&referring), Err(Refusal::Operator));
        let input = ["x", "ratio", "training"].map(str::to_owned).to_vec();
        assert_eq!(check(&NodeProto { input, ..node("Dropout") }), Err(Refusal::Operator));
    }
}
