//! A model of one node, by which a site sees whether its library runs models here before a sponsor's does.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

use fedval_sandbox::BoxProgram;
use fedval_study::digest::{ModelDigest, Sha256Digest};
use fedval_study::protocol::{
    FrameChoice, Layout, ModelInput, ModelOutput, ModelSpecification, Monochrome1, OutputForm,
    Resize, ScoreScale, ValueScaling,
};
use prost::Message as _;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{Tensor, Value};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
};

use crate::error::LoadError;
use crate::library::RuntimeLibrary;
use crate::model_box::{InferenceLimits, ModelBox};

/// What it is shown, and must give back.
const SHOWN: f32 = 0.5;

impl RuntimeLibrary {
    /// Loads a model in a box with this library, and runs it once.
    ///
    /// # Errors
    ///
    /// See [`LoadError`].
    pub async fn try_out(
        &self,
        program: &BoxProgram,
        limits: &InferenceLimits,
    ) -> Result<(), LoadError> {
        let model = model();
        let file = handed(&model).map_err(|source| LoadError::NotRead { source })?;
        let specification = specification(&model);
        let mut model =
            ModelBox::load_file(program, limits, &specification, file, Some(self)).await?;
        let scores = model.scores(&[SHOWN]).await.map_err(|_| LoadError::LibraryNotLoaded)?;
        let is_right = matches!(&scores.open_on_site()[..], [one] if one.to_bits() == f64::from(SHOWN).to_bits());
        if is_right { Ok(()) } else { Err(LoadError::LibraryNotLoaded) }
    }
}

/// Bytes that a child reads as its file: few enough for a pipe to hold.
fn handed(bytes: &[u8]) -> io::Result<File> {
    let (file, mut writer) = io::pipe()?;
    writer.write_all(bytes)?;
    Ok(OwnedFd::from(file).into())
}

/// The value of one pixel.
fn model() -> Vec<u8> {
    let graph = GraphProto {
        name: "one".to_owned(),
        node: vec![NodeProto {
            op_type: "Identity".to_owned(),
            input: vec!["image".to_owned()],
            output: vec!["score".to_owned()],
            ..NodeProto::default()
        }],
        input: vec![value("image")],
        output: vec![value("score")],
        ..GraphProto::default()
    };
    let model = ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: 17 }],
        graph: Some(graph),
        ..ModelProto::default()
    };
    model.encode_to_vec()
}

/// A tensor of one number.
fn value(name: &str) -> ValueInfoProto {
    let one = Dimension { value: Some(dimension::Value::DimValue(1)), ..Dimension::default() };
    let shape = TensorShapeProto { dim: vec![one; 4] };
    let tensor = Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(Value::TensorType(tensor)), ..TypeProto::default() }),
        ..ValueInfoProto::default()
    }
}

fn specification(model: &[u8]) -> ModelSpecification {
    ModelSpecification {
        name: "one".to_owned(),
        digest: ModelDigest(Sha256Digest::of(model)),
        bytes: model.len() as u64,
        input: ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 1,
            width: 1,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.0,
            standard_deviation: 1.0,
            resize: Resize::Refuse,
            monochrome1: Monochrome1::Invert,
            frame: FrameChoice::Only,
            volume: None,
        },
        output: ModelOutput {
            name: "score".to_owned(),
            scale: ScoreScale::Probability,
            positive_index: 0,
            values: 1,
            separate: false,
            form: OutputForm::Scores,
        },
    }
}
