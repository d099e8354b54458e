//! A coordinator over a real store and a real folder, with time and randomness in the test's hands.

#![allow(dead_code, reason = "each test binary uses its own part")]

#[path = "../../../../common/disclosure/tests/support/mod.rs"]
pub(crate) mod gate;

use std::path::PathBuf;
use std::sync::Arc;

use fedval_ambient::{MockClock, Problem, SeededEntropy};
use fedval_core::port::{InstanceId, StoredArtifact};
use fedval_core::{Accepted, AgentSession, Coordinator, Identity, Said, SessionError, SubmitError};
use fedval_store::{FolderArtifacts, SqliteStore};
use fedval_study::{
    Canonical, LockedProtocol, PersonRole, RoundId, Sha256Digest, SiteId, SiteResult,
};
use fedval_trust::authority::signing_request;
use fedval_trust::{
    Authority, Certificate, Endorsement, PayloadType, Role, SecretKey, SignedDocument, dsse,
};
use tempfile::TempDir;

use crate::support::{self, Case, MODEL};

pub(crate) struct Bench {
    pub(crate) coordinator: Coordinator,
    pub(crate) clock: MockClock,
    pub(crate) entropy: Arc<SeededEntropy>,
    pub(crate) sponsor: (SecretKey, Certificate),
    /// Ada, a statistician, whom the root certified and nobody admitted yet.
    pub(crate) ada: (SecretKey, Certificate),
    folder: TempDir,
}

/// A site as its machine knows it.
pub(crate) struct Site {
    pub(crate) id: SiteId,
    pub(crate) key: SecretKey,
    pub(crate) certificate: Certificate,
}

pub(crate) async fn bench() -> Bench {
    let (clock, entropy) = (MockClock::default(), Arc::new(SeededEntropy::new(1)));
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(&clock, entropy.as_ref()).unwrap();
    let sponsor = certified(&authority, &Role::Sponsor, &clock, &entropy);
    let statistician = Role::Person(PersonRole::Statistician, "ada".parse().unwrap());
    let ada = certified(&authority, &statistician, &clock, &entropy);
    let (signing_key, signing_certificate) =
        certified(&authority, &Role::Coordinator, &clock, &entropy);
    let coordinator = Coordinator::new(
        Arc::new(SqliteStore::open(&folder.path().join("fedval.db")).await.unwrap()),
        Arc::new(FolderArtifacts::open(folder.path()).unwrap()),
        Arc::new(Identity { authority, signing_key, signing_certificate }),
        Arc::new(clock.clone()),
        Arc::clone(&entropy) as _,
    );
    Bench { coordinator, clock, entropy, sponsor, ada, folder }
}

pub(crate) fn certified(
    authority: &Authority,
    role: &Role,
    clock: &MockClock,
    entropy: &SeededEntropy,
) -> (SecretKey, Certificate) {
    let key = SecretKey::generate(entropy);
    let certificate = authority.issue(role, &key, &[], 900, clock, entropy).unwrap();
    (key, certificate)
}

/// The stable code of a refusal.
pub(crate) fn code<T: std::fmt::Debug, P: Problem>(answer: Result<T, P>) -> &'static str {
    let problem = answer.expect_err("it should be refused");
    assert!(problem.remedy().is_some(), "{} has no remedy", problem.code());
    problem.code()
}

pub(crate) fn site_id(name: &str) -> SiteId {
    name.parse().unwrap()
}

pub(crate) fn chest() -> fedval_study::StudyId {
    "chest".parse().unwrap()
}

/// The sponsor's signature on a protocol.
pub(crate) fn signed(
    locked: &LockedProtocol,
    (key, certificate): &(SecretKey, Certificate),
) -> Endorsement {
    let bytes = locked.bytes().to_vec();
    let signed = SignedDocument::sign(PayloadType::Protocol, bytes, key, certificate);
    signed.endorsements.into_iter().next().unwrap()
}

impl Bench {
    pub(crate) async fn enrol(&self, name: &str) -> Site {
        let id = site_id(name);
        let invitation = self.coordinator.site_invite(&id, 24).await.unwrap();
        let key = SecretKey::generate(self.entropy.as_ref());
        let request = signing_request(&key).unwrap();
        let token = &invitation.token;
        let enrolled =
            self.coordinator.site_enrol(&token.id(), token.secret(), &request).await.unwrap();
        Site { id, key, certificate: enrolled.certificate }
    }

    /// Uploads the bytes of a model.
    pub(crate) async fn upload(&self, bytes: &[u8]) -> StoredArtifact {
        let mut upload = self.coordinator.artifacts().artifact_begin().await.unwrap();
        upload.write(bytes.to_vec()).await.unwrap();
        upload.finish().await.unwrap()
    }

    pub(crate) async fn create(&self, locked: &LockedProtocol) {
        let model = self.upload(MODEL).await;
        self.coordinator.study_create(locked.bytes(), model).await.unwrap();
    }

    /// Creates and locks the study of the tests.
    pub(crate) async fn lock(&self) -> LockedProtocol {
        let locked = support::locked();
        self.create(&locked).await;
        let sponsor = signed(&locked, &self.sponsor);
        self.coordinator.study_lock(&chest(), locked.digest().0, sponsor).await.unwrap();
        locked
    }

    /// Enrols the sites, locks the study and dispatches it.
    pub(crate) async fn dispatch(&self, names: &[&str]) -> (LockedProtocol, Vec<Site>, RoundId) {
        let locked = self.lock().await;
        let mut sites = Vec::new();
        for name in names {
            sites.push(self.enrol(name).await);
        }
        let (round, _) = self.coordinator.study_dispatch(&chest(), &[], 0).await.unwrap();
        (locked, sites, round)
    }

    pub(crate) async fn submit(
        &self,
        site: &Site,
        result: SiteResult,
    ) -> Result<Accepted, SubmitError> {
        let signature = sign(site, &result);
        self.coordinator.result_submit(&site.id, result, signature, 0).await
    }

    /// Opens a session of a site's only process.
    pub(crate) async fn connect(
        &self,
        site: &Site,
    ) -> Result<(AgentSession, Vec<Said>), SessionError> {
        let instance = InstanceId(Sha256Digest::of(site.id.as_str().as_bytes()));
        self.coordinator.session_open(&site.id, instance, None).await
    }

    /// Where the bytes of an artifact stand on the disk.
    pub(crate) fn artifact_file(&self, digest: Sha256Digest) -> PathBuf {
        self.folder.path().join("sha256").join(digest.to_string())
    }
}

/// What the gate of a site lets through for these cases.
pub(crate) fn vetted(locked: &LockedProtocol, site: &Site, cases: &[Case]) -> SiteResult {
    let (protocol, header) = (locked.protocol(), support::header(locked, site.id.as_str()));
    gate::vetted(header, protocol, support::summary(cases, protocol)).value().clone()
}

pub(crate) fn sign(site: &Site, result: &SiteResult) -> fedval_trust::Signature {
    let canonical = Canonical::new(result.clone()).unwrap();
    dsse::sign(&site.key, PayloadType::SiteResult, canonical.bytes())
}
