//! Nothing converts into a value that may be sent, not even a vetted one.

use fedval_disclosure::{Releasable, Vetted};
use fedval_study::SiteResult;

fn skip_the_ledger(vetted: Vetted<SiteResult>) -> Releasable<SiteResult> {
    //~ error[E0277]: the trait bound `Releasable<SiteResult>: From<Vetted<SiteResult>>` is not satisfied
    //~ the trait `From<Vetted<SiteResult>>` is not implemented for `Releasable<SiteResult>`
    vetted.into()
}

fn main() {}
