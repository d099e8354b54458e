//! A40: invitations used twice, raced for, and guessed.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use fedval_ambient::{Entropy as _, OsEntropy};
use fedval_proto as proto;
use fedval_proto::certificate_service_client::CertificateServiceClient;
use fedval_tests::raw_client::{Party, enrol, reason};
use fedval_trust::{InviteToken, SecretKey};
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::scene::Scene;

/// Agents that race for one token, and how often.
const RACERS: u8 = 4;
const RACES: u8 = 25;
/// Wrong tokens a minute from one address, and in all before an invitation locks.
const BY_ADDRESS: u8 = 5;
const LOCKING: u8 = 10;

fn key() -> SecretKey {
    SecretKey::generate(&OsEntropy)
}

/// One of this machine's own addresses.
fn from(group: u8, number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 40, group, number)
}

async fn redeem(
    scene: &Scene,
    address: Ipv4Addr,
    token: &InviteToken,
    key: &SecretKey,
) -> Result<Party, Status> {
    enrol(scene.target.anonymous(address), token.id(), token.secret(), key).await
}

/// A wrong secret with the invitation's true name.
async fn guess(scene: &Scene, address: Ipv4Addr, token: &InviteToken) -> String {
    let channel = scene.target.anonymous(address);
    let guessed = enrol(channel, token.id(), &OsEntropy.bytes32(), &key()).await;
    reason(&guessed.unwrap_err())
}

/// The name under which the coordinator knows a party.
async fn name_of(scene: &Scene, party: &Party) -> Result<String, Status> {
    let mut client = CertificateServiceClient::new(scene.target.channel(party));
    client.check(proto::CheckRequest {}).await.map(|answer| answer.into_inner().site)
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_a_token_gives_its_key_the_same_certificate_again_and_another_key_none() {
    let scene = Scene::start();
    let (token, ours) = (scene.invite("site-a"), key());
    let first = redeem(&scene, from(0, 1), &token, &ours).await.unwrap();
    let again = redeem(&scene, from(0, 2), &token, &ours).await.unwrap();
    assert_eq!(first.certificate, again.certificate, "whoever lost the answer asks again");
    let other = redeem(&scene, from(0, 3), &token, &key()).await.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::PermissionDenied, "TOKEN_REFUSED"));
    assert!(scene.says("TOKEN_REFUSED") > 0, "it is in the log");
    assert_eq!(name_of(&scene, &first).await.unwrap(), "site-a");

    // A newer invitation ends an older one, and revocation ends what was redeemed.
    let (older, newer) = (scene.invite("site-b"), scene.invite("site-b"));
    let replaced = redeem(&scene, from(0, 4), &older, &ours).await.unwrap_err();
    assert_eq!(reason(&replaced), "TOKEN_REFUSED");
    redeem(&scene, from(0, 5), &newer, &key()).await.unwrap();
    assert_eq!(scene.consortium.fedval(&["site", "revoke", "site-a"]).code, 0);
    let revoked = redeem(&scene, from(0, 6), &token, &ours).await.unwrap_err();
    assert_eq!(reason(&revoked), "TOKEN_REFUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_of_agents_that_race_for_a_token_exactly_one_wins() {
    let scene = Scene::start();
    for race in 1..=RACES {
        let name = format!("site-{race}");
        let token = scene.invite(&name);
        let mut racers = JoinSet::new();
        for racer in 1..=RACERS {
            let (key, token) = (key(), token.clone());
            let channel = scene.target.anonymous(from(race, racer));
            racers.spawn(async move {
                let (id, secret) = (token.id(), token.secret());
                (key.clone(), enrol(channel, id, secret, &key).await)
            });
        }
        let (mut winners, mut losers) = (Vec::new(), Vec::new());
        for (key, answer) in racers.join_all().await {
            match answer {
                Ok(party) => winners.push(party),
                Err(refused) => {
                    assert_eq!(reason(&refused), "TOKEN_REFUSED", "{refused}");
                    losers.push(key);
                }
            }
        }
        let [winner] = &winners[..] else { panic!("{} won race {race}", winners.len()) };
        assert_eq!(name_of(&scene, winner).await.unwrap(), name);
        // What the winner was given is what the registry holds, for the losers too.
        let certificate = winner.certificate.clone();
        for key in losers {
            let shown = Party { key, certificate: certificate.clone() };
            assert!(name_of(&scene, &shown).await.is_err(), "a loser is let in");
        }
    }
    let listed = scene.consortium.fedval(&["site", "list", "--json"]).json();
    let sites = listed["sites"].as_array().unwrap();
    let names: BTreeSet<_> = sites.iter().map(|site| site["site"].as_str().unwrap()).collect();
    assert_eq!((sites.len(), names.len()), (RACES.into(), RACES.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_five_wrong_tokens_from_one_address_close_the_door_to_it_alone() {
    let scene = Scene::start();
    let (token, guesser) = (scene.invite("site-a"), from(0, 1));
    for _ in 0..BY_ADDRESS {
        assert_eq!(guess(&scene, guesser, &token).await, "TOKEN_REFUSED");
    }
    // Even the right one: what a sixth try says is nothing about the token.
    for _ in 0..3 {
        let refused = redeem(&scene, guesser, &token, &key()).await.unwrap_err();
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::ResourceExhausted, "TOO_MANY_TRIES")
        );
    }
    assert!(scene.says("TOO_MANY_TRIES") > 0, "it is in the log");
    let site = redeem(&scene, from(0, 2), &token, &key()).await.unwrap();
    assert_eq!(name_of(&scene, &site).await.unwrap(), "site-a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_ten_wrong_tokens_lock_an_invitation_and_a_new_one_works() {
    let scene = Scene::start();
    let (token, untouched) = (scene.invite("site-a"), scene.invite("site-b"));
    for number in 0..LOCKING {
        let address = from(1, 1 + number / (BY_ADDRESS - 1));
        assert_eq!(guess(&scene, address, &token).await, "TOKEN_REFUSED");
    }
    let locked = redeem(&scene, from(2, 1), &token, &key()).await.unwrap_err();
    assert_eq!(
        (locked.code(), reason(&locked).as_str()),
        (Code::PermissionDenied, "INVITATION_LOCKED")
    );
    assert_eq!(guess(&scene, from(2, 2), &token).await, "INVITATION_LOCKED");
    assert!(scene.says("INVITATION_LOCKED") > 0, "it is in the log");
    assert!(scene.says("wrong invitation token") >= LOCKING.into(), "each try is in the log");

    redeem(&scene, from(2, 3), &untouched, &key()).await.unwrap();
    let site = redeem(&scene, from(2, 4), &scene.invite("site-a"), &key()).await.unwrap();
    assert_eq!(name_of(&scene, &site).await.unwrap(), "site-a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a40_wrong_tokens_from_many_addresses_at_once_lock_it_too() {
    let scene = Scene::start();
    let token = scene.invite("site-a");
    let mut guesses = JoinSet::new();
    for number in 1..=4 * LOCKING {
        let channel = scene.target.anonymous(from(3, number));
        let (id, wrong, key) = (token.id(), OsEntropy.bytes32(), key());
        guesses.spawn(async move { reason(&enrol(channel, id, &wrong, &key).await.unwrap_err()) });
    }
    for answer in guesses.join_all().await {
        assert!(["TOKEN_REFUSED", "INVITATION_LOCKED"].contains(&answer.as_str()), "{answer}");
    }
    let locked = redeem(&scene, from(4, 1), &token, &key()).await.unwrap_err();
    assert_eq!(reason(&locked), "INVITATION_LOCKED");
}
