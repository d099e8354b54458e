//! A consortium that serves pages, with two studies, and the people who read them.

use std::fs;

use fedval_study::PersonRole;
use fedval_tests::browser::Browser;
use fedval_tests::consortium::{Consortium, Site, free_port};
use fedval_tests::page_client::{Asked, PageClient};
use fedval_tests::small_site;

pub(crate) const STUDY: &str = "chest";
pub(crate) const OTHER: &str = "another";
pub(crate) const SENTENCE: &str = "a sentence that I keep to myself";

/// A consortium that serves pages, with one site whose agent does not run yet and a study that was sent to it.
pub(crate) struct Scene {
    pub(crate) consortium: Consortium,
    pub(crate) site: Site,
    port: u16,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let mut consortium = Consortium::start();
        let port = free_port();
        consortium.stop();
        let file = consortium.home().join("fedval.toml");
        let config = fs::read_to_string(&file).expect("a configuration");
        let config = format!("{config}\npages = \"127.0.0.1:{port}\"\n");
        fs::write(&file, config).expect("a writable folder");
        consortium.serve();
        let data = consortium.path("data");
        small_site::write(&data, 40);
        let site = consortium.enrol("hospital", &data);
        let scene = Self { consortium, site, port };
        let protocols = [STUDY, OTHER].map(|study| scene.lock(study));
        scene.site.sign_policy(&protocols.each_ref().map(String::as_str));
        scene.dispatch(STUDY);
        scene
    }

    /// Locks a study, and returns its protocol's digest.
    pub(crate) fn lock(&self, study: &str) -> String {
        let model = self.consortium.path("model.onnx");
        fs::write(&model, b"this is no ONNX model").expect("a writable folder");
        let text = small_site::study(study, &model)
            .replace("A small study", "External validation <b>of a chest model</b>");
        self.consortium.lock(study, &text)
    }

    fn dispatch(&self, study: &str) {
        self.consortium.fedval(&["study", "dispatch", study, "--json"]).json();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}{path}", self.port)
    }

    /// Closes a study to which the site's agent answers.
    pub(crate) fn close(&self, study: &str) {
        self.consortium.until_answered(study);
        self.consortium.fedval(&["study", "close", study, "--json"]).json();
    }

    /// Has the site answer in both studies and closes them: each has a report then.
    pub(crate) fn report_both(&mut self) {
        self.dispatch(OTHER);
        self.site.run();
        for study in [STUDY, OTHER] {
            self.close(study);
        }
    }

    /// The address of a link to a study, whose last part is the secret.
    pub(crate) fn share(&self, study: &str) -> String {
        let shared = self.consortium.fedval(&["study", "share", study, "--json"]).json();
        shared["url"].as_str().expect("a link").to_owned()
    }

    pub(crate) fn admit(&self, name: &str, role: PersonRole) {
        let out = self.consortium.path(&format!("folder-of-{name}"));
        let out = out.to_str().expect("a plain path");
        let role = role.as_str();
        let admit = ["person", "admit", name, "--role", role, "--out", out, "--json"];
        self.consortium.fedval(&admit).json();
    }

    fn issued_password(&self, name: &str) -> String {
        let issued = self.consortium.fedval(&["person", "issue-password", name, "--json"]).json();
        issued["password"].as_str().expect("a password").to_owned()
    }

    /// Logs in with a password that an operator issued, which must be replaced on the way.
    pub(crate) fn log_in(&self, browser: &Browser, name: &str) {
        let issued = self.issued_password(name);
        browser.go(&self.url("/"));
        browser.until_shown("Log in");
        browser.type_into("name", name);
        browser.type_into("password", &issued);
        browser.submit();
        browser.until_shown("Choose a password");
        browser.type_into("old", &issued);
        browser.type_into("new", SENTENCE);
        browser.type_into("again", SENTENCE);
        browser.submit();
        browser.until_shown("Sites that answered");
    }

    /// The same without a browser: the cookie of the login.
    pub(crate) fn cookie_of(&self, client: &PageClient, name: &str) -> String {
        let (old, new) = (encoded(&self.issued_password(name)), encoded(SENTENCE));
        let form = format!("name={name}&old={old}&new={new}&again={new}");
        let page = client.ask(Asked::sent("/password", "", &form));
        assert_eq!((page.status, page.leads_to()), (303, "/"), "{}", page.text());
        page.cookie().to_owned()
    }

    /// The cookie of a link.
    pub(crate) fn cookie_of_link(client: &PageClient, study: &str, secret: &str) -> String {
        let page = client.read(&format!("/read/{secret}"), "");
        let to = format!("/studies/{study}");
        assert_eq!((page.status, page.leads_to()), (303, to.as_str()), "{}", page.text());
        assert_eq!(page.header("referrer-policy"), "no-referrer", "the address holds the secret");
        page.cookie().to_owned()
    }

    pub(crate) fn client(&self) -> PageClient {
        PageClient::new(&self.consortium.home(), self.port)
    }

    /// A client with the certificate of the site.
    pub(crate) fn client_of_the_site(&self) -> PageClient {
        PageClient::of_site(&self.consortium.home(), self.port, &self.site.home)
    }
}

/// A field of a form as browsers encode it.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
