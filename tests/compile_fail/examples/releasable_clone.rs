//! One approval is one value: it cannot be multiplied.

use fedval_disclosure::Releasable;
use fedval_study::SiteResult;

fn twice(value: &Releasable<SiteResult>) -> Releasable<SiteResult> {
    //~ error[E0308]: mismatched types
    //~ expected `Releasable<SiteResult>`, found `&Releasable<SiteResult>`
    value.clone()
}

fn main() {}
