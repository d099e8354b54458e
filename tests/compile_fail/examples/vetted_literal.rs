//! Only the gate makes a vetted value: its fields are private.

use fedval_disclosure::Vetted;
use fedval_study::{Canonical, SiteResult};

fn forge(value: Canonical<SiteResult>) -> Vetted<SiteResult> {
    //~ error: cannot construct `Vetted<_>` with struct literal syntax due to private fields
    Vetted { value, decisions: Vec::new() }
}

fn main() {}
