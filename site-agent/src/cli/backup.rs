//! `fedval-agent backup DIR | restore DIR`: ledger, journal, jobs, identity, policy, configuration.
//! Not the fetched models, which are fetched again, and never a case: those lie where they always did.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use fedval_ambient::terminal::Output;
use fedval_ambient::{Exit, Failure};
use fedval_study::Sha256Digest;
use serde_json::json;

use crate::home::{Home, read, write};

/// Lists every other file with its digest, and is written last.
const MANIFEST: &str = "manifest.json";
/// The vault's copy.
const VAULT: &str = "vault.db";
/// Files that are copied as they are; some need not exist.
const FILES: [&str; 6] =
    ["site.key", "root.pem", "agent.toml", "policy.toml", "policy.sig.json", "site.pem"];

pub(super) async fn backup(home: &Home, folder: &Path, output: Output) -> Result<(), Failure> {
    home.enrolled()?;
    if folder.exists() {
        return Err(Failure::new(
            Exit::Usage,
            "BACKUP_EXISTS",
            format!("{} exists already", folder.display()),
            "give a new folder: backups are never overwritten",
        ));
    }
    make(folder)?;
    output.progress("Copying the vault…");
    home.vault().await?.copy_to(&folder.join(VAULT)).await?;
    let mut names = vec![VAULT];
    for name in FILES {
        let file = home.folder().join(name);
        if file.exists() {
            write(&folder.join(name), &read(&file)?)?;
            names.push(name);
        }
    }
    let mut digests = BTreeMap::new();
    for name in names {
        digests.insert(name.to_owned(), digest_of(&folder.join(name))?);
    }
    let manifest = serde_json::to_string_pretty(&digests).map_err(|error| {
        Failure::new(Exit::Bug, "JSON", error.to_string(), "report this with the log")
    })?;
    write(&folder.join(MANIFEST), &manifest)?;
    let shown = folder.display().to_string();
    output.say(
        &json!({ "backup": shown, "files": digests.keys().collect::<Vec<_>>() }),
        &format!(
            "The agent's state is in {shown}. It holds this site's key: keep it as you keep the \
             agent's own folder.\n\nTo go back: fedval-agent restore {shown} --home NEW"
        ),
    );
    Ok(())
}

pub(super) async fn restore(home: &Home, folder: &Path, output: Output) -> Result<(), Failure> {
    let target = home.folder();
    if fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Failure::new(
            Exit::Usage,
            "RESTORE_NOT_EMPTY",
            format!("{} is not empty", target.display()),
            "give a new --home, or move the old folder away",
        ));
    }
    let digests: BTreeMap<String, String> = serde_json::from_str(&read(&folder.join(MANIFEST))?)
        .map_err(|_| damaged(folder, MANIFEST))?;
    for (name, digest) in &digests {
        let is_known = name == VAULT || FILES.contains(&name.as_str());
        if !is_known || digest_of(&folder.join(name))? != *digest {
            return Err(damaged(folder, name));
        }
    }
    home.create()?;
    // The certificate comes last: with it the folder holds an enrolled site.
    for name in [VAULT].into_iter().chain(FILES).filter(|name| digests.contains_key(*name)) {
        copy(&folder.join(name), &target.join(name))?;
    }
    // The journal proves that the copy is whole before anything can leave by it.
    home.vault().await?.journal_verify().await?;
    let shown = target.display().to_string();
    output.say(
        &json!({ "home": shown, "site": home.identity()?.site }),
        &format!(
            "The agent's state is back in {shown}. What was released after the backup is not in its \
             ledger: compare `fedval-agent ledger show` with the coordinator's report.\n\n\
             Next: fedval-agent check --home {shown}, then fedval-agent run --home {shown}"
        ),
    );
    Ok(())
}

/// A folder that its owner alone may enter.
fn make(folder: &Path) -> Result<(), Failure> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| Failure::disk("create the folder", folder, &error))
}

fn digest_of(file: &Path) -> Result<String, Failure> {
    let bytes = fs::read(file).map_err(|error| Failure::disk("read", file, &error))?;
    Ok(Sha256Digest::of(&bytes).to_string())
}

/// Copies a file, readable by its owner alone, flushed to the disk.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let bytes = fs::read(from).map_err(|error| Failure::disk("read", from, &error))?;
    crate::home::write_bytes(to, &bytes)
}

fn damaged(folder: &Path, name: &str) -> Failure {
    Failure::new(
        Exit::AnswerIsNo,
        "BACKUP_DAMAGED",
        format!("{} of the backup in {} is not what was written", name, folder.display()),
        "use another backup",
    )
}
