//! What a model must be before the engine sees it.
//!
//! The engine is memory-safe but trusts a graph's numbers: it allocates what a tensor declares and
//! panics where shapes contradict each other. What can be known from the file is checked here; the
//! rest is the box's to survive.

mod interface;
mod operators;
mod tensors;

use tract_onnx::pb::{GraphProto, ModelProto};

use crate::exchange::{Order, Refusal};

/// Where the protocol's input and output are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inspected {
    /// Shape of the input, batch of one.
    pub(crate) shape: [usize; 4],
    /// Place of the protocol's output among the graph's.
    pub(crate) output: usize,
}

/// Checks `model` against the limits and the protocol.
pub(crate) fn inspect(model: &ModelProto, order: &Order) -> Result<Inspected, Refusal> {
    let graph = model.graph.as_ref().filter(|_| model.ir_version > 0).ok_or(Refusal::NotOnnx)?;
    // Functions are operators of the model's own making; training graphs are never run here.
    if !model.functions.is_empty() || !model.training_info.is_empty() {
        return Err(Refusal::Operator);
    }
    let parts = [graph.node.len(), graph.initializer.len(), graph.input.len(), graph.output.len()];
    if parts.into_iter().fold(0, usize::saturating_add) > order.max_nodes {
        return Err(Refusal::TooLarge);
    }
    check_contents(graph)?;
    Ok(Inspected {
        shape: interface::input_shape(graph, &order.specification.input)?,
        output: interface::output_place(graph, &order.specification.output)?,
    })
}

fn check_contents(graph: &GraphProto) -> Result<(), Refusal> {
    if !graph.sparse_initializer.is_empty() {
        return Err(Refusal::Operator);
    }
    graph.initializer.iter().try_for_each(tensors::check)?;
    graph.node.iter().try_for_each(operators::check)
}
