//! Why an inference server cannot be what the configuration says.

use fedval_ambient::{Exit, Problem};

/// Why an inference server cannot be asked. Its address is the steward's own and is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address is none.
    #[error("the address of the inference server cannot be understood")]
    BadAddress,
    /// Images would cross a network for everybody to read.
    #[error("the inference server is on another machine and spoken to without TLS")]
    WithoutTls,
    /// The authority is no certificate.
    #[error("the authority that certified the inference server cannot be read")]
    BadAuthority,
}

impl Problem for ServerError {
    fn code(&self) -> &'static str {
        match self {
            Self::BadAddress => "MODEL_SERVER_ADDRESS_INVALID",
            Self::WithoutTls => "MODEL_SERVER_WITHOUT_TLS",
            Self::BadAuthority => "MODEL_SERVER_CA_INVALID",
        }
    }

    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::BadAddress => {
                "write `server` in [inference] of agent.toml as https://HOST:PORT, \
                 http://127.0.0.1:PORT or unix:///PATH, without a password"
            }
            Self::WithoutTls => {
                "let the server, or a proxy before it, speak TLS and write https://; http:// is for \
                 this machine alone"
            }
            Self::BadAuthority => {
                "write as `ca` in [inference] of agent.toml a file with the authority's certificate in \
                 PEM"
            }
        };
        Some(text.to_owned())
    }

    fn exit(&self) -> Exit {
        Exit::Usage
    }
}
