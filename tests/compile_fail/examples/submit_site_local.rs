//! The exact evidence.

use fedval_disclosure::SiteLocal;
use fedval_egress::Connection;
use fedval_study::{LedgerMark, SiteSummary};
use fedval_trust::SecretKey;

async fn send(
    connection: &Connection,
    summary: &SiteLocal<SiteSummary>,
    ledger: &LedgerMark,
    key: &SecretKey,
) {
    //~ error[E0308]: mismatched types
    //~ expected `&Releasable<SiteResult>`, found `&SiteLocal<SiteSummary>`
    let _ = connection.submit(summary, key, 1, ledger).await;
}

fn main() {}
