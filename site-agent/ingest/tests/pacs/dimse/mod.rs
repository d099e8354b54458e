//! The same of a PACS without web services: C-FIND, C-GET and C-MOVE.

mod moving;
mod peer;
mod series;
mod tls;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_dictionary_std::uids::{
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE as CLASS, IMPLICIT_VR_LITTLE_ENDIAN, JPEG2000_LOSSLESS,
};
use fedval_ambient::Problem as _;
use fedval_ingest::{
    CaseFault, DimseRetrieval, DimseSettings, FetchError, InstanceKey, Pacs, PacsError, PacsLimits,
};

use super::{HASTY, INSTANCE, MIB, SERIES, STUDY, instance, name};
use peer::{Asked, FIND, GET, PENDING, Peer, Talk};

/// What stands in the image; never looked at.
const DATA: &[u8] = b"\x10\x00\x10\x00ZZPATIENT and no data set at all";

fn settings(port: u16) -> DimseSettings {
    DimseSettings {
        address: format!("127.0.0.1:{port}"),
        called_title: "PACS".to_owned(),
        calling_title: "FEDVAL".to_owned(),
        retrieval: DimseRetrieval::Get,
        without_tls: true,
        authorities: Vec::new(),
        identity: None,
        modality: None,
        limits: HASTY,
    }
}

fn pacs(peer: &Peer) -> Pacs {
    Pacs::by_dimse(settings(peer.port)).unwrap()
}

/// What an honest PACS says of the one instance it has.
fn honest_find(talk: &mut Talk, asked: &Asked) -> Option<()> {
    let all: [(Tag, &str); 5] = [
        (tags::SOP_CLASS_UID, CLASS),
        (tags::SOP_INSTANCE_UID, INSTANCE),
        (tags::MODALITY, "CR"),
        (tags::STUDY_INSTANCE_UID, STUDY),
        (tags::SERIES_INSTANCE_UID, SERIES),
    ];
    let is_it = [tags::SOP_INSTANCE_UID, tags::STUDY_INSTANCE_UID]
        .into_iter()
        .all(|tag| asked.key(tag).is_empty() || all.contains(&(tag, asked.key(tag))));
    if is_it {
        talk.answer(asked, PENDING, Some(&all))?;
    }
    talk.answer(asked, 0, None)
}

/// A PACS that is honest but for the instance itself.
fn with_get(answer: impl Fn(&mut Talk, &Asked) -> Option<()> + Send + Sync + 'static) -> Peer {
    Peer::start(move |talk, asked| match asked.field {
        FIND => honest_find(talk, asked),
        _ => answer(talk, asked),
    })
}

fn honest_get(talk: &mut Talk, asked: &Asked) -> Option<()> {
    assert_eq!(talk.store(CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA), Some(0));
    talk.answer(asked, PENDING, None)?;
    talk.answer(asked, 0, None)
}

/// Whether a file holds what was sent, behind what says how.
fn is_image(file: &[u8], syntax: &str) -> bool {
    let holds = |word: &str| file.windows(word.len()).any(|window| window == word.as_bytes());
    file[128..].starts_with(b"DICM")
        && file.ends_with(DATA)
        && [CLASS, INSTANCE, syntax].into_iter().all(holds)
}

#[tokio::test]
async fn an_instance_is_found_and_fetched_as_it_is_kept() {
    let peer = with_get(honest_get);
    let pacs = pacs(&peer);
    pacs.check().await.unwrap();
    let file = pacs.fetch(&instance()).await.unwrap();
    assert!(is_image(&file, JPEG2000_LOSSLESS), "nobody decompressed it");
    let file = pacs.fetch(&name(InstanceKey::StudyInstanceUid, STUDY)).await.unwrap();
    assert!(is_image(&file, JPEG2000_LOSSLESS));
    let asked = peer.seen.last(GET);
    assert_eq!(asked.key(tags::QUERY_RETRIEVE_LEVEL), "IMAGE");
    assert_eq!(asked.key(tags::STUDY_INSTANCE_UID), STUDY);
    assert_eq!(asked.key(tags::SERIES_INSTANCE_UID), SERIES);
    assert_eq!(asked.key(tags::SOP_INSTANCE_UID), INSTANCE);
    assert_eq!((peer.seen.count(FIND), peer.seen.count(GET)), (4, 2));
    assert_eq!(peer.seen.associations.load(Ordering::SeqCst), 6, "one for each");
}

