//! A PACS that is hostile, tired or wrong (A36): the case fails or the run stops, for a reason that names
//! nobody, and the agent asks no more than it may.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod blame;
mod dimse;
mod finding;
mod server;
mod tls;
mod volumes;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_ambient::Problem as _;
use fedval_ingest::{
    CaseFault, FetchError, InstanceKey, InstanceName, Pacs, PacsError, PacsLimits, PacsLogin,
    PacsSettings,
};

use server::{Asked, Reply, Server};

const STUDY: &str = "1.2.3";
const SERIES: &str = "1.2.3.4";
const INSTANCE: &str = "1.2.3.4.5";
const MIB: u64 = 1 << 20;

/// Waits shorter than a site would.
const HASTY: PacsLimits = PacsLimits {
    requests_per_second: 1e4,
    parallel_requests: 1,
    answer_seconds: 30,
    max_instance_bytes: MIB,
    first_wait_millis: 1,
};

fn settings(url: String) -> PacsSettings {
    PacsSettings {
        url,
        without_tls: false,
        authorities: Vec::new(),
        identity: None,
        login: Some(PacsLogin::basic("fedval:ZZSECRET").unwrap()),
        modality: None,
        limits: HASTY,
    }
}

fn pacs_with(server: &Server, limits: PacsLimits) -> Pacs {
    let url = format!("http://127.0.0.1:{}/dicom-web", server.port);
    Pacs::new(PacsSettings { limits, ..settings(url) }).unwrap()
}

fn pacs(server: &Server) -> Pacs {
    pacs_with(server, HASTY)
}

fn name(key: InstanceKey, value: &str) -> InstanceName {
    InstanceName::parse(key, value).unwrap()
}

fn instance() -> InstanceName {
    name(InstanceKey::SopInstanceUid, INSTANCE)
}

/// A DICOM file that calls itself `uid` and goes on with `rest`.
fn file(uid: &str, rest: &[u8]) -> Vec<u8> {
    let mut uid = uid.as_bytes().to_vec();
    uid.resize(uid.len().next_multiple_of(2), 0);
    let length = u16::try_from(uid.len()).unwrap().to_le_bytes();
    [&[0; 128][..], b"DICM\x02\x00\x03\x00UI", &length, &uid, rest].concat()
}

/// The one instance there is.
fn image() -> Vec<u8> {
    file(INSTANCE, b"\r\n--b\r\n\r\n")
}

/// One result of a query: attributes by tag.
fn found(attributes: &[(&str, &str)]) -> String {
    let attribute =
        |(tag, value): &(&str, &str)| format!(r#""{tag}": {{"vr": "UI", "Value": ["{value}"]}}"#);
    format!("{{{}}}", attributes.iter().map(attribute).collect::<Vec<_>>().join(", "))
}

/// What an honest PACS says of the one instance it has, without the instance itself.
fn honest_query(asked: &Asked) -> Reply {
    let all = [("0020000D", STUDY), ("0020000E", SERIES), ("00080018", INSTANCE)];
    let path = asked.target.split('?').next().unwrap_or_default();
    let results = match path.trim_start_matches("/dicom-web") {
        "/instances" => found(&all),
        "/studies" => String::new(),
        _ => return Reply::status(404),
    };
    Reply::json(format!("[{results}]"))
}

/// A PACS that is honest but for the instance itself.
async fn with_instance(answer: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |asked| {
        let reply = if asked.is_wado() { answer() } else { honest_query(&asked) };
        async { reply }
    })
    .await
}

/// A PACS that says one thing whatever it is asked.
async fn always(answer: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |_| {
        let reply = answer();
        async { reply }
    })
    .await
}

#[tokio::test]
async fn an_instance_is_found_and_fetched_by_get_alone_over_one_connection() {
    let server = with_instance(|| Reply::instance(&image())).await;
    let pacs = pacs(&server);
    pacs.check().await.unwrap();
    for _ in 0..3 {
        assert_eq!(pacs.fetch(&instance()).await.unwrap(), image());
    }
    assert_eq!(server.seen.connections.load(Ordering::SeqCst), 1);
    let asked = server.seen.asked();
    assert_eq!(asked.len(), 7);
    for asked in &asked {
        assert_eq!(asked.method, "GET");
        assert_eq!(asked.fields["host"], format!("127.0.0.1:{}", server.port));
        assert!(asked.fields["authorization"].starts_with("Basic "));
        assert!(asked.target.starts_with("/dicom-web/"));
    }
    let wado = asked.iter().find(|asked| asked.is_wado()).unwrap();
    assert!(wado.fields["accept"].ends_with("transfer-syntax=*"), "no PACS decompresses for this");
}

