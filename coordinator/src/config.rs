//! `fedval.toml`, written by `fedval init`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// The coordinator's configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Address and port the server listens on. Default: 127.0.0.1:7443.
    pub(crate) listen: SocketAddr,
    /// Where operator commands and sites reach the server, such as https://fedval.example.org:7443.
    pub(crate) url: String,
}
