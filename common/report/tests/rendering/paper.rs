//! The paper as other programs read it: Poppler's, which `tests/run.sh` installs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use fedval_ambient::is_plain;
use serde_json::Value;

use super::Forms;
use super::hostile::{CONDITION, TITLE, files};

/// What a program prints of a paper.
fn printed(program: &str, arguments: &[&str]) -> String {
    let ran = Command::new(program).args(arguments).output();
    let ran = ran.unwrap_or_else(|error| {
        panic!("{program}: {error}; tests/run.sh installs it with poppler-utils")
    });
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// The paper among these files, where programs find it.
fn laid_down(files: &Forms, name: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, &files["report.pdf"]).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a48_the_text_of_the_paper_is_what_was_written_and_holds_no_control_character() {
    let files = files();
    let paper = laid_down(&files, "paper-text.pdf");
    let text = printed("pdftotext", &["-enc", "UTF-8", &paper, "-"]);
    let page_ends = '\u{c}';
    let is_seen = |character| is_plain(character) || ['\n', page_ends].contains(&character);
    assert!(text.chars().all(is_seen), "{text:?}");
    // Where lines end is the paper's own.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let signed = ["Ada <b>King</b>, Countess of Lovelace", "approval"];
    for part in [TITLE, CONDITION].into_iter().chain(signed) {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let report: Value = serde_json::from_slice(&files["report.json"]).unwrap();
    let verdicts = report["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), 3);
    for verdict in verdicts {
        let result = verdict["result"].as_str().unwrap().replace('_', " ");
        let heading = format!("{result}: {}", verdict["endpoint"].as_str().unwrap());
        assert!(text.to_lowercase().contains(&heading), "{heading} is not in {text}");
    }
}

#[test]
fn the_paper_is_archival_tagged_and_at_rest() {
    let files = files();
    let paper = laid_down(&files, "paper-facts.pdf");
    let told = printed("pdfinfo", &["-enc", "UTF-8", &paper]);
    let facts: BTreeMap<&str, &str> = told
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(fact, value)| (fact, value.trim()))
        .collect();
    let title = format!("{TITLE} – generalization report");
    for (fact, value) in [
        ("PDF version", "1.7"),
        ("Tagged", "yes"),
        ("Encrypted", "no"),
        ("JavaScript", "no"),
        ("Form", "none"),
        ("Title", title.as_str()),
    ] {
        assert_eq!(facts.get(fact), Some(&value), "{told}");
    }
    // PDF/A-2a (ISO 19005-2): what it says of itself, and the colours that are meant.
    let metadata = printed("pdfinfo", &["-enc", "UTF-8", "-meta", &paper]);
    for element in ["<pdfaid:part>2</pdfaid:part>", "<pdfaid:conformance>A</pdfaid:conformance>"] {
        assert!(metadata.contains(element), "{metadata}");
    }
    assert!(!metadata.contains("<script"), "{metadata}");
    let bytes = &files["report.pdf"];
    for object in ["/OutputIntents", "/Type/OutputIntent", "/S/GTS_PDFA1", "/StructTreeRoot"] {
        let found = bytes.windows(object.len()).any(|bytes| bytes == object.as_bytes());
        assert!(found, "{object}");
    }
    // Every typeface comes along.
    let fonts = printed("pdffonts", &[&paper]);
    let fonts: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(
        !fonts.is_empty() && fonts.iter().all(|face| face.contains(" yes yes yes ")),
        "{fonts:?}"
    );
}
