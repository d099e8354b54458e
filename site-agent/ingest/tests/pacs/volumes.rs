//! From a UID or an accession number to all images of exactly one series.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fedval_ingest::{
    CaseFault, FetchError, FetchedVolume, InstanceKey, Pacs, PacsError, PacsLimits,
};

use super::server::{Asked, Reply, Server};
use super::{HASTY, STUDY, file, found, name, pacs_with};

const SERIES: &str = "9.1";
/// Bytes of each file behind what it calls itself.
const REST: usize = 1000;

/// What a PACS says and does beside what is asked of it.
#[derive(Clone, Copy)]
struct Habits {
    /// Instances that it lists.
    listed: usize,
    /// How many it says there are.
    told: Option<usize>,
    /// Whether it knows pages.
    knows_pages: bool,
    /// Whether it knows where a page begins.
    knows_offset: bool,
    /// How many it lists at once, whatever it is asked for.
    most_at_once: usize,
    /// What else it lists: a UID's last part, and a class.
    repeated: Option<(usize, &'static str)>,
    /// Modalities of the imaging study's series.
    modalities: &'static [&'static str],
}

const HONEST: Habits = Habits {
    listed: 250,
    told: Some(250),
    knows_pages: true,
    knows_offset: true,
    most_at_once: usize::MAX,
    repeated: None,
    modalities: &["SR", "CT"],
};
/// The class of all images.
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

fn query(asked: &Asked, habits: Habits) -> Reply {
    let told = habits.told.map(|told| told.to_string());
    let path = asked.target.split('?').next().unwrap_or_default();
    let path: Vec<&str> = path.split('/').skip(2).collect();
    let mut results: Vec<String> = match path.as_slice() {
        ["series"] if asked.target.contains(SERIES) => {
            let all = [("0020000D", STUDY), ("0020000E", SERIES)];
            let told = told.iter().map(|told| ("00201209", told.as_str()));
            vec![found(&all.into_iter().chain(told).collect::<Vec<_>>())]
        }
        ["studies"] => {
            vec![found(&[("0020000D", STUDY), ("00080050", "A17")])]
        }
        ["studies", STUDY, "series"] => {
            let told = told.as_deref().unwrap_or("0");
            let all = habits.modalities.iter().enumerate().map(|(at, modality)| {
                let series = format!("9.{at}");
                found(&[("0020000E", &series), ("00080060", modality), ("00201209", told)])
            });
            all.collect()
        }
        // Not in the order of their UIDs.
        ["studies", STUDY, "series", SERIES, "instances"] => (0..habits.listed)
            .rev()
            .map(|at| (at, CT))
            .chain(habits.repeated)
            .map(|(at, class)| {
                found(&[("00080018", &format!("{SERIES}.{at}")), ("00080016", class)])
            })
            .collect(),
        _ => Vec::new(),
    };
    if habits.knows_pages {
        let from = if habits.knows_offset { asked.number("offset") } else { 0 };
        let from = from.min(results.len());
        let page = asked.number("limit").min(habits.most_at_once);
        let to = (from + page).min(results.len());
        results = results[from..to].to_vec();
    }
    Reply::json(format!("[{}]", results.join(",")))
}

/// A PACS with one series, which gives the first `given` images that it is asked for.
async fn with(habits: Habits, given: usize) -> Server {
    let fetched = Arc::new(AtomicUsize::new(0));
    Server::start(move |asked| {
        let reply = if !asked.is_wado() {
            query(&asked, habits)
        } else if fetched.fetch_add(1, Ordering::SeqCst) < given {
            let uid = asked.target.rsplit('/').next().unwrap_or_default();
            Reply::instance(&file(uid, &[b'Z'; REST]))
        } else {
            Reply::status(403)
        };
        async { reply }
    })
    .await
}

fn keeping(server: &Server, limits: PacsLimits) -> Pacs {
    pacs_with(server, limits).keeping_series_in(std::env::temp_dir())
}

async fn fetch(
    server: &Server,
    key: InstanceKey,
    value: &str,
) -> Result<FetchedVolume, FetchError> {
    keeping(server, HASTY).fetch_volume(&name(key, value)).await
}

async fn failed(habits: Habits) -> FetchError {
    let server = with(habits, usize::MAX).await;
    let failed = fetch(&server, InstanceKey::SeriesInstanceUid, SERIES).await.unwrap_err();
    assert_eq!(server.seen.count(Asked::is_wado), 0, "none of it was fetched");
    failed
}

