//! A file cannot claim to hold a value that may be sent.

use fedval_disclosure::Releasable;
use fedval_study::SiteResult;

fn is_deserialisable<T: serde::de::DeserializeOwned>() {}

fn main() {
    //~ error[E0277]: the trait bound `Releasable<SiteResult>: serde::de::DeserializeOwned` is not satisfied
    //~ the trait `for<'de> Deserialize<'de>` is not implemented for `Releasable<SiteResult>`
    is_deserialisable::<Releasable<SiteResult>>();
}
