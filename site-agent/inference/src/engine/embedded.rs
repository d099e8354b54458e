//! Running a model with the embedded engine, tract: memory-safe, and nothing has to be installed.

use std::sync::Arc;

use tract_onnx::prelude::{
    Datum as _, Framework as _, InferenceModelExt as _, IntoRunnable as _, Tensor, TypedFact,
    TypedRunnableModel, tvec,
};

use super::Engine;
use crate::answer::{ModelAnswer, Wanted};
use crate::exchange::{Order, Refusal};
use crate::inspection::admit;
use crate::pooling;

/// A model that is ready to run.
pub(crate) struct Embedded {
    plan: Arc<TypedRunnableModel>,
    shape: Vec<usize>,
    wanted: Wanted,
}

impl Embedded {
    /// Inspects `model`, then lets the engine parse and optimise it for a batch of one.
    ///
    /// The engine's errors end here: their text quotes the model.
    pub(crate) fn load(order: &Order, model: Vec<u8>) -> Result<Self, Refusal> {
        let framework = tract_onnx::onnx()
            // Written by exporters for a symbolic batch; it contradicts the batch of one.
            .with_ignore_value_info(true);
        // Each step holds the weights once more: whatever is not needed any longer goes at once. The file
        // goes here.
        let (proto, inspected) = admit(model, order)?;
        let mut graph = framework.model_for_proto_model(&proto).map_err(|_| Refusal::Engine)?;
        drop(proto);
        let input = TypedFact::dt_shape(f32::datum_type(), inspected.shape.iter().copied());
        graph.set_input_fact(0, input.into()).map_err(|_| Refusal::Input)?;
        let output =
            graph.output_outlets().ok().and_then(|outlets| outlets.get(inspected.output).copied());
        graph
            .select_output_outlets(&[output.ok_or(Refusal::Output)?])
            .map_err(|_| Refusal::Output)?;
        let mut optimised = graph.into_optimized().map_err(|_| Refusal::Engine)?;
        pooling::speed_up(&mut optimised).map_err(|_| Refusal::Engine)?;

        let wanted = Wanted::of(&order.specification);
        let fact = optimised.output_fact(0).map_err(|_| Refusal::Output)?;
        // A size that is known only at run time is checked there.
        if fact.shape.as_concrete().is_some_and(|shape| !wanted.takes(shape)) {
            return Err(Refusal::Output);
        }
        let plan = optimised.into_runnable().map_err(|_| Refusal::Engine)?;
        Ok(Self { plan, shape: inspected.shape, wanted })
    }
}

impl Engine for Embedded {
    fn answer(&mut self, values: &[f32]) -> Option<ModelAnswer> {
        let input = Tensor::from_shape(&self.shape, values).ok()?;
        let outputs = self.plan.run(tvec![input.into()]).ok()?;
        let output = outputs.first().filter(|output| self.wanted.takes(output.shape()))?;
        if let Wanted::Scores(places) = &self.wanted {
            let output = output.cast_to::<f64>().ok()?.into_owned();
            let values = output.try_as_plain_ram().ok()?;
            let scores = values.as_slice::<f64>().ok()?.get(places.clone())?;
            return Some(ModelAnswer::Scores(scores.to_vec()));
        }
        let output = output.cast_to::<f32>().ok()?.into_owned();
        let values = output.try_as_plain_ram().ok()?;
        Some(ModelAnswer::Tensor(values.as_slice::<f32>().ok()?.to_vec()))
    }
}
