//! Marks of sites' ledgers: the largest that each signed stands, with the coordinator's signature beside it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, Site, bench};
use fedval_ambient::Clock as _;
use fedval_core::MarkKept;
use fedval_study::{Canonical, LedgerMark, Sha256Digest};
use fedval_trust::{PayloadType, Role, SecretKey, SignedDocument, ledger_mark};

fn mark(site: &Site, entries: u64, head: &str) -> LedgerMark {
    LedgerMark { site: site.id.clone(), entries, head: Sha256Digest::of(head.as_bytes()) }
}

async fn keep(bench: &Bench, key: &SecretKey, mark: &LedgerMark) -> MarkKept {
    let signature = ledger_mark::sign(key, mark).unwrap();
    bench.coordinator.ledger_mark_keep(mark.clone(), signature).await.unwrap()
}

/// The mark that the site is shown, if both signed it.
async fn shown(bench: &Bench, site: &Site) -> Option<LedgerMark> {
    let (row, endorsement) = bench.coordinator.ledger_mark_of(&site.id).await.unwrap()?;
    assert!(ledger_mark::verifies(site.key.public(), &row.mark, &row.signature));
    let document = SignedDocument {
        payload_type: PayloadType::LedgerMark,
        bytes: Canonical::new(row.mark.clone()).unwrap().into_bytes(),
        endorsements: vec![endorsement],
    };
    document.verify(&Role::Coordinator, bench.coordinator.root(), bench.clock.now()).unwrap();
    Some(row.mark)
}

#[tokio::test]
async fn the_largest_mark_stands_and_a_site_that_goes_back_is_found_out() {
    let bench = bench().await;
    let site = bench.enrol("site-a").await;
    assert_eq!(shown(&bench, &site).await, None);
    let [first, fourth] = [mark(&site, 1, "first"), mark(&site, 4, "fourth")];
    for (told, expected) in [
        (&first, MarkKept::Kept),
        (&fourth, MarkKept::Kept),
        // The same result again, after an answer that was lost.
        (&fourth, MarkKept::Kept),
        (&first, MarkKept::Smaller),
        (&mark(&site, 3, "told anew"), MarkKept::Smaller),
    ] {
        assert_eq!(keep(&bench, &site.key, told).await, expected, "{told:?}");
    }
    assert_eq!(shown(&bench, &site).await, Some(fourth));
}

#[tokio::test]
async fn a_mark_that_the_site_did_not_sign_is_ignored() {
    let bench = bench().await;
    let [site, other] = [bench.enrol("site-a").await, bench.enrol("site-b").await];
    let told = mark(&site, 9, "made up");
    assert_eq!(keep(&bench, &other.key, &told).await, MarkKept::Foreign);
    assert_eq!(shown(&bench, &site).await, None);
}
