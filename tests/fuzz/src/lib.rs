//! A fuzz target for every public entry of the statistics engine, and for what reads a site's files or hears its PACS:
//! whatever bytes say, nothing panics, and what comes out is a finite number or a reason.
//!
//! A [`Target`] draws the arguments of one function from bytes and calls it. `tests/targets.rs` gives each of
//! them bytes of every kind, and holds the list against the engine's sources; `run.sh` lets libFuzzer look
//! for bytes by itself.

mod draw;
mod targets;

pub use draw::Draw;

/// One entry of the engine or of ingest.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The function, with its module.
    pub entry: &'static str,
    run: fn(&mut Draw<'_>),
}

impl Target {
    /// Calls the function with arguments that `bytes` say.
    ///
    /// # Panics
    ///
    /// Where the engine panics, or gives something that is not finite: that is what is looked for.
    pub fn run(&self, bytes: &[u8]) {
        (self.run)(&mut Draw::new(bytes));
    }
}

/// Every target.
#[must_use]
pub fn targets() -> Vec<Target> {
    targets::ALL.concat()
}

/// # Panics
///
/// Where one of them is not finite.
fn finite(numbers: impl IntoIterator<Item = f64>) {
    for number in numbers {
        assert!(number.is_finite(), "{number} is no number and no reason");
    }
}
