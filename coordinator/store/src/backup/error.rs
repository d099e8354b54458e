//! Why a backup cannot be made or brought back.

use std::path::{Path, PathBuf};

use fedval_ambient::{Exit, Problem};
use fedval_core::port::{ArtifactError, StoreError};
use fedval_study::{Sha256Digest, StudyId};

/// A backup cannot be made or brought back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The folder to write is there already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// A file of the backup is missing, or is not what was written.
    #[error("{file} of the backup in {} is not what was written", .folder.display())]
    Damaged {
        /// The backup.
        folder: PathBuf,
        /// The file in it.
        file: String,
    },
    /// The coordinator to fill holds something.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// A stored artifact is not what its digest says.
    #[error("the stored artifact {0} is damaged")]
    ArtifactDamaged(Sha256Digest),
    /// A stored protocol cannot be read.
    #[error("the stored protocol of `{0}` is damaged")]
    ProtocolDamaged(StudyId),
    /// The disk refuses.
    #[error("cannot {action} {}", .path.display())]
    Disk {
        /// What was being done.
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// The disk's error.
        #[source]
        source: std::io::Error,
    },
    /// The store failed.
    #[error("the coordinator's store cannot be used")]
    Store(#[from] StoreError),
    /// The place of artifacts failed.
    #[error("the coordinator's artifacts cannot be used")]
    Artifacts(#[from] ArtifactError),
}

impl BackupError {
    pub(super) fn disk(
        action: &'static str,
        path: &Path,
    ) -> impl Fn(std::io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Disk { action, path: path.clone(), source }
    }
}

impl Problem for BackupError {
    fn code(&self) -> &'static str {
        match self {
            Self::Exists(_) => "BACKUP_EXISTS",
            Self::Damaged { .. } => "BACKUP_DAMAGED",
            Self::NotEmpty(_) => "RESTORE_NOT_EMPTY",
            Self::ArtifactDamaged(_) => "ARTIFACT_DAMAGED",
            Self::ProtocolDamaged(_) => "STORE_DAMAGED",
            Self::Disk { .. } => "DISK",
            Self::Store(_) => "STORE_UNAVAILABLE",
            Self::Artifacts(_) => "ARTIFACTS_UNAVAILABLE",
        }
    }

    fn remedy(&self) -> Option<String> {
        Some(
            match self {
                Self::Exists(_) => "give a new folder: backups are never overwritten",
                Self::Damaged { .. } => "use another backup",
                Self::NotEmpty(_) => {
                    "give a new --home and, with PostgreSQL, an empty database, or move the old \
                     ones away"
                }
                Self::ArtifactDamaged(_) | Self::ProtocolDamaged(_) => {
                    "restore the coordinator from an earlier backup"
                }
                Self::Disk { .. } => {
                    "check that the path exists, belongs to this user and has free space"
                }
                Self::Store(_) => "check that the database is there, then run the command again",
                Self::Artifacts(_) => {
                    "check that the artifacts are reachable, then run the command again"
                }
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Exists(_) | Self::NotEmpty(_) => Exit::Usage,
            Self::Damaged { .. } => Exit::AnswerIsNo,
            Self::ArtifactDamaged(_)
            | Self::ProtocolDamaged(_)
            | Self::Disk { .. }
            | Self::Store(_)
            | Self::Artifacts(_) => Exit::Machine,
        }
    }
}
