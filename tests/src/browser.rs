//! A real browser, driven by its own driver (W3C WebDriver), and a checker of accessibility inside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::error::CmdError;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::consortium::free_port;

/// Where `tests/run.sh` puts the checker.
const AXE: &str = "target/tests/axe.min.js";
/// The driver's programs by their names in distributions.
const DRIVER: &str = "chromedriver";
/// How long a page may take: a browser on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often a window is asked for: the driver comes up meanwhile.
const MOST_TRIES: u32 = 300;

/// A browser window of its own profile, ended when dropped.
#[derive(Debug)]
pub struct Browser {
    window: Client,
    runtime: Runtime,
    _driver: Driver,
    _profile: TempDir,
}

/// The program that drives a browser, and ends it with itself.
#[derive(Debug)]
struct Driver(Child);

impl Driver {
    fn start(port: u16) -> Self {
        let started = Command::new(DRIVER)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(started.expect("chromedriver is installed by tests/run.sh"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Browser {
    /// Opens a window that takes a certificate nobody vouches for.
    ///
    /// # Panics
    ///
    /// If browser or driver are missing: `tests/run.sh` installs them.
    #[must_use]
    pub fn open() -> Self {
        let port = free_port();
        let driver = Driver::start(port);
        let profile = TempDir::new().expect("a temporary folder");
        let runtime = Runtime::new().expect("threads for the driver's answers");
        let url = format!("http://127.0.0.1:{port}");
        for _ in 0..MOST_TRIES {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities(profile.path()));
            if let Ok(window) = runtime.block_on(builder.connect(&url)) {
                return Self { window, runtime, _driver: driver, _profile: profile };
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("no browser window opened: is chromium installed?");
    }

    /// What the driver answers.
    fn wait<T>(&self, what: &str, asked: impl Future<Output = Result<T, CmdError>>) -> T {
        self.runtime.block_on(asked).unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Goes to an address.
    pub fn go(&self, url: &str) {
        self.wait("the browser goes there", self.window.goto(url));
    }

    /// The address that the window shows.
    #[must_use]
    pub fn address(&self) -> String {
        self.wait("the address", self.window.current_url()).to_string()
    }

    /// Types into the field with this id.
    pub fn type_into(&self, id: &str, text: &str) {
        let field = self.wait("the field", self.window.find(Locator::Id(id)));
        self.wait("an empty field", field.clear());
        self.wait("the text is typed", field.send_keys(text));
    }

    /// Presses what a selector finds.
    pub fn press(&self, selector: &str) {
        let button = self.wait("the button", self.window.find(Locator::Css(selector)));
        self.wait("it is pressed", button.click());
    }

    /// Presses the button of the form in the page's content.
    pub fn submit(&self) {
        self.press("main form button");
    }

    /// Follows the link with this text, once it is there.
    pub fn follow(&self, text: &str) {
        let link = self.window.wait().at_most(PATIENCE).for_element(Locator::LinkText(text));
        let link = self.wait("the link", link);
        self.wait("it is followed", link.click());
    }

    /// Waits until the page shows a text.
    ///
    /// # Panics
    ///
    /// If it never does.
    pub fn until_shown(&self, text: &str) {
        let shown = format!("//*[contains(normalize-space(.), '{text}')]");
        let found = self.window.wait().at_most(PATIENCE).for_element(Locator::XPath(&shown));
        let found = self.runtime.block_on(found);
        assert!(found.is_ok(), "waited in vain for “{text}” in:\n{}", self.text());
    }

    /// What a reader sees of the page.
    #[must_use]
    pub fn text(&self) -> String {
        let body = self.wait("a page", self.window.find(Locator::Css("body")));
        self.wait("its text", body.text())
    }

    /// Runs a script in the page.
    pub fn run(&self, script: &str) -> Value {
        self.wait("the script runs", self.window.execute(script, Vec::new()))
    }

    /// What axe finds wrong with the page, a line each: rule, what it says, where.
    ///
    /// # Panics
    ///
    /// If the checker is missing: `tests/run.sh` fetches it.
    #[must_use]
    pub fn accessibility_problems(&self) -> Vec<String> {
        let path = root().join(AXE);
        let axe = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}: run tests/run.sh, which fetches it", path.display())
        });
        self.run(&axe);
        let script = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then(
                (found) => done(found.violations.map((rule) =>
                    rule.id + ': ' + rule.help + ': ' + rule.nodes.map((node) => node.html).join(' '))),
                (error) => done(['axe: ' + error]));";
        let found = self.wait("axe answers", self.window.execute_async(script, Vec::new()));
        let found = found.as_array().expect("a list").iter();
        found.map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Keeps a picture of the window, for whoever wants to look at what was tested.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn keep_picture(&self, name: &str) {
        let folder = root().join("target/tmp/pages");
        fs::create_dir_all(&folder).expect("a writable folder");
        let picture = self.wait("a picture", self.window.screenshot());
        fs::write(folder.join(format!("{name}.png")), picture).expect("a writable folder");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of the workspace").to_owned()
}

fn capabilities(profile: &Path) -> Capabilities {
    let args = json!([
        "--headless=new",
        // Tests run as root, and in containers.
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1100,900",
        format!("--user-data-dir={}", profile.display()),
    ]);
    let capabilities = json!({
        "browserName": "chrome",
        "acceptInsecureCerts": true,
        "timeouts": { "script": 120_000 },
        "goog:chromeOptions": { "args": args },
    });
    capabilities.as_object().expect("an object").clone().into_iter().collect()
}
