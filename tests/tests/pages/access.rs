//! Every page, by every kind of visitor: what each is answered.

use std::collections::BTreeSet;

use fedval::page_routes;
use fedval_study::PersonRole;
use fedval_tests::page_client::{Asked, Page, PageClient};

use crate::scene::{OTHER, SENTENCE, STUDY, Scene};

/// What people are answered, whoever has the link to [`STUDY`], and everybody else.
type Statuses = [u16; 3];

const EVERYBODY: Statuses = [200, 200, 200];
/// Whoever is nobody is sent to log in.
const PEOPLE: Statuses = [200, 303, 303];
/// Of the study that the link is to.
const OWN: Statuses = [200, 200, 303];
/// Of another study: a reader is told what is told of one that does not exist.
const FOREIGN: Statuses = [200, 404, 303];
const ABSENT: Statuses = [404, 404, 303];
/// No such address, whoever asks.
const NOWHERE: Statuses = [404, 404, 404];

/// Of the shape of a secret, and nobody's.
const NO_SECRET: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const WRONG_LOGIN: &str = "name=nobody-here&password=what+nobody+chose";
const WRONG_CHANGE: &str =
    "name=nobody-here&old=what+nobody+chose&new=what+nobody+will&again=what+nobody+will";

/// Which answers of a row are a visitor's.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Person,
    /// By a link.
    Reader,
    /// A person who followed a link as well.
    PersonWithLink,
    Nobody,
}

struct Visitor<'a> {
    name: String,
    kind: Kind,
    client: &'a PageClient,
    cookies: String,
}

/// A route as the router has it, an address that it answers, and how.
struct Row {
    route: &'static str,
    path: String,
    statuses: Statuses,
}

fn row(route: &'static str, path: impl Into<String>, statuses: Statuses) -> Row {
    Row { route, path: path.into(), statuses }
}

/// Who may ask what. A route that is not here is not covered, and fails the test.
fn rows() -> Vec<Row> {
    let mut rows = vec![
        row("GET /", "/", PEOPLE),
        row("GET /login", "/login", EVERYBODY),
        row("POST /login", "/login", [401; 3]),
        row("GET /password", "/password?name=rae", EVERYBODY),
        row("POST /password", "/password", [422; 3]),
        row("GET /read/{secret}", format!("/read/{NO_SECRET}"), NOWHERE),
        row("GET /sites", "/sites", PEOPLE),
        row("GET /log", "/log", PEOPLE),
        row("GET /log", "/log?before=1", PEOPLE),
        row("GET /pages.css", "/pages.css", EVERYBODY),
        row("GET /live.js", "/live.js", EVERYBODY),
        row("GET /studies/{study}", "/studies/%3Cb%3E", NOWHERE),
    ];
    rows.extend(rows_of(STUDY, OWN));
    for file in ["no-such-file", "pki/root.key", "..%2Fpki%2Froot.key"] {
        let path = format!("/studies/{STUDY}/report/{file}");
        rows.push(row("GET /studies/{study}/report/{*path}", path, ABSENT));
    }
    rows.extend(rows_of(OTHER, FOREIGN));
    rows.extend(rows_of("no-such-study", ABSENT));
    // Last: it ends the login.
    rows.push(row("POST /logout", "/logout", [303; 3]));
    rows
}

/// What there is to read of a study.
fn rows_of(study: &str, statuses: Statuses) -> Vec<Row> {
    let mut rows = vec![
        row("GET /studies/{study}", format!("/studies/{study}"), statuses),
        row("GET /studies/{study}/live", format!("/studies/{study}/live"), statuses),
    ];
    for file in ["report.html", "report.pdf", "report.json", "evidence.zip", "tables/sites.csv"] {
        let path = format!("/studies/{study}/report/{file}");
        rows.push(row("GET /studies/{study}/report/{*path}", path, statuses));
    }
    rows
}

