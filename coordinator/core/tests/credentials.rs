//! Passwords and passes: who gets in, and who no longer.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bench;
#[path = "../../../common/study/tests/support/mod.rs"]
mod support;

use bench::{Bench, bench, chest, code};
use fedval_core::{PassSecret, Password, Visitor};
use fedval_study::{Name, PersonRole};

const OWN: &str = "a sentence that I keep to myself";

fn ada() -> Name {
    "ada".parse().unwrap()
}

fn typed(text: &str) -> Password {
    Password::typed(text.to_owned())
}

/// Ada is admitted; what an operator issued is what she has.
async fn admitted() -> (Bench, Password) {
    let bench = bench().await;
    let key = bench.ada.0.public();
    bench.coordinator.person_admit(ada(), PersonRole::Statistician, key).await.unwrap();
    let issued = bench.coordinator.password_issue(&ada()).await.unwrap();
    (bench, issued)
}

async fn with_own_password() -> Bench {
    let (bench, issued) = admitted().await;
    bench.coordinator.password_change(&ada(), &issued, typed(OWN)).await.unwrap();
    bench
}

#[tokio::test]
async fn an_issued_password_opens_its_replacement_alone() {
    let (bench, issued) = admitted().await;
    let coordinator = &bench.coordinator;
    assert_eq!(code(coordinator.password_check(&ada(), &issued).await), "PASSWORD_ISSUED");
    for refused in ["too short", &"x".repeat(257), issued.as_str()] {
        let changed = coordinator.password_change(&ada(), &issued, typed(refused)).await;
        assert_eq!(code(changed), "PASSWORD_NOT_ALLOWED");
    }
    coordinator.password_change(&ada(), &issued, typed(OWN)).await.unwrap();
    let person = coordinator.password_check(&ada(), &typed(OWN)).await.unwrap();
    assert_eq!((person.name, person.role), (ada(), PersonRole::Statistician));
    assert_eq!(code(coordinator.password_check(&ada(), &issued).await), "PASSWORD_WRONG");
}

#[tokio::test]
async fn who_has_no_password_is_told_no_more_than_who_types_a_wrong_one() {
    let bench = with_own_password().await;
    let nobody: Name = "nobody".parse().unwrap();
    assert_eq!(
        code(bench.coordinator.password_check(&nobody, &typed(OWN)).await),
        "PASSWORD_WRONG"
    );
    assert_eq!(code(bench.coordinator.password_check(&ada(), &typed("x")).await), "PASSWORD_WRONG");
    assert_eq!(code(bench.coordinator.password_issue(&nobody).await), "PERSON_NOT_FOUND");
}

#[tokio::test]
async fn five_wrong_tries_close_a_name_for_a_quarter_of_an_hour() {
    let bench = with_own_password().await;
    let check = |text: &'static str| {
        let coordinator = bench.coordinator.clone();
        async move { coordinator.password_check(&ada(), &typed(text)).await }
    };
    for _ in 0..4 {
        assert_eq!(code(check("wrong").await), "PASSWORD_WRONG");
    }
    check(OWN).await.unwrap();
    for _ in 0..5 {
        assert_eq!(code(check("wrong").await), "PASSWORD_WRONG");
    }
    assert_eq!(code(check(OWN).await), "PASSWORD_TRIES");
    bench.clock.advance_seconds(15 * 60);
    check(OWN).await.unwrap();
}

#[tokio::test]
async fn a_login_ends_with_its_day_its_password_or_its_person() {
    let bench = with_own_password().await;
    let coordinator = &bench.coordinator;
    let open = || async { coordinator.pass_of_person(&ada()).await.unwrap().unwrap() };
    let is_in = |pass: PassSecret| async move {
        matches!(coordinator.visitor(&pass).await.unwrap(), Some(Visitor::Person(_)))
    };
    let first = open().await;
    assert!(is_in(first.clone()).await);
    bench.clock.advance_seconds(10 * 3600);
    assert!(!is_in(first).await);
    let second = open().await;
    coordinator.log_out(&second).await.unwrap();
    assert!(!is_in(second).await);
    let third = open().await;
    coordinator.password_issue(&ada()).await.unwrap();
    assert!(!is_in(third).await);
    let fourth = open().await;
    let bea = fedval_trust::SecretKey::generate(bench.entropy.as_ref()).public();
    coordinator.person_admit("bea".parse().unwrap(), PersonRole::Operator, bea).await.unwrap();
    coordinator.person_dismiss(ada()).await.unwrap();
    assert!(!is_in(fourth).await);
    assert_eq!(coordinator.pass_of_person(&ada()).await.unwrap(), None);
}

#[tokio::test]
async fn a_link_is_to_one_study_for_as_long_as_was_said() {
    let bench = bench().await;
    bench.lock().await;
    let coordinator = &bench.coordinator;
    for days in [0, 91] {
        assert_eq!(code(coordinator.study_share(&chest(), days).await), "LINK_LIFE");
    }
    let unknown = "unknown".parse().unwrap();
    assert_eq!(code(coordinator.study_share(&unknown, 1).await), "STUDY_NOT_FOUND");
    let (link, until) = coordinator.study_share(&chest(), 1).await.unwrap();
    assert_eq!(coordinator.visitor(&link).await.unwrap(), Some(Visitor::Reader(chest())));
    coordinator.log_out(&link).await.unwrap();
    assert!(coordinator.visitor(&link).await.unwrap().is_some(), "a link is not logged out");
    let guessed = PassSecret::sent(link.as_str().to_uppercase());
    assert_eq!(coordinator.visitor(&guessed).await.unwrap(), None);
    bench.clock.advance_seconds(24 * 3600);
    assert_eq!(coordinator.clock().now(), until);
    assert_eq!(coordinator.visitor(&link).await.unwrap(), None);
}
