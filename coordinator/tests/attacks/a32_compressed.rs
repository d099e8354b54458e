//! A32: messages that grow when they are inflated. Nothing is inflated here.

use tonic::Code;
use tonic::codegen::Bytes;

use crate::Target;
use crate::a45_messages::refusal_of;

/// Three mebibytes that inflate to three gibibytes: one piece, which ends so that it may follow itself.
fn bomb() -> Vec<u8> {
    let mut piece = Vec::with_capacity(1 << 16);
    let mut deflate = flate2::Compress::new(flate2::Compression::best(), false);
    deflate.compress_vec(&vec![0; 16 << 20], &mut piece, flate2::FlushCompress::Sync).unwrap();
    [b"\x1f\x8b\x08\0\0\0\0\0\x02\x03".to_vec(), piece.repeat((3 << 20) / piece.len())].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a32_compressed_messages_are_refused_and_not_inflated() {
    let target = Target::new().await;
    let bomb = bomb();
    let length = u32::try_from(bomb.len()).unwrap().to_be_bytes();
    let message: Bytes = [&[1], &length[..], &bomb].concat().into();
    for path in ["/fedval.v1.ResultService/SubmitResult", "/fedval.v1.EnrolmentService/Enrol"] {
        for encoding in ["gzip", "deflate", "zstd", "identity"] {
            let channel = target.coordinator.channel(&target.hostile);
            let pieces = tokio_stream::iter([message.clone()]);
            let refused = refusal_of(encoding, channel, path, pieces).await;
            assert_ne!(refused.code(), Code::Ok, "{path} {encoding}: {refused}");
        }
    }
    target.others_are_served().await;
    target.memory_is_bounded();
}
