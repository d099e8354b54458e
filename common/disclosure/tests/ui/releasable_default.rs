//! There is no value that may be sent by default.
use fedval_disclosure::Releasable;
use fedval_study::SiteResult;

fn main() {
    let _: Releasable<SiteResult> = Default::default();
}
