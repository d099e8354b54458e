//! A result that the gate let through and nobody approved.

use fedval_disclosure::Vetted;
use fedval_egress::Connection;
use fedval_study::SiteResult;
use fedval_trust::SecretKey;

async fn send(connection: &Connection, result: &Vetted<SiteResult>, key: &SecretKey) {
    let _ = connection.submit(result, key, 1).await;
}

fn main() {}
