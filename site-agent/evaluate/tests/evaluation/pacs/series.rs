//! The same volumes from a PACS as from folders of slices, also where the PACS locks the agent out within a series.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_ambient::Problem as _;
use fedval_ingest::{IndexTestColumn, InstanceKey};
use fedval_study::protocol::{GantryTilt, Monochrome1, ScoreScale, VolumeInput};
use fedval_study::summary::FailureReason;

use super::dicom_file::{DicomFile, element_bytes, padded};
use super::{BUILT, connected};
use crate::onnx_file;
use crate::server::{Asked, Reply, Server};
use crate::site::{CASES, Site, overall};

/// Slices of each series.
const SLICES: usize = 3;

fn series_uid(index: usize) -> String {
    format!("1.{}", 100 + index)
}

fn uid(index: usize, slice: usize) -> String {
    format!("{}.{slice}", series_uid(index))
}

/// A slice of one grey value, two millimetres above the one before.
fn slice(index: usize, slice: usize, grey: u8) -> Vec<u8> {
    let put = |group, element, form: &str, text: &str| {
        element_bytes(group, element, form, &padded(text), true)
    };
    let further = [
        put(0x0020, 0x000e, "UI", &series_uid(index)),
        put(0x0020, 0x0032, "DS", &format!("0\\0\\{}", 2 * slice)),
        put(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0"),
        put(0x0020, 0x0052, "UI", "1.2.3.5"),
        put(0x0028, 0x0030, "DS", "1\\1"),
    ];
    let further = further.concat();
    let (rows, columns, pixels) = (4, 4, vec![grey; 16]);
    let mut file = DicomFile { rows, columns, further, pixels, ..DicomFile::grey8([0; 6]) }.bytes();
    let at = file.windows(BUILT.len()).position(|window| window == BUILT).unwrap();
    file[at..at + BUILT.len() - 1].copy_from_slice(uid(index, slice).as_bytes());
    file
}

fn folder(site: &Site, index: usize) -> PathBuf {
    site.beside(&series_uid(index))
}

/// A site whose images are volumes in folders of slices, and whose model takes the logarithm of their mean.
async fn site_of_series() -> Site {
    let mut site = Site::new().await;
    let input = onnx_file::value("image", &[1, 1, 3, 4, 4].map(Some));
    let graph = onnx_file::around("Log");
    let mut output = site.protocol.model.output.clone();
    output.scale = ScoreScale::Logit;
    let graph = tract_onnx::pb::GraphProto { input: vec![input], ..graph };
    site.bring_model(&onnx_file::bytes(graph), output);
    let input = &mut site.protocol.model.input;
    (input.mean, input.monochrome1) = (0.1, Monochrome1::Refuse);
    let orientation = "SPL".parse().unwrap();
    let spacing_mm = [2.0, 1.0, 1.0];
    input.volume = Some(VolumeInput {
        depth: 3,
        orientation,
        spacing_mm,
        padding: 0.0,
        slab: None,
        gantry_tilt: GantryTilt::Refuse,
    });
    for (index, row) in site.rows.iter().enumerate() {
        fs::create_dir(folder(&site, index)).unwrap();
        for number in 0..SLICES {
            let file = folder(&site, index).join(uid(index, number));
            fs::write(file, slice(index, number, row.grey)).unwrap();
        }
    }
    site.write_manifest_of(|index, _| series_uid(index));
    site
}

/// A PACS with a site's series, which lets so many images be fetched as `left` says, and then nobody in.
async fn with_series(site: &Site, left: Arc<AtomicUsize>) -> Server {
    let files = (0..CASES).flat_map(|index| (0..SLICES).map(move |slice| (index, slice)));
    let files = files.map(|(index, slice)| {
        let uid = uid(index, slice);
        let file = fs::read(folder(site, index).join(&uid)).unwrap();
        (uid, file)
    });
    let files: Arc<BTreeMap<String, Vec<u8>>> = Arc::new(files.collect());
    Server::start(move |asked: Asked| {
        let reply = answer(&asked, &files, &left);
        async { reply }
    })
    .await
}

fn answer(asked: &Asked, files: &BTreeMap<String, Vec<u8>>, left: &AtomicUsize) -> Reply {
    if let Some((_, fetched)) = asked.target.split_once("/instances/") {
        let is_let_in = left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        return if is_let_in { Reply::instance(&files[fetched]) } else { Reply::status(401) };
    }
    let path = asked.target.split('?').next().unwrap_or_default();
    let words: Vec<&str> = path.split('/').collect();
    let found = match words.as_slice() {
        ["", "series"] => {
            let (_, query) = asked.target.split_once("SeriesInstanceUID=").unwrap_or_default();
            let uid = query.split('&').next().unwrap_or_default();
            vec![format!(
                r#"{{"0020000D": {{"Value": ["1"]}}, "0020000E": {{"Value": ["{uid}"]}},
                     "00201209": {{"vr": "IS", "Value": [{SLICES}]}}}}"#
            )]
        }
        ["", "studies", "1", "series", series, "instances"] => (0..SLICES)
            .map(|slice| format!(r#"{{"00080018": {{"Value": ["{series}.{slice}"]}}}}"#))
            .collect(),
        _ => Vec::new(),
    };
    Reply::json(format!("[{}]", found.join(",")))
}

/// A36. What was fetched of a series within which the agent is locked out counts for nothing; whole cases are kept.
pub(crate) async fn is_locked_out_within_one() {
    let mut site = site_of_series().await;
    let from_folders = site.run("chest-r1").await.unwrap();
    assert!(from_folders.failures.is_empty());
    let left = Arc::new(AtomicUsize::new(25 * SLICES + 1));
    let server = with_series(&site, Arc::clone(&left)).await;
    site.pacs = Some(connected(&server).keeping_series_in(std::env::temp_dir()));
    site.columns.index_test =
        IndexTestColumn::Instance(InstanceKey::SeriesInstanceUid, "image".to_owned());
    for index in 0..CASES {
        fs::remove_dir_all(folder(&site, index)).unwrap();
    }
    let error = site.run("chest-r2").await.unwrap_err();
    assert_eq!((error.code(), error.stage()), ("PACS_REFUSED", None));
    let done = site.cases_done("chest-r2").await;
    assert!((1..=25).contains(&done), "{done}: what was not given is no failed case");

    left.store(usize::MAX, Ordering::SeqCst);
    let before = server.seen.count(Asked::is_wado);
    let from_pacs = site.run("chest-r2").await.unwrap();
    assert_eq!(overall(&from_pacs), overall(&from_folders));
    assert!(from_pacs.failures.is_empty());
    let fetched = server.seen.count(Asked::is_wado) - before;
    assert_eq!(fetched, SLICES * (CASES - done + 20), "the rest, and twenty once more");
}

/// A36. A series whose files all say that they are of another one is no image of its case.
pub(crate) async fn is_of_somebody_else() {
    const WRONG: usize = 5;
    let mut site = site_of_series().await;
    site.protocol.analysis.failure_limit = 0.5;
    for number in 0..SLICES {
        let file = folder(&site, WRONG).join(uid(WRONG, number));
        let mut bytes = fs::read(&file).unwrap();
        let element = element_bytes(0x0020, 0x000e, "UI", &padded(&series_uid(WRONG)), true);
        let at = bytes.windows(element.len()).position(|window| window == element).unwrap();
        let other = element_bytes(0x0020, 0x000e, "UI", &padded("1.999"), true);
        bytes[at..at + element.len()].copy_from_slice(&other);
        fs::write(&file, bytes).unwrap();
    }
    assert!(site.run("chest-r1").await.unwrap().failures.is_empty(), "of a folder nobody knows");
    let server = with_series(&site, Arc::new(AtomicUsize::new(usize::MAX))).await;
    site.pacs = Some(connected(&server).keeping_series_in(std::env::temp_dir()));
    site.columns.index_test =
        IndexTestColumn::Instance(InstanceKey::SeriesInstanceUid, "image".to_owned());
    let summary = site.run("chest-r2").await.unwrap();
    let failures: Vec<_> = summary.failures.iter().flatten().copied().collect();
    assert_eq!(failures, [FailureReason::Unsupported]);
}
