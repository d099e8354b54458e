//! `fedval report build | sign`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure};
use fedval_proto as proto;
use fedval_study::StudyId;
use serde_json::{Value, json};

use super::args::Report;
use super::sign;
use crate::client::{connect, refusal};
use crate::home::Home;

/// A report that was written to a folder.
pub(super) struct Built {
    study: StudyId,
    folder: String,
    html: String,
    root: String,
    files: Vec<String>,
}

impl Built {
    pub(super) fn json(&self) -> Value {
        json!({ "study": self.study, "out": self.folder, "report": self.html,
                "root_fingerprint": self.root, "files": self.files })
    }

    pub(super) fn text(&self) -> String {
        let Self { folder, html, root, .. } = self;
        format!("Report: {html}\n\nAnyone checks it with:\n  fedval verify {folder} --root {root}")
    }
}

pub(super) async fn run(home: &Home, command: Report, output: Output) -> Result<(), Failure> {
    match command {
        Report::Build { study, out } => {
            is_free(&out)?;
            let built = build(home, &study, &out, output).await?;
            output.say(&built.json(), &built.text());
            Ok(())
        }
        Report::Sign(command) => sign::run(home, &command, output).await,
    }
}

/// Reports are never overwritten.
pub(super) fn is_free(out: &Path) -> Result<(), Failure> {
    if fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::new(
            Exit::Usage,
            "OUT_NOT_EMPTY",
            format!("{} is not empty", out.display()),
            "give a new folder: reports are never overwritten",
        ));
    }
    Ok(())
}

/// Has the server build the report of the latest round, and writes it to a folder.
pub(super) async fn build(
    home: &Home,
    study: &StudyId,
    out: &Path,
    output: Output,
) -> Result<Built, Failure> {
    output.progress("Building the report…");
    let files = fetch(home, study).await?;
    for (path, bytes) in &files {
        write(&out.join(path), bytes)?;
    }
    Ok(Built {
        study: study.clone(),
        folder: out.display().to_string(),
        html: out.join("report.html").display().to_string(),
        root: home.certificate("root")?.fingerprint().to_string(),
        files: files.into_keys().collect(),
    })
}

async fn fetch(home: &Home, study: &StudyId) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut client = connect(home).await?;
    let request = proto::BuildReportRequest { study: study.to_string() };
    let mut chunks =
        client.build_report(request).await.map_err(|status| refusal(&status))?.into_inner();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    while let Some(chunk) = chunks.message().await.map_err(|status| refusal(&status))? {
        if !is_inside(&chunk.path) {
            return Err(Failure::new(
                Exit::Bug,
                "MESSAGE_INVALID",
                "the server names a file outside the package",
                "run the same release of fedval on both sides",
            ));
        }
        files.entry(chunk.path).or_default().extend(chunk.data);
    }
    Ok(files)
}

/// Plain names separated by `/`: nothing that climbs or starts anew.
fn is_inside(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
            && !part.starts_with('.')
    };
    path.split('/').all(plain)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|error| Failure::disk("create the folder", folder, &error))?;
    fs::write(path, bytes).map_err(|error| Failure::disk("write", path, &error))
}

#[cfg(test)]
mod tests {
    use super::is_inside;

    #[test]
    fn a_package_stays_in_its_folder() {
        assert!(is_inside("evidence/sites/nih-a.json"));
        for bad in ["../x", "/etc/x", "a/../b", "a//b", ".ssh/x", ""] {
            assert!(!is_inside(bad), "{bad} was taken");
        }
    }
}
