//! Several `fedval serve` on one database server and one place of artifacts, killed one after the
//! other while a round goes on: nothing is lost, nothing is counted twice.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod agent;
mod balancer;
mod cluster;
#[path = "../../../common/disclosure/tests/support/mod.rs"]
mod gate;
#[path = "../../../coordinator/store/tests/support/postgres.rs"]
mod postgres;
#[allow(dead_code, unreachable_pub, reason = "only its address and its keys are needed here")]
#[path = "../../../coordinator/store/tests/support/s3.rs"]
mod s3;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fedval_ambient::{Entropy as _, OsEntropy};
use fedval_store::ArtifactsConfig;
use fedval_study::ResultDigest;
use fedval_tests::canary::files_below;
use tokio::sync::watch;
use tokio::task::JoinSet;

use agent::{Agent, Plan};
use balancer::Balancer;
use cluster::Cluster;
use s3::S3Server;

/// All agents are done by then, or something hangs.
const LONGEST: Duration = Duration::from_mins(4);
/// Far more than a round takes.
const MOST_KILLS: usize = 60;

/// A number below `limit`, drawn anew each time.
fn random_below(limit: u64) -> u64 {
    let bytes = OsEntropy.bytes32();
    u64::from_le_bytes(bytes[..8].try_into().unwrap()) % limit
}

/// Kills one replica after the other until every agent is done, each at a moment for which some
/// agents wait, and starts it again. How many were killed.
async fn kill_in_turn(
    cluster: &Cluster,
    tell: &watch::Sender<usize>,
    working: &AtomicBool,
) -> usize {
    let mut kills = 0;
    while working.load(Ordering::SeqCst) && kills < MOST_KILLS {
        kills += 1;
        tell.send_replace(kills);
        pause(0, 200).await;
        let victim = kills % cluster::REPLICAS;
        cluster.kill(victim);
        pause(200, 800).await;
        cluster.start_again(victim).await;
        pause(0, 500).await;
    }
    // Nobody waits for a kill that does not come.
    tell.send_replace(usize::MAX);
    kills
}

async fn pause(shortest: u64, longest: u64) {
    let millis = shortest + random_below(longest - shortest);
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// A round of so many agents, whose answers are spread over so many kills. What each was
/// acknowledged, by site.
async fn round(cluster: &Cluster, agents: usize, spread: usize) -> BTreeMap<String, ResultDigest> {
    let balancer = Balancer::start(cluster.ports()).await;
    let (tell, killed) = watch::channel(0);
    let protocol = cluster.lock_study().await;
    let folder = cluster.path("agents");
    fs::create_dir(&folder).unwrap();
    let (enrolled, enrolments) = watch::channel(0);
    let mut working = JoinSet::new();
    for (number, (name, token)) in cluster.invite(agents).await.into_iter().enumerate() {
        let plan = Plan {
            name,
            token,
            url: balancer.url(),
            folder: folder.clone(),
            protocol: protocol.clone(),
            seed: number as u64 + 1,
            begins_at: number % spread,
            waits_for: 1 + number % spread,
        };
        working.spawn(Agent::new(plan, killed.clone()).await.work(enrolled.clone()));
    }
    let is_working = AtomicBool::new(true);
    let answering = async {
        cluster.dispatch_when_all(agents, enrolments).await;
        let acknowledged = tokio::time::timeout(LONGEST, working.join_all()).await;
        is_working.store(false, Ordering::SeqCst);
        acknowledged.expect("every agent is acknowledged").into_iter().collect()
    };
    let (kills, acknowledged) = tokio::join!(kill_in_turn(cluster, &tell, &is_working), answering);
    assert!(kills >= spread, "the round went through {kills} kills");
    acknowledged
}

/// Everything that was acknowledged stands once, and every replica says the same about it.
async fn nothing_is_lost_or_doubled(
    cluster: &Cluster,
    acknowledged: &BTreeMap<String, ResultDigest>,
) {
    let stored: BTreeMap<String, String> = cluster
        .ask("SELECT site_id, encode(digest, 'hex') FROM results ORDER BY site_id")
        .lines()
        .map(|line| line.split_once('|').unwrap())
        .map(|(site, digest)| (site.to_owned(), digest.to_owned()))
        .collect();
    let expected: BTreeMap<String, String> =
        acknowledged.iter().map(|(site, digest)| (site.clone(), digest.0.to_string())).collect();
    assert_eq!(stored, expected);
    assert_eq!(cluster.ask("SELECT count(*) FROM results"), acknowledged.len().to_string());
    assert_eq!(cluster.ask("SELECT count(*) FROM rounds"), "1");
    assert_eq!(cluster.ask("SELECT count(*) FROM dispatches"), acknowledged.len().to_string());

    cluster.fedval(0, &["study", "close", "chest", "--json"]).await.json();
    let mut packages = Vec::new();
    for replica in 0..cluster::REPLICAS {
        let out = cluster.path(&format!("report-{replica}"));
        let folder = out.to_str().unwrap();
        cluster
            .fedval(replica, &["report", "build", "chest", "--out", folder, "--json"])
            .await
            .json();
        let files = files_below(&out).into_iter();
        let files = files.map(|(path, bytes)| (path.replace(folder, ""), bytes));
        packages.push(files.collect::<BTreeMap<_, _>>());
    }
    assert!(packages.iter().all(|package| *package == packages[0]), "replicas tell two stories");
    let (package, root) = (cluster.path("report-0"), cluster.root());
    let package = package.to_str().unwrap();
    let verified = cluster.fedval(0, &["verify", package, "--root", &root]).await;
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    let report = fs::read(cluster.path("report-0").join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let sites = report["sites"].as_array().unwrap();
    assert_eq!(sites.len(), acknowledged.len());
    assert!(sites.iter().all(|site| site["status"] != "missing"), "{sites:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_agents_are_heard_once_each_while_one_of_three_replicas_after_the_other_is_killed() {
    let cluster = Cluster::start("").await;
    let acknowledged = round(&cluster, 50, 6).await;
    assert_eq!(acknowledged.len(), 50);
    nothing_is_lost_or_doubled(&cluster, &acknowledged).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_share_a_bucket_of_artifacts() {
    let bucket = S3Server::start().await;
    let ArtifactsConfig::Bucket { access, .. } = bucket.config("fedval") else { panic!("s3") };
    let keys = format!(
        "artifacts = \"s3://{}/fedval\"\nartifacts_endpoint = \"{}\"\n\
         artifacts_region = \"{}\"\nartifacts_credentials_file = \"{}\"\n",
        s3::BUCKET,
        access.endpoint.unwrap(),
        access.region.unwrap(),
        bucket.credentials_file().display(),
    );
    let cluster = Cluster::start(&keys).await;
    let acknowledged = round(&cluster, 6, 2).await;
    nothing_is_lost_or_doubled(&cluster, &acknowledged).await;
    let models = fs::read_dir(bucket.bucket().join("fedval").join("sha256")).unwrap().count();
    assert!(models > 0, "the model is in the bucket");
}
