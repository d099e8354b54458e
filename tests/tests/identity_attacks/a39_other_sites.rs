//! A39: one site posts what it says another found.

use fedval_tests::raw_client::{reason, submit};
use tonic::Code;

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a39_a_site_cannot_post_for_another_whatever_it_signs() {
    let scene = Scene::start();
    let (site_a, site_b) = (scene.enrol("site-a").await, scene.enrol("site-b").await);
    let study = scene.dispatch("chest", &["site-a", "site-b"]);
    let (of_a, of_b) = (study.result("site-a", 1), study.result("site-b", 2));
    let as_a = || scene.target.channel(&site_a);
    let refused = |answer: Result<_, tonic::Status>| {
        let refused = answer.map(|_: fedval_proto::SubmitResultResponse| ()).unwrap_err();
        (refused.code(), reason(&refused))
    };
    let wrong_site = (Code::PermissionDenied, "WRONG_SITE".to_owned());
    let wrong_signature = (Code::PermissionDenied, "RESULT_SIGNATURE".to_owned());

    // Labelled for the other, with its own signature; then with the other's, seen somewhere.
    assert_eq!(refused(submit(as_a(), &site_a.key, &of_b).await), wrong_site);
    assert_eq!(refused(submit(as_a(), &site_b.key, &of_b).await), wrong_site);
    // Labelled for itself, signed by the other.
    assert_eq!(refused(submit(as_a(), &site_b.key, &of_a).await), wrong_signature);
    assert_eq!(scene.status_of("chest", "site-a"), "missing");
    assert_eq!(scene.status_of("chest", "site-b"), "missing");
    for code in ["WRONG_SITE", "RESULT_SIGNATURE"] {
        assert!(scene.says(code) > 0, "{code} is not in the log");
    }

    // Nothing of it stands in the way of what the site itself hands in.
    let stands = submit(scene.target.channel(&site_b), &site_b.key, &of_b).await.unwrap();
    assert!(!stands.duplicate);
    assert_eq!(refused(submit(as_a(), &site_a.key, &of_b).await), wrong_site);
    assert_eq!(scene.status_of("chest", "site-b"), "released");
}

#[tokio::test(flavor = "multi_thread")]
async fn a39_one_key_is_one_site() {
    let scene = Scene::start();
    let site_a = scene.enrol("site-a").await;
    let token = scene.invite("site-b");
    let study = scene.dispatch("chest", &["site-a"]);
    // The machine of one site redeems the invitation of another with the key that it has.
    let channel = scene.target.anonymous(std::net::Ipv4Addr::LOCALHOST);
    let second =
        fedval_tests::raw_client::enrol(channel, token.id(), token.secret(), &site_a.key).await;
    assert!(second.is_err(), "a key speaks for one site");
    submit(scene.target.channel(&site_a), &site_a.key, &study.result("site-a", 1)).await.unwrap();
    assert_eq!(scene.status_of("chest", "site-a"), "released");
}
