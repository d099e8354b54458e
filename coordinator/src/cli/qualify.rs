//! `fedval qualify`: does the statistics engine give, on this machine, the numbers that independent software
//! gave?

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use fedval_ambient::terminal::{Output, table};
use fedval_ambient::{Clock, Exit, Failure};
use fedval_qualify::{Case, Outcome, Qualification, Qualified, embedded, qualify};
use serde_json::{Value, json};

/// A list of cases that is none itself.
const INDEX: &str = "index.json";

pub(super) fn run(folder: Option<&Path>, clock: &dyn Clock, output: Output) -> Result<(), Failure> {
    let cases = folder.map_or_else(|| Ok(embedded()), read)?;
    let run = Qualification { cases: cases.iter().map(qualify).collect() };
    let machine = Machine::this();
    let mut answer = run.to_json();
    answer["engine"] = json!({"version": env!("CARGO_PKG_VERSION")});
    answer["machine"] = machine.to_json();
    answer["at"] = json!(clock.now().to_string());
    output.say(&answer, &record(&run, &machine, &clock.now().to_string(), folder));
    if run.holds() {
        return Ok(());
    }
    let unknown = run.count("unsupported");
    let failed = run.cases.len() - run.count("passed") - unknown;
    Err(Failure::new(
        Exit::AnswerIsNo,
        "QUALIFICATION_FAILED",
        format!(
            "of {} cases {failed} failed, and {unknown} are of a topic that this version does not have",
            run.cases.len()
        ),
        "run again with --json to see what the engine gave for them; do not rely on this machine's \
         numbers before you know why",
    ))
}

/// The cases of a folder, by name.
fn read(folder: &Path) -> Result<Vec<Case>, Failure> {
    let unreadable = |message: String| {
        let remedy = "give a folder of oracle cases: files *.json of the form oracle/1";
        Failure::new(Exit::Usage, "CASES_UNREADABLE", message, remedy)
    };
    let entries = fs::read_dir(folder)
        .map_err(|error| unreadable(format!("{} cannot be read: {error}", folder.display())))?;
    let is_case = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "json")
            && path.file_name().is_some_and(|name| name != INDEX)
    };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_case).collect();
    paths.sort();
    if paths.is_empty() {
        return Err(unreadable(format!("{} holds no cases", folder.display())));
    }
    let case = |path: &PathBuf| {
        let at = |error: String| unreadable(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| at(error.to_string()))?;
        Case::parse(&text).map_err(|error| at(error.to_string()))
    };
    paths.iter().map(case).collect()
}

/// The machine that the engine ran on.
struct Machine {
    architecture: &'static str,
    system: String,
    processor: String,
}

impl Machine {
    fn this() -> Self {
        let first = |path: &str, key: &str| {
            let text = fs::read_to_string(path).ok()?;
            let line = text.lines().find(|line| line.starts_with(key))?;
            let value = line.split_once(':').map_or(line, |(_, value)| value);
            Some(value.trim().to_owned())
        };
        let unknown = || "unknown".to_owned();
        let kernel = first("/proc/sys/kernel/osrelease", "").unwrap_or_else(unknown);
        Self {
            architecture: std::env::consts::ARCH,
            system: format!("{} {kernel}", std::env::consts::OS),
            processor: first("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
        }
    }

    fn to_json(&self) -> Value {
        json!({"architecture": self.architecture, "system": self.system, "processor": self.processor})
    }
}

/// The record as a person prints and files it.
fn record(run: &Qualification, machine: &Machine, at: &str, folder: Option<&Path>) -> String {
    let source = folder.map_or_else(
        || "those that come with the program".to_owned(),
        |folder| folder.display().to_string(),
    );
    let mut text = format!(
        "Qualification record of fedval's statistics engine\n\n\
         engine     fedval {}\nmachine    {}, {}\nprocessor  {}\ndate       {at}\ncases      {source}\n\n",
        env!("CARGO_PKG_VERSION"),
        machine.system,
        machine.architecture,
        machine.processor,
    );
    text += &table(
        &["case", "topic", "outcome", "worst at", "expected", "got", "of tolerance"],
        run.cases.iter().map(row),
    );
    let _ = write!(
        text,
        "\n{} passed, {} failed, {} unsupported",
        run.count("passed"),
        run.count("failed") + run.count("malformed"),
        run.count("unsupported"),
    );
    for case in &run.cases {
        if let Outcome::Malformed(malformed) = &case.outcome {
            let _ = write!(text, "\n{}: {malformed}", case.id);
        }
    }
    text
}

fn row(case: &Qualified) -> Vec<String> {
    let worst = case.worst.as_ref();
    let of = |part: fn(&fedval_qualify::Difference) -> String| worst.map(part).unwrap_or_default();
    vec![
        case.id.clone(),
        case.topic.clone(),
        case.outcome.as_str().to_owned(),
        of(|worst| worst.path.clone()),
        of(|worst| worst.expected.to_string()),
        of(|worst| worst.got.to_string()),
        of(|worst| worst.in_tolerances.map_or_else(|| "–".to_owned(), |by| format!("{by:.1e}"))),
    ]
}

#[cfg(test)]
mod tests {
    use fedval_ambient::MockClock;

    use super::*;

    #[test]
    fn the_record_names_the_machine_and_every_case() {
        let cases = embedded();
        let run = Qualification { cases: cases.iter().map(qualify).collect() };
        let at = MockClock::default().now().to_string();
        let record = record(&run, &Machine::this(), &at, None);
        assert!(record.contains(std::env::consts::ARCH) && record.contains(&at));
        assert!(cases.iter().all(|case| record.contains(&case.id)));
    }

    #[test]
    fn a_folder_without_cases_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = run(Some(folder.path()), &MockClock::default(), Output::new(false));
        assert_eq!(refused.unwrap_err().code, "CASES_UNREADABLE");
        fs::write(folder.path().join("case.json"), "{}").unwrap();
        let refused = run(Some(folder.path()), &MockClock::default(), Output::new(false));
        assert!(refused.unwrap_err().message.contains("case.json"));
    }
}