#[tokio::test]
async fn a36_an_answer_that_never_ends_is_cut_where_it_is_too_large() {
    let server = with_instance(|| Reply::NeverEnds("application/dicom")).await;
    let failed = pacs(&server).fetch(&instance()).await;
    assert_eq!(failed, Err(CaseFault::TooLarge.into()));
    // What lies in the buffers between both sides counts as sent.
    assert!(server.seen.sent.load(Ordering::SeqCst) < 32 * MIB);

    let server = always(|| Reply::NeverEnds("application/dicom+json")).await;
    let failed = pacs(&server).fetch(&instance()).await;
    assert_eq!(failed, Err(CaseFault::TooLarge.into()));
    assert_eq!(server.seen.asked().len(), 1);
    assert!(server.seen.sent.load(Ordering::SeqCst) < 32 * MIB);
}

#[tokio::test]
async fn a36_an_answer_that_stops_coming_fails_its_case_where_the_pacs_is_otherwise_well() {
    let limits = PacsLimits { answer_seconds: 1, ..HASTY };
    let server = with_instance(|| Reply::FallsSilent).await;
    let failed = pacs_with(&server, limits).fetch(&instance()).await;
    assert_eq!(failed, Err(CaseFault::Failing.into()));
    assert_eq!(server.seen.count(Asked::is_wado), 4);

    let server = always(|| Reply::FallsSilent).await;
    let failed = pacs_with(&server, limits).fetch(&instance()).await;
    assert_eq!(failed, Err(PacsError::Failed.into()));
}

#[tokio::test]
async fn a36_a_401_in_the_middle_of_a_run_stops_it_without_another_try() {
    let fetched = Arc::new(AtomicUsize::new(0));
    let server = with_instance(move || match fetched.fetch_add(1, Ordering::SeqCst) {
        0..3 => Reply::instance(&image()),
        _ => Reply::status(401),
    })
    .await;
    let pacs = pacs(&server);
    for _ in 0..3 {
        assert!(pacs.fetch(&instance()).await.is_ok());
    }
    let Err(FetchError::Pacs(error)) = pacs.fetch(&instance()).await else { panic!() };
    assert_eq!((error.code(), error.is_passing()), ("PACS_REFUSED", false));
    assert_eq!(server.seen.asked().len(), 8, "an account is locked after few tries");
}

#[tokio::test]
async fn a36_a_redirection_is_followed_nowhere() {
    let elsewhere = with_instance(|| Reply::instance(&image())).await;
    for status in [301, 302, 303, 307, 308] {
        for host in [format!("http://127.0.0.1:{}", elsewhere.port), String::new()] {
            let location = format!("{host}/dicom-web/studies");
            let redirect =
                move || Reply::Says(status, vec![("Location", location.clone())], Vec::new());
            let server = with_instance(redirect.clone()).await;
            let failed = pacs(&server).fetch(&instance()).await;
            assert_eq!(failed, Err(CaseFault::Failing.into()), "{status} for one image");
            assert_eq!(server.seen.count(Asked::is_wado), 1);

            let server = always(redirect).await;
            let Err(error) = pacs(&server).check().await else { panic!("{status}") };
            assert_eq!((error.code(), error.is_passing()), ("PACS_REDIRECTED", false));
            assert_eq!(pacs(&server).fetch(&instance()).await, Err(error.into()));
        }
    }
    assert_eq!(elsewhere.seen.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a36_an_answer_of_another_kind_fails_its_case() {
    let says = |kind: &'static str, body: &'static [u8]| {
        move || Reply::Says(200, vec![("Content-Type", kind.to_owned())], body.to_vec())
    };
    for (kind, body) in [
        ("text/html", &b"<html>sign in</html>"[..]),
        ("multipart/related", b"--B\r\n\r\nDICM\r\n--B--"),
        ("multipart/form-data; boundary=B", b"--B\r\n\r\nDICM\r\n--B--"),
        ("application/dicom", b"DICM"),
        ("application/dicom+json", b""),
        ("", b"DICM"),
    ] {
        let server = with_instance(says(kind, body)).await;
        let failed = pacs(&server).fetch(&instance()).await;
        assert_eq!(failed, Err(CaseFault::AnswerInvalid.into()), "{kind}");
        let server = always(says(kind, body)).await;
        assert_eq!(pacs(&server).check().await, Err(PacsError::NotDicomWeb), "{kind}");
    }
    // A PACS that leaves the multipart out still sends the file.
    let bare = || {
        let kind = ("Content-Type", "application/dicom".to_owned());
        Reply::Says(200, vec![kind], image())
    };
    let server = with_instance(bare).await;
    assert_eq!(pacs(&server).fetch(&instance()).await.unwrap(), image());
    let packed = || {
        let fields = [("Content-Type", "application/dicom"), ("Content-Encoding", "gzip")];
        let fields = fields.map(|(name, value)| (name, value.to_owned())).to_vec();
        Reply::Says(200, fields, b"a bomb".to_vec())
    };
    let server = with_instance(packed).await;
    assert_eq!(pacs(&server).fetch(&instance()).await, Err(CaseFault::AnswerInvalid.into()));
}

#[tokio::test]
async fn a36_another_image_than_was_asked_for_fails_its_case() {
    let longer = format!("{INSTANCE}.6");
    for uid in ["1.2.3.4.6", longer.as_str(), ""] {
        let other = file(uid, b"");
        let server = with_instance(move || Reply::instance(&other)).await;
        let failed = pacs(&server).fetch(&instance()).await;
        assert_eq!(failed, Err(CaseFault::OtherInstance.into()), "{uid}");
        assert_eq!(server.seen.asked().len(), 2);
    }
    assert_eq!(CaseFault::OtherInstance.code(), "PACS_OTHER_INSTANCE");
}

#[tokio::test]
async fn a36_half_an_instance_is_never_taken_for_one() {
    let ends_early = || Reply::multipart(b"--B\r\n\r\nDICM and no end".to_vec());
    let server = with_instance(ends_early).await;
    assert_eq!(pacs(&server).fetch(&instance()).await, Err(CaseFault::AnswerInvalid.into()));

    let two = || Reply::multipart(b"--B\r\n\r\none\r\n--B\r\n\r\ntwo\r\n--B--".to_vec());
    let server = with_instance(two).await;
    assert_eq!(pacs(&server).fetch(&instance()).await, Err(CaseFault::SeveralInstances.into()));

    let server = with_instance(|| Reply::Cuts(b"--B\r\n\r\nDICM\r\n--B--".to_vec())).await;
    assert_eq!(pacs(&server).fetch(&instance()).await, Err(CaseFault::Failing.into()));
    assert_eq!(server.seen.count(Asked::is_wado), 4);
}

#[tokio::test]
async fn a_pacs_that_asks_for_patience_gets_it_and_is_asked_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let server = with_instance(move || match tries.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::status(503),
        1 => Reply::Says(429, vec![("Retry-After", "0".to_owned())], Vec::new()),
        2 => Reply::Cuts(Vec::new()),
        _ => Reply::instance(&image()),
    })
    .await;
    assert_eq!(pacs(&server).fetch(&instance()).await.unwrap(), image());

    let server = always(|| Reply::status(503)).await;
    let failed = pacs(&server).fetch(&instance()).await;
    assert_eq!(failed, Err(PacsError::Busy.into()), "no case fails for a PACS that is busy");
    assert!(PacsError::Busy.is_passing());
    assert_eq!(server.seen.asked().len(), 5, "four tries, and whether it is well");

    let later = || Reply::Says(503, vec![("Retry-After", "3600".to_owned())], Vec::new());
    let server = always(later).await;
    assert_eq!(pacs(&server).fetch(&instance()).await, Err(PacsError::Busy.into()));
    assert_eq!(server.seen.asked().len(), 2, "nobody asks again before the time that it said");
}

