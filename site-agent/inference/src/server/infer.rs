//! One case after the other through a server's model.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use fedval_disclosure::SiteLocal;
use fedval_proto::inference::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use fedval_proto::inference::{
    InferTensorContents, ModelInferRequest, ModelInferResponse, ModelMetadataRequest,
};
use fedval_study::protocol::{ModelSpecification, ScoreScale};
use prost::bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tonic::{Code, Request, Status};

use super::metadata::{self, FP32, FP64};
use super::{Client, ModelServer, load_error, serves};
use crate::engine::MOST_VALUES;
use crate::error::{LoadError, ScoreError};
use crate::inspection::shape_of;
use crate::model_box::InferenceLimits;

/// A model that an inference server runs.
#[derive(Debug)]
pub struct ServedModel {
    client: Client,
    permits: Arc<Semaphore>,
    /// Everything but the image: the same for every case, so that nothing tells one from another.
    request: ModelInferRequest,
    scale: ScoreScale,
    values: usize,
    /// Places of the scores among the output's values.
    scores: Range<usize>,
    wall_clock: Duration,
}

impl ServedModel {
    /// Asks `server` for the model that was confirmed to be the one `specification` pins.
    ///
    /// # Errors
    ///
    /// See [`LoadError`].
    pub async fn load(
        server: &ModelServer,
        limits: &InferenceLimits,
        specification: &ModelSpecification,
    ) -> Result<Self, LoadError> {
        let confirmed = server.served(&specification.digest.0).cloned();
        let model = confirmed.ok_or(LoadError::NotConfirmed)?;
        let asked = async {
            let mut client = server.ready().await?;
            serves(&mut client, &model).await?;
            let (name, version) = (model.name.clone(), model.version.clone());
            let asked = client.model_metadata(ModelMetadataRequest { name, version }).await;
            let said = asked.map_err(|status| load_error(&status))?;
            metadata::check(said.get_ref(), specification)?;
            Ok(client)
        };
        let wall_clock = Duration::from_secs(limits.load_seconds);
        let client = timeout(wall_clock, asked).await;
        let client = client.unwrap_or(Err(LoadError::ServerUnreachable))?;
        let (input, output) = (&specification.input, &specification.output);
        let first = output.positive_index as usize;
        let shape = shape_of(input).into_iter();
        let shape = shape.map(|size| i64::try_from(size).unwrap_or(i64::MAX)).collect();
        Ok(Self {
            client,
            permits: Arc::clone(&server.permits),
            request: ModelInferRequest {
                model_name: model.name,
                model_version: model.version,
                inputs: vec![InferInputTensor {
                    name: input.name.clone(),
                    datatype: FP32.to_owned(),
                    shape,
                }],
                outputs: vec![InferRequestedOutputTensor { name: output.name.clone() }],
                ..ModelInferRequest::default()
            },
            scale: output.scale,
            values: input.values_at_once(),
            scores: first..first.saturating_add(output.values as usize),
            wall_clock: Duration::from_secs(limits.case_seconds),
        })
    }

    /// The model's scores of one case, as [`ModelBox::scores`](crate::ModelBox::scores) gives them.
    ///
    /// # Errors
    ///
    /// See [`ScoreError`].
    pub async fn scores(&mut self, tensor: &[f32]) -> Result<SiteLocal<Vec<f64>>, ScoreError> {
        if tensor.len() != self.values {
            return Err(ScoreError::Invalid);
        }
        let image: Vec<u8> = tensor.iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut request = Request::new(ModelInferRequest {
            raw_input_contents: vec![Bytes::from(image)],
            ..self.request.clone()
        });
        request.set_timeout(self.wall_clock);
        let _permit = self.permits.acquire().await.map_err(|_| ScoreError::ServerGone)?;
        let answer = timeout(self.wall_clock, self.client.model_infer(request)).await;
        let answer = answer.map_err(|_| ScoreError::ServerGone)?;
        let answer = answer.map_err(|status| score_error(&status))?.into_inner();
        let name = &self.request.outputs[0].name;
        let values = numbers(&answer, name).ok_or(ScoreError::Invalid)?;
        let scores = values.get(self.scores.clone()).map(<[f64]>::to_vec);
        let usable = scores.filter(|scores| self.scale.holds(scores));
        usable.map(SiteLocal::new).ok_or(ScoreError::Invalid)
    }
}

/// A server that fails says nothing of a case: no case is counted as failed for it.
fn score_error(status: &Status) -> ScoreError {
    match status.code() {
        Code::InvalidArgument
        | Code::NotFound
        | Code::PermissionDenied
        | Code::Unauthenticated
        | Code::Unimplemented
        | Code::ResourceExhausted
        | Code::OutOfRange => ScoreError::ServerRefused,
        _ => ScoreError::ServerGone,
    }
}

