//! The graph's input and output against the protocol's.

use std::collections::HashSet;

use fedval_study::protocol::{Layout, ModelInput, ModelOutput};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension;
use tract_onnx::pb::type_proto::{self, Value};
use tract_onnx::pb::{GraphProto, TensorShapeProto, ValueInfoProto};

use crate::answer::Wanted;
use crate::exchange::Refusal;

/// The shape to run with: the protocol's, batch of one, which the graph's must admit.
pub(super) fn input_shape(graph: &GraphProto, wanted: &ModelInput) -> Result<[usize; 4], Refusal> {
    // Old files list stored tensors among the inputs.
    let stored: HashSet<&str> = graph.initializer.iter().map(|t| t.name.as_str()).collect();
    let mut inputs = graph.input.iter().filter(|input| !stored.contains(input.name.as_str()));
    let (Some(input), None) = (inputs.next(), inputs.next()) else { return Err(Refusal::Input) };
    let tensor = tensor_type(input).filter(|_| input.name == wanted.name).ok_or(Refusal::Input)?;
    if tensor.elem_type != DataType::Float as i32 {
        return Err(Refusal::Input);
    }
    let shape = shape_of(wanted);
    let dims = &tensor.shape.as_ref().ok_or(Refusal::Input)?.dim;
    let admits = |(dim, wanted): (&Option<dimension::Value>, usize)| match dim {
        Some(dimension::Value::DimValue(fixed)) => usize::try_from(*fixed) == Ok(wanted),
        Some(dimension::Value::DimParam(_)) | None => true,
    };
    if dims.len() != shape.len() || !dims.iter().map(|d| &d.value).zip(shape).all(admits) {
        return Err(Refusal::Input);
    }
    Ok(shape)
}

/// Place of the wanted output among the graph's. Of a mask or of boxes it declares the wanted shape, as far as it
/// declares any.
pub(super) fn output_place(
    graph: &GraphProto,
    output: &ModelOutput,
    wanted: &Wanted,
) -> Result<usize, Refusal> {
    let name = &output.name;
    let place = graph.output.iter().position(|output| output.name == *name);
    let place = place.ok_or(Refusal::Output)?;
    let tensor = tensor_type(&graph.output[place]).ok_or(Refusal::Output)?;
    let is_number =
        [DataType::Float, DataType::Double].map(|t| t as i32).contains(&tensor.elem_type);
    // The engine looks every declared output up, and would panic for one that nothing computes.
    let computed: HashSet<&str> =
        graph.node.iter().flat_map(|node| &node.output).map(String::as_str).collect();
    let is_made = |output: &ValueInfoProto| computed.contains(output.name.as_str());
    let is_wanted = matches!(wanted, Wanted::Scores(_))
        || tensor.shape.as_ref().is_none_or(|shape| wanted.admits(&sizes(shape)));
    let is_right = is_number && is_wanted && graph.output.iter().all(is_made);
    if is_right { Ok(place) } else { Err(Refusal::Output) }
}

/// The sizes that a graph declares; what can be no size is none that is wanted.
fn sizes(shape: &TensorShapeProto) -> Vec<Option<usize>> {
    let size = |value: &Option<dimension::Value>| match value {
        Some(dimension::Value::DimValue(fixed)) => {
            Some(usize::try_from(*fixed).unwrap_or(usize::MAX))
        }
        Some(dimension::Value::DimParam(_)) | None => None,
    };
    shape.dim.iter().map(|dim| size(&dim.value)).collect()
}

/// The protocol's input, batch of one.
pub(crate) fn shape_of(input: &ModelInput) -> [usize; 4] {
    let [height, width, channels] =
        [input.height, input.width, input.channels].map(|side| side as usize);
    match input.layout {
        Layout::Nchw => [1, channels, height, width],
        Layout::Nhwc => [1, height, width, channels],
    }
}

fn tensor_type(value: &ValueInfoProto) -> Option<&type_proto::Tensor> {
    let Value::TensorType(tensor) = value.r#type.as_ref()?.value.as_ref()?;
    Some(tensor)
}
