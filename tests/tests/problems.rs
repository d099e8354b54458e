//! Every problem code has its page, every page its code, and both programs print them.
//!
//! A code is found in the sources by its form: a string literal in `SCREAMING_SNAKE_CASE`, nothing
//! else in it. Names of environment variables are known by where they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fedval_tests::process::call;

/// Folders whose crates end up in one of the two programs.
const PROGRAMS: [&str; 3] = ["common", "coordinator", "site-agent"];
/// What looks like a code and is none: gRPC's own status names, settings of the C library and of
/// ONNX Runtime, what the codes of a PACS begin with, and defined terms of DICOM.
const NOT_CODES: &[&str] = &[
    "ALREADY_EXISTS",
    "CANCELLED",
    "CLOSEDPLANAR_XOR",
    "CLOSED_PLANAR",
    "DATA_LOSS",
    "DEADLINE_EXCEEDED",
    "FAILED_PRECONDITION",
    "GLIBC_TUNABLES",
    "INVALID_ARGUMENT",
    "LINEAR_EXACT",
    "MALLOC_MMAP_MAX_",
    "MALLOC_TOP_PAD_",
    "MALLOC_TRIM_THRESHOLD_",
    "NOT_FOUND",
    "ORT_DISABLE_TELEMETRY",
    "ORT_LOAD_CONFIG_FROM_MODEL",
    "OUT_OF_RANGE",
    "PACS_",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "YBR_FULL",
    "YBR_FULL_422",
    "YBR_ICT",
    "YBR_RCT",
];
/// Every page has these, in this order.
const HEADINGS: [&str; 4] = ["## What happened", "## Why", "## What to do", "## Who to ask"];
/// A page is read on a terminal, in a hurry.
const MOST_LINES: usize = 24;
const LONGEST_LINE: usize = 100;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is a member's folder")
}

/// Every source file of the two programs, without tests and benches.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !matches!(name, "tests" | "benches" | "fuzz" | "target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && name != "build.rs" {
            found.push(path);
        }
    }
}

/// Codes with the first place that has them.
fn codes() -> BTreeMap<String, String> {
    let mut files = Vec::new();
    for folder in PROGRAMS {
        sources(&root().join(folder), &mut files);
    }
    files.sort();
    let mut codes = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file is text");
        let place = file.strip_prefix(root()).expect("inside").display().to_string();
        for code in codes_in(&text) {
            codes.entry(code).or_insert_with(|| place.clone());
        }
    }
    codes
}

fn codes_in(source: &str) -> BTreeSet<String> {
    let product = source.split("#[cfg(test)]\nmod tests").next().unwrap_or(source);
    let lines: Vec<&str> =
        product.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut codes: BTreeSet<String> = lines
        .iter()
        .flat_map(|line| literals(line))
        .filter(|(before, literal)| literal.contains('_') && !names_a_variable(before))
        .map(|(_, literal)| literal)
        .collect();
    codes.extend(single_words(&lines));
    codes.retain(|code| !NOT_CODES.contains(&code.as_str()));
    codes
}

/// Literals of a line that have a code's form, each with what stands before it.
fn literals(line: &str) -> Vec<(&str, String)> {
    let pieces: Vec<&str> = line.split('"').collect();
    let inner = 1..pieces.len().saturating_sub(1);
    inner
        .filter(|place| has_form(pieces[*place]))
        .map(|place| (pieces[place - 1], pieces[place].to_owned()))
        .collect()
}

fn has_form(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.len() > 1
        && text.chars().all(allowed)
}

fn names_a_variable(before: &str) -> bool {
    ["env =", "env!(", "var(", "var_os("].iter().any(|end| before.trim_end().ends_with(end))
}

/// One word in capitals is a code only where a code is expected.
fn single_words(lines: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut end_of_code = None;
    for (place, line) in lines.iter().enumerate() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if line.contains("fn code(") && line.ends_with('{') {
            end_of_code = Some(format!("{indent}}}"));
        } else if end_of_code.as_deref() == Some(*line) {
            end_of_code = None;
        }
        if end_of_code.is_some() {
            found.extend(literals(line).into_iter().map(|(_, literal)| literal));
        }
        for (marker, skipped) in [("Failure::new(", 1), ("code: ", 0)] {
            if let Some((_, start)) = line.split_once(marker) {
                let rest = format!(
                    "{start} {}",
                    lines[place + 1..]
                        .iter()
                        .take(3)
                        .copied()
                        .map(str::trim)
                        .collect::<Vec<_>>()
                        .join(" ")
                );
                found.extend(argument(&rest, skipped));
            }
        }
    }
    found
}

/// The argument after `skipped` others, where it is a literal in a code's form.
fn argument(arguments: &str, skipped: usize) -> Option<String> {
    let argument = arguments.splitn(skipped + 2, ',').nth(skipped)?.trim();
    let literal = argument.strip_prefix('"')?.split('"').next()?;
    has_form(literal).then(|| literal.to_owned())
}

