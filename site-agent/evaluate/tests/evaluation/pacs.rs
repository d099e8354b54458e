//! The same images from a PACS as from a folder.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_ambient::{Exit, Problem as _};
use fedval_ingest::{IndexTestColumn, InstanceKey, Pacs, PacsLimits, PacsSettings};
use fedval_study::summary::FailureReason;

use crate::server::{Asked, Reply, Server};
use crate::site::{CASES, Site, overall};
use dicom_file::DicomFile;

#[path = "../../../ingest/tests/dicom_file/mod.rs"]
mod dicom_file;
pub(crate) mod series;

/// What the builder of files calls each of them.
const BUILT: &[u8] = b"1.2.3.4\0";

/// A site whose images are DICOM files, each with a UID of its own.
async fn site_of_dicom_files() -> Site {
    let site = Site::new().await;
    for (index, row) in site.rows.iter().enumerate() {
        let (rows, columns, pixels) = (4, 4, vec![row.grey; 16]);
        let file = DicomFile { rows, columns, pixels, ..DicomFile::grey8([0; 6]) };
        let mut file = file.bytes();
        let at = file.windows(BUILT.len()).position(|window| window == BUILT).unwrap();
        file[at..at + BUILT.len() - 1].copy_from_slice(uid(index).as_bytes());
        fs::write(site.file(index), file).unwrap();
    }
    site
}

/// A PACS with a site's images, which lets so many be fetched as `left` says, and answers `otherwise`
/// where it lets no more.
async fn with_images(site: &Site, left: Arc<AtomicUsize>, otherwise: u16) -> Server {
    let image = |index| (uid(index), fs::read(site.file(index)).unwrap());
    let images: Arc<BTreeMap<String, Vec<u8>>> = Arc::new((0..CASES).map(image).collect());
    Server::start(move |asked: Asked| {
        let reply = answer(&asked, &images, &left, otherwise);
        async { reply }
    })
    .await
}

fn uid(index: usize) -> String {
    format!("1.2.{}", 100 + index)
}

fn answer(
    asked: &Asked,
    images: &BTreeMap<String, Vec<u8>>,
    left: &AtomicUsize,
    otherwise: u16,
) -> Reply {
    let Some((_, fetched)) = asked.target.split_once("/instances/") else {
        let (_, query) = asked.target.split_once("SOPInstanceUID=").unwrap_or_default();
        let uid = query.split('&').next().unwrap_or_default();
        if !images.contains_key(uid) {
            return Reply::json("[]");
        }
        return Reply::json(format!(
            r#"[{{"0020000D": {{"Value": ["1"]}}, "0020000E": {{"Value": ["1.1"]}},
                 "00080018": {{"Value": ["{uid}"]}}}}]"#
        ));
    };
    match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
        Ok(_) => Reply::instance(&images[fetched]),
        Err(_) => Reply::status(otherwise),
    }
}

fn connected(server: &Server) -> Pacs {
    let limits =
        PacsLimits { requests_per_second: 1e4, first_wait_millis: 1, ..PacsLimits::default() };
    let settings = PacsSettings {
        url: format!("http://127.0.0.1:{}", server.port),
        without_tls: false,
        authorities: Vec::new(),
        identity: None,
        login: None,
        modality: None,
        limits,
    };
    Pacs::new(settings).unwrap()
}

/// Leaves names in the place of paths.
fn move_to(site: &mut Site, server: &Server) {
    site.pacs = Some(connected(server));
    site.columns.index_test =
        IndexTestColumn::Instance(InstanceKey::SopInstanceUid, "image".to_owned());
    site.write_manifest_of(|index, _| uid(index));
    for index in 0..CASES {
        fs::remove_file(site.file(index)).unwrap();
    }
}

/// A36. A PACS that lets nobody in, and one that knows of its images and gives none, with any number of
/// lanes.
pub(crate) async fn is_locked_out() {
    for (status, lanes, code, exit) in [
        (401, 2, "PACS_REFUSED", Exit::Refused),
        (500, 1, "PACS_FAILED", Exit::Unreachable),
        (500, 3, "PACS_FAILED", Exit::Unreachable),
    ] {
        let mut site = site_of_dicom_files().await;
        site.lanes = lanes;
        let from_folder = site.run("chest-r1").await.unwrap();
        let left = Arc::new(AtomicUsize::new(25));
        let server = with_images(&site, Arc::clone(&left), status).await;
        move_to(&mut site, &server);
        let error = site.run("chest-r2").await.unwrap_err();
        assert_eq!(
            (error.code(), error.stage(), error.exit()),
            (code, None, exit),
            "nobody outside hears of it"
        );
        let done = site.cases_done("chest-r2").await;
        assert!((1..=25).contains(&done), "{done}: what was not given is no failed case");

        left.store(usize::MAX, Ordering::SeqCst);
        let before = server.seen.count(Asked::is_wado);
        let from_pacs = site.run("chest-r2").await.unwrap();
        assert_eq!(overall(&from_pacs), overall(&from_folder));
        assert!(from_pacs.failures.is_empty());
        let fetched = server.seen.count(Asked::is_wado) - before;
        assert_eq!(fetched, CASES - done + 20, "the rest, and twenty once more");
    }
}

pub(crate) async fn lacks_an_image() {
    let mut site = site_of_dicom_files().await;
    site.protocol.analysis.failure_limit = 0.5;
    let server = with_images(&site, Arc::new(AtomicUsize::new(usize::MAX)), 500).await;
    move_to(&mut site, &server);
    site.write_manifest_of(|index, _| uid(if index == 5 { 9999 } else { index }));
    let summary = site.run("chest-r1").await.unwrap();
    let failures: Vec<_> = summary.failures.iter().flatten().copied().collect();
    assert_eq!(failures, [FailureReason::Undecodable]);
}

pub(crate) async fn is_not_one() {
    let mut site = Site::new().await;
    let server = Server::start(|_| async { Reply::status(404) }).await;
    move_to(&mut site, &server);
    let error = site.run("chest-r1").await.unwrap_err();
    assert_eq!((error.code(), error.stage()), ("PACS_NOT_DICOMWEB", None));
    assert_eq!(site.cases_done("chest-r1").await, 0, "a wrong address fails no case");
}
