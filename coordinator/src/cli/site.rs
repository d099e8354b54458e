//! `fedval site invite | list | revoke`.

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Exit, Failure, Timestamp};
use fedval_proto as proto;
use fedval_study::Sha256Digest;
use fedval_trust::{InvitationId, InviteToken};
use serde_json::json;

use super::args::Site;
use crate::client::{connect, refusal};
use crate::home::Home;

pub(super) async fn run(home: &Home, command: Site, output: Output) -> Result<(), Failure> {
    match command {
        Site::Invite { name, hours } => {
            let request = proto::InviteSiteRequest { site: name.to_string(), valid_hours: hours };
            let mut client = connect(home).await?;
            let invited = client.invite_site(request).await.map_err(|s| refusal(&s))?.into_inner();
            say_invitation(home, name.as_str(), &invited, output)
        }
        Site::List => {
            let mut client = connect(home).await?;
            let listed = client.list_sites(proto::ListSitesRequest {}).await;
            say_sites(&listed.map_err(|s| refusal(&s))?.into_inner().sites, output);
            Ok(())
        }
        Site::Revoke { name } => {
            let request = proto::RevokeSiteRequest { site: name.to_string() };
            let mut client = connect(home).await?;
            client.revoke_site(request).await.map_err(|status| refusal(&status))?;
            output.say(
                &json!({ "site": name, "state": "revoked" }),
                &format!("The certificate of {name} no longer works."),
            );
            Ok(())
        }
    }
}

fn say_invitation(
    home: &Home,
    site: &str,
    invited: &proto::InviteSiteResponse,
    output: Output,
) -> Result<(), Failure> {
    let fingerprint = home.certificate("root")?.fingerprint();
    let malformed = || {
        Failure::new(
            Exit::Bug,
            "MESSAGE_INVALID",
            "the server's token is malformed",
            "run the same release of fedval on both sides",
        )
    };
    let secret = Sha256Digest::try_from(invited.token.as_slice()).map_err(|_| malformed())?;
    let id = <[u8; 8]>::try_from(invited.invitation.as_slice()).map_err(|_| malformed())?;
    let id = InvitationId::from_bytes(id);
    let token = InviteToken::from_parts(id, *secret.as_bytes(), fingerprint);
    let expires_at = Timestamp::from_unix_millis(invited.expires_at_ms);
    let url = home.config()?.url;
    output.say(
        &json!({
            "site": site, "token": token.to_string(), "root_fingerprint": fingerprint.to_string(),
            "expires_at": expires_at.to_string(), "url": url,
        }),
        &format!(
            "Invitation for {site}, to be used once before {expires_at}:\n\n  \
             fedval-agent enrol --coordinator {url} --token {token}\n\n\
             Confirm the root fingerprint by voice:\n  {fingerprint}"
        ),
    );
    Ok(())
}

fn say_sites(sites: &[proto::SiteEntry], output: Output) {
    let state = |site: &proto::SiteEntry| match site.state() {
        proto::SiteState::Unspecified => "unknown",
        proto::SiteState::Invited => "invited",
        proto::SiteState::Enrolled => "enrolled",
        proto::SiteState::Revoked => "revoked",
    };
    let fingerprint = |site: &proto::SiteEntry| {
        Sha256Digest::try_from(site.certificate.as_slice())
            .map(|d| d.to_string())
            .unwrap_or_default()
    };
    let rows: Vec<_> = sites
        .iter()
        .map(|site| json!({ "site": site.site, "state": state(site), "certificate": fingerprint(site) }))
        .collect();
    let text = table(
        &["site", "state", "certificate"],
        sites.iter().map(|site| vec![site.site.clone(), state(site).to_owned(), fingerprint(site)]),
    );
    output.say(&json!({ "sites": rows }), &text);
}
