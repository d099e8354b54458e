//! The child's side: one model, loaded by the first request.

use std::path::Path;
use std::process::ExitCode;

use fedval_sandbox::numbers;

use crate::engine::{Embedded, Engine, Runtime};
use crate::exchange::{Refusal, decode_order, encode_answer, encode_load_reply};
use crate::model_file;

/// Argument by which the agent's executable becomes a model's box.
pub const INFERENCE_ROLE: &str = "__inference-box";

/// What the agent's executable does in [`INFERENCE_ROLE`]: it runs one model with the embedded engine or,
/// where a library was handed in, with that.
pub fn inference_box_main() -> ExitCode {
    // While things can still be opened and made executable, and before anything of a stranger is read.
    let mut library = std::env::args_os().nth(2).map(|library| Runtime::open(Path::new(&library)));
    let mut engine: Option<Box<dyn Engine>> = None;
    fedval_sandbox::serve(move |request| match &mut engine {
        Some(engine) => encode_answer(engine.answer(&numbers(request))),
        None => match load(request, library.take()) {
            Ok(loaded) => {
                engine = Some(loaded);
                encode_load_reply(None)
            }
            Err(refusal) => encode_load_reply(Some(refusal)),
        },
    })
}

fn load(
    request: &[u8],
    library: Option<Result<Runtime, Refusal>>,
) -> Result<Box<dyn Engine>, Refusal> {
    let library = library.transpose()?;
    let order = decode_order(request).ok_or(Refusal::Engine)?;
    // Whoever was refused with a library is not served by another engine.
    if order.with_library != library.is_some() {
        return Err(Refusal::Library);
    }
    let model = model_file::read(fedval_sandbox::HandedFile, &order.specification)?;
    Ok(match library {
        None => Box::new(Embedded::load(&order, model)?),
        Some(library) => Box::new(library.load(&order, model)?),
    })
}
