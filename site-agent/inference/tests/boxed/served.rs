//! Three engines on the same models: the embedded one, ONNX Runtime in a box, and a server that others wrote, over
//! the Open Inference Protocol. Each server goes through the same.

use fedval_ambient::Problem as _;
use fedval_inference::{LoadError, ModelServer, ScoreError, ServedModel};
use fedval_study::digest::Sha256Digest;
use fedval_study::protocol::ModelSpecification;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tract_onnx::pb::GraphProto;

use crate::onnx_file::{bytes, specification, tiny_cnn, value};
use crate::onnx_runtime::load_here_as;
use crate::real_server::{Loaded, Maker, RealServer, only_images_differ};
use crate::{CANARY, LIMITS, Radiographs, load, radiographs, score, trial};

/// Rows and columns of an image that few servers take: larger than they let a message be, unless told to.
const LARGE: u16 = 2048;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("three_engines_agree_one_of_them_behind_mlserver", works(Maker::MlServer)),
        trial("three_engines_agree_one_of_them_behind_kserve", works(Maker::KServe)),
        trial("three_engines_agree_one_of_them_behind_triton", works(Maker::Triton)),
    ]
}

async fn works(maker: Maker) {
    let tiny = bytes(tiny_cnn());
    let pinned = specification(&tiny);
    let (wider, of_wider) = sized(8);
    let (large, of_large) = sized(LARGE);
    let undescribed = |model: Loaded| Loaded { is_described: false, ..model };
    let mut models = vec![
        Loaded::new("tiny", &tiny, &pinned),
        undescribed(Loaded::new("undescribed", &tiny, &pinned)),
        Loaded { fault: CANARY, ..Loaded::new("faulty", &tiny, &pinned) },
        Loaded::new("wider", &wider, &of_wider),
        undescribed(Loaded::new("wider-undescribed", &wider, &of_wider)),
        Loaded::new("large", &large, &of_large),
    ];
    models.retain(|model| model.is_described || maker.serves_undescribed());
    // Where that data set is at hand.
    let radiographs = radiographs();
    if let Some(Radiographs { model, specification, .. }) = &radiographs {
        models.push(Loaded::new("radiographs", model, specification));
    }
    let server = RealServer::start(maker, &models);
    agrees_on_small_images(&server, &tiny, &pinned).await;
    if let Some(Radiographs { model, specification, cases }) = radiographs {
        let site = server.serving(specification.digest.0, "radiographs").await;
        let images: Vec<Vec<f32>> = cases.into_iter().map(|(image, _)| image).collect();
        agrees(&site, &model, &specification, &images).await;
        let sent = only_images_differ(server.sent("radiographs"));
        assert_eq!(sent, twice(&images));
    }
    tells_other_models(&server, &pinned).await;
    keeps_its_words(&server, &pinned).await;
    if maker.limits_messages() {
        takes_no_large_image(&server, &of_large).await;
    }
    agrees_on_small_images(&server, &tiny, &pinned).await;
}

/// Of a model that is described and one that is not, those that the server serves.
fn served_of<'m, T>(server: &RealServer, models: &'m [T; 2]) -> &'m [T] {
    if server.maker.serves_undescribed() { models } else { &models[..1] }
}

/// The same model for square images of another size.
fn sized(size: u16) -> (Vec<u8>, ModelSpecification) {
    let pixels = Some(i64::from(size));
    let input = vec![value("image", &[None, Some(1), pixels, pixels])];
    let file = bytes(GraphProto { input, ..tiny_cnn() });
    let mut specification = specification(&file);
    specification.input.height = size.into();
    specification.input.width = size.into();
    (file, specification)
}

