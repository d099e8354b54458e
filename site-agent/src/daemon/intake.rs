//! Taking an offer: signatures first, then digests, then the protocol itself. Nothing else is looked
//! at before, and nothing is shown to a steward that did not pass.

use fedval_ambient::Problem;
use fedval_disclosure::rules::dc20_rerun::{self, Question, Rerun};
use fedval_egress::{EgressError, Offer};
use fedval_study::protocol::LockError;
use fedval_study::{Canonical, CanonicalError, Dispatch, LockedProtocol};
use fedval_trust::{
    CertificateError, Endorsement, PayloadType, Role, SignatureProblem, SignedDocument,
};
use fedval_vault::{NewJob, VaultError, VersionSeen};

use super::Agent;
use super::link::Link;

/// Largest protocol that is fetched, in bytes.
const MAX_PROTOCOL_BYTES: u64 = 1 << 20;

/// An offer is not taken; the steward never sees it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(super) enum IntakeError {
    /// The order is for another site.
    #[error("the order is for another site")]
    OtherSite,
    /// The order is not signed by the coordinator.
    #[error("the order's signature is refused")]
    Order(#[source] SignatureProblem),
    /// The order has no canonical form.
    #[error("the order has no canonical form")]
    NotCanonical(#[from] CanonicalError),
    /// The protocol is larger than any real one.
    #[error("the protocol is too large")]
    ProtocolTooLarge,
    /// The protocol could not be fetched.
    #[error("the protocol could not be fetched")]
    Fetch(#[from] EgressError),
    /// The fetched protocol cannot be read from this site's disk.
    #[error("the protocol cannot be read")]
    Disk(#[source] std::io::Error),
    /// The protocol is not signed by sponsor and coordinator.
    #[error("the protocol's signature is refused")]
    Protocol(#[source] SignatureProblem),
    /// The document is not a protocol.
    #[error("the document is not a protocol")]
    NotAProtocol(#[from] LockError),
    /// Order and protocol speak of different things.
    #[error("order and protocol do not agree")]
    Disagree,
    /// The protocol was replaced by a newer version, which this site saw.
    #[error("version {version} of the protocol was replaced: this site saw version {newest}")]
    OlderProtocol {
        /// What was offered.
        version: u32,
        /// What was seen.
        newest: u32,
    },
    /// Another protocol was offered to this site as the same version.
    #[error("another protocol was offered to this site as version {version}")]
    ForkedProtocol {
        /// The version.
        version: u32,
    },
    /// The round was answered for another protocol or model.
    #[error("the round was answered for another protocol or model")]
    AnsweredOtherwise,
    /// The vault failed.
    #[error("the vault failed")]
    Vault(#[from] VaultError),
}

impl IntakeError {
    /// Whether the same offer may be taken later: the network or the disk failed, or one of the two
    /// clocks is wrong.
    pub(super) const fn is_passing(&self) -> bool {
        match self {
            Self::Fetch(_) | Self::Disk(_) => true,
            Self::Order(problem) | Self::Protocol(problem) => {
                matches!(problem, SignatureProblem::Certificate(CertificateError::NotValidThen))
            }
            _ => false,
        }
    }

    /// Whether somebody at the site should hear of it: sponsor and coordinator signed it, and it takes back what
    /// they signed before.
    pub(super) const fn is_alarm(&self) -> bool {
        matches!(self, Self::OlderProtocol { .. } | Self::ForkedProtocol { .. })
    }
}

impl Problem for IntakeError {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherSite => "ORDER_FOR_OTHER_SITE",
            Self::Order(_) | Self::NotCanonical(_) => "ORDER_SIGNATURE",
            Self::ProtocolTooLarge => "PROTOCOL_TOO_LARGE",
            Self::Fetch(error) => error.code(),
            Self::Disk(_) => "DISK",
            Self::Protocol(_) => "PROTOCOL_SIGNATURE",
            Self::NotAProtocol(_) => "STUDY_INVALID",
            Self::Disagree => "ORDER_PROTOCOL_MISMATCH",
            Self::OlderProtocol { .. } => "PROTOCOL_OLDER",
            Self::ForkedProtocol { .. } => "PROTOCOL_FORKED",
            Self::AnsweredOtherwise => "ALREADY_ANSWERED",
            Self::Vault(error) => error.code(),
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::OlderProtocol { .. } | Self::ForkedProtocol { .. } => {
                    "ask the coordinator's operator why; a version with a higher number is taken, which `fedval study \
                     amend` makes there; nothing was run and nothing was sent"
                }
                _ => "tell the coordinator's operator; nothing was run and nothing was sent",
            }
            .to_owned(),
        )
    }
}

/// Verifies an offer and records it as a job that waits for approval.
pub(super) async fn take(agent: &Agent, link: &dyn Link, offer: Offer) -> Result<(), IntakeError> {
    let Offer { dispatch, dispatch_endorsements, protocol_endorsements } = offer;
    verify_order(agent, &dispatch, dispatch_endorsements)?;
    let locked = fetch_protocol(agent, link, &dispatch, protocol_endorsements).await?;
    if !agree(&dispatch, &locked) {
        return Err(IntakeError::Disagree);
    }
    goes_on(agent, &dispatch).await?;
    is_no_other_question(agent, &dispatch).await?;
    let (round, now) = (dispatch.round.clone(), agent.clock.now());
    let job = NewJob { dispatch, protocol: locked.bytes().to_vec() };
    if agent.vault.job_insert(&job, now).await? {
        tracing::info!(%round, "job offered");
    }
    Ok(())
}

/// The order is for this site and signed by the coordinator.
fn verify_order(
    agent: &Agent,
    dispatch: &Dispatch,
    endorsements: Vec<Endorsement>,
) -> Result<(), IntakeError> {
    if dispatch.site != agent.identity.site {
        return Err(IntakeError::OtherSite);
    }
    let order = SignedDocument {
        payload_type: PayloadType::Dispatch,
        bytes: Canonical::new(dispatch.clone())?.into_bytes(),
        endorsements,
    };
    let (root, now) = (&agent.identity.root, agent.clock.now());
    order.verify(&Role::Coordinator, root, now).map_err(IntakeError::Order)
}

/// The protocol that the order names, signed by sponsor and coordinator.
async fn fetch_protocol(
    agent: &Agent,
    link: &dyn Link,
    dispatch: &Dispatch,
    endorsements: Vec<Endorsement>,
) -> Result<LockedProtocol, IntakeError> {
    if dispatch.protocol_bytes > MAX_PROTOCOL_BYTES {
        return Err(IntakeError::ProtocolTooLarge);
    }
    let file = agent.home.artifact(&dispatch.protocol.0);
    link.download(&dispatch.protocol.0, dispatch.protocol_bytes, &file).await?;
    let protocol = SignedDocument {
        payload_type: PayloadType::Protocol,
        bytes: tokio::fs::read(&file).await.map_err(IntakeError::Disk)?,
        endorsements,
    };
    let (root, now) = (&agent.identity.root, agent.clock.now());
    for role in [Role::Sponsor, Role::Coordinator] {
        protocol.verify(&role, root, now).map_err(IntakeError::Protocol)?;
    }
    Ok(LockedProtocol::parse(&protocol.bytes)?)
}

/// Whether order and protocol speak of the same study, version, protocol and model.
fn agree(dispatch: &Dispatch, locked: &LockedProtocol) -> bool {
    let protocol = locked.protocol();
    locked.digest() == dispatch.protocol
        && protocol.id == dispatch.study
        && protocol.version == dispatch.protocol_version
        && protocol.model.digest == dispatch.model
        && protocol.model.bytes == dispatch.model_bytes
}

/// The study does not go back to a version that was replaced, nor to another one of the same number.
async fn goes_on(agent: &Agent, dispatch: &Dispatch) -> Result<(), IntakeError> {
    let Dispatch { study, protocol, protocol_version: version, .. } = dispatch;
    let version = *version;
    let seen = agent.vault.protocol_see(study, version, *protocol, agent.clock.now()).await?;
    match seen {
        VersionSeen::Newest => Ok(()),
        VersionSeen::Older { newest } => Err(IntakeError::OlderProtocol { version, newest }),
        VersionSeen::Other => Err(IntakeError::ForkedProtocol { version }),
    }
}

/// The round was not answered, or about this very protocol and model.
async fn is_no_other_question(agent: &Agent, dispatch: &Dispatch) -> Result<(), IntakeError> {
    let answered = agent.vault.ledger_find(&dispatch.round).await?.map(|entry| entry.question());
    let asked = Question {
        round: dispatch.round.clone(),
        protocol: dispatch.protocol,
        model: dispatch.model,
    };
    if dc20_rerun::decide(answered.as_ref(), &asked) == Rerun::Refuse {
        return Err(IntakeError::AnsweredOtherwise);
    }
    Ok(())
}
