//! One case after the other through a server's model.

use std::sync::Arc;
use std::time::Duration;

use fedval_disclosure::SiteLocal;
use fedval_proto::inference::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use fedval_proto::inference::{
    InferTensorContents, ModelInferRequest, ModelInferResponse, ModelMetadataRequest,
};
use fedval_study::protocol::ModelSpecification;
use prost::bytes::Bytes;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tonic::{Code, Request, Response, Status};

use super::metadata::{self, FP32, FP64};
use super::{Client, ModelServer, ServedName, load_error, most_answer_bytes, serves};
use crate::answer::{Expected, ModelAnswer, Wanted, narrow};
use crate::error::{LoadError, ScoreError};
use crate::inspection::shape_of;
use crate::model_box::{InferenceLimits, scores_of};

/// A model that an inference server runs.
#[derive(Debug)]
pub struct ServedModel {
    client: Client,
    permits: Arc<Semaphore>,
    /// Everything but the image: the same for every case, so that nothing tells one from another.
    request: ModelInferRequest,
    expected: Expected,
    values: usize,
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
        let expected = Expected::of(specification);
        let most_bytes = most_answer_bytes(&expected.wanted);
        let confirmed = server.served(&specification.digest.0).cloned();
        let model = confirmed.ok_or(LoadError::NotConfirmed)?;
        let asked = async {
            let mut client = server.ready().await?;
            serves(&mut client, &model).await?;
            let (name, version) = (model.name.clone(), model.version.clone());
            let asked = client.model_metadata(ModelMetadataRequest { name, version }).await;
            let said = asked.map_err(|status| load_error(&status))?.into_inner();
            let is_described = metadata::describes(&said);
            if is_described {
                metadata::check(&said, specification)?;
            }
            Ok((client.max_decoding_message_size(most_bytes), is_described))
        };
        let wall_clock = Duration::from_secs(limits.load_seconds);
        let asked = timeout(wall_clock, asked).await;
        let (client, is_described) = asked.unwrap_or(Err(LoadError::ServerUnreachable))?;
        let mut model = Self {
            client,
            permits: Arc::clone(&server.permits),
            request: request(model, specification),
            expected,
            values: specification.input.values_at_once(),
            wall_clock: Duration::from_secs(limits.case_seconds),
        };
        if !is_described {
            model.try_out().await?;
        }
        Ok(model)
    }

    /// Shows the model an image of nothing, which is no patient's: servers that say nothing of a model (KServe, unless
    /// whoever wrote the model's code sees to it) are told apart from those that have another one all the same.
    async fn try_out(&mut self) -> Result<(), LoadError> {
        let answer = self.ask(&vec![0.0; self.values]).await.ok_or(LoadError::ServerUnreachable)?;
        let answer = answer.map_err(|status| load_error(&status))?;
        // Its numbers may be none: no model has to make sense of nothing.
        if self.wanted_of(&answer).is_some() { Ok(()) } else { Err(LoadError::OutputMismatch) }
    }

    /// The model's scores of one case, as [`ModelBox::scores`](crate::ModelBox::scores) gives them.
    ///
    /// # Errors
    ///
    /// See [`ScoreError`].
    pub async fn scores(&mut self, tensor: &[f32]) -> Result<SiteLocal<Vec<f64>>, ScoreError> {
        self.answer(tensor).await.and_then(scores_of)
    }

    /// What the model gives of one case, as [`ModelBox::answer`](crate::ModelBox::answer) gives it.
    ///
    /// # Errors
    ///
    /// See [`ScoreError`].
    pub async fn answer(&mut self, tensor: &[f32]) -> Result<SiteLocal<ModelAnswer>, ScoreError> {
        if tensor.len() != self.values {
            return Err(ScoreError::Invalid);
        }
        let answer = self.ask(tensor).await.ok_or(ScoreError::ServerGone)?;
        let answer = answer.map_err(|status| score_error(&status))?;
        let usable = self.wanted_of(&answer).filter(|answer| self.expected.holds(answer));
        usable.map(SiteLocal::new).ok_or(ScoreError::Invalid)
    }

    /// What the server answers to one image; `None` where it does not, in time.
    async fn ask(&mut self, tensor: &[f32]) -> Option<Result<ModelInferResponse, Status>> {
        let image: Vec<u8> = tensor.iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut request = Request::new(ModelInferRequest {
            raw_input_contents: vec![Bytes::from(image)],
            ..self.request.clone()
        });
        request.set_timeout(self.wall_clock);
        let _permit = self.permits.acquire().await.ok()?;
        let answer = timeout(self.wall_clock, self.client.model_infer(request)).await.ok()?;
        Some(answer.map(Response::into_inner))
    }

    /// What is wanted of an answer; `None` where it is not there.
    fn wanted_of(&self, answer: &ModelInferResponse) -> Option<ModelAnswer> {
        let wanted = &self.expected.wanted;
        let name = &self.request.outputs[0].name;
        let (shape, values) = numbers(answer, name, wanted.most_values())?;
        read(wanted, &shape, &values)
    }
}