#[tokio::test]
async fn one_instance_that_the_pacs_cannot_read_fails_alone_and_a_pacs_that_is_down_fails_none() {
    let server = with_instance(|| Reply::status(500)).await;
    assert_eq!(pacs(&server).fetch(&instance()).await, Err(CaseFault::Failing.into()));

    let server = always(|| Reply::status(500)).await;
    assert_eq!(pacs(&server).fetch(&instance()).await, Err(PacsError::Failed.into()));

    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let pacs = Pacs::new(settings(url)).unwrap();
    assert_eq!(pacs.fetch(&instance()).await, Err(PacsError::Unreachable.into()));
    assert_eq!(pacs.check().await, Err(PacsError::Unreachable));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_requests_run_beside_each_other_than_may() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    // Nobody is answered before two have asked: fewer at once would never end.
    let pair = Arc::new(tokio::sync::Barrier::new(2));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::start(move |asked| {
        let (now, most, pair) = (Arc::clone(&counted), Arc::clone(&highest), Arc::clone(&pair));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            pair.wait().await;
            now.fetch_sub(1, Ordering::SeqCst);
            honest_query(&asked)
        }
    })
    .await;
    let pacs = Arc::new(pacs_with(&server, PacsLimits { parallel_requests: 2, ..HASTY }));
    let all: Vec<_> = (0..10)
        .map(|_| {
            let pacs = Arc::clone(&pacs);
            tokio::spawn(async move { pacs.check().await })
        })
        .collect();
    for one in all {
        one.await.unwrap().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn errors_name_no_patient_no_host_and_no_secret() {
    let server = with_instance(|| Reply::status(401)).await;
    let pacs = pacs(&server);
    let refused = pacs.fetch(&instance()).await.unwrap_err();
    let missing = pacs.fetch(&name(InstanceKey::AccessionNumber, "ZZ17")).await.unwrap_err();
    let FetchError::Pacs(error) = refused else { panic!() };
    let settings = settings("https://zzhost.test".to_owned());
    let text = format!(
        "{pacs:?} {settings:?} {:?} {refused:?} {refused} {error} {:?} {missing:?} {missing}",
        instance(),
        error.remedy()
    );
    for word in [STUDY, "ZZ", "zzhost", "127.0.0.1", &server.port.to_string()] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}
