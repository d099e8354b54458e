//! A46: orders and protocols without a signature that they need, under one of another type, or under another's name.

use fedval_ambient::{MockClock, SeededEntropy};
use fedval_egress::Offer;
use fedval_study::Canonical;
use fedval_trust::{Authority, Endorsement, PayloadType, Role};

use super::{Party, Scene, certified, endorsed, support};

/// The parties of another consortium.
fn strangers() -> [Party; 2] {
    let (clock, entropy) = (MockClock::default(), SeededEntropy::new(7));
    let authority = Authority::create(&clock, &entropy).unwrap();
    [Role::Sponsor, Role::Coordinator].map(|role| certified(&authority, &role, &clock, &entropy))
}

/// A signature under the certificate of somebody else.
fn under_the_name_of((_, certificate): &Party, signed: &Endorsement) -> Endorsement {
    Endorsement { certificate: certificate.to_pem(), signature: signed.signature }
}

/// Each of these is refused with the code, and leaves no order; then the honest one is taken.
async fn are_refused(
    scene: &Scene,
    honest: Offer,
    code: &str,
    forged: Vec<(&str, Vec<Endorsement>)>,
    put: impl Fn(&mut Offer, Vec<Endorsement>),
) {
    for (what, endorsements) in forged {
        let mut offer = honest.clone();
        put(&mut offer, endorsements);
        assert_eq!(scene.take(offer).await, Err(code), "{what}");
        assert!(scene.rounds().await.is_empty(), "{what}");
    }
    assert_eq!(scene.take(honest).await, Ok(()));
    assert_eq!(scene.rounds().await, ["chest-r1"]);
}

#[tokio::test]
async fn a46_a_protocol_needs_the_signatures_of_sponsor_and_coordinator_as_a_protocol() {
    let scene = Scene::new().await;
    let locked = support::locked();
    let by = |kind, who: &Party| endorsed(kind, locked.bytes(), who);
    let [sponsor, coordinator] =
        [&scene.sponsor, &scene.coordinator].map(|who| by(PayloadType::Protocol, who));
    let [other_sponsor, other_coordinator] = strangers().map(|who| by(PayloadType::Protocol, &who));
    let of_type = |kind| vec![by(kind, &scene.sponsor), by(kind, &scene.coordinator)];
    let forged = vec![
        ("nobody", Vec::new()),
        ("the coordinator alone", vec![coordinator.clone()]),
        ("the coordinator twice", vec![coordinator.clone(), coordinator.clone()]),
        ("the sponsor alone", vec![sponsor.clone()]),
        (
            "the coordinator in the sponsor's name",
            vec![under_the_name_of(&scene.sponsor, &coordinator), coordinator.clone()],
        ),
        (
            "both, each in the other's name",
            vec![
                under_the_name_of(&scene.coordinator, &sponsor),
                under_the_name_of(&scene.sponsor, &coordinator),
            ],
        ),
        ("both, as an order", of_type(PayloadType::Dispatch)),
        ("both, as a report", of_type(PayloadType::Report)),
        ("another consortium's sponsor", vec![other_sponsor, coordinator.clone()]),
        ("another consortium's coordinator", vec![sponsor, other_coordinator]),
    ];
    let honest = scene.honest(&locked, "chest-r1");
    let put = |offer: &mut Offer, endorsements| offer.protocol_endorsements = endorsements;
    are_refused(&scene, honest, "PROTOCOL_SIGNATURE", forged, put).await;
}

#[tokio::test]
async fn a46_an_order_needs_the_signature_of_the_coordinator_as_an_order() {
    let scene = Scene::new().await;
    let locked = support::locked();
    let honest = scene.honest(&locked, "chest-r1");
    let order = Canonical::new(honest.dispatch.clone()).unwrap().into_bytes();
    let by = |kind, who: &Party| endorsed(kind, &order, who);
    let site = (scene.agent.identity.key.clone(), scene.agent.identity.certificate.clone());
    let sponsor = by(PayloadType::Dispatch, &scene.sponsor);
    let [_, stranger] = strangers();
    let mut other = honest.dispatch.clone();
    other.round = "chest-r9".parse().unwrap();
    let other = Canonical::new(other).unwrap().into_bytes();
    let forged = vec![
        ("nobody", Vec::new()),
        ("the sponsor", vec![sponsor.clone()]),
        (
            "the sponsor in the coordinator's name",
            vec![under_the_name_of(&scene.coordinator, &sponsor)],
        ),
        ("the site itself", vec![by(PayloadType::Dispatch, &site)]),
        ("as a protocol", vec![by(PayloadType::Protocol, &scene.coordinator)]),
        ("another consortium's coordinator", vec![by(PayloadType::Dispatch, &stranger)]),
        (
            "the coordinator, of another round",
            vec![endorsed(PayloadType::Dispatch, &other, &scene.coordinator)],
        ),
    ];
    let put = |offer: &mut Offer, endorsements| offer.dispatch_endorsements = endorsements;
    are_refused(&scene, honest, "ORDER_SIGNATURE", forged, put).await;
}
