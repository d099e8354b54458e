//! A result that nobody vetted.

use fedval_egress::Connection;
use fedval_study::{LedgerMark, SiteResult};
use fedval_trust::SecretKey;

async fn send(connection: &Connection, result: &SiteResult, ledger: &LedgerMark, key: &SecretKey) {
    //~ error[E0308]: mismatched types
    //~ expected `&Releasable<SiteResult>`, found `&SiteResult`
    let _ = connection.submit(result, key, 1, ledger).await;
}

fn main() {}
