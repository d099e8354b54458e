//! Why the coordinator was not reached, told apart so that each has one thing to do about it.

use std::error::Error;

use fedval_ambient::{Exit, Problem, Timestamp};

/// How far a dial comes: each step needs the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DialStep {
    /// The name of the coordinator, or of the proxy, has an address.
    Name,
    /// The port of the coordinator, or of the proxy, takes connections.
    Port,
    /// The proxy, if there is one, opens the way.
    Proxy,
    /// The coordinator itself answers, and proves who it is.
    Tls,
}

/// What a proxy wants to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyAsks {
    /// A user and a password, and it was shown none.
    Credentials,
    /// Another user or another password than it was shown.
    OtherCredentials,
    /// NTLM or Kerberos or something else that this agent does not speak.
    AnotherScheme,
}

/// The coordinator was not reached, or somebody else answered.
///
/// Addresses in it are those of this site's own configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the sentence of each case says what its fields are")]
pub enum DialError {
    #[error("the name {host} has no address here")]
    NameUnknown { host: String },
    #[error("the coordinator at {url} does not answer")]
    Unreachable { url: String },
    #[error("the proxy at {proxy} does not answer")]
    ProxyUnreachable { proxy: String },
    #[error("the proxy at {proxy} shows a certificate that is not trusted here")]
    ProxyCertificate { proxy: String },
    #[error("the proxy at {proxy} asks who this is (407)")]
    ProxyAuthentication { proxy: String, asks: ProxyAsks },
    #[error("the proxy at {proxy} forbids connections to {target} (403)")]
    ProxyForbids { proxy: String, target: String },
    #[error("the proxy at {proxy} does not reach {target}{}", in_brackets(*.status))]
    ProxyCannotReach { proxy: String, target: String, status: Option<u16> },
    #[error("what answers at {proxy} does not open a tunnel as a proxy does{}", in_brackets(*.status))]
    NotAProxy { proxy: String, status: Option<u16> },
    #[error("a web page answers at {at} where the coordinator should")]
    CaptivePage { at: String, step: DialStep },
    #[error("what answers at {url} does not speak TLS")]
    NotTls { url: String },
    #[error("the connection to {url} was cut while TLS began")]
    HandshakeCut { url: String },
    #[error("{url} takes connections and then says nothing")]
    HandshakeSilent { url: String },
    #[error("what answers at {url} does not speak TLS 1.3, and a coordinator does")]
    TlsTooOld { url: String, target: String },
    #[error("what answers at {url} does not offer HTTP/2 (ALPN h2), and a coordinator does")]
    AlpnMissing { url: String, target: String },
    #[error("the certificate at {url} is not the consortium's: it was issued by `{issuer}`")]
    Intercepted { url: String, target: String, issuer: String },
    #[error("whoever answers at {url} is not certified by this consortium's root")]
    WrongRoot { url: String },
    #[error("the coordinator's certificate is not made for the name in {url}")]
    WrongName { url: String },
    #[error(
        "the coordinator's certificate holds from {from} to {until}, and this machine's clock says {now}"
    )]
    NotValidNow { from: Timestamp, until: Timestamp, now: Timestamp },
}

fn in_brackets(status: Option<u16>) -> String {
    status.map(|status| format!(" ({status})")).unwrap_or_default()
}

impl DialError {
    /// The dial error behind another error, if there is one.
    pub(crate) fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            cause = error.source();
        }
        None
    }

    /// The step that failed.
    #[must_use]
    pub const fn step(&self) -> DialStep {
        match self {
            Self::NameUnknown { .. } => DialStep::Name,
            Self::Unreachable { .. } | Self::ProxyUnreachable { .. } => DialStep::Port,
            Self::ProxyCertificate { .. }
            | Self::ProxyAuthentication { .. }
            | Self::ProxyForbids { .. }
            | Self::ProxyCannotReach { .. }
            | Self::NotAProxy { .. } => DialStep::Proxy,
            Self::CaptivePage { step, .. } => *step,
            _ => DialStep::Tls,
        }
    }
}

