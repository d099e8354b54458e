//! `fedval-agent preview`: what a steward looks at before anything leaves.

pub(super) mod tables;

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Exit, Failure};
use fedval_study::{Canonical, RoundId, SiteResult};
use serde_json::{Value, json};

use super::job::{find, protocol_of};
use crate::home::Home;

pub(super) async fn run(home: &Home, round: &RoundId, output: Output) -> Result<(), Failure> {
    let vault = home.vault().await?;
    let job = find(&vault, round).await?;
    let vetted = vault.vetted_find(round).await?.ok_or_else(|| {
        Failure::new(
            Exit::Usage,
            "NOTHING_TO_PREVIEW",
            format!("job `{round}` is {} and has no result yet", job.state.as_str()),
            "run `fedval-agent jobs` to see where it stands",
        )
    })?;
    let result: Canonical<SiteResult> = Canonical::parse(&vetted.bytes).map_err(|error| {
        Failure::new(Exit::Machine, "VAULT_DAMAGED", error.to_string(), "restore from a backup")
    })?;
    let protocol = protocol_of(&job)?;
    let decisions = table(
        &["quantity", "decision", "rule"],
        vetted.decisions.iter().map(|decision| {
            vec![decision.quantity.clone(), decision.verdict.clone(), decision.rule.clone()]
        }),
    );
    let exact = String::from_utf8_lossy(&vetted.bytes).into_owned();
    let value: Value = serde_json::from_slice(&vetted.bytes).unwrap_or_default();
    output.say(
        &json!({ "job": round, "digest": vetted.digest.to_string(), "bits": vetted.bits,
                 "rho_micro": vetted.rho_micro,
                 "decisions": vetted.decisions, "result": value }),
        &format!(
            "What would leave: {}\n\n{}\n\nWhat the rules decided\n{decisions}\n\n\
             The exact bytes\n{exact}\n\n\
             {} bytes, SHA-256 {}\nUpper bound on what they can say: {} bits{}\n\n\
             Next: fedval-agent release {round} --digest {}",
            result.value().outcome.status(),
            tables::of(&result.value().outcome, &protocol.protocol().task),
            vetted.bytes.len(),
            vetted.digest,
            vetted.bits,
            privacy(vetted.rho_micro),
            vetted.digest,
        ),
    );
    Ok(())
}

/// What noise costs, where there is any.
#[expect(clippy::cast_precision_loss, reason = "a cost of a release, for the eye")]
fn privacy(rho_micro: u64) -> String {
    if rho_micro == 0 {
        return String::new();
    }
    let rho = rho_micro as f64 / 1e6;
    // Bun and Steinke (2016), Proposition 1.3, at delta = 10^-6.
    let epsilon = rho + 2.0 * (rho * 1e6_f64.ln()).sqrt();
    format!("\nPrivacy charged: rho {rho} (epsilon {epsilon:.2} at delta 10^-6)")
}
