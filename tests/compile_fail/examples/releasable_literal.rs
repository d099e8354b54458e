//! A value that may be sent cannot be written down: its field is private.

use fedval_disclosure::Releasable;
use fedval_study::{Canonical, SiteResult};

fn forge(value: Canonical<SiteResult>) -> Releasable<SiteResult> {
    //~ error[E0451]: field `value` of struct `Releasable` is private
    //~ private field
    Releasable { value }
}

fn main() {}
