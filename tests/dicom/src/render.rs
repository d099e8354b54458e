//! The table of both readings.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::compare::{Ours, Row};
use crate::expected::Reading;

/// Counts, then a line for each file.
#[must_use]
pub fn table(rows: &[Row<'_>]) -> String {
    let mut text = String::from("| here | pydicom decodes | pydicom refuses | no pixels |\n");
    text += "|---|--:|--:|--:|\n";
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for row in rows {
        let theirs = match row.theirs {
            Reading::Decoded(_) => 0,
            Reading::Refused { .. } => 1,
            Reading::NoPixels => 2,
        };
        counts.entry(kind(&row.ours)).or_default()[theirs] += 1;
    }
    for (kind, [decoded, refused, none]) in counts {
        writeln!(text, "| {kind} | {decoded} | {refused} | {none} |").expect("a string takes all");
    }
    text += "\n| file | transfer syntax 1.2.840.10008.1.2… | photometric | pydicom | here |\n";
    text += "|---|---|---|---|---|\n";
    for row in rows {
        let (syntax, photometric, theirs) = described(row.theirs);
        let ours = told(&row.ours);
        let syntax = syntax.strip_prefix("1.2.840.10008.1.2").unwrap_or(syntax);
        let file = row.file;
        writeln!(text, "| {file} | {syntax} | {photometric} | {theirs} | {ours} |")
            .expect("a string takes all");
    }
    text
}

const fn kind(ours: &Ours) -> &'static str {
    match ours {
        Ours::Equal => "decoded, equal",
        Ours::Within(_) => "decoded, lossy code rounded otherwise",
        Ours::Differs(_) => "decoded, differs",
        Ours::OnlyHere => "decoded",
        Ours::Refused(_) => "refused",
    }
}

fn told(ours: &Ours) -> String {
    match ours {
        Ours::Equal => "equal".to_owned(),
        Ours::Within(levels) => format!("within {levels} levels"),
        Ours::Differs(what) => format!("differs: {what}"),
        Ours::OnlyHere => "decoded".to_owned(),
        Ours::Refused(code) => format!("`{code}`"),
    }
}

fn described(theirs: &Reading) -> (&str, &str, String) {
    match theirs {
        Reading::Decoded(pixels) => {
            let frames = match pixels.frames.len() {
                1 => "decoded".to_owned(),
                several => format!("decoded, {several} frames"),
            };
            (&pixels.syntax, &pixels.photometric, frames)
        }
        Reading::Refused { why, syntax, photometric } => {
            let photometric = photometric.as_deref().filter(|name| *name != "None");
            (syntax.as_deref().unwrap_or("–"), photometric.unwrap_or("–"), why.clone())
        }
        Reading::NoPixels => ("–", "–", "no pixels".to_owned()),
    }
}

/// Marks between which the page has its table.
const MARKS: [&str; 2] = ["<!-- table -->\n", "<!-- end of table -->\n"];

/// The page with another table.
///
/// # Panics
///
/// If the page has no marks.
#[must_use]
pub fn with_table(page: &str, table: &str) -> String {
    let [begin, end] = MARKS;
    let (before, rest) = page.split_once(begin).expect("the page marks where its table begins");
    let (_, after) = rest.split_once(end).expect("the page marks where its table ends");
    format!("{before}{begin}{table}{end}{after}")
}
