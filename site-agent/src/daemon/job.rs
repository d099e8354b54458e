//! One job from model file to vetted result.

use fedval_ambient::{Exit, Failure, Problem as _};
use fedval_disclosure::{
    EffectivePolicy, Evidence, Footprint, Gate, NoAggregates, SiteLocal, SitePolicy, Vetted,
    Withheld,
};
use fedval_evaluate::ScoreGrid;
use fedval_study::protocol::StudyProtocol;
use fedval_study::{
    CohortCommitment, LockedProtocol, Outcome, PolicyDigest, ProbeDigests, ResultHeader,
    ScoreSource, SiteResult, SiteSummary,
};
use fedval_vault::Job;

use super::evaluator::{NotEvaluated, Summarised};
use super::{Agent, forbidden};
use crate::config::DataSource;
use crate::site_policy;

/// How far a job came.
pub(super) enum Ran {
    /// To its answer.
    ToItsEnd,
    /// It is tried again soon.
    AgainSoon,
    /// It is tried again when a person may have done something about its data source or the engine. With
    /// the code of what is wrong there.
    AgainLater(String),
}

/// Evaluates a job whose model is on this site's disk, and stores what the gate lets through.
pub(super) async fn run(agent: &Agent, job: &Job) -> Result<Ran, Failure> {
    let Some(policy) = policy_or_refuse(agent, job).await? else { return Ok(Ran::ToItsEnd) };
    let locked = LockedProtocol::parse(&job.protocol).map_err(|_| damaged())?;
    let protocol = locked.protocol();
    let path = agent.home.artifact(&job.dispatch.model.0);
    let effective = policy.for_study(protocol);
    if let Err(withheld) = admit(agent, job, &effective, protocol, policy.digest()).await? {
        agent.vault.job_note(job.round(), withheld.code()).await?;
        answer(agent, job, NoAggregates::Refused, Some(policy.digest())).await?;
        return Ok(Ran::ToItsEnd);
    }
    let grid = if effective.terms.is_rounded() { ScoreGrid::Coarse } else { ScoreGrid::Fine };
    match agent.evaluator.evaluate(agent, job, protocol, &path, grid, effective.terms.k).await {
        Ok(Summarised { summary, preprocessing }) => {
            let cohort = summary.open_on_site().cohort;
            let scores = agent.config.source_of(&protocol.id).map(DataSource::scores);
            let header = ResultHeader {
                scores: scores.unwrap_or_default(),
                preprocessing,
                ..header(agent, job, Some(cohort), Some(policy.digest()))
            };
            // On the heap: what is held while the rules are applied is large.
            Box::pin(vet(agent, job, locked, effective, header, summary)).await?;
        }
        Err(NotEvaluated::ModelDamaged(code)) => {
            tracing::warn!(round = %job.round(), code, "model to be fetched again");
            std::fs::remove_file(&path).map_err(|error| Failure::disk("remove", &path, &error))?;
            agent.vault.job_delay(job.round(), Some(code)).await?;
            return Ok(Ran::AgainSoon);
        }
        Err(NotEvaluated::Waits { code, is_passing }) => {
            tracing::warn!(round = %job.round(), code, "evaluation waits");
            agent.vault.job_delay(job.round(), Some(&code)).await?;
            return Ok(if is_passing { Ran::AgainSoon } else { Ran::AgainLater(code) });
        }
        Err(NotEvaluated::Failed { stage, code, culprit }) => {
            tracing::warn!(round = %job.round(), code, "evaluation failed");
            agent.vault.job_note(job.round(), code).await?;
            if let Some(by) = culprit {
                forbidden::note(agent, job, by).await?;
            }
            answer(agent, job, NoAggregates::Failed(stage), Some(policy.digest())).await?;
        }
        Err(NotEvaluated::Machine(failure)) => return Err(failure),
    }
    Ok(Ran::ToItsEnd)
}

/// Whether policy and ledger let the question be asked at all.
async fn admit(
    agent: &Agent,
    job: &Job,
    effective: &EffectivePolicy,
    protocol: &StudyProtocol,
    policy: PolicyDigest,
) -> Result<Result<(), Withheld>, Failure> {
    let history = agent.vault.history().await?;
    let header = header(agent, job, None, Some(policy));
    let now_ms = agent.clock.now().unix_millis();
    Ok(Gate::new(effective.clone(), protocol).admits(&header, &history, now_ms))
}

