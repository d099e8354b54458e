//! Invitations.

use std::sync::Arc;

use fedval_core::Store;
use fedval_core::port::{InvitationRow, InvitationState, NewInvitation, SiteRow, SiteState};

use super::{CALLERS, MOST_WRONG, at, invitation, key, race, redeem, site_id, winners};

async fn state_of(store: &dyn Store, invitation: &NewInvitation) -> InvitationState {
    store.invitation_find(&invitation.id).await.unwrap().unwrap().state
}

pub(crate) async fn an_invitation_is_found_by_its_name_alone(store: Arc<dyn Store>) {
    let made = invitation("site-a", 1);
    assert_eq!(store.site_find(&made.site).await.unwrap(), None);
    store.invitation_insert(&made).await.unwrap();
    let invited = SiteRow { site: made.site.clone(), state: SiteState::Invited, certificate: None };
    assert_eq!(store.site_find(&made.site).await.unwrap(), Some(invited));
    let row =
        InvitationRow { invitation: made.clone(), state: InvitationState::Pending, wrong_tries: 0 };
    assert_eq!(store.invitation_find(&made.id).await.unwrap(), Some(row));
    assert_eq!(store.invitation_find(&invitation("site-a", 2).id).await.unwrap(), None);
}

pub(crate) async fn a_new_invitation_replaces_the_pending_one(store: Arc<dyn Store>) {
    let (old, new) = (invitation("site-a", 1), invitation("site-a", 2));
    let elsewhere = invitation("site-b", 1);
    for made in [&old, &elsewhere, &new] {
        store.invitation_insert(made).await.unwrap();
    }
    assert_eq!(state_of(store.as_ref(), &old).await, InvitationState::Replaced);
    assert!(!redeem(store.as_ref(), &old, 1).await);
    assert!(redeem(store.as_ref(), &new, 1).await);
    assert_eq!(state_of(store.as_ref(), &elsewhere).await, InvitationState::Pending);
}

pub(crate) async fn of_many_invitations_of_one_site_at_once_one_is_pending(store: Arc<dyn Store>) {
    race(|caller| {
        let store = Arc::clone(&store);
        async move { store.invitation_insert(&invitation("site-a", caller)).await.unwrap() }
    })
    .await;
    let mut pending = 0;
    for caller in 0..CALLERS {
        let state = state_of(store.as_ref(), &invitation("site-a", caller)).await;
        pending += usize::from(state == InvitationState::Pending);
    }
    assert_eq!(pending, 1);
}

pub(crate) async fn an_invitation_is_redeemed_once(store: Arc<dyn Store>) {
    let made = invitation("site-a", 1);
    store.invitation_insert(&made).await.unwrap();
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), None);
    assert!(redeem(store.as_ref(), &made, 1).await);
    assert_eq!(state_of(store.as_ref(), &made).await, InvitationState::Redeemed(key(1)));
    assert!(!redeem(store.as_ref(), &made, 2).await);
    assert!(!redeem(store.as_ref(), &made, 1).await, "the same key again is no second enrolment");
    let row = SiteRow {
        site: made.site.clone(),
        state: SiteState::Enrolled,
        certificate: Some("certificate 1".to_owned()),
    };
    assert_eq!(store.site_find(&made.site).await.unwrap(), Some(row));
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), Some(made.site));
    assert_eq!(store.site_by_key(&key(2)).await.unwrap(), None);
}

pub(crate) async fn an_expired_invitation_is_not_redeemed(store: Arc<dyn Store>) {
    let made = invitation("site-a", 1);
    store.invitation_insert(&made).await.unwrap();
    let late = store.invitation_redeem(&made.id, at(60), MOST_WRONG, &key(1), "pem").await.unwrap();
    assert!(!late);
    let row = store.site_find(&made.site).await.unwrap().unwrap();
    assert_eq!(row.state, SiteState::Invited);
    let in_time = store.invitation_redeem(&made.id, at(59), MOST_WRONG, &key(1), "pem").await;
    assert!(in_time.unwrap());
}

pub(crate) async fn too_many_wrong_tries_lock_an_invitation(store: Arc<dyn Store>) {
    let (made, other) = (invitation("site-a", 1), invitation("site-b", 1));
    assert_eq!(store.invitation_count_wrong(&made.id).await.unwrap(), 0, "there is none yet");
    store.invitation_insert(&made).await.unwrap();
    store.invitation_insert(&other).await.unwrap();
    for tries in 1..=MOST_WRONG {
        assert_eq!(store.invitation_count_wrong(&made.id).await.unwrap(), tries);
    }
    let row = store.invitation_find(&made.id).await.unwrap().unwrap();
    assert_eq!((row.wrong_tries, row.state), (MOST_WRONG, InvitationState::Pending));
    assert!(!redeem(store.as_ref(), &made, 1).await);
    assert!(redeem(store.as_ref(), &other, 2).await, "another's wrong tries are not its own");
}

