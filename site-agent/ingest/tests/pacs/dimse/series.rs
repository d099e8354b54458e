//! A whole series by one request: C-GET or C-MOVE at the level of series.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dicom_dictionary_std::tags;
use dicom_dictionary_std::uids::{CT_IMAGE_STORAGE as CLASS, JPEG2000_LOSSLESS};
use fedval_ingest::{CaseFault, FetchError, FetchedVolume, InstanceKey, Pacs, PacsError};

use super::moving::{TITLES, free_port, moving_settings};
use super::peer::{Asked, FIND, GET, MOVE, PENDING, Peer, Talk, bring};
use super::{DATA, settings};
use crate::{SERIES, STUDY, name};

/// Images of the series.
const IMAGES: usize = 12;

fn uid(number: usize) -> String {
    format!("{SERIES}.{number}")
}

/// The images in another order than that of their UIDs.
fn all() -> impl DoubleEndedIterator<Item = String> {
    (0..IMAGES).map(uid)
}

fn honest_find(talk: &mut Talk, asked: &Asked) -> Option<()> {
    match asked.key(tags::QUERY_RETRIEVE_LEVEL) {
        "SERIES" => {
            let told = IMAGES.to_string();
            let found = [
                (tags::MODALITY, "CT"),
                (tags::STUDY_INSTANCE_UID, STUDY),
                (tags::SERIES_INSTANCE_UID, SERIES),
                (tags::NUMBER_OF_SERIES_RELATED_INSTANCES, told.as_str()),
            ];
            talk.answer(asked, PENDING, Some(&found))?;
        }
        "IMAGE" => {
            for uid in all() {
                let found = [(tags::SOP_CLASS_UID, CLASS), (tags::SOP_INSTANCE_UID, uid.as_str())];
                talk.answer(asked, PENDING, Some(&found))?;
            }
        }
        _ => {}
    }
    talk.answer(asked, 0, None)
}

/// A PACS that is honest but for the series itself.
fn with_get(answer: impl Fn(&mut Talk, &Asked) -> Option<()> + Send + Sync + 'static) -> Peer {
    Peer::start(move |talk, asked| match asked.field {
        FIND => honest_find(talk, asked),
        _ => answer(talk, asked),
    })
}

/// Sends these images; ends with success.
fn send(talk: &mut Talk, asked: &Asked, uids: impl Iterator<Item = String>) -> Option<()> {
    for uid in uids {
        talk.store(CLASS, JPEG2000_LOSSLESS, &uid, DATA)?;
        talk.answer(asked, PENDING, None)?;
    }
    talk.answer(asked, 0, None)
}

async fn fetch(pacs: Pacs, key: InstanceKey, value: &str) -> Result<FetchedVolume, FetchError> {
    pacs.keeping_series_in(std::env::temp_dir()).fetch_volume(&name(key, value)).await
}

async fn by_get(peer: &Peer) -> Result<FetchedVolume, FetchError> {
    let pacs = Pacs::by_dimse(settings(peer.port)).unwrap();
    fetch(pacs, InstanceKey::SeriesInstanceUid, SERIES).await
}

/// All images, each once and whole, in the order of their UIDs.
fn check(volume: Result<FetchedVolume, FetchError>) {
    let Ok(FetchedVolume::Series(files)) = volume else { panic!("{volume:?}") };
    let mut uids: Vec<String> = all().collect();
    uids.sort();
    assert_eq!(files.count(), IMAGES);
    for (place, uid) in uids.iter().enumerate() {
        let file = files.read(place).unwrap();
        // Behind the UID comes padding, or the next element.
        let own = [&b"\x02\x00\x03\x00UI"[..], &length(uid), uid.as_bytes()].concat();
        assert!(file.windows(own.len()).any(|window| window == own), "{uid}");
        assert!(file.ends_with(DATA), "{uid}");
    }
}

fn length(uid: &str) -> [u8; 2] {
    u16::try_from(uid.len().next_multiple_of(2)).unwrap().to_le_bytes()
}

#[tokio::test]
async fn a_series_comes_by_one_c_get() {
    let peer = with_get(|talk, asked| send(talk, asked, all().rev()));
    check(by_get(&peer).await);
    let asked = peer.seen.last(GET);
    assert_eq!(asked.key(tags::QUERY_RETRIEVE_LEVEL), "SERIES");
    assert_eq!(asked.key(tags::STUDY_INSTANCE_UID), STUDY);
    assert_eq!(asked.key(tags::SERIES_INSTANCE_UID), SERIES);
    assert_eq!(asked.key(tags::SOP_INSTANCE_UID), "");
    assert_eq!(peer.seen.count(GET), 1);
    let by_study = Pacs::by_dimse(settings(peer.port)).unwrap();
    check(fetch(by_study, InstanceKey::StudyInstanceUid, STUDY).await);
}

