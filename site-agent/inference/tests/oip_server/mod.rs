//! A small inference server for tests, asked over a real connection: it answers as a test wants, also wrongly.

#![allow(dead_code, reason = "every test that includes this module uses another part of it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fedval_inference::{ModelServer, ServedName, ServerSettings};
use fedval_proto::inference::grpc_inference_service_server::{
    GrpcInferenceService, GrpcInferenceServiceServer,
};
use fedval_proto::inference::model_infer_response::InferOutputTensor;
use fedval_proto::inference::model_metadata_response::TensorMetadata;
use fedval_proto::inference::{
    ModelInferRequest, ModelInferResponse, ModelMetadataRequest, ModelMetadataResponse,
    ModelReadyRequest, ModelReadyResponse, ServerLiveRequest, ServerLiveResponse,
    ServerReadyRequest, ServerReadyResponse,
};
use fedval_study::protocol::{Layout, ModelSpecification};
use prost::bytes::Bytes;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// What the server calls the model.
pub(crate) const NAME: &str = "served";
pub(crate) const VERSION: &str = "3";

/// What becomes of a request.
pub(crate) type Infer = dyn Fn(&[f32]) -> Answer + Send + Sync;

/// An answer, some time.
pub(crate) type Answer =
    std::pin::Pin<Box<dyn Future<Output = Result<ModelInferResponse, Status>> + Send>>;

/// How the server behaves.
#[derive(Clone)]
pub(crate) struct Behaviour {
    pub(crate) live: bool,
    pub(crate) ready: bool,
    pub(crate) metadata: ModelMetadataResponse,
    pub(crate) infer: Arc<Infer>,
}

/// A server that scores the model of `specification` as `score` says, with one value.
pub(crate) fn honest(
    specification: &ModelSpecification,
    score: impl Fn(&[f32]) -> f32 + Send + Sync + 'static,
) -> Behaviour {
    let (input, output) = (&specification.input, &specification.output);
    let [height, width, channels] = [input.height, input.width, input.channels].map(i64::from);
    let shape = match input.layout {
        Layout::Nchw => vec![-1, channels, height, width],
        Layout::Nhwc => vec![-1, height, width, channels],
    };
    let tensor = |name: &str, shape| TensorMetadata {
        name: name.to_owned(),
        datatype: "FP32".to_owned(),
        shape,
    };
    let metadata = ModelMetadataResponse {
        name: NAME.to_owned(),
        inputs: vec![tensor(&input.name, shape)],
        outputs: vec![tensor(&output.name, vec![-1, 1])],
        ..ModelMetadataResponse::default()
    };
    let name = output.name.clone();
    let infer = move |image: &[f32]| {
        let made = answer(&name, &[1, 1], &score(image).to_le_bytes());
        Box::pin(async move { Ok(made) }) as Answer
    };
    Behaviour { live: true, ready: true, metadata, infer: Arc::new(infer) }
}

/// An answer with one output of 32-bit floats.
pub(crate) fn answer(name: &str, shape: &[i64], raw: &[u8]) -> ModelInferResponse {
    ModelInferResponse {
        outputs: vec![InferOutputTensor {
            name: name.to_owned(),
            datatype: "FP32".to_owned(),
            shape: shape.to_vec(),
            contents: None,
        }],
        raw_output_contents: vec![Bytes::copy_from_slice(raw)],
        ..ModelInferResponse::default()
    }
}

/// A running server; it ends with the test's runtime.
pub(crate) struct OipServer {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<ModelInferRequest>>>,
}

impl OipServer {
    /// Whoever listens at `port`, if anybody does.
    pub(crate) fn at(port: u16) -> Self {
        Self { port, asked: Arc::default() }
    }

    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        Self::start_with(behaviour, None).await
    }

    /// The same with TLS, where `tls` is given.
    pub(crate) async fn start_with(behaviour: Behaviour, tls: Option<ServerTlsConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let service = service(behaviour, Arc::clone(&asked));
        let mut server = Server::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls).unwrap();
        }
        let serving = server.add_service(service).serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(serving);
        Self { port, asked }
    }

    /// The server as a site would name it, for the model of `specification`.
    pub(crate) fn settings(&self, specification: &ModelSpecification) -> ServerSettings {
        let name = ServedName { name: NAME.to_owned(), version: VERSION.to_owned() };
        ServerSettings {
            address: format!("http://127.0.0.1:{}", self.port),
            authorities: Vec::new(),
            models: BTreeMap::from([(specification.digest.0, name)]),
            parallel_requests: 4,
        }
    }

    pub(crate) fn for_model(&self, specification: &ModelSpecification) -> ModelServer {
        ModelServer::new(self.settings(specification)).unwrap()
    }

    /// What it was sent.
    pub(crate) fn asked(&self) -> Vec<ModelInferRequest> {
        self.asked.lock().unwrap().clone()
    }
}

/// What answers, and notes down what it was sent.
pub(crate) fn service(
    behaviour: Behaviour,
    asked: Arc<Mutex<Vec<ModelInferRequest>>>,
) -> GrpcInferenceServiceServer<Service> {
    GrpcInferenceServiceServer::new(Service { behaviour, asked })
}

pub(crate) struct Service {
    behaviour: Behaviour,
    asked: Arc<Mutex<Vec<ModelInferRequest>>>,
}

#[tonic::async_trait]
impl GrpcInferenceService for Service {
    async fn server_live(
        &self,
        _: Request<ServerLiveRequest>,
    ) -> Result<Response<ServerLiveResponse>, Status> {
        Ok(Response::new(ServerLiveResponse { live: self.behaviour.live }))
    }

    async fn server_ready(
        &self,
        _: Request<ServerReadyRequest>,
    ) -> Result<Response<ServerReadyResponse>, Status> {
        Ok(Response::new(ServerReadyResponse { ready: true }))
    }

    async fn model_ready(
        &self,
        request: Request<ModelReadyRequest>,
    ) -> Result<Response<ModelReadyResponse>, Status> {
        let ModelReadyRequest { name, version } = request.into_inner();
        if (name.as_str(), version.as_str()) != (NAME, VERSION) {
            return Err(Status::not_found("ZZCANARY"));
        }
        Ok(Response::new(ModelReadyResponse { ready: self.behaviour.ready }))
    }

    async fn model_metadata(
        &self,
        _: Request<ModelMetadataRequest>,
    ) -> Result<Response<ModelMetadataResponse>, Status> {
        Ok(Response::new(self.behaviour.metadata.clone()))
    }

    async fn model_infer(
        &self,
        request: Request<ModelInferRequest>,
    ) -> Result<Response<ModelInferResponse>, Status> {
        let request = request.into_inner();
        let raw = request.raw_input_contents.first().cloned().unwrap_or_default();
        self.asked.lock().unwrap().push(request);
        let (values, _) = raw.as_chunks::<4>();
        let image: Vec<f32> = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        (self.behaviour.infer)(&image).await.map(Response::new)
    }
}
