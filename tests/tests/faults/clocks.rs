//! Clocks that are wrong, and clocks that jump.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fedval_tests::process::{Launch, binary};

use crate::template::{Plan, Template};

/// The library by which `faketime` changes what a program sees of the clock.
fn library() -> PathBuf {
    let folders =
        ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"];
    let candidates = folders.map(|folder| Path::new(folder).join("faketime/libfaketimeMT.so.1"));
    candidates.into_iter().find(|path| path.exists()).expect("the package faketime is installed")
}

/// A clock that is wrong by what the file says; the time that has passed stays right.
fn wrong_by(file: &Path) -> Launch {
    let environment = [
        ("LD_PRELOAD", library().display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    let environment = environment.map(|(key, value)| (key.to_owned(), value)).to_vec();
    Launch { under: Vec::new(), environment }
}

/// What `fedval-agent check` says with such a clock.
fn checked(home: &Path, clock: &Launch) -> String {
    let output = Command::new(binary("fedval-agent"))
        .args(["check", "--json", "--home"])
        .arg(home)
        .envs(clock.environment.iter().map(|(key, value)| (key, value)))
        .output()
        .unwrap();
    assert!(!output.status.success(), "a wrong clock is a problem");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Whether a certificate is refused depends on its life; that the clock is wrong is said either way.
#[test]
fn f17_a_clock_that_is_a_year_off_is_explained_and_harms_nothing() {
    let template = Template::make(Plan::default());
    for days in ["+400d", "-400d"] {
        let mut scene = template.scene();
        let clock = scene.path("clock");
        fs::write(&clock, days).unwrap();
        let wrong = wrong_by(&clock);
        scene.serve();
        let site = scene.site();
        let checks = checked(&site.home, &wrong);
        assert!(checks.to_lowercase().contains("clock"), "{days}: {checks}");
        site.run_by(&wrong);
        site.until_log("WARN");
        assert!(site.is_running(), "{days}: {}", site.log());
        assert!(site.charges() <= 1);
        site.kill();
        site.run();
        scene.ends_undisturbed();
    }
}

#[test]
fn f18_a_clock_that_jumps_back_an_hour_delays_nothing() {
    let template = Template::make(Plan { side: 256, ..Plan::default() });
    let mut scene = template.scene();
    let clock = scene.path("clock");
    // Two hours fast, then one: a certificate is not from the future, which it would be otherwise,
    // being a minute old.
    fs::write(&clock, "+2h").unwrap();
    scene.serve_by(&wrong_by(&clock));
    scene.site().run_by(&wrong_by(&clock));
    scene.sites[0].until("running");
    fs::write(&clock, "+1h").unwrap();
    scene.sites[0].until("sent");
    assert!(scene.site().is_running());
    scene.ends_undisturbed();
}
