//! A result that nobody vetted.

use fedval_egress::Connection;
use fedval_study::SiteResult;
use fedval_trust::SecretKey;

async fn send(connection: &Connection, result: &SiteResult, key: &SecretKey) {
    let _ = connection.submit(result, key, 1).await;
}

fn main() {}
