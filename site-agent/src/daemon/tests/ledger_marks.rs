//! Marks of the site's ledger as a coordinator shows them: whoever of the two goes back is found out.

use fedval_study::{Canonical, LedgerMark, Sha256Digest};
use fedval_trust::{PayloadType, Role, ledger_mark};

use super::{Party, Scene, endorsed, site, support};
use crate::daemon::job;
use crate::daemon::ledger_mark::{ShownMark, hear};

impl Scene {
    /// The site answers a round, and signs how large its ledger is then.
    async fn answered(&self, round: &str) -> LedgerMark {
        self.take(self.honest(&support::locked(), round)).await.unwrap();
        let job = self.agent.vault.job_find(&round.parse().unwrap()).await.unwrap().unwrap();
        assert!(job::refuse(&self.agent, &job, "ada", None).await.unwrap());
        self.agent.vault.ledger_mark(&site()).await.unwrap()
    }

    /// A mark under the site's signature and that of `countersigner`.
    fn shown(&self, mark: &LedgerMark, countersigner: &Party) -> ShownMark {
        let bytes = Canonical::new(mark.clone()).unwrap().into_bytes();
        ShownMark {
            entries: mark.entries,
            head: mark.head,
            signature: ledger_mark::sign(&self.agent.identity.key, mark).unwrap(),
            countersignature: endorsed(PayloadType::LedgerMark, &bytes, countersigner),
        }
    }

    async fn hears(&self, shown: &ShownMark) -> Option<&'static str> {
        hear(&self.agent, shown).await.unwrap()
    }

    /// Entries of the largest mark that is kept with the coordinator's signature.
    async fn countersigned(&self) -> Option<u64> {
        self.agent.vault.countersigned_find().await.unwrap().map(|mark| mark.entries)
    }
}

#[tokio::test]
async fn a_mark_is_kept_under_both_signatures_and_refused_without_either() {
    let scene = Scene::new().await;
    let mark = scene.answered("chest-r1").await;
    let honest = scene.shown(&mark, &scene.coordinator);
    let own = (scene.agent.identity.key.clone(), scene.agent.identity.certificate.clone());
    for (who, countersigner) in [("the sponsor", &scene.sponsor), ("the site itself", &own)] {
        let shown = scene.shown(&mark, countersigner);
        assert_eq!(scene.hears(&shown).await, Some("LEDGER_MARK_UNSIGNED"), "{who}");
    }
    let larger = LedgerMark { entries: mark.entries + 1, ..mark.clone() };
    let countersignature = scene.shown(&larger, &scene.coordinator).countersignature;
    let of_another = ShownMark { countersignature, ..scene.shown(&mark, &scene.coordinator) };
    assert_eq!(scene.hears(&of_another).await, Some("LEDGER_MARK_UNSIGNED"));
    let (stranger, _) = scene.party(&Role::Site("site-b".parse().unwrap()));
    let signature = ledger_mark::sign(&stranger, &mark).unwrap();
    let foreign = ShownMark { signature, ..scene.shown(&mark, &scene.coordinator) };
    assert_eq!(scene.hears(&foreign).await, Some("LEDGER_MARK_FOREIGN"));
    assert_eq!(scene.countersigned().await, None, "none of them was kept");

    assert_eq!(scene.hears(&honest).await, None);
    assert_eq!(scene.countersigned().await, Some(mark.entries));
}

#[tokio::test]
async fn a_coordinator_that_goes_back_to_a_smaller_mark_is_found_out_also_after_a_restart() {
    let mut scene = Scene::new().await;
    let first = scene.answered("chest-r1").await;
    let second = scene.answered("chest-r2").await;
    assert!(first.entries < second.entries);
    for mark in [&first, &second, &second] {
        assert_eq!(scene.hears(&scene.shown(mark, &scene.coordinator)).await, None);
    }
    scene.restart().await;
    let older = scene.shown(&first, &scene.coordinator);
    assert_eq!(scene.hears(&older).await, Some("LEDGER_MARK_OLDER"));
    assert_eq!(scene.countersigned().await, Some(second.entries));
    assert_eq!(scene.agent.vault.ledger_missing().await.unwrap(), 0, "the site forgot nothing");
}

#[tokio::test]
async fn a_site_that_goes_back_or_tells_another_journal_is_found_out_whoever_countersigned() {
    let scene = Scene::new().await;
    let mark = scene.answered("chest-r1").await;
    let another = Sha256Digest::of(b"the end of another journal");
    for (entries, countersigner) in [
        (mark.entries + 3, &scene.coordinator),
        (mark.entries, &scene.coordinator),
        (mark.entries, &scene.sponsor),
    ] {
        let told = LedgerMark { site: site(), entries, head: another };
        let heard = scene.hears(&scene.shown(&told, countersigner)).await;
        assert_eq!(heard, Some("LEDGER_ROLLED_BACK"), "{entries}");
        assert!(scene.agent.vault.ledger_missing().await.unwrap() > 0, "nothing is released");
    }
}
