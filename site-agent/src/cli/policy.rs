//! `fedval-agent policy init | sign | show`.

use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure};
use serde_json::json;

use super::args::Policy;
use crate::home::{Home, read, write};
use crate::site_policy;

pub(super) fn run(home: &Home, command: &Policy, output: Output) -> Result<(), Failure> {
    match command {
        Policy::Init => init(home, output),
        Policy::Sign => sign(home, output),
        Policy::Show => show(home, output),
    }
}

fn init(home: &Home, output: Output) -> Result<(), Failure> {
    home.enrolled()?;
    let file = home.policy_file();
    if file.exists() {
        return Err(Failure::new(
            Exit::Usage,
            "POLICY_EXISTS",
            format!("{} exists already", file.display()),
            "edit it, then run `fedval-agent policy sign`",
        ));
    }
    write(&file, site_policy::TEMPLATE)?;
    let path = file.display().to_string();
    output.say(
        &json!({ "policy": path }),
        &format!("Wrote {path}.\n\nNext: read and edit it, then run `fedval-agent policy sign`"),
    );
    Ok(())
}

fn sign(home: &Home, output: Output) -> Result<(), Failure> {
    let policy = site_policy::sign(home, &home.identity()?)?;
    let digest = policy.digest().to_string();
    output.say(
        &json!({ "policy_digest": digest }),
        &format!("The policy is signed and in force.\nPolicy digest: {digest}"),
    );
    Ok(())
}

fn show(home: &Home, output: Output) -> Result<(), Failure> {
    let policy = site_policy::load(home, &home.identity()?)?;
    let text = read(&home.policy_file())?;
    let digest = policy.digest().to_string();
    output.say(
        &json!({ "policy_digest": digest, "text": text }),
        &format!("{text}\nSigned and in force. Policy digest: {digest}"),
    );
    Ok(())
}