#[tokio::test]
async fn all_images_of_a_series_come_in_the_order_of_their_uids_however_it_is_named() {
    for (key, value) in [
        (InstanceKey::SeriesInstanceUid, SERIES),
        (InstanceKey::StudyInstanceUid, STUDY),
        (InstanceKey::AccessionNumber, "A17"),
    ] {
        let server = with(HONEST, usize::MAX).await;
        let Ok(FetchedVolume::Series(files)) = fetch(&server, key, value).await else {
            panic!("{key:?}")
        };
        let mut uids: Vec<String> = (0..250).map(|at| format!("{SERIES}.{at}")).collect();
        uids.sort();
        assert_eq!(files.count(), uids.len());
        for (place, uid) in uids.iter().enumerate() {
            assert_eq!(files.read(place).unwrap(), file(uid, &[b'Z'; REST]), "{key:?}");
        }
        assert_eq!(server.seen.count(Asked::is_wado), 250, "each once");
    }
}

#[tokio::test]
async fn a_series_of_one_image_is_that_image() {
    let server = with(Habits { listed: 1, told: Some(1), ..HONEST }, usize::MAX).await;
    let only = fetch(&server, InstanceKey::SeriesInstanceUid, SERIES).await;
    assert!(matches!(only, Ok(FetchedVolume::Image(_))));
}

#[tokio::test]
async fn a_series_of_which_an_image_is_missing_is_not_taken() {
    // One that is hidden, one that is listed twice in its place, more than are read, none at all.
    let hidden = failed(Habits { listed: 249, ..HONEST }).await;
    assert_eq!(hidden, FetchError::from(CaseFault::SeriesIncomplete));
    for class in [CT, "1.2.840.10008.5.1.4.1.1.2.1"] {
        let twice = Habits { listed: 249, repeated: Some((7, class)), ..HONEST };
        for knows_pages in [true, false] {
            let twice = failed(Habits { knows_pages, ..twice }).await;
            assert_eq!(twice, FetchError::from(CaseFault::AnswerInvalid), "{class}");
        }
    }
    let nothing = failed(Habits { listed: 0, ..HONEST }).await;
    assert_eq!(nothing, FetchError::from(CaseFault::SeriesIncomplete), "250 are said to be there");
    let none = failed(Habits { listed: 0, told: None, ..HONEST }).await;
    assert_eq!(none, FetchError::from(CaseFault::NoInstance));
    let large = failed(Habits { listed: 4097, told: Some(4097), ..HONEST }).await;
    assert_eq!(large, FetchError::from(CaseFault::SeriesTooLarge));
    let all_at_once = Habits { listed: 1500, told: None, knows_pages: false, ..HONEST };
    let server = with(all_at_once, usize::MAX).await;
    let whole = fetch(&server, InstanceKey::SeriesInstanceUid, SERIES).await;
    assert!(matches!(whole, Ok(FetchedVolume::Series(files)) if files.count() == 1500));
    // A number that nobody wrote keeps nobody from a volume.
    let server = with(Habits { told: None, ..HONEST }, usize::MAX).await;
    assert!(fetch(&server, InstanceKey::SeriesInstanceUid, SERIES).await.is_ok());
}

#[tokio::test]
async fn a36_a_list_that_comes_in_shorter_pages_than_was_asked_for_is_read_to_its_end() {
    let untold = Habits { told: None, ..HONEST };
    for habits in [
        Habits { most_at_once: 50, ..untold },
        // The last page is full.
        Habits { most_at_once: 25, ..untold },
        Habits { knows_offset: false, ..untold },
        Habits { knows_offset: false, listed: 100, ..untold },
        Habits { knows_pages: false, listed: 100, ..untold },
        Habits { knows_pages: false, listed: 3, ..untold },
    ] {
        let server = with(habits, usize::MAX).await;
        let whole = fetch(&server, InstanceKey::SeriesInstanceUid, SERIES).await;
        let Ok(FetchedVolume::Series(files)) = whole else { panic!("{whole:?}") };
        assert_eq!(files.count(), habits.listed);
    }
    // A page that says something twice, and nothing else.
    let twice = Habits { listed: 200, repeated: Some((7, CT)), ..untold };
    assert_eq!(failed(twice).await, FetchError::from(CaseFault::AnswerInvalid));
    // What cannot be seen in the list alone is seen where the PACS says how many there are.
    let capped = Habits { most_at_once: 50, knows_offset: false, ..HONEST };
    assert_eq!(failed(capped).await, FetchError::from(CaseFault::SeriesIncomplete));
    let others = Habits { most_at_once: 1, modalities: &["SR", "CT", "KO", "CT"], ..HONEST };
    let server = with(others, usize::MAX).await;
    let failed = fetch(&server, InstanceKey::StudyInstanceUid, STUDY).await.unwrap_err();
    assert_eq!(failed, FetchError::from(CaseFault::SeveralSeries));
    let asked = server.seen.asked();
    let of_series = asked.iter().map(|asked| &asked.target);
    let of_series: Vec<_> = of_series.filter(|target| target.contains("/series?")).collect();
    assert_eq!(of_series.len(), 5, "one by one, and then nothing");
    assert!(of_series.iter().all(|target| target.contains("includefield=00201209")));
}

