//! `fedval serve`.

use fedval_ambient::Failure;

use crate::home::Home;
use crate::server;

pub(super) async fn run(home: &Home) -> Result<(), Failure> {
    server::serve(home).await
}
