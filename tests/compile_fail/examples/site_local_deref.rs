//! What stays on site does not pass for its content.

use fedval_disclosure::SiteLocal;

fn main() {
    let confined = SiteLocal::new(4_u64);
    //~ error[E0614]: type `fedval_disclosure::SiteLocal<u64>` cannot be dereferenced
    //~ can't be dereferenced
    let _: u64 = *confined;
}
