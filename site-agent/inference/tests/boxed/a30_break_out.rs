//! A30: a model that found its way out of the engine. What it can reach from there is nothing, as the tests
//! of `fedval-sandbox` show from inside; here, what its box's parent makes of the attempt.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use fedval_ambient::Problem as _;
use fedval_sandbox::BoxProgram;
use libtest_mimic::Trial;

use crate::onnx_file::{bytes, specification, tiny_cnn};
use crate::{LIMITS, load_in, score, serves_the_next, trial};

/// A box that starts a program where it should load the model.
pub(crate) const AT_ONCE: &str = "__hostile-box-at-once";

/// A box that says that the model is loaded, and starts a program with the first image.
pub(crate) const LATER: &str = "__hostile-box-later";

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("a30_an_attempt_to_break_out", a30_an_attempt_to_break_out_is_told_by_its_code())]
}

pub(crate) fn hostile_box_main(is_patient: bool) -> ExitCode {
    let mut may_wait = is_patient;
    fedval_sandbox::serve(move |_| {
        if std::mem::take(&mut may_wait) {
            return vec![0];
        }
        vec![u8::from(Command::new("/bin/true").exec().raw_os_error().is_some())]
    })
}

async fn a30_an_attempt_to_break_out_is_told_by_its_code() {
    let model = bytes(tiny_cnn());
    let at_once = BoxProgram::current(AT_ONCE).unwrap();
    let refused = load_in(&at_once, &LIMITS, &specification(&model), &model).await.unwrap_err();
    assert_eq!(refused.code(), "MODEL_FORBIDDEN_CALL");
    assert!(refused.remedy().is_some());
    let later = BoxProgram::current(LATER).unwrap();
    let mut loaded = load_in(&later, &LIMITS, &specification(&model), &model).await.unwrap();
    let ended = score(&mut loaded, &[0.5; 16]).await.unwrap_err();
    assert_eq!(ended.code(), "MODEL_FORBIDDEN_CALL");
    assert!(ended.remedy().is_some());
    serves_the_next().await;
}
