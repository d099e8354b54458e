//! This site's signed policy. None, or none valid: every job is refused.

use fedval_ambient::{Exit, Failure};
use fedval_disclosure::SitePolicy;
use fedval_trust::{PayloadType, SignedDocument};

use crate::home::{Home, Identity, read, write};

/// What `policy init` writes.
pub(crate) const TEMPLATE: &str = include_str!("../../deploy/config/policy.toml");

fn missing(what: &str) -> Failure {
    Failure::new(
        Exit::Refused,
        "POLICY_MISSING",
        what,
        "run `fedval-agent policy init`, edit policy.toml, then run `fedval-agent policy sign`; until \
         then every job is refused",
    )
}

/// Reads the policy and proves that this site signed exactly these bytes.
pub(crate) fn load(home: &Home, identity: &Identity) -> Result<SitePolicy, Failure> {
    if !home.policy_file().exists() {
        return Err(missing("this site has no policy"));
    }
    if !home.policy_signature_file().exists() {
        return Err(missing("this site's policy is not signed"));
    }
    let text = read(&home.policy_file())?;
    let endorsements = serde_json::from_str(&read(&home.policy_signature_file())?)
        .map_err(|_| missing("the policy's signature cannot be read"))?;
    let document = SignedDocument {
        payload_type: PayloadType::Policy,
        bytes: text.into_bytes(),
        endorsements,
    };
    // By the key, not by a certificate's dates: a wrong clock must not turn into refused jobs.
    document
        .verify_own(identity.key.public())
        .map_err(|problem| missing(&format!("the policy is not signed as it stands: {problem}")))?;
    Ok(SitePolicy::parse(&document.bytes)?)
}

/// Signs the policy as it stands.
pub(crate) fn sign(home: &Home, identity: &Identity) -> Result<SitePolicy, Failure> {
    if !home.policy_file().exists() {
        return Err(missing("this site has no policy"));
    }
    let text = read(&home.policy_file())?;
    let policy = SitePolicy::parse(text.as_bytes())?;
    let document = SignedDocument::sign(
        PayloadType::Policy,
        text.into_bytes(),
        &identity.key,
        &identity.certificate,
    );
    let signature = serde_json::to_string_pretty(&document.endorsements).map_err(|error| {
        Failure::new(Exit::Bug, "JSON", error.to_string(), "report this with the log")
    })?;
    write(&home.policy_signature_file(), &signature)?;
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_a_policy_that_does_nothing_by_itself() {
        let policy = SitePolicy::parse(TEMPLATE.as_bytes()).unwrap();
        let protocol = fedval_study::ProtocolDigest(fedval_study::Sha256Digest::of(b"p"));
        assert!(!policy.runs_without_approval(protocol));
        assert!(!policy.releases_without_steward(protocol));
    }
}
