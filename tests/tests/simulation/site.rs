//! A site whose agent can be killed and started at any step. Its folder is what lasts.

use std::collections::VecDeque;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;

use async_trait::async_trait;
use fedval_agent::daemon::{
    Agent, Conversation, Evaluator, Home, Link, NotEvaluated, ScoreGrid, Summarised, Worker,
};
use fedval_ambient::{MockClock, SeededEntropy};
use fedval_core::port::InstanceId;
use fedval_core::{AgentSession, Coordinator, LostPart, Said};
use fedval_disclosure::SiteLocal;
use fedval_egress::{Heard, JobPhase, LostPart as HeardPart, Offer};
use fedval_study::{ProbeDigests, ResultDigest, Sha256Digest, SiteSummary, StudyProtocol};
use fedval_vault::Job;
use tokio::sync::watch;

use crate::template::{SITES, cases, site_id};
use crate::way::{Faults, FaultyWay};
use crate::{op::Op, support};

/// What each site counts: the same in every history.
static COUNTED: [OnceLock<SiteSummary>; SITES.len()] = [const { OnceLock::new() }; SITES.len()];

/// Evaluates a site's buckets, without images.
#[derive(Debug)]
struct Buckets(usize);

#[async_trait]
impl Evaluator for Buckets {
    async fn evaluate(
        &self,
        _agent: &Agent,
        _job: &Job,
        protocol: &StudyProtocol,
        model: &Path,
        _grid: ScoreGrid,
        _k: u64,
    ) -> Result<Summarised, NotEvaluated> {
        assert_eq!(std::fs::read(model).unwrap(), support::MODEL, "the model is whole");
        let counted = COUNTED[self.0].get_or_init(|| support::summary(&cases(self.0), protocol));
        // Without images there is nothing to prepare.
        let preprocessing = ProbeDigests::default();
        Ok(Summarised { summary: SiteLocal::new(counted.clone()), preprocessing })
    }
}

/// An agent's process.
struct Process {
    agent: Arc<Agent>,
    evaluating: Worker,
    answering: Worker,
    way: watch::Sender<Option<Arc<dyn Link>>>,
    instance: InstanceId,
}

/// One connection of it, with what was said and not heard yet.
struct Stream {
    conversation: Conversation,
    session: AgentSession,
    inbox: VecDeque<Said>,
    way: Arc<dyn Link>,
}

/// A site.
pub(crate) struct Site {
    number: usize,
    home: Home,
    clock: MockClock,
    entropy: Arc<SeededEntropy>,
    process: Process,
    stream: Option<Stream>,
    previous: Option<InstanceId>,
    started: u32,
    pub(crate) faults: Faults,
    pub(crate) acknowledged: Arc<Mutex<Vec<ResultDigest>>>,
}

fn heard(said: Said, epoch: u64) -> Heard {
    match said {
        Said::Welcome(_) => Heard::Welcome,
        Said::Offer(offer) => Heard::Offer(Box::new(Offer {
            dispatch: offer.dispatch,
            dispatch_endorsements: vec![offer.endorsement],
            protocol_endorsements: offer.protocol_endorsements,
        })),
        Said::Lease(round) => Heard::Lease { round, epoch },
        Said::Cancel(round) => Heard::Cancel { round },
        Said::Lost(round, LostPart::Result) => Heard::Lost { round, part: HeardPart::Result },
        Said::Lost(round, LostPart::Round) => Heard::Lost { round, part: HeardPart::Round },
    }
}

fn phase(phase: JobPhase) -> fedval_core::port::Phase {
    use fedval_core::port::Phase;
    match phase {
        JobPhase::Queued => Phase::Queued,
        JobPhase::Approved => Phase::Approved,
        JobPhase::Downloading => Phase::Downloading,
        JobPhase::Evaluating => Phase::Evaluating,
        JobPhase::AwaitingRelease => Phase::AwaitingRelease,
        JobPhase::Sent => Phase::Sent,
    }
}

/// Polls a future so often at most, then drops it: a process that is killed.
async fn killed_after<T>(steps: u16, future: impl Future<Output = T>) {
    let mut future = pin!(future);
    let mut left = steps;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        future.as_mut().poll(context).map(drop)
    })
    .await;
}

impl Site {
    pub(crate) async fn new(
        number: usize,
        folder: &Path,
        clock: &MockClock,
        entropy: &Arc<SeededEntropy>,
    ) -> Self {
        let home = Home::new(folder);
        let process = start(number, &home, clock, entropy, 0).await;
        Self {
            number,
            home,
            clock: clock.clone(),
            entropy: Arc::clone(entropy),
            process,
            stream: None,
            previous: None,
            started: 0,
            faults: Arc::default(),
            acknowledged: Arc::default(),
        }
    }

