//! Running a model with ONNX Runtime: a library of this site's own choice, faster and not memory-safe.
//!
//! The library is loaded before the box is closed and does nothing there but to be loaded; its environment,
//! and everything of the model, is made inside. Its builds for Linux report to their makers where they
//! can: they are told not to by [`QUIET`], and inside there is nothing that they could open, start or reach.
//!
//! What it is given is not the model's file but what the inspection read of it, written anew. A field that
//! the inspection does not know, a second format in the same bytes: none of it is there any more.

use std::path::Path;
use std::sync::Arc;

use ort::environment::{Environment, EnvironmentBuilder};
use ort::ep::CPU;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::{AutoDevicePolicy, GraphOptimizationLevel};
use ort::value::{DynValue, TensorRef, ValueType};
use prost::Message as _;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::Value;
use tract_onnx::pb::{
    GraphProto, ModelProto, OperatorSetIdProto, TensorShapeProto, ValueInfoProto, type_proto,
};

use super::Engine;
use crate::answer::{MOST_VALUES, ModelAnswer, Wanted, narrow};
use crate::exchange::{Order, Refusal};
use crate::inspection::{Inspected, admit};

/// What the library is told by its environment before it is loaded: to report nothing, and to let no model
/// say how it is run.
pub(crate) const QUIET: &[(&str, &str)] =
    &[("ORT_DISABLE_TELEMETRY", "1"), ("ORT_LOAD_CONFIG_FROM_MODEL", "0")];

/// The library, loaded and not used yet.
pub(crate) struct Runtime(EnvironmentBuilder);

impl Runtime {
    /// Loads the library, in a process that is not confined yet.
    pub(crate) fn open(library: &Path) -> Result<Self, Refusal> {
        ort::init_from(library).map(Self).map_err(|_| Refusal::Library)
    }

    /// Inspects `model`, then lets the library parse and optimise what was inspected, for a batch of one.
    ///
    /// The library's errors end here: their text quotes the model.
    pub(crate) fn load(self, order: &Order, model: Vec<u8>) -> Result<OnnxRuntime, Refusal> {
        let (model, inspected) = admit(model, order)?;
        let model = written_anew(model, &inspected, &order.specification.input.name)?;
        let environment = self.environment().map_err(|_| Refusal::Library)?;
        let session = session(&environment, &model).map_err(|_| Refusal::Engine)?;
        let wanted = Wanted::of(&order.specification);
        let [output] = session.outputs() else { return Err(Refusal::Output) };
        let ValueType::Tensor { shape, .. } = output.dtype() else { return Err(Refusal::Output) };
        // A size that is known only at run time is checked there.
        let sizes: Vec<_> = shape.iter().map(|size| usize::try_from(*size).ok()).collect();
        if !wanted.admits(&sizes) {
            return Err(Refusal::Output);
        }
        Ok(OnnxRuntime { session, shape: inspected.shape, wanted })
    }

    fn environment(self) -> ort::Result<Environment> {
        // Whatever the library says could quote the model, or a patient's values.
        let silence = Arc::new(|_: LogLevel, _: &str, _: &str, _: &str, _: &str| {});
        let environment = self.0.with_telemetry(false).with_logger(silence).build()?;
        environment.set_log_level(LogLevel::Fatal);
        Ok(environment)
    }
}

/// A model that ONNX Runtime is ready to run.
pub(crate) struct OnnxRuntime {
    session: Session,
    shape: Vec<usize>,
    wanted: Wanted,
}

impl Engine for OnnxRuntime {
    fn answer(&mut self, values: &[f32]) -> Option<ModelAnswer> {
        let input = TensorRef::from_array_view((&self.shape[..], values)).ok()?;
        let outputs = self.session.run(ort::inputs![input]).ok()?;
        let output = outputs.values().next()?;
        if let Wanted::Scores(places) = &self.wanted {
            let scores = numbers(&output)?.get(places.clone())?.to_vec();
            return Some(ModelAnswer::Scores(scores));
        }
        tensor(&output, &self.wanted).map(ModelAnswer::Tensor)
    }
}

/// What a tensor of floats holds, unless it is too much.
fn numbers(output: &DynValue) -> Option<Vec<f64>> {
    if let Ok((_, values)) = output.try_extract_tensor::<f32>() {
        let is_usual = values.len() <= MOST_VALUES;
        return is_usual.then(|| values.iter().copied().map(f64::from).collect());
    }
    let (_, values) = output.try_extract_tensor::<f64>().ok()?;
    (values.len() <= MOST_VALUES).then(|| values.to_vec())
}

/// All that a tensor of floats holds, if its shape is the wanted one.
fn tensor(output: &DynValue, wanted: &Wanted) -> Option<Vec<f32>> {
    let fits = |shape: &[i64]| {
        let sizes = shape.iter().map(|size| usize::try_from(*size).ok());
        sizes.collect::<Option<Vec<_>>>().is_some_and(|sizes| wanted.takes(&sizes))
    };
    if let Ok((shape, values)) = output.try_extract_tensor::<f32>() {
        return fits(shape).then(|| values.to_vec());
    }
    let (shape, values) = output.try_extract_tensor::<f64>().ok()?;
    fits(shape).then(|| values.iter().copied().map(narrow).collect())
}

/// One thread, which does not wait by spinning; memory that is asked for as it is needed, from the process's
/// own allocator and so under its limit; nothing of this machine but its processor.
fn session(environment: &Environment, model: &[u8]) -> ort::Result<Session> {
    Session::builder(environment)?
        .with_auto_device(AutoDevicePolicy::PreferCPU)?
        .with_execution_providers([CPU::default().with_arena_allocator(false).build()])?
        .with_parallel_execution(false)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_deterministic_compute(true)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_log_level(LogLevel::Fatal)?
        // Otherwise the library looks at the bytes to find out what they are.
        .with_config_entry("session.load_model_format", "ONNX")?
        .commit_from_memory(model)
}

