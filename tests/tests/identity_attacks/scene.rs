//! A coordinator under attack: its process, its sites, its studies.

use std::fs;

use fedval_study::draft::Draft;
use fedval_study::{LockedProtocol, Sha256Digest, SiteResult};
use fedval_tests::consortium::{Consortium, until};
use fedval_tests::raw_client::{self, Party, Target};
use fedval_trust::InviteToken;
use serde_json::Value;

use crate::gate;
use crate::support::{self, STUDY, cases, group};

/// A running coordinator.
pub(crate) struct Scene {
    pub(crate) consortium: Consortium,
    pub(crate) target: Target,
}

/// A locked study that was sent to sites.
pub(crate) struct Study {
    pub(crate) locked: LockedProtocol,
    pub(crate) model: Vec<u8>,
    pub(crate) round: String,
}

impl Scene {
    pub(crate) fn start() -> Self {
        let consortium = Consortium::start();
        let target = Target::of(&consortium.home(), consortium.port());
        Self { consortium, target }
    }

    pub(crate) fn invite(&self, name: &str) -> InviteToken {
        let invited = self.consortium.fedval(&["site", "invite", name, "--json"]).json();
        invited["token"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn enrol(&self, name: &str) -> Party {
        raw_client::redeem(&self.target, &self.invite(name)).await
    }

    /// Locks the study `id`, whose model no other study has, and sends it to these sites.
    pub(crate) fn dispatch(&self, id: &str, sites: &[&str]) -> Study {
        let model = format!("the bytes of the model of {id}").into_bytes();
        let file = format!("{id}.onnx");
        fs::write(self.consortium.path(&file), &model).unwrap();
        let text = STUDY.replace("\"chest\"", &format!("\"{id}\"")).replace("cnn.onnx", &file);
        let draft = Draft::parse(&text).unwrap();
        let protocol = draft.pin_model(Sha256Digest::of(&model), model.len() as u64).unwrap();
        let locked = LockedProtocol::new(protocol).unwrap();
        assert_eq!(self.consortium.lock(id, &text), locked.digest().0.to_string());
        let round = self.send(id, sites);
        Study { locked, model, round }
    }

    /// Sends a locked study to these sites.
    pub(crate) fn send(&self, id: &str, sites: &[&str]) -> String {
        let mut command = vec!["study", "dispatch", id, "--json"];
        for site in sites {
            command.extend(["--site", site]);
        }
        let sent = self.consortium.fedval(&command).json();
        sent["round"].as_str().unwrap().to_owned()
    }

    /// What stands for `site` in the latest round.
    pub(crate) fn status_of(&self, study: &str, site: &str) -> Value {
        let round = self.consortium.status(study);
        let sites = round["sites"].as_array().unwrap();
        sites.iter().find(|row| row["site"] == site).map(|row| row["status"].clone()).unwrap()
    }

    /// How often the coordinator's log says `text`.
    pub(crate) fn says(&self, text: &str) -> usize {
        String::from_utf8_lossy(&self.consortium.log()).matches(text).count()
    }

    /// Waits until the log says `text` more often than `before`.
    pub(crate) fn says_again(&self, text: &str, before: usize) {
        until(&format!("the log says {text}"), || (self.says(text) > before).then_some(()));
    }
}

impl Study {
    /// What the gate of a site lets through on cases of this seed.
    pub(crate) fn result(&self, site: &str, seed: u64) -> SiteResult {
        let groups = [group("a", 40, 60), group("b", 30, 40), group("c", 20, 25)];
        let protocol = self.locked.protocol();
        let mut header = support::header(&self.locked, site);
        header.round = self.round.parse().unwrap();
        gate::vetted(header, protocol, support::summary(&cases(seed, &groups), protocol))
            .value()
            .clone()
    }
}
