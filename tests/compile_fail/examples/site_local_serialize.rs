//! What stays on site has no serial form.

use fedval_disclosure::SiteLocal;

fn is_serialisable<T: serde::Serialize>() {}

fn main() {
    //~ error[E0277]: the trait bound `fedval_disclosure::SiteLocal<u64>: serde::Serialize` is not satisfied
    //~ the trait `Serialize` is not implemented for `fedval_disclosure::SiteLocal<u64>`
    is_serialisable::<SiteLocal<u64>>();
}
