//! `fedval-agent evaluate-shard`: one process of several that evaluate a job. It releases nothing and speaks to nobody.

use std::sync::Arc;
use std::time::Duration;

use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure};
use fedval_evaluate::{Evaluation, Progress, ScoreGrid, Shard, Store, check_preprocessing};
use fedval_study::{RoundId, ScoreSource};
use fedval_vault::ShardFile;
use serde_json::json;
use tokio::time::sleep;

use super::args::EvaluateShard;
use crate::home::Home;
use crate::shards::{self, Order};

/// How often it is looked whether the job still runs.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(home: &Home, asked: &EvaluateShard, output: Output) -> Result<(), Failure> {
    home.enrolled()?;
    let order = shards::order_of(home, &asked.study)?;
    let shard = Shard::new(asked.index, asked.of).filter(|_| asked.of == order.of);
    let shard = shard.ok_or_else(|| wrong_shard(asked, order.of))?;
    let file = ShardFile::open(&shards::cases_file(home, &order.round, asked.index))?;
    let file = Arc::new(file);
    tokio::select! {
        done = evaluate(home, &order, shard, &file) => done?,
        () = stopped(home, &order.round) => return Err(over()),
    }
    file.complete()?;
    let EvaluateShard { index, of, .. } = asked;
    output.say(
        &json!({ "round": order.round, "shard": index, "of": of }),
        &format!("Shard {index} of {of} is evaluated; the agent goes on when all are."),
    );
    Ok(())
}

async fn evaluate(
    home: &Home,
    order: &Order,
    shard: Shard,
    file: &Arc<ShardFile>,
) -> Result<(), Failure> {
    let (Some(locked), Some(secret)) = (order.protocol(), order.secret()) else {
        return Err(over());
    };
    let (protocol, config) = (locked.protocol(), home.config()?);
    let source = config.source_of(&protocol.id).ok_or_else(over)?;
    if source.scores() != ScoreSource::PredictionTable {
        // This process may be of another image than the agent.
        check_preprocessing(&protocol.model.input, config.limits.decode()).await?;
    }
    let source = source.manifest_source();
    let engines = config.inference.engines(config.limits.lanes)?;
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
        decode_limits: config.limits.decode(),
        inference_limits: config.limits.inference(),
        engine: &engines.engine,
        // The agent compares engines, over cases that are drawn from all shards.
        second_engine: None,
        lanes: config.limits.lanes,
    };
    Ok(evaluation.run_shard(shard, &Progress::default()).await?)
}

/// Ends when evaluation is paused, or nobody waits for this any more.
async fn stopped(home: &Home, round: &RoundId) {
    while shards::is_asked(home, round) && !home.paused_file().exists() {
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
        "the evaluation is paused, or nobody waits for this shard any more",
        "see `fedval-agent jobs`; start the shard again once the job runs",
    )
}