impl<'a> Visitor<'a> {
    fn new(name: &str, kind: Kind, client: &'a PageClient, cookies: String) -> Self {
        Self { name: name.to_owned(), kind, client, cookies }
    }

    fn ask(&self, row: &Row) -> Page {
        let (method, _) = row.route.split_once(' ').expect("a method and a path");
        let form = match row.route {
            "POST /login" => WRONG_LOGIN,
            "POST /password" => WRONG_CHANGE,
            _ => "",
        };
        let asked = Asked { method, form, ..Asked::read(&row.path, &self.cookies) };
        self.client.ask(asked)
    }

    /// What is wrong with the answer.
    fn wrong(&self, row: &Row) -> Option<String> {
        let page = self.ask(row);
        let expected = match self.kind {
            Kind::Person | Kind::PersonWithLink => row.statuses[0],
            Kind::Reader => row.statuses[1],
            Kind::Nobody => row.statuses[2],
        };
        let wrong = if page.status != expected {
            format!("{}, not {expected}", page.status)
        } else if expected == 303 && page.leads_to() != "/login" {
            format!("leads to {}", page.leads_to())
        } else {
            unguarded(&page)?
        };
        Some(format!("{}: {} as {}: {wrong}", self.name, row.route, row.path))
    }
}

/// What browsers are not told that they are to be told with every answer.
fn unguarded(page: &Page) -> Option<String> {
    // A stream of events is asked for anew, and its library says so in its own word.
    let is_stream = page.header("content-type").contains("event-stream");
    let told = [
        ("cache-control", if is_stream { "no-cache" } else { "no-store" }),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("strict-transport-security", "max-age="),
    ];
    let untold = told.into_iter().find(|(name, value)| !page.header(name).contains(value));
    untold.map(|(name, value)| format!("{name} lacks {value}"))
}

/// The secret in a cookie.
fn secret(cookie: &str) -> &str {
    cookie.split_once('=').expect("a name and a secret").1
}

/// A person with this role, logged in: the cookie.
fn log_in(scene: &Scene, client: &PageClient, name: &str, role: PersonRole) -> String {
    scene.admit(name, role);
    scene.cookie_of(client, name)
}

/// Everybody who may come. Whoever borrows a secret comes before its owner ends it.
fn visitors<'a>(
    scene: &Scene,
    client: &'a PageClient,
    of_the_site: &'a PageClient,
) -> Vec<Visitor<'a>> {
    let nobody = |name: &str, cookies: String| Visitor::new(name, Kind::Nobody, client, cookies);
    let link = scene.share(STUDY);
    let link = link.rsplit('/').next().expect("a secret");
    let reader = Scene::cookie_of_link(client, STUDY, link);
    let login = log_in(scene, client, "lender", PersonRole::Operator);
    let dismissed = log_in(scene, client, "dee", PersonRole::Operator);
    scene.consortium.fedval(&["person", "dismiss", "dee", "--json"]).json();
    let (of_login, of_link) = ("__Host-fedval", "__Host-fedval-link");
    let forged = format!("{of_login}={NO_SECRET}; {of_link}={NO_SECRET}");
    let mut visitors = vec![
        nobody("nobody", String::new()),
        Visitor::new("steward of a site", Kind::Nobody, of_the_site, String::new()),
        nobody("forger", forged),
        nobody("link in the place of a login", format!("{of_login}={link}")),
        nobody("login in the place of a link", format!("{of_link}={}", secret(&login))),
        nobody("dismissed operator", dismissed),
        Visitor::new("reader by a link", Kind::Reader, client, reader.clone()),
    ];
    for role in PersonRole::ALL {
        let cookie = log_in(scene, client, role.as_str(), role);
        visitors.push(Visitor::new(role.as_str(), Kind::Person, client, cookie));
    }
    let both = format!("{reader}; {login}");
    visitors.push(Visitor::new("person with a link", Kind::PersonWithLink, client, both));
    visitors
}

