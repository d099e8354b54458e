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
pub(super) fn input_shape(graph: &GraphProto, wanted: &ModelInput) -> Result<Vec<usize>, Refusal> {
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
    if dims.len() != shape.len()
        || !dims.iter().map(|d| &d.value).zip(shape.iter().copied()).all(admits)
    {
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

/// The protocol's input, batch of one. Of a volume it has a depth, unless the model sees one slice at a time: that is a
/// picture.
pub(crate) fn shape_of(input: &ModelInput) -> Vec<usize> {
    let [height, width, channels] =
        [input.height, input.width, input.channels].map(|side| side as usize);
    if let Some(volume) = input.volume {
        let is_picture = volume.slab.is_some_and(|slab| slab.depth == 1);
        let depth = volume.depth_at_once() as usize;
        return if is_picture {
            vec![1, channels, height, width]
        } else {
            vec![1, channels, depth, height, width]
        };
    }
    match input.layout {
        Layout::Nchw => vec![1, channels, height, width],
        Layout::Nhwc => vec![1, height, width, channels],
    }
}

fn tensor_type(value: &ValueInfoProto) -> Option<&type_proto::Tensor> {
    let Value::TensorType(tensor) = value.r#type.as_ref()?.value.as_ref()?;
    Some(tensor)
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::{
        AxisOrder, FrameChoice, GantryTilt, Monochrome1, Resize, Slab, SlabPooling, ValueScaling,
        VolumeInput,
    };

    use super::*;

    #[test]
    fn a_volume_has_a_depth_and_a_single_slice_has_none() {
        let shape = |volume: Option<VolumeInput>| {
            shape_of(&ModelInput {
                name: "volume".to_owned(),
                layout: Layout::Nchw,
                height: 5,
                width: 7,
                channels: 1,
                scaling: ValueScaling::Unit,
                mean: 0.0,
                standard_deviation: 1.0,
                resize: Resize::Refuse,
                monochrome1: Monochrome1::Refuse,
                frame: FrameChoice::Only,
                volume,
            })
        };
        let whole = VolumeInput {
            depth: 12,
            gantry_tilt: GantryTilt::Refuse,
            orientation: AxisOrder::AXIAL,
            spacing_mm: [1.0; 3],
            padding: 0.0,
            slab: None,
        };
        let slab = |depth| {
            let slab = Slab { depth, overlap: 0, pooling: SlabPooling::Max };
            Some(VolumeInput { slab: Some(slab), ..whole })
        };
        assert_eq!(shape(None), [1, 1, 5, 7]);
        assert_eq!(shape(Some(whole)), [1, 1, 12, 5, 7]);
        assert_eq!(shape(slab(4)), [1, 1, 4, 5, 7]);
        assert_eq!(shape(slab(1)), [1, 1, 5, 7]);
    }
}
