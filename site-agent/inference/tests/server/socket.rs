//! A server on the same machine that listens at no port.

use std::sync::{Arc, Mutex};

use fedval_inference::{ModelServer, ServedModel, ServerSettings};
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;

use crate::oip_server::{OipServer, honest, service};
use crate::{average, code_of, limits, pinned};

#[tokio::test]
async fn a_server_may_listen_at_a_socket_of_this_machine() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.sock");
    let address = format!("unix://{}", path.display());
    // The settings of a server at some port, and then with another address.
    let settings = ServerSettings { address, ..OipServer::at(9).settings(&pinned()) };
    let site = ModelServer::new(settings).unwrap();
    let absent = ServedModel::load(&site, &limits(), &pinned()).await.unwrap_err();
    assert_eq!(code_of(&absent), "MODEL_SERVER_UNREACHABLE");

    let asked = Arc::new(Mutex::new(Vec::new()));
    let listener = UnixListenerStream::new(UnixListener::bind(&path).unwrap());
    let serving = service(honest(&pinned(), average), Arc::clone(&asked));
    tokio::spawn(Server::builder().add_service(serving).serve_with_incoming(listener));
    let mut model = ServedModel::load(&site, &limits(), &pinned()).await.unwrap();
    let scores = model.scores(&[0.25; 16]).await.unwrap();
    assert!((scores.open_on_site()[0] - 0.25).abs() < 1e-7);
    assert_eq!(asked.lock().unwrap().len(), 1);
}
