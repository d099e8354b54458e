//! Every metric of the coordinator, declared once. Labels come from fixed sets: methods of the
//! contract, codes, limits; never a name, an address or an identity.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::Timestamp;
use fedval_ambient::exposition::Page;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    method: &'static str,
    code: &'static str,
    problem: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    service: &'static str,
    method: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    outcome: &'static str,
    problem: String,
}

type Durations = Family<MethodLabels, Histogram, fn() -> Histogram>;

/// The coordinator's metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Metrics(Arc<Declared>);

#[derive(Debug)]
struct Declared {
    registry: Registry,
    connections: Gauge,
    work_streams: Gauge,
    connections_refused: Family<ReasonLabels, Counter>,
    handshakes_failed: Family<ReasonLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    call_duration: Durations,
    results: Family<ResultLabels, Counter>,
    download_bytes: Counter,
    store_answers: Gauge,
    certificate_expiry: Gauge,
}

/// What became of a call.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// gRPC status code.
    pub(crate) code: &'static str,
    /// The refusal's problem code, or nothing.
    pub(crate) problem: String,
}

/// A gauge that is one higher for as long as this lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    fn in_gauge(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// From 1 ms to about a minute.
fn call_durations() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 17))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut declared = Declared {
            registry: Registry::with_prefix("coordinator"),
            connections: Gauge::default(),
            work_streams: Gauge::default(),
            connections_refused: Family::default(),
            handshakes_failed: Family::default(),
            calls: Family::default(),
            call_duration: Family::new_with_constructor(call_durations),
            results: Family::default(),
            download_bytes: Counter::default(),
            store_answers: Gauge::default(),
            certificate_expiry: Gauge::default(),
        };
        declared.declare_network();
        declared.declare_calls();
        Self(Arc::new(declared))
    }

    pub(crate) fn connection(&self) -> Counted {
        Counted::in_gauge(&self.0.connections)
    }

    pub(crate) fn work_stream(&self) -> Counted {
        Counted::in_gauge(&self.0.work_streams)
    }

    pub(crate) fn connection_refused(&self, reason: &'static str) {
        self.0.connections_refused.get_or_create(&ReasonLabels { reason }).inc();
    }

    pub(crate) fn handshake_failed(&self, reason: &'static str) {
        self.0.handshakes_failed.get_or_create(&ReasonLabels { reason }).inc();
    }

    pub(crate) fn call_ended(
        &self,
        service: &'static str,
        method: &'static str,
        outcome: Outcome,
        took: Option<Duration>,
    ) {
        if let Some(took) = took {
            let labels = MethodLabels { service, method };
            self.0.call_duration.get_or_create(&labels).observe(took.as_secs_f64());
        }
        let Outcome { code, problem } = outcome;
        self.0.calls.get_or_create(&CallLabels { service, method, code, problem }).inc();
    }

    pub(crate) fn result(&self, outcome: &'static str, problem: &str) {
        let labels = ResultLabels { outcome, problem: problem.to_owned() };
        self.0.results.get_or_create(&labels).inc();
    }

    pub(crate) fn downloaded(&self, bytes: usize) {
        self.0.download_bytes.inc_by(bytes as u64);
    }

    pub(crate) fn store_answers(&self, answers: bool) {
        self.0.store_answers.set(i64::from(answers));
    }

    pub(crate) fn certificate_expires(&self, at: Timestamp) {
        self.0.certificate_expiry.set(at.unix_millis() / 1000);
    }
}

impl Declared {
    fn declare_network(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The running version", build);
        registry.register(
            "connections_open",
            "Connections that finished their handshake and still live",
            self.connections.clone(),
        );
        registry.register(
            "work_streams_open",
            "Agents connected to this replica",
            self.work_streams.clone(),
        );
        registry.register(
            "connections_refused",
            "Connections turned away at a limit: total, anonymous, address, identity",
            self.connections_refused.clone(),
        );
        registry.register(
            "handshakes_failed",
            "Handshakes that did not end in a connection; excludes those turned away at a limit",
            self.handshakes_failed.clone(),
        );
        registry.register_with_unit(
            "server_certificate_expiry_timestamp",
            "When the certificate that this server shows ends, since 1970",
            Unit::Seconds,
            self.certificate_expiry.clone(),
        );
    }

    fn declare_calls(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "calls",
            "Calls that ended, by gRPC code and, where refused, by problem code",
            self.calls.clone(),
        );
        registry.register_with_unit(
            "call_duration",
            "From a call's headers to the end of its answer; excludes calls that stream",
            Unit::Seconds,
            self.call_duration.clone(),
        );
        registry.register(
            "results",
            "Results handed in: accepted, duplicate, refused by problem code",
            self.results.clone(),
        );
        registry.register_with_unit(
            "download",
            "Artifact bytes handed to connections, with five bytes of frame a message",
            Unit::Bytes,
            self.download_bytes.clone(),
        );
        registry.register(
            "store_answers",
            "1 while the store answers, 0 while it does not",
            self.store_answers.clone(),
        );
    }
}

impl Page for Metrics {
    fn metrics(&self) -> String {
        let mut page = String::new();
        text::encode(&mut page, &self.0.registry).expect("a `String` takes every text");
        page
    }

    fn is_healthy(&self) -> bool {
        self.0.store_answers.get() == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_its_help_and_counts_what_it_says() {
        let metrics = Metrics::new();
        let stream = metrics.work_stream();
        metrics.result("refused", "CONFLICT");
        metrics.downloaded(7);
        let outcome = Outcome { code: "OK", problem: String::new() };
        metrics.call_ended(
            "ResultService",
            "SubmitResult",
            outcome,
            Some(Duration::from_millis(3)),
        );
        let page = metrics.metrics();
        for line in [
            "coordinator_work_streams_open 1",
            "coordinator_results_total{outcome=\"refused\",problem=\"CONFLICT\"} 1",
            "coordinator_download_bytes_total 7",
            "coordinator_call_duration_seconds_count{service=\"ResultService\",method=\"SubmitResult\"} 1",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in {page}");
        }
        drop(stream);
        assert!(metrics.metrics().contains("coordinator_work_streams_open 0"));
        let count = |kind| page.lines().filter(|line| line.starts_with(kind)).count();
        assert_eq!(count("# TYPE "), count("# HELP "));
    }
}
