//! Whole evaluations with other engines: a server over a real connection, ONNX Runtime in the box, two at once.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use fedval_ambient::Problem as _;
use fedval_evaluate::Progress;
use fedval_inference::{ModelEngine, ModelServer, RuntimeLibrary, ServerSettings};
use fedval_study::{FailedStage, Sha256Digest};
use tonic::Status;

use crate::oip_server::{Answer, Behaviour, OipServer, honest};
use crate::onnx_file;
use crate::real_server::{Loaded, Maker, RealServer, only_images_differ};
use crate::site::{CASES, Site, overall};

/// Cases that two engines look at.
const COMPARED: usize = 10;

/// Cases that go through the model again.
const AGAIN: usize = 20;

/// What the site's model says of an image: the logarithm of its average.
#[expect(clippy::cast_precision_loss, reason = "sixteen pixels")]
fn logarithm(image: &[f32]) -> f32 {
    (image.iter().sum::<f32>() / image.len() as f32).ln()
}

/// A server that has the site's model, or something near it.
async fn server(site: &Site, score: impl Fn(&[f32]) -> f32 + Send + Sync + 'static) -> OipServer {
    OipServer::start(honest(&site.protocol.model, score)).await
}

fn engine(site: &Site, server: &OipServer) -> ModelEngine {
    ModelEngine::Server(server.for_model(&site.protocol.model))
}

pub(crate) async fn serves() {
    let mut site = Site::new().await;
    let embedded = site.run("chest-r1").await.unwrap();
    let server = server(&site, logarithm).await;
    site.engine = engine(&site, &server);
    let remote = site.run("chest-r2").await.unwrap();
    assert_eq!(overall(&remote).ranks.doubled_u, overall(&embedded).ranks.doubled_u);
    assert_eq!(overall(&remote).operating_points, overall(&embedded).operating_points);
    assert!(remote.failures.is_empty());
    let asked = server.asked();
    assert_eq!(asked.len(), CASES + AGAIN);
    for request in asked {
        assert_eq!(request.id, "", "nothing names a case");
    }
}

/// A site that changes its engine in the middle of a job: scores of two engines are not mixed.
pub(crate) async fn changes() {
    let mut site = Site::new().await;
    let embedded = site.run("chest-r1").await.unwrap();
    let server = server(&site, logarithm).await;
    site.engine = engine(&site, &server);
    let remote = site.run("chest-r1").await.unwrap();
    assert_eq!(server.asked().len(), CASES + AGAIN, "every case was scored anew");
    assert_eq!(overall(&remote).ranks.doubled_u, overall(&embedded).ranks.doubled_u);
    // What the same engine has done is not done again.
    site.run("chest-r1").await.unwrap();
    assert_eq!(server.asked().len(), CASES + 2 * AGAIN);
}

pub(crate) async fn agrees() {
    let mut site = Site::new().await;
    let alone = site.run("chest-r1").await.unwrap();
    // A little less than what is let pass.
    let server = server(&site, |image| logarithm(image) + 8e-5).await;
    site.second_engine = Some(engine(&site, &server));
    let progress = Progress::default();
    let compared = site.run_watched("chest-r2", &progress).await.unwrap();
    assert_eq!(overall(&compared), overall(&alone));
    assert_eq!(progress.get(), (CASES + AGAIN, CASES + AGAIN), "what was compared is no case done");
    assert_eq!(server.asked().len(), COMPARED);
}

pub(crate) async fn disagrees() {
    let mut site = Site::new().await;
    let server = server(&site, |image| logarithm(image) + 2e-4).await;
    let remote = engine(&site, &server);
    for (engine, second) in
        [(ModelEngine::Embedded, remote.clone()), (remote, ModelEngine::Embedded)]
    {
        site.engine = engine;
        site.second_engine = Some(second);
        let refused = site.run("chest-r1").await.unwrap_err();
        assert_eq!(refused.code(), "ENGINES_DISAGREE");
        assert_eq!((refused.stage(), refused.waits()), (Some(FailedStage::Evaluation), None));
        assert!(refused.remedy().unwrap().contains("fedval-agent check"));
        assert_eq!(site.cases_done("chest-r1").await, 0);
    }
}

/// The library that `FEDVAL_ONNX_RUNTIME` names; `tests/run.sh` fetches it. Without it this test fails.
fn library() -> RuntimeLibrary {
    let file = std::env::var_os("FEDVAL_ONNX_RUNTIME");
    let file = file.expect("FEDVAL_ONNX_RUNTIME names libonnxruntime.so, as tests/run.sh says");
    let file = PathBuf::from(file);
    let pinned = Sha256Digest::of(&std::fs::read(&file).unwrap());
    RuntimeLibrary::open(&file, &pinned).unwrap()
}

