//! `fedval study amend`: the next version of a locked protocol, with its reason.

use std::path::Path;

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Exit, Failure};
use fedval_proto as proto;
use fedval_study::protocol::{Change, changes};
use fedval_study::{LockedProtocol, StudyId};
use serde_json::json;

use super::draft;
use crate::client::{connect, refusal};
use crate::home::Home;

pub(super) async fn run(
    home: &Home,
    study: &StudyId,
    file: &Path,
    reason: &str,
    output: Output,
) -> Result<(), Failure> {
    let (protocol, model) = draft::read(file)?;
    if protocol.id != *study {
        return Err(of_another_study(study, &protocol.id));
    }
    let before = in_force(home, study).await?;
    let amended = draft::complete(protocol.amending(&before, reason))?;
    let changed = changes(&before, &amended);
    if changed.is_empty() {
        return Err(nothing_changed(study));
    }
    draft::upload(home, &amended, &model).await?;
    let (version, digest) = (amended.protocol().version, amended.digest().to_string());
    let shown = table(&["where", "before", "after"], changed.iter().map(row));
    output.say(
        &json!({ "study": study, "state": "draft", "version": version, "changes": changed,
                 "protocol_digest": digest, "amends": before.digest().to_string() }),
        &format!(
            "{shown}\n\nVersion {version} of {study} is stored as a draft; it amends version {}.\n\
             Protocol digest: {digest}\n\
             Sites that approved the version before are asked again.\n\n\
             Next: fedval study lock {study}",
            before.protocol().version
        ),
    );
    Ok(())
}

async fn in_force(home: &Home, study: &StudyId) -> Result<LockedProtocol, Failure> {
    let mut client = connect(home).await?;
    let request = proto::FetchProtocolRequest { study: study.to_string(), in_force: true };
    let fetched = client.fetch_protocol(request).await.map_err(|status| refusal(&status))?;
    LockedProtocol::parse(&fetched.into_inner().protocol).map_err(|error| {
        let remedy = "run the same release of fedval on both sides";
        Failure::new(Exit::Bug, "STUDY_INVALID", error.to_string(), remedy)
    })
}

fn row(change: &Change) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    vec![change.path.clone(), text(&change.before), text(&change.after)]
}

fn of_another_study(study: &StudyId, found: &StudyId) -> Failure {
    Failure::new(
        Exit::Usage,
        "STUDY_INVALID",
        format!("the file describes the study `{found}`, not `{study}`"),
        &format!("write id = \"{study}\" in it, or make a new study: fedval study create FILE"),
    )
}

fn nothing_changed(study: &StudyId) -> Failure {
    Failure::new(
        Exit::Usage,
        "AMENDMENT_EMPTY",
        format!("the file says what the version of `{study}` in force says"),
        &format!("change the file, or go on with what is in force: fedval study dispatch {study}"),
    )
}
