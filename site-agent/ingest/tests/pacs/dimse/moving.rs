//! C-MOVE: the PACS brings what was asked for, and nobody brings anything else.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use dicom_dictionary_std::uids::{
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE as CLASS, CT_IMAGE_STORAGE, JPEG2000_LOSSLESS, MPEG2MPML,
};
use fedval_ambient::Problem as _;
use fedval_ingest::{
    CaseFault, DimseRetrieval, DimseSettings, FetchError, Pacs, PacsError, PacsLimits,
};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::peer::{FIND, MOVE, PENDING, Peer, bring};
use super::{DATA, honest_find, is_image, settings};
use crate::{HASTY, INSTANCE, instance};

pub(crate) const TITLES: (&str, &str) = ("PACS", "ARRIVALS");

/// A port at which nobody listens.
pub(crate) async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

pub(crate) fn moving_settings(peer: &Peer, port: u16) -> DimseSettings {
    let listen = SocketAddr::from(([127, 0, 0, 1], port));
    let retrieval = DimseRetrieval::Move { listen, destination: TITLES.1.to_owned() };
    DimseSettings { retrieval, ..settings(peer.port) }
}

fn moving(peer: &Peer, port: u16) -> Pacs {
    Pacs::by_dimse(moving_settings(peer, port)).unwrap()
}

/// A PACS that does something before it says with which status it is done.
pub(crate) fn with_move(status: u16, act: impl Fn() + Send + Sync + 'static) -> Peer {
    Peer::start(move |talk, asked| {
        if asked.field == FIND {
            return honest_find(talk, asked);
        }
        act();
        talk.answer(asked, PENDING, None)?;
        talk.answer(asked, status, None)
    })
}

#[tokio::test]
async fn the_pacs_brings_an_instance_and_the_door_is_closed_behind_it() {
    let port = free_port().await;
    let peer = with_move(0, move || {
        let status = bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA);
        assert_eq!(status, Some(0));
    });
    let pacs = moving(&peer, port);
    pacs.check().await.unwrap();
    for _ in 0..2 {
        let file = pacs.fetch(&instance()).await.unwrap();
        assert!(is_image(&file, JPEG2000_LOSSLESS));
        let door = TcpStream::connect(("127.0.0.1", port)).await;
        assert!(door.is_err(), "nobody listens where nothing is awaited");
    }
    assert_eq!(peer.seen.count(MOVE), 2);
}

/// What somebody brings who should not, and what is said of the case.
type Wrong = ((&'static str, &'static str), &'static str, &'static str, &'static str, CaseFault);

#[tokio::test]
async fn a36_only_the_pacs_brings_and_only_what_was_asked_for() {
    let (pacs, own) = TITLES;
    let wrong: [Wrong; 6] = [
        (("SOMEBODY", own), CLASS, JPEG2000_LOSSLESS, INSTANCE, CaseFault::NoInstance),
        ((pacs, "OTHER"), CLASS, JPEG2000_LOSSLESS, INSTANCE, CaseFault::NoInstance),
        (TITLES, CT_IMAGE_STORAGE, JPEG2000_LOSSLESS, INSTANCE, CaseFault::NoInstance),
        (TITLES, CLASS, MPEG2MPML, INSTANCE, CaseFault::NoInstance),
        (TITLES, CLASS, JPEG2000_LOSSLESS, "1.2.3.4.6", CaseFault::OtherInstance),
        (TITLES, CLASS, JPEG2000_LOSSLESS, "no UID", CaseFault::NoInstance),
    ];
    for (number, (titles, class, syntax, brought, fault)) in wrong.into_iter().enumerate() {
        let port = free_port().await;
        let peer = with_move(0, move || {
            assert_eq!(bring(port, titles, class, syntax, brought, DATA), None, "{number}");
        });
        assert_eq!(moving(&peer, port).fetch(&instance()).await, Err(fault.into()), "{number}");
        // Beside what was asked for it changes nothing.
        let port = free_port().await;
        let peer = with_move(0, move || {
            bring(port, titles, class, syntax, brought, DATA);
            let status = bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA);
            assert_eq!(status, Some(0), "{number}");
            assert_eq!(bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA), None);
        });
        assert!(moving(&peer, port).fetch(&instance()).await.is_ok(), "{number}");
    }
}

#[tokio::test]
async fn a36_a_stray_instance_makes_no_fault_of_the_case_of_a_failure_of_the_pacs() {
    for (status, fault) in [(0, CaseFault::OtherInstance), (0xB000, CaseFault::Failing)] {
        let port = free_port().await;
        let peer = with_move(status, move || {
            let stray = bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, "1.2.3.4.6", DATA);
            assert_eq!(stray, None);
        });
        assert_eq!(moving(&peer, port).fetch(&instance()).await, Err(fault.into()), "{status}");
    }
}

#[tokio::test]
async fn a36_what_is_too_large_is_not_taken() {
    for (status, is_brought_again) in [(0, true), (0xB000, false)] {
        let port = free_port().await;
        let peer = with_move(status, move || {
            let large = vec![0; 64 << 10];
            let bring = |data: &[u8]| bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, INSTANCE, data);
            assert_eq!(bring(&large), None);
            if is_brought_again {
                assert_eq!(bring(DATA), Some(0));
            }
        });
        let limits = PacsLimits { max_instance_bytes: 1024, ..HASTY };
        let settings = DimseSettings { limits, ..moving_settings(&peer, port) };
        let fetched = Pacs::by_dimse(settings).unwrap().fetch(&instance()).await;
        match fetched {
            Ok(file) => assert!(is_brought_again && is_image(&file, JPEG2000_LOSSLESS)),
            Err(error) => assert_eq!((error, is_brought_again), (CaseFault::Failing.into(), false)),
        }
    }
}

#[tokio::test]
async fn a36_a_stranger_finds_no_door() {
    let port = free_port().await;
    let heard = Arc::new(Mutex::new(None));
    let told = Arc::clone(&heard);
    let peer = with_move(0, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stranger = runtime.block_on(async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
            let mut stream =
                socket.connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
            stream.read_u8().await.is_err()
        });
        *told.lock().unwrap() = Some(stranger);
        bring(port, TITLES, CLASS, JPEG2000_LOSSLESS, INSTANCE, DATA);
    });
    assert!(moving(&peer, port).fetch(&instance()).await.is_ok());
    assert_eq!(*heard.lock().unwrap(), Some(true), "it was hung up on without a word");
}

#[tokio::test]
async fn a_destination_that_the_pacs_does_not_know_or_that_is_taken_is_a_persons_work() {
    let port = free_port().await;
    let peer = with_move(0xA801, || {});
    let pacs = moving(&peer, port);
    let Err(FetchError::Pacs(error)) = pacs.fetch(&instance()).await else { panic!("refused") };
    assert_eq!((error.code(), error.is_passing()), ("PACS_DESTINATION_UNKNOWN", false));

    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pacs = moving(&peer, taken.local_addr().unwrap().port());
    assert_eq!(pacs.check().await, Err(PacsError::NotListening));
    assert_eq!(PacsError::NotListening.code(), "PACS_NOT_LISTENING");
}
