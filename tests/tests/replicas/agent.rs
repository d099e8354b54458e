//! A simulated agent: the real connection, the real messages, and a result that the real gate let
//! through. It goes on until it holds an acknowledgement, whatever happens to the replicas.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use fedval_ambient::{Entropy as _, OsEntropy, Problem as _};
use fedval_disclosure::{Committed, Ledger, NoAggregates, Releasable, Vetted};
use fedval_egress::{
    Connection, Coordinator, EgressError, Enrolment, Heard, Instance, JobPhase, WorkStream, enrol,
};
use fedval_study::{LedgerMark, LockedProtocol, ResultDigest, RoundId, Sha256Digest, SiteResult};
use fedval_trust::{InviteToken, SecretKey};
use tokio::sync::watch;

use crate::gate;
use crate::random_below;
use crate::support::{self, cases, group};

/// What an agent is told before it begins.
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) token: InviteToken,
    /// Where the coordinator seems to be.
    pub(crate) url: String,
    /// Where it keeps the model, by its name.
    pub(crate) folder: PathBuf,
    pub(crate) protocol: LockedProtocol,
    pub(crate) seed: u64,
    /// It enrols when so many replicas were killed.
    pub(crate) begins_at: usize,
    /// It answers when so many more were killed since it got its lease.
    pub(crate) waits_for: usize,
}

/// A running agent.
pub(crate) struct Agent {
    plan: Plan,
    coordinator: Coordinator,
    key: SecretKey,
    instance: Instance,
    result: Releasable<SiteResult>,
    /// How many replicas were killed so far, or are in this moment.
    killed: watch::Receiver<usize>,
    /// The round it works on, from its offer on.
    round: Option<RoundId>,
    /// When it answers, from its first lease on.
    answers_at: Option<usize>,
}

/// The ledger of a site that approved one result.
struct Approved(Committed);

impl Ledger for Approved {
    type Error = Infallible;

    async fn committed(&self, _round: &RoundId) -> Result<Option<Committed>, Infallible> {
        Ok(Some(self.0.clone()))
    }
}

/// Every fifth site lets through what the gate does. The others refuse: a report that pools fifty
/// sites takes minutes to compute unoptimised, and says no more about what was lost.
async fn approved(plan: &Plan) -> Releasable<SiteResult> {
    let protocol = plan.protocol.protocol();
    let header = support::header(&plan.protocol, &plan.name);
    let round = header.round.clone();
    let vetted: Vetted<SiteResult> = if plan.seed.is_multiple_of(5) {
        let groups = [group("a", 40, 60), group("b", 30, 40), group("c", 20, 25)];
        gate::vetted(header, protocol, support::summary(&cases(plan.seed, &groups), protocol))
    } else {
        Vetted::without_aggregates(header, NoAggregates::Refused, None).unwrap()
    };
    let entry = Committed { bytes: vetted.bytes().to_vec(), digest: vetted.digest() };
    Releasable::from_ledger(&Approved(entry), &round).await.unwrap().unwrap()
}

/// What a site says of its ledger.
fn mark(result: &Releasable<SiteResult>) -> LedgerMark {
    let site = result.value().header.site.clone();
    LedgerMark { site, entries: 1, head: Sha256Digest::of(b"journal") }
}

/// Waits a moment, where trying again may help; anything else is a bug.
async fn pause_after(name: &str, error: &EgressError) {
    assert!(error.is_passing(), "{name}: {}: {error:?}", error.code());
    tokio::time::sleep(Duration::from_millis(50 + random_below(400))).await;
}

impl Agent {
    pub(crate) async fn new(plan: Plan, killed: watch::Receiver<usize>) -> Self {
        Self {
            coordinator: Coordinator::at(&plan.url).unwrap(),
            key: SecretKey::generate(&OsEntropy),
            instance: Instance { this: Sha256Digest::of(&OsEntropy.bytes32()), previous: None },
            result: approved(&plan).await,
            plan,
            killed,
            round: None,
            answers_at: None,
        }
    }

