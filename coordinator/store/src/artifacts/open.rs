//! Opening the place where artifacts are: a folder, or a bucket by URL.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::{Exit, Problem};
use fedval_core::Artifacts;
use fedval_core::port::ArtifactError;
use object_store::RetryConfig;
use object_store::aws::{AmazonS3, AmazonS3Builder};

use super::credentials::Credentials;
use super::{BucketArtifacts, FolderArtifacts};

/// How often a request is sent again that failed by no fault of its own.
const MOST_RETRIES: usize = 5;
/// And for how long: whoever waits for an artifact asks again by itself.
const RETRY_SECONDS: u64 = 30;

/// How a bucket is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BucketAccess {
    /// The object store's URL; without one, the store of the bucket's first maker.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// A file with `aws_access_key_id` and `aws_secret_access_key`; without one, the role that the
    /// machine has been given.
    pub credentials_file: Option<PathBuf>,
    /// Whether an endpoint other than this machine may be reached without TLS.
    pub allow_http: bool,
}

/// Where artifacts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactsConfig {
    /// In a folder.
    Folder(PathBuf),
    /// In a bucket.
    Bucket {
        /// Its name.
        bucket: String,
        /// What every key begins with; may be empty.
        prefix: String,
        /// How it is reached.
        access: BucketAccess,
    },
}

impl ArtifactsConfig {
    /// Reads an address: a folder, where a relative path begins in `folder`, or
    /// `s3://BUCKET/PREFIX`. Without one: the folder `artifacts` in `folder`.
    ///
    /// # Errors
    ///
    /// [`OpenArtifactsError::Address`] for a URL of another kind, or an endpoint that is none.
    pub fn parse(
        address: Option<&str>,
        access: BucketAccess,
        folder: &Path,
    ) -> Result<Self, OpenArtifactsError> {
        let address = address.unwrap_or("artifacts");
        let Some(place) = address.strip_prefix("s3://") else {
            if address.is_empty() || address.contains("://") {
                return Err(OpenArtifactsError::Address);
            }
            return Ok(Self::Folder(folder.join(address)));
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(OpenArtifactsError::Address);
        }
        let may_be_plain = access.allow_http || access.endpoint.as_deref().is_none_or(is_here);
        let is_plain = access.endpoint.as_deref().is_some_and(|url| url.starts_with("http://"));
        if is_plain && !may_be_plain {
            return Err(OpenArtifactsError::NoTls);
        }
        let credentials_file = access.credentials_file.map(|file| folder.join(file));
        Ok(Self::Bucket {
            bucket: bucket.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            access: BucketAccess { credentials_file, ..access },
        })
    }
}

/// Whether a URL leads to this machine.
fn is_here(url: &str) -> bool {
    let place = url.split_once("://").map_or(url, |(_, place)| place);
    let host = place.split('/').next().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// The place where artifacts are cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenArtifactsError {
    /// The address is none that is known.
    #[error("the address of the artifacts is neither a folder nor `s3://`")]
    Address,
    /// The endpoint would be reached without TLS.
    #[error("the object store's endpoint is on another machine and without TLS")]
    NoTls,
    /// The folder cannot be opened.
    #[error("the folder of artifacts cannot be opened")]
    Folder(#[source] ArtifactError),
    /// The credentials cannot be read.
    #[error("the file with the object store's credentials cannot be read")]
    Credentials(#[source] Option<std::io::Error>),
    /// The object store does not let us in, or is not there.
    #[error("the object store cannot be used")]
    Bucket(#[source] object_store::Error),
}

impl Problem for OpenArtifactsError {
    fn code(&self) -> &'static str {
        match self {
            Self::Address => "ARTIFACTS_ADDRESS",
            Self::NoTls => "ARTIFACTS_NO_TLS",
            Self::Folder(_) => "ARTIFACTS_NOT_OPENED",
            Self::Credentials(_) => "ARTIFACTS_CREDENTIALS",
            Self::Bucket(_) => "ARTIFACTS_NOT_REACHED",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Address => {
                    "set `artifacts` in fedval.toml to a folder or to s3://BUCKET/PREFIX"
                }
                Self::NoTls => {
                    "set `artifacts_endpoint` in fedval.toml to an address that begins with https://"
                }
                Self::Folder(_) => "check that the folder exists and is writable, then start again",
                Self::Credentials(_) => {
                    "set `artifacts_credentials_file` in fedval.toml to a file with \
                     aws_access_key_id and aws_secret_access_key"
                }
                Self::Bucket(_) => {
                    "check `artifacts` and `artifacts_endpoint` in fedval.toml, and that the key \
                     may read, write, list and delete in the bucket"
                }
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Address | Self::NoTls => Exit::Usage,
            Self::Bucket(_) => Exit::Unreachable,
            Self::Folder(_) | Self::Credentials(_) => Exit::Machine,
        }
    }
}

/// Opens the place where artifacts are, and looks whether it answers.
///
/// # Errors
///
/// See [`OpenArtifactsError`].
pub async fn artifacts_open(
    config: &ArtifactsConfig,
) -> Result<Arc<dyn Artifacts>, OpenArtifactsError> {
    match config {
        ArtifactsConfig::Folder(folder) => {
            let artifacts = FolderArtifacts::open(folder).map_err(OpenArtifactsError::Folder)?;
            Ok(Arc::new(artifacts))
        }
        ArtifactsConfig::Bucket { bucket, prefix, access } => {
            let artifacts = BucketArtifacts::new(bucket_open(bucket, access)?, prefix);
            artifacts.look().await.map_err(OpenArtifactsError::Bucket)?;
            Ok(Arc::new(artifacts))
        }
    }
}

fn bucket_open(bucket: &str, access: &BucketAccess) -> Result<AmazonS3, OpenArtifactsError> {
    let retry = RetryConfig {
        max_retries: MOST_RETRIES,
        retry_timeout: Duration::from_secs(RETRY_SECONDS),
        ..RetryConfig::default()
    };
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket).with_retry(retry);
    if let Some(endpoint) = &access.endpoint {
        let is_plain = endpoint.starts_with("http://");
        builder = builder.with_endpoint(endpoint).with_allow_http(is_plain);
    }
    if let Some(region) = &access.region {
        builder = builder.with_region(region);
    }
    if let Some(file) = &access.credentials_file {
        let text = std::fs::read_to_string(file)
            .map_err(|error| OpenArtifactsError::Credentials(Some(error)))?;
        let found = Credentials::parse(&text).ok_or(OpenArtifactsError::Credentials(None))?;
        builder = builder
            .with_access_key_id(found.access_key_id)
            .with_secret_access_key(found.secret_access_key);
        if let Some(token) = found.session_token {
            builder = builder.with_token(token);
        }
    }
    builder.build().map_err(OpenArtifactsError::Bucket)
}
