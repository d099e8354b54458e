//! Every metric of the agent, declared once. None of them is a count or a time of cases, none names the
//! site, a study or a round: labels are states and codes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fedval_ambient::exposition::Page;
use fedval_vault::{Job, JobState};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

/// The agent's metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(Arc<Declared>);

#[derive(Debug)]
struct Declared {
    registry: Registry,
    connected: Gauge,
    reconnections: Counter,
    jobs: Family<StateLabels, Gauge>,
    deliveries_failed: Family<CodeLabels, Counter>,
    certificate_left: Gauge,
    was_connected: AtomicBool,
    looked: AtomicBool,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut declared = Declared {
            registry: Registry::with_prefix("agent"),
            connected: Gauge::default(),
            reconnections: Counter::default(),
            jobs: Family::default(),
            deliveries_failed: Family::default(),
            certificate_left: Gauge::default(),
            was_connected: AtomicBool::new(false),
            looked: AtomicBool::new(false),
        };
        declared.declare();
        Self(Arc::new(declared))
    }
}

impl Declared {
    fn declare(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The running version", build);
        registry.register(
            "connected",
            "1 while the coordinator is connected, 0 while it is not",
            self.connected.clone(),
        );
        registry.register(
            "reconnections",
            "Connections to the coordinator; excludes the first since the agent started",
            self.reconnections.clone(),
        );
        registry.register("jobs", "Jobs in the vault by state", self.jobs.clone());
        registry.register(
            "deliveries_failed",
            "Results that the coordinator did not take, by code; each try counts",
            self.deliveries_failed.clone(),
        );
        registry.register_with_unit(
            "certificate_left",
            "Until the site's certificate ends; it is renewed long before",
            Unit::Seconds,
            self.certificate_left.clone(),
        );
    }
}

impl Metrics {
    /// Whether the coordinator is connected now.
    pub(crate) fn connected(&self, is_connected: bool) {
        let returned = is_connected && self.0.connected.get() == 0;
        self.0.connected.set(i64::from(is_connected));
        if returned && self.0.was_connected.swap(true, Ordering::Relaxed) {
            self.0.reconnections.inc();
        }
    }

    /// What the vault holds now.
    pub(crate) fn jobs(&self, jobs: &[Job]) {
        let mut counts: BTreeMap<_, _> =
            STATES.iter().map(|state| (state_name(*state), 0)).collect();
        for job in jobs {
            *counts.entry(state_name(job.state)).or_default() += 1;
        }
        for (state, count) in counts {
            self.0.jobs.get_or_create(&StateLabels { state }).set(count);
        }
        self.0.looked.store(true, Ordering::Relaxed);
    }

    /// The coordinator did not take a result.
    pub(crate) fn delivery_failed(&self, code: &'static str) {
        self.0.deliveries_failed.get_or_create(&CodeLabels { code }).inc();
    }

    /// How long the site's certificate still holds.
    pub(crate) fn certificate_left(&self, seconds: i64) {
        self.0.certificate_left.set(seconds);
    }
}

impl Page for Metrics {
    fn metrics(&self) -> String {
        let mut page = String::new();
        text::encode(&mut page, &self.0.registry).expect("a `String` takes every text");
        page
    }

    /// A vault that fails ends the agent; until it was read once nothing is known.
    fn is_healthy(&self) -> bool {
        self.0.looked.load(Ordering::Relaxed)
    }
}

/// So that a state without a job shows a zero.
const STATES: [JobState; 7] = [
    JobState::Offered,
    JobState::Approved,
    JobState::Running,
    JobState::AwaitingRelease,
    JobState::Released,
    JobState::Sent,
    JobState::Cancelled,
];

const fn state_name(state: JobState) -> &'static str {
    match state {
        JobState::Offered => "offered",
        JobState::Approved => "approved",
        JobState::Running => "running",
        JobState::AwaitingRelease => "awaiting_release",
        JobState::Released => "released",
        JobState::Sent => "sent",
        JobState::Cancelled => "cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_connection_is_no_reconnection() {
        let metrics = Metrics::default();
        for is_connected in [false, true, true, false, true, false, true] {
            metrics.connected(is_connected);
        }
        let page = metrics.metrics();
        assert!(page.contains("agent_reconnections_total 2\n"), "{page}");
        assert!(page.contains("agent_connected 1\n"), "{page}");
    }

    #[test]
    fn the_page_has_help_for_every_metric_and_is_healthy_once_the_vault_was_read() {
        let metrics = Metrics::default();
        assert!(!metrics.is_healthy());
        metrics.jobs(&[]);
        metrics.delivery_failed("STALE_LEASE");
        metrics.certificate_left(7);
        assert!(metrics.is_healthy());
        let page = metrics.metrics();
        let count = |kind| page.lines().filter(|line| line.starts_with(kind)).count();
        assert_eq!((count("# TYPE "), count("# HELP ")), (6, 6), "{page}");
        for line in [
            "agent_jobs{state=\"awaiting_release\"} 0",
            "agent_deliveries_failed_total{code=\"STALE_LEASE\"} 1",
            "agent_certificate_left_seconds 7",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in {page}");
        }
    }
}
