//! What a hostile coordinator can try at an agent: real keys and certificates, a real vault on disk, and orders and
//! states that are signed by hand.

mod a46_signatures;
mod a47_versions;
mod courier;
mod ledger_marks;
mod log_states;
#[path = "../../../../common/study/tests/support/mod.rs"]
mod support;
mod t13_mixing;

use std::fs;
use std::sync::Arc;

use fedval_ambient::{Clock as _, MockClock, Problem as _, SeededEntropy};
use fedval_egress::Offer;
use fedval_study::{Canonical, Dispatch, LockedProtocol, Sha256Digest, SiteId, StudyProtocol};
use fedval_trust::{
    Authority, Certificate, Endorsement, PayloadType, Role, SecretKey, SignedDocument,
};
use tempfile::TempDir;

use super::{Agent, Home, Identity, evaluator, intake};
use courier::Courier;

/// A key with what the consortium's root says of it.
type Party = (SecretKey, Certificate);

/// Days for which coordinator and sponsor are certified.
const DAYS: i64 = 90;

/// A site's agent, and whoever speaks to it.
struct Scene {
    folder: TempDir,
    clock: MockClock,
    entropy: Arc<SeededEntropy>,
    authority: Authority,
    coordinator: Party,
    sponsor: Party,
    agent: Agent,
    link: Courier,
}

fn site() -> SiteId {
    "site-a".parse().unwrap()
}

fn certified(
    authority: &Authority,
    role: &Role,
    clock: &MockClock,
    entropy: &SeededEntropy,
) -> Party {
    let key = SecretKey::generate(entropy);
    let certificate = authority.issue(role, &key, &[], DAYS, clock, entropy).unwrap();
    (key, certificate)
}

/// Somebody's signature of these bytes as a document of this type.
fn endorsed(kind: PayloadType, bytes: &[u8], (key, certificate): &Party) -> Endorsement {
    let signed = SignedDocument::sign(kind, bytes.to_vec(), key, certificate);
    signed.endorsements.into_iter().next().unwrap()
}

/// What takes the place of a protocol, under another title.
fn amended(before: &LockedProtocol, title: &str) -> LockedProtocol {
    let plan = StudyProtocol { title: title.to_owned(), ..before.protocol().clone() };
    LockedProtocol::new(plan.amending(before, "the title misled readers")).unwrap()
}

async fn open(home: Home, clock: &MockClock, entropy: &Arc<SeededEntropy>) -> Agent {
    let (evaluator, clock) = (Arc::new(evaluator::Boxed), Arc::new(clock.clone()));
    Agent::open(home, evaluator, clock, Arc::clone(entropy) as _).await.unwrap()
}

impl Scene {
    async fn new() -> Self {
        let (clock, entropy) = (MockClock::default(), Arc::new(SeededEntropy::new(46)));
        let authority = Authority::create(&clock, entropy.as_ref()).unwrap();
        let party = |role: &Role| certified(&authority, role, &clock, &entropy);
        let (coordinator, sponsor) = (party(&Role::Coordinator), party(&Role::Sponsor));
        let (key, certificate) = party(&Role::Site(site()));
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path());
        home.create().unwrap();
        fs::write(home.config_file(), "[coordinator]\nurl = \"https://localhost\"\n").unwrap();
        let root = authority.root().clone();
        let link = Courier::new(root.fingerprint().0);
        home.write_identity(&Identity { site: site(), key, certificate, root }).unwrap();
        let agent = open(home, &clock, &entropy).await;
        Self { folder, clock, entropy, authority, coordinator, sponsor, agent, link }
    }

    /// The agent's process ends, and another one begins in its folder.
    async fn restart(&mut self) {
        self.agent = open(Home::new(self.folder.path()), &self.clock, &self.entropy).await;
    }

    /// Another party of the consortium.
    fn party(&self, role: &Role) -> Party {
        certified(&self.authority, role, &self.clock, &self.entropy)
    }

    /// What the coordinator orders.
    fn order(&self, locked: &LockedProtocol, round: &str) -> Dispatch {
        let protocol = locked.protocol();
        Dispatch {
            study: protocol.id.clone(),
            protocol_version: protocol.version,
            round: round.parse().unwrap(),
            site: site(),
            protocol: locked.digest(),
            protocol_bytes: locked.bytes().len() as u64,
            model: protocol.model.digest,
            model_bytes: protocol.model.bytes,
            issued_at_ms: self.clock.now().unix_millis(),
            nonce: Sha256Digest::of(round.as_bytes()),
        }
    }

    /// An order under the coordinator's signature, for a protocol under that of the sponsor as well.
    fn offer(&self, dispatch: Dispatch, locked: &LockedProtocol) -> Offer {
        self.link.bring(locked.digest().0, locked.bytes());
        let order = Canonical::new(dispatch.clone()).unwrap();
        let of_protocol = |who: &Party| endorsed(PayloadType::Protocol, locked.bytes(), who);
        Offer {
            dispatch,
            dispatch_endorsements: vec![endorsed(
                PayloadType::Dispatch,
                order.bytes(),
                &self.coordinator,
            )],
            protocol_endorsements: vec![of_protocol(&self.sponsor), of_protocol(&self.coordinator)],
        }
    }

    /// What an honest coordinator offers.
    fn honest(&self, locked: &LockedProtocol, round: &str) -> Offer {
        self.offer(self.order(locked, round), locked)
    }

    /// Lets the agent take an offer; the code of what refuses it.
    async fn take(&self, offer: Offer) -> Result<(), &'static str> {
        intake::take(&self.agent, &self.link, offer).await.map_err(|error| error.code())
    }

    /// The rounds that the agent holds an order of.
    async fn rounds(&self) -> Vec<String> {
        let jobs = self.agent.vault.job_list().await.unwrap();
        jobs.iter().map(|job| job.round().to_string()).collect()
    }
}
