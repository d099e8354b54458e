//! A site's inference server: what it is sent, what is made of its answers, and whom the agent speaks to.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

#[path = "../oip_server/mod.rs"]
mod oip_server;
#[path = "../onnx_file/mod.rs"]
mod onnx_file;
mod socket;
mod tls;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fedval_ambient::Problem as _;
use fedval_inference::{
    InferenceLimits, LoadError, ModelServer, ScoreError, ServedModel, ServerSettings,
};
use fedval_proto::inference::{ModelInferRequest, ModelInferResponse, ModelMetadataResponse};
use fedval_study::protocol::ModelSpecification;
use oip_server::{Answer, Behaviour, NAME, OipServer, VERSION, answer, honest};
use onnx_file::specification;
use tokio::sync::Barrier;
use tonic::{Code, Status};

/// What is in every text that a server sends: none of it comes out.
const CANARY: &str = "ZZCANARY";

fn limits() -> InferenceLimits {
    InferenceLimits { load_seconds: 20, case_seconds: 20, ..InferenceLimits::default() }
}

fn pinned() -> ModelSpecification {
    specification(b"the sponsor's file")
}

/// The average of an image.
#[expect(clippy::cast_precision_loss, reason = "sixteen pixels")]
fn average(image: &[f32]) -> f32 {
    image.iter().sum::<f32>() / image.len() as f32
}

fn code_of(error: &LoadError) -> &'static str {
    let told = format!("{error} {error:?} {:?}", error.remedy());
    assert!(!told.contains(CANARY), "{told}");
    error.code()
}

async fn loads(behaviour: Behaviour) -> Result<ServedModel, LoadError> {
    let server = OipServer::start(behaviour).await;
    ServedModel::load(&server.for_model(&pinned()), &limits(), &pinned()).await
}

#[tokio::test]
async fn a_server_is_sent_the_tensor_and_nothing_else_of_a_case() {
    let server = OipServer::start(honest(&pinned(), average)).await;
    let site = server.for_model(&pinned());
    assert!(site.check().await.is_ok());
    let mut model = ServedModel::load(&site, &limits(), &pinned()).await.unwrap();
    let tensor: Vec<f32> = (0_u8..16).map(|place| f32::from(place) / 16.0).collect();
    for image in [&tensor[..], &[0.25; 16]] {
        let scores = model.scores(image).await.unwrap();
        let expected = f64::from(average(image));
        assert!((scores.open_on_site()[0] - expected).abs() < 1e-7);
    }
    // An image of another size never reaches the server.
    for values in [0, 15, 17] {
        let refused = model.scores(&vec![0.5; values]).await.err();
        assert_eq!(refused, Some(ScoreError::Invalid));
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    for (request, image) in asked.iter().zip([&tensor[..], &[0.25; 16]]) {
        assert_eq!((request.model_name.as_str(), request.model_version.as_str()), (NAME, VERSION));
        assert_eq!(request.id, "");
        assert_eq!((request.inputs.len(), request.outputs.len()), (1, 1));
        assert_eq!(request.inputs[0].name, "image");
        assert_eq!(request.inputs[0].datatype, "FP32");
        assert_eq!(request.inputs[0].shape, [1, 1, 4, 4]);
        assert_eq!(request.outputs[0].name, "score");
        let bytes: Vec<u8> = image.iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(request.raw_input_contents, [bytes]);
    }
}

#[tokio::test]
async fn only_a_model_that_a_person_confirmed_is_asked_for() {
    let server = OipServer::start(honest(&pinned(), average)).await;
    let other = specification(b"another sponsor's file");
    let refused = ServedModel::load(&server.for_model(&pinned()), &limits(), &other).await;
    let refused = refused.unwrap_err();
    assert_eq!((code_of(&refused), refused.waits()), ("MODEL_NOT_CONFIRMED", Some(false)));
    assert!(refused.remedy().unwrap().contains("SHA-256"));
}

#[tokio::test]
async fn a_server_that_is_not_there_or_does_not_serve_is_waited_for() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = OipServer::at(gone.local_addr().unwrap().port());
    drop(gone);
    let site = server.for_model(&pinned());
    let refused = ServedModel::load(&site, &limits(), &pinned()).await.unwrap_err();
    assert_eq!((code_of(&refused), refused.waits()), ("MODEL_SERVER_UNREACHABLE", Some(true)));
    assert_eq!(code_of(&site.check().await.unwrap_err()), "MODEL_SERVER_UNREACHABLE");

    let is_honest = || honest(&pinned(), average);
    for behaviour in
        [Behaviour { live: false, ..is_honest() }, Behaviour { ready: false, ..is_honest() }]
    {
        let refused = loads(behaviour).await.unwrap_err();
        assert_eq!((code_of(&refused), refused.waits()), ("MODEL_SERVER_NOT_READY", Some(true)));
    }
    // It has no model of that name.
    let server = OipServer::start(is_honest()).await;
    let mut settings = server.settings(&pinned());
    for model in settings.models.values_mut() {
        "other".clone_into(&mut model.name);
    }
    let site = ModelServer::new(settings).unwrap();
    assert_eq!(code_of(&site.check().await.unwrap_err()), "MODEL_SERVER_NOT_READY");
}

