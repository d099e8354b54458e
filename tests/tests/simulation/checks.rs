//! The promises, once the faults have ended.

use std::collections::BTreeMap;

use fedval_study::RoundId;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::op::Op;
use crate::template::{SITES, site_id};
use crate::world::World;

/// Times at which things happened: the only part of a report that a fault may change.
const TIMES: [&str; 4] = ["opened_at", "closed_at", "dispatched_at", "recorded_at"];

/// The report of a round in which nothing happened.
static UNDISTURBED: OnceCell<Vec<u8>> = OnceCell::const_new();

/// Checks them all.
pub(crate) async fn promises(world: &World) {
    let round: RoundId = format!("{}-r1", world.study()).parse().unwrap();
    acknowledged_results_are_there(world, &round).await;
    each_site_was_charged_once(world, &round).await;
    let report = report(world).await;
    each_bucket_holds_its_site_once(&report);
    let again = self::report(world).await;
    assert_eq!(report, again, "P6: the same results give the same report");
    let undisturbed = UNDISTURBED.get_or_init(undisturbed).await;
    let timeless = timeless(&report);
    assert!(timeless == *undisturbed, "the report is that of a round in which nothing happened");
}

/// P1, P2.
async fn acknowledged_results_are_there(world: &World, round: &RoundId) {
    let store = world.coordinator.store();
    let rounds = store.round_list(&world.study()).await.unwrap();
    assert_eq!(rounds.len(), 1, "one round was dispatched");
    let results = store.result_list(round).await.unwrap();
    assert_eq!(results.len(), SITES.len(), "P2: one result for each site");
    for (number, site) in world.sites.iter().enumerate() {
        let here = results.iter().find(|result| result.site == site_id(number)).unwrap();
        for acknowledged in site.acknowledged.lock().unwrap().iter() {
            assert_eq!(*acknowledged, here.digest, "P1: an acknowledged result is never lost");
        }
    }
}

/// P3.
async fn each_site_was_charged_once(world: &World, round: &RoundId) {
    for site in &world.sites {
        let vault = site.agent().vault();
        let ledger = vault.ledger_list().await.unwrap();
        assert_eq!(ledger.len(), 1, "P3: one answer, one charge");
        assert_eq!(ledger[0].round, *round);
        vault.journal_verify().await.unwrap();
    }
}

/// P2, P4: each patient counts once.
fn each_bucket_holds_its_site_once(report: &[u8]) {
    let report: Value = serde_json::from_slice(report).unwrap();
    let patients = |site: &Value| site["patients"].as_u64();
    let pooled: BTreeMap<&str, u64> = report["sites"]
        .as_array()
        .unwrap()
        .iter()
        .map(|site| (site["id"].as_str().unwrap(), patients(site).unwrap()))
        .collect();
    let expected: BTreeMap<&str, u64> =
        SITES.iter().map(|(name, _, patients)| (*name, u64::from(*patients))).collect();
    assert_eq!(pooled, expected);
    for (_, bucket, patients) in SITES {
        let cells = report["subgroups"].as_array().unwrap().iter();
        let cells: Vec<&Value> = cells.filter(|cell| cell["category"] == bucket).collect();
        assert_eq!(cells.len(), 1, "one row for each bucket");
        let sum = cells[0]["patients"].as_u64().or_else(|| cells[0]["n"].as_u64());
        assert_eq!(sum, Some(u64::from(patients)), "bucket {bucket}: {}", cells[0]);
    }
}

async fn report(world: &World) -> Vec<u8> {
    world.coordinator.report_build(&world.study()).await.unwrap().report.bytes
}

async fn undisturbed() -> Vec<u8> {
    let mut world = World::new().await;
    world.apply(&Op::Dispatch).await;
    world.settle().await;
    timeless(&report(&world).await)
}

/// The report without its times.
fn timeless(report: &[u8]) -> Vec<u8> {
    let mut report: Value = serde_json::from_slice(report).unwrap();
    forget_times(&mut report);
    serde_json::to_vec(&report).unwrap()
}

fn forget_times(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                if TIMES.contains(&key.as_str()) {
                    *value = Value::Null;
                } else {
                    forget_times(value);
                }
            }
        }
        Value::Array(array) => array.iter_mut().for_each(forget_times),
        _ => {}
    }
}