#[tokio::test]
async fn a_series_comes_by_one_c_move_over_as_many_associations_as_the_pacs_likes() {
    let port = free_port().await;
    let peer = with_get(move |talk, asked| {
        for uid in all().rev() {
            let status = bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, &uid, DATA);
            assert_eq!(status, Some(0), "{uid}");
            let again = bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, &uid, DATA);
            assert_eq!(again, None, "each is taken once");
            talk.answer(asked, PENDING, None)?;
        }
        talk.answer(asked, 0, None)
    });
    let pacs = Pacs::by_dimse(moving_settings(&peer, port)).unwrap();
    check(fetch(pacs, InstanceKey::SeriesInstanceUid, SERIES).await);
    assert_eq!(peer.seen.count(MOVE), 1);
}

#[tokio::test]
async fn a36_a_series_by_c_move_that_has_more_images_than_are_listed_is_not_taken() {
    let port = free_port().await;
    let peer = with_get(move |talk, asked| {
        for uid in all().chain([uid(IMAGES)]) {
            let status = bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, &uid, DATA);
            assert_eq!(status, (uid != self::uid(IMAGES)).then_some(0), "{uid}");
            talk.answer(asked, PENDING, None)?;
        }
        talk.answer(asked, 0, None)
    });
    let pacs = Pacs::by_dimse(moving_settings(&peer, port)).unwrap();
    let failed = fetch(pacs, InstanceKey::SeriesInstanceUid, SERIES).await.unwrap_err();
    assert_eq!(failed, FetchError::from(CaseFault::OtherInstance));
}

#[tokio::test]
async fn a_series_that_breaks_off_is_asked_for_once_more_from_its_beginning() {
    let tries = Arc::new(AtomicUsize::new(0));
    let peer = with_get(move |talk, asked| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => {
            for uid in all().take(5) {
                talk.store(CLASS, JPEG2000_LOSSLESS, &uid, DATA)?;
            }
            talk.abort()
        }
        _ => send(talk, asked, all()),
    });
    check(by_get(&peer).await);
    assert_eq!(peer.seen.count(GET), 2);
}

#[tokio::test]
async fn a36_a_pacs_that_sends_what_it_does_not_list_of_every_series_holds_the_run_up() {
    let strange = with_get(|talk, asked| send(talk, asked, ["1.9.9".to_owned()].into_iter()));
    let pacs = Pacs::by_dimse(settings(strange.port)).unwrap();
    let pacs = pacs.keeping_series_in(std::env::temp_dir());
    let series = name(InstanceKey::SeriesInstanceUid, SERIES);
    for _ in 0..4 {
        let failed = pacs.fetch_volume(&series).await.unwrap_err();
        assert_eq!(failed, FetchError::from(CaseFault::OtherInstance));
    }
    let failed = pacs.fetch_volume(&series).await.unwrap_err();
    assert_eq!(failed, FetchError::from(PacsError::Failed));
}

#[tokio::test]
async fn a36_a_series_that_lacks_an_image_or_has_a_strange_one_is_not_taken() {
    let fewer = with_get(|talk, asked| send(talk, asked, all().skip(1)));
    let failed = by_get(&fewer).await.unwrap_err();
    assert_eq!(failed, FetchError::from(CaseFault::SeriesIncomplete));
    let twice = with_get(|talk, asked| send(talk, asked, all().chain([uid(3)])));
    let failed = by_get(&twice).await.unwrap_err();
    assert_eq!(failed, FetchError::from(CaseFault::AnswerInvalid));
    let strange = with_get(|talk, asked| send(talk, asked, all().chain(["1.9.9".to_owned()])));
    let failed = by_get(&strange).await.unwrap_err();
    assert_eq!(failed, FetchError::from(CaseFault::OtherInstance));
    let some_failed = with_get(|talk, asked| {
        for uid in all().skip(1) {
            talk.store(CLASS, JPEG2000_LOSSLESS, &uid, DATA)?;
        }
        talk.answer(asked, 0xB000, None)
    });
    let failed = by_get(&some_failed).await.unwrap_err();
    assert_eq!(failed, FetchError::from(CaseFault::Failing));
}