#[tokio::test]
async fn a_model_that_takes_or_gives_something_else_is_refused() {
    let is_honest = honest(&pinned(), average);
    let mut taller = is_honest.clone();
    taller.metadata.inputs[0].shape = vec![-1, 1, 8, 4];
    assert_eq!(code_of(&loads(taller).await.unwrap_err()), "MODEL_INPUT_MISMATCH");
    let mut unnamed = is_honest;
    CANARY.clone_into(&mut unnamed.metadata.outputs[0].name);
    let refused = loads(unnamed).await.unwrap_err();
    assert_eq!((code_of(&refused), refused.waits()), ("MODEL_OUTPUT_MISMATCH", None));
}

/// A server that answers every request in the same way.
fn answering(made: Result<ModelInferResponse, Status>) -> Behaviour {
    let infer = move |_: &[f32]| {
        let made = made.clone();
        Box::pin(async move { made }) as Answer
    };
    Behaviour { infer: Arc::new(infer), ..honest(&pinned(), average) }
}

/// Says of its model what KServe says unless the model's code sees to it.
fn undescribed(behaviour: Behaviour) -> Behaviour {
    Behaviour { metadata: ModelMetadataResponse::default(), ..behaviour }
}

#[tokio::test]
async fn a_model_of_which_its_server_says_nothing_is_shown_an_image_of_nothing() {
    let server = OipServer::start(undescribed(honest(&pinned(), average))).await;
    let site = server.for_model(&pinned());
    let mut model = ServedModel::load(&site, &limits(), &pinned()).await.unwrap();
    assert!(model.scores(&[0.5; 16]).await.is_ok());
    let asked = server.asked();
    let [shown, asked] = &asked[..] else { panic!("{} requests", asked.len()) };
    assert_eq!(shown.raw_input_contents, [vec![0_u8; 64]]);
    let image = asked.raw_input_contents.clone();
    assert_eq!(ModelInferRequest { raw_input_contents: image, ..shown.clone() }, *asked);

    for (made, code, waits) in [
        (Ok(answer("other", &[1, 1], &[0; 4])), "MODEL_OUTPUT_MISMATCH", None),
        (Ok(answer("score", &[1, 0], &[])), "MODEL_OUTPUT_MISMATCH", None),
        (Err(Status::invalid_argument(CANARY)), "MODEL_SERVER_REFUSED", Some(false)),
        // So MLServer and KServe say that a model takes another image.
        (Err(Status::internal(CANARY)), "MODEL_SERVER_REFUSED", Some(false)),
        (Err(Status::not_found(CANARY)), "MODEL_SERVER_NOT_READY", Some(true)),
        (Err(Status::unavailable(CANARY)), "MODEL_SERVER_UNREACHABLE", Some(true)),
    ] {
        let refused = loads(undescribed(answering(made))).await.unwrap_err();
        assert_eq!((code_of(&refused), refused.waits()), (code, waits));
    }
    // Nothing may have no score.
    let no_score = answer("score", &[1, 1], &f32::NEG_INFINITY.to_le_bytes());
    assert!(loads(undescribed(answering(Ok(no_score)))).await.is_ok());
    // Whoever says something is held to it.
    let mut half = honest(&pinned(), average);
    half.metadata.inputs.clear();
    assert_eq!(code_of(&loads(half).await.unwrap_err()), "MODEL_INPUT_MISMATCH");
}

