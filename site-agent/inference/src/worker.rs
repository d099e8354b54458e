//! The child's side: one model, loaded by the first request.

use std::process::ExitCode;

use fedval_sandbox::numbers;

use crate::engine::Engine;
use crate::exchange::{Refusal, decode_order, encode_load_reply, encode_score_reply};
use crate::model_file;

/// Argument by which the agent's executable becomes a model's box.
pub const INFERENCE_ROLE: &str = "__inference-box";

/// What the agent's executable does in [`INFERENCE_ROLE`].
pub fn inference_box_main() -> ExitCode {
    let mut engine = None;
    fedval_sandbox::serve(move |request| match &engine {
        Some(engine) => encode_score_reply(Engine::scores(engine, &numbers(request))),
        None => match load(request) {
            Ok(loaded) => {
                engine = Some(loaded);
                encode_load_reply(None)
            }
            Err(refusal) => encode_load_reply(Some(refusal)),
        },
    })
}

fn load(request: &[u8]) -> Result<Engine, Refusal> {
    let order = decode_order(request).ok_or(Refusal::Engine)?;
    let model = model_file::read(fedval_sandbox::HandedFile, &order.specification)?;
    Engine::load(&order, model)
}
