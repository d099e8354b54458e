//! A41: a recorded result is posted again, whole or changed.

use fedval_tests::raw_client::{reason, submit};
use tokio::task::JoinSet;
use tonic::Code;

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a41_the_same_result_again_gets_the_stored_answer_and_another_is_a_conflict() {
    let scene = Scene::start();
    let (site_a, site_b) = (scene.enrol("site-a").await, scene.enrol("site-b").await);
    let study = scene.dispatch("chest", &["site-a", "site-b"]);
    let (result, other) = (study.result("site-a", 1), study.result("site-a", 2));
    let channel = || scene.target.channel(&site_a);

    let first = submit(channel(), &site_a.key, &result).await.unwrap();
    assert!(!first.duplicate);
    for _ in 0..3 {
        let again = submit(channel(), &site_a.key, &result).await.unwrap();
        assert!(again.duplicate);
        assert_eq!(again.result_digest, first.result_digest);
        assert_eq!(again.recorded_at_ms, first.recorded_at_ms);
    }
    let conflict = submit(channel(), &site_a.key, &other).await.unwrap_err();
    assert_eq!((conflict.code(), reason(&conflict).as_str()), (Code::AlreadyExists, "CONFLICT"));
    scene.says_again("code=\"CONFLICT\"", 0);
    // Whoever recorded it on the way cannot post it from elsewhere.
    let replayed = submit(scene.target.channel(&site_b), &site_a.key, &result).await.unwrap_err();
    assert_eq!(reason(&replayed), "WRONG_SITE");

    // After the round nothing is added; what stands is still acknowledged, or refused as closed.
    scene.consortium.fedval(&["study", "close", "chest", "--json"]).json();
    let late = submit(channel(), &site_a.key, &other).await.unwrap_err();
    assert!(["CONFLICT", "ROUND_CLOSED"].contains(&reason(&late).as_str()), "{late}");
    let (_, report) = scene.consortium.report("chest");
    let patients = serde_json::to_value(n_of(&result)).unwrap();
    assert_eq!(report["sites"][0]["n"], patients, "the first one counts, once");
    assert_eq!(report["sites"][1]["status"], "missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a41_of_results_that_arrive_at_once_one_stands_and_the_others_conflict() {
    let scene = Scene::start();
    let site = scene.enrol("site-a").await;
    let study = scene.dispatch("chest", &["site-a"]);
    let mut posts = JoinSet::new();
    // Four results, each posted twice at once: as many calls as one site may have open.
    for post in 0..8 {
        let (seed, key) = (1 + post % 4, site.key.clone());
        let (channel, result) = (scene.target.channel(&site), study.result("site-a", seed));
        posts.spawn(async move { (seed, submit(channel, &key, &result).await) });
    }
    let (mut stands, mut new) = (Vec::new(), 0);
    for (seed, answer) in posts.join_all().await {
        match answer {
            Ok(accepted) => {
                stands.push(seed);
                new += u32::from(!accepted.duplicate);
            }
            Err(refused) => assert_eq!(reason(&refused), "CONFLICT", "{refused}"),
        }
    }
    assert_eq!((new, stands.len()), (1, 2), "one result, acknowledged to each who posted it");
    assert!(stands.iter().all(|seed| *seed == stands[0]), "{stands:?}");
}

fn n_of(result: &fedval_study::SiteResult) -> u64 {
    let fedval_study::Outcome::Released(release) = &result.outcome else { panic!("released") };
    release.overall.ranks.n_pos + release.overall.ranks.n_neg
}
