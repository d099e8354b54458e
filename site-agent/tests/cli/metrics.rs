//! The page of metrics of a running agent.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fedval_vault::JobState;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::agent::Machine;

/// An agent that runs until the test ends.
struct Running(Child);

impl Running {
    fn on(machine: &Machine) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_fedval-agent"))
            .args(["run", "--home"])
            .arg(machine.home())
            .env_clear()
            .stderr(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

async fn free() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    listener.local_addr().unwrap()
}

/// What is answered, or nothing while nobody listens.
async fn page(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    Some(answer)
}

fn with_page(machine: &Machine, listen: &str) {
    let table = format!("[metrics]\nlisten = \"{listen}\"");
    machine.replace("agent.toml", "# [metrics]\n# listen = \"127.0.0.1:9464\"", &table);
}

#[test]
fn the_page_shows_jobs_by_state_and_nothing_of_cases() {
    let machine = Machine::with_a_job(JobState::AwaitingRelease);
    let runtime = Runtime::new().unwrap();
    let address = runtime.block_on(free());
    with_page(&machine, &address.to_string());
    let _agent = Running::on(&machine);
    runtime.block_on(watch(address));
}

async fn watch(address: SocketAddr) {
    let mut found = String::new();
    for _ in 0..600 {
        found = page(address, "/metrics").await.unwrap_or_default();
        if found.contains("agent_jobs{state=\"awaiting_release\"} 1\n") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(found.contains("agent_jobs{state=\"awaiting_release\"} 1\n"), "{found}");
    assert!(found.contains("agent_connected 0\n"), "{found}");
    // Neither the site, nor the study, nor what was counted there.
    for canary in ["site-a", "chest", "case", "patient", "image"] {
        assert!(!found.contains(canary), "{canary} is in {found}");
    }
    assert!(page(address, "/healthz").await.unwrap().starts_with("HTTP/1.1 200"));
}

#[test]
fn an_address_that_others_reach_stops_the_agent() {
    let machine = Machine::enrolled();
    with_page(&machine, "0.0.0.0:0");
    machine.run(&["run"]).stops(2, "METRICS_NOT_LOOPBACK");
}
