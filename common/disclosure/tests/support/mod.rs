//! What the gate of a site that never answered lets through: for tests of this crate and of others.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "shared by test crates, in which a failed unwrap is a failed test"
)]

use fedval_disclosure::{Evidence, Gate, History, SiteLocal, SitePolicy, Vetted};
use fedval_study::protocol::StudyProtocol;
use fedval_study::{ResultHeader, SiteResult, SiteSummary};

/// Vets a summary under `standard` with k = 11.
pub fn vetted(
    header: ResultHeader,
    protocol: &StudyProtocol,
    summary: SiteSummary,
) -> Vetted<SiteResult> {
    let policy = SitePolicy::parse(b"profile = \"standard\"\nk = 11\n").unwrap();
    let evidence = Evidence {
        summary: &SiteLocal::new(summary),
        history: &SiteLocal::new(History::default()),
        now_ms: 0,
        noise_seed: [7; 32],
    };
    Gate::new(policy.for_study(protocol), protocol).vet(header, &evidence).unwrap()
}