#[tokio::test]
async fn an_image_that_is_not_given_fails_the_whole_series_and_counts_once() {
    let server = with(HONEST, 100).await;
    let pacs = keeping(&server, HASTY);
    let series = name(InstanceKey::SeriesInstanceUid, SERIES);
    for _ in 0..4 {
        let failed = pacs.fetch_volume(&series).await.unwrap_err();
        assert_eq!(failed, FetchError::from(CaseFault::Failing));
        assert!(pacs.is_in_doubt(), "what was given of it says nothing");
    }
    let failed = pacs.fetch_volume(&series).await.unwrap_err();
    assert_eq!(failed, FetchError::from(PacsError::Refused));
}

#[tokio::test]
async fn a36_a_pacs_that_lists_no_series_in_full_holds_the_run_up() {
    for listed in [0, 249] {
        let server = with(Habits { listed, ..HONEST }, usize::MAX).await;
        let pacs = keeping(&server, HASTY);
        let series = name(InstanceKey::SeriesInstanceUid, SERIES);
        for _ in 0..4 {
            let failed = pacs.fetch_volume(&series).await.unwrap_err();
            assert_eq!(failed, FetchError::from(CaseFault::SeriesIncomplete));
            assert!(pacs.is_in_doubt());
        }
        let failed = pacs.fetch_volume(&series).await.unwrap_err();
        assert_eq!(failed, FetchError::from(PacsError::Failed), "its index is being built");
    }
}

#[tokio::test]
async fn several_series_are_not_chosen_among() {
    let server = with(Habits { modalities: &["CT", "CT"], ..HONEST }, usize::MAX).await;
    for (key, value) in
        [(InstanceKey::StudyInstanceUid, STUDY), (InstanceKey::AccessionNumber, "A17")]
    {
        let failed = fetch(&server, key, value).await.unwrap_err();
        assert_eq!(failed, FetchError::from(CaseFault::SeveralSeries), "{key:?}");
    }
    assert!(fetch(&server, InstanceKey::SeriesInstanceUid, SERIES).await.is_ok(), "one is named");
    let unknown = fetch(&server, InstanceKey::SeriesInstanceUid, "9.7").await.unwrap_err();
    assert_eq!(unknown, FetchError::from(CaseFault::NoInstance));
}

#[tokio::test]
async fn a_series_is_given_up_where_it_is_too_large() {
    let server = with(HONEST, usize::MAX).await;
    // Sixteen times this is less than all of them.
    let limits = PacsLimits { max_instance_bytes: 2 * REST as u64, ..HASTY };
    let series = name(InstanceKey::SeriesInstanceUid, SERIES);
    let failed = keeping(&server, limits).fetch_volume(&series).await.unwrap_err();
    assert_eq!(failed, FetchError::from(CaseFault::SeriesTooLarge));
    assert!(server.seen.count(Asked::is_wado) < 40);
}

#[tokio::test]
async fn a_series_without_a_place_holds_the_run_up_and_fails_no_case() {
    let server = with(HONEST, usize::MAX).await;
    let series = name(InstanceKey::SeriesInstanceUid, SERIES);
    let nowhere = pacs_with(&server, HASTY).fetch_volume(&series).await.unwrap_err();
    assert_eq!(nowhere, FetchError::from(PacsError::SeriesNotKept));
    assert_eq!(server.seen.count(Asked::is_wado), 0);
    assert!(PacsError::SeriesNotKept.is_passing());
}
