//! `fedval verify`: offline, with nothing but the package and the root's fingerprint.

use std::fs;
use std::path::Path;

use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure};
use fedval_report::{Files, LogSummary, PartCheck, Verification};
use fedval_study::{LogCheckpoint, Sha256Digest, SiteId};
use fedval_trust::{Certificate, Fingerprint};
use serde::Deserialize;
use serde_json::json;

use super::args::Verify;

/// Files and folders deeper than this are no package.
const MAX_DEPTH: usize = 4;
/// More files than this are no package.
const MAX_FILES: usize = 20_000;
/// Archives larger than this are no package: that of a thousand sites with a hundred groups each has a fifth of
/// it. Verification holds what results say, and not their bytes; its memory grows with them all the same.
const MAX_BYTES: u64 = 1 << 30;
/// A folder holds the archive, too.
const MAX_FOLDER_BYTES: u64 = 2 * MAX_BYTES;

pub(super) fn run(command: &Verify, output: Output) -> Result<(), Failure> {
    let pinned = command.root.as_deref().map(fingerprint).transpose()?;
    let files = package(&command.package)?;
    let seen = command.checkpoint.as_deref().map(checkpoint).transpose()?;
    let mut tell = |part: &PartCheck| output.line(&line(part));
    let verification =
        fedval_report::verify_files_telling(&files, pinned, seen.as_ref(), &mut tell);
    say(&verification, pinned.is_some(), output);
    match verification.first_failure() {
        None => Ok(()),
        Some(part) => Err(Failure::new(
            Exit::AnswerIsNo,
            "VERIFICATION_FAILED",
            format!(
                "{} does not hold: {}",
                part.part,
                part.problem.as_deref().unwrap_or("unknown reason")
            ),
            "do not rely on this report; ask its issuer for the original package",
        )),
    }
}

fn fingerprint(text: &str) -> Result<Fingerprint, Failure> {
    if let Ok(fingerprint) = text.parse() {
        return Ok(fingerprint);
    }
    let pem = fs::read_to_string(text).map_err(|_| {
        Failure::new(
            Exit::Usage,
            "ROOT_UNREADABLE",
            "--root is neither a fingerprint nor a readable file",
            "give the 64 hexadecimal digits that `fedval init` printed, or the path of root.pem",
        )
    })?;
    Ok(Certificate::from_pem(&pem)?.fingerprint())
}

/// Where a log was seen to stand.
fn checkpoint(path: &Path) -> Result<LogCheckpoint, Failure> {
    #[derive(Deserialize)]
    struct Seen {
        log: Sha256Digest,
        entries: u64,
        root: Sha256Digest,
    }
    let bytes = fs::read(path).map_err(|error| Failure::disk("read", path, &error))?;
    let seen: Seen = serde_json::from_slice(&bytes).map_err(|_| {
        Failure::new(
            Exit::Usage,
            "CHECKPOINT_UNREADABLE",
            format!("{} holds no state of a log", path.display()),
            "give what `fedval-agent log show --json` printed, or evidence/log-checkpoint.json of a package",
        )
    })?;
    Ok(LogCheckpoint { log: seen.log, entries: seen.entries, root: seen.root })
}

fn names(sites: &[SiteId]) -> String {
    sites.iter().map(SiteId::as_str).collect::<Vec<_>>().join(", ")
}

/// What the log says, for a person.
fn log_text(log: &LogSummary) -> String {
    let reused: Vec<String> = log
        .dispatches
        .iter()
        .filter(|(_, count)| **count > 1)
        .map(|(site, count)| format!("{site} {count} times"))
        .collect();
    let reused = if reused.is_empty() {
        "The model was dispatched to each of them once.".to_owned()
    } else {
        format!("The model was dispatched more than once: {}.", reused.join(", "))
    };
    format!(
        "The log has {} entries. Sites that signed it with what they did: {}.\n{reused}\n{}\n",
        log.entries,
        if log.cosigned_by.is_empty() { "none".to_owned() } else { names(&log.cosigned_by) },
        any_model_text(log),
    )
}

