//! `fedval.v1.WorkService`: one stream for each agent.

use std::collections::BTreeSet;
use std::time::Duration;

use fedval_core::port::Phase;
use fedval_core::{Coordinator, LEASE_SECONDS};
use fedval_proto as proto;
use fedval_proto::agent_event::Event as AgentEvent;
use fedval_proto::coordinator_event::Event;
use fedval_proto::work_service_server::WorkService;
use fedval_study::{RoundId, SiteId};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::problem::{status_of, unauthenticated};
use super::{Nudge, caller};

/// Work of other replicas is found at this rate.
const POLL_SECONDS: u64 = 10;
/// Messages waiting for a slow agent.
const QUEUE: usize = 16;

type Outgoing = mpsc::Sender<Result<proto::CoordinatorEvent, Status>>;

/// Serves work streams.
#[derive(Debug)]
pub(super) struct WorkRpc {
    coordinator: Coordinator,
    nudge: Nudge,
}

impl WorkRpc {
    pub(super) const fn new(coordinator: Coordinator, nudge: Nudge) -> Self {
        Self { coordinator, nudge }
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
        let (sender, receiver) = mpsc::channel(QUEUE);
        let session = Session {
            coordinator: self.coordinator.clone(),
            site,
            sender,
            offered: BTreeSet::new(),
        };
        tokio::spawn(session.run(request.into_inner(), self.nudge.clone()));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// One agent's stream.
struct Session {
    coordinator: Coordinator,
    site: SiteId,
    sender: Outgoing,
    offered: BTreeSet<RoundId>,
}

impl Session {
    async fn run(mut self, mut incoming: Streaming<proto::AgentEvent>, nudge: Nudge) {
        tracing::info!(site = %self.site, "work stream opened");
        let mut nudged = nudge.subscribe();
        let mut poll = tokio::time::interval(Duration::from_secs(POLL_SECONDS));
        loop {
            let step = tokio::select! {
                event = incoming.message() => match event {
                    Ok(Some(event)) => self.hear(event).await,
                    Ok(None) | Err(_) => break,
                },
                _ = poll.tick() => self.offer_pending().await,
                _ = nudged.changed() => self.offer_pending().await,
            };
            if let Err(status) = step {
                drop(self.sender.send(Err(status)).await);
                break;
            }
        }
        tracing::info!(site = %self.site, "work stream ended");
    }

    /// A revoked site's open stream ends at its next event or poll.
    async fn still_enrolled(&self) -> Result<(), Status> {
        let row = self.coordinator.store().site_find(&self.site).await;
        let row = row.map_err(|error| status_of(&error))?;
        let enrolled = row.is_some_and(|row| row.state == fedval_core::port::SiteState::Enrolled);
        if enrolled { Ok(()) } else { Err(unauthenticated()) }
    }

    async fn offer_pending(&mut self) -> Result<(), Status> {
        self.still_enrolled().await?;
        let offers = self.coordinator.offers_of(&self.site).await.map_err(|e| status_of(&e))?;
        let pending: BTreeSet<RoundId> =
            offers.iter().map(|offer| offer.dispatch.round.clone()).collect();
        for offer in offers {
            if self.offered.insert(offer.dispatch.round.clone()) {
                self.send(Event::Offer(offer_to_wire(&offer)?)).await?;
            }
        }
        // A round that was offered and no longer waits for this site was answered or closed.
        let over: Vec<RoundId> = self.offered.difference(&pending).cloned().collect();
        for round in over {
            self.offered.remove(&round);
            self.send(Event::Cancel(proto::Cancel { round: round.to_string() })).await?;
        }
        Ok(())
    }

    async fn hear(&mut self, event: proto::AgentEvent) -> Result<(), Status> {
        self.still_enrolled().await?;
        match event.event {
            Some(AgentEvent::Hello(_)) => self.offer_pending().await,
            Some(AgentEvent::Heartbeat(_)) => {
                self.coordinator.heartbeat(&self.site).await.map_err(|e| status_of(&e))
            }
            Some(AgentEvent::PhaseChange(change)) => self.hear_phase(&change).await,
            None => Err(Status::invalid_argument("an event must say what happened")),
        }
    }

    async fn hear_phase(&mut self, change: &proto::PhaseChange) -> Result<(), Status> {
        let round: RoundId =
            fedval_wire::id("round", &change.round).map_err(|error| status_of(&error))?;
        let phase = match change.phase() {
            proto::Phase::Unspecified => {
                return Err(Status::invalid_argument("a phase must be named"));
            }
            proto::Phase::Queued => Phase::Queued,
            proto::Phase::Approved => Phase::Approved,
            proto::Phase::Downloading => Phase::Downloading,
            proto::Phase::Evaluating => Phase::Evaluating,
            proto::Phase::AwaitingRelease => Phase::AwaitingRelease,
            proto::Phase::Sent => Phase::Sent,
        };
        let epoch = self.coordinator.phase_change(&self.site, &round, phase).await;
        if let Some(epoch) = epoch.map_err(|error| status_of(&error))? {
            let lease =
                proto::Lease { round: round.to_string(), epoch, lease_seconds: LEASE_SECONDS };
            self.send(Event::Lease(lease)).await?;
        }
        Ok(())
    }

    async fn send(&self, event: Event) -> Result<(), Status> {
        let event = proto::CoordinatorEvent { event: Some(event) };
        self.sender.send(Ok(event)).await.map_err(|_| Status::cancelled("the agent is gone"))
    }
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
