//! The promises, once the faults have ended.

use fedval_study::RoundId;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::op::Op;
use crate::template::{BUCKETS, SITES, site_id};
use crate::world::World;

/// Times at which things happened: the only part of a report that a fault may change.
const TIMES: [&str; 5] = ["as_of", "opened_at", "closed_at", "dispatched_at", "recorded_at"];

/// The report of a round in which nothing happened.
static UNDISTURBED: OnceCell<Vec<u8>> = OnceCell::const_new();

/// Checks them all.
pub(crate) async fn promises(world: &World) {
    let round: RoundId = format!("{}-r1", world.study()).parse().unwrap();
    acknowledged_results_are_there(world, &round).await;
    each_site_was_charged_once(world, &round).await;
    let report = report(world).await;
    each_bucket_holds_each_site_once(&report);
    // P6: the same results give the same report.
    let undisturbed = UNDISTURBED.get_or_init(undisturbed).await;
    let timeless = timeless(&report);
    let differs = std::iter::zip(&timeless, undisturbed).position(|(a, b)| a != b);
    let around = |report: &[u8]| {
        let at = differs.unwrap_or(0);
        let part = &report[at.saturating_sub(80)..report.len().min(at + 80)];
        String::from_utf8_lossy(part).into_owned()
    };
    assert!(
        timeless == *undisturbed,
        "the report differs from that of a quiet round:\n{}\n{}",
        around(&timeless),
        around(undisturbed)
    );
}

/// P6, to the last byte: a report that is built again has the same times, too. Building one takes
/// longer than most histories, so that not every history ends with this.
pub(crate) async fn report_is_repeatable(world: &World) {
    let (first, again) = (report(world).await, report(world).await);
    assert_eq!(first, again, "P6: the same results give the same report");
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

/// P2, P4: each patient counts once. In the sum over a bucket every site has a binary digit of its
/// own; a site that is counted twice carries into the next one's.
fn each_bucket_holds_each_site_once(report: &[u8]) {
    let report: Value = serde_json::from_slice(report).unwrap();
    let each_once: u64 = SITES.iter().map(|(_, patients)| u64::from(*patients)).sum();
    for bucket in BUCKETS {
        let cells = report["subgroups"].as_array().unwrap().iter();
        let cells: Vec<&Value> = cells.filter(|cell| cell["category"] == bucket).collect();
        assert_eq!(cells.len(), 1, "one row for each bucket");
        let sites = cells[0]["sites"].as_array().unwrap().iter();
        let sum: u64 = sites.map(|site| site["performance"]["patients"].as_u64().unwrap()).sum();
        assert_eq!(sum, each_once, "bucket {bucket}");
    }
}

async fn report(world: &World) -> Vec<u8> {
    world.coordinator.report_build(&world.study()).await.unwrap().files()["report.json"].clone()
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
