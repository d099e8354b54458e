//! `fedval-agent preview`: what a steward looks at before anything leaves.

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Exit, Failure};
use fedval_study::{Canonical, Cell, Outcome, Performance, Release, RoundId, SiteResult};
use serde_json::{Value, json};

use super::job::find;
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
                 "decisions": vetted.decisions, "result": value }),
        &format!(
            "What would leave: {}\n\n{}\n\nWhat the rules decided\n{decisions}\n\n\
             The exact bytes\n{exact}\n\n\
             {} bytes, SHA-256 {}\nUpper bound on what they can say: {} bits\n\n\
             Next: fedval-agent release {round} --digest {}",
            result.value().outcome.status(),
            content(&result.value().outcome),
            vetted.bytes.len(),
            vetted.digest,
            vetted.bits,
            vetted.digest,
        ),
    );
    Ok(())
}

fn content(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Released(release) => release_tables(release),
        Outcome::Insufficient => "Only the word `insufficient`: too few patients.".to_owned(),
        Outcome::Refused => "Only the word `refused`.".to_owned(),
        Outcome::Failed(_) => "Only the word `failed` and the stage.".to_owned(),
    }
}

fn release_tables(release: &Release) -> String {
    let mut rows = vec![group_row("whole cohort", &release.overall)];
    for cell in &release.subgroups {
        let name = format!("{} = {}", cell.dimension, cell.category);
        rows.push(match &cell.performance {
            Cell::Released(performance) => group_row(&name, performance),
            Cell::Suppressed(_) => vec![name, "withheld".to_owned()],
        });
    }
    let groups = table(&["group", "patients", "positives", "negatives", "response counts"], rows);
    let attrition = release.attrition.iter().map(|row| {
        let patients = row.patients.released().map_or("withheld".to_owned(), u64::to_string);
        vec![format!("{:?}", row.reason), patients]
    });
    if release.attrition.is_empty() {
        return format!("{groups}\n\nNo failed cases are named.");
    }
    format!("{groups}\n\n{}", table(&["failed cases", "patients"], attrition))
}

fn group_row(name: &str, performance: &Performance) -> Vec<String> {
    let counts = performance.operating_points.iter().map(|point| {
        let c = &point.counts;
        format!("{}: TP {} FN {} FP {} TN {}", point.name, c.tp, c.fn_, c.fp, c.tn)
    });
    vec![
        name.to_owned(),
        performance.patients.total.to_string(),
        performance.ranks.n_pos.to_string(),
        performance.ranks.n_neg.to_string(),
        counts.collect::<Vec<_>>().join("\n"),
    ]
}