/// Scores, and what they were made of, of the model that a server describes and of the one that it does not.
async fn agrees_on_small_images(server: &RealServer, tiny: &[u8], pinned: &ModelSpecification) {
    let tensor: Vec<f32> = (0_u8..16).map(|place| 0.5 + f32::from(place) / 40.0).collect();
    let images = [vec![0.5; 16], vec![1.0; 16], tensor];
    let models = [("tiny", None), ("undescribed", Some(digest(&[0.0; 16])))];
    for (name, shown_first) in served_of(server, &models).iter().cloned() {
        let before = server.sent(name).len();
        let site = server.serving(pinned.digest.0, name).await;
        agrees(&site, tiny, pinned, &images).await;
        let sent: Vec<Value> = server.sent(name).split_off(before);
        let first = &sent[0];
        assert_eq!((&first["id"], &first["input"]), (&json!(""), &json!("image")));
        assert_eq!(first["shape"], json!([1, 1, 4, 4]));
        assert_eq!((&first["datatype"], &first["outputs"]), (&json!("float32"), &json!(["score"])));
        let expected: Vec<String> = shown_first.into_iter().chain(twice(&images)).collect();
        assert_eq!(only_images_differ(sent), expected);
    }
}

/// Three engines on `images`, each of which the server is sent twice.
async fn agrees(
    site: &ModelServer,
    model: &[u8],
    specification: &ModelSpecification,
    images: &[Vec<f32>],
) {
    let mut embedded = load(specification, model).await.unwrap();
    let mut runtime = load_here_as(specification, model).await.unwrap();
    let mut remote = ServedModel::load(site, &LIMITS, specification).await.unwrap();
    for image in images {
        let one = score(&mut embedded, image).await.unwrap();
        let other = score(&mut runtime, image).await.unwrap();
        let third = remote.scores(image).await.unwrap().open_on_site()[0];
        assert!((one - other).abs() < 1e-4, "{one} and {other}");
        assert!((one - third).abs() < 1e-4, "{one} and {third}");
        let again = remote.scores(image).await.unwrap().open_on_site()[0];
        assert_eq!(third.to_bits(), again.to_bits());
    }
}

/// Models that a steward named by mistake.
async fn tells_other_models(server: &RealServer, pinned: &ModelSpecification) {
    let models = [
        // The server says that it takes another image.
        ("wider", "MODEL_INPUT_MISMATCH"),
        // It says nothing, and fails when it is shown one.
        ("wider-undescribed", "MODEL_SERVER_REFUSED"),
    ];
    for &(name, code) in served_of(server, &models) {
        let site = server.serving(pinned.digest.0, name).await;
        let refused = ServedModel::load(&site, &LIMITS, pinned).await.unwrap_err();
        assert_eq!(refused.code(), code, "{name}");
    }
    let site = server.names(&[(pinned.digest.0, "absent")]);
    let refused = ServedModel::load(&site, &LIMITS, pinned).await.unwrap_err();
    assert!(matches!(refused, LoadError::ServerNotReady), "{refused:?}");
}

/// A model that fails with words of its own: the server has them, and the agent does not.
async fn keeps_its_words(server: &RealServer, pinned: &ModelSpecification) {
    let site = server.serving(pinned.digest.0, "faulty").await;
    let mut model = ServedModel::load(&site, &LIMITS, pinned).await.unwrap();
    let refused = model.scores(&[0.5; 16]).await.unwrap_err();
    assert_eq!(refused, ScoreError::ServerGone);
    assert!(server.log().contains(CANARY), "it said nothing");
    let told = format!("{refused} {refused:?} {:?} {model:?}", refused.remedy());
    assert!(!told.contains("ZZCANARY"), "{told}");
}

/// An image that is larger than the server takes says nothing of its case.
async fn takes_no_large_image(server: &RealServer, of_large: &ModelSpecification) {
    let site = server.serving(of_large.digest.0, "large").await;
    let mut model = ServedModel::load(&site, &LIMITS, of_large).await.unwrap();
    let pixels = usize::from(LARGE) * usize::from(LARGE);
    let refused = model.scores(&vec![0.5; pixels]).await.unwrap_err();
    assert!(refused.waits().is_some(), "{refused:?}");
    assert!(server.sent("large").is_empty(), "it takes such images by now");
}

fn twice(images: &[Vec<f32>]) -> Vec<String> {
    images.iter().flat_map(|image| [digest(image), digest(image)]).collect()
}

fn digest(image: &[f32]) -> String {
    let bytes: Vec<u8> = image.iter().flat_map(|value| value.to_le_bytes()).collect();
    Sha256Digest::of(&bytes).to_string()
}
