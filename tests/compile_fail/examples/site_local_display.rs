//! What stays on site does not print.

use fedval_disclosure::SiteLocal;

fn main() {
    //~ error[E0277]: `fedval_disclosure::SiteLocal<u64>` doesn't implement `std::fmt::Display`
    //~ `fedval_disclosure::SiteLocal<u64>` cannot be formatted with the default formatter
    println!("{}", SiteLocal::new(4_u64));
}
