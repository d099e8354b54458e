//! A whole round with real processes: dispatch to every result accepted.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use fedval_bench::consortium::{Consortium, Site};
use fedval_bench::figures::{Samples, say, say_json, say_table};
use fedval_bench::memory::{self, TreeWatch};
use fedval_bench::server_log::Event;
use fedval_bench::stopwatch::Stopwatch;
use fedval_bench::{BenchError, hospital, processor};
use serde_json::json;

/// Agents rest this long before their idle memory is read.
const IDLE: Duration = Duration::from_secs(10);
/// Longest wait for the next sign of life.
const PATIENCE: Duration = Duration::from_mins(5);
/// Sites whose processes are watched; the others do the same.
const WATCHED: usize = 4;

/// Dispatch to all results accepted: real processes, mutual TLS, a real model run at every site.
#[derive(Debug, Parser)]
struct Args {
    /// Sites, each an agent process.
    #[arg(long, default_value_t = 8)]
    sites: usize,
    /// Size of the model.
    #[arg(long, default_value_t = 1)]
    mib: usize,
    /// Patients of each site, one image each. Below 24 every site answers `insufficient`: evaluated,
    /// vetted, signed and accepted all the same.
    #[arg(long, default_value_t = hospital::PATIENTS)]
    cases: u32,
    /// Rounds, each with a model of its own.
    #[arg(long, default_value_t = 5)]
    repeat: usize,
    /// Keep folders and logs there instead of in a temporary folder.
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// What the rounds cost.
#[derive(Debug, Default)]
struct Cost {
    seconds: Samples,
    coordinator_peak: Samples,
    coordinator_processor: Samples,
    agents_processor: Samples,
    agent_idle: Samples,
    agent_tree_peak: Samples,
}

fn main() -> Result<(), BenchError> {
    let args = Args::parse();
    let temporary = tempfile::tempdir().map_err(BenchError::file(&std::env::temp_dir()))?;
    let folder = args.keep.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    std::fs::create_dir_all(&folder).map_err(BenchError::file(&folder))?;
    let consortium = Consortium::start(&folder)?;
    let mut sites = enrol(&consortium, &args)?;
    let protocols = (0..args.repeat)
        .map(|round| consortium.lock_study(&study(round), args.mib, round as u64))
        .collect::<Result<Vec<_>, _>>()?;
    for site in &mut sites {
        site.allow(&protocols)?;
        site.run()?;
    }
    consortium.hear(Event::Connected, sites.len(), PATIENCE)?;
    std::thread::sleep(IDLE);
    let mut cost = Cost {
        agent_idle: watched(&sites).into_iter().map(memory::resident).collect(),
        ..Cost::default()
    };
    for round in 0..args.repeat {
        run(&consortium, &sites, &args, round, &mut cost)?;
    }
    print(&args, &cost);
    Ok(())
}

fn enrol(consortium: &Consortium, args: &Args) -> Result<Vec<Site>, BenchError> {
    (0..args.sites)
        .map(|index| {
            let data = consortium.path(&format!("data-{index}"));
            hospital::write(&data, index as u64, args.cases)?;
            Site::enrol(consortium, &format!("site-{index}"), &data)
        })
        .collect()
}

fn study(round: usize) -> String {
    format!("bench-{round}")
}

fn watched(sites: &[Site]) -> Vec<u32> {
    sites.iter().filter_map(Site::pid).take(WATCHED).collect()
}

fn run(
    consortium: &Consortium,
    sites: &[Site],
    args: &Args,
    round: usize,
    cost: &mut Cost,
) -> Result<(), BenchError> {
    let study = study(round);
    let watch = TreeWatch::start(watched(sites));
    let processor_before = processor_seconds(consortium, sites)?;
    let start = Stopwatch::start();
    consortium.dispatch(&study)?;
    let dispatched = start.seconds();
    let last = consortium.hear(Event::Recorded, sites.len(), PATIENCE)?;
    let seconds = start.seconds_until(&last);
    let agent_tree_peak = watch.stop();
    let processor_after = processor_seconds(consortium, sites)?;
    let coordinator_processor = processor_after.0 - processor_before.0;
    let agents_processor = processor_after.1 - processor_before.1;
    let status = if args.cases < hospital::PATIENTS { "insufficient" } else { "released" };
    let (accepted, asked) = consortium.accepted(&study, status)?;
    if (accepted, asked) != (sites.len(), sites.len()) {
        let what = format!("{accepted} of {asked} sites answered `{status}`");
        return Err(BenchError::unexpected(what));
    }
    let coordinator_peak = memory::peak(consortium.pid()?);
    cost.seconds.push(seconds);
    cost.coordinator_peak.push(coordinator_peak);
    cost.coordinator_processor.push(coordinator_processor);
    cost.agents_processor.push(agents_processor);
    cost.agent_tree_peak.push(agent_tree_peak);
    say_json(&json!({
        "sys": "fedval", "n": sites.len(), "mb": args.mib, "rep": round, "sites": accepted, "cases": args.cases,
        "submit_to_result_s": seconds, "dispatch_call_s": dispatched,
        "peak_server_mb": coordinator_peak, "idle_site_mb": cost.agent_idle.quantile(1.0),
        "peak_site_tree_mb": agent_tree_peak, "server_cpu_s": coordinator_processor,
        "sites_cpu_s": agents_processor,
    }));
    consortium.close(&study)?;
    sites.iter().for_each(Site::forget_models);
    Ok(())
}

/// Of the coordinator, and of all agents with the boxes that have ended.
fn processor_seconds(consortium: &Consortium, sites: &[Site]) -> Result<(f64, f64), BenchError> {
    let agents = sites.iter().filter_map(Site::pid).map(processor::seconds).sum();
    Ok((processor::seconds(consortium.pid()?), agents))
}

fn print(args: &Args, cost: &Cost) {
    say_table(&[
        ("dispatch to all results accepted, s", &cost.seconds),
        ("coordinator, peak resident, MiB", &cost.coordinator_peak),
        ("coordinator, processor time, s", &cost.coordinator_processor),
        ("all agents, processor time, s", &cost.agents_processor),
        ("agent, idle, resident, MiB", &cost.agent_idle),
        ("agent and its boxes, peak resident, MiB", &cost.agent_tree_peak),
    ]);
    say(&format!(
        "{} sites, model of {} MiB, {} cases at each, {} rounds",
        args.sites, args.mib, args.cases, args.repeat
    ));
}
