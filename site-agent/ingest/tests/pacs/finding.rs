//! From a UID or an accession number to exactly one image.

use std::fmt::Write as _;

use fedval_ingest::{CaseFault, FetchError, InstanceKey, Pacs, PacsSettings};

use super::server::{Asked, Reply, Server};
use super::{STUDY, file, found, honest_query, name, pacs, settings};

const ACCESSION_NUMBER: &str = "A 17/1";

/// A PACS with one imaging study of some series, each a modality with a number of instances.
async fn with_series(series: &'static [(&'static str, usize)]) -> Server {
    Server::start(move |asked| {
        let reply = answer(&asked, series);
        async { reply }
    })
    .await
}

fn answer(asked: &Asked, series: &[(&str, usize)]) -> Reply {
    if asked.is_wado() {
        let uid = asked.target.rsplit('/').next().unwrap_or_default();
        return Reply::instance(&file(uid, asked.target.as_bytes()));
    }
    let path = asked.target.split('?').next().unwrap_or_default();
    let path: Vec<&str> = path.split('/').skip(2).collect();
    let results: Vec<String> = match path.as_slice() {
        ["studies"] => {
            vec![found(&[("0020000D", STUDY), ("00080050", ACCESSION_NUMBER)])]
        }
        ["studies", STUDY, "series"] => series
            .iter()
            .enumerate()
            .map(|(at, (modality, _))| {
                found(&[("0020000E", &format!("9.{at}")), ("00080060", modality)])
            })
            .collect(),
        ["studies", STUDY, "series", uid, "instances"] => {
            let at: usize = uid.trim_start_matches("9.").parse().unwrap();
            (0..series[at].1).map(|i| found(&[("00080018", &format!("{uid}.{i}"))])).collect()
        }
        _ => return Reply::status(404),
    };
    let from = asked.number("offset").min(results.len());
    let to = (from + asked.number("limit")).min(results.len());
    // The standard's way to say that there is nothing.
    if from == to {
        return Reply::status(204);
    }
    Reply::json(format!("[{}]", results[from..to].join(",")))
}

/// Where the file that is fetched lay.
async fn fetch(pacs: &Pacs, key: InstanceKey, value: &str) -> Result<String, FetchError> {
    let file = pacs.fetch(&name(key, value)).await?;
    let start = file.windows(10).position(|window| window == b"/dicom-web").unwrap();
    Ok(String::from_utf8(file[start..].to_vec()).unwrap())
}

#[tokio::test]
async fn an_imaging_study_or_an_accession_number_is_enough_where_it_has_one_image() {
    let server = with_series(&[("SR", 3), ("DX", 1), ("KO", 1), ("PR", 2)]).await;
    let pacs = pacs(&server);
    let wanted = format!("/dicom-web/studies/{STUDY}/series/9.1/instances/9.1.0");
    let by_study = fetch(&pacs, InstanceKey::StudyInstanceUid, STUDY).await;
    assert_eq!(by_study.as_deref(), Ok(wanted.as_str()));
    let by_number = fetch(&pacs, InstanceKey::AccessionNumber, ACCESSION_NUMBER).await;
    assert_eq!(by_number.as_deref(), Ok(wanted.as_str()));
    let asked = server.seen.asked();
    let query = asked.iter().find(|asked| asked.target.contains("AccessionNumber")).unwrap();
    let query = &query.target;
    assert!(query.contains("AccessionNumber=A%2017%2F1&"), "{query}");
}

#[tokio::test]
async fn none_and_several_are_told_apart_and_neither_is_guessed() {
    let study = InstanceKey::StudyInstanceUid;
    for (series, fault) in [
        (&[("DX", 1), ("DX", 1)][..], CaseFault::SeveralInstances),
        (&[("DX", 2)], CaseFault::SeveralInstances),
        (&[("DX", 0)], CaseFault::NoInstance),
        (&[("SR", 1)], CaseFault::NoInstance),
        (&[], CaseFault::NoInstance),
    ] {
        let server = with_series(series).await;
        let failed = fetch(&pacs(&server), study, STUDY).await;
        assert_eq!(failed, Err(fault.into()), "{series:?}");
    }
    let server = with_series(&[("DX", 1)]).await;
    let pacs = pacs(&server);
    for (key, value) in [(study, "1.9.9"), (InstanceKey::AccessionNumber, "B")] {
        assert_eq!(fetch(&pacs, key, value).await, Err(CaseFault::NoInstance.into()), "{key:?}");
    }
}

#[tokio::test]
async fn only_the_modality_that_the_site_names_counts() {
    let server = with_series(&[("CT", 1), ("DX", 1)]).await;
    let url = format!("http://127.0.0.1:{}/dicom-web", server.port);
    let of = |modality: &str| {
        let modality = Some(modality.to_owned());
        Pacs::new(PacsSettings { modality, ..settings(url.clone()) }).unwrap()
    };
    let dx = fetch(&of("DX"), InstanceKey::StudyInstanceUid, STUDY).await.unwrap();
    assert!(dx.ends_with("/series/9.1/instances/9.1.0"), "{dx}");
    let mr = fetch(&of("MR"), InstanceKey::StudyInstanceUid, STUDY).await;
    assert_eq!(mr, Err(CaseFault::NoInstance.into()));
}