pub(crate) async fn runs_both_here() {
    let mut site = Site::new().await;
    let embedded = site.run("chest-r1").await.unwrap();
    site.engine = ModelEngine::OnnxRuntime(library());
    site.second_engine = Some(ModelEngine::Embedded);
    let both = site.run("chest-r2").await.unwrap();
    assert_eq!(overall(&both).ranks.doubled_u, overall(&embedded).ranks.doubled_u);
    assert_eq!(overall(&both).operating_points, overall(&embedded).operating_points);
}

/// A server that others wrote, beside the embedded engine: what is counted, what it learns, and what becomes of a
/// steward's word that another model is the right one.
pub(crate) async fn runs_on(maker: Maker) {
    let mut site = Site::new().await;
    let alone = site.run("chest-r1").await.unwrap();
    let pinned = site.protocol.model.clone();
    let model = std::fs::read(site.beside("model.onnx")).unwrap();
    let other = onnx_file::bytes(onnx_file::around("Identity"));
    let models = [Loaded::new("right", &model, &pinned), Loaded::new("other", &other, &pinned)];
    let server = RealServer::start(maker, &models);
    let right = ModelEngine::Server(server.serving(pinned.digest.0, "right").await);
    let other = ModelEngine::Server(server.serving(pinned.digest.0, "other").await);

    site.engine = right;
    site.second_engine = Some(ModelEngine::Embedded);
    let remote = site.run("chest-r2").await.unwrap();
    assert_eq!(overall(&remote).ranks.doubled_u, overall(&alone).ranks.doubled_u);
    assert_eq!(overall(&remote).operating_points, overall(&alone).operating_points);
    assert!(remote.failures.is_empty());
    let sent = server.sent("right");
    let told = format!("{sent:?} {}", server.log());
    assert!(!told.contains("CASE") && !told.contains("PATIENT"), "{told}");
    let images = only_images_differ(sent);
    assert_eq!(images.len(), COMPARED + CASES + AGAIN);
    let greys: BTreeSet<u8> = site.rows.iter().map(|row| row.grey).collect();
    assert_eq!(images.into_iter().collect::<BTreeSet<_>>().len(), greys.len());

    for (engine, second) in [(other.clone(), ModelEngine::Embedded), (ModelEngine::Embedded, other)]
    {
        site.engine = engine;
        site.second_engine = Some(second);
        let refused = site.run("chest-r3").await.unwrap_err();
        assert_eq!(refused.code(), "ENGINES_DISAGREE");
        assert_eq!(site.cases_done("chest-r3").await, 0);
    }
    assert_eq!(server.sent("other").len(), 2 * COMPARED);
}

pub(crate) async fn waits() {
    let mut site = Site::new().await;
    // Nobody said what the server has.
    let server = server(&site, logarithm).await;
    let mut settings = server.settings(&site.protocol.model);
    let models = std::mem::take(&mut settings.models);
    site.engine = ModelEngine::Server(ModelServer::new(settings.clone()).unwrap());
    let refused = site.run("chest-r1").await.unwrap_err();
    assert_eq!((refused.code(), refused.waits()), ("MODEL_NOT_CONFIRMED", Some(false)));
    assert_eq!(refused.stage(), None, "it says nothing of the model");
    // Nobody is there.
    let absent = ServerSettings { address: "http://127.0.0.1:9".to_owned(), models, ..settings };
    site.engine = ModelEngine::Server(ModelServer::new(absent).unwrap());
    let refused = site.run("chest-r1").await.unwrap_err();
    assert_eq!((refused.code(), refused.waits()), ("MODEL_SERVER_UNREACHABLE", Some(true)));
    // Later it is, and the job goes on.
    site.engine = engine(&site, &server);
    assert!(site.run("chest-r1").await.unwrap().failures.is_empty());
}

/// A server that is there and fails on a case whenever it is asked does not hold the job for ever.
pub(crate) async fn fails_on_a_case() {
    let mut site = Site::new().await;
    site.lanes = 1;
    let failure = || std::future::ready(Err(Status::internal("no memory left")));
    let infer = move |_: &[f32]| Box::pin(failure()) as Answer;
    let honest = honest(&site.protocol.model, logarithm);
    let failing = OipServer::start(Behaviour { infer: Arc::new(infer), ..honest }).await;
    site.engine = engine(&site, &failing);
    let refused = site.run("chest-r1").await.unwrap_err();
    assert_eq!((refused.code(), refused.waits()), ("MODEL_DIED", None));
    assert_eq!(refused.stage(), Some(FailedStage::Evaluation));
    assert_eq!(failing.asked().len(), 3, "one case, and twice more");
}

pub(crate) async fn drifts() {
    let mut site = Site::new().await;
    let asked = AtomicU8::new(0);
    let server = server(&site, move |image| {
        logarithm(image) + f32::from(asked.fetch_add(1, Ordering::Relaxed)) * 1e-4
    });
    let server = server.await;
    site.engine = engine(&site, &server);
    let refused = site.run("chest-r1").await.unwrap_err();
    assert_eq!(refused.code(), "NONDETERMINISTIC");
}
