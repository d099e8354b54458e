//! The coordinator's folder: configuration, keys, database, artifacts.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use fedval_ambient::{Exit, Failure};
use fedval_core::Identity;
use fedval_trust::{Authority, Certificate, SecretKey};

use crate::config::Config;

/// Server, operator and signing certificates live this long.
pub(crate) const CERTIFICATE_DAYS: i64 = 825;

/// Paths below one folder.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    folder: PathBuf,
}

impl Home {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.join("fedval.toml")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("fedval.db")
    }

    pub(crate) fn artifacts(&self) -> PathBuf {
        self.folder.join("artifacts")
    }

    fn pki(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join("pki").join(format!("{name}.{extension}"))
    }

    /// Makes the folders, readable by their owner alone.
    pub(crate) fn create(&self) -> Result<(), Failure> {
        for folder in [self.folder.clone(), self.folder.join("pki"), self.artifacts()] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&folder)
                .map_err(|error| Failure::disk("create the folder", &folder, &error))?;
        }
        Ok(())
    }

    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let file = self.config_file();
        let text = fs::read_to_string(&file).map_err(|error| Failure {
            code: "HOME_NOT_INITIALISED".to_owned(),
            remedy: Some("run `fedval init --home DIR`, or give the right --home".to_owned()),
            exit: Exit::Usage,
            ..Failure::disk("read", &file, &error)
        })?;
        toml::from_str(&text).map_err(|error| {
            Failure::new(
                Exit::Usage,
                "CONFIG_INVALID",
                format!("{} cannot be read: {}", file.display(), error.message()),
                "correct the file; deploy/config/fedval.toml documents every key",
            )
        })
    }

    /// Writes a file that its owner alone may read; an existing file is never replaced.
    pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|error| Failure::disk("write", path, &error))
    }

    /// Replaces a role's certificate at once: a reader finds the old one or the new one.
    pub(crate) fn replace_certificate(
        &self,
        name: &str,
        certificate: &Certificate,
    ) -> Result<(), Failure> {
        let (file, new) = (self.pki(name, "pem"), self.pki(name, "pem.new"));
        // Left by a crash between the two steps below.
        drop(fs::remove_file(&new));
        Self::write_new(&new, &certificate.to_pem())?;
        fs::rename(&new, &file).map_err(|error| Failure::disk("replace", &file, &error))?;
        let folder = self.folder.join("pki");
        fs::File::open(&folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| Failure::disk("write", &folder, &error))
    }

    pub(crate) fn write_pair(
        &self,
        name: &str,
        key: &SecretKey,
        certificate: &Certificate,
    ) -> Result<(), Failure> {
        Self::write_new(&self.pki(name, "key"), &key.to_pem())?;
        Self::write_new(&self.pki(name, "pem"), &certificate.to_pem())
    }

    /// A key with its certificate, by role: root, server, coordinator, sponsor, operator.
    pub(crate) fn pair(&self, name: &str) -> Result<(SecretKey, Certificate), Failure> {
        let file = self.pki(name, "key");
        let pem =
            fs::read_to_string(&file).map_err(|error| Failure::disk("read", &file, &error))?;
        let key = SecretKey::from_pem(&pem).map_err(|error| {
            Failure::new(
                Exit::Machine,
                "KEY_UNREADABLE",
                format!("{}: {error}", file.display()),
                "restore the `pki` folder from a backup",
            )
        })?;
        Ok((key, self.certificate(name)?))
    }

    pub(crate) fn certificate(&self, name: &str) -> Result<Certificate, Failure> {
        let file = self.pki(name, "pem");
        let pem =
            fs::read_to_string(&file).map_err(|error| Failure::disk("read", &file, &error))?;
        Ok(Certificate::from_pem(&pem)?)
    }

    /// The keys with which the server certifies and signs.
    pub(crate) fn identity(&self) -> Result<Identity, Failure> {
        let (root_key, root) = self.pair("root")?;
        let (signing_key, signing_certificate) = self.pair("coordinator")?;
        Ok(Identity {
            authority: Authority::from_parts(root_key, root),
            signing_key,
            signing_certificate,
        })
    }
}
