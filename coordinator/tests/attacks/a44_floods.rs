//! A44: slow handshakes, idle streams, and floods of frames that cost the sender nothing.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::Target;
use crate::raw::{
    self, CANCEL, CONTINUATION, END_HEADERS, HEADERS, PING, RST_STREAM, Raw, SETTINGS, frame,
};

const WORK: &str = "/fedval.v1.WorkService/Work";

/// More than the server shakes hands with at once.
const SLOW: usize = 600;

#[tokio::test(flavor = "multi_thread")]
async fn a44_handshakes_that_never_end_do_not_keep_others_out() {
    let target = Target::new().await;
    let mut slow = Vec::new();
    for number in 0..SLOW {
        let mut stream = TcpStream::connect(("127.0.0.1", target.coordinator.port)).await.unwrap();
        // Some say nothing, some begin a handshake and leave it.
        if number % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
        }
        slow.push(stream);
    }
    target.others_are_served().await;
    target.memory_is_bounded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a44_ten_thousand_idle_streams_are_not_kept() {
    let target = Target::new().await;
    let block = raw::headers(WORK);
    let idle = |streams: std::ops::Range<u32>| -> Vec<u8> {
        streams.flat_map(|n| frame(HEADERS, END_HEADERS, 2 * n + 1, &block)).collect()
    };
    let mut one = Raw::connect(&target.coordinator, &target.hostile).await.unwrap();
    // The server may hang up before all of it is written.
    drop(one.send(&idle(0..10_000)).await);
    raw::is_sent_away(&mut one.read).await;
    // As many streams as a connection may have, on as many connections as that takes.
    let mut held = Vec::new();
    for _ in 0..10_000 / 32 {
        if let Ok(mut raw) = Raw::connect(&target.coordinator, &target.hostile).await
            && raw.send(&idle(0..32)).await.is_ok()
        {
            held.push(raw);
        }
    }
    target.others_are_served().await;
    target.memory_is_bounded();
    target.coordinator.logged("connections refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a44_streams_opened_and_taken_back_at_once_end_the_connection() {
    let target = Target::new().await;
    let Raw { mut read, mut write } =
        Raw::connect(&target.coordinator, &target.hostile).await.unwrap();
    let block = raw::headers(WORK);
    let flood = tokio::spawn(async move {
        for stream in 0..100_000 {
            let id = 2 * stream + 1;
            let opened = frame(HEADERS, END_HEADERS, id, &block);
            let taken_back = frame(RST_STREAM, 0, id, &CANCEL);
            if write.write_all(&[opened, taken_back].concat()).await.is_err() {
                break;
            }
        }
        write
    });
    target.others_are_served().await;
    raw::is_sent_away(&mut read).await;
    flood.await.unwrap();
    target.others_are_served().await;
    target.memory_is_bounded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a44_headers_that_never_end_end_the_connection() {
    let target = Target::new().await;
    let Raw { mut read, mut write } =
        Raw::connect(&target.coordinator, &target.hostile).await.unwrap();
    let flood = tokio::spawn(async move {
        let begun = frame(HEADERS, 0, 1, &raw::headers(WORK));
        let mut sent = write.write_all(&begun).await;
        // A header of 100 bytes again and again: two GiB, if nobody stops it.
        let header = [&[0, 4][..], b"fill", &[94], &[b'x'; 94]].concat();
        let more = frame(CONTINUATION, 0, 1, &header.repeat(160));
        for _ in 0..130_000 {
            if sent.is_err() {
                break;
            }
            sent = write.write_all(&more).await;
        }
        (write, sent.is_err())
    });
    target.others_are_served().await;
    raw::is_sent_away(&mut read).await;
    let (_write, was_stopped) = flood.await.unwrap();
    assert!(was_stopped, "the server took headers without end");
    target.others_are_served().await;
    target.memory_is_bounded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a44_pings_and_settings_whose_answers_nobody_reads_fill_no_memory() {
    let target = Target::new().await;
    for (kind, payload) in [(PING, &[7; 8][..]), (SETTINGS, &[])] {
        let Raw { read: _unread, mut write } =
            Raw::connect(&target.coordinator, &target.hostile).await.unwrap();
        let many = frame(kind, 0, 0, payload).repeat(1000);
        let flood = tokio::spawn(async move {
            for _ in 0..10_000 {
                // The server stops reading when its answers are not read: then this waits.
                if write.write_all(&many).await.is_err() {
                    break;
                }
            }
        });
        for _ in 0..10 {
            target.others_are_served().await;
        }
        target.memory_is_bounded();
        flood.abort();
        drop(tokio::time::timeout(Duration::from_secs(5), flood).await);
    }
}
