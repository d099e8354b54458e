//! What stays on site does not pass for its content.
use fedval_disclosure::SiteLocal;

fn main() {
    let confined = SiteLocal::new(4_u64);
    let _: u64 = *confined;
}
