//! A37: client certificates that are too old, too young, revoked, of another authority, for another
//! name, for another use, or signed by nobody else.

use fedval_ambient::{Entropy as _, OsEntropy, SystemClock};
use fedval_proto as proto;
use fedval_proto::certificate_service_client::CertificateServiceClient;
use fedval_proto::operator_service_client::OperatorServiceClient;
use fedval_tests::raw_client::{Party, Work, authority, download, reason, submit};
use fedval_trust::{Authority, SecretKey};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair,
    KeyUsagePurpose, SanType, date_time_ymd,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::scene::{Scene, Study};

const SITE: &str = "spiffe://fedval/site/site-a";

/// What a certificate says. The default is what the registry would issue.
struct Shape {
    uri: Option<&'static str>,
    usage: ExtendedKeyUsagePurpose,
    years: (i32, i32),
}

impl Default for Shape {
    fn default() -> Self {
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        Self { uri: Some(SITE), usage, years: (2020, 2090) }
    }
}

fn pair(key: &SecretKey) -> KeyPair {
    let der = PrivatePkcs8KeyDer::from(key.to_der());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_ED25519).unwrap()
}

impl Shape {
    fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        let mut name = DistinguishedName::new();
        name.push(DnType::OrganizationName, "fedval");
        name.push(DnType::CommonName, "site/site-a");
        params.distinguished_name = name;
        params.subject_alt_names =
            self.uri.map(|uri| SanType::URI(uri.try_into().unwrap())).into_iter().collect();
        params.not_before = date_time_ymd(self.years.0, 1, 1);
        params.not_after = date_time_ymd(self.years.1, 1, 1);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![self.usage.clone()];
        params.serial_number = Some(OsEntropy.bytes32()[..16].to_vec().into());
        params
    }

    /// Certifies a key with the authority's own.
    fn by(&self, authority: &Authority, key: &SecretKey) -> Party {
        let root = CertificateDer::from(authority.root().der().to_vec());
        let issuer = Issuer::from_ca_cert_der(&root, pair(authority.key())).unwrap();
        let signed = self.params().signed_by(&pair(key), &issuer).unwrap();
        Party { key: key.clone(), certificate: signed.der().to_vec() }
    }

    fn by_itself(&self, key: &SecretKey) -> Party {
        let signed = self.params().self_signed(&pair(key)).unwrap();
        Party { key: key.clone(), certificate: signed.der().to_vec() }
    }
}

/// Every kind of call, each on the channel's own connection.
async fn everything(channel: &Channel, study: &Study) -> Vec<(&'static str, Result<(), Status>)> {
    let site = || CertificateServiceClient::new(channel.clone());
    let operator = || OperatorServiceClient::new(channel.clone());
    let (locked, model) = (&study.locked, &study.locked.protocol().model.digest.0);
    let key = SecretKey::generate(&OsEntropy);
    let fetched = download(channel.clone(), locked.digest().0.as_bytes()).await;
    let status = proto::StudyStatusRequest { study: "chest".to_owned() };
    vec![
        ("work", Work::open(channel.clone(), [9; 32]).await.map(drop)),
        ("the model", download(channel.clone(), model.as_bytes()).await.map(drop)),
        ("the protocol", fetched.map(drop)),
        ("a result", submit(channel.clone(), &key, &study.result("site-a", 1)).await.map(drop)),
        ("its own name", site().check(proto::CheckRequest {}).await.map(drop)),
        ("a new certificate", site().renew(proto::RenewRequest {}).await.map(drop)),
        ("the sites", operator().list_sites(proto::ListSitesRequest {}).await.map(drop)),
        ("the status", operator().study_status(status).await.map(drop)),
    ]
}

/// A coordinator with a study that was sent to `site-a`, which is enrolled.
async fn open_round() -> (Scene, Party, Study) {
    let scene = Scene::start();
    let site = scene.enrol("site-a").await;
    let study = scene.dispatch("chest", &["site-a"]);
    // What would be there to steal: the true certificate gets it.
    let digest = study.locked.protocol().model.digest.0;
    let model = download(scene.target.channel(&site), digest.as_bytes()).await.unwrap();
    assert_eq!(model, study.model);
    (scene, site, study)
}

/// Who denies.
#[derive(Debug, Clone, Copy)]
enum By {
    Tls,
    Registry,
}

