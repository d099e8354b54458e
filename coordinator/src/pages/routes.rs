//! Every page that there is: the one list by which requests are answered, and against which the tests hold who may
//! read what.

use axum::Router;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{MethodRouter, get, post};

use super::{Pages, link, live, log, login, password, report, sites, studies, study};

/// A path, and what answers there.
type Route = (&'static str, fn() -> MethodRouter<Pages>);

/// What is read.
const READ: [Route; 11] = [
    ("/", || get(studies::page)),
    ("/login", || get(login::page)),
    ("/password", || get(password::page)),
    ("/read/{secret}", || get(link::open)),
    ("/studies/{study}", || get(study::page)),
    ("/studies/{study}/live", || get(live::events)),
    ("/studies/{study}/report/{*path}", || get(report::file)),
    ("/sites", || get(sites::page)),
    ("/log", || get(log::page)),
    ("/pages.css", || get(|| async { file("text/css", include_str!("pages.css")) })),
    ("/live.js", || get(|| async { file("text/javascript", include_str!("live.js")) })),
];

/// What is sent: logins and passwords, and nothing else.
const SENT: [Route; 3] = [
    ("/login", || post(login::log_in)),
    ("/logout", || post(login::log_out)),
    ("/password", || post(password::change)),
];

/// Method and path of every page that `fedval serve` answers.
pub fn page_routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let read = READ.into_iter().map(|(path, _)| ("GET", path));
    read.chain(SENT.into_iter().map(|(path, _)| ("POST", path)))
}

/// What answers at every path of the list.
pub(super) fn router() -> Router<Pages> {
    let routes = READ.into_iter().chain(SENT);
    routes.fold(Router::new(), |router, (path, answer)| router.route(path, answer()))
}

const fn file(
    kind: &'static str,
    text: &'static str,
) -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, kind)], text)
}