    /// Enrols, works, and answers: its name, and what was acknowledged.
    pub(crate) async fn work(mut self, enrolled: watch::Sender<usize>) -> (String, ResultDigest) {
        let begins_at = self.plan.begins_at;
        self.killed.wait_for(|killed| *killed >= begins_at).await.unwrap();
        let enrolment = loop {
            match enrol(&self.coordinator, &self.plan.token, &self.key).await {
                Ok(enrolment) => break enrolment,
                Err(error) => pause_after(&self.plan.name, &error).await,
            }
        };
        enrolled.send_modify(|count| *count += 1);
        let (digest, epoch) = loop {
            match self.attempt(&enrolment).await {
                Ok(acknowledged) => break acknowledged,
                Err(error) => pause_after(&self.plan.name, &error).await,
            }
        };
        // Once more, as after an acknowledgement that was lost: perhaps to another replica.
        let again = loop {
            match self.deliver(&enrolment, epoch).await {
                Ok(again) => break again,
                Err(error) => pause_after(&self.plan.name, &error).await,
            }
        };
        assert_eq!(again, digest, "{}", self.plan.name);
        (self.plan.name, digest)
    }

    async fn connect(&self, enrolment: &Enrolment) -> Result<Connection, EgressError> {
        let Enrolment { root, certificate, .. } = enrolment;
        Connection::open(&self.coordinator, root, certificate, &self.key).await
    }

    async fn deliver(
        &self,
        enrolment: &Enrolment,
        epoch: u64,
    ) -> Result<ResultDigest, EgressError> {
        self.connect(enrolment)
            .await?
            .submit(&self.result, &self.key, epoch, &mark(&self.result))
            .await
    }

    /// One connection, from its beginning to the acknowledgement or to its end.
    async fn attempt(&mut self, enrolment: &Enrolment) -> Result<(ResultDigest, u64), EgressError> {
        let connection = self.connect(enrolment).await?;
        let mut stream = connection.work(&Sha256Digest::of(b"agent"), &self.instance).await?;
        if let Some(round) = &self.round {
            // What it holds, it says again on each connection.
            stream.phase(round, JobPhase::Approved).await?;
        }
        let (round, epoch) = self.until_leased(&mut stream).await?;
        stream.phase(&round, JobPhase::Downloading).await?;
        let model = self.plan.folder.join(&self.plan.name);
        let pinned = &self.plan.protocol.protocol().model;
        connection.download(&pinned.digest.0, pinned.bytes, &model).await?;
        stream.phase(&round, JobPhase::Evaluating).await?;
        self.until_due(&mut stream).await?;
        let digest = connection.submit(&self.result, &self.key, epoch, &mark(&self.result)).await?;
        stream.phase(&round, JobPhase::Sent).await?;
        Ok((digest, epoch))
    }

    /// Answers the offer, where one comes, and waits for the lease.
    async fn until_leased(
        &mut self,
        stream: &mut WorkStream,
    ) -> Result<(RoundId, u64), EgressError> {
        loop {
            match stream.hear().await?.ok_or(EgressError::StreamEnded)? {
                Heard::Welcome | Heard::LedgerMark { .. } => {}
                Heard::Offer(offer) => {
                    assert_eq!(offer.dispatch.protocol, self.plan.protocol.digest());
                    let round = self.round.insert(offer.dispatch.round);
                    stream.phase(round, JobPhase::Queued).await?;
                    stream.phase(round, JobPhase::Approved).await?;
                }
                Heard::Lease { round, epoch } => return Ok((round, epoch)),
                heard @ (Heard::Cancel { .. } | Heard::Lost { .. }) => {
                    panic!("{}: {heard:?}", self.plan.name)
                }
            }
        }
    }

    /// Waits for its moment, which is one at which a replica is killed.
    async fn until_due(&mut self, stream: &mut WorkStream) -> Result<(), EgressError> {
        let now = *self.killed.borrow();
        let due = *self.answers_at.get_or_insert(now.saturating_add(self.plan.waits_for));
        let mut killed = self.killed.clone();
        loop {
            tokio::select! {
                waited = killed.wait_for(|killed| *killed >= due) => {
                    waited.unwrap();
                    return Ok(());
                }
                heard = stream.hear() => match heard?.ok_or(EgressError::StreamEnded)? {
                    Heard::Offer(_)
                    | Heard::Welcome
                    | Heard::LedgerMark { .. }
                    | Heard::Lease { .. } => {}
                    heard @ (Heard::Cancel { .. } | Heard::Lost { .. }) => {
                        panic!("{}: {heard:?}", self.plan.name)
                    }
                },
            }
        }
    }
}