/// The certificate opens nothing, whatever is asked for, and the log says why.
async fn is_denied(scene: &Scene, study: &Study, by: By, what: &str, shown: &Party, logged: &str) {
    let before = scene.says(logged);
    let answers = everything(&scene.target.channel(shown), study).await;
    for (call, answer) in answers {
        let Err(refused) = answer else { panic!("{what} gets {call}") };
        let expected = match by {
            // The connection ends: no call was heard.
            By::Tls => "",
            By::Registry => "NOT_ENROLLED",
        };
        assert_eq!(reason(&refused), expected, "{what}: {call}: {refused}");
    }
    scene.says_again(logged, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a37_a_certificate_that_tls_refuses_opens_nothing_though_its_key_is_enrolled() {
    let (scene, site, study) = open_round().await;
    let ours = authority(&scene.consortium.home());
    let other = Authority::create(&SystemClock, &OsEntropy).unwrap();
    let (key, good) = (&site.key, Shape::default);
    let server = ExtendedKeyUsagePurpose::ServerAuth;
    let stolen =
        Party { key: SecretKey::generate(&OsEntropy), certificate: site.certificate.clone() };
    for (what, shown, logged) in [
        ("expired", Shape { years: (2020, 2021), ..good() }.by(&ours, key), "_expired"),
        ("not yet valid", Shape { years: (2089, 2090), ..good() }.by(&ours, key), "_not_yet_valid"),
        ("another authority's", good().by(&other, key), "_forged"),
        ("self-signed", good().by_itself(key), "_foreign"),
        ("for another use", Shape { usage: server, ..good() }.by(&ours, key), "_wrong_use"),
        ("another key's", stolen, "_forged"),
        ("nobody's", Shape { uri: None, ..good() }.by(&ours, key), ""),
        (
            "a stranger's",
            Shape { uri: Some("spiffe://x/site/site-a"), ..good() }.by(&ours, key),
            "",
        ),
    ] {
        let logged = format!("\"client_certificate{logged}\"");
        is_denied(&scene, &study, By::Tls, what, &shown, &logged).await;
    }
    // The same form, made the same way, works: it was not the form that was refused.
    let twin = good().by(&ours, key);
    Work::open(scene.target.channel(&twin), [1; 32]).await.unwrap();
    assert_eq!(scene.status_of("chest", "site-a"), "missing", "no result was taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a37_a_certificate_that_the_registry_does_not_know_so_opens_nothing() {
    let (scene, site, study) = open_round().await;
    let ours = authority(&scene.consortium.home());
    scene.enrol("site-b").await;
    let named = |uri| Shape { uri: Some(uri), ..Shape::default() };
    for (what, uri, logged) in [
        ("another site's name", "spiffe://fedval/site/site-b", "site/site-b"),
        ("an operator's name", "spiffe://fedval/operator/admin", "operator/admin"),
        ("the server's name", "spiffe://fedval/server", "server"),
        ("the sponsor's name", "spiffe://fedval/sponsor", "sponsor"),
        ("the root's name", "spiffe://fedval/root", "root"),
    ] {
        let shown = named(uri).by(&ours, &site.key);
        let logged = format!("code=\"NOT_ENROLLED\" certificate={logged}");
        is_denied(&scene, &study, By::Registry, what, &shown, &logged).await;
    }
    let unknown = named(SITE).by(&ours, &SecretKey::generate(&OsEntropy));
    let logged = "code=\"NOT_ENROLLED\" certificate=site/site-a";
    is_denied(&scene, &study, By::Registry, "a key that nobody enrolled", &unknown, logged).await;
    assert_eq!(scene.status_of("chest", "site-a"), "missing", "no result was taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a37_a_revoked_certificate_opens_nothing_and_its_open_stream_ends() {
    let (scene, site, study) = open_round().await;
    let mut work = Work::open(scene.target.channel(&site), [1; 32]).await.unwrap();
    work.next().await.unwrap();
    assert_eq!(scene.consortium.fedval(&["site", "revoke", "site-a"]).code, 0);
    let ended = work.next().await.unwrap_err();
    assert_eq!((ended.code(), reason(&ended).as_str()), (Code::Unauthenticated, "NOT_ENROLLED"));
    let logged = "code=\"NOT_ENROLLED\" certificate=site/site-a";
    is_denied(&scene, &study, By::Registry, "a revoked site", &site, logged).await;
    // A site that comes back comes with a new key; the old one stays out.
    let again = scene.enrol("site-a").await;
    is_denied(&scene, &study, By::Registry, "a site's old key", &site, logged).await;
    Work::open(scene.target.channel(&again), [2; 32]).await.unwrap();
}
