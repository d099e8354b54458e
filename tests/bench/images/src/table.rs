//! A prediction table, evaluated by the agent's own code and held against the rules: what a million cases cost.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::Args;
use fedval_ambient::{Clock as _, SystemClock};
use fedval_disclosure::{Evidence, Gate, SiteLocal, SitePolicy};
use fedval_evaluate::{Evaluation, ScoreGrid, Store};
use fedval_inference::{InferenceLimits, ModelEngine};
use fedval_ingest::{ColumnMapping, DecodeLimits, IndexTestColumn, ManifestSource};
use fedval_study::{
    BuildDigest, CohortCommitment, LockedProtocol, ProbeDigests, ResultHeader, RoundId,
    ScoreSource, Sha256Digest, SiteSummary,
};
use fedval_vault::{JobState, Vault};

use crate::error::BenchError;
use crate::evaluation::{SIDE, STUDY, at, insert_job, protocol, timed};
use crate::figure::TableFigure;
use crate::made_table::{Format, Recipe};
use crate::memory::own_peak_kib;

const KIB: u64 = 1024;

/// How much a table takes in either format, and how much more with each case.
#[derive(Debug, Args)]
pub(crate) struct Growth {
    /// Cases of the larger table; the other has a tenth of them.
    #[arg(long, default_value_t = 1_000_000)]
    cases: u32,
}

impl Growth {
    /// Evaluates four tables, each in a process of its own, and prints a line for each format.
    pub(crate) fn run(&self) -> Result<(), BenchError> {
        let columns =
            ["table", "cases", "peak MiB", "bytes a case", "with rules MiB", "bytes a case"];
        let [table, cases, peak, each, vetted, vetted_each] = columns;
        println!("{table:<8} {cases:>9} {peak:>9} {each:>13} {vetted:>15} {vetted_each:>13}");
        let (small, large) = ((self.cases / 10).max(1_000), self.cases.max(2_000));
        for format in [Format::Csv, Format::Parquet] {
            let (one, other) = (measured(small, format)?, measured(large, format)?);
            let more = u64::from(large - small);
            let each = |small: u64, large: u64| large.saturating_sub(small) * KIB / more;
            println!(
                "{:<8} {large:>9} {:>9} {:>13} {:>15} {:>13}",
                format.name(),
                other.evaluated_kib / KIB,
                each(one.evaluated_kib, other.evaluated_kib),
                other.vetted_kib / KIB,
                each(one.vetted_kib, other.vetted_kib),
            );
        }
        Ok(())
    }
}

/// What `table` tells of so many cases.
fn measured(cases: u32, format: Format) -> Result<TableFigure, BenchError> {
    let mut command = Command::new("/proc/self/exe");
    command.args(["table", "--cases", &cases.to_string(), "--format", format.name()]);
    let output = command.output().map_err(at(Path::new("/proc/self/exe")))?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let command = format!("{command:?}");
        return Err(BenchError::Command { command, answer: printed });
    }
    serde_json::from_str(&printed).map_err(BenchError::Figure)
}

/// Writes a table, evaluates it in a vault of its own, and holds the result against the rules.
pub(crate) async fn evaluate(recipe: &Recipe) -> Result<TableFigure, BenchError> {
    let work = tempfile::tempdir().map_err(at(Path::new("a temporary folder")))?;
    let (manifest, model) = (work.path().join("manifest"), work.path().join("model.onnx"));
    recipe.write_apart(&manifest)?;
    fs::write(&model, b"a model that nobody runs").map_err(at(&model))?;
    let study = STUDY.replace("[model]\n", "prediction_tables = \"accept\"\n[model]\n")
        + "[[subgroups]]\ndimension = \"sex\"\ncolumn = \"sex\"\ncategories = [\n  \
           { name = \"female\", values = [\"F\"] },\n  { name = \"male\", values = [\"M\"] },\n]\n";
    let protocol = protocol(&study, b"a model that nobody runs", SIDE)?;
    let vault = Vault::open(&work.path().join("vault.db")).await?;
    let round = insert_job(&vault, &protocol).await?;
    let index_test = IndexTestColumn::Score("score".to_owned());
    let source = ManifestSource {
        manifest,
        root: work.path().to_path_buf(),
        columns: ColumnMapping { index_test, ..ColumnMapping::default() },
    };
    let evaluation = Evaluation {
        round: &round,
        protocol: protocol.protocol(),
        model: &model,
        source: &source,
        pacs: None,
        store: Store::Vault(&vault),
        secret: [7; 32],
        grid: ScoreGrid::Fine,
        k: protocol.protocol().disclosure.k,
        decode_limits: DecodeLimits::default(),
        inference_limits: InferenceLimits::default(),
        engine: &ModelEngine::Embedded,
        second_engine: None,
        lanes: 1,
    };
    let (evaluated, summary) = timed(&evaluation).await?;
    let evaluated_kib = own_peak_kib();
    vet(&vault, &round, protocol, summary).await?;
    Ok(TableFigure { evaluated, evaluated_kib, vetted_kib: own_peak_kib() })
}

/// As the agent does it: beside its own thread, and what is let through waits in the vault.
async fn vet(
    vault: &Vault,
    round: &RoundId,
    locked: LockedProtocol,
    summary: SiteLocal<SiteSummary>,
) -> Result<(), BenchError> {
    let policy = SitePolicy::parse(b"profile = \"standard\"\nk = 11\n");
    let policy = policy.map_err(|error| BenchError::Study { reason: error.to_string() })?;
    let header = ResultHeader {
        study: locked.protocol().id.clone(),
        protocol: locked.digest(),
        model: locked.protocol().model.digest,
        round: round.clone(),
        site: "bench".parse().expect("a name of a site"),
        cohort: Some(CohortCommitment(Sha256Digest::of(b"a cohort that nobody asks for"))),
        policy: Some(policy.digest()),
        agent_build: BuildDigest(Sha256Digest::of(b"a benchmark")),
        scores: ScoreSource::PredictionTable,
        preprocessing: ProbeDigests::default(),
    };
    let history = vault.history().await?;
    let vetted = tokio::task::spawn_blocking(move || {
        let evidence =
            Evidence { summary: &summary, history: &history, now_ms: 0, noise_seed: [7; 32] };
        Gate::new(policy.for_study(locked.protocol()), locked.protocol()).vet(header, &evidence)
    });
    let vetted =
        vetted.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))?;
    let now = SystemClock.now();
    vault.job_move(round, JobState::Offered, JobState::Running, now).await?;
    vault.vetted_put(&vetted, now).await?;
    Ok(())
}
