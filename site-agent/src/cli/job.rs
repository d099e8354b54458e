//! `fedval-agent jobs | show | approve | decline | release`.

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Clock as _, Exit, Failure, SystemClock};
use fedval_study::{LockedProtocol, RoundId};
use fedval_vault::{Approval, Job, JobState, Vault};
use serde_json::{Value, json};

use crate::home::Home;
use crate::{daemon, site_policy};

fn not_found(round: &RoundId) -> Failure {
    Failure::new(
        Exit::Usage,
        "JOB_NOT_FOUND",
        format!("there is no job `{round}`"),
        "run `fedval-agent jobs` to see the jobs",
    )
}

fn wrong_state(job: &Job, action: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        "JOB_STATE",
        format!("job `{}` is {} and cannot be {action}", job.round(), job.state.as_str()),
        "run `fedval-agent jobs` to see where each job stands",
    )
}

fn same_person(round: &RoundId, by: &str) -> Failure {
    Failure::new(
        Exit::Refused,
        "SAME_PERSON",
        format!("{by} let job `{round}` run, and this site's policy asks for two persons"),
        "let somebody else look at `fedval-agent preview` and release it",
    )
}

pub(super) async fn find(vault: &Vault, round: &RoundId) -> Result<Job, Failure> {
    vault.job_find(round).await?.ok_or_else(|| not_found(round))
}

/// The protocol that a job was dispatched with.
pub(super) fn protocol_of(job: &Job) -> Result<LockedProtocol, Failure> {
    LockedProtocol::parse(&job.protocol).map_err(|error| {
        Failure::new(Exit::Machine, "VAULT_DAMAGED", error.to_string(), "restore from a backup")
    })
}

fn job_json(job: &Job) -> Value {
    json!({
        "job": job.round(), "study": job.dispatch.study, "state": job.state.as_str(),
        "protocol_digest": job.dispatch.protocol.to_string(),
        "model_digest": job.dispatch.model.to_string(),
        "offered_at": job.offered_at.to_string(), "note": job.note, "delay": job.delay,
    })
}

/// What a person should look up: what delays the job, or else why it was answered as it was.
fn code_of(job: &Job) -> String {
    job.delay.clone().or_else(|| job.note.clone()).unwrap_or_default()
}

fn next_step(job: &Job) -> String {
    let round = job.round();
    match job.state {
        JobState::Offered => format!("fedval-agent show {round}, then approve or decline"),
        JobState::AwaitingRelease => format!("fedval-agent preview {round}, then release"),
        _ => String::new(),
    }
}

pub(super) async fn list(home: &Home, output: Output) -> Result<(), Failure> {
    let jobs = home.vault().await?.job_list().await?;
    let rows: Vec<Value> = jobs.iter().map(job_json).collect();
    let text = if jobs.is_empty() {
        "No job was dispatched to this site.".to_owned()
    } else {
        table(
            &["job", "study", "state", "code", "next"],
            jobs.iter().map(|job| {
                vec![
                    job.round().to_string(),
                    job.dispatch.study.to_string(),
                    job.state.as_str().to_owned(),
                    code_of(job),
                    next_step(job),
                ]
            }),
        )
    };
    output.say(&json!({ "jobs": rows }), &text);
    Ok(())
}

pub(super) async fn show(home: &Home, round: &RoundId, output: Output) -> Result<(), Failure> {
    let job = find(&home.vault().await?, round).await?;
    let locked = protocol_of(&job)?;
    let protocol = serde_json::to_value(locked.protocol()).unwrap_or_default();
    let pretty = serde_json::to_string_pretty(&protocol).unwrap_or_default();
    let mut value = job_json(&job);
    if let Value::Object(fields) = &mut value {
        fields.insert("protocol".to_owned(), protocol);
    }
    let line = |label: &str, code: Option<&str>| {
        code.map(|code| format!("\n{label}: {code}")).unwrap_or_default()
    };
    let answered = line("Answered so because of", job.note.as_deref());
    let delayed = line("Delayed by", job.delay.as_deref());
    output.say(
        &value,
        &format!(
            "Job {round} is {}.{answered}{delayed}\nProtocol digest: {}\nModel digest: {}\n\n\
             Signed by the sponsor and the coordinator:\n{pretty}\n\n{}",
            job.state.as_str(),
            job.dispatch.protocol,
            job.dispatch.model,
            next_step(&job)
        ),
    );
    Ok(())
}

pub(super) async fn approve(
    home: &Home,
    round: &RoundId,
    by: &str,
    output: Output,
) -> Result<(), Failure> {
    let vault = home.vault().await?;
    let job = find(&vault, round).await?;
    if !vault.job_approve(round, by, SystemClock.now()).await? {
        return Err(wrong_state(&job, "approved"));
    }
    output.say(
        &json!({ "job": round, "state": "approved" }),
        &format!(
            "Job {round} will run.\n\nNext: fedval-agent preview {round}, once it awaits release"
        ),
    );
    Ok(())
}

pub(super) async fn decline(home: &Home, round: &RoundId, output: Output) -> Result<(), Failure> {
    let vault = home.vault().await?;
    let job = find(&vault, round).await?;
    if !daemon::decline(home, &vault, &job).await? {
        return Err(wrong_state(&find(&vault, round).await?, "declined"));
    }
    output.say(
        &json!({ "job": round, "state": "released", "outcome": "refused" }),
        &format!("Job {round} is refused. The coordinator hears `refused` and no reason."),
    );
    Ok(())
}

pub(super) async fn release(
    home: &Home,
    round: &RoundId,
    digest: Option<&str>,
    by: &str,
    output: Output,
) -> Result<(), Failure> {
    let vault = home.vault().await?;
    let job = find(&vault, round).await?;
    if job.state != JobState::AwaitingRelease {
        return Err(wrong_state(&job, "released"));
    }
    let waiting = vault.vetted_find(round).await?.ok_or_else(|| wrong_state(&job, "released"))?;
    if digest.is_some_and(|digest| digest != waiting.digest.to_string()) {
        return Err(fedval_vault::CommitError::OtherBytes.into());
    }
    let policy = site_policy::load(home, &home.identity()?)?;
    if policy.asks_for_two_persons() && job.run_by.as_deref() == Some(by) {
        return Err(same_person(round, by));
    }
    let (digest, approver) = (waiting.digest, by.to_owned());
    let approval = Approval { digest, approver, policy: Some(policy.digest()) };
    vault.release_commit(round, &approval, SystemClock.now()).await?;
    let digest = waiting.digest.to_string();
    output.say(
        &json!({ "job": round, "state": "released", "digest": digest, "approver": by }),
        &format!(
            "Released by {by}: {} bytes with SHA-256 {digest}.\nThe running agent sends them.",
            waiting.bytes.len()
        ),
    );
    Ok(())
}
