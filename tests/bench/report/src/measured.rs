//! What is measured, step by step.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use fedval_ambient::{Clock as _, SystemClock};
use fedval_report::{
    Evidence, Files, LogEvidence, Report, Unlogged, render_html, render_pdf, verify_files,
};
use fedval_study::{Canonical, RoundRecord, SiteId, SiteResult, StudyProtocol};
use fedval_trust::{Certificate, Endorsement, PayloadType, SignedDocument};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::consortium::{Answers, Consortium};

/// As `fedval verify` has it.
const MAX_BYTES: u64 = 1 << 30;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Writes the package of these answers.
pub(crate) fn write(folder: &Path, plan: &StudyProtocol, answers: &Answers) -> Outcome<()> {
    for (path, bytes) in Consortium::new(1).package(plan, answers).files() {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(&path, bytes)?;
    }
    Ok(())
}

/// Makes the package in `folder` again from its evidence.
pub(crate) fn build(folder: &Path) -> Outcome<()> {
    let evidence = evidence(folder)?;
    let log = log(folder)?;
    let (key, certificate) = Consortium::new(1).coordinator;
    // The report of before is signed, in the place of the one that is made: they are the same bytes.
    let bytes = fs::read(folder.join("report.json"))?;
    say("evidence in memory", Duration::ZERO);

    let clock = SystemClock.monotonic();
    let unlogged = Unlogged::assemble(evidence)?;
    say("read, assembled", since(clock));
    let signed = SignedDocument::sign(PayloadType::Report, bytes, &key, &certificate);
    say("read, assembled, signed", since(clock));
    let is_same = unlogged.digest() == fedval_study::Sha256Digest::of(&signed.bytes);
    drop(signed);

    let clock = SystemClock.monotonic();
    let package = unlogged.seal(Vec::new(), log, &key, &certificate)?;
    say("rendered, packed, verified", since(clock));
    line(&format!("the same report again: {is_same}, {} files", package.into_parts().0.len()));
    say("files in memory", Duration::ZERO);

    // Last, so that it adds nothing to the peak.
    let evidence = self::evidence(folder)?;
    let clock = SystemClock.monotonic();
    read(&evidence)?;
    say("read alone", since(clock));
    Ok(())
}

/// Shows the report in `folder`.
pub(crate) fn render(folder: &Path) -> Outcome<()> {
    let clock = SystemClock.monotonic();
    let report: Report = Canonical::parse(&fs::read(folder.join("report.json"))?)?.into_value();
    say("report read", since(clock));
    let clock = SystemClock.monotonic();
    render_html(&report, &[])?;
    say("page", since(clock));
    let clock = SystemClock.monotonic();
    render_pdf(&report, &[])?;
    say("paper", since(clock));
    let clock = SystemClock.monotonic();
    fedval_report::render(&report, &[])?;
    say("page, paper, tables, pictures", since(clock));
    Ok(())
}

/// Verifies what lies there.
pub(crate) fn verify(package: &Path) -> Outcome<()> {
    let root = Consortium::new(1).authority.root().fingerprint();
    let clock = SystemClock.monotonic();
    let mut files = Files::default();
    if package.is_dir() {
        gather(package, package, &mut files)?;
    } else {
        let archive = fs::File::open(package)?;
        if archive.metadata()?.len() > MAX_BYTES {
            say("larger than any package", since(clock));
            return Ok(());
        }
        match Files::of_archive(archive) {
            Ok(found) => files = found,
            Err(error) => {
                say(&format!("unreadable: {error}"), since(clock));
                return Ok(());
            }
        }
    }
    let verification = verify_files(&files, Some(root), None);
    say(if verification.holds() { "holds" } else { "refused" }, since(clock));
    if let Some(part) = verification.first_failure() {
        let problem = part.problem.as_deref().unwrap_or_default();
        let problem: String = problem.chars().take(80).collect();
        line(&format!("    {}: {problem}", part.part));
    }
    Ok(())
}

fn gather(root: &Path, folder: &Path, files: &mut Files<'static>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(root, &path, files)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        let length = fs::metadata(&path)?.len();
        files.add_file(name, path, length);
    }
    Ok(())
}

fn evidence(folder: &Path) -> Outcome<Evidence> {
    let round = document(folder, "evidence/round.json", PayloadType::Round)?;
    let record: RoundRecord = Canonical::parse(&round.bytes)?.into_value();
    let answered = record.sites.into_iter().filter(|site| site.result.is_some());
    let result = |site: SiteId| {
        let path = format!("evidence/sites/{site}.json");
        Ok((site, document(folder, &path, PayloadType::SiteResult)?))
    };
    Ok(Evidence {
        root: Certificate::from_pem(&fs::read_to_string(folder.join("evidence/root.pem"))?)?,
        protocol: document(folder, "evidence/protocol.json", PayloadType::Protocol)?,
        earlier_protocols: BTreeMap::new(),
        round,
        results: answered.map(|site| result(site.site)).collect::<Outcome<BTreeMap<_, _>>>()?,
    })
}

/// What assembling begins with: each site's result read and held against the way it must be written.
fn read(evidence: &Evidence) -> Outcome<()> {
    let read =
        |document: &SignedDocument| Canonical::<SiteResult>::parse(&document.bytes).map(drop);
    Ok(evidence.results.par_iter().try_for_each(|(_, document)| read(document))?)
}

fn log(folder: &Path) -> Outcome<LogEvidence> {
    let text = fs::read_to_string(folder.join("evidence/log.jsonl"))?;
    let kind = PayloadType::LogCheckpoint;
    Ok(LogEvidence {
        lines: text.lines().map(str::to_owned).collect(),
        checkpoint: document(folder, "evidence/log-checkpoint.json", kind)?,
        cosignatures: Canonical::parse(&fs::read(folder.join("evidence/log-cosignatures.json"))?)?
            .into_value(),
    })
}

fn document(folder: &Path, path: &str, payload_type: PayloadType) -> Outcome<SignedDocument> {
    let signatures = fs::read(folder.join(path.replace(".json", ".sig.json")))?;
    let endorsements: Vec<Endorsement> = Canonical::parse(&signatures)?.into_value();
    Ok(SignedDocument { payload_type, bytes: fs::read(folder.join(path))?, endorsements })
}

fn since(begun: Duration) -> Duration {
    SystemClock.monotonic().saturating_sub(begun)
}

fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn say(what: &str, took: Duration) {
    line(&format!("{what:<32} {:>7.2} s  peak so far {:>5} MiB", took.as_secs_f64(), peak_mib()));
}

/// Prints a line. A reader who went away is no reason to stop.
fn line(text: &str) {
    drop(writeln!(std::io::stdout(), "{text}"));
}