impl Problem for DialError {
    fn code(&self) -> &'static str {
        match self {
            Self::NameUnknown { .. } => "NAME_UNKNOWN",
            Self::Unreachable { .. } => "COORDINATOR_UNREACHABLE",
            Self::ProxyUnreachable { .. } => "PROXY_UNREACHABLE",
            Self::ProxyCertificate { .. } => "PROXY_CERTIFICATE",
            Self::ProxyAuthentication { .. } => "PROXY_AUTHENTICATION",
            Self::ProxyForbids { .. } => "PROXY_FORBIDS",
            Self::ProxyCannotReach { .. } => "PROXY_CANNOT_REACH",
            Self::NotAProxy { .. } => "PROXY_ANSWER",
            Self::CaptivePage { .. } => "CAPTIVE_PAGE",
            Self::NotTls { .. } => "NOT_TLS",
            Self::HandshakeCut { .. } => "TLS_CUT",
            Self::HandshakeSilent { .. } => "TLS_SILENT",
            Self::TlsTooOld { .. } => "TLS_TOO_OLD",
            Self::AlpnMissing { .. } => "ALPN_MISSING",
            Self::Intercepted { .. } => "TLS_INTERCEPTED",
            Self::WrongRoot { .. } => "WRONG_ROOT",
            Self::WrongName { .. } => "WRONG_NAME",
            Self::NotValidNow { .. } => "CERTIFICATE_TIME",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::ProxyForbids { target, .. } => {
                format!("ask your network team to allow CONNECT to {target} for this machine")
            }
            Self::ProxyCannotReach { target, .. } => format!(
                "the agent tries again by itself; if it stays, ask your network team whether the \
                 proxy may and can reach {target}"
            ),
            Self::Intercepted { target, .. }
            | Self::TlsTooOld { target, .. }
            | Self::AlpnMissing { target, .. } => format!(
                "send your network team this request: exempt {target} from TLS inspection, because \
                 the agent accepts nobody but the coordinator; `fedval-agent check` prints it in \
                 full. If nothing inspects TLS there, correct the address"
            ),
            Self::ProxyAuthentication { asks, .. } => remedy_for_authentication(*asks).to_owned(),
            other => remedy_without_addresses(other).to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        Exit::Unreachable
    }
}

const fn remedy_for_authentication(asks: ProxyAsks) -> &'static str {
    match asks {
        ProxyAsks::Credentials => {
            "write user:password into a file that its owner alone may read (chmod 600), and name it \
             as proxy_credentials in agent.toml, or as --proxy-credentials when you enrol"
        }
        ProxyAsks::OtherCredentials => {
            "correct user:password in the file that proxy_credentials names; ask your network team \
             whether the account still holds"
        }
        ProxyAsks::AnotherScheme => {
            "this proxy wants NTLM or Kerberos, which the agent does not speak: run a local helper \
             such as cntlm on this machine and name it as proxy, or ask your network team for an \
             exception"
        }
    }
}

const fn remedy_without_addresses(error: &DialError) -> &'static str {
    match error {
        DialError::NameUnknown { .. } => {
            "check the spelling; ask your network team whether this machine may look up names \
             outside, or whether it needs a proxy (proxy in agent.toml)"
        }
        DialError::ProxyUnreachable { .. } => {
            "check proxy in agent.toml with your network team, and that this machine may use it"
        }
        DialError::ProxyCertificate { .. } => {
            "get the certificate of the authority that certified the proxy, and name its file as \
             proxy_ca in agent.toml"
        }
        DialError::NotAProxy { .. } => {
            "check proxy in agent.toml with your network team: its address, whether it begins with \
             http:// or https://, and that it allows CONNECT"
        }
        DialError::CaptivePage { .. } => {
            "open any web page in a browser on this network and sign in there; or ask your network \
             team to let this machine through without a sign-in page"
        }
        DialError::NotTls { .. } => {
            "check the address and the port with the coordinator's operator"
        }
        DialError::HandshakeCut { .. } => {
            "a firewall that knows names does this: ask your network team to allow the coordinator's \
             name and port for this machine, without looking into TLS"
        }
        DialError::HandshakeSilent { .. } => {
            "the agent tries again by itself; if it stays, ask the coordinator's operator whether it \
             runs, then your network team whether a firewall swallows TLS"
        }
        DialError::WrongRoot { .. } => {
            "compare the root fingerprint with the coordinator's operator by voice; if they agree, \
             something between you and them opens TLS"
        }
        DialError::WrongName { .. } => {
            "use the name that the coordinator's operator gave you, or ask them to certify this one"
        }
        DialError::NotValidNow { .. } => {
            "correct this machine's clock (timedatectl set-ntp true); if it is right, the \
             coordinator's operator must renew the certificate"
        }
        _ => "check the address, and that outbound connections to it are allowed; then try again",
    }
}
