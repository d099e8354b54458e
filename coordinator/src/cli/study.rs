//! `fedval study create | amend | plan | lock | dispatch | status | close | share | unshare | list`.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Clock as _, Exit, Failure, SystemClock, Timestamp};
use fedval_proto as proto;
use fedval_study::{LockedProtocol, Sha256Digest, SiteId, StudyId};
use fedval_trust::{PayloadType, SignedDocument};
use serde_json::{Value, json};

use super::args::Study;
use super::{amend, draft, plan, report, share};
use crate::client::{connect, refusal};
use crate::home::Home;
use crate::words::{outcome_word, phase_word, state_word};

/// How often `--watch` looks.
const WATCH_MILLIS: u64 = 500;

pub(super) async fn run(home: &Home, command: Study, output: Output) -> Result<(), Failure> {
    match command {
        Study::Create { file } => create(home, &file, output).await,
        Study::Amend { study, file, reason } => {
            amend::run(home, &study, &file, &reason, output).await
        }
        Study::Plan { file } => plan::run(&file, output),
        Study::Lock { study } => lock(home, &study, output).await,
        Study::Dispatch { study, sites, deadline_hours } => {
            dispatch(home, &study, &sites, deadline_hours, output).await
        }
        Study::Status { study, watch } => status(home, &study, watch, output).await,
        Study::Close { study, out } => close(home, &study, out.as_deref(), output).await,
        Study::Share { study, days } => share::share(home, &study, days, output).await,
        Study::Unshare { study } => share::unshare(home, &study, output).await,
        Study::List => list(home, output).await,
    }
}

async fn create(home: &Home, file: &Path, output: Output) -> Result<(), Failure> {
    let (protocol, model) = draft::read(file)?;
    let locked = draft::complete(protocol)?;
    draft::upload(home, &locked, &model).await?;
    let (study, digest) = (&locked.protocol().id, locked.digest().to_string());
    output.say(
        &json!({ "study": study, "state": "draft", "protocol_digest": digest,
                 "model_digest": locked.protocol().model.digest.to_string() }),
        &format!(
            "Draft {study} is stored with its model.\nProtocol digest: {digest}\n\n\
             Next: fedval study lock {study}"
        ),
    );
    Ok(())
}

async fn lock(home: &Home, study: &StudyId, output: Output) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let fetched = client
        .fetch_protocol(proto::FetchProtocolRequest { study: study.to_string(), in_force: false })
        .await
        .map_err(|status| refusal(&status))?
        .into_inner();
    let locked = LockedProtocol::parse(&fetched.protocol).map_err(|error| {
        Failure::new(
            Exit::Bug,
            "STUDY_INVALID",
            error.to_string(),
            "run `fedval study create` again",
        )
    })?;
    let (key, certificate) = home.pair("sponsor")?;
    let signed =
        SignedDocument::sign(PayloadType::Protocol, locked.bytes().to_vec(), &key, &certificate);
    let sponsor = signed.endorsements.first().map(fedval_wire::endorsement_to_wire).transpose()?;
    let request = proto::LockStudyRequest {
        study: study.to_string(),
        protocol_digest: locked.digest().0.as_bytes().to_vec(),
        sponsor,
    };
    client.lock_study(request).await.map_err(|status| refusal(&status))?;
    let (digest, version) = (locked.digest().to_string(), locked.protocol().version);
    output.say(
        &json!({ "study": study, "state": "locked", "protocol_digest": digest,
                 "version": version, "model_digest": locked.protocol().model.digest.to_string() }),
        &format!(
            "{study} is locked: version {version} never changes.\nProtocol digest: {digest}\n\
             A site may name this digest in its policy to run or release without asking.\n\n\
             Next: fedval study dispatch {study}"
        ),
    );
    Ok(())
}

async fn dispatch(
    home: &Home,
    study: &StudyId,
    sites: &[SiteId],
    deadline_hours: u32,
    output: Output,
) -> Result<(), Failure> {
    let request = proto::DispatchStudyRequest {
        study: study.to_string(),
        deadline_hours,
        sites: sites.iter().map(ToString::to_string).collect(),
    };
    let mut client = connect(home).await?;
    let sent =
        client.dispatch_study(request).await.map_err(|status| refusal(&status))?.into_inner();
    output.say(
        &json!({ "study": study, "round": sent.round, "sites": sent.sites }),
        &format!(
            "Round {} went to {}.\n\nNext: fedval study status {study} --watch",
            sent.round,
            sent.sites.join(", ")
        ),
    );
    Ok(())
}

async fn status(home: &Home, study: &StudyId, watch: bool, output: Output) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let mut shown = None;
    loop {
        let request = proto::StudyStatusRequest { study: study.to_string() };
        let status = client.study_status(request).await.map_err(|s| refusal(&s))?.into_inner();
        if shown.as_ref() != Some(&status) {
            output.say(&status_json(&status), &status_text(&status));
        }
        let waits = status.rounds.last().is_some_and(|round| {
            round.closed_at_ms == 0
                && round.sites.iter().any(|s| s.outcome() == proto::SiteOutcome::Missing)
        });
        if !watch || !waits {
            return Ok(());
        }
        shown = Some(status);
        tokio::time::sleep(Duration::from_millis(WATCH_MILLIS)).await;
    }
}