/// A request for what the protocol wants of `model`, without an image.
fn request(model: ServedName, specification: &ModelSpecification) -> ModelInferRequest {
    let (input, output) = (&specification.input, &specification.output);
    let shape = shape_of(input).into_iter();
    let shape = shape.map(|size| i64::try_from(size).unwrap_or(i64::MAX)).collect();
    ModelInferRequest {
        model_name: model.name,
        model_version: model.version,
        inputs: vec![InferInputTensor {
            name: input.name.clone(),
            datatype: FP32.to_owned(),
            shape,
        }],
        outputs: vec![InferRequestedOutputTensor { name: output.name.clone() }],
        ..ModelInferRequest::default()
    }
}

/// What is wanted of an output's numbers; `None` where it is not there.
fn read(wanted: &Wanted, shape: &[usize], values: &[f64]) -> Option<ModelAnswer> {
    match wanted {
        Wanted::Scores(places) => {
            values.get(places.clone()).map(|scores| ModelAnswer::Scores(scores.to_vec()))
        }
        Wanted::Mask(_) | Wanted::Boxes(_) => wanted
            .takes(shape)
            .then(|| ModelAnswer::Tensor(values.iter().copied().map(narrow).collect())),
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

/// Shape and values of the output `name`: as many as its shape says, for one case, and at most `most`.
fn numbers(answer: &ModelInferResponse, name: &str, most: usize) -> Option<(Vec<usize>, Vec<f64>)> {
    let place = answer.outputs.iter().position(|output| output.name == name)?;
    let output = &answer.outputs[place];
    let raw = &answer.raw_output_contents;
    // Bytes belong to outputs by their place alone: KServe leaves out those whose numbers a model wrote one by one.
    if !raw.is_empty() && raw.len() != answer.outputs.len() {
        return None;
    }
    let raw = raw.get(place);
    // Some servers send an empty list beside the bytes, and some no list where there are no numbers, as of a table of
    // boxes without a row: which of both it is the shape says.
    let is_empty =
        |c: &InferTensorContents| c.fp32_contents.is_empty() && c.fp64_contents.is_empty();
    let typed = output.contents.as_ref().filter(|contents| !is_empty(contents));
    let values: Vec<f64> = match (output.datatype.as_str(), raw, typed) {
        (FP32, Some(raw), None) => floats(raw, |bytes| f64::from(f32::from_le_bytes(bytes)))?,
        (FP64, Some(raw), None) => floats(raw, f64::from_le_bytes)?,
        (FP32, None, Some(typed)) => typed.fp32_contents.iter().copied().map(f64::from).collect(),
        (FP64, None, Some(typed)) => typed.fp64_contents.clone(),
        (FP32 | FP64, None, None) => Vec::new(),
        _ => return None,
    };
    let sizes = output.shape.iter().map(|size| usize::try_from(*size).ok());
    let shape = sizes.collect::<Option<Vec<usize>>>()?;
    let declared = shape.iter().try_fold(1_usize, |values, size| values.checked_mul(*size))?;
    (values.len() == declared && declared <= most).then_some((shape, values))
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
    use crate::answer::MOST_VALUES;

    fn numbers(answer: &ModelInferResponse, name: &str) -> Option<Vec<f64>> {
        super::numbers(answer, name, MOST_VALUES).map(|(_, values)| values)
    }

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
    fn a_table_without_a_row_needs_no_numbers_and_nothing_else_does_without() {
        for contents in [None, Some(InferTensorContents::default())] {
            let made = |datatype: &str, shape: &[i64]| {
                let mut made = answer(datatype, shape, &[]);
                made.raw_output_contents.clear();
                made.outputs[1].contents.clone_from(&contents);
                numbers(&made, "score")
            };
            assert_eq!(made("FP32", &[0, 5]), Some(Vec::new()));
            assert_eq!(made("FP64", &[1, 0, 5]), Some(Vec::new()));
            assert_eq!(made("INT64", &[0, 5]), None);
            for shape in [&[1, 5][..], &[1], &[]] {
                assert_eq!(made("FP32", shape), None, "{shape:?}");
            }
        }
        assert_eq!(numbers(&answer("FP32", &[0, 5], &[]), "score"), Some(Vec::new()));
    }

    #[test]
    fn bytes_that_could_be_another_outputs_are_nobodys() {
        let mut mixed = answer("FP32", &[1, 1], &0.5_f32.to_le_bytes());
        let contents = InferTensorContents { fp32_contents: vec![0.25], ..Default::default() };
        let mut listed = mixed.outputs[0].clone();
        "listed".clone_into(&mut listed.name);
        listed.contents = Some(contents);
        mixed.outputs.insert(0, listed);
        // What belongs to `score` now stands in the place of `other`, and before that of `listed`.
        for name in ["listed", "other", "score"] {
            assert_eq!(numbers(&mixed, name), None, "{name}");
        }
    }

    #[test]
    fn a_mask_is_taken_in_the_wanted_shape_alone() {
        let raw = [0.5_f32, 0.25].map(f32::to_le_bytes).concat();
        let read = |shape: &[i64]| {
            let answer = answer("FP32", shape, &raw);
            let (shape, values) = super::numbers(&answer, "score", 2)?;
            super::read(&Wanted::Mask(vec![1, 1, 1, 2]), &shape, &values)
        };
        assert_eq!(read(&[1, 1, 1, 2]), Some(ModelAnswer::Tensor(vec![0.5, 0.25])));
        assert_eq!(read(&[1, 1, 2, 1]), None);
        assert_eq!(read(&[1, 2]), None);
        assert_eq!(super::numbers(&answer("FP32", &[1, 2], &raw), "score", 1), None);
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
