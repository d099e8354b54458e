//! Backups: from one kind of coordinator to another, and what is refused.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "support/rows.rs"]
mod rows;
#[path = "support/s3.rs"]
mod s3;
#[path = "support/postgres.rs"]
mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedval_ambient::Problem as _;
use fedval_core::port::{CredentialRow, DraftLocked, DraftVersion, PersonRow, Phase};
use fedval_core::{Artifacts, Store};
use fedval_store::{
    ArtifactsConfig, Backup, BackupError, Holdings, StoreConfig, artifacts_open, backup_write,
    store_open,
};
use fedval_study::{PersonRole, Sha256Digest};
use rows::{
    at, connected, dispatch_row, endorsement, enrolled, invitation, key, opened, review,
    stored_result, study_id,
};
use s3::S3Server;
use server::PostgresServer;
use tempfile::TempDir;

/// A coordinator's folder with what it opens.
struct Coordinator {
    home: PathBuf,
    store: Arc<dyn Store>,
    artifacts: Arc<dyn Artifacts>,
}

impl Coordinator {
    /// In one folder.
    async fn embedded(home: &Path) -> Self {
        Backup::make_home(home).unwrap();
        let store = StoreConfig::parse(None, None, home).unwrap();
        let artifacts = ArtifactsConfig::Folder(home.join("artifacts"));
        Self::open(home, &store, &artifacts).await
    }

    /// On servers.
    async fn served(home: &Path, database: &PostgresServer, bucket: &S3Server) -> Self {
        Backup::make_home(home).unwrap();
        let store = StoreConfig::parse(Some(&database.url("postgres")), None, home).unwrap();
        Self::open(home, &store, &bucket.config("fedval")).await
    }

    async fn open(home: &Path, store: &StoreConfig, artifacts: &ArtifactsConfig) -> Self {
        Self {
            home: home.to_path_buf(),
            store: store_open(store).await.unwrap(),
            artifacts: artifacts_open(artifacts).await.unwrap(),
        }
    }

    fn holdings(&self) -> Holdings<'_> {
        Holdings {
            home: &self.home,
            store: self.store.as_ref(),
            artifacts: self.artifacts.as_ref(),
        }
    }

    /// Rows of every kind, a model of several chunks, keys and a configuration.
    async fn fill(&self) -> Sha256Digest {
        let mut upload = self.artifacts.artifact_begin().await.unwrap();
        upload.write(model()).await.unwrap();
        let digest = upload.finish().await.unwrap().digest;
        let store = self.store.as_ref();
        let (chest, draft) = (study_id("chest"), study_id("draft"));
        let protocol = |digest| format!(r#"{{"model":{{"bytes":1,"digest":"{digest}"}}}}"#);
        let first = DraftVersion { version: 1, protocol: protocol(digest).into_bytes() };
        store.study_put_draft(&chest, None, &first).await.unwrap();
        let mut upload = self.artifacts.artifact_begin().await.unwrap();
        upload.write(protocol(digest).into_bytes()).await.unwrap();
        upload.finish().await.unwrap();
        let signed = [endorsement(1), endorsement(2)];
        let locked = store.study_lock(&chest, &first.protocol, &signed).await.unwrap();
        assert_eq!(locked, DraftLocked::Locked);
        let of_absent = DraftVersion { version: 1, protocol: protocol(absent()).into_bytes() };
        store.study_put_draft(&draft, None, &of_absent).await.unwrap();
        let round = opened(store, &chest, 1).await;
        for number in [1, 2] {
            let site = enrolled(store, &format!("site-{number}"), number).await;
            store.dispatch_insert(&[dispatch_row(&round, &site)]).await.unwrap();
            let epoch = connected(store, &site, number).await;
            store.lease_grant(&round.round, &site, epoch, at(50)).await.unwrap();
            store.dispatch_set_phase(&round.round, &site, Phase::AwaitingRelease).await.unwrap();
            if number == 1 {
                let result = stored_result(&round, &site, "result");
                store.result_insert(&result, epoch).await.unwrap();
            }
        }
        store.round_set_deadline(&round.round, at(70)).await.unwrap();
        store.round_close(&round.round, at(80)).await.unwrap();
        for number in [3, 4] {
            store.invitation_insert(&invitation("site-3", number)).await.unwrap();
        }
        store.invitation_count_wrong(&invitation("site-3", 4).id).await.unwrap();
        let operator =
            PersonRow { name: "ada".parse().unwrap(), role: PersonRole::Operator, key: key(99) };
        store.person_put(&operator).await.unwrap();
        let password_hash = "$argon2id$".to_owned();
        let credential = CredentialRow { name: operator.name, password_hash, is_issued: true };
        assert!(store.credential_put(&credential).await.unwrap());
        assert!(store.signature_insert(&review(&round.round, "ada", 7)).await.unwrap());
        fs::create_dir_all(self.home.join("pki")).unwrap();
        fs::write(self.home.join("pki/root.key"), "a key").unwrap();
        fs::write(self.home.join("fedval.toml"), "a configuration").unwrap();
        digest
    }

    async fn restore(&self, folder: &Path) -> Result<(), BackupError> {
        let backup = Backup::open(folder)?;
        backup.restore_files(&self.home)?;
        backup.restore(self.holdings()).await
    }

    async fn back_up(&self, folder: &Path) -> Result<Vec<Sha256Digest>, BackupError> {
        let files = ["pki/root.key", "fedval.toml"].map(str::to_owned);
        backup_write(folder, self.holdings(), &files).await
    }
}

