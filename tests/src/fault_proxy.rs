//! A bad network between agents and their coordinator: passes bytes on as it is told, without
//! understanding them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// As much as is passed on at once.
const PIECE: usize = 4 * 1024;

/// A proxy for one coordinator.
#[derive(Debug)]
pub struct FaultProxy {
    runtime: Option<Runtime>,
    port: u16,
    network: Arc<Network>,
}

/// What the network does at present.
#[derive(Debug)]
struct Network {
    coordinator: u16,
    is_up: AtomicBool,
    swallows_answers: AtomicBool,
    /// Bytes to an agent after which its connection is reset; 0 for never.
    reset_after: AtomicU64,
    /// Bytes that reached agents.
    passed: AtomicU64,
    /// Answers' bytes that never arrived.
    swallowed: AtomicU64,
    /// Raised whenever every connection has to end.
    cut: watch::Sender<u64>,
}

impl FaultProxy {
    /// A network in order.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start(coordinator: u16) -> Self {
        let runtime = Runtime::new().expect("threads");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let network = Arc::new(Network {
            coordinator,
            is_up: AtomicBool::new(true),
            swallows_answers: AtomicBool::new(false),
            reset_after: AtomicU64::new(0),
            passed: AtomicU64::new(0),
            swallowed: AtomicU64::new(0),
            cut: watch::Sender::new(0),
        });
        runtime.spawn(listen(listener, Arc::clone(&network)));
        Self { runtime: Some(runtime), port, network }
    }

    /// Where agents dial.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Bytes that reached agents so far.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.network.passed.load(Ordering::SeqCst)
    }

    /// Bytes of answers that were swallowed so far.
    #[must_use]
    pub fn swallowed(&self) -> u64 {
        self.network.swallowed.load(Ordering::SeqCst)
    }

    /// Resets every connection.
    pub fn cut(&self) {
        self.network.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Resets every connection, and refuses new ones until [`FaultProxy::mend`].
    pub fn part(&self) {
        self.network.is_up.store(false, Ordering::SeqCst);
        self.cut();
    }

    /// From now on agents are heard and get no answer.
    pub fn swallow_answers(&self) {
        self.network.swallows_answers.store(true, Ordering::SeqCst);
    }

    /// From now on each connection is reset once so many bytes went to the agent.
    pub fn reset_after(&self, bytes: u64) {
        self.network.reset_after.store(bytes, Ordering::SeqCst);
    }

    /// A network in order again. Connections that lost bytes are reset: they cannot go on.
    pub fn mend(&self) {
        self.network.is_up.store(true, Ordering::SeqCst);
        self.network.reset_after.store(0, Ordering::SeqCst);
        if self.network.swallows_answers.swap(false, Ordering::SeqCst) {
            self.cut();
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn listen(listener: TcpListener, network: Arc<Network>) {
    while let Ok((agent, _)) = listener.accept().await {
        if network.is_up.load(Ordering::SeqCst) {
            tokio::spawn(carry(agent, Arc::clone(&network)));
        } else {
            reset(&agent);
        }
    }
}

/// The other end sees a reset as soon as the connection is dropped.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

async fn carry(mut agent: TcpStream, network: Arc<Network>) {
    let mut cut = network.cut.subscribe();
    // Parted between this agent's coming and now: the cut is not heard of any more.
    if !network.is_up.load(Ordering::SeqCst) {
        reset(&agent);
        return;
    }
    let port = network.coordinator;
    let Ok(mut coordinator) = TcpStream::connect(("127.0.0.1", port)).await else {
        reset(&agent);
        return;
    };
    let _ = (agent.set_nodelay(true), coordinator.set_nodelay(true));
    let is_reset = {
        let (from_agent, to_agent) = agent.split();
        let (from_coordinator, to_coordinator) = coordinator.split();
        tokio::select! {
            () = up(from_agent, to_coordinator) => false,
            is_reset = down(from_coordinator, to_agent, &network) => is_reset,
            _ = cut.changed() => true,
        }
    };
    if is_reset {
        reset(&agent);
        reset(&coordinator);
    }
}

async fn up(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>) {
    let mut piece = vec![0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

/// Until an end; `true` where that is to be a reset.
async fn down(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, network: &Network) -> bool {
    let mut piece = vec![0; PIECE];
    let mut carried = 0;
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        let bytes = read as u64;
        if network.swallows_answers.load(Ordering::SeqCst) {
            network.swallowed.fetch_add(bytes, Ordering::SeqCst);
            continue;
        }
        if to.write_all(&piece[..read]).await.is_err() {
            break;
        }
        network.passed.fetch_add(bytes, Ordering::SeqCst);
        carried += bytes;
        let most = network.reset_after.load(Ordering::SeqCst);
        if most > 0 && carried >= most {
            return true;
        }
    }
    false
}