fn status_json(status: &proto::StudyStatusResponse) -> Value {
    let site = |site: &proto::SiteProgress| {
        json!({ "site": site.site, "phase": phase_word(site.phase()),
                "status": outcome_word(site.outcome()) })
    };
    let round = |round: &proto::RoundStatus| {
        let closed = (round.closed_at_ms != 0).then(|| moment(round.closed_at_ms));
        let deadline = (round.deadline_at_ms != 0).then(|| moment(round.deadline_at_ms));
        json!({ "round": round.round, "version": round.version, "opened_at": moment(round.opened_at_ms), "closed_at": closed,
                "deadline_at": deadline, "overdue": overdue(round),
                "sites": round.sites.iter().map(site).collect::<Vec<_>>() })
    };
    let draft = (status.draft_version != 0).then_some(status.draft_version);
    json!({ "study": status.study, "state": state_word(status.state()),
            "protocol_digest": digest_text(&status.protocol_digest),
            "version": status.version, "draft_version": draft,
            "rounds": status.rounds.iter().map(round).collect::<Vec<_>>() })
}

/// Sites that have not answered though the deadline of the open round is over.
fn overdue(round: &proto::RoundStatus) -> Vec<&str> {
    let is_over = round.deadline_at_ms != 0
        && round.closed_at_ms == 0
        && SystemClock.now().unix_millis() >= round.deadline_at_ms;
    let missing = |site: &&proto::SiteProgress| site.outcome() == proto::SiteOutcome::Missing;
    let sites = round.sites.iter().filter(missing).map(|site| site.site.as_str());
    if is_over { sites.collect() } else { Vec::new() }
}

fn moment(millis: i64) -> String {
    Timestamp::from_unix_millis(millis).to_string()
}

fn digest_text(bytes: &[u8]) -> String {
    Sha256Digest::try_from(bytes).map(|digest| digest.to_string()).unwrap_or_default()
}

fn status_text(status: &proto::StudyStatusResponse) -> String {
    let state = state_word(status.state());
    let mut text = format!("{} is {state}, protocol version {}.", status.study, status.version);
    if status.draft_version != 0 {
        let (study, draft) = (&status.study, status.draft_version);
        let _ = write!(text, "\nVersion {draft} is a draft. Sign it: fedval study lock {study}");
    }
    for round in &status.rounds {
        let rows = round.sites.iter().map(|site| {
            vec![
                site.site.clone(),
                phase_word(site.phase()).to_owned(),
                outcome_word(site.outcome()).to_owned(),
            ]
        });
        let table = table(&["site", "phase", "result"], rows);
        let state = if round.closed_at_ms == 0 { "open" } else { "closed" };
        let version = if round.version == status.version {
            String::new()
        } else {
            format!(", under protocol version {}", round.version)
        };
        let _ = write!(text, "\n\nRound {} ({state}{version})\n{table}", round.round);
        let overdue = overdue(round);
        if !overdue.is_empty() {
            let _ = write!(
                text,
                "\nOverdue since {}: {}. Wait, or report without them: \
                 fedval study close {} --out DIR",
                moment(round.deadline_at_ms),
                overdue.join(", "),
                status.study
            );
        }
    }
    text
}

async fn close(
    home: &Home,
    study: &StudyId,
    out: Option<&Path>,
    output: Output,
) -> Result<(), Failure> {
    if let Some(out) = out {
        report::is_free(out)?;
    }
    let mut client = connect(home).await?;
    let request = proto::CloseStudyRequest { study: study.to_string() };
    let closed = client.close_study(request).await.map_err(|status| refusal(&status))?.into_inner();
    let mut said = json!({ "study": study, "round": closed.round, "state": "closed",
                           "missing": closed.missing });
    let mut text = format!("Round {} is closed: no further results.", closed.round);
    if !closed.missing.is_empty() {
        let _ = write!(text, "\nThe report will name as missing: {}.", closed.missing.join(", "));
    }
    match out {
        Some(out) => {
            let built = report::build(home, study, out, output).await?;
            let _ = write!(text, "\n\n{}", built.text());
            said["report"] = built.json();
        }
        None => {
            let _ = write!(text, "\n\nNext: fedval report build {study} --out DIR");
        }
    }
    output.say(&said, &text);
    Ok(())
}

async fn list(home: &Home, output: Output) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let listed = client.list_studies(proto::ListStudiesRequest {}).await;
    let studies = listed.map_err(|status| refusal(&status))?.into_inner().studies;
    let rows: Vec<Value> = studies
        .iter()
        .map(|s| {
            json!({ "study": s.study, "state": state_word(s.state()),
                         "protocol_digest": digest_text(&s.protocol_digest) })
        })
        .collect();
    let text = table(
        &["study", "state", "protocol digest"],
        studies.iter().map(|s| {
            vec![s.study.clone(), state_word(s.state()).to_owned(), digest_text(&s.protocol_digest)]
        }),
    );
    output.say(&json!({ "studies": rows }), &text);
    Ok(())
}
