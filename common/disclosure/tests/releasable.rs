//! What may be sent comes from the ledger, and only as it was approved.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "../../study/tests/support/mod.rs"]
mod support;

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use fedval_disclosure::{Committed, Ledger, NoAggregates, Releasable, ReleaseError, Vetted};
use fedval_study::{Canonical, Outcome, ResultDigest, RoundId, Sha256Digest, SiteResult};
use support::{header, locked};

/// A ledger that answers with what it was given.
struct Given(Option<Committed>);

impl Ledger for Given {
    type Error = Infallible;

    async fn committed(&self, _: &RoundId) -> Result<Option<Committed>, Infallible> {
        Ok(self.0.clone())
    }
}

/// The answer of a future that waits for nothing.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn release(
    entry: Option<Committed>,
) -> Result<Option<Releasable<SiteResult>>, ReleaseError<Infallible>> {
    ready(Releasable::from_ledger(&Given(entry), &"chest-r1".parse().unwrap()))
}

fn approved() -> Committed {
    let header = header(&locked(), "site-a");
    let vetted = Vetted::without_aggregates(header, NoAggregates::Refused, None).unwrap();
    Committed { bytes: vetted.bytes().to_vec(), digest: vetted.digest() }
}

#[test]
fn what_was_approved_is_what_goes() {
    let entry = approved();
    let releasable = release(Some(entry.clone())).unwrap().unwrap();
    assert_eq!(releasable.bytes(), entry.bytes);
    assert_eq!(releasable.value().outcome, Outcome::Refused);
}

#[test]
fn what_was_never_committed_does_not_go() {
    assert_eq!(release(None).unwrap(), None);
}

#[test]
fn bytes_other_than_the_approved_ones_do_not_go() {
    let mut other: SiteResult =
        Canonical::parse(&approved().bytes).map(Canonical::into_value).unwrap();
    other.outcome = Outcome::Insufficient;
    let exchanged = Canonical::new(other).unwrap().bytes().to_vec();
    let entry = Committed { bytes: exchanged, ..approved() };
    assert!(matches!(release(Some(entry)), Err(ReleaseError::NotWhatWasApproved)));
}

#[test]
fn the_result_of_another_round_does_not_go() {
    let mut header = header(&locked(), "site-a");
    header.round = "chest-r2".parse().unwrap();
    let vetted = Vetted::without_aggregates(header, NoAggregates::Refused, None).unwrap();
    let entry = Committed { bytes: vetted.bytes().to_vec(), digest: vetted.digest() };
    assert!(matches!(release(Some(entry)), Err(ReleaseError::NotWhatWasApproved)));
}

#[test]
fn bytes_that_are_no_canonical_result_do_not_go_though_their_digest_holds() {
    for bytes in [b"{}".to_vec(), [&approved().bytes[..], b" "].concat(), Vec::new()] {
        let digest = ResultDigest(Sha256Digest::of(&bytes));
        let refused = release(Some(Committed { bytes, digest }));
        assert!(matches!(refused, Err(ReleaseError::NotAResult(_))), "{refused:?}");
    }
}
