//! Background job: asks the store every few seconds whether it answers, and tells whoever asks the
//! server whether it can work.

use std::time::Duration;

use fedval_core::Coordinator;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::metrics::Metrics;
use crate::rpc;

const ASK_SECONDS: u64 = 3;
/// A store that has not answered by then does not.
const ANSWER_SECONDS: u64 = 2;

/// What is told about the server.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    coordinator: Coordinator,
    reporter: HealthReporter,
    metrics: Metrics,
}

impl Health {
    pub(crate) fn new(coordinator: Coordinator, metrics: Metrics) -> Self {
        Self { coordinator, reporter: HealthReporter::new(), metrics }
    }

    pub(crate) const fn reporter(&self) -> &HealthReporter {
        &self.reporter
    }

    /// Asks for as long as the server runs.
    pub(crate) async fn watch(self) {
        let mut did_answer = None;
        loop {
            let answers = self.store_answers().await;
            if did_answer != Some(answers) {
                self.tell(answers).await;
                did_answer = Some(answers);
            }
            tokio::time::sleep(Duration::from_secs(ASK_SECONDS)).await;
        }
    }

    async fn store_answers(&self) -> bool {
        let asked = self.coordinator.store().change_count();
        match tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS), asked).await {
            Ok(Ok(_)) => true,
            Ok(Err(_)) | Err(_) => false,
        }
    }

    async fn tell(&self, answers: bool) {
        if answers {
            tracing::info!("store answers");
        } else {
            tracing::error!(code = "STORE_UNAVAILABLE", "store does not answer");
        }
        self.metrics.store_answers(answers);
        let status = if answers { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.reporter.set_service_status("", status).await;
        for service in rpc::services() {
            self.reporter.set_service_status(service, status).await;
        }
    }
}