/// More than a chunk, and no two chunks alike.
fn model() -> Vec<u8> {
    (0_u32..).flat_map(u32::to_le_bytes).take((2 << 20) + 5).collect()
}

fn absent() -> Sha256Digest {
    Sha256Digest::of(b"never uploaded")
}

/// A coordinator and its backup, in a folder that lives as long as they.
async fn backed_up() -> (TempDir, Coordinator, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let coordinator = Coordinator::embedded(&folder.path().join("home")).await;
    coordinator.fill().await;
    let backup = folder.path().join("backup");
    coordinator.back_up(&backup).await.unwrap();
    (folder, coordinator, backup)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_moves_to_servers_and_back_and_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (database, bucket) = (PostgresServer::start(), S3Server::start().await);
    let first = Coordinator::embedded(&path("first")).await;
    let digest = first.fill().await;
    let before = first.store.snapshot_read().await.unwrap();

    assert_eq!(first.back_up(&path("one")).await.unwrap(), [absent()]);
    let second = Coordinator::served(&path("second"), &database, &bucket).await;
    second.restore(&path("one")).await.unwrap();
    assert_eq!(second.store.snapshot_read().await.unwrap(), before);
    second.back_up(&path("two")).await.unwrap();
    let third = Coordinator::embedded(&path("third")).await;
    third.restore(&path("two")).await.unwrap();

    assert_eq!(third.store.snapshot_read().await.unwrap(), before);
    let read = third.artifacts.artifact_read(&digest, 0, u64::MAX).await.unwrap();
    assert!(read == model());
    for file in ["pki/root.key", "fedval.toml"] {
        let (was, is) = (first.home.join(file), third.home.join(file));
        assert_eq!(fs::read(was).unwrap(), fs::read(&is).unwrap());
        assert_eq!(fs::metadata(is).unwrap().permissions().mode() & 0o777, 0o600, "{file}");
    }
    for name in ["store.jsonl", "manifest.json"] {
        let (one, two) = (path("one").join(name), path("two").join(name));
        assert_eq!(fs::read(one).unwrap(), fs::read(two).unwrap(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_coordinator_that_writes_shows_one_moment() {
    let folder = tempfile::tempdir().unwrap();
    let coordinator = Coordinator::embedded(&folder.path().join("home")).await;
    coordinator.fill().await;
    let store = Arc::clone(&coordinator.store);
    let writing = tokio::spawn(async move {
        let study = study_id("chest");
        for number in 2..40 {
            let round = opened(store.as_ref(), &study, number).await;
            let site = rows::site_id("site-1");
            store.dispatch_insert(&[dispatch_row(&round, &site)]).await.unwrap();
            store.result_insert(&stored_result(&round, &site, "result"), 0).await.unwrap();
            store.round_close(&round.round, at(80)).await.unwrap();
        }
    });
    for number in 0..4 {
        let backup = folder.path().join(format!("backup-{number}"));
        coordinator.back_up(&backup).await.unwrap();
        let home = folder.path().join(format!("home-{number}"));
        // Rows that refer to what is not there would be refused here.
        let restored = Coordinator::embedded(&home).await;
        restored.restore(&backup).await.unwrap();
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn a_backup_is_never_overwritten() {
    let (folder, coordinator, backup) = backed_up().await;
    let refused = coordinator.back_up(&backup).await.unwrap_err();
    assert_eq!(refused.code(), "BACKUP_EXISTS");
    let refused = coordinator.back_up(folder.path()).await.unwrap_err();
    assert_eq!(refused.code(), "BACKUP_EXISTS");
    Backup::open(&backup).unwrap();
}

#[tokio::test]
async fn every_file_of_a_backup_is_checked() {
    let (_folder, _, backup) = backed_up().await;
    let model = format!("artifacts/{}", Sha256Digest::of(&model()));
    for file in ["store.jsonl", &model, "pki/root.key", "fedval.toml", "manifest.json"] {
        let path = backup.join(file);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        let longer = [&whole[..], b" "].concat();
        // The list may end in blanks: it says the same.
        let wrong = if file == "manifest.json" { vec![changed] } else { vec![changed, longer] };
        for content in wrong {
            fs::write(&path, content).unwrap();
            let refused = Backup::open(&backup).unwrap_err();
            assert_eq!(refused.code(), "BACKUP_DAMAGED");
            if file != "manifest.json" {
                assert!(refused.to_string().starts_with(file), "{refused}");
            }
        }
        fs::remove_file(&path).unwrap();
        let refused = Backup::open(&backup).unwrap_err();
        assert!(refused.to_string().starts_with(file), "{refused}");
        fs::write(&path, whole).unwrap();
        Backup::open(&backup).unwrap();
    }
}

#[tokio::test]
async fn a_list_that_names_files_elsewhere_is_refused() {
    let (_folder, _, backup) = backed_up().await;
    let list = backup.join("manifest.json");
    let whole = fs::read_to_string(&list).unwrap();
    for elsewhere in ["../root.key", "/etc/passwd", "pki/../../root.key"] {
        fs::write(&list, whole.replace("pki/root.key", elsewhere)).unwrap();
        let refused = Backup::open(&backup).unwrap_err();
        assert!(refused.to_string().starts_with("manifest.json"), "{refused}");
    }
}

#[tokio::test]
async fn only_what_is_empty_is_filled() {
    let (folder, coordinator, backup) = backed_up().await;
    let home = Backup::make_home(&coordinator.home).unwrap_err();
    assert_eq!(home.code(), "RESTORE_NOT_EMPTY");

    let other = Coordinator::embedded(&folder.path().join("other")).await;
    let operator =
        PersonRow { name: "bea".parse().unwrap(), role: PersonRole::Operator, key: key(98) };
    other.store.person_put(&operator).await.unwrap();
    let database = other.restore(&backup).await.unwrap_err();
    assert_eq!(database.code(), "RESTORE_NOT_EMPTY");
    assert!(!other.home.join("fedval.toml").exists(), "the sign of a whole folder comes last");
    assert_eq!(other.store.snapshot_read().await.unwrap().people, [operator]);
}

#[tokio::test]
async fn a_damaged_model_is_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    let coordinator = Coordinator::embedded(&folder.path().join("home")).await;
    let digest = coordinator.fill().await;
    let stored = coordinator.home.join("artifacts/sha256").join(digest.to_string());
    fs::write(stored, "another model").unwrap();
    let backup = folder.path().join("backup");
    let refused = coordinator.back_up(&backup).await.unwrap_err();
    assert_eq!(refused.code(), "ARTIFACT_DAMAGED");
    assert!(!backup.exists(), "what is no backup is not left lying about");
}