/// The values of the output `name`: as many as its shape says, for one case.
fn numbers(answer: &ModelInferResponse, name: &str) -> Option<Vec<f64>> {
    let place = answer.outputs.iter().position(|output| output.name == name)?;
    let output = &answer.outputs[place];
    let raw = answer.raw_output_contents.get(place);
    // Some servers send an empty list beside the bytes.
    let is_empty =
        |c: &InferTensorContents| c.fp32_contents.is_empty() && c.fp64_contents.is_empty();
    let typed = output.contents.as_ref().filter(|contents| !is_empty(contents));
    let values: Vec<f64> = match (output.datatype.as_str(), raw, typed) {
        (FP32, Some(raw), None) => floats(raw, |bytes| f64::from(f32::from_le_bytes(bytes)))?,
        (FP64, Some(raw), None) => floats(raw, f64::from_le_bytes)?,
        (FP32, None, Some(typed)) => typed.fp32_contents.iter().copied().map(f64::from).collect(),
        (FP64, None, Some(typed)) => typed.fp64_contents.clone(),
        _ => return None,
    };
    let declared = output
        .shape
        .iter()
        .try_fold(1_usize, |values, size| values.checked_mul(usize::try_from(*size).ok()?))?;
    (values.len() == declared && declared <= MOST_VALUES).then_some(values)
}

/// The numbers of `N` bytes each that stand in `raw`, to its end.
fn floats<const N: usize>(raw: &[u8], read: impl Fn([u8; N]) -> f64) -> Option<Vec<f64>> {
    let (numbers, rest) = raw.as_chunks::<N>();
    rest.is_empty().then(|| numbers.iter().map(|bytes| read(*bytes)).collect())
}

#[cfg(test)]
mod tests {
    use fedval_proto::inference::model_infer_response::InferOutputTensor;

    use super::*;

    fn answer(datatype: &str, shape: &[i64], raw: &[u8]) -> ModelInferResponse {
        let output = |name: &str| InferOutputTensor {
            name: name.to_owned(),
            datatype: datatype.to_owned(),
            shape: shape.to_vec(),
            contents: None,
        };
        ModelInferResponse {
            outputs: vec![output("other"), output("score")],
            raw_output_contents: vec![Bytes::new(), Bytes::copy_from_slice(raw)],
            ..ModelInferResponse::default()
        }
    }

    #[test]
    fn an_answer_is_as_long_as_it_says_and_of_the_type_it_says() {
        let (half, two) = (0.5_f32.to_le_bytes(), [0.5_f32, 0.25].map(f32::to_le_bytes).concat());
        assert_eq!(numbers(&answer("FP32", &[1, 1], &half), "score"), Some(vec![0.5]));
        assert_eq!(numbers(&answer("FP32", &[1, 2], &two), "score"), Some(vec![0.5, 0.25]));
        let mut beside = answer("FP32", &[1, 1], &half);
        beside.outputs[1].contents = Some(InferTensorContents::default());
        assert_eq!(numbers(&beside, "score"), Some(vec![0.5]));
        let double = 0.5_f64.to_le_bytes();
        assert_eq!(numbers(&answer("FP64", &[1], &double), "score"), Some(vec![0.5]));
        assert_eq!(numbers(&answer("FP32", &[1, 1], &half), "absent"), None);
        for (datatype, shape, raw) in [
            ("FP32", &[1, 2][..], &half[..]),
            ("FP32", &[1, 1], &two),
            ("FP32", &[1, 1], &half[1..]),
            ("FP32", &[1, -1], &half),
            ("FP32", &[i64::MAX, 4], &half),
            ("FP16", &[1, 1], &half),
            ("BYTES", &[1, 4], &half),
        ] {
            assert_eq!(
                numbers(&answer(datatype, shape, raw), "score"),
                None,
                "{datatype} {shape:?}"
            );
        }
        let many = vec![0; 4 * (MOST_VALUES + 1)];
        let shape = [i64::try_from(MOST_VALUES).unwrap() + 1];
        assert_eq!(numbers(&answer("FP32", &shape, &many), "score"), None);
    }

    #[test]
    fn numbers_may_be_written_one_by_one_and_not_in_both_ways() {
        let mut typed = answer("FP32", &[1, 1], &[]);
        typed.raw_output_contents.clear();
        assert_eq!(numbers(&typed, "score"), None);
        let contents = InferTensorContents { fp32_contents: vec![0.5], ..Default::default() };
        typed.outputs[1].contents = Some(contents);
        assert_eq!(numbers(&typed, "score"), Some(vec![0.5]));
        typed.raw_output_contents = vec![Bytes::new(), Bytes::copy_from_slice(&[0; 4])];
        assert_eq!(numbers(&typed, "score"), None);
    }

    #[test]
    fn a_server_that_fails_is_not_taken_for_a_case_that_fails() {
        for code in [Code::Unavailable, Code::Internal, Code::Unknown, Code::DeadlineExceeded] {
            assert_eq!(score_error(&Status::new(code, "ZZCANARY")), ScoreError::ServerGone);
        }
        for code in [Code::InvalidArgument, Code::NotFound, Code::ResourceExhausted] {
            assert_eq!(score_error(&Status::new(code, "ZZCANARY")), ScoreError::ServerRefused);
        }
    }
}
