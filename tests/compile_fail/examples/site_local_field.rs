//! What stays on site is reached through `open_on_site` alone.

use fedval_disclosure::SiteLocal;

fn main() {
    let confined = SiteLocal::new(4_u64);
    //~ error[E0616]: field `0` of struct `fedval_disclosure::SiteLocal` is private
    //~ private field
    let _ = confined.0;
}
