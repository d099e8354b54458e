//! Stands between an agent and the web services of its PACS: writes down what the agent asks, and holds questions back
//! when it is told to.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// A relay in front of one PACS.
#[derive(Debug)]
pub struct PacsRelay {
    runtime: Option<Runtime>,
    port: u16,
    heard: Arc<Heard>,
}

/// What the agent asked, and what becomes of it.
#[derive(Debug)]
struct Heard {
    pacs: u16,
    /// Method and target of each question, in their order.
    asked: Mutex<Vec<String>>,
    /// How many questions are passed on; those behind them wait.
    passes: watch::Sender<usize>,
    /// Questions that wait.
    held: AtomicUsize,
}

impl PacsRelay {
    /// Listens, and passes everything on to the PACS at a port of this machine.
    ///
    /// # Panics
    ///
    /// If no port is free.
    #[must_use]
    pub fn start(pacs: u16) -> Self {
        let runtime = Runtime::new().expect("threads");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        let heard = Arc::new(Heard {
            pacs,
            asked: Mutex::default(),
            passes: watch::Sender::new(usize::MAX),
            held: AtomicUsize::new(0),
        });
        runtime.spawn(listen(listener, Arc::clone(&heard)));
        Self { runtime: Some(runtime), port, heard }
    }

    /// Root of the DICOMweb services, as the agent is to know it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/dicom-web", self.port)
    }

    /// Method and target of each question so far, also of those that were held back.
    ///
    /// # Panics
    ///
    /// If a task panicked while it wrote one down.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.heard.asked.lock().expect("no panic while recording").clone()
    }

    /// The questions for an instance's file, of all that were asked from the one at the place `from` on.
    #[must_use]
    pub fn fetched(&self, from: usize) -> Vec<String> {
        let asked = self.asked().into_iter().skip(from);
        asked.filter(|question| question.contains("/instances/")).collect()
    }

    /// Questions that wait here at this moment. One whose asker hung up does not wait any more.
    #[must_use]
    pub fn held(&self) -> usize {
        self.heard.held.load(Ordering::SeqCst)
    }

    /// From now on only the first `questions` of all are passed on.
    pub fn hold_after(&self, questions: usize) {
        self.heard.passes.send_replace(questions);
    }

    /// Passes everything on again, what waits included.
    pub fn let_go(&self) {
        self.hold_after(usize::MAX);
    }
}

impl Drop for PacsRelay {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn listen(listener: TcpListener, heard: Arc<Heard>) {
    while let Ok((agent, _)) = listener.accept().await {
        tokio::spawn(carry(agent, Arc::clone(&heard)));
    }
}

/// One question and its answer. Each has a connection of its own: a PACS soon closes one on which nothing is asked.
async fn carry(mut agent: TcpStream, heard: Arc<Heard>) -> Option<()> {
    let text = question(&mut agent).await?;
    let first = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().to_owned();
    let number = {
        let mut asked = heard.asked.lock().expect("no panic while recording");
        asked.push(first);
        asked.len()
    };
    if !may_pass(number, &mut agent, &heard).await {
        return None;
    }
    let mut pacs = TcpStream::connect(("127.0.0.1", heard.pacs)).await.ok()?;
    pacs.write_all(&last_of_its_connection(&text)).await.ok()?;
    copy(&mut pacs, &mut agent).await.ok()?;
    agent.shutdown().await.ok()
}

/// The next question's head; `None` where the agent has gone. None of its questions has a body.
async fn question(agent: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(agent.read_u8().await.ok()?);
    }
    Some(head)
}

/// Waits until the question may be passed on; `false` where the agent hung up meanwhile.
async fn may_pass(number: usize, agent: &mut TcpStream, heard: &Heard) -> bool {
    let mut passes = heard.passes.subscribe();
    let most = *passes.borrow();
    if number <= most {
        return true;
    }
    let _waits = Waits::of(&heard.held);
    tokio::select! {
        is_let = async { passes.wait_for(|most| number <= *most).await.is_ok() } => is_let,
        // Whoever waits for an answer asks nothing more: what comes is the end.
        _ = agent.read_u8() => false,
    }
}

/// The question, after whose answer the PACS hangs up.
fn last_of_its_connection(head: &[u8]) -> Vec<u8> {
    let fields = head.len() - 2;
    [&head[..fields], b"Connection: close\r\n\r\n"].concat()
}

/// Counts a question for as long as it waits, however that ends.
struct Waits<'h>(&'h AtomicUsize);

impl<'h> Waits<'h> {
    fn of(held: &'h AtomicUsize) -> Self {
        held.fetch_add(1, Ordering::SeqCst);
        Self(held)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
