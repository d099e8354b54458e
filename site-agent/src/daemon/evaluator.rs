//! From a job's model and this site's cases to a summary, which nobody outside sees yet.

use std::path::Path;

use async_trait::async_trait;
use fedval_ambient::{Failure, Problem as _};
use fedval_disclosure::SiteLocal;
use fedval_evaluate::{EvaluateError, Evaluation, Progress, ScoreGrid};
use fedval_study::{FailedStage, SiteSummary, StudyProtocol};
use fedval_vault::Job;

use super::{Agent, progress};

/// Why there is no summary.
#[derive(Debug)]
pub enum NotEvaluated {
    /// The job failed, and the coordinator hears at which stage. The code stays on site.
    Failed(FailedStage, &'static str),
    /// This site's copy of the model is damaged; the job waits until it was fetched again.
    ModelDamaged(&'static str),
    /// The images cannot be fetched now, or nobody runs the model. What was evaluated is kept, and the job goes on later.
    Waits {
        /// Why.
        code: String,
        /// Whether it may be over in a minute; otherwise a person has something to do.
        is_passing: bool,
    },
    /// This machine failed: the agent stops and goes on after a restart.
    Machine(Failure),
}

/// Evaluates jobs.
#[async_trait]
pub trait Evaluator: std::fmt::Debug + Send + Sync {
    /// Evaluates a job whose model lies in a file.
    async fn evaluate(
        &self,
        agent: &Agent,
        job: &Job,
        protocol: &StudyProtocol,
        model: &Path,
        grid: ScoreGrid,
    ) -> Result<SiteLocal<SiteSummary>, NotEvaluated>;
}

/// Evaluates in boxes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Boxed;

#[async_trait]
impl Evaluator for Boxed {
    async fn evaluate(
        &self,
        agent: &Agent,
        job: &Job,
        protocol: &StudyProtocol,
        model: &Path,
        grid: ScoreGrid,
    ) -> Result<SiteLocal<SiteSummary>, NotEvaluated> {
        let source = agent.config.source_of(&protocol.id);
        let missing = NotEvaluated::Failed(FailedStage::DataSource, "DATA_SOURCE_MISSING");
        let source = source.ok_or(missing)?;
        let manifest = source.manifest_source();
        let pacs = source.pacs(&agent.config.limits);
        let pacs =
            pacs.map_err(|failure| NotEvaluated::Waits { code: failure.code, is_passing: false })?;
        let engines = agent.config.inference.engines(agent.config.limits.lanes);
        let engines = engines
            .map_err(|failure| NotEvaluated::Waits { code: failure.code, is_passing: false })?;
        let secret = agent.vault.cohort_secret(agent.entropy.as_ref()).await;
        let evaluation = Evaluation {
            round: job.round(),
            protocol,
            model,
            source: &manifest,
            pacs: pacs.as_ref(),
            vault: &agent.vault,
            secret: secret.map_err(|error| NotEvaluated::Machine(error.into()))?,
            grid,
            decode_limits: agent.config.limits.decode(),
            inference_limits: agent.config.limits.inference(),
            engine: &engines.engine,
            second_engine: engines.second.as_ref(),
            lanes: agent.config.limits.lanes,
        };
        let shown = Progress::default();
        let summary = tokio::select! {
            summary = evaluation.run(&shown) => summary,
            never = progress::show(job.round(), &shown) => match never {},
        };
        summary.map_err(not_evaluated)
    }
}

fn not_evaluated(error: EvaluateError) -> NotEvaluated {
    if let Some(is_passing) = error.waits() {
        return NotEvaluated::Waits { code: error.code().to_owned(), is_passing };
    }
    match error.stage() {
        _ if error.is_model_damaged() => NotEvaluated::ModelDamaged(error.code()),
        Some(stage) => NotEvaluated::Failed(stage, error.code()),
        None => NotEvaluated::Machine(error.into()),
    }
}
