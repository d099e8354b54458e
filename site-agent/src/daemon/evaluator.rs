//! From a job's model and this site's cases to a summary, which nobody outside sees yet.

use std::path::Path;

use async_trait::async_trait;
use fedval_ambient::{Failure, Problem as _};
use fedval_disclosure::SiteLocal;
use fedval_evaluate::{EvaluateError, Evaluation, Progress, ScoreGrid, Store, check_preprocessing};
use fedval_inference::ModelEngine;
use fedval_study::{FailedStage, ProbeDigests, ScoreSource, SiteSummary, StudyProtocol};
use fedval_vault::{Culprit, Job};

use super::Agent;
use crate::config::DataSource;
use crate::inference::Engines;
use crate::progress;
use crate::shards::{self, Order};

/// Why there is no summary.
#[derive(Debug)]
pub enum NotEvaluated {
    /// The job failed.
    Failed {
        /// What the coordinator hears.
        stage: FailedStage,
        /// Why. It stays on site.
        code: &'static str,
        /// What made a box do what nothing honest does there, if that is why.
        culprit: Option<Culprit>,
    },
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

/// What an evaluation comes to.
#[derive(Debug)]
pub struct Summarised {
    /// What was counted.
    pub summary: SiteLocal<SiteSummary>,
    /// What the probe images came out as, which agrees with the protocol; none where no image was read.
    pub preprocessing: ProbeDigests,
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
        k: u64,
    ) -> Result<Summarised, NotEvaluated>;
}

/// Evaluates in boxes.
#[derive(Debug, Clone, Copy)]
pub struct Boxed;

#[async_trait]
impl Evaluator for Boxed {
    async fn evaluate(
        &self,
        agent: &Agent,
        job: &Job,
        protocol: &StudyProtocol,
        model: &Path,
        grid: ScoreGrid,
        k: u64,
    ) -> Result<Summarised, NotEvaluated> {
        let source = agent.config.source_of(&protocol.id);
        let missing = NotEvaluated::Failed {
            stage: FailedStage::DataSource,
            code: "DATA_SOURCE_MISSING",
            culprit: None,
        };
        let source = source.ok_or(missing)?;
        let manifest = source.manifest_source();
        let pacs = source.pacs(&agent.config.limits).map_err(waits_for_a_person)?;
        let pacs = pacs.map(|pacs| pacs.keeping_series_in(agent.home.folder().to_path_buf()));
        let secret = agent.vault.cohort_secret(agent.entropy.as_ref()).await;
        let secret = secret.map_err(|error| NotEvaluated::Machine(error.into()))?;
        // Before anything that takes its time: while processes are awaited this is come by every few seconds.
        let split = agent.config.split(source).map_err(waits_for_a_person)?;
        gather_shards(agent, job, split, &secret).await?;
        let engines = engines(agent, source).await?;
        let preprocessing = probed(agent, source, protocol).await?;
        let evaluation = Evaluation {
            round: job.round(),
            protocol,
            model,
            source: &manifest,
            pacs: pacs.as_ref(),
            store: Store::Vault(&agent.vault),
            secret,
            grid,
            k,
            decode_limits: agent.config.limits.decode(),
            inference_limits: agent.config.limits.inference(),
            engine: &engines.engine,
            second_engine: engines.second.as_ref(),
            lanes: agent.config.limits.lanes,
        };
        let shown = Progress::default();
        let summary = tokio::select! {
            summary = evaluation.run(&shown) => summary,
            never = progress::show(job.round().as_str(), &shown) => match never {},
        };
        let summary = summary.map_err(not_evaluated)?;
        Ok(Summarised { summary, preprocessing })
    }
}

/// Who runs the model. Where results were brought none runs, and no library is read for it.
async fn engines(agent: &Agent, source: &DataSource) -> Result<Engines, NotEvaluated> {
    if source.scores() == ScoreSource::PredictionTable {
        return Ok(Engines { engine: ModelEngine::Embedded, second: None });
    }
    let (inference, lanes) = (agent.config.inference.clone(), agent.config.limits.lanes);
    // Beside everything else: a library of some hundred megabytes is copied and compared with its digest.
    let opened = tokio::task::spawn_blocking(move || inference.engines(lanes)).await;
    let opened = opened.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    opened.map_err(waits_for_a_person)
}

/// What the configuration of this site says is of no use.
fn waits_for_a_person(failure: Failure) -> NotEvaluated {
    NotEvaluated::Waits { code: failure.code, is_passing: false }
}

/// What the probe images come out as, before anything is asked of a PACS or opened. A table of scores has no image.
async fn probed(
    agent: &Agent,
    source: &DataSource,
    protocol: &StudyProtocol,
) -> Result<ProbeDigests, NotEvaluated> {
    if source.scores() == ScoreSource::PredictionTable {
        return Ok(ProbeDigests::default());
    }
    let limits = agent.config.limits.decode();
    check_preprocessing(&protocol.model.input, limits).await.map_err(not_evaluated)
}

/// Waits for the processes among which a job is split, and takes what they found. What none did, where a process is missing
/// that the configuration does not ask for any more, the agent does.
async fn gather_shards(
    agent: &Agent,
    job: &Job,
    split: Option<u32>,
    secret: &[u8; 32],
) -> Result<(), NotEvaluated> {
    let (home, vault, round) = (&agent.home, &agent.vault, job.round());
    if shards::are_gathered(home, round) {
        // The agent may have ended before all of it was gone, the secret among it.
        return shards::clear(home, round).map_err(NotEvaluated::Machine);
    }
    if let Some(of) = split {
        let order = Order::new(job, of, secret, agent.build);
        shards::ask(home, vault, &order).await.map_err(NotEvaluated::Machine)?;
        if !shards::are_complete(home, &order) {
            return Err(NotEvaluated::Waits {
                code: "SHARDS_AWAITED".to_owned(),
                is_passing: true,
            });
        }
    }
    shards::gather(home, vault, round).await.map_err(NotEvaluated::Machine)
}

fn not_evaluated(error: EvaluateError) -> NotEvaluated {
    if let Some(is_passing) = error.waits() {
        return NotEvaluated::Waits { code: error.code().to_owned(), is_passing };
    }
    if matches!(
        error,
        EvaluateError::PreprocessingDiffers(_) | EvaluateError::ProbeNotDecoded { .. }
    ) {
        // The log of this site says which; a person brings another release.
        tracing::error!(problem = %error, "preprocessing is not the protocol's");
        return NotEvaluated::Waits { code: error.code().to_owned(), is_passing: false };
    }
    match error.stage() {
        _ if error.is_model_damaged() => NotEvaluated::ModelDamaged(error.code()),
        Some(stage) => NotEvaluated::Failed { stage, code: error.code(), culprit: error.culprit() },
        None => NotEvaluated::Machine(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use fedval_study::ProbeName;

    use super::*;

    #[test]
    fn a_machine_that_prepares_images_otherwise_lets_the_job_wait_for_a_person() {
        let error =
            EvaluateError::ProbeNotDecoded { probe: ProbeName::Resize, detail: "DECODER_DIED" };
        let NotEvaluated::Waits { code, is_passing } = not_evaluated(error) else {
            panic!("the job was answered, or the agent ended");
        };
        assert_eq!((code.as_str(), is_passing), ("PREPROCESSING_DIFFERS", false));
    }
}
