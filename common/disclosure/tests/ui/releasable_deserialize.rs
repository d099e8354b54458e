//! A file cannot claim to hold a value that may be sent.
use fedval_disclosure::Releasable;
use fedval_study::SiteResult;

fn is_deserialisable<T: serde::de::DeserializeOwned>() {}

fn main() {
    is_deserialisable::<Releasable<SiteResult>>();
}
