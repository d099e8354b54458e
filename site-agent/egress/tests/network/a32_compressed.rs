//! A32: messages that grow when they are inflated. This side inflates nothing, and takes no message above its
//! cap.

use fedval_egress::EgressError;
use fedval_study::Sha256Digest;

use crate::at;
use crate::consortium::Consortium;
use crate::hostile_coordinator::{Answer, chunk, framed, start};

/// A gibibyte in which nothing is compressed but what says that there is more.
const PROMISED: u32 = 1 << 30;

async fn fetch(answer: Answer) -> Result<(), EgressError> {
    let consortium = Consortium::new(1);
    let port = start(&consortium, answer).await;
    let connection = consortium.open(&at(port)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.bin");
    let fetched = connection.download(&Sha256Digest::of(b"model"), PROMISED.into(), &file).await;
    let kept: u64 = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert_eq!(kept, 0, "something was made of it");
    fetched
}

fn resident_kibibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Three mebibytes that inflate to three gibibytes: one piece, which ends so that it may follow itself.
fn bomb() -> Vec<u8> {
    let mut piece = Vec::with_capacity(1 << 16);
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    let zeros = vec![0; 16 << 20];
    deflate.compress_vec(&zeros, &mut piece, flate2::FlushCompress::Sync).unwrap();
    [b"\x1f\x8b\x08\0\0\0\0\0\x02\x03".to_vec(), piece.repeat((3 << 20) / piece.len())].concat()
}

#[tokio::test]
async fn a32_compressed_messages_are_refused_and_not_inflated() {
    let bomb = bomb();
    assert!(bomb.len() > 2 << 20 && bomb.len() < 4 << 20);
    let before = resident_kibibytes();
    for encoding in [None, Some("gzip"), Some("deflate"), Some("zstd"), Some("identity")] {
        let answer = Answer { body: vec![framed(1, &bomb)], encoding };
        let refused = fetch(answer).await.unwrap_err();
        assert!(!matches!(refused, EgressError::DigestMismatch), "{encoding:?}: {refused:?}");
    }
    assert!(resident_kibibytes() < before + 256 * 1024, "it was inflated");
}

#[tokio::test]
async fn a32_a_message_above_the_cap_is_refused_before_it_arrives() {
    // A gibibyte announced, and nothing sent; and five mebibytes, sent whole.
    let announced = [&[0], &PROMISED.to_be_bytes()[..]].concat();
    for body in [announced.into(), framed(0, &chunk(&vec![0; 5 << 20]))] {
        let answer = Answer { body: vec![body], ..Answer::default() };
        let refused = fetch(answer).await.unwrap_err();
        assert!(matches!(refused, EgressError::Refused { .. }), "{refused:?}");
    }
}
