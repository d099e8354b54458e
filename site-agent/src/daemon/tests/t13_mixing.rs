//! T13: parts that are each signed and do not belong together, and orders that were held back.

use fedval_study::{Dispatch, ModelDigest, Sha256Digest};

use super::{DAYS, Scene, amended, support};

#[tokio::test]
async fn t13_an_order_binds_study_version_protocol_and_model_to_each_other() {
    let scene = Scene::new().await;
    let first = support::locked();
    let second = amended(&first, "Rightly spelt");
    let honest = || scene.order(&second, "chest-r2");
    let mixed: [(&str, Dispatch); 5] = [
        ("the number of another version", Dispatch { protocol_version: 3, ..honest() }),
        ("another study", Dispatch { study: "bone".parse().unwrap(), ..honest() }),
        (
            "another model",
            Dispatch { model: ModelDigest(Sha256Digest::of(b"another model")), ..honest() },
        ),
        ("a longer model", Dispatch { model_bytes: honest().model_bytes + 1, ..honest() }),
        ("the version before", Dispatch { protocol: first.digest(), ..honest() }),
    ];
    for (what, order) in mixed {
        // The coordinator signs what it likes.
        let protocol = if order.protocol == first.digest() { &first } else { &second };
        let refused = scene.take(scene.offer(order, protocol)).await;
        assert_eq!(refused, Err("ORDER_PROTOCOL_MISMATCH"), "{what}");
    }
    assert!(scene.rounds().await.is_empty());
    assert_eq!(scene.take(scene.honest(&second, "chest-r2")).await, Ok(()));
}

#[tokio::test]
async fn t13_other_bytes_under_the_digest_that_was_ordered_are_no_protocol() {
    let scene = Scene::new().await;
    let first = support::locked();
    let second = amended(&first, "Rightly spelt");
    // With the signatures of what was ordered, and with those of what is brought.
    let ordered = scene.honest(&second, "chest-r2");
    let mut brought = ordered.clone();
    brought.protocol_endorsements = scene.honest(&first, "chest-r1").protocol_endorsements;
    scene.link.bring(second.digest().0, first.bytes());
    assert_eq!(scene.take(ordered).await, Err("PROTOCOL_SIGNATURE"));
    assert_eq!(scene.take(brought).await, Err("ORDER_PROTOCOL_MISMATCH"));
    assert!(scene.rounds().await.is_empty());
}

#[tokio::test]
async fn t13_an_order_that_was_held_back_until_its_certificate_ran_out_is_refused() {
    let scene = Scene::new().await;
    let locked = support::locked();
    let held_back = scene.honest(&locked, "chest-r1");
    scene.clock.advance_seconds((DAYS - 1) * 86_400);
    let in_time = scene.honest(&locked, "chest-r2");
    assert_eq!(scene.take(in_time).await, Ok(()));
    scene.clock.advance_seconds(2 * 86_400);
    assert_eq!(scene.take(held_back).await, Err("ORDER_SIGNATURE"));
    assert_eq!(scene.rounds().await, ["chest-r2"]);
}