/// How often any model was sent to the same hospitals.
fn any_model_text(log: &LogSummary) -> String {
    let counted = &log.dispatches_any_model;
    let often: Vec<String> = counted
        .iter()
        .filter(|(_, count)| **count > 1)
        .map(|(site, count)| format!("{site} {count} times"))
        .collect();
    let known = match (counted.is_empty(), often.is_empty()) {
        (true, _) => {
            return "How often other models were sent there, this package does not say.".to_owned();
        }
        (false, true) => "No other model had been dispatched to them before".to_owned(),
        (false, false) => {
            format!(
                "Models of any kind, this round included, were dispatched to {}",
                often.join(", ")
            )
        }
    };
    format!("{known}, by this coordinator's word; other coordinators are not seen.")
}

/// The files of a package: a folder, or its archive. Their bytes are read when they are looked at.
pub(super) fn package(path: &Path) -> Result<Files<'static>, Failure> {
    if !path.is_file() {
        let mut found = Found::default();
        found.folder(path, path, 0)?;
        return Ok(found.files);
    }
    let disk = |error: std::io::Error| Failure::disk("read", path, &error);
    let file = fs::File::open(path).map_err(disk)?;
    let size = file.metadata().map_err(disk)?.len();
    if size > MAX_BYTES {
        return Err(unreadable(
            path,
            &format!("it is larger than any package ({MAX_BYTES} bytes)"),
        ));
    }
    Files::of_archive(file).map_err(|error| unreadable(path, &error.to_string()))
}

fn unreadable(path: &Path, what: &str) -> Failure {
    Failure::new(
        Exit::Usage,
        "PACKAGE_UNREADABLE",
        format!("{}: {what}", path.display()),
        "give the folder that `fedval report build` wrote, or its evidence.zip",
    )
}

/// What a folder holds, as far as it was walked through.
#[derive(Default)]
struct Found {
    files: Files<'static>,
    count: usize,
    bytes: u64,
}

impl Found {
    fn folder(&mut self, root: &Path, folder: &Path, depth: usize) -> Result<(), Failure> {
        let disk = |path: &Path, error: &std::io::Error| Failure::disk("read", path, error);
        let entries = fs::read_dir(folder).map_err(|error| {
            let Failure { remedy, .. } = unreadable(folder, "");
            let code = "PACKAGE_UNREADABLE".to_owned();
            Failure { code, exit: Exit::Usage, remedy, ..disk(folder, &error) }
        })?;
        for entry in entries {
            let path = entry.map_err(|error| disk(folder, &error))?.path();
            let metadata = fs::metadata(&path).map_err(|error| disk(&path, &error))?;
            if metadata.is_dir() && depth < MAX_DEPTH {
                self.folder(root, &path, depth + 1)?;
                continue;
            }
            // A pipe or a device would be read for ever.
            if !metadata.is_file() {
                return Err(unreadable(&path, "it is no file"));
            }
            self.count += 1;
            self.bytes = self.bytes.saturating_add(metadata.len());
            if self.count > MAX_FILES || self.bytes > MAX_FOLDER_BYTES {
                return Err(unreadable(root, "it holds more than any package"));
            }
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            self.files.add_file(name, path, metadata.len());
        }
        Ok(())
    }
}

/// What a person reads of a part, as soon as it was judged.
fn line(part: &PartCheck) -> String {
    let mark = if part.problem.is_none() { "holds " } else { "FAILS " };
    format!("{mark} {}", part.part)
}

/// What is said at the end: for a person, what the parts do not say.
fn say(verification: &Verification, is_named: bool, output: Output) {
    let parts: Vec<_> = verification
        .parts
        .iter()
        .map(|part| json!({ "part": part.part, "holds": part.problem.is_none(), "problem": part.problem }))
        .collect();
    let mut text = String::new();
    if !verification.is_made_again {
        text.push_str(
            "Another revision of fedval made it: numbers were computed again and agree to nine digits; pages are \
             those that were signed, not made again.\n",
        );
    }
    text.push_str(&log_text(&verification.log));
    text.push_str(match (is_named, verification.root_is_pinned) {
        (true, true) => "The root is the one you named.",
        (true, false) => "The root is not the one you named.",
        (false, _) => {
            "The root was taken from the package itself and is not proven: give --root FINGERPRINT."
        }
    });
    output.say(
        &json!({ "holds": verification.holds(), "root_is_pinned": verification.root_is_pinned,
                 "made_again": verification.is_made_again,
                 "log": { "entries": verification.log.entries, "cosigned_by": verification.log.cosigned_by,
                          "dispatches": verification.log.dispatches,
                          "dispatches_any_model": verification.log.dispatches_any_model },
                 "parts": parts }),
        &text,
    );
}
