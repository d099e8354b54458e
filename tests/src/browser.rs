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

use crate::consortium::{free_port, until};
use crate::devtools::DevTools;

/// Where `tests/run.sh` puts the checker.
const AXE: &str = "target/tests/axe.min.js";
/// The driver's programs by their names in distributions.
const DRIVER: &str = "chromedriver";
/// How long a page may take: a browser on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);
/// How often a window is asked for: the driver comes up meanwhile.
const MOST_TRIES: u32 = 300;
/// Size of a window in pixels of the screen, once it was zoomed.
const SCREEN: [u32; 2] = [1280, 900];

/// A browser window of its own profile, ended when dropped.
#[derive(Debug)]
pub struct Browser {
    window: Client,
    runtime: Runtime,
    _driver: Driver,
    _profile: TempDir,
    downloads: TempDir,
}

/// How somebody looks at a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// On a screen, in the colours of a page that nobody asked for others.
    Light,
    /// On a screen, by somebody who asks for dark pages.
    Dark,
    /// On paper, by the same.
    Print,
}

impl Look {
    /// Every look.
    pub const ALL: [Self; 3] = [Self::Light, Self::Dark, Self::Print];

    /// The medium, the scheme of colours that is asked for, and what a style sheet then finds true.
    const fn media(self) -> [&'static str; 3] {
        match self {
            Self::Light => ["screen", "light", "screen and (prefers-color-scheme: light)"],
            Self::Dark => ["screen", "dark", "screen and (prefers-color-scheme: dark)"],
            Self::Print => ["print", "dark", "print"],
        }
    }
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
        let [profile, downloads] = [(); 2].map(|()| TempDir::new().expect("a temporary folder"));
        let runtime = Runtime::new().expect("threads for the driver's answers");
        let url = format!("http://127.0.0.1:{port}");
        for _ in 0..MOST_TRIES {
            let mut builder = ClientBuilder::new(HttpConnector::new());
            builder.capabilities(capabilities(profile.path(), downloads.path()));
            if let Ok(window) = runtime.block_on(builder.connect(&url)) {
                return Self { window, runtime, _driver: driver, _profile: profile, downloads };
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

    /// Follows the link with this text to a file, and waits until the browser has kept it under this name.
    ///
    /// # Panics
    ///
    /// If it never does.
    #[must_use]
    pub fn download(&self, text: &str, name: &str) -> Vec<u8> {
        self.follow(text);
        // It has another name until it is whole.
        let file = self.downloads.path().join(name);
        until(&format!("{name} is kept"), || fs::read(&file).ok().filter(|bytes| !bytes.is_empty()))
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

    fn tell(&self, command: &'static str, parameters: Value) {
        self.wait(command, self.window.issue_cmd(DevTools { command, parameters }));
    }

    /// Looks at this page and those that follow in another way.
    ///
    /// # Panics
    ///
    /// If the page's style sheets never learn of it.
    pub fn look(&self, look: Look) {
        let [medium, scheme, query] = look.media();
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        let parameters = json!({ "media": medium, "features": [feature] });
        self.tell("Emulation.setEmulatedMedia", parameters);
        let script = format!("return matchMedia('{query}').matches");
        until(query, || (self.run(&script) == true).then_some(()));
    }

    /// Zooms to so many per cent: the larger its letters, the fewer pixels of its own a page has.
    ///
    /// # Panics
    ///
    /// If the page never learns of it.
    pub fn zoom(&self, percent: u32) {
        let [width, height] = SCREEN.map(|pixels| pixels * 100 / percent);
        let scale = f64::from(percent) / 100.0;
        let parameters = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false,
        });
        self.tell("Emulation.setDeviceMetricsOverride", parameters);
        let is_zoomed = || (self.run("return innerWidth") == width).then_some(());
        until("the window is zoomed", is_zoomed);
    }

    /// Opens everything on the page that can be folded, and says how much there was.
    ///
    /// # Panics
    ///
    /// If the page does not say.
    #[must_use]
    pub fn open_folds(&self) -> u64 {
        let script = "const folds = document.querySelectorAll('details');
            folds.forEach((fold) => { fold.open = true; });
            return folds.length;";
        self.run(script).as_u64().expect("a number")
    }

    /// What sticks out of the page sideways; empty where everybody reads it by moving it up and down alone.
    #[must_use]
    pub fn overflow(&self) -> Vec<String> {
        let script = "const page = document.documentElement;
            const fits = [page, document.body].every((part) => part.scrollWidth <= part.clientWidth);
            if (fits) return [];
            const sticks = (part) => part.getBoundingClientRect().right > page.clientWidth + 1;
            const found = [...document.body.querySelectorAll('*')].filter(sticks);
            return [`${page.scrollWidth} pixels in ${page.clientWidth}`,
                ...found.slice(0, 20).map((part) => part.outerHTML.slice(0, 160))];";
        lines(&self.run(script))
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
        if self.run("return typeof axe") == "undefined" {
            self.run(&axe);
        }
        let script = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then(
                (found) => done(found.violations.map((rule) =>
                    rule.id + ': ' + rule.help + ': ' + rule.nodes.map((node) => node.html).join(' '))),
                (error) => done(['axe: ' + error]));";
        lines(&self.wait("axe answers", self.window.execute_async(script, Vec::new())))
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

/// Lines that a script returned.
fn lines(found: &Value) -> Vec<String> {
    let found = found.as_array().expect("a list").iter();
    found.map(|line| line.as_str().unwrap_or_default().to_owned()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of the workspace").to_owned()
}

fn capabilities(profile: &Path, downloads: &Path) -> Capabilities {
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
        // The checker reads every element of a large page.
        "timeouts": { "script": 1_200_000 },
        "goog:chromeOptions": {
            "args": args,
            "prefs": { "download.default_directory": downloads },
        },
    });
    capabilities.as_object().expect("an object").clone().into_iter().collect()
}