#[test]
fn the_table_covers_every_route_of_the_router() {
    let routed: BTreeSet<String> =
        page_routes().map(|(method, path)| format!("{method} {path}")).collect();
    let covered: BTreeSet<String> = rows().iter().map(|row| row.route.to_owned()).collect();
    let uncovered: Vec<_> = routed.difference(&covered).collect();
    assert!(uncovered.is_empty(), "decide who is answered what by {uncovered:?}");
    let gone: Vec<_> = covered.difference(&routed).collect();
    assert!(gone.is_empty(), "the router has no {gone:?}");
}

#[test]
fn each_visitor_is_answered_as_the_table_says() {
    let mut scene = Scene::new();
    scene.report_both();
    let (client, of_the_site) = (scene.client(), scene.client_of_the_site());
    let mut wrong = Vec::new();
    for visitor in visitors(&scene, &client, &of_the_site) {
        wrong.extend(rows().iter().filter_map(|row| visitor.wrong(row)));
        // Everybody logged out: a person's login ended with it, a link is there for whoever has it.
        let page = format!("/studies/{STUDY}");
        let status = visitor.client.read(&page, &visitor.cookies).status;
        let expected = match visitor.kind {
            Kind::Reader | Kind::PersonWithLink => 200,
            Kind::Person | Kind::Nobody => 303,
        };
        if status != expected {
            wrong.push(format!("{} logged out: {page} answers {status}", visitor.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_changed_but_by_the_forms_that_there_are() {
    let scene = Scene::new();
    let client = scene.client();
    let login = scene.cookie_of(&client, "admin");
    let routed: BTreeSet<_> = page_routes().collect();
    let paths: BTreeSet<_> = routed.iter().map(|(_, path)| *path).collect();
    for path in paths {
        let address =
            path.replace("{secret}", NO_SECRET).replace("{study}", STUDY).replace("{*path}", "x");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if !routed.contains(&(method, path)) {
                let page = client.ask(Asked { method, ..Asked::read(&address, &login) });
                assert_eq!(page.status, 405, "{method} {path}");
            }
        }
    }
    let elsewhere =
        Asked { origin: "https://evil.example.org", ..Asked::sent("/logout", &login, "") };
    assert_eq!(client.ask(elsewhere).status, 403, "another site's form is not taken");
    assert_eq!(client.read("/sites", &login).status, 200, "nobody was logged out by it");
    let here = scene.url("");
    assert_eq!(client.ask(Asked { origin: &here, ..elsewhere }).status, 303);
    assert_eq!(client.read("/sites", &login).status, 303, "this one's is");
}

#[test]
fn a_password_that_was_issued_and_a_site_that_is_enrolled_open_no_page() {
    let scene = Scene::new();
    let client = scene.client();
    let steward = "name=hospital&password=what+nobody+chose";
    assert_eq!(client.ask(Asked::sent("/login", "", steward)).status, 401, "a site is no person");
    let issued = scene.consortium.fedval(&["person", "issue-password", "admin", "--json"]).json();
    let issued = issued["password"].as_str().expect("a password");
    let page = client.ask(Asked::sent("/login", "", &format!("name=admin&password={issued}")));
    assert_eq!((page.status, page.leads_to()), (303, "/password?name=admin"));
    assert_eq!(page.cookie(), "", "it opens nothing but its own replacement");
    // A login is no link: it would let one person log in another.
    let login = scene.cookie_of(&client, "admin");
    assert_eq!(client.read(&format!("/read/{}", secret(&login)), "").status, 404);
    let again = format!("name=admin&password={}", SENTENCE.replace(' ', "+"));
    let other = client.ask(Asked::sent("/login", "", &again)).cookie().to_owned();
    assert_ne!(secret(&other), secret(&login), "each login has a secret of its own");
    scene.consortium.fedval(&["person", "issue-password", "admin", "--json"]).json();
    for login in [login, other] {
        assert_eq!(client.read("/", &login).status, 303, "a new password ends what was open");
    }
}
