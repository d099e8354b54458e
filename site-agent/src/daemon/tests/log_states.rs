//! States of the log as a coordinator shows them: one that goes back or forks is refused, and its signatures are kept.

use fedval_study::{Canonical, LogCheckpoint};
use fedval_trust::{PayloadType, Role, SignedDocument};
use fedval_vault::SignedLogState;

use super::Scene;
use crate::daemon::log;

impl Scene {
    /// Shows a log of these entries under the coordinator's signature, and lets the agent follow it.
    async fn follows(&self, entries: &[&str]) {
        self.link.tell(entries, &self.coordinator);
        log::follow(&self.agent, &self.link).await.unwrap();
    }

    /// Entries that were followed, and those of a log that did not go on from there.
    async fn followed(&self) -> (u64, Option<u64>) {
        let seen = self.agent.vault.log_seen().await.unwrap();
        (seen.tree.leaves(), seen.broken)
    }

    /// The state of what was followed, and the one that was shown last, both proven by the coordinator's signature.
    async fn signed_states(&self) -> [LogCheckpoint; 2] {
        let vault = &self.agent.vault;
        let tree = vault.log_seen().await.unwrap().tree;
        let followed = vault.log_state_find(tree.leaves(), tree.root()).await.unwrap().unwrap();
        let shown = vault.log_state_last().await.unwrap().unwrap();
        [followed, shown].map(|state| self.proven(state))
    }

    fn proven(&self, state: SignedLogState) -> LogCheckpoint {
        let document = SignedDocument {
            payload_type: PayloadType::LogCheckpoint,
            bytes: Canonical::new(state.checkpoint).unwrap().into_bytes(),
            endorsements: vec![state.endorsement],
        };
        document.verify(&Role::Coordinator, self.authority.root(), state.seen_at).unwrap();
        state.checkpoint
    }
}

#[tokio::test]
async fn a50_a_coordinator_that_shows_an_older_log_is_refused_and_proven_by_its_signatures() {
    let mut scene = Scene::new().await;
    scene.follows(&["one", "two"]).await;
    scene.follows(&["one", "two", "three", "four"]).await;
    assert_eq!((scene.followed().await, scene.link.cosigned()), ((4, None), vec![2, 4]));
    scene.restart().await;
    // What it was two entries ago: its own backup.
    scene.clock.advance_seconds(60);
    scene.follows(&["one", "two"]).await;
    assert_eq!(scene.followed().await, (4, Some(2)));
    let [followed, shown] = scene.signed_states().await;
    assert_eq!((followed.entries, shown.entries), (4, 2));
    // Whatever it shows from then on, this site signs nothing more until its steward says so.
    scene.follows(&["one", "two", "three", "four", "five"]).await;
    assert_eq!((scene.followed().await, scene.link.cosigned()), ((4, Some(2)), vec![2, 4]));
    scene.agent.vault.log_forget().await.unwrap();
    scene.follows(&["one", "two"]).await;
    assert_eq!((scene.followed().await, scene.link.cosigned()), ((2, None), vec![2, 4, 2]));
}

#[tokio::test]
async fn a50_a_coordinator_that_tells_another_history_as_long_or_longer_is_refused() {
    for forked in [&["one", "changed"][..], &["one", "changed", "three"]] {
        let scene = Scene::new().await;
        scene.follows(&["one", "two"]).await;
        scene.follows(forked).await;
        assert_eq!(scene.followed().await, (2, Some(forked.len() as u64)), "{forked:?}");
        let [followed, shown] = scene.signed_states().await;
        assert_eq!((followed.entries, shown.entries), (2, forked.len() as u64));
        assert_ne!(followed.root, shown.root, "two histories under one signature");
        assert_eq!(scene.link.cosigned(), [2], "{forked:?}");
    }
}

#[tokio::test]
async fn a_state_that_the_coordinator_did_not_sign_is_neither_followed_nor_held_against_it() {
    let scene = Scene::new().await;
    scene.follows(&["one"]).await;
    scene.link.tell(&["one", "two"], &scene.sponsor);
    log::follow(&scene.agent, &scene.link).await.unwrap();
    assert_eq!((scene.followed().await, scene.link.cosigned()), ((1, None), vec![1]));
    let last = scene.agent.vault.log_state_last().await.unwrap().unwrap();
    assert_eq!(last.checkpoint.entries, 1);
    scene.follows(&["one", "two"]).await;
    assert_eq!(scene.followed().await, (2, None));
}
