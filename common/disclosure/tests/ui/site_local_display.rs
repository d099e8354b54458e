//! What stays on site does not print.
use fedval_disclosure::SiteLocal;

fn main() {
    println!("{}", SiteLocal::new(4_u64));
}
