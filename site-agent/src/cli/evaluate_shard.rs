//! `fedval-agent evaluate-shard`: one process of several that evaluate a job. It releases nothing and speaks to nobody.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure, Problem as _};
use fedval_evaluate::{
    EvaluateError, Evaluation, Progress, ScoreGrid, Shard, Store, check_preprocessing,
};
use fedval_inference::ModelEngine;
use fedval_study::ScoreSource;
use fedval_vault::ShardFile;
use serde_json::json;
use tokio::time::sleep;

use super::args::EvaluateShard;
use crate::daemon::own_digest;
use crate::home::Home;
use crate::shards::{self, Order};

/// How often it is looked whether the job still runs, and whether evaluation is paused.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(home: &Home, asked: &EvaluateShard, output: Output) -> Result<(), Failure> {
    home.enrolled()?;
    let order = shards::order_of(home, &asked.study)?;
    // The answer names the agent's executable.
    order.check_build(own_digest()?)?;
    let shard = Shard::new(asked.index, asked.of).filter(|_| asked.of == order.of);
    let shard = shard.ok_or_else(|| wrong_shard(asked, order.of))?;
    let file = ShardFile::open(&shards::cases_file(home, &order, asked.index))?;
    let file = Arc::new(file);
    // A pause is waited for here: whoever starts a process anew each time it ends gives up at some time of the night.
    let failed = loop {
        resumed(home, &order).await?;
        tokio::select! {
            done = evaluate(home, &order, shard, &file) => break done?,
            () = stopped(home, &order) => {}
        }
    };
    file.complete()?;
    let EvaluateShard { index, of, .. } = asked;
    let what = failed.map_or_else(
        || format!("Shard {index} of {of} is evaluated; the agent goes on when all are."),
        |code| {
            format!("Shard {index} of {of} met {code}; the agent meets it too and answers the job.")
        },
    );
    output.say(&json!({ "round": order.round, "shard": index, "of": of, "failed": failed }), &what);
    Ok(())
}

/// Evaluates the cases of this process. Inside is the code of what the job fails with, whoever evaluates it.
async fn evaluate(
    home: &Home,
    order: &Order,
    shard: Shard,
    file: &Arc<ShardFile>,
) -> Result<Option<&'static str>, Failure> {
    let (Some(locked), Some(secret)) = (order.protocol(), order.secret()) else {
        return Err(over());
    };
    let (protocol, config) = (locked.protocol(), home.config()?);
    let source = config.source_of(&protocol.id).ok_or_else(over)?;
    if source.scores() != ScoreSource::PredictionTable {
        // This process may be of another image than the agent.
        check_preprocessing(&protocol.model.input, config.limits.decode()).await?;
    }
    // Here as well: this process may read another agent.toml than the agent did.
    config.split(source)?;
    let engine = match source.scores() {
        ScoreSource::Model => config.inference.engine(config.limits.lanes)?,
        ScoreSource::PredictionTable => ModelEngine::Embedded,
    };
    let source = source.manifest_source();
    let evaluation = Evaluation {
        round: &order.round,
        protocol,
        model: &home.artifact(&protocol.model.digest.0),
        source: &source,
        // A source with a PACS is not split.
        pacs: None,
        store: Store::Shard(Arc::clone(file)),
        secret,
        // Nothing is counted here.
        grid: ScoreGrid::Coarse,
        k: protocol.disclosure.k,
        decode_limits: config.limits.decode(),
        inference_limits: config.limits.inference(),
        engine: &engine,
        // The agent compares engines, over cases that are drawn from all shards.
        second_engine: None,
        lanes: config.limits.lanes,
    };
    failed_with(evaluation.run_shard(shard, &Progress::default()).await)
}

/// A job whose model or data are of no use fails in every process in the same way, and again whenever one is started anew. So
/// this process is done: the agent does what is left, meets the failure itself, and answers.
fn failed_with(ran: Result<(), EvaluateError>) -> Result<Option<&'static str>, Failure> {
    match ran {
        Ok(()) => Ok(None),
        Err(error) if error.stage().is_some() => Ok(Some(error.code())),
        Err(error) => Err(error.into()),
    }
}

/// Ends when evaluation may go on; fails where nobody waits for this any more.
async fn resumed(home: &Home, order: &Order) -> Result<(), Failure> {
    while shards::is_asked(home, order) {
        if !home.paused_file().exists() {
            return Ok(());
        }
        sleep(LOOK).await;
    }
    Err(over())
}

/// Ends when evaluation is paused, or nobody waits for this any more.
async fn stopped(home: &Home, order: &Order) {
    while shards::is_asked(home, order) && !home.paused_file().exists() {
        sleep(LOOK).await;
    }
}

fn wrong_shard(asked: &EvaluateShard, of: u32) -> Failure {
    Failure::new(
        Exit::Usage,
        "SHARD_COUNT",
        format!(
            "there is no shard {} of {}: the job is split in {of}, from 0",
            asked.index, asked.of
        ),
        "give --of as `shards` in agent.toml says, and an index below it: the first is 0",
    )
}

fn over() -> Failure {
    Failure::new(
        Exit::AnswerIsNo,
        "SHARD_OVER",
        "nobody waits for this shard any more",
        "see `fedval-agent jobs`; start the shard again once a job waits for it",
    )
}

#[cfg(test)]
mod tests {
    use fedval_inference::LoadError;

    use super::*;

    #[test]
    fn what_the_agent_fails_with_too_ends_a_process_as_done_and_nothing_else_does() {
        assert_eq!(failed_with(Ok(())), Ok(None));
        let bad_model = EvaluateError::ModelLoad(LoadError::NotOnnx);
        assert_eq!(failed_with(Err(bad_model)), Ok(Some("MODEL_NOT_ONNX")));
        // This machine's own: whoever started the process mends it, and starts it again.
        let no_library = EvaluateError::ModelLoad(LoadError::LibraryNotLoaded);
        assert_eq!(failed_with(Err(no_library)).unwrap_err().code, "ENGINE_LIBRARY_NOT_LOADED");
        let no_proc = EvaluateError::NoBox(std::io::Error::other("none"));
        assert_eq!(failed_with(Err(no_proc)).unwrap_err().code, "SANDBOX_NOT_STARTED");
    }
}
