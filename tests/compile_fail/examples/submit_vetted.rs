//! A result that the gate let through and nobody approved.

use fedval_disclosure::Vetted;
use fedval_egress::Connection;
use fedval_study::{LedgerMark, SiteResult};
use fedval_trust::SecretKey;

async fn send(
    connection: &Connection,
    result: &Vetted<SiteResult>,
    ledger: &LedgerMark,
    key: &SecretKey,
) {
    //~ error[E0308]: mismatched types
    //~ expected `&Releasable<SiteResult>`, found `&Vetted<SiteResult>`
    let _ = connection.submit(result, key, 1, ledger).await;
}

fn main() {}
