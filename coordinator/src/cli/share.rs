//! `fedval study share | unshare`: links with which anybody reads one study's pages.

use fedval_ambient::terminal::Output;
use fedval_ambient::{Failure, Timestamp};
use fedval_proto as proto;
use fedval_study::StudyId;
use serde_json::json;

use crate::client::{connect, refusal};
use crate::home::Home;

pub(super) async fn share(
    home: &Home,
    study: &StudyId,
    days: u32,
    output: Output,
) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let request = proto::ShareStudyRequest { study: study.to_string(), days };
    let shared = client.share_study(request).await.map_err(|status| refusal(&status))?;
    let proto::ShareStudyResponse { url, expires_at_ms } = shared.into_inner();
    let until = Timestamp::from_unix_millis(expires_at_ms);
    output.say(
        &json!({ "study": study, "url": url, "expires_at": until.to_string() }),
        &format!(
            "{url}\n\nWhoever has this link reads {study} until {until}, and nothing else. To end it: \
             fedval study unshare {study}"
        ),
    );
    Ok(())
}

pub(super) async fn unshare(home: &Home, study: &StudyId, output: Output) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let request = proto::UnshareStudyRequest { study: study.to_string() };
    let answer = client.unshare_study(request).await.map_err(|status| refusal(&status))?;
    let ended = answer.into_inner().ended;
    output.say(
        &json!({ "study": study, "ended": ended }),
        &format!("Links to {study} that work no longer: {ended}."),
    );
    Ok(())
}
