//! An S3 server for one test: the protocol over HTTP, with signatures, over files in a folder.

use std::fs;
use std::path::PathBuf;

use fedval_store::{ArtifactsConfig, BucketAccess};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The one bucket.
pub(crate) const BUCKET: &str = "models";
const ACCESS_KEY: &str = "ours";
const SECRET_KEY: &str = "s3cret/horse+staple=";

/// A running server.
#[derive(Debug)]
pub(crate) struct S3Server {
    folder: TempDir,
    endpoint: String,
    serving: JoinHandle<()>,
}

impl S3Server {
    /// Starts a server with one empty bucket.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("data").join(BUCKET)).expect("a bucket");
        fs::write(
            folder.path().join("credentials"),
            format!("[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"),
        )
        .expect("the folder is writable");
        let files = FileSystem::new(folder.path().join("data")).expect("the folder is there");
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = service.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let http = Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { folder, endpoint, serving }
    }

    /// How its bucket is reached.
    pub(crate) fn config(&self, prefix: &str) -> ArtifactsConfig {
        let access = BucketAccess {
            endpoint: Some(self.endpoint.clone()),
            region: Some("eu-central-1".to_owned()),
            credentials_file: Some("credentials".into()),
            allow_http: false,
        };
        let address = format!("s3://{BUCKET}/{prefix}");
        ArtifactsConfig::parse(Some(&address), access, self.folder.path()).expect("an address")
    }

    /// The file with its keys.
    pub(crate) fn credentials_file(&self) -> PathBuf {
        self.folder.path().join("credentials")
    }

    /// Where it keeps the bucket's objects.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.folder.path().join("data").join(BUCKET)
    }

    /// Where it keeps parts of uploads that nobody finished.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
