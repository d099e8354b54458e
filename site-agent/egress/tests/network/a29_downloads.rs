//! A29: a coordinator that sends other bytes than the protocol pins, more of them, or none at all.

use fedval_ambient::Problem as _;
use fedval_egress::{EgressError, part_of};
use fedval_study::Sha256Digest;
use tempfile::TempDir;

use crate::at;
use crate::consortium::Consortium;
use crate::hostile_coordinator::{Answer, chunk, framed, start};

/// What the protocol pins.
const MODEL: &[u8] = b"the bytes of a model";

/// What came of a download, and what lies on the disk then.
struct Fetched {
    folder: TempDir,
    result: Result<(), EgressError>,
}

impl Fetched {
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn code(&self) -> &'static str {
        self.result.as_ref().unwrap_err().code()
    }
}

async fn fetch_into(folder: TempDir, answer: Answer) -> Fetched {
    let consortium = Consortium::new(1);
    let port = start(&consortium, answer).await;
    let connection = consortium.open(&at(port)).await.unwrap();
    let file = folder.path().join("model.bin");
    let result = connection.download(&Sha256Digest::of(MODEL), MODEL.len() as u64, &file).await;
    Fetched { folder, result }
}

async fn fetch(answer: Answer) -> Fetched {
    fetch_into(tempfile::tempdir().unwrap(), answer).await
}

fn chunks(pieces: &[&[u8]]) -> Answer {
    let body = pieces.iter().map(|piece| framed(0, &chunk(piece))).collect();
    Answer { body, ..Answer::default() }
}

#[tokio::test]
async fn a29_what_is_pinned_is_kept_however_it_is_cut() {
    for pieces in [&[MODEL][..], &[&MODEL[..7], &MODEL[7..]], &[b"", MODEL, b""]] {
        let fetched = fetch(chunks(pieces)).await;
        assert!(fetched.result.is_ok(), "{:?}", fetched.result);
        assert_eq!(fetched.names(), ["model.bin"]);
        assert_eq!(std::fs::read(fetched.folder.path().join("model.bin")).unwrap(), MODEL);
    }
}

#[tokio::test]
async fn a29_bytes_that_change_in_the_middle_are_removed() {
    let mut changed = MODEL.to_vec();
    changed[9] ^= 1;
    for pieces in [&[&changed[..]][..], &[&MODEL[..7], &changed[7..]]] {
        let fetched = fetch(chunks(pieces)).await;
        assert_eq!(fetched.code(), "DIGEST_MISMATCH");
        assert_eq!(fetched.names(), Vec::<String>::new(), "nothing is left of it");
    }
}

#[tokio::test]
async fn a29_more_bytes_than_declared_are_not_waited_for() {
    let mebibyte = vec![7; 1 << 20];
    let longer = [MODEL, b"x"].concat();
    let endless: Vec<&[u8]> = std::iter::once(MODEL).chain(vec![&mebibyte[..]; 500]).collect();
    for pieces in [&[&longer[..]][..], &[MODEL, b"x"], &endless[..]] {
        let fetched = fetch(chunks(pieces)).await;
        assert_eq!(fetched.code(), "DIGEST_MISMATCH");
        assert_eq!(fetched.names(), Vec::<String>::new(), "nothing is left of it");
    }
}

#[tokio::test]
async fn a29_fewer_bytes_are_no_model_and_the_next_attempt_goes_on() {
    let fetched = fetch(chunks(&[&MODEL[..7]])).await;
    assert_eq!(fetched.code(), "DIGEST_MISMATCH");
    assert_eq!(fetched.names(), ["model.part"], "no file of that name is there");
    // What follows is of another model: the whole is not the pinned one, and goes.
    let other = vec![b'x'; MODEL.len() - 7];
    let fetched = fetch_into(fetched.folder, chunks(&[&other])).await;
    assert_eq!(fetched.code(), "DIGEST_MISMATCH");
    assert_eq!(fetched.names(), Vec::<String>::new());
    // What somebody left there is too long already.
    let file = fetched.folder.path().join("model.bin");
    std::fs::write(part_of(&file), vec![0; MODEL.len() + 1]).unwrap();
    let fetched = fetch_into(fetched.folder, chunks(&[MODEL])).await;
    assert_eq!((fetched.code(), fetched.names().len()), ("DIGEST_MISMATCH", 0));
    let fetched = fetch_into(fetched.folder, chunks(&[MODEL])).await;
    assert!(fetched.result.is_ok(), "it begins anew: {:?}", fetched.result);
}