#[tokio::test]
async fn an_accession_number_goes_as_it_is_written() {
    const NUMBER: &str = "Ü 17/1";
    let peer = Peer::start(|talk, asked| {
        if asked.field == GET {
            return honest_get(talk, asked);
        }
        if asked.key(tags::QUERY_RETRIEVE_LEVEL) != "STUDY" {
            return honest_find(talk, asked);
        }
        let found = [(tags::ACCESSION_NUMBER, NUMBER), (tags::STUDY_INSTANCE_UID, STUDY)];
        talk.answer(asked, PENDING, Some(&found))?;
        talk.answer(asked, 0, None)
    });
    let pacs = pacs(&peer);
    assert!(pacs.fetch(&name(InstanceKey::AccessionNumber, NUMBER)).await.is_ok());
    let other = pacs.fetch(&name(InstanceKey::AccessionNumber, "18")).await;
    assert_eq!(other, Err(CaseFault::NoInstance.into()), "a PACS that ignores the key");
}

#[tokio::test]
async fn a36_results_that_never_end_are_given_up() {
    let peer = Peer::start(|talk, asked| {
        let found = [(tags::SERIES_INSTANCE_UID, "1.9"), (tags::MODALITY, "DX")];
        while talk.answer(asked, PENDING, Some(&found)).is_some() {}
        None
    });
    let failed = pacs(&peer).fetch(&name(InstanceKey::StudyInstanceUid, STUDY)).await;
    assert_eq!(failed, Err(CaseFault::SeveralInstances.into()));
    assert_eq!(peer.seen.count(FIND), 1);
    let failed = pacs(&peer).fetch(&instance()).await;
    assert_eq!(failed, Err(CaseFault::NoInstance.into()));
    assert!(peer.seen.sent.load(Ordering::SeqCst) < 32 * MIB);
}

#[tokio::test]
async fn an_image_may_be_as_large_as_the_limit_and_what_is_written_before_it_does_not_count() {
    let peer = with_get(|talk, asked| {
        talk.store(CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA)?;
        talk.answer(asked, 0, None)
    });
    let of = |most: usize| {
        let limits = PacsLimits { max_instance_bytes: most as u64, ..HASTY };
        Pacs::by_dimse(DimseSettings { limits, ..settings(peer.port) }).unwrap()
    };
    let file = of(DATA.len()).fetch(&instance()).await.unwrap();
    assert!(is_image(&file, JPEG2000_LOSSLESS));
    let failed = of(DATA.len() - 1).fetch(&instance()).await;
    assert_eq!(failed, Err(CaseFault::TooLarge.into()));
}

#[tokio::test]
async fn a36_a_data_set_that_never_ends_is_cut_where_it_is_too_large() {
    let peer = with_get(|talk, _| {
        talk.store_for_ever(CLASS, JPEG2000_LOSSLESS, INSTANCE);
        None
    });
    assert_eq!(pacs(&peer).fetch(&instance()).await, Err(CaseFault::TooLarge.into()));
    assert!(peer.seen.sent.load(Ordering::SeqCst) < 32 * MIB);
    assert_eq!(peer.seen.count(GET), 1);
}

#[tokio::test]
async fn a36_another_instance_than_was_asked_for_is_not_taken() {
    let stored = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&stored);
    let peer = with_get(move |talk, asked| {
        let status = talk.store(CLASS, JPEG2000_LOSSLESS, "1.2.3.4.6", DATA);
        counted.fetch_add(usize::from(status.is_some()), Ordering::SeqCst);
        talk.answer(asked, 0, None)
    });
    assert_eq!(pacs(&peer).fetch(&instance()).await, Err(CaseFault::OtherInstance.into()));
    // And one that was asked for, followed by itself.
    let twice = with_get(|talk, asked| {
        talk.store(CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA)?;
        talk.store(CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA)?;
        talk.answer(asked, 0, None)
    });
    assert_eq!(pacs(&twice).fetch(&instance()).await, Err(CaseFault::AnswerInvalid.into()));
    assert_eq!(stored.load(Ordering::SeqCst), 0, "nobody thanked for it");
}

