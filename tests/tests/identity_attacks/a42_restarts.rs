//! A42: a round is sent again after its coordinator crashed; what was counted is counted once.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use fedval_study::SiteResult;
use fedval_tests::process::binary;
use fedval_tests::raw_client::{Party, Target, reason, submit};
use serde_json::Value;

use crate::scene::{Scene, Study};

const SITES: [&str; 4] = ["site-a", "site-b", "site-c", "site-d"];

/// Posts until the coordinator acknowledges, as an agent's outbox does.
async fn deliver(target: &Target, site: &Party, result: &SiteResult) -> bool {
    let mut channel = target.channel(site);
    loop {
        match submit(channel.clone(), &site.key, result).await {
            Ok(accepted) => return accepted.duplicate,
            // Nobody was there, or fell silent: never a refusal.
            Err(refused) => assert_eq!(reason(&refused), "", "{refused}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        channel = target.channel(site);
    }
}

/// The report's totals by site, and its file without what differs from run to run.
fn totals(scene: &Scene) -> Vec<(Value, Value, Value)> {
    let (_, report) = scene.consortium.report("chest");
    let sites = report["sites"].as_array().unwrap().iter();
    sites.map(|s| (s["site"].clone(), s["n"].clone(), s["operating_points"].clone())).collect()
}

/// A round of which nothing went wrong.
async fn undisturbed() -> Vec<(Value, Value, Value)> {
    let scene = Scene::start();
    let mut sites = Vec::new();
    for name in SITES {
        sites.push(scene.enrol(name).await);
    }
    let study = scene.dispatch("chest", &[]);
    for (seed, (name, site)) in (1..).zip(SITES.iter().zip(&sites)) {
        let result = study.result(name, seed);
        submit(scene.target.channel(site), &site.key, &result).await.unwrap();
    }
    scene.consortium.fedval(&["study", "close", "chest", "--json"]).json();
    totals(&scene)
}

/// Starts `fedval study dispatch` and does not wait for it.
fn begin_dispatch(home: &Path) -> std::process::Child {
    Command::new(binary("fedval"))
        .args(["study", "dispatch", "chest", "--home"])
        .arg(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills the coordinator while a dispatch is under way, and sends the round again.
async fn dispatch_in_spite_of_crashes(scene: &mut Scene) -> String {
    for delay in [0, 15, 30, 60, 120] {
        let mut dispatching = begin_dispatch(&scene.consortium.home());
        tokio::time::sleep(Duration::from_millis(delay)).await;
        scene.consortium.stop();
        dispatching.wait().unwrap();
        scene.consortium.serve();
    }
    scene.send("chest", &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a42_a_round_sent_again_after_crashes_has_one_result_for_each_site() {
    let expected = undisturbed().await;
    let mut scene = Scene::start();
    let mut sites = Vec::new();
    for name in SITES {
        sites.push(scene.enrol(name).await);
    }
    // The round is begun by the first dispatch that comes through, whichever that is.
    let study = scene.dispatch("chest", &["site-a"]);
    let round = dispatch_in_spite_of_crashes(&mut scene).await;
    assert_eq!(round, study.round, "there is one round");

    for (seed, (name, site)) in (1..).zip(SITES.iter().zip(&sites)) {
        deliver_through_a_crash(&mut scene, &study, name, site, seed).await;
        // Sent again to everybody: who has answered is not asked again.
        assert_eq!(scene.send("chest", &[]), study.round);
        assert_eq!(scene.status_of("chest", name), "released");
    }
    for (seed, (name, site)) in (1..).zip(SITES.iter().zip(&sites)) {
        assert!(deliver(&scene.target, site, &study.result(name, seed)).await, "it was there");
    }
    let rounds = scene.consortium.fedval(&["study", "status", "chest", "--json"]).json();
    assert_eq!(rounds["rounds"].as_array().unwrap().len(), 1, "{rounds}");
    scene.consortium.fedval(&["study", "close", "chest", "--json"]).json();
    assert_eq!(totals(&scene), expected);
}

/// The coordinator is killed while the result is on its way; the site posts until it is taken.
async fn deliver_through_a_crash(
    scene: &mut Scene,
    study: &Study,
    name: &str,
    site: &Party,
    seed: u8,
) {
    let (target, site) = (scene.target.clone(), site.clone());
    let result = study.result(name, seed.into());
    let delivering = tokio::spawn(async move { deliver(&target, &site, &result).await });
    tokio::time::sleep(Duration::from_millis(u64::from(seed) * 8)).await;
    scene.consortium.stop();
    scene.consortium.serve();
    delivering.await.unwrap();
}
