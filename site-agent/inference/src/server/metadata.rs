//! What a served model takes and gives, against the protocol's.

use fedval_proto::inference::ModelMetadataResponse;
use fedval_proto::inference::model_metadata_response::TensorMetadata;
use fedval_study::protocol::ModelSpecification;

use crate::answer::Wanted;
use crate::error::LoadError;
use crate::inspection::shape_of;

/// The protocol's name for 32-bit floats, and for 64-bit ones.
pub(super) const FP32: &str = "FP32";
pub(super) const FP64: &str = "FP64";

/// Whether a server says anything of what its model takes and gives. KServe does if whoever wrote the model's code
/// does, and MLServer if whoever wrote its settings does.
pub(super) fn describes(said: &ModelMetadataResponse) -> bool {
    !(said.inputs.is_empty() && said.outputs.is_empty())
}

/// Checks what a server says of its model: one input of the protocol's name, type and shape, and an output of
/// its name that has a value at every place that is wanted.
pub(super) fn check(
    said: &ModelMetadataResponse,
    specification: &ModelSpecification,
) -> Result<(), LoadError> {
    let [input] = &said.inputs[..] else { return Err(LoadError::InputMismatch) };
    let shape = shape_of(&specification.input);
    let admits =
        |(said, wanted): (&i64, usize)| *said == -1 || usize::try_from(*said) == Ok(wanted);
    let is_wanted = input.name == specification.input.name
        && input.datatype == FP32
        && input.shape.len() == shape.len()
        && input.shape.iter().zip(shape.iter().copied()).all(admits);
    if !is_wanted {
        return Err(LoadError::InputMismatch);
    }
    let wanted = &specification.output;
    let output = said.outputs.iter().find(|output| output.name == wanted.name);
    let output = output.filter(|output| [FP32, FP64].contains(&output.datatype.as_str()));
    // A size that is known only at run time is checked there.
    let wanted = Wanted::of(specification);
    let is_right = output.is_some_and(|output| wanted.admits(&sizes(&wanted, output)));
    if is_right { Ok(()) } else { Err(LoadError::OutputMismatch) }
}

/// The sizes of an output; `None` of one that is left open. The batch is of one case, and boxes may have none.
fn sizes(wanted: &Wanted, output: &TensorMetadata) -> Vec<Option<usize>> {
    let size = |(place, size): (usize, &i64)| match (wanted, place, size) {
        (Wanted::Scores(_) | Wanted::Mask(_), 0, -1) => Some(1),
        (_, _, size) => usize::try_from(*size).ok(),
    };
    output.shape.iter().enumerate().map(size).collect()
}

#[cfg(test)]
mod tests {
    use fedval_study::digest::{ModelDigest, Sha256Digest};
    use fedval_study::protocol::{
        FrameChoice, Layout, ModelInput, ModelOutput, Monochrome1, OutputForm, Resize, ScoreScale,
        ValueScaling,
    };

    use super::*;

    fn specification() -> ModelSpecification {
        ModelSpecification {
            name: "test".to_owned(),
            digest: ModelDigest(Sha256Digest::of(b"model")),
            bytes: 5,
            input: ModelInput {
                name: "image".to_owned(),
                layout: Layout::Nchw,
                height: 4,
                width: 6,
                channels: 3,
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
                positive_index: 1,
                values: 1,
                separate: false,
                form: OutputForm::Scores,
            },
        }
    }

    fn tensor(name: &str, datatype: &str, shape: &[i64]) -> TensorMetadata {
        TensorMetadata {
            name: name.to_owned(),
            datatype: datatype.to_owned(),
            shape: shape.to_vec(),
        }
    }

    fn said(inputs: Vec<TensorMetadata>, output: TensorMetadata) -> ModelMetadataResponse {
        let other = tensor("other", "INT64", &[1]);
        ModelMetadataResponse { inputs, outputs: vec![other, output], ..Default::default() }
    }

    #[test]
    fn a_server_that_names_an_output_alone_says_something() {
        let score = tensor("score", "FP32", &[-1, 2]);
        assert!(!describes(&ModelMetadataResponse::default()));
        assert!(describes(&said(Vec::new(), score)));
        let inputs = vec![tensor("image", "FP32", &[-1, 3, 4, 6])];
        assert!(describes(&ModelMetadataResponse { inputs, ..Default::default() }));
    }

    #[test]
    fn what_a_server_says_must_be_the_protocols() {
        let (image, score) =
            (tensor("image", "FP32", &[-1, 3, 4, 6]), tensor("score", "FP32", &[-1, 2]));
        let code = |inputs: Vec<TensorMetadata>, output: &TensorMetadata| {
            use fedval_ambient::Problem as _;
            check(&said(inputs, output.clone()), &specification()).map_err(|error| error.code())
        };
        assert_eq!(code(vec![image.clone()], &score), Ok(()));
        for inputs in [
            vec![],
            vec![image.clone(), tensor("age", "FP32", &[1])],
            vec![tensor("picture", "FP32", &[-1, 3, 4, 6])],
            vec![tensor("image", "UINT8", &[-1, 3, 4, 6])],
            // Height and width changed places; channels last; a batch of two.
            vec![tensor("image", "FP32", &[-1, 3, 6, 4])],
            vec![tensor("image", "FP32", &[-1, 4, 6, 3])],
            vec![tensor("image", "FP32", &[2, 3, 4, 6])],
            vec![tensor("image", "FP32", &[3, 4, 6])],
            vec![tensor("image", "FP32", &[-2, 3, 4, 6])],
        ] {
            assert_eq!(code(inputs, &score), Err("MODEL_INPUT_MISMATCH"));
        }
        for (datatype, shape, is_taken) in [
            ("FP64", &[1, 2][..], true),
            ("FP32", &[-1, -1], true),
            ("FP32", &[-1, 65_536], true),
            ("FP32", &[-1, 1], false),
            ("FP32", &[-1, 65_537], false),
            ("FP32", &[i64::MAX, i64::MAX], false),
            ("BYTES", &[-1, 2], false),
        ] {
            let found = code(vec![image.clone()], &tensor("score", datatype, shape));
            assert_eq!(found.is_ok(), is_taken, "{datatype} {shape:?}");
        }
        let unnamed = tensor("probability", "FP32", &[-1, 2]);
        assert_eq!(code(vec![image], &unnamed), Err("MODEL_OUTPUT_MISMATCH"));
    }
}
