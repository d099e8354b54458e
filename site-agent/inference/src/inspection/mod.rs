//! What a model must be before the engine sees it.
//!
//! The engine is memory-safe but trusts a graph's numbers: it allocates what a tensor declares and
//! panics where shapes contradict each other. What can be known from the file is checked here; the
//! rest is the box's to survive.

mod interface;
mod operators;
mod outline;
mod tensors;

pub(crate) use interface::shape_of;

use fedval_study::protocol::ModelSpecification;
use prost::Message as _;
use prost::bytes::Bytes;
use tract_onnx::pb::{GraphProto, ModelProto};

use crate::answer::Wanted;
use crate::error::LoadError;
use crate::exchange::{Order, Refusal};

/// Where the protocol's input and output are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inspected {
    /// Shape of the input, batch of one.
    pub(crate) shape: Vec<usize>,
    /// Place of the protocol's output among the graph's.
    pub(crate) output: usize,
}

/// Looks at the bytes of a model as its box does before the engine sees them. Whatever they say, no file is
/// opened: the model is its bytes.
///
/// Only for bytes that are trusted, and inside a box: decoding takes as much memory as `max_nodes` and
/// the size of the file allow.
///
/// # Errors
///
/// [`LoadError`], which repeats nothing of the model.
pub fn inspect_model(
    bytes: Vec<u8>,
    specification: &ModelSpecification,
    max_nodes: usize,
) -> Result<(), LoadError> {
    let order = Order { specification: specification.clone(), max_nodes, with_library: false };
    Ok(admit(bytes, &order).map(drop)?)
}

/// Decodes a model that keeps to the limits and to the protocol.
pub(crate) fn admit(bytes: Vec<u8>, order: &Order) -> Result<(ModelProto, Inspected), Refusal> {
    outline::check(&bytes, order.max_nodes)?;
    let model = ModelProto::decode(Bytes::from(bytes)).map_err(|_| Refusal::NotOnnx)?;
    let inspected = inspect(&model, order)?;
    Ok((model, inspected))
}

fn inspect(model: &ModelProto, order: &Order) -> Result<Inspected, Refusal> {
    let graph = model.graph.as_ref().filter(|_| model.ir_version > 0).ok_or(Refusal::NotOnnx)?;
    check_contents(graph)?;
    let (specification, wanted) = (&order.specification, Wanted::of(&order.specification));
    Ok(Inspected {
        shape: interface::input_shape(graph, &specification.input)?,
        output: interface::output_place(graph, &specification.output, &wanted)?,
    })
}

fn check_contents(graph: &GraphProto) -> Result<(), Refusal> {
    graph.initializer.iter().try_for_each(tensors::check)?;
    graph.node.iter().try_for_each(operators::check)
}
