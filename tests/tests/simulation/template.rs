//! A consortium before its first round: enrolled sites with signed policies, a locked study. Made
//! once; every history works on a copy of its folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fedval_agent::daemon::{Home, Identity as SiteIdentity};
use fedval_ambient::{MockClock, SeededEntropy};
use fedval_core::{Coordinator, Identity};
use fedval_store::{FolderArtifacts, SqliteStore};
use fedval_study::{LockedProtocol, SiteId};
use fedval_tests::folder;
use fedval_trust::authority::signing_request;
use fedval_trust::{Authority, Certificate, PayloadType, Role, SecretKey, SignedDocument};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::support::{self, Case, MODEL, group};

/// Each site, with how many patients it has in every bucket: a binary digit of its own.
pub(crate) const SITES: [(&str, u32); 3] = [("site-a", 32), ("site-b", 64), ("site-c", 128)];
/// The buckets: categories of the study's one dimension.
pub(crate) const BUCKETS: [&str; 3] = ["a", "b", "c"];

/// The consortium.
pub(crate) struct Template {
    folder: TempDir,
    root: (SecretKey, Certificate),
    signing: (SecretKey, Certificate),
    pub(crate) locked: LockedProtocol,
}

static TEMPLATE: OnceCell<Template> = OnceCell::const_new();

/// The cases of a site, the same in every history.
pub(crate) fn cases(site: usize) -> Vec<Case> {
    let half = SITES[site].1 / 2;
    support::cases(site as u64 + 1, &BUCKETS.map(|bucket| group(bucket, half, half)))
}

pub(crate) fn site_id(site: usize) -> SiteId {
    SITES[site].0.parse().unwrap()
}

/// A folder in memory where there is one: thousands of histories flush to it.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

impl Template {
    pub(crate) async fn get() -> &'static Self {
        TEMPLATE.get_or_init(Self::make).await
    }

    /// A copy of the consortium's folder.
    pub(crate) fn copy(&self) -> TempDir {
        let copy = scratch();
        folder::copy(self.folder.path(), copy.path());
        copy
    }

    /// The coordinator over a folder, with a clock and randomness.
    pub(crate) async fn coordinator(
        &self,
        store: &Path,
        artifacts: &Path,
        clock: &MockClock,
        entropy: &Arc<SeededEntropy>,
    ) -> Coordinator {
        let (key, root) = self.root.clone();
        let (signing_key, signing_certificate) = self.signing.clone();
        let authority = Authority::from_parts(key, root);
        Coordinator::new(
            Arc::new(SqliteStore::open(store).await.unwrap()),
            Arc::new(FolderArtifacts::open(artifacts).unwrap()),
            Arc::new(Identity { authority, signing_key, signing_certificate }),
            Arc::new(clock.clone()),
            Arc::clone(entropy) as _,
        )
    }

    async fn make() -> Self {
        let (clock, entropy) = (MockClock::default(), Arc::new(SeededEntropy::new(1)));
        let folder = scratch();
        let authority = Authority::create(&clock, entropy.as_ref()).unwrap();
        let certified = |role: &Role| {
            let key = SecretKey::generate(entropy.as_ref());
            let issued = authority.issue(role, &key, &[], 900, &clock, entropy.as_ref());
            (key, issued.unwrap())
        };
        let (signing, sponsor) = (certified(&Role::Coordinator), certified(&Role::Sponsor));
        let root = (authority.key().clone(), authority.root().clone());
        let template = Self { folder, root, signing, locked: support::locked() };
        let (store, artifacts) = (template.store(), template.artifacts());
        fs::create_dir(&artifacts).unwrap();
        let coordinator = template.coordinator(&store, &artifacts, &clock, &entropy).await;
        for site in 0..SITES.len() {
            template.enrol(&coordinator, site, entropy.as_ref()).await;
        }
        template.lock(&coordinator, &sponsor).await;
        template
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("fedval.db")
    }

    fn artifacts(&self) -> PathBuf {
        self.folder.path().join("artifacts")
    }

    async fn enrol(&self, coordinator: &Coordinator, site: usize, entropy: &SeededEntropy) {
        let id = site_id(site);
        let token = coordinator.site_invite(&id, 24).await.unwrap().token;
        let key = SecretKey::generate(entropy);
        let request = signing_request(&key).unwrap();
        let enrolled = coordinator.site_enrol(&token.id(), token.secret(), &request).await.unwrap();
        let folder = self.folder.path().join(SITES[site].0);
        let home = Home::new(&folder);
        home.create().unwrap();
        let policy = format!(
            "profile = \"standard\"\nk = 11\nrun_without_approval = [\"{0}\"]\n\
             release_without_steward = [\"{0}\"]\n",
            self.locked.digest()
        );
        let signed = SignedDocument::sign(
            PayloadType::Policy,
            policy.clone().into_bytes(),
            &key,
            &enrolled.certificate,
        );
        let signature = serde_json::to_string(&signed.endorsements).unwrap();
        fs::write(folder.join("policy.toml"), policy).unwrap();
        fs::write(folder.join("policy.sig.json"), signature).unwrap();
        fs::write(
            folder.join("agent.toml"),
            "answer_step_seconds = 0\n[coordinator]\nurl = \"https://localhost\"\n",
        )
        .unwrap();
        let (certificate, root) = (enrolled.certificate, coordinator.root().clone());
        home.write_identity(&SiteIdentity { site: id, key, certificate, root }).unwrap();
        home.vault().await.unwrap();
    }

    async fn lock(&self, coordinator: &Coordinator, (key, certificate): &(SecretKey, Certificate)) {
        let mut upload = coordinator.artifacts().artifact_begin().await.unwrap();
        upload.write(MODEL.to_vec()).await.unwrap();
        let model = upload.finish().await.unwrap();
        let bytes = self.locked.bytes().to_vec();
        coordinator.study_create(&bytes, model).await.unwrap();
        let signed = SignedDocument::sign(PayloadType::Protocol, bytes, key, certificate);
        let sponsor = signed.endorsements.into_iter().next().unwrap();
        let study = &self.locked.protocol().id;
        coordinator.study_lock(study, self.locked.digest().0, sponsor).await.unwrap();
    }
}
