//! The demo as a person starts it, to its end.

use std::process::{Command, Stdio};

#[test]
fn it_ends_with_a_verified_report_and_says_who_is_in_it() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("demo");
    let run =
        Command::new(env!("CARGO_BIN_EXE_fedval-demo")).arg("--out").arg(&out).output().unwrap();
    let (table, progress) =
        (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{progress}");
    for site in ["northgate", "riverside", "st-brigid"] {
        let row = table.lines().find(|line| line.contains(site)).unwrap();
        assert!(row.contains("released"), "{row}");
    }
    let small = table.lines().find(|line| line.contains("hillside-clinic")).unwrap();
    assert!(small.contains("insufficient"), "{small}");
    assert!(table.contains("ethnicity island") && table.contains("ethnicity highland"), "{table}");
    assert!(progress.contains("the steward releases exactly these bytes"), "{progress}");
    for form in ["report.html", "report.pdf", "evidence.zip", "tables/metrics.csv"] {
        assert!(out.join("report").join(form).is_file(), "{form}");
    }
}

#[test]
fn a_tethered_process_ends_with_the_one_that_holds_its_input() {
    let place = tempfile::tempdir().unwrap();
    let demo = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fedval-demo"));
        command.args(args).arg("--home").arg(place.path().join("home")).stderr(Stdio::null());
        command
    };
    let listen = ["coordinator", "init", "--listen", "127.0.0.1:0"];
    assert!(demo(&listen).stdout(Stdio::null()).status().unwrap().success());
    let mut server =
        demo(&["--tethered", "coordinator", "serve"]).stdin(Stdio::piped()).spawn().unwrap();
    // Waiting closes the pipe first: without the tether this would never return.
    assert!(server.wait().unwrap().success());
}
