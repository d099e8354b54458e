//! A47: a protocol that was replaced, served again under all the signatures that it ever had.

use super::{Scene, amended, support};

#[tokio::test]
async fn a47_a_version_that_was_replaced_is_refused_also_after_a_restart() {
    let mut scene = Scene::new().await;
    let first = support::locked();
    let second = amended(&first, "Rightly spelt");
    assert_eq!(scene.take(scene.honest(&first, "chest-r1")).await, Ok(()));
    assert_eq!(scene.take(scene.honest(&second, "chest-r2")).await, Ok(()));
    scene.restart().await;
    for round in ["chest-r1", "chest-r3"] {
        assert_eq!(scene.take(scene.honest(&first, round)).await, Err("PROTOCOL_OLDER"));
    }
    assert_eq!(scene.take(scene.honest(&second, "chest-r3")).await, Ok(()), "in force it stays");
    assert_eq!(scene.rounds().await, ["chest-r1", "chest-r2", "chest-r3"]);
}

#[tokio::test]
async fn a47_another_protocol_as_the_same_version_is_refused_and_a_newer_one_is_taken() {
    let scene = Scene::new().await;
    let first = support::locked();
    let (second, forked) = (amended(&first, "Rightly spelt"), amended(&first, "Spelt otherwise"));
    assert_eq!(scene.take(scene.honest(&second, "chest-r2")).await, Ok(()));
    assert_eq!(scene.take(scene.honest(&forked, "chest-r3")).await, Err("PROTOCOL_FORKED"));
    assert_eq!(scene.rounds().await, ["chest-r2"]);
    let third = amended(&forked, "Spelt in a third way");
    assert_eq!(scene.take(scene.honest(&third, "chest-r4")).await, Ok(()));
    assert_eq!(scene.take(scene.honest(&second, "chest-r5")).await, Err("PROTOCOL_OLDER"));
}

/// What is not taken because of its signatures is not remembered either: nobody else can lock a site out.
#[tokio::test]
async fn a47_a_newer_version_that_nobody_signed_replaces_nothing() {
    let scene = Scene::new().await;
    let first = support::locked();
    let mut forged = scene.honest(&amended(&first, "Rightly spelt"), "chest-r2");
    forged.protocol_endorsements.remove(0);
    assert_eq!(scene.take(forged).await, Err("PROTOCOL_SIGNATURE"));
    assert_eq!(scene.take(scene.honest(&first, "chest-r1")).await, Ok(()));
}
