//! `fedval-agent enrol`.

use std::path::PathBuf;

use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure, OsEntropy};
use fedval_trust::{Fingerprint, InviteToken, SecretKey};
use serde_json::json;

use super::args::Enrol;
use crate::config::TEMPLATE;
use crate::home::{Home, Identity, write};
use crate::network::CoordinatorConfig;

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
    let config = coordinator(command)?;
    let dialer = config.dialer()?;
    home.create()?;
    let key = SecretKey::generate(&OsEntropy);
    let enrolment = fedval_egress::enrol(&dialer, &token, &key).await?;
    let identity = Identity {
        site: enrolment.site,
        key,
        certificate: enrolment.certificate,
        root: enrolment.root,
    };
    if !home.config_file().exists() {
        write(&home.config_file(), &config.written_into(TEMPLATE))?;
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

/// The way to the coordinator as the command gives it; files are named so that they are found from
/// anywhere.
fn coordinator(command: &Enrol) -> Result<CoordinatorConfig, Failure> {
    let absolute = |path: &Option<PathBuf>| -> Result<Option<PathBuf>, Failure> {
        let Some(path) = path else { return Ok(None) };
        let absolute = std::path::absolute(path);
        absolute.map(Some).map_err(|error| Failure::disk("find", path, &error))
    };
    Ok(CoordinatorConfig {
        proxy: command.proxy.clone(),
        proxy_credentials: absolute(&command.proxy_credentials)?,
        proxy_ca: absolute(&command.proxy_ca)?,
        ..CoordinatorConfig::at(&command.coordinator)
    })
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
