//! A real browser, driven by its own driver (W3C WebDriver), and a checker of accessibility inside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

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
    /// The window.
    pub window: Client,
    driver: Child,
    _profile: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser with it.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    /// Opens a window that takes a certificate nobody vouches for.
    ///
    /// # Panics
    ///
    /// If browser or driver are missing: `tests/run.sh` installs them.
    pub async fn open() -> Self {
        let port = free_port();
        let driver = Command::new(DRIVER)
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by tests/run.sh");
        let profile = TempDir::new().expect("a temporary folder");
        let url = format!("http://127.0.0.1:{port}");
        for _ in 0..MOST_TRIES {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities(profile.path()));
            if let Ok(window) = builder.connect(&url).await {
                return Self { window, driver, _profile: profile };
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("no browser window opened: is chromium installed?");
    }

    /// Goes to an address.
    ///
    /// # Panics
    ///
    /// If the browser does not.
    pub async fn go(&self, url: &str) {
        self.window.goto(url).await.expect("the browser goes there");
    }

    /// Types into the field with this id.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn type_into(&self, id: &str, text: &str) {
        let field = self.window.find(Locator::Id(id)).await.expect("the field");
        field.clear().await.expect("an empty field");
        field.send_keys(text).await.expect("the text is typed");
    }

    /// Presses the button of the form in the page's content.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn submit(&self) {
        let button = Locator::Css("main form button");
        let button = self.window.find(button).await.expect("a button");
        button.click().await.expect("it is pressed");
    }

    /// Follows the link with this text.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn follow(&self, text: &str) {
        let link = self.window.wait().at_most(PATIENCE).for_element(Locator::LinkText(text)).await;
        link.expect("the link").click().await.expect("it is followed");
    }

    /// Waits until the page shows a text.
    ///
    /// # Panics
    ///
    /// If it never does.
    pub async fn until_shown(&self, text: &str) {
        let shown = format!("//*[contains(normalize-space(.), '{text}')]");
        let found = self.window.wait().at_most(PATIENCE).for_element(Locator::XPath(&shown)).await;
        assert!(found.is_ok(), "waited in vain for “{text}” in:\n{}", self.text().await);
    }

    /// What a reader sees of the page.
    ///
    /// # Panics
    ///
    /// If there is no page.
    pub async fn text(&self) -> String {
        let body = self.window.find(Locator::Css("body")).await.expect("a page");
        body.text().await.expect("its text")
    }

    /// Runs a script in the page.
    ///
    /// # Panics
    ///
    /// If the page does not let it.
    pub async fn run(&self, script: &str) -> Value {
        self.window.execute(script, Vec::new()).await.expect("the script runs")
    }

    /// What axe finds wrong with the page, a line each: rule, what it says, where.
    ///
    /// # Panics
    ///
    /// If the checker is missing: `tests/run.sh` fetches it.
    pub async fn accessibility_problems(&self) -> Vec<String> {
        let path = root().join(AXE);
        let axe = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}: run tests/run.sh, which fetches it", path.display())
        });
        self.run(&axe).await;
        let script = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then(
                (found) => done(found.violations.map((rule) =>
                    rule.id + ': ' + rule.help + ': ' + rule.nodes.map((node) => node.html).join(' '))),
                (error) => done(['axe: ' + error]));";
        let found = self.window.execute_async(script, Vec::new()).await.expect("axe answers");
        let found = found.as_array().expect("a list").iter();
        found.map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Keeps a picture of the window, for whoever wants to look at what was tested.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub async fn keep_picture(&self, name: &str) {
        let folder = root().join("target/tmp/pages");
        fs::create_dir_all(&folder).expect("a writable folder");
        let picture = self.window.screenshot().await.expect("a picture");
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