pub(crate) async fn wrong_tries_at_once_are_all_counted(store: Arc<dyn Store>) {
    let made = invitation("site-a", 1);
    store.invitation_insert(&made).await.unwrap();
    let mut counted = race(|_| {
        let (store, id) = (Arc::clone(&store), made.id);
        async move { store.invitation_count_wrong(&id).await.unwrap() }
    })
    .await;
    counted.sort_unstable();
    assert_eq!(counted, (1..=u32::from(CALLERS)).collect::<Vec<_>>());
}

pub(crate) async fn of_many_who_race_for_one_invitation_exactly_one_wins(store: Arc<dyn Store>) {
    let made = invitation("site-a", 1);
    store.invitation_insert(&made).await.unwrap();
    let won = race(|caller| {
        let (store, made) = (Arc::clone(&store), made.clone());
        async move { redeem(store.as_ref(), &made, caller).await }
    })
    .await;
    assert_eq!(winners(&won), 1, "{won:?}");
    for (caller, won) in (0..).zip(won) {
        let site = store.site_by_key(&key(caller)).await.unwrap();
        assert_eq!(site.is_some(), won, "the winner's key is the site's, and no other");
        let is_redeemer =
            state_of(store.as_ref(), &made).await == InvitationState::Redeemed(key(caller));
        assert_eq!(is_redeemer, won);
    }
}

pub(crate) async fn a_redemption_that_races_with_wrong_tries_wins_or_finds_it_locked(
    store: Arc<dyn Store>,
) {
    for number in 0..10 {
        let made = invitation(&format!("site-{number}"), 1);
        store.invitation_insert(&made).await.unwrap();
        let won = race(|caller| {
            let (store, made) = (Arc::clone(&store), made.clone());
            async move {
                if caller == 4 {
                    return redeem(store.as_ref(), &made, number).await;
                }
                store.invitation_count_wrong(&made.id).await.unwrap();
                false
            }
        })
        .await;
        let row = store.invitation_find(&made.id).await.unwrap().unwrap();
        assert_eq!(row.wrong_tries, u32::from(CALLERS) - 1);
        let expected = match winners(&won) {
            1 => InvitationState::Redeemed(key(number)),
            _ => InvitationState::Pending,
        };
        assert_eq!(row.state, expected);
    }
}

pub(crate) async fn a_redemption_that_races_with_a_revocation_leaves_no_working_key(
    store: Arc<dyn Store>,
) {
    for number in 0..10 {
        let made = invitation(&format!("site-{number}"), 1);
        store.invitation_insert(&made).await.unwrap();
        race(|caller| {
            let (store, made) = (Arc::clone(&store), made.clone());
            async move {
                if caller % 2 == 0 {
                    assert!(store.site_revoke(&made.site).await.unwrap());
                } else {
                    redeem(store.as_ref(), &made, number * CALLERS + caller).await;
                }
            }
        })
        .await;
        // Whoever redeemed did so before the last revocation, or the first one took the invitation.
        let row = store.site_find(&made.site).await.unwrap().unwrap();
        assert_eq!(row.state, SiteState::Revoked);
        for caller in 0..CALLERS {
            let works = store.site_by_key(&key(number * CALLERS + caller)).await.unwrap();
            assert_eq!(works, None);
        }
    }
}

pub(crate) async fn whoever_reads_during_an_enrolment_sees_it_whole(store: Arc<dyn Store>) {
    let made = invitation("site-a", 1);
    store.invitation_insert(&made).await.unwrap();
    race(|caller| {
        let (store, made) = (Arc::clone(&store), made.clone());
        async move {
            if caller == 4 {
                assert!(redeem(store.as_ref(), &made, 1).await);
            }
            for _ in 0..5 {
                let enrolled = state_of(store.as_ref(), &made).await != InvitationState::Pending;
                let listed = store.site_list().await.unwrap();
                let by_key = store.site_by_key(&key(1)).await.unwrap();
                assert!(by_key.is_some() || !enrolled, "what was seen once stays");
                let [row] = &listed[..] else { panic!("one site: {listed:?}") };
                assert_eq!(row.certificate.is_some(), row.state == SiteState::Enrolled, "{row:?}");
            }
        }
    })
    .await;
    assert_eq!(store.site_by_key(&key(1)).await.unwrap(), Some(site_id("site-a")));
}
