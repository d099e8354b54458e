//! Whom the agent trusts with images: the authority that the site named, and no other.

use fedval_inference::{ModelServer, ServedModel, ServerSettings};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tonic::transport::{Identity, ServerTlsConfig};

use crate::oip_server::{OipServer, honest};
use crate::{average, code_of, limits, pinned};

/// An authority and what it certified for `name`.
fn certified(name: &str) -> (String, Identity) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_certificate = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let of_server = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let of_server = of_server.signed_by(&key, &issuer).unwrap();
    (authority_certificate.pem(), Identity::from_pem(of_server.pem(), key.serialize_pem()))
}

#[tokio::test]
async fn images_go_only_to_whom_the_named_authority_certified() {
    let (authority, identity) = certified("localhost");
    let tls = ServerTlsConfig::new().identity(identity);
    let server = OipServer::start_with(honest(&pinned(), average), Some(tls)).await;
    let with = |authorities: &str, host: &str| {
        ModelServer::new(ServerSettings {
            address: format!("https://{host}:{}", server.port),
            authorities: authorities.as_bytes().to_vec(),
            ..server.settings(&pinned())
        })
        .unwrap()
    };
    let site = with(&authority, "localhost");
    let mut model = ServedModel::load(&site, &limits(), &pinned()).await.unwrap();
    assert!(model.scores(&[0.5; 16]).await.is_ok());
    // Another authority of the same name; another name.
    let (other, _) = certified("localhost");
    for wrong in [with(&other, "localhost"), with(&authority, "127.0.0.1")] {
        let refused = ServedModel::load(&wrong, &limits(), &pinned()).await.unwrap_err();
        assert_eq!(code_of(&refused), "MODEL_SERVER_UNREACHABLE");
    }
    // Spoken to in the clear, it says nothing.
    let clear = ModelServer::new(server.settings(&pinned())).unwrap();
    let refused = ServedModel::load(&clear, &limits(), &pinned()).await.unwrap_err();
    assert!(refused.waits().is_some(), "{refused:?}");
    assert_eq!(server.asked().len(), 1, "an image went to somebody else");
}