/// Pages by the code that their file is named after.
fn pages() -> BTreeMap<String, String> {
    let folder = root().join("deploy/docs/problems");
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the pages' folder is there") {
        let path = entry.expect("the folder can be listed").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name in letters");
        let text = fs::read_to_string(&path).expect("a page is text");
        pages.insert(name.to_owned(), text);
    }
    pages
}

#[test]
fn every_code_in_the_sources_has_a_page() {
    let pages = pages();
    let missing: Vec<String> = codes()
        .into_iter()
        .filter(|(code, _)| !pages.contains_key(code))
        .map(|(code, place)| format!("{code} ({place})"))
        .collect();
    assert!(
        missing.is_empty(),
        "write deploy/docs/problems/CODE.md, or name it in NOT_CODES: {missing:#?}"
    );
}

#[test]
fn every_page_has_a_code_in_the_sources() {
    let codes = codes();
    let pages = pages();
    let idle: Vec<&String> = pages.keys().filter(|code| !codes.contains_key(*code)).collect();
    assert!(idle.is_empty(), "nothing prints these codes: {idle:#?}");
}

#[test]
fn every_page_says_what_happened_why_what_to_do_and_who_to_ask() {
    let mut wrong = Vec::new();
    for (code, text) in pages() {
        let lines: Vec<&str> = text.lines().collect();
        if lines.first() != Some(&format!("# {code}").as_str()) {
            wrong.push(format!("{code}: begin with `# {code}`"));
        }
        let headings: Vec<&str> =
            lines.iter().copied().filter(|line| line.starts_with("##")).collect();
        if headings != HEADINGS {
            wrong.push(format!("{code}: the headings are {HEADINGS:?}"));
        }
        let is_empty = |pair: &[&str]| pair[0].starts_with("##") && pair[1].trim().is_empty();
        if lines.windows(2).any(is_empty) || text.trim_end().ends_with(HEADINGS[3]) {
            wrong.push(format!("{code}: a heading has no text below it"));
        }
        if lines.len() > MOST_LINES {
            wrong.push(format!("{code}: more than {MOST_LINES} lines"));
        }
        if lines.iter().any(|line| line.chars().count() > LONGEST_LINE) {
            wrong.push(format!("{code}: a line is longer than {LONGEST_LINE} characters"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn codes_are_told_from_other_words_in_capitals() {
    let source = r#"
        fn code(&self) -> &'static str { "ONE" }
        Failure::new(Exit::Usage, "TWO", "three", "FOUR_IS_ADVICE_NO_LONGER")
        Failure::new(
            Exit::Machine,
            "FIVE",
            format!("SIX"),
        )
        Failure { code: "SEVEN".to_owned() }
        #[arg(env = "FEDVAL_HOME")]
        // "NINE_IS_A_COMMENT"
        note("TEN_MORE")
        text("ELEVEN")
"#;
    let source = source.replace(
        "fn code(&self) -> &'static str { \"ONE\" }",
        "fn code(&self) -> &'static str {\n            \"ONE\"\n        }",
    );
    let found: Vec<String> = codes_in(&source).into_iter().collect();
    assert_eq!(found, ["FIVE", "FOUR_IS_ADVICE_NO_LONGER", "ONE", "SEVEN", "TEN_MORE", "TWO"]);
}

/// Both programs, asked in a folder that is not there.
fn ask(args: &[&str], check: impl Fn(&str, &fedval_tests::process::Answer)) {
    let nowhere = Path::new("/nowhere/at/all");
    for program in ["fedval", "fedval-agent"] {
        check(program, &call(program, nowhere, args));
    }
}

#[test]
fn both_programs_explain_a_code_without_a_command_or_a_folder() {
    let page = pages().remove("STORE_UNAVAILABLE").expect("it has a page");
    ask(&["--explain", "STORE_UNAVAILABLE"], |program, answer| {
        assert_eq!((answer.code, answer.out.trim()), (0, page.trim()), "{program}: {}", answer.err);
    });
    ask(&["--json", "--explain", "STORE_UNAVAILABLE"], |_, answer| {
        assert_eq!(answer.json()["page"], *page);
    });
}

#[test]
fn an_unknown_code_is_a_wrong_usage_that_names_what_may_have_been_meant() {
    ask(&["--explain", "STORE_UNAVAILABEL"], |program, answer| {
        assert_eq!(answer.code, 2, "{program}: {}", answer.out);
        assert!(answer.err.contains("code   CODE_UNKNOWN"), "{program}: {}", answer.err);
        assert!(answer.err.contains("STORE_UNAVAILABLE"), "{program}: {}", answer.err);
    });
}

#[test]
fn help_says_that_codes_can_be_explained() {
    ask(&["--help"], |program, answer| {
        assert!(answer.out.contains("--explain <CODE>"), "{program}: {}", answer.out);
    });
}
