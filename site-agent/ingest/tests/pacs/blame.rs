//! A PACS in trouble makes no case fail, and a case in trouble holds up no others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_ingest::{CaseFault, InstanceKey, PacsError};

use super::server::{Asked, Reply, Server};
use super::{always, honest_query, image, instance, name, pacs, with_instance};

/// As many cases in a row as a PACS is believed that they alone are at fault.
const BELIEVED: usize = 4;

fn page() -> Reply {
    let kind = ("Content-Type", "text/html".to_owned());
    Reply::Says(200, vec![kind], b"<html>Back in an hour.</html>".to_vec())
}

/// What a PACS may say of one image, what is told of its case, and of a PACS that says it of all.
type Answer = (fn() -> Reply, CaseFault, PacsError);

fn answers() -> [Answer; 10] {
    [
        (|| Reply::status(500), CaseFault::Failing, PacsError::Failed),
        (|| Reply::Cuts(Vec::new()), CaseFault::Failing, PacsError::Failed),
        (|| Reply::status(408), CaseFault::Failing, PacsError::Failed),
        (|| Reply::status(503), CaseFault::Failing, PacsError::Busy),
        (|| Reply::status(403), CaseFault::Failing, PacsError::Refused),
        (|| Reply::status(302), CaseFault::Failing, PacsError::Redirected),
        (|| Reply::status(404), CaseFault::NoInstance, PacsError::Failed),
        (|| Reply::status(400), CaseFault::AnswerInvalid, PacsError::Failed),
        (|| Reply::status(406), CaseFault::AnswerInvalid, PacsError::Failed),
        (page, CaseFault::AnswerInvalid, PacsError::Failed),
    ]
}

#[tokio::test]
async fn a36_a_pacs_that_knows_of_its_images_and_gives_none_is_at_fault_and_no_case() {
    for (number, (answer, fault, error)) in answers().into_iter().enumerate() {
        let server = with_instance(answer).await;
        let pacs = pacs(&server);
        assert!(!pacs.is_in_doubt());
        for _ in 0..BELIEVED {
            assert_eq!(pacs.fetch(&instance()).await, Err(fault.into()), "{number}");
            assert!(pacs.is_in_doubt(), "what was told may still be wrong");
        }
        for _ in 0..2 {
            assert_eq!(pacs.fetch(&instance()).await, Err(error.into()), "{number}");
        }
    }
}

#[tokio::test]
async fn cases_between_which_an_image_comes_fail_alone() {
    let fetched = Arc::new(AtomicUsize::new(0));
    let server = with_instance(move || match fetched.fetch_add(1, Ordering::SeqCst) {
        number if number % (BELIEVED + 1) == BELIEVED => Reply::instance(&image()),
        _ => Reply::status(403),
    })
    .await;
    let pacs = pacs(&server);
    for _ in 0..3 {
        for _ in 0..BELIEVED {
            assert_eq!(pacs.fetch(&instance()).await, Err(CaseFault::Failing.into()));
        }
        assert_eq!(pacs.fetch(&instance()).await.unwrap(), image());
        assert!(!pacs.is_in_doubt());
    }
}

#[tokio::test]
async fn a36_what_speaks_in_the_place_of_a_pacs_makes_no_case_fail() {
    for (number, (answer, _, error)) in answers().into_iter().enumerate() {
        // In the middle of a run, and before the first question.
        let asked = Arc::new(AtomicUsize::new(0));
        let server = Server::start(move |question| {
            let reply = match asked.fetch_add(1, Ordering::SeqCst) {
                0..2 if question.is_wado() => Reply::instance(&image()),
                0..2 => honest_query(&question),
                _ => answer(),
            };
            async { reply }
        })
        .await;
        let begun = pacs(&server);
        assert_eq!(begun.fetch(&instance()).await.unwrap(), image());
        assert_eq!(begun.fetch(&instance()).await, Err(error.into()), "{number}");
        assert!(!begun.is_in_doubt(), "the PACS was found out");

        let server = always(answer).await;
        assert_eq!(pacs(&server).fetch(&instance()).await, Err(error.into()), "{number}");
    }
}

#[tokio::test]
async fn an_imaging_study_that_a_pacs_does_not_know_is_believed_however_often_it_comes() {
    let server = with_instance(|| Reply::instance(&image())).await;
    let pacs = pacs(&server);
    let unknown = name(InstanceKey::StudyInstanceUid, "1.9.9");
    for _ in 0..=2 * BELIEVED {
        assert_eq!(pacs.fetch(&unknown).await, Err(CaseFault::NoInstance.into()));
        assert!(!pacs.is_in_doubt());
    }
    assert_eq!(server.seen.count(Asked::is_wado), 0);
}

#[tokio::test]
async fn a_pacs_is_looked_at_by_one_question_about_nobody() {
    let server = with_instance(|| Reply::instance(&image())).await;
    pacs(&server).check().await.unwrap();
    let asked = server.seen.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].target.ends_with("/studies?StudyInstanceUID=2.25.0&limit=1"));

    let fine = || Reply::status(204);
    assert_eq!(pacs(&always(fine).await).check().await, Ok(()), "the other way to say nothing");
    for (number, (answer, fault, error)) in answers().into_iter().enumerate() {
        let server = always(answer).await;
        // What never spoke DICOMweb is another thing than what stopped speaking it.
        let found = if fault == CaseFault::Failing { error } else { PacsError::NotDicomWeb };
        assert_eq!(pacs(&server).check().await, Err(found), "{number}");
        assert_eq!(server.seen.asked().len(), 1, "{number}");
    }
}
