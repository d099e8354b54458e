//! What a hospital sees before its model does: ten of its own radiographs as the protocol prepares them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fedval_tests::canary::Canaries;
use fedval_tests::consortium::{Consortium, Site};
use fedval_tests::{folder, shared, small_site};
use serde_json::Value;

const CHECK: &str = "what the model would see";

/// A site whose data lies in `folder`, and which was asked to take part in `study`.
fn asked(consortium: &Consortium, folder: &Path, study: &str) -> Site {
    let mut site = consortium.enrol("nih-b", folder);
    let _ = consortium.lock("cxr", study);
    site.sign_policy(&[]);
    site.run();
    consortium.fedval(&["study", "dispatch", "cxr", "--json"]).json();
    site.until_job_is("offered");
    site
}

/// What `check --study` says, and the row about what the model would see.
fn checked(site: &Site) -> (Value, Value) {
    let answer = site.agent(&["check", "--study", "cxr", "--json"]);
    let said: Value = serde_json::from_str(&answer.out).expect("it answers in JSON");
    let rows = said["checks"].as_array().expect("there are checks");
    let row = rows.iter().find(|row| row["check"] == CHECK).expect("it is one of them").clone();
    (said, row)
}

/// The image of a line of the manifest, counted from 1.
fn image(folder: &Path, line: usize) -> std::path::PathBuf {
    let manifest = fs::read_to_string(folder.join("manifest.csv")).expect("a readable manifest");
    let mut lines = manifest.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = header.iter().position(|name| *name == "image").expect("images are named");
    let row = lines.nth(line - 1).expect("the line is there");
    folder.join(row.split(',').nth(column).expect("the cell is there"))
}

#[test]
fn ten_cases_are_drawn_as_the_model_would_see_them_and_what_cannot_be_drawn_is_named() {
    let Some(data) = shared::folder("data/cxr") else { return };
    let consortium = Consortium::start();
    let cohort = consortium.path("data-nih-b");
    folder::copy(&data.join("nih-b"), &cohort);
    let study = small_site::image_study("cxr", &data.join("pneumonia.onnx"), 256);
    let site = asked(&consortium, &cohort, &study);

    let (said, row) = checked(&site);
    assert_eq!(row["holds"], true, "{row}");
    let rows = said["checks"].as_array().expect("there are checks");
    let probes =
        rows.iter().find(|row| row["check"] == "preprocessing").expect("it is one of them");
    assert_eq!(probes["holds"], true, "{probes}");
    assert!(probes["note"].to_string().contains("9 probe images come out"), "{probes}");
    let cases = said["dry_run"]["cases"].as_array().expect("cases were looked at");
    assert_eq!(cases.len(), 10);
    for case in cases {
        let number = |key: &str| case[key].as_f64().expect("a number");
        let (low, mean, high) = (number("minimum"), number("mean"), number("maximum"));
        assert!(0.0 <= low && low < mean && mean < high && high <= 1.0, "{case}");
    }
    let file = site.home.join("dry-run-cxr.html");
    assert_eq!(said["dry_run"]["sheet"], file.display().to_string());
    let sheet = fs::read(&file).expect("the sheet is there");
    let pictures = String::from_utf8_lossy(&sheet).matches("<img ").count();
    assert_eq!(pictures, 10);
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    // Whoever looks over a shoulder sees no name and no file.
    assert_eq!(Canaries::of_site(&cohort).found_in(&sheet), Vec::<&str>::new());

    let broken = cases[3]["case"].as_u64().expect("its place");
    let broken = usize::try_from(broken).expect("a small number");
    fs::write(image(&cohort, broken), b"no image").expect("a writable file");
    let (said, row) = checked(&site);
    assert_eq!((&row["holds"], &row["code"]), (&false.into(), &"DRY_RUN_FAILED".into()), "{row}");
    assert!(row["problem"].to_string().contains(&format!("{broken} (IMAGE_FORMAT_UNKNOWN)")));
    assert_eq!(said["dry_run"]["cases"][3]["code"], "IMAGE_FORMAT_UNKNOWN");
    let sent = site.outgoing();
    assert_eq!(Canaries::of_site(&cohort).found_in(&sent), Vec::<&str>::new());
}
