//! A page for every problem code, within the program: whoever meets a code in a hospital's basement
//! may have no other way to read about it.

use std::ffi::OsString;
use std::process::ExitCode;

use serde_json::json;

use crate::terminal::Output;
use crate::{Exit, Failure};

/// Every code with its page, in order of codes.
pub const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/problem_pages.rs"));

/// Most codes that are offered instead of an unknown one.
const MOST_NEAR: usize = 5;

/// The page of a code.
#[must_use]
pub fn page(code: &str) -> Option<&'static str> {
    let found = PAGES.binary_search_by(|(known, _)| (*known).cmp(code));
    found.ok().map(|place| PAGES[place].1)
}

/// Codes that somebody who typed `code` may have meant, the nearest first.
#[must_use]
pub fn near(code: &str) -> Vec<&'static str> {
    let shares_word = |known: &str| known.split('_').any(|word| code.split('_').any(|w| w == word));
    let mut ranked: Vec<_> = PAGES
        .iter()
        .map(|(known, _)| (distance(code, known), *known))
        .filter(|(distance, known)| *distance <= known.len() / 3 || shares_word(known))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, known)| known).take(MOST_NEAR).collect()
}

/// Answers `--explain CODE` wherever it stands among a program's arguments; `None` where nobody asks.
///
/// Looked for before the command line is parsed: it needs no command, no folder and no network.
#[must_use]
pub fn answer(args: &[OsString]) -> Option<ExitCode> {
    let mut texts = args.iter().map(|arg| arg.to_string_lossy());
    let asked = loop {
        let text = texts.next()?;
        if text == "--" {
            return None;
        }
        if text == "--explain" {
            // Without a code, the parser says what is missing.
            break texts.next()?.into_owned();
        }
        if let Some(code) = text.strip_prefix("--explain=") {
            break code.to_owned();
        }
    };
    let output = Output::new(args.iter().any(|arg| arg == "--json"));
    let code = asked.trim().to_uppercase().replace('-', "_");
    Some(match page(&code) {
        Some(page) => {
            output.say(&json!({ "code": code, "page": page }), page.trim_end());
            ExitCode::SUCCESS
        }
        None => output.fail(&unknown(&code)),
    })
}

fn unknown(code: &str) -> Failure {
    let shown: String = code.chars().filter(|c| !c.is_control()).take(64).collect();
    let near = near(code);
    let remedy = if near.is_empty() {
        "copy the code from the line `code` of the message".to_owned()
    } else {
        format!("try `--explain` with one of: {}", near.join(", "))
    };
    Failure::new(
        Exit::Usage,
        "CODE_UNKNOWN",
        format!("`{shown}` is no problem code of this release"),
        &remedy,
    )
}

/// Letters to insert, remove or replace to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (place, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = place + 1;
        for (column, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(texts: &[&str]) -> Vec<OsString> {
        texts.iter().map(OsString::from).collect()
    }

    #[test]
    fn every_code_finds_its_own_page() {
        assert!(PAGES.len() > 100, "the pages were not found");
        for (code, text) in PAGES {
            assert_eq!(page(code), Some(*text));
            assert!(text.starts_with(&format!("# {code}\n")));
        }
        assert_eq!(page("NO_SUCH_CODE"), None);
    }

    #[test]
    fn a_slip_of_the_hand_is_offered_the_code_that_was_meant() {
        assert_eq!(near("POLICY_MISING").first(), Some(&"POLICY_MISSING"));
        assert_eq!(near("DISC").first(), Some(&"DISK"));
        assert!(near("MANIFEST").contains(&"MANIFEST_EMPTY"));
        assert!(near("QQQQQQQQ").is_empty());
    }

    #[test]
    fn the_question_is_found_wherever_it_stands() {
        for asked in [
            args(&["--explain", "DISK"]),
            args(&["--explain=disk"]),
            args(&["--home", "/nowhere", "study", "list", "--explain", "policy-missing"]),
        ] {
            assert_eq!(answer(&asked), Some(ExitCode::SUCCESS), "{asked:?}");
        }
        assert_eq!(answer(&args(&["--explain", "NO_SUCH"])), Some(Exit::Usage.into()));
        for other in [args(&[]), args(&["run"]), args(&["--", "--explain", "DISK"])] {
            assert_eq!(answer(&other), None, "{other:?}");
        }
        assert_eq!(answer(&args(&["--explain"])), None);
    }
}
