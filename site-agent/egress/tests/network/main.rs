//! The networks of hospitals, on real sockets: proxies, gateways that open TLS, sign-in pages, cuts.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod a29_downloads;
mod a32_compressed;
mod consortium;
mod f11_proxy;
mod f12_interceptor;
mod hospital;
mod hostile_coordinator;
mod way;

use std::time::Duration;

use fedval_ambient::{Exit, Problem as _};
use fedval_egress::{Coordinator, DialError, EgressError, Proxy};

use consortium::Consortium;

/// Waits shorter than a site would, so that silence is told soon.
const PATIENCE: Duration = Duration::from_millis(500);

/// The coordinator at a port of this machine.
fn at(port: u16) -> Coordinator {
    Coordinator::at(&format!("https://localhost:{port}")).unwrap()
}

fn proxy(port: u16) -> Proxy {
    Proxy::at(&format!("http://127.0.0.1:{port}")).unwrap()
}

/// How dialling fails, which must be for a reason of the network, told with what to do about it.
async fn failure(coordinator: Coordinator) -> DialError {
    let failed = Consortium::new(1).time(&coordinator).await.unwrap_err();
    assert!(failed.is_passing(), "no job may end for what a network does: {failed}");
    assert_eq!(failed.exit(), Exit::Unreachable);
    assert!(failed.remedy().is_some_and(|remedy| !remedy.is_empty()));
    let EgressError::Dial(error) = failed else { panic!("{failed:?}") };
    error
}
