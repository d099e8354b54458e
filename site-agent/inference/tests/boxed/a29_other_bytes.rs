//! A29, the site's own disk: bytes that are not those that the protocol pins. What a coordinator could send
//! instead of them is in `fedval-egress`.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use fedval_ambient::Problem as _;
use fedval_inference::{INFERENCE_ROLE, InferenceLimits, ModelBox};
use fedval_sandbox::BoxProgram;
use libtest_mimic::Trial;

use crate::onnx_file::{around, bytes, specification, tiny_cnn};
use crate::{CANARY, LIMITS, load, load_in, score, serves_the_next, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("a29_other_bytes", a29_bytes_that_are_not_pinned_are_not_parsed()),
        trial("a29_a_file_above_the_limit", a29_above_the_limit_nothing_is_started()),
        trial("a29_a_file_that_changes", a29_a_file_that_changes_later_changes_nothing()),
        trial("a29_no_file", a29_what_is_no_file_is_not_read()),
    ]
}

async fn a29_bytes_that_are_not_pinned_are_not_parsed() {
    let model = bytes(tiny_cnn());
    let other = bytes(around("Relu"));
    // More than declared; and what would be refused by another code if it were parsed.
    let longer = [&model[..], b" "].concat();
    let much_longer = [&model[..], &vec![0; 16 << 20]].concat();
    let flipped = [&[model[0] ^ 1], &model[1..]].concat();
    let words = CANARY.as_bytes();
    for found in [&other[..], &model[1..], &longer, &much_longer, &flipped, words, b""] {
        let refused = load(&specification(&model), found).await.unwrap_err();
        assert_eq!(refused.code(), "MODEL_DIGEST_MISMATCH");
    }
    serves_the_next().await;
}

async fn a29_above_the_limit_nothing_is_started() {
    let model = bytes(tiny_cnn());
    let limits = InferenceLimits { max_model_bytes: 10, ..LIMITS };
    // A program that is not there shows that none is started.
    let absent = BoxProgram { executable: "/nonexistent".into(), role: INFERENCE_ROLE };
    let refused = load_in(&absent, &limits, &specification(&model), &model).await;
    assert_eq!(refused.unwrap_err().code(), "MODEL_TOO_LARGE");
    let refused = load_in(&absent, &LIMITS, &specification(&model), &model).await;
    assert_eq!(refused.unwrap_err().code(), "SANDBOX_NOT_STARTED");
}

/// The box has read the file to its end, and compared it, before anything of it is parsed.
async fn a29_a_file_that_changes_later_changes_nothing() {
    let model = bytes(tiny_cnn());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, &model).unwrap();
    let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
    let pinned = specification(&model);
    let mut loaded = ModelBox::load(&program, &LIMITS, &pinned, &path).await.unwrap();
    let before = score(&mut loaded, &[0.75; 16]).await.unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .write_all(&bytes(around("Neg"))[..20])
        .unwrap();
    assert_eq!(score(&mut loaded, &[0.75; 16]).await.unwrap().to_bits(), before.to_bits());
    let again = ModelBox::load(&program, &LIMITS, &pinned, &path).await.unwrap_err();
    assert_eq!(again.code(), "MODEL_DIGEST_MISMATCH");
}

async fn a29_what_is_no_file_is_not_read() {
    let model = bytes(tiny_cnn());
    let program = BoxProgram::current(INFERENCE_ROLE).unwrap();
    let pinned = specification(&model);
    let load = async |path: &str| ModelBox::load(&program, &LIMITS, &pinned, Path::new(path)).await;
    assert_eq!(load("/nonexistent").await.unwrap_err().code(), "MODEL_NOT_READ");
    // A folder opens, and cannot be read; of a device that never ends no more is read than pinned.
    assert_eq!(load("/").await.unwrap_err().code(), "MODEL_DIGEST_MISMATCH");
    assert_eq!(load("/dev/zero").await.unwrap_err().code(), "MODEL_DIGEST_MISMATCH");
}