/// Holds what was counted against the rules and everything that was released before.
async fn vet(
    agent: &Agent,
    job: &Job,
    locked: LockedProtocol,
    policy: EffectivePolicy,
    header: ResultHeader,
    summary: SiteLocal<SiteSummary>,
) -> Result<(), Failure> {
    let history = agent.vault.history().await?;
    let (now_ms, noise_seed) = (agent.clock.now().unix_millis(), agent.entropy.bytes32());
    let (gate_header, evidence) = (header.clone(), summary.clone());
    // Beside everything else: over many earlier releases this takes seconds, and heartbeats go on.
    let vetted = tokio::task::spawn_blocking(move || {
        let evidence = Evidence { summary: &evidence, history: &history, now_ms, noise_seed };
        Gate::new(policy, locked.protocol()).vet(gate_header, &evidence)
    });
    match vetted.await.map_err(|_| damaged())? {
        Ok(vetted) => store(agent, job, &vetted).await,
        Err(withheld) => store_withheld(agent, job, header, &summary, &withheld).await,
    }
}

/// The policy in force; `None` where there is none and the job was therefore refused.
///
/// A policy that this machine cannot read is no refusal: the agent stops and says why.
pub(super) async fn policy_or_refuse(
    agent: &Agent,
    job: &Job,
) -> Result<Option<SitePolicy>, Failure> {
    match site_policy::load(&agent.home, &agent.identity) {
        Ok(policy) => Ok(Some(policy)),
        Err(failure) if failure.exit == Exit::Machine => Err(failure),
        Err(failure) => {
            tracing::warn!(round = %job.round(), code = failure.code, "job refused");
            agent.vault.job_note(job.round(), &failure.code).await?;
            refuse(agent, job, "policy", None).await?;
            Ok(None)
        }
    }
}

async fn store_withheld(
    agent: &Agent,
    job: &Job,
    header: ResultHeader,
    summary: &SiteLocal<SiteSummary>,
    withheld: &Withheld,
) -> Result<(), Failure> {
    agent.vault.job_note(job.round(), withheld.code()).await?;
    let answer = match withheld.outcome() {
        Outcome::Insufficient => NoAggregates::Insufficient,
        _ => NoAggregates::Refused,
    };
    // It is an answer about these patients, though none of their cells was shown.
    let members = summary.open_on_site().members.clone();
    let footprint = SiteLocal::new(Footprint::of_nothing_shown(members));
    let vetted = Vetted::without_aggregates(header, answer, Some(footprint));
    store(agent, job, &vetted.map_err(|_| damaged())?).await
}

/// Stores an answer that holds no aggregate.
async fn answer(
    agent: &Agent,
    job: &Job,
    answer: NoAggregates,
    policy: Option<PolicyDigest>,
) -> Result<(), Failure> {
    let header = header(agent, job, None, policy);
    let vetted = Vetted::without_aggregates(header, answer, None).map_err(|_| damaged())?;
    store(agent, job, &vetted).await
}

/// Refuses a job that was not answered, whatever waits or runs. `false` where it was answered.
pub(super) async fn refuse(
    agent: &Agent,
    job: &Job,
    approver: &str,
    policy: Option<PolicyDigest>,
) -> Result<bool, Failure> {
    let header = header(agent, job, None, policy);
    let refusal =
        Vetted::without_aggregates(header, NoAggregates::Refused, None).map_err(|_| damaged())?;
    let refused = agent.vault.refusal_commit(&refusal, approver, agent.clock.now()).await?;
    agent.bell.ring();
    Ok(refused)
}

/// Stores a result, unless the job was declined or cancelled while it ran.
async fn store(agent: &Agent, job: &Job, vetted: &Vetted<SiteResult>) -> Result<(), Failure> {
    if agent.vault.vetted_put(vetted, agent.clock.now()).await? {
        tracing::info!(round = %job.round(), "result awaits release");
        agent.bell.ring();
    }
    Ok(())
}

fn header(
    agent: &Agent,
    job: &Job,
    cohort: Option<CohortCommitment>,
    policy: Option<PolicyDigest>,
) -> ResultHeader {
    ResultHeader {
        study: job.dispatch.study.clone(),
        protocol: job.dispatch.protocol,
        model: job.dispatch.model,
        round: job.dispatch.round.clone(),
        site: agent.identity.site.clone(),
        cohort,
        policy,
        agent_build: agent.build,
        scores: ScoreSource::Model,
        preprocessing: ProbeDigests::default(),
    }
}

fn damaged() -> Failure {
    Failure::new(
        Exit::Machine,
        "VAULT_DAMAGED",
        "a stored document is damaged",
        "restore the agent's folder from a backup",
    )
}