#[tokio::test]
async fn a_status_says_whose_fault_it_is() {
    for (status, failed, tries) in [
        (0x0000, FetchError::Case(CaseFault::NoInstance), 1),
        (0xB000, CaseFault::Failing.into(), 4),
        (0x0124, CaseFault::Failing.into(), 1),
        (0xA900, CaseFault::AnswerInvalid.into(), 1),
        (0xA701, CaseFault::Failing.into(), 4),
        (0xC001, CaseFault::Failing.into(), 4),
        (0xFE00, CaseFault::Failing.into(), 4),
        (0xA801, FetchError::Pacs(PacsError::DestinationUnknown), 1),
    ] {
        let peer = with_get(move |talk, asked| talk.answer(asked, status, None));
        assert_eq!(pacs(&peer).fetch(&instance()).await, Err(failed), "{status:04X}");
        assert_eq!(peer.seen.count(GET), tries, "{status:04X}");
    }
    let always = Peer::start(|talk, asked| talk.answer(asked, 0xA700, None));
    assert_eq!(pacs(&always).fetch(&instance()).await, Err(PacsError::Busy.into()));
    let always = Peer::start(|talk, asked| talk.answer(asked, 0x0124, None));
    assert_eq!(pacs(&always).check().await, Err(PacsError::Refused));
}

#[tokio::test]
async fn an_instance_of_which_a_try_failed_is_taken_where_it_came_all_the_same() {
    let peer = with_get(|talk, asked| {
        talk.store(CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA)?;
        talk.answer(asked, 0xB000, None)
    });
    let file = pacs(&peer).fetch(&instance()).await.unwrap();
    assert!(is_image(&file, JPEG2000_LOSSLESS));
    assert_eq!(peer.seen.count(GET), 1);
}

/// What a PACS may say in the place of an answer, and what is told of the case.
type Nonsense = (fn(&mut Talk, &Asked) -> Option<()>, CaseFault);

fn nonsense() -> [Nonsense; 8] {
    [
        (|_, _| None, CaseFault::Failing),
        (|talk, _| talk.abort(), CaseFault::Failing),
        (|talk, _| talk.release(), CaseFault::Failing),
        // A PDU of four gigabytes, one that is longer than was agreed, one with an item beyond its end.
        (
            |talk, _| {
                talk.raw(b"\x04\x00\xff\xff\xff\xff")?;
                talk.listen();
                None
            },
            CaseFault::AnswerInvalid,
        ),
        (
            |talk, _| {
                talk.raw(b"\x04\x00\x00\x02\x00\x01")?;
                talk.listen();
                None
            },
            CaseFault::AnswerInvalid,
        ),
        (
            |talk, _| {
                talk.raw(b"\x04\x00\x00\x00\x00\x06\x00\x00\xff\xff\x01\x03")?;
                talk.listen();
                None
            },
            CaseFault::AnswerInvalid,
        ),
        // What is no PDU, and an answer to something else.
        (
            |talk, _| {
                talk.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
                talk.listen();
                None
            },
            CaseFault::AnswerInvalid,
        ),
        (
            |talk, asked| {
                talk.answer(&asked.otherwise(), 0, None)?;
                talk.listen();
                None
            },
            CaseFault::AnswerInvalid,
        ),
    ]
}

