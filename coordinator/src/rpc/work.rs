//! `fedval.v1.WorkService`: one stream for each agent. What is said on it is decided by
//! [`AgentSession`]; here it is only carried.

use fedval_core::port::{Endorsement, InstanceId, LedgerMarkRow, Phase};
use fedval_core::{AgentSession, Coordinator, Heard, LostPart, SESSION_SECONDS, Said};
use fedval_proto as proto;
use fedval_proto::agent_event::Event as AgentEvent;
use fedval_proto::coordinator_event::Event;
use fedval_proto::work_service_server::WorkService;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::problem::status_of;
use super::{Changes, caller};

/// Messages waiting for a slow agent.
const QUEUE: usize = 16;

type Outgoing = mpsc::Sender<Result<proto::CoordinatorEvent, Status>>;

/// Serves work streams.
#[derive(Debug)]
pub(super) struct WorkRpc {
    coordinator: Coordinator,
    changes: Changes,
}

impl WorkRpc {
    pub(super) const fn new(coordinator: Coordinator, changes: Changes) -> Self {
        Self { coordinator, changes }
    }
}

#[tonic::async_trait]
impl WorkService for WorkRpc {
    type WorkStream = ReceiverStream<Result<proto::CoordinatorEvent, Status>>;

    #[tracing::instrument(name = "work.stream", skip_all)]
    async fn work(
        &self,
        request: Request<Streaming<proto::AgentEvent>>,
    ) -> Result<Response<Self::WorkStream>, Status> {
        let site = caller::site(&self.coordinator, &request).await?;
        let mut incoming = request.into_inner();
        let first = incoming.message().await?.and_then(|message| message.event);
        let Some(AgentEvent::Hello(hello)) = first else {
            return Err(Status::invalid_argument("an agent says hello first"));
        };
        let (instance, previous) = instances(&hello)?;
        // Subscribed before the first look, so that no change falls between the two.
        let changed = self.changes.subscribe();
        let (session, said) = self
            .coordinator
            .session_open(&site, instance, previous)
            .await
            .map_err(|error| status_of(&error))?;
        let mark = self.coordinator.ledger_mark_of(&site).await;
        let mark = mark.map_err(|error| status_of(&error))?.map(ledger_mark).transpose()?;
        tracing::info!(%site, epoch = session.epoch(), "agent connected");
        let (sender, receiver) = mpsc::channel(QUEUE);
        let carrier = Carrier { session, sender };
        tokio::spawn(async move {
            carrier.run(said, mark, incoming, changed).await;
            tracing::info!(%site, "agent gone");
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

fn instances(hello: &proto::Hello) -> Result<(InstanceId, Option<InstanceId>), Status> {
    let instance = |name, bytes: &[u8]| {
        fedval_wire::digest(name, bytes).map(InstanceId).map_err(|error| status_of(&error))
    };
    let previous = &hello.previous_instance;
    let previous = (!previous.is_empty()).then(|| instance("previous_instance", previous));
    Ok((instance("instance", &hello.instance)?, previous.transpose()?))
}

/// Carries one agent's messages to its session, and what the session says to the agent.
struct Carrier {
    session: AgentSession,
    sender: Outgoing,
}

impl Carrier {
    async fn run(
        mut self,
        said: Vec<Said>,
        mark: Option<Event>,
        mut incoming: Streaming<proto::AgentEvent>,
        mut changed: watch::Receiver<u64>,
    ) {
        let mut step = self.begin(said, mark).await;
        while step.is_ok() {
            step = tokio::select! {
                event = incoming.message() => match event {
                    Ok(Some(event)) => self.hear(event).await,
                    Ok(None) | Err(_) => break,
                },
                still_served = changed.changed() => match still_served {
                    Ok(()) => self.look().await,
                    Err(_) => break,
                },
            };
        }
        if let Err(status) = step {
            drop(self.sender.send(Err(status)).await);
        }
        if let Err(error) = self.session.end().await {
            tracing::warn!(operation = error.operation, "session not ended: it will run out");
        }
    }

    /// The welcome, what the site signed of its ledger, and then the work: a site that forgot
    /// something hears so before anything else.
    async fn begin(&self, mut said: Vec<Said>, mark: Option<Event>) -> Result<(), Status> {
        let work = said.split_off(said.len().min(1));
        self.send(said).await?;
        if let Some(mark) = mark {
            self.send_event(mark).await?;
        }
        self.send(work).await
    }

    async fn look(&mut self) -> Result<(), Status> {
        let said = self.session.look().await.map_err(|error| status_of(&error))?;
        self.send(said).await
    }

    async fn hear(&mut self, event: proto::AgentEvent) -> Result<(), Status> {
        let heard = match event.event {
            Some(AgentEvent::Heartbeat(_)) => Heard::Heartbeat,
            Some(AgentEvent::PhaseChange(change)) => phase(&change)?,
            Some(AgentEvent::Hello(_)) | None => {
                return Err(Status::invalid_argument("an event must say what happened"));
            }
        };
        let said = self.session.hear(heard).await.map_err(|error| status_of(&error))?;
        self.send(said).await
    }

    async fn send(&self, said: Vec<Said>) -> Result<(), Status> {
        for said in said {
            self.send_event(event(said, self.session.epoch())?).await?;
        }
        Ok(())
    }

    async fn send_event(&self, event: Event) -> Result<(), Status> {
        let sent = self.sender.send(Ok(proto::CoordinatorEvent { event: Some(event) })).await;
        sent.map_err(|_| Status::cancelled("the agent is gone"))
    }
}

fn phase(change: &proto::PhaseChange) -> Result<Heard, Status> {
    let round = fedval_wire::id("round", &change.round).map_err(|error| status_of(&error))?;
    let phase = match change.phase() {
        proto::Phase::Unspecified => return Err(Status::invalid_argument("a phase must be named")),
        proto::Phase::Queued => Phase::Queued,
        proto::Phase::Approved => Phase::Approved,
        proto::Phase::Downloading => Phase::Downloading,
        proto::Phase::Evaluating => Phase::Evaluating,
        proto::Phase::AwaitingRelease => Phase::AwaitingRelease,
        proto::Phase::Sent => Phase::Sent,
    };
    Ok(Heard::Phase(round, phase))
}

fn ledger_mark((row, countersignature): (LedgerMarkRow, Endorsement)) -> Result<Event, Status> {
    let countersignature =
        fedval_wire::endorsement_to_wire(&countersignature).map_err(|error| status_of(&error))?;
    Ok(Event::LedgerMark(proto::LedgerMark {
        entries: row.mark.entries,
        signature: row.signature.as_bytes().to_vec(),
        countersignature: Some(countersignature),
        head: row.mark.head.as_bytes().to_vec(),
    }))
}

fn event(said: Said, epoch: u64) -> Result<Event, Status> {
    Ok(match said {
        Said::Welcome(epoch) => Event::Welcome(proto::Welcome { epoch }),
        Said::Offer(offer) => Event::Offer(offer_to_wire(&offer)?),
        Said::Lease(round) => Event::Lease(proto::Lease {
            round: round.to_string(),
            epoch,
            lease_seconds: SESSION_SECONDS,
        }),
        Said::Cancel(round) => Event::Cancel(proto::Cancel { round: round.to_string() }),
        Said::Lost(round, part) => {
            let part = match part {
                LostPart::Result => proto::LostPart::Result,
                LostPart::Round => proto::LostPart::Round,
            };
            Event::Lost(proto::Lost { round: round.to_string(), part: part.into() })
        }
    })
}

fn offer_to_wire(offer: &fedval_core::OfferedDispatch) -> Result<proto::Offer, Status> {
    let endorsement =
        |endorsement| fedval_wire::endorsement_to_wire(endorsement).map_err(|e| status_of(&e));
    Ok(proto::Offer {
        dispatch: Some(fedval_wire::dispatch_to_wire(&offer.dispatch)),
        dispatch_endorsements: vec![endorsement(&offer.endorsement)?],
        protocol_endorsements: offer
            .protocol_endorsements
            .iter()
            .map(endorsement)
            .collect::<Result<_, _>>()?,
    })
}
