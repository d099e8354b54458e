//! The one long-lived stream, opened by the agent.

use fedval_proto as proto;
use fedval_proto::agent_event::Event as AgentEvent;
use fedval_proto::coordinator_event::Event as CoordinatorEvent;
use fedval_proto::work_service_client::WorkServiceClient;
use fedval_study::{Dispatch, RoundId, Sha256Digest};
use fedval_trust::{Endorsement, Signature};
use fedval_wire::WireError;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::EgressError;
use crate::answer::within;

/// Events waiting for a slow connection.
const QUEUE: usize = 32;

/// All that the coordinator hears of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobPhase {
    /// The offer was seen.
    Queued,
    /// A steward or policy approved.
    Approved,
    /// The model is on its way.
    Downloading,
    /// The model runs.
    Evaluating,
    /// A steward must look.
    AwaitingRelease,
    /// The result was sent.
    Sent,
}

/// A dispatch with the signatures that must be verified before anything else.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The order.
    pub dispatch: Dispatch,
    /// Signatures of the order.
    pub dispatch_endorsements: Vec<Endorsement>,
    /// Signatures of the locked protocol.
    pub protocol_endorsements: Vec<Endorsement>,
}

/// What the coordinator says.
#[derive(Debug, Clone)]
pub enum Heard {
    /// A study was dispatched to this site.
    Offer(Box<Offer>),
    /// This connection speaks for the site.
    Welcome,
    /// The site may work on a round for a while.
    Lease {
        /// The round.
        round: RoundId,
        /// Goes beside the result.
        epoch: u64,
    },
    /// The coordinator no longer has what this site gave it: it was restored from an older backup.
    Lost {
        /// The round.
        round: RoundId,
        /// What is missing there.
        part: LostPart,
    },
    /// The round is over for this site.
    Cancel {
        /// The round.
        round: RoundId,
    },
    /// The largest ledger that this site ever signed for.
    LedgerMark {
        /// Its entries.
        entries: u64,
        /// Hash of the last entry of its journal then.
        head: Sha256Digest,
        /// This site's own signature.
        signature: Signature,
        /// The coordinator's.
        countersignature: Endorsement,
    },
}

/// What a restored coordinator misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostPart {
    /// The result, which is sent again.
    Result,
    /// The round, which its operator has to dispatch again.
    Round,
}

/// Who speaks: one site has one running agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance {
    /// Random bytes of this process.
    pub this: Sha256Digest,
    /// Those of the process that ran in the same folder before.
    pub previous: Option<Sha256Digest>,
}

/// The stream.
#[derive(Debug)]
pub struct WorkStream {
    outgoing: mpsc::Sender<proto::AgentEvent>,
    incoming: Streaming<proto::CoordinatorEvent>,
}

impl WorkStream {
    pub(crate) async fn open(
        channel: Channel,
        agent_build: &Sha256Digest,
        instance: &Instance,
    ) -> Result<Self, EgressError> {
        let (outgoing, events) = mpsc::channel(QUEUE);
        let previous = instance.previous.map(|previous| previous.as_bytes().to_vec());
        let hello = proto::Hello {
            agent_build: agent_build.as_bytes().to_vec(),
            instance: instance.this.as_bytes().to_vec(),
            previous_instance: previous.unwrap_or_default(),
        };
        send(&outgoing, AgentEvent::Hello(hello)).await?;
        let mut client = WorkServiceClient::new(channel);
        let incoming = within(client.work(ReceiverStream::new(events))).await?.into_inner();
        Ok(Self { outgoing, incoming })
    }

    /// Says that this site still works on what it holds.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the stream ended.
    pub async fn heartbeat(&self) -> Result<(), EgressError> {
        send(&self.outgoing, AgentEvent::Heartbeat(proto::Heartbeat {})).await
    }

    /// Says what this site is doing with a round.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the stream ended.
    pub async fn phase(&self, round: &RoundId, phase: JobPhase) -> Result<(), EgressError> {
        let phase = match phase {
            JobPhase::Queued => proto::Phase::Queued,
            JobPhase::Approved => proto::Phase::Approved,
            JobPhase::Downloading => proto::Phase::Downloading,
            JobPhase::Evaluating => proto::Phase::Evaluating,
            JobPhase::AwaitingRelease => proto::Phase::AwaitingRelease,
            JobPhase::Sent => proto::Phase::Sent,
        };
        let change = proto::PhaseChange { round: round.to_string(), phase: phase.into() };
        send(&self.outgoing, AgentEvent::PhaseChange(change)).await
    }

    /// Waits for what the coordinator says next; `None` where it ended the stream.
    ///
    /// # Errors
    ///
    /// [`EgressError`] if the connection broke or the message breaks the contract.
    pub async fn hear(&mut self) -> Result<Option<Heard>, EgressError> {
        let message =
            self.incoming.message().await.map_err(|status| EgressError::refused(&status))?;
        let Some(message) = message else { return Ok(None) };
        let event = message.event.ok_or(EgressError::BadAnswer)?;
        heard(event).map(Some).map_err(|_| EgressError::BadAnswer)
    }
}

fn heard(event: CoordinatorEvent) -> Result<Heard, WireError> {
    match event {
        CoordinatorEvent::Offer(offer) => {
            let dispatch = offer.dispatch.unwrap_or_default();
            let endorsements = |list: &[proto::Endorsement]| {
                list.iter().map(fedval_wire::endorsement_from_wire).collect::<Result<Vec<_>, _>>()
            };
            Ok(Heard::Offer(Box::new(Offer {
                dispatch: fedval_wire::dispatch_from_wire(&dispatch)?,
                dispatch_endorsements: endorsements(&offer.dispatch_endorsements)?,
                protocol_endorsements: endorsements(&offer.protocol_endorsements)?,
            })))
        }
        CoordinatorEvent::Lease(lease) => {
            Ok(Heard::Lease { round: fedval_wire::id("round", &lease.round)?, epoch: lease.epoch })
        }
        CoordinatorEvent::Welcome(_) => Ok(Heard::Welcome),
        CoordinatorEvent::LedgerMark(mark) => {
            let countersignature = mark.countersignature.unwrap_or_default();
            Ok(Heard::LedgerMark {
                entries: mark.entries,
                head: fedval_wire::digest("head", &mark.head)?,
                signature: fedval_wire::signature_from_wire(&mark.signature)?,
                countersignature: fedval_wire::endorsement_from_wire(&countersignature)?,
            })
        }
        CoordinatorEvent::Lost(lost) => {
            let part = match lost.part() {
                // What is not understood is no reason to send anything anew.
                proto::LostPart::Round | proto::LostPart::Unspecified => LostPart::Round,
                proto::LostPart::Result => LostPart::Result,
            };
            Ok(Heard::Lost { round: fedval_wire::id("round", &lost.round)?, part })
        }
        CoordinatorEvent::Cancel(cancel) => {
            Ok(Heard::Cancel { round: fedval_wire::id("round", &cancel.round)? })
        }
    }
}

async fn send(
    outgoing: &mpsc::Sender<proto::AgentEvent>,
    event: AgentEvent,
) -> Result<(), EgressError> {
    let event = proto::AgentEvent { event: Some(event) };
    outgoing.send(event).await.map_err(|_| EgressError::StreamEnded)
}