#[tokio::test]
async fn a36_an_association_that_breaks_or_says_nonsense_fails_one_case_or_holds_up_all() {
    for (number, (answer, fault)) in nonsense().into_iter().enumerate() {
        let peer = with_get(answer);
        assert_eq!(pacs(&peer).fetch(&instance()).await, Err(fault.into()), "{number}");
        let tries = if fault == CaseFault::Failing { 4 } else { 1 };
        assert_eq!(peer.seen.count(GET), tries, "{number}");

        let always = Peer::start(answer);
        let failed = pacs(&always).fetch(&instance()).await;
        assert_eq!(failed, Err(PacsError::Failed.into()), "{number}: no case fails");
        let checked = pacs(&always).check().await;
        let expected =
            if fault == CaseFault::Failing { PacsError::Failed } else { PacsError::NotDimse };
        assert_eq!(checked, Err(expected), "{number}");
    }
}

#[tokio::test]
async fn a36_an_answer_that_stops_coming_fails_its_case() {
    let limits = PacsLimits { answer_seconds: 1, ..HASTY };
    let peer = with_get(|talk, _| {
        talk.listen();
        None
    });
    let pacs = Pacs::by_dimse(DimseSettings { limits, ..settings(peer.port) }).unwrap();
    assert_eq!(pacs.fetch(&instance()).await, Err(CaseFault::Failing.into()));
    assert_eq!(peer.seen.count(GET), 4);
}

#[tokio::test]
async fn a_title_that_the_pacs_does_not_know_is_a_persons_work() {
    let peer = with_get(honest_get);
    let called_title = "OTHER".to_owned();
    let other = DimseSettings { called_title, ..settings(peer.port) };
    let pacs = Pacs::by_dimse(other).unwrap();
    let Err(error) = pacs.check().await else { panic!("it was refused") };
    assert_eq!((error.code(), error.is_passing()), ("PACS_TITLE_REFUSED", false));
    assert_eq!(pacs.fetch(&instance()).await, Err(error.into()));
    assert_eq!(peer.seen.associations.load(Ordering::SeqCst), 2, "nobody asks again");
}

#[tokio::test]
async fn a_pacs_that_does_not_name_the_class_is_offered_the_frequent_ones() {
    let peer = Peer::start(|talk, asked| {
        if asked.field == GET {
            assert_eq!(talk.store(CLASS, IMPLICIT_VR_LITTLE_ENDIAN, INSTANCE, DATA), Some(0));
            return talk.answer(asked, 0, None);
        }
        let found = [
            (tags::SOP_INSTANCE_UID, INSTANCE),
            (tags::STUDY_INSTANCE_UID, STUDY),
            (tags::SERIES_INSTANCE_UID, SERIES),
        ];
        talk.answer(asked, PENDING, Some(&found))?;
        talk.answer(asked, 0, None)
    });
    let file = pacs(&peer).fetch(&instance()).await.unwrap();
    assert!(is_image(&file, IMPLICIT_VR_LITTLE_ENDIAN));
}

#[tokio::test]
async fn errors_name_no_patient_no_host_and_no_title() {
    let peer = with_get(|talk, asked| talk.answer(asked, 0xA801, None));
    let (pacs, settings) = (pacs(&peer), settings(peer.port));
    let failed = pacs.fetch(&instance()).await.unwrap_err();
    let FetchError::Pacs(error) = failed else { panic!("{failed:?}") };
    let text = format!("{pacs:?} {settings:?} {failed:?} {failed} {error} {:?}", error.remedy());
    for word in [STUDY, "FEDVAL", "ZZ", "127.0.0.1", &peer.port.to_string()] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let code = |settings: DimseSettings| Pacs::by_dimse(settings).err().map(|error| error.code());
    assert_eq!(code(settings(104)), None);
    let address = "pacs.test".to_owned();
    let refused = code(DimseSettings { address, ..settings(104) });
    assert_eq!(refused, Some("PACS_DIMSE_ADDRESS_INVALID"));
    let calling_title = "TOO LONG FOR A TITLE".to_owned();
    let refused = code(DimseSettings { calling_title, ..settings(104) });
    assert_eq!(refused, Some("PACS_TITLE_INVALID"));
    let refused = code(DimseSettings { without_tls: false, ..settings(104) });
    assert_eq!(refused, Some("PACS_CA_INVALID"));
}
