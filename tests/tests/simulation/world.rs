//! The consortium during a history.

use std::path::PathBuf;
use std::sync::Arc;

use fedval_ambient::{MockClock, SeededEntropy};
use fedval_core::Coordinator;
use fedval_core::port::{Snapshot, SnapshotStore as _};
use fedval_store::SqliteStore;
use fedval_study::StudyId;
use fedval_vault::JobState;
use tempfile::TempDir;

use crate::op::Op;
use crate::site::Site;
use crate::template::{SITES, Template};
use crate::way::Fault;

/// Rounds of quiet work after which everything must have come to its end.
const MOST_QUIET_ROUNDS: u32 = 40;
/// Longer than the longest wait between two attempts.
const QUIET_SECONDS: i64 = 61;
/// How old the consortium is when a history begins: further than any history's clocks go back, and
/// its certificates are still young enough to go forward.
const AGE_SECONDS: i64 = 10 * 86_400;

/// The consortium.
pub(crate) struct World {
    folder: TempDir,
    template: &'static Template,
    clock: MockClock,
    entropy: Arc<SeededEntropy>,
    store: PathBuf,
    restored: u32,
    pub(crate) coordinator: Coordinator,
    pub(crate) sites: Vec<Site>,
    backup: Option<Snapshot>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let template = Template::get().await;
        let (clock, entropy) = (MockClock::default(), Arc::new(SeededEntropy::new(2)));
        clock.advance_seconds(AGE_SECONDS);
        let folder = template.copy();
        let (store, artifacts) = (folder.path().join("fedval.db"), folder.path().join("artifacts"));
        let coordinator = template.coordinator(&store, &artifacts, &clock, &entropy).await;
        let mut sites = Vec::new();
        for (number, (name, ..)) in SITES.iter().enumerate() {
            sites.push(Site::new(number, &folder.path().join(name), &clock, &entropy).await);
        }
        Self {
            folder,
            template,
            clock,
            entropy,
            store,
            restored: 0,
            coordinator,
            sites,
            backup: None,
        }
    }

    pub(crate) fn study(&self) -> StudyId {
        self.template.locked.protocol().id.clone()
    }

    pub(crate) async fn apply(&mut self, op: &Op) {
        match *op {
            Op::Dispatch => self.dispatch().await,
            Op::Connect(site) => self.sites[site].connect(&self.coordinator).await,
            Op::Cut(site, is_noticed) => self.sites[site].cut(is_noticed).await,
            Op::Tell(site) => self.sites[site].tell().await,
            Op::Hear(site) => self.sites[site].hear().await,
            Op::Look(site) => self.sites[site].look().await,
            Op::Heartbeat(site) => self.sites[site].heartbeat().await,
            Op::Evaluate(site) => drop(self.sites[site].evaluate().await),
            Op::Answer(site) => drop(self.sites[site].answer().await),
            Op::KillEvaluating(site, _) | Op::KillAnswering(site, _) => {
                self.sites[site].kill(*op).await;
            }
            Op::LoseRequest(site) => self.fault(site, Fault::LoseRequest),
            Op::LoseResponse(site) => self.fault(site, Fault::LoseResponse),
            Op::Repeat(site) => self.fault(site, Fault::Repeat),
            Op::Impostor(site, is_copy) => {
                self.sites[site].impostor(&self.coordinator, is_copy).await;
            }
            Op::RestartCoordinator => self.reopen().await,
            Op::Backup => self.backup = Some(self.snapshot().await),
            Op::Restore => self.restore().await,
            Op::Advance(seconds) => self.clock.advance_seconds(seconds.into()),
            Op::Jump(seconds) => self.clock.jump_seconds(seconds.into()),
        }
    }

    async fn dispatch(&self) {
        // A clock that jumped back before the certificates' first day signs nothing that holds.
        self.coordinator.study_dispatch(&self.study(), &[], 0).await.unwrap();
    }

    fn fault(&self, site: usize, fault: Fault) {
        self.sites[site].faults.lock().unwrap().push_back(fault);
    }

    async fn snapshot(&self) -> Snapshot {
        self.coordinator.store().snapshot_read().await.unwrap()
    }

    /// The process is gone, and with it every connection; a new one opens what is on the disk.
    async fn reopen(&mut self) {
        for site in &mut self.sites {
            site.cut(false).await;
        }
        let artifacts = self.folder.path().join("artifacts");
        let (clock, entropy) = (&self.clock, &self.entropy);
        self.coordinator = self.template.coordinator(&self.store, &artifacts, clock, entropy).await;
    }

    async fn restore(&mut self) {
        let Some(backup) = self.backup.clone() else { return };
        self.restored += 1;
        self.store = self.folder.path().join(format!("restored-{}.db", self.restored));
        let store = SqliteStore::open(&self.store).await.unwrap();
        assert!(store.snapshot_write(&backup).await.unwrap(), "a new store is empty");
        self.reopen().await;
    }

    /// The faults end. The operator dispatches again what a restored coordinator may have lost; the
    /// agents go on by themselves.
    pub(crate) async fn settle(&mut self) {
        for site in &self.sites {
            site.faults.lock().unwrap().clear();
        }
        for _ in 0..MOST_QUIET_ROUNDS {
            self.dispatch().await;
            for site in &mut self.sites {
                site.connect(&self.coordinator).await;
                site.look().await;
                site.tell().await;
                while site.has_news() {
                    site.hear().await;
                    site.tell().await;
                }
                while site.evaluate().await || site.answer().await {
                    site.tell().await;
                }
            }
            if self.is_done().await {
                return;
            }
            self.clock.advance_seconds(QUIET_SECONDS);
            for site in &mut self.sites {
                site.heartbeat().await;
            }
        }
        panic!("P5: nothing fails any more, and still the round does not end");
    }

    /// Every site believes to be done, and the coordinator believes it too.
    async fn is_done(&self) -> bool {
        for site in &self.sites {
            let jobs = site.agent().vault().job_list().await.unwrap();
            let is_sent = !jobs.is_empty() && jobs.iter().all(|job| job.state == JobState::Sent);
            if !is_sent || site.has_news() || !site.is_connected() {
                return false;
            }
        }
        let rounds = self.coordinator.study_progress(&self.study()).await.unwrap().rounds;
        rounds.iter().all(|(_, sites)| sites.iter().all(|site| site.result.is_some()))
    }
}
