//! What a probe came out as, as one digest.

use fedval_study::digest::Digesting;
use fedval_study::protocol::ModelInput;
use fedval_study::summary::FailureReason;
use fedval_study::{ProbeName, Sha256Digest};

use super::levels::Levels;

/// Stands before everything that is digested. Another way of making or digesting probes is another version.
const VERSION: &str = "fedval.probes/1";
/// Steps between black and white: far finer than the nearest two numbers that a wrong window, mean or filter makes of
/// an image, and far coarser than the last bits of the 24 that an `f32` has.
const STEPS: f64 = 1_000_000.0;

/// The digest of a probe's tensor (values in the protocol's axis order), or of the reason why there is none. `input`
/// is that of [`Probes`](super::Probes).
///
/// Values are rounded to a millionth of the way from black to white before they are digested. Two machines that
/// run this program agree on every bit of them anyway, as [the crate](crate) says; one that computes with another
/// program, in another order, is not refused for its last bits.
#[must_use]
pub fn digest(
    probe: ProbeName,
    input: &ModelInput,
    outcome: Result<&[f32], FailureReason>,
) -> Sha256Digest {
    let mut digesting = Digesting::default();
    digesting.add(format!("{VERSION}\n{probe}\n").as_bytes());
    match outcome {
        Err(reason) => digesting.add(format!("refused {}\n", reason.as_str()).as_bytes()),
        Ok(tensor) => {
            let span = Levels::of(input).span(input.scaling) / input.standard_deviation;
            let step = span.abs() / STEPS;
            digesting.add(format!("values {}\n", tensor.len()).as_bytes());
            let values: Vec<u8> =
                tensor.iter().flat_map(|value| rounded(*value, step).to_le_bytes()).collect();
            digesting.add(&values);
        }
    }
    digesting.done()
}

/// How many steps a value is.
#[expect(clippy::cast_possible_truncation, reason = "what is out of range ends at its end")]
fn rounded(value: f32, step: f64) -> i64 {
    (f64::from(value) / step).round() as i64
}
