//! What stays on site is reached through `open_on_site` alone.
use fedval_disclosure::SiteLocal;

fn main() {
    let confined = SiteLocal::new(4_u64);
    let _ = confined.0;
}