#[tokio::test]
async fn an_answer_that_is_no_score_fails_its_case_and_a_failing_server_none() {
    let one = |value: f32| answer("score", &[1, 1], &value.to_le_bytes());
    let mut many = answer("score", &[1, 1], &0.5_f32.to_le_bytes());
    many.raw_output_contents = vec![vec![0; 2 << 20].into()];
    for (made, expected) in [
        (Ok(one(f32::NAN)), ScoreError::Invalid),
        (Ok(one(1.5)), ScoreError::Invalid),
        (Ok(answer("other", &[1, 1], &[0; 4])), ScoreError::Invalid),
        (Ok(answer("score", &[1, 2], &[0; 4])), ScoreError::Invalid),
        (Ok(ModelInferResponse::default()), ScoreError::Invalid),
        (Err(Status::internal(CANARY)), ScoreError::ServerGone),
        (Err(Status::unavailable(CANARY)), ScoreError::ServerGone),
        (Err(Status::new(Code::PermissionDenied, CANARY)), ScoreError::ServerRefused),
        (Err(Status::invalid_argument(CANARY)), ScoreError::ServerRefused),
    ] {
        let mut model = loads(answering(made)).await.unwrap();
        let refused = model.scores(&[0.5; 16]).await.unwrap_err();
        assert_eq!(refused, expected);
        assert!(!format!("{refused} {refused:?} {:?}", refused.remedy()).contains(CANARY));
        // The next case can be asked for.
        assert_eq!(model.scores(&[0.5; 16]).await.err(), Some(expected));
    }
    // More than any answer has is not taken into memory.
    let mut model = loads(answering(Ok(many))).await.unwrap();
    let refused = model.scores(&[0.5; 16]).await.unwrap_err();
    assert!(refused.waits().is_some(), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_left() {
    let infer = |_: &[f32]| Box::pin(std::future::pending()) as Answer;
    let silent = Behaviour { infer: Arc::new(infer), ..honest(&pinned(), average) };
    let server = OipServer::start(silent).await;
    let limits = InferenceLimits { case_seconds: 1, ..limits() };
    let site = server.for_model(&pinned());
    let mut model = ServedModel::load(&site, &limits, &pinned()).await.unwrap();
    assert_eq!(model.scores(&[0.5; 16]).await.err(), Some(ScoreError::ServerGone));
    let no_time = InferenceLimits { load_seconds: 0, ..limits };
    let refused = ServedModel::load(&site, &no_time, &pinned()).await.unwrap_err();
    assert_eq!(code_of(&refused), "MODEL_SERVER_UNREACHABLE");
}

/// A server that answers 0.5 once `before` is over.
fn after<F: Future<Output = ()> + Send + 'static>(
    before: impl Fn() -> F + Send + Sync + 'static,
) -> Behaviour {
    let infer = move |_: &[f32]| {
        let before = before();
        Box::pin(async move {
            before.await;
            Ok(answer("score", &[1, 1], &0.5_f32.to_le_bytes()))
        }) as Answer
    };
    Behaviour { infer: Arc::new(infer), ..honest(&pinned(), average) }
}

/// Two models of one server, each asked for a case.
async fn both(behaviour: Behaviour, parallel_requests: usize) -> [bool; 2] {
    let server = OipServer::start(behaviour).await;
    let settings = ServerSettings { parallel_requests, ..server.settings(&pinned()) };
    let site = ModelServer::new(settings).unwrap();
    let mut one = ServedModel::load(&site, &limits(), &pinned()).await.unwrap();
    let mut other = ServedModel::load(&site, &limits(), &pinned()).await.unwrap();
    let image = [0.5; 16];
    let (one, other) = tokio::join!(one.scores(&image), other.scores(&image));
    [one.is_ok(), other.is_ok()]
}

#[tokio::test]
async fn no_more_is_asked_at_once_than_the_site_allows() {
    // Whoever is answered has met another one.
    let meeting = Arc::new(Barrier::new(2));
    let meets = move || {
        let meeting = Arc::clone(&meeting);
        async move {
            meeting.wait().await;
        }
    };
    assert_eq!(both(after(meets), 2).await, [true, true]);

    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let counts = move || {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            // Whatever else is on its way arrives meanwhile.
            tokio::time::sleep(Duration::from_millis(50)).await;
            now.fetch_sub(1, Ordering::SeqCst);
        }
    };
    assert_eq!(both(after(counts), 1).await, [true, true]);
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

/// A page that sends the agent elsewhere, as a web proxy or a login does.
#[tokio::test]
async fn a_redirect_is_followed_nowhere() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let page = TcpListener::bind("127.0.0.1:0").unwrap();
    let (to, port) = (elsewhere.local_addr().unwrap(), page.local_addr().unwrap().port());
    let told = format!("HTTP/1.1 302 Found\r\nLocation: http://{to}/\r\nContent-Length: 0\r\n\r\n");
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = page.accept() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(told.as_bytes());
        }
    });
    let server = OipServer::at(port);
    let refused = server.for_model(&pinned()).check().await.unwrap_err();
    assert!(refused.waits().is_some(), "{refused:?}");
    elsewhere.set_nonblocking(true).unwrap();
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
