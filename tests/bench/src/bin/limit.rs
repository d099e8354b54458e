//! The limit of this machine: the same bytes to as many receivers, hashed and loaded, by the same
//! libraries, in one process without a protocol, a disk or a box.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::Parser;
use fedval_ambient::{OsEntropy, SystemClock};
use fedval_bench::figures::{say, say_json};
use fedval_bench::hospital::PATIENTS;
use fedval_bench::network::{SIDE, perceptron};
use fedval_bench::stopwatch::Stopwatch;
use fedval_bench::{BenchError, network};
use fedval_study::Sha256Digest;
use fedval_trust::{Authority, Role, SecretKey, tls};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tract_onnx::prelude::{Framework as _, Tensor, tvec};

/// Receivers at work at the same time, and threads that they share: one for each core.
const CORES: usize = 2;
/// Bytes of one write or read.
const PIECE_BYTES: usize = 1 << 18;
const CERTIFICATE_DAYS: i64 = 1;

/// What a perfect implementation of the same round would need on this machine.
#[derive(Debug, Parser)]
struct Args {
    /// Receivers.
    #[arg(long, default_value_t = 8)]
    sites: usize,
    /// Size of the model.
    #[arg(long, default_value_t = 1)]
    mib: usize,
    /// Seconds that `round` took: prints which part of the limit it reached.
    #[arg(long)]
    round: Option<f64>,
}

/// How much of a receiver's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    /// Received over TLS.
    Received,
    /// And its digest compared.
    Hashed,
    /// And loaded by the engine.
    Loaded,
    /// And run on every case.
    Run,
}

fn main() -> Result<(), BenchError> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CORES)
        .enable_all()
        .build()
        .map_err(|error| BenchError::unexpected(error.to_string()))?;
    let model = Arc::new(perceptron(args.mib, 0));
    let mut seconds = Vec::new();
    for until in [Until::Received, Until::Hashed, Until::Loaded, Until::Run] {
        seconds.push(runtime.block_on(deliver(&model, args.sites, until))?);
    }
    let [received, hashed, loaded, run] = seconds[..] else {
        return Err(BenchError::unexpected("four stages give four figures"));
    };
    say_json(&json!({
        "sys": "limit", "n": args.sites, "mb": args.mib, "received_s": received, "hashed_s": hashed,
        "loaded_s": loaded, "run_s": run,
    }));
    say(&format!("{} receivers, {} MiB each, {CORES} cores:", args.sites, args.mib));
    say(&format!("  received over TLS 1.3                {received:>9.3} s"));
    say(&format!("  … and hashed                         {hashed:>9.3} s"));
    say(&format!("  … and loaded by the engine: the limit{loaded:>9.3} s"));
    say(&format!("  … and run on {PATIENTS} cases                {run:>9.3} s"));
    if let Some(round) = args.round {
        say(&format!("`round` reached {:.2} of the limit,", loaded / round));
        say(&format!("and {:.2} of what includes running the cases", run / round));
    }
    Ok(())
}

/// Seconds until every receiver has done its part.
async fn deliver(model: &Arc<Vec<u8>>, sites: usize, until: Until) -> Result<f64, BenchError> {
    let failed = |error: &dyn std::error::Error| BenchError::unexpected(error.to_string());
    let authority = Authority::create(&SystemClock, &OsEntropy).map_err(|e| failed(&e))?;
    let pair = |role: &Role, hosts: &[String]| {
        let key = SecretKey::generate(&OsEntropy);
        authority
            .issue(role, &key, hosts, CERTIFICATE_DAYS, &SystemClock, &OsEntropy)
            .map(|certificate| (key, certificate))
    };
    let (key, certificate) =
        pair(&Role::Server, &["localhost".to_owned()]).map_err(|e| failed(&e))?;
    let server =
        tls::server_config(authority.root(), &certificate, &key).map_err(|e| failed(&e))?;
    let site = Role::Site("site".parse().map_err(|_| BenchError::unexpected("no site"))?);
    let (key, certificate) = pair(&site, &[]).map_err(|e| failed(&e))?;
    let client =
        tls::client_config(authority.root(), &certificate, &key).map_err(|e| failed(&e))?;
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|e| failed(&e))?;
    let port = listener.local_addr().map_err(|e| failed(&e))?.port();
    let sender =
        tokio::spawn(send(listener, TlsAcceptor::from(Arc::new(server)), Arc::clone(model)));
    let client = Arc::new(client);
    let left = Arc::new(AtomicUsize::new(sites));
    let expected = Sha256Digest::of(model);
    let start = Stopwatch::start();
    let lanes: Vec<_> = (0..CORES)
        .map(|_| tokio::spawn(lane(Arc::clone(&client), port, Arc::clone(&left), expected, until)))
        .collect();
    for lane in lanes {
        lane.await.map_err(|e| failed(&e))??;
    }
    let seconds = start.seconds();
    sender.abort();
    Ok(seconds)
}