    pub(crate) fn agent(&self) -> &Agent {
        &self.process.agent
    }

    pub(crate) const fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether something that was said was not heard yet.
    pub(crate) fn has_news(&self) -> bool {
        self.stream.as_ref().is_some_and(|stream| !stream.inbox.is_empty())
    }

    pub(crate) async fn connect(&mut self, coordinator: &Coordinator) {
        if self.is_connected() {
            return;
        }
        let (id, instance) = (site_id(self.number), self.process.instance);
        let Ok((session, said)) = coordinator.session_open(&id, instance, self.previous).await
        else {
            return;
        };
        // What the next process in this folder will name as the one before.
        self.previous = Some(instance);
        let way: Arc<dyn Link> = Arc::new(FaultyWay {
            coordinator: coordinator.clone(),
            site: id,
            faults: Arc::clone(&self.faults),
            acknowledged: Arc::clone(&self.acknowledged),
            vault: self.process.agent.vault().clone(),
        });
        self.process.way.send_replace(Some(Arc::clone(&way)));
        let (conversation, inbox) = (Conversation::default(), said.into());
        self.stream = Some(Stream { conversation, session, inbox, way });
    }

    pub(crate) async fn cut(&mut self, is_noticed: bool) {
        self.process.way.send_replace(None);
        if let Some(stream) = self.stream.take().filter(|_| is_noticed) {
            stream.session.end().await.unwrap();
        }
    }

    /// What the agent says reaches the session; what the session answers waits to be heard.
    pub(crate) async fn tell(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        for (round, told) in stream.conversation.tell(&self.process.agent).await.unwrap() {
            let heard = fedval_core::Heard::Phase(round, phase(told));
            match stream.session.hear(heard).await {
                Ok(said) => stream.inbox.extend(said),
                Err(_) => return self.cut(true).await,
            }
        }
    }

    pub(crate) async fn heartbeat(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        if stream.session.hear(fedval_core::Heard::Heartbeat).await.is_err() {
            return self.cut(true).await;
        }
        let (agent, way) = (&self.process.agent, stream.way.as_ref());
        stream.conversation.take_again(agent, way).await.unwrap();
    }

    pub(crate) async fn look(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        match stream.session.look().await {
            Ok(said) => stream.inbox.extend(said),
            Err(_) => self.cut(true).await,
        }
    }

    pub(crate) async fn hear(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        let Some(said) = stream.inbox.pop_front() else { return };
        let (agent, way) = (&self.process.agent, stream.way.as_ref());
        let heard = heard(said, stream.session.epoch());
        stream.conversation.hear(agent, way, heard).await.unwrap();
    }

    pub(crate) async fn evaluate(&mut self) -> bool {
        self.process.evaluating.evaluate_next().await.unwrap()
    }

    pub(crate) async fn answer(&mut self) -> bool {
        self.process.answering.answer_next().await.unwrap()
    }

    /// Kills the agent in the middle of a step, and starts it again.
    pub(crate) async fn kill(&mut self, op: Op) {
        match op {
            Op::KillEvaluating(_, steps) => {
                killed_after(steps, self.process.evaluating.evaluate_next()).await;
            }
            Op::KillAnswering(_, steps) => {
                killed_after(steps, self.process.answering.answer_next()).await;
            }
            _ => {}
        }
        self.cut(true).await;
        self.started += 1;
        let number = self.number;
        self.process = start(number, &self.home, &self.clock, &self.entropy, self.started).await;
    }

    /// Another process connects as this site, and goes silent.
    pub(crate) async fn impostor(&mut self, coordinator: &Coordinator, is_copy: bool) {
        let instance = InstanceId(Sha256Digest::of(b"another machine"));
        let previous = is_copy.then_some(self.process.instance);
        drop(coordinator.session_open(&site_id(self.number), instance, previous).await);
    }
}

async fn start(
    number: usize,
    home: &Home,
    clock: &MockClock,
    entropy: &Arc<SeededEntropy>,
    started: u32,
) -> Process {
    let (evaluator, clock) = (Arc::new(Buckets(number)), Arc::new(clock.clone()));
    let agent = Agent::open(home.clone(), evaluator, clock, Arc::clone(entropy) as _).await;
    let agent = Arc::new(agent.unwrap());
    let (way, ways) = watch::channel(None);
    Process {
        evaluating: Worker::new(&agent, &ways),
        answering: Worker::new(&agent, &ways),
        instance: InstanceId(Sha256Digest::of(format!("{number}, start {started}").as_bytes())),
        agent,
        way,
    }
}
