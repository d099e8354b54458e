//! DC-22: a score is a function of one image and nothing else.
//!
//! Cases go through the model one at a time, in an order that only the site knows. A twentieth of
//! them, at least 20, go through again in another order; every score must come back to the last bit, or
//! nothing leaves. A model that mixes the images of a batch could write one patient's
//! bit into every score.
//!
//! Source: demonstration that one bit of a patient turned an AUROC to 0 or 1 with 200 cases (shared
//! `design/disclosure.md`, section 2).

/// Fewest cases that are run again.
const FEWEST: usize = 20;
/// One in so many is run again.
const SHARE: usize = 20;

/// How many of `cases` are run again.
#[must_use]
pub fn reruns(cases: usize) -> usize {
    cases.div_ceil(SHARE).max(FEWEST).min(cases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twentieth_and_at_least_twenty() {
        assert_eq!([0, 5, 20, 400, 401, 10_000].map(reruns), [0, 5, 20, 20, 21, 500]);
    }
}
