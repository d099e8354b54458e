//! Many idle agents on one coordinator: its memory, their return after a restart, a dispatch to all.
//!
//! One process holds every agent's work stream, over its own TLS connection with its own certificate.
//! It shares the processors with the coordinator: what it costs is told beside.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use fedval_bench::consortium::Consortium;
use fedval_bench::figures::{Samples, say, say_json};
use fedval_bench::link::{self, Identity};
use fedval_bench::processor;
use fedval_bench::stopwatch::Stopwatch;
use fedval_bench::swarm::{Heard, Swarm};
use fedval_bench::{BenchError, memory};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

/// Agents rest this long before memory is read.
const IDLE: Duration = Duration::from_secs(5);
/// Longest wait for the next agent.
const PATIENCE: Duration = Duration::from_mins(2);
/// The curve, up to the number asked for.
const STEPS: [usize; 5] = [10, 100, 500, 1000, 2000];
/// Sites invited at the same time.
const AT_ONCE: usize = 4;
/// Descriptors beside those of the connections.
const SPARE_DESCRIPTORS: u64 = 200;

/// Memory per agent, reconnection of all, dispatch to all, from 10 agents up.
#[derive(Debug, Parser)]
struct Args {
    /// Most agents.
    #[arg(long, default_value_t = 2000)]
    agents: usize,
    /// Keep folders and logs there instead of in a temporary folder.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), BenchError> {
    let args = Args::parse();
    raise_descriptors(args.agents)?;
    let temporary = tempfile::tempdir().map_err(BenchError::file(&std::env::temp_dir()))?;
    let folder = args.keep.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    std::fs::create_dir_all(&folder).map_err(BenchError::file(&folder))?;
    let mut consortium = Consortium::start(&folder)?;
    let mut steps: Vec<usize> = STEPS.into_iter().filter(|step| *step < args.agents).collect();
    steps.push(args.agents);
    for step in &steps {
        let study = format!("idle-{step}");
        consortium.lock_study(&study, 1, *step as u64)?;
    }
    tokio::time::sleep(IDLE).await;
    let empty = memory::resident(consortium.pid()?);
    let mut swarm = Swarm::new(consortium.url());
    say(&format!("coordinator without agents: {empty:.1} MiB resident"));
    say("agents  MiB  KiB/agent  connect s  back s  dispatch p50 s  p99 s  last s");
    for step in steps {
        let identities = enrol(&consortium, swarm.len(), step).await?;
        measure(&mut consortium, &mut swarm, identities, empty).await?;
    }
    Ok(())
}

/// A soft limit of descriptors binds this process and the coordinator that it starts.
fn raise_descriptors(agents: usize) -> Result<(), BenchError> {
    let now = getrlimit(Resource::Nofile);
    let needed = agents as u64 + SPARE_DESCRIPTORS;
    if now.maximum.is_some_and(|hard| hard < needed) {
        return Err(BenchError::unexpected(format!(
            "{agents} connections need {needed} open files: raise the hard limit (`ulimit -Hn`)"
        )));
    }
    let wanted = Rlimit { current: now.maximum.or(Some(needed)), maximum: now.maximum };
    setrlimit(Resource::Nofile, wanted)
        .map_err(|error| BenchError::unexpected(format!("open files cannot be raised: {error}")))
}

/// Enrols the sites from `from` to `to` by the real calls.
async fn enrol(
    consortium: &Consortium,
    from: usize,
    to: usize,
) -> Result<Vec<Identity>, BenchError> {
    let (url, operator) = (consortium.url(), consortium.operator());
    let mut identities = Vec::with_capacity(to - from);
    let sites: Vec<usize> = (from..to).collect();
    for some in sites.chunks(AT_ONCE) {
        let tokens: Vec<_> = std::thread::scope(|scope| {
            let invite = |site: &usize| {
                let name = format!("site-{site}");
                scope.spawn(move || operator.invite(&name))
            };
            let asked: Vec<_> = some.iter().map(invite).collect();
            asked.into_iter().filter_map(|asked| asked.join().ok()).collect()
        });
        for token in tokens {
            identities.push(link::enrol(&url, &token?).await?);
        }
    }
    Ok(identities)
}

async fn measure(
    consortium: &mut Consortium,
    swarm: &mut Swarm,
    identities: Vec<Identity>,
    empty: f64,
) -> Result<(), BenchError> {
    let start = Stopwatch::start();
    for identity in identities {
        swarm.add(identity);
    }
    let agents = swarm.len();
    let connect = start.seconds_until(&swarm.all_connected(PATIENCE).await?);
    tokio::time::sleep(IDLE).await;
    let resident = memory::resident(consortium.pid()?);
    let dispatch = dispatch(consortium, swarm, agents).await?;
    consortium.kill();
    let start = Stopwatch::start();
    consortium.serve()?;
    let back = start.seconds_until(&swarm.all_connected(PATIENCE).await?);
    let per_agent = (resident - empty) * 1024.0 / small(agents);
    let [p50, p99, last] = [0.5, 0.99, 1.0].map(|share| dispatch.seconds.quantile(share));
    say_json(&json!({
        "sys": "fedval-idle", "agents": agents, "resident_mb": resident, "per_agent_kib": per_agent,
        "connect_s": connect, "back_s": back, "dispatch_p50_s": p50, "dispatch_p99_s": p99,
        "dispatch_last_s": last, "dispatch_call_s": dispatch.call,
        "coordinator_cpu_s": dispatch.coordinator_cpu, "load_cpu_s": dispatch.load_cpu,
    }));
    say(&format!(
        "{agents:>6} {resident:>5.1} {per_agent:>9.1} {connect:>10.2} {back:>7.2} {p50:>15.3} \
         {p99:>6.3} {last:>6.3}"
    ));
    Ok(())
}

/// What a dispatch to all took.
struct Dispatched {
    seconds: Samples,
    call: f64,
    coordinator_cpu: f64,
    load_cpu: f64,
}

async fn dispatch(
    consortium: &Consortium,
    swarm: &mut Swarm,
    agents: usize,
) -> Result<Dispatched, BenchError> {
    let study = format!("idle-{agents}");
    let (coordinator, own) = (consortium.pid()?, std::process::id());
    let before = (processor::seconds(coordinator), processor::seconds(own));
    let start = Stopwatch::start();
    // The command blocks its thread; the agents' tasks run on the other.
    tokio::task::block_in_place(|| consortium.dispatch(&study))?;
    let call = start.seconds();
    let mut seconds = Samples::default();
    for _ in 0..agents {
        seconds.push(start.seconds_until(&swarm.next(Heard::Offer, PATIENCE).await?));
    }
    let coordinator_cpu = processor::seconds(coordinator) - before.0;
    let load_cpu = processor::seconds(own) - before.1;
    tokio::task::block_in_place(|| consortium.close(&study))?;
    Ok(Dispatched { seconds, call, coordinator_cpu, load_cpu })
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn small(count: usize) -> f64 {
    count as f64
}
