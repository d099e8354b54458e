//! There is no value that may be sent by default.

use fedval_disclosure::Releasable;
use fedval_study::SiteResult;

fn main() {
    //~ error[E0277]: the trait bound `Releasable<SiteResult>: Default` is not satisfied
    //~ the trait `Default` is not implemented for `Releasable<SiteResult>`
    let _: Releasable<SiteResult> = Default::default();
}
