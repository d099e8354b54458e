//! `fedval-agent enrol`.

use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure, OsEntropy};
use fedval_egress::Coordinator;
use fedval_trust::{Fingerprint, InviteToken, SecretKey};
use serde_json::json;

use super::args::Enrol;
use crate::config::{TEMPLATE, TEMPLATE_URL};
use crate::home::{Home, Identity, write};

pub(super) async fn run(home: &Home, command: &Enrol, output: Output) -> Result<(), Failure> {
    if home.is_enrolled() {
        return Err(Failure::new(
            Exit::Usage,
            "ALREADY_ENROLLED",
            format!("{} holds an enrolled site", home.folder().display()),
            "give another --home, or keep using this one",
        ));
    }
    let token: InviteToken = command.token.parse()?;
    if let Some(root) = &command.root {
        confirm(root, &token)?;
    }
    let coordinator = Coordinator::at(&command.coordinator)?;
    home.create()?;
    let key = SecretKey::generate(&OsEntropy);
    let enrolment = fedval_egress::enrol(&coordinator, &token, &key).await?;
    let identity = Identity {
        site: enrolment.site,
        key,
        certificate: enrolment.certificate,
        root: enrolment.root,
    };
    if !home.config_file().exists() {
        let config = TEMPLATE.replace(TEMPLATE_URL, &command.coordinator);
        write(&home.config_file(), &config)?;
    }
    home.write_identity(&identity)?;
    let fingerprint = identity.root.fingerprint().to_string();
    let folder = home.folder().display();
    output.say(
        &json!({ "site": identity.site, "root_fingerprint": fingerprint,
                 "certificate_ends": identity.certificate.not_after().to_string() }),
        &format!(
            "This machine is {} of the consortium with root {fingerprint}.\n\n\
             Next: 1. say in {folder}/agent.toml where the cases lie\n      \
             2. fedval-agent policy init, edit policy.toml, fedval-agent policy sign\n      \
             3. fedval-agent check\n      4. fedval-agent run",
            identity.site
        ),
    );
    Ok(())
}

fn confirm(root: &str, token: &InviteToken) -> Result<(), Failure> {
    let given: Fingerprint = root.parse().map_err(|_| {
        Failure::new(
            Exit::Usage,
            "ROOT_UNREADABLE",
            "--root is not a fingerprint",
            "give the 64 hexadecimal digits that the operator reads to you",
        )
    })?;
    if given == token.root() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Refused,
        "WRONG_ROOT",
        "the token was made for another consortium than the fingerprint names",
        "ask the operator for both again, over two different ways",
    ))
}
