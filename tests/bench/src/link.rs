//! An agent's connection without the agent: the only module that calls the agent's own network crate,
//! so that a change there is followed in one place.

use fedval_ambient::OsEntropy;
use fedval_egress::{Connection, Coordinator, EgressError, Heard, Instance, WorkStream};
use fedval_study::Sha256Digest;
use fedval_trust::{Certificate, InviteToken, SecretKey};

use crate::BenchError;

/// What an enrolled site holds.
#[derive(Debug)]
pub struct Identity {
    root: Certificate,
    certificate: Certificate,
    key: SecretKey,
}

/// Enrols a site by the real call.
///
/// # Errors
///
/// [`BenchError`] if the coordinator refuses.
pub async fn enrol(url: &str, token: &str) -> Result<Identity, BenchError> {
    let token: InviteToken =
        token.parse().map_err(|_| BenchError::unexpected("the token is malformed"))?;
    let key = SecretKey::generate(&OsEntropy);
    let enrolled = fedval_egress::enrol(&Coordinator::at(url)?, &token, &key).await?;
    Ok(Identity { root: enrolled.root, certificate: enrolled.certificate, key })
}

/// A held work stream.
#[derive(Debug)]
pub struct Link {
    // Dropping it would close the connection under the stream.
    _connection: Connection,
    stream: WorkStream,
}

impl Link {
    /// Connects with the site's certificate and opens its work stream.
    ///
    /// # Errors
    ///
    /// The connection's error.
    pub async fn open(url: &str, identity: &Identity) -> Result<Self, EgressError> {
        let Identity { root, certificate, key } = identity;
        let coordinator = Coordinator::at(url)?;
        let connection = Connection::open(&coordinator, root, certificate, key).await?;
        let instance = Instance { this: Sha256Digest::of(certificate.der()), previous: None };
        let stream = connection.work(&Sha256Digest::of(b"fedval-bench"), &instance).await?;
        Ok(Self { _connection: connection, stream })
    }

    /// Waits for the next offer.
    ///
    /// # Errors
    ///
    /// The end of the stream.
    pub async fn offer(&mut self) -> Result<(), EgressError> {
        loop {
            match self.stream.hear().await? {
                Some(Heard::Offer(_)) => return Ok(()),
                Some(_) => {}
                None => return Err(EgressError::StreamEnded),
            }
        }
    }

    /// Says that the site is alive.
    ///
    /// # Errors
    ///
    /// The end of the stream.
    pub async fn heartbeat(&self) -> Result<(), EgressError> {
        self.stream.heartbeat().await
    }
}
