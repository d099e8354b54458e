//! The agent's folder: configuration, key, certificates, policy, vault, fetched artifacts.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use fedval_ambient::{Exit, Failure};
use fedval_study::{RoundId, Sha256Digest, SiteId, StudyId};
use fedval_trust::{Certificate, Role, SecretKey};
use fedval_vault::Vault;

use crate::config::Config;

/// Paths below one folder.
#[derive(Debug, Clone)]
pub struct Home {
    folder: PathBuf,
}

/// Who this site is, and whom it trusts.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The site.
    pub site: SiteId,
    /// Its key, made on this machine.
    pub key: SecretKey,
    /// Its certificate, as it was when the agent started.
    pub certificate: Certificate,
    /// The consortium's root.
    pub root: Certificate,
}

impl Home {
    /// The paths below `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.join("agent.toml")
    }

    pub(crate) fn policy_file(&self) -> PathBuf {
        self.folder.join("policy.toml")
    }

    pub(crate) fn policy_signature_file(&self) -> PathBuf {
        self.folder.join("policy.sig.json")
    }

    /// What the model of a study would see here, drawn for this site's people.
    pub(crate) fn dry_run_file(&self, study: &StudyId) -> PathBuf {
        self.folder.join(format!("dry-run-{study}.html"))
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.folder.join("agent.lock")
    }

    pub(crate) fn instance_file(&self) -> PathBuf {
        self.folder.join("agent.instance")
    }

    /// While this file is there, nothing is evaluated.
    pub(crate) fn paused_file(&self) -> PathBuf {
        self.folder.join("paused")
    }

    /// Files that change when a steward's command changes what there is to do.
    pub(crate) fn watched_files(&self) -> Vec<PathBuf> {
        let vault = ["vault.db", "vault.db-wal"].map(|name| self.folder.join(name));
        let policy = [self.policy_file(), self.policy_signature_file(), self.paused_file()];
        vault.into_iter().chain(policy).collect()
    }

    /// Replaces the certificate by one of the same key.
    pub(crate) fn write_certificate(&self, certificate: &Certificate) -> Result<(), Failure> {
        write(&self.folder.join("site.pem"), &certificate.to_pem())
    }

    /// Where a fetched artifact lies.
    pub(crate) fn artifact(&self, digest: &Sha256Digest) -> PathBuf {
        self.folder.join("artifacts").join(format!("{digest}.bin"))
    }

    /// What the processes of a job that is split are asked for, and what they found.
    pub(crate) fn shards(&self, round: &RoundId) -> PathBuf {
        self.all_shards().join(round.as_str())
    }

    pub(crate) fn all_shards(&self) -> PathBuf {
        self.folder.join("shards")
    }

    fn key_file(&self) -> PathBuf {
        self.folder.join("site.key")
    }

    /// Makes the folders, readable by their owner alone.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the disk refuses.
    pub fn create(&self) -> Result<(), Failure> {
        for folder in [self.folder.clone(), self.folder.join("artifacts")] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|error| Failure::disk("create the folder", &folder, &error))?;
        }
        Ok(())
    }

    pub(crate) fn is_enrolled(&self) -> bool {
        self.folder.join("site.pem").exists()
    }

    /// Writes who this site is. The certificate is written last: with it the site is enrolled.
    ///
    /// # Errors
    ///
    /// [`Failure`] if the disk refuses.
    pub fn write_identity(&self, identity: &Identity) -> Result<(), Failure> {
        write(&self.key_file(), &identity.key.to_pem())?;
        write(&self.folder.join("root.pem"), &identity.root.to_pem())?;
        write(&self.folder.join("site.pem"), &identity.certificate.to_pem())
    }

    /// Refuses to go on in a folder that no enrolment wrote.
    pub(crate) fn enrolled(&self) -> Result<(), Failure> {
        if self.is_enrolled() {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Usage,
            "NOT_ENROLLED",
            format!("{} holds no enrolled site", self.folder.display()),
            "run the `fedval-agent enrol` command that the coordinator's operator sent you, or \
             give the right --home",
        ))
    }

    pub(crate) fn identity(&self) -> Result<Identity, Failure> {
        self.enrolled()?;
        let certificate = Certificate::from_pem(&read(&self.folder.join("site.pem"))?)?;
        let Role::Site(site) = certificate.role().clone() else {
            return Err(damaged("site.pem"));
        };
        let key = SecretKey::from_pem(&read(&self.key_file())?).map_err(|_| damaged("site.key"))?;
        let root = Certificate::from_pem(&read(&self.folder.join("root.pem"))?)?;
        Ok(Identity { site, key, certificate, root })
    }

    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let file = self.config_file();
        toml::from_str(&read(&file)?).map_err(|error| {
            Failure::new(
                Exit::Usage,
                "CONFIG_INVALID",
                format!("{} cannot be read: {error}", file.display()),
                "correct the file; deploy/config/agent.toml documents every key",
            )
        })
    }

    /// The vault of an enrolled site: a mistyped folder must not get an empty one.
    ///
    /// # Errors
    ///
    /// [`Failure`] if no enrolment wrote the folder, or the vault cannot be opened.
    pub async fn vault(&self) -> Result<Vault, Failure> {
        self.enrolled()?;
        Ok(Vault::open(&self.folder.join("vault.db")).await?)
    }
}

fn damaged(file: &str) -> Failure {
    Failure::new(
        Exit::Machine,
        "IDENTITY_DAMAGED",
        format!("{file} is not what enrolment wrote"),
        "restore the folder from a backup, or ask for a new invitation",
    )
}

/// Writes a file that its owner alone may read; readers see the old file or the new one.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    write_bytes(path, text.as_bytes())
}

/// The same for bytes.
pub(crate) fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let temporary = path.with_extension("new");
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path))
        .map_err(|error| Failure::disk("write", path, &error))
}

pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::disk("read", path, &error))
}