/// Series of one modality, all of them or page by page.
fn series(modality: &str, from: usize, count: usize) -> String {
    let mut list = String::new();
    for at in from..from + count {
        let one = found(&[("0020000E", &format!("9.{at}")), ("00080060", modality)]);
        write!(list, "{}{one}", if list.is_empty() { "" } else { "," }).unwrap();
    }
    format!("[{list}]")
}

#[tokio::test]
async fn a36_ten_thousand_results_end_after_few_questions() {
    let key = InstanceKey::StudyInstanceUid;
    for modality in ["SR", "DX"] {
        // One that knows pages, and one that does not.
        let paged = Server::start(move |asked| {
            let left = 10_000 - asked.number("offset").min(10_000);
            let page = series(modality, asked.number("offset"), asked.number("limit").min(left));
            async { Reply::json(page) }
        })
        .await;
        let failed = fetch(&pacs(&paged), key, STUDY).await;
        assert_eq!(failed, Err(CaseFault::SeveralInstances.into()), "{modality}");
        assert_eq!(paged.seen.asked().len(), 10, "pages of a hundred, a thousand results");

        let whole = Server::start(move |_| async move { Reply::json(series(modality, 0, 10_000)) });
        let whole = whole.await;
        let failed = fetch(&pacs(&whole), key, STUDY).await;
        assert_eq!(failed, Err(CaseFault::SeveralInstances.into()), "{modality}");
        assert_eq!(whole.seen.asked().len(), 1);
    }
}

#[tokio::test]
async fn a36_a_series_beyond_what_a_pacs_lists_at_once_is_not_overlooked() {
    let all = [("DX", 1), ("SR", 1), ("KO", 1), ("DX", 1)];
    for most in 1..=all.len() {
        let server = Server::start(move |asked| {
            let page = asked.number("limit").min(most);
            let target = asked.target.replace("limit=100", &format!("limit={page}"));
            let reply = answer(&Asked { target, ..asked }, &all);
            async { reply }
        })
        .await;
        let failed = fetch(&pacs(&server), InstanceKey::StudyInstanceUid, STUDY).await;
        assert_eq!(failed, Err(CaseFault::SeveralInstances.into()), "{most} at once");
    }
}

#[tokio::test]
async fn a36_a_pacs_that_answers_something_else_than_was_asked_gives_no_image() {
    let others = |count: usize| {
        let one = found(&[("0020000D", "1.7"), ("0020000E", "1.8"), ("00080018", "1.9")]);
        format!("[{}]", vec![one; count].join(","))
    };
    for (count, fault) in
        [(1, CaseFault::NoInstance), (2, CaseFault::NoInstance), (10_000, CaseFault::TooLarge)]
    {
        let server = Server::start(move |_| async move { Reply::json(others(count)) }).await;
        let pacs = pacs(&server);
        for (key, value) in
            [(InstanceKey::SopInstanceUid, "1.2"), (InstanceKey::AccessionNumber, "A")]
        {
            let failed = fetch(&pacs, key, value).await;
            assert_eq!(failed, Err(fault.into()), "{key:?}");
        }
        assert_eq!(server.seen.asked().len(), 2);
    }
}

#[tokio::test]
async fn a36_a_uid_that_is_none_never_becomes_a_path() {
    for series in ["../../instances", "1.2/../3", "1.2?x=1", "1.2%2F", "", "http://elsewhere.test"]
    {
        let results = [("0020000D", "1.2"), ("0020000E", series), ("00080018", "1.2.3")];
        let body = format!("[{}]", found(&results));
        let server = Server::start(move |_| {
            let reply = Reply::json(body.clone());
            async { reply }
        })
        .await;
        let failed = fetch(&pacs(&server), InstanceKey::SopInstanceUid, "1.2.3").await;
        assert_eq!(failed, Err(CaseFault::NoInstance.into()), "{series}");
        assert_eq!(server.seen.count(Asked::is_wado), 0);
    }
}

#[tokio::test]
async fn a36_json_that_is_none_fails_the_case() {
    let numbers = r#"[{"00080018": 1}]"#;
    for body in ["", "{}", "[", "[[]]", "[] []", numbers, &"[".repeat(100_000)] {
        let body = body.to_owned();
        let server = Server::start(move |asked| {
            let is_wanted = asked.target.contains("/instances");
            let reply = if is_wanted { Reply::json(body.clone()) } else { honest_query(&asked) };
            async { reply }
        })
        .await;
        let failed = fetch(&pacs(&server), InstanceKey::SopInstanceUid, "1.2.3").await;
        assert_eq!(failed, Err(CaseFault::AnswerInvalid.into()));
    }
}