async fn send(listener: TcpListener, acceptor: TlsAcceptor, model: Arc<Vec<u8>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, model) = (acceptor.clone(), Arc::clone(&model));
        tokio::spawn(async move {
            // A receiver that went away is noticed by the receiver's lane.
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            for piece in model.chunks(PIECE_BYTES) {
                if stream.write_all(piece).await.is_err() {
                    return;
                }
            }
            let _ = stream.shutdown().await;
        });
    }
}

/// Takes one receiver after the other.
async fn lane(
    client: Arc<tokio_rustls::rustls::ClientConfig>,
    port: u16,
    left: Arc<AtomicUsize>,
    expected: Sha256Digest,
    until: Until,
) -> Result<(), BenchError> {
    let one_less = |left: usize| left.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok() {
        let bytes = receive(Arc::clone(&client), port, expected, until).await?;
        if until >= Until::Loaded {
            tokio::task::block_in_place(|| load_and_run(&bytes, until))?;
        }
    }
    Ok(())
}

async fn receive(
    client: Arc<tokio_rustls::rustls::ClientConfig>,
    port: u16,
    expected: Sha256Digest,
    until: Until,
) -> Result<Vec<u8>, BenchError> {
    let lost = |error: std::io::Error| BenchError::unexpected(error.to_string());
    let mut stream = tls::dial(client, "localhost", port).await.map_err(lost)?;
    let (mut bytes, mut hash) = (Vec::new(), Sha256::new());
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = stream.read(&mut piece).await.map_err(lost)?;
        if read == 0 {
            break;
        }
        if until >= Until::Hashed {
            hash.update(&piece[..read]);
        }
        if until >= Until::Loaded {
            bytes.extend_from_slice(&piece[..read]);
        }
    }
    let found: [u8; 32] = hash.finalize().into();
    if until >= Until::Hashed && found != *expected.as_bytes() {
        return Err(BenchError::unexpected("other bytes arrived than were sent"));
    }
    Ok(bytes)
}

/// As the agent's engine does it, without its inspection.
fn load_and_run(bytes: &[u8], until: Until) -> Result<(), BenchError> {
    let failed = |error: tract_onnx::prelude::TractError| BenchError::unexpected(error.to_string());
    let plan = tract_onnx::onnx()
        .model_for_read(&mut &*bytes)
        .and_then(tract_onnx::prelude::InferenceModelExt::into_optimized)
        .and_then(tract_onnx::prelude::IntoRunnable::into_runnable)
        .map_err(failed)?;
    if until < Until::Run {
        return Ok(());
    }
    let side = SIDE as usize;
    let mut noise = network::Noise::new(1);
    for _ in 0..PATIENTS {
        let pixels: Vec<f32> = (0..side * side).map(|_| f32::from(noise.byte()) / 255.0).collect();
        let input = Tensor::from_shape(&[1, 1, side, side], &pixels).map_err(failed)?;
        plan.run(tvec![input.into()]).map_err(failed)?;
    }
    Ok(())
}
