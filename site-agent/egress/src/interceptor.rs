//! What stands between: reads a failed handshake, and writes the request to the network team.

use std::io;

use fedval_trust::{RefusedServer, ServerProblem};
use rustls::{AlertDescription, Error as TlsError, PeerMisbehaved};

use crate::dial::Address;
use crate::first_bytes::Opening;
use crate::{DialError, DialStep};

/// Says why TLS did not begin.
pub(crate) fn explain(error: &io::Error, opening: &Opening, address: &Address) -> DialError {
    let (url, target) = (address.url.clone(), address.target());
    if let Some(refused) = RefusedServer::within(error) {
        return refusal(refused, address);
    }
    if opening.is_a_page() {
        return DialError::CaptivePage { at: url, step: DialStep::Tls };
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(TlsError::InvalidMessage(_)) => DialError::NotTls { url },
        Some(
            TlsError::NoApplicationProtocol
            | TlsError::AlertReceived(AlertDescription::NoApplicationProtocol)
            | TlsError::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol),
        ) => DialError::AlpnMissing { url, target },
        Some(
            TlsError::PeerIncompatible(_)
            | TlsError::AlertReceived(AlertDescription::ProtocolVersion),
        ) => DialError::TlsTooOld { url, target },
        _ => DialError::HandshakeCut { url },
    }
}

fn refusal(refused: &RefusedServer, address: &Address) -> DialError {
    let url = address.url.clone();
    match refused.problem {
        ServerProblem::ForeignIssuer => {
            DialError::Intercepted { url, target: address.target(), issuer: refused.issuer.clone() }
        }
        ServerProblem::OtherRoot => DialError::WrongRoot { url },
        ServerProblem::OtherName => DialError::WrongName { url },
        ServerProblem::NotValidNow { from, until, now } => {
            DialError::NotValidNow { from, until, now }
        }
    }
}

impl DialError {
    /// What to send to the network team where something seems to open TLS; `None` for other problems.
    #[must_use]
    pub fn exemption_request(&self) -> Option<String> {
        let (target, seen) = match self {
            Self::Intercepted { target, issuer, .. } => {
                (target, format!("a certificate that was issued by `{issuer}`"))
            }
            Self::TlsTooOld { target, .. } => (target, "a TLS version older than 1.3".to_owned()),
            Self::AlpnMissing { target, .. } => (target, "no offer of HTTP/2 (ALPN h2)".to_owned()),
            _ => return None,
        };
        Some(format!(
            "Please exempt {target} from TLS inspection (SSL decryption, HTTPS scanning) for this \
             machine.\n\n\
             Seen from here: {seen}. The coordinator itself shows a certificate of its own \
             consortium, speaks TLS 1.3 and offers HTTP/2.\n\n\
             Why: the agent on this machine and the coordinator prove to each other who they are by \
             certificates of one fixed authority. A device that opens the connection can do neither, \
             so the agent refuses it by design; a further trusted authority cannot be set.\n\n\
             What is needed: outbound TCP to {target}, one long-lived connection (HTTP/2 over TLS \
             1.3, idle for at most 30 seconds), not decrypted. Nothing connects inwards, and no \
             other address is dialled.\n\n\
             What goes through: counts and other totals that this site's own policy released, and \
             files of models coming in. No images and no rows about single patients."
        ))
    }
}
