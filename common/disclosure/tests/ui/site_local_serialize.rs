//! What stays on site has no serial form.
use fedval_disclosure::SiteLocal;

fn is_serialisable<T: serde::Serialize>() {}

fn main() {
    is_serialisable::<SiteLocal<u64>>();
}
