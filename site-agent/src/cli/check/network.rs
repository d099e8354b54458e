//! The way to the coordinator, step by step: name, port, proxy, TLS, clock, and the coordinator's word.

use fedval_ambient::{Clock as _, Failure, SystemClock, Timestamp};
use fedval_egress::{Connection, Coordinator, DialError, DialStep, EgressError};

use super::{Checked, clock};
use crate::home::{Home, Identity};

const STEPS: [(DialStep, &str); 4] = [
    (DialStep::Name, "name"),
    (DialStep::Port, "port"),
    (DialStep::Proxy, "proxy"),
    (DialStep::Tls, "TLS"),
];
const CLOCK: &str = "clock";
const COORDINATOR: &str = "coordinator";

/// What the way is like.
pub(super) struct Network {
    pub(super) checks: Vec<Checked>,
    /// What to send to the network team, where something opens TLS.
    pub(super) request: Option<String>,
}

pub(super) async fn check(home: &Home) -> Network {
    let dialer = || home.config()?.coordinator.dialer();
    let prepared = home.identity().and_then(|identity| Ok((identity, dialer()?)));
    let Ok((identity, coordinator)) = prepared else {
        let names = STEPS.into_iter().map(|(_, name)| name).chain([CLOCK, COORDINATOR]);
        let why = "needs the enrolment and the configuration";
        let checks = names.map(|name| Checked::untested(name, why)).collect();
        return Network { checks, request: None };
    };
    let time = coordinator.time(&identity.root, &identity.certificate, &identity.key).await;
    match time {
        Err(EgressError::Dial(error)) => stopped(&coordinator, error),
        time => Network { checks: reached(&coordinator, &identity, time).await, request: None },
    }
}

/// The way ends at one of the steps: what lies behind it was not seen.
fn stopped(coordinator: &Coordinator, error: DialError) -> Network {
    let (failed, request) = (error.step(), error.exemption_request());
    let mut failure = Some(Failure::from(error));
    let mut checks: Vec<Checked> = STEPS
        .into_iter()
        .map(|(step, name)| match failure.take_if(|_| step == failed) {
            Some(failure) => Checked::new(name, Err(failure)),
            None if step < failed => Checked::new(name, Ok(note(coordinator, step))),
            None => Checked::untested(name, "not reached"),
        })
        .collect();
    checks.extend([CLOCK, COORDINATOR].map(|name| Checked::untested(name, "not reached")));
    Network { checks, request }
}

async fn reached(
    coordinator: &Coordinator,
    identity: &Identity,
    time: Result<Timestamp, EgressError>,
) -> Vec<Checked> {
    let theirs = time.map_err(Failure::from);
    let ours = SystemClock.now();
    let steps = STEPS.into_iter();
    let mut checks: Vec<Checked> =
        steps.map(|(step, name)| Checked::new(name, Ok(note(coordinator, step)))).collect();
    checks.push(Checked::new(CLOCK, theirs.and_then(|theirs| clock::check(ours, theirs))));
    checks.push(Checked::new(COORDINATOR, registered(coordinator, identity).await));
    checks
}

/// TLS alone would also let a revoked site in: a call asks the registry.
async fn registered(coordinator: &Coordinator, identity: &Identity) -> Result<String, Failure> {
    let connection =
        Connection::open(coordinator, &identity.root, &identity.certificate, &identity.key).await?;
    connection.check().await?;
    Ok("knows this site".to_owned())
}

fn note(coordinator: &Coordinator, step: DialStep) -> String {
    match (step, coordinator.proxy()) {
        (DialStep::Name, None) => "the coordinator's name has an address".to_owned(),
        (DialStep::Name, Some(_)) => "the proxy's name has an address".to_owned(),
        (DialStep::Port, None) => "the coordinator takes connections".to_owned(),
        (DialStep::Port, Some(proxy)) => format!("{proxy} takes connections"),
        (DialStep::Proxy, None) => "none is configured".to_owned(),
        (DialStep::Proxy, Some(proxy)) => format!("{proxy} opens the way"),
        (DialStep::Tls, _) => "the consortium's own coordinator, unopened on the way".to_owned(),
    }
}