/// The file of what was inspected and is run: the graph for a batch of one, and its one output. What a model
/// says of itself is left out, and so is what exporters say of values in between, which contradicts the
/// batch of one.
fn written_anew(model: ModelProto, inspected: &Inspected, input: &str) -> Result<Vec<u8>, Refusal> {
    let mut graph = model.graph.ok_or(Refusal::NotOnnx)?;
    let mut output = graph.output.into_iter().nth(inspected.output).ok_or(Refusal::Output)?;
    set_shape(&mut output, None);
    for value in graph.input.iter_mut().filter(|value| value.name == input) {
        set_shape(value, Some(fixed(&inspected.shape)?));
    }
    let plain = |value: ValueInfoProto| ValueInfoProto { doc_string: String::new(), ..value };
    for node in &mut graph.node {
        node.doc_string = String::new();
    }
    let graph = GraphProto {
        name: "model".to_owned(),
        node: graph.node,
        initializer: graph.initializer,
        input: graph.input.into_iter().map(plain).collect(),
        output: vec![plain(output)],
        ..GraphProto::default()
    };
    // Operators are of the standard domain alone.
    let is_standard = |set: &OperatorSetIdProto| matches!(set.domain.as_str(), "" | "ai.onnx");
    let model = ModelProto {
        ir_version: model.ir_version,
        opset_import: model.opset_import.into_iter().filter(is_standard).collect(),
        graph: Some(graph),
        ..ModelProto::default()
    };
    Ok(model.encode_to_vec())
}

fn set_shape(value: &mut ValueInfoProto, shape: Option<TensorShapeProto>) {
    let of = value.r#type.as_mut().and_then(|of| of.value.as_mut());
    if let Some(Value::TensorType(type_proto::Tensor { shape: known, .. })) = of {
        *known = shape;
    }
}

fn fixed(shape: &[usize]) -> Result<TensorShapeProto, Refusal> {
    let dim = shape.iter().map(|size| {
        let size = i64::try_from(*size).map_err(|_| Refusal::Input)?;
        Ok(Dimension { value: Some(dimension::Value::DimValue(size)), ..Dimension::default() })
    });
    Ok(TensorShapeProto { dim: dim.collect::<Result<_, Refusal>>()? })
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::tensor_proto::DataType;
    use tract_onnx::pb::{NodeProto, StringStringEntryProto, TypeProto};

    use super::*;

    fn value(name: &str, batch: i64) -> ValueInfoProto {
        let shape = fixed(&[usize::try_from(batch).unwrap(), 1, 2, 3]).unwrap();
        let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
        ValueInfoProto {
            name: name.to_owned(),
            r#type: Some(TypeProto {
                value: Some(Value::TensorType(tensor)),
                ..TypeProto::default()
            }),
            doc_string: "ORTM".to_owned(),
        }
    }

    /// As much as a model can say beside its graph.
    fn talkative() -> ModelProto {
        let set = |domain: &str| OperatorSetIdProto { domain: domain.to_owned(), version: 17 };
        let node = NodeProto { doc_string: "ORTM".to_owned(), ..NodeProto::default() };
        ModelProto {
            ir_version: 8,
            producer_name: "ORTM".to_owned(),
            producer_version: "1".to_owned(),
            domain: "x".to_owned(),
            model_version: 3,
            doc_string: "ORTM".to_owned(),
            opset_import: vec![set("com.microsoft"), set("")],
            metadata_props: vec![StringStringEntryProto::default()],
            graph: Some(GraphProto {
                node: vec![node],
                input: vec![value("stored", 5), value("image", 9)],
                output: vec![value("other", 7), value("score", 7)],
                value_info: vec![value("between", 7)],
                doc_string: "ORTM".to_owned(),
                ..GraphProto::default()
            }),
            ..ModelProto::default()
        }
    }

    #[test]
    fn what_is_handed_to_the_library_is_the_graph_for_one_case_and_nothing_a_model_says() {
        let inspected = Inspected { shape: vec![1, 1, 2, 3], output: 1 };
        let file = written_anew(talkative(), &inspected, "image").unwrap();
        assert!(!file.windows(4).any(|four| four == b"ORTM"));
        let written = ModelProto::decode(&file[..]).unwrap();
        let graph = written.graph.clone().unwrap();
        assert_eq!((written.ir_version, written.opset_import.len()), (8, 1));
        assert_eq!(written.opset_import[0].domain, "");
        assert_eq!((written.model_version, written.metadata_props.len()), (0, 0));
        assert!(written.domain.is_empty() && written.producer_version.is_empty());
        let names = |values: &[ValueInfoProto]| -> Vec<String> {
            values.iter().map(|value| value.name.clone()).collect()
        };
        assert_eq!(names(&graph.input), ["stored", "image"]);
        assert_eq!(names(&graph.output), ["score"]);
        assert!(graph.value_info.is_empty() && graph.node.len() == 1);
        let shape_of = |value: &ValueInfoProto| {
            let Some(Value::TensorType(tensor)) = value.r#type.clone().unwrap().value else {
                panic!("a tensor")
            };
            tensor.shape
        };
        assert_eq!(shape_of(&graph.input[1]), Some(fixed(&[1, 1, 2, 3]).unwrap()));
        assert_eq!(shape_of(&graph.input[0]), Some(fixed(&[5, 1, 2, 3]).unwrap()));
        assert_eq!(shape_of(&graph.output[0]), None, "the library works it out");
    }
}
