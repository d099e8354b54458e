//! Which relation an aggregate violates.

/// A relation that no data can violate, and this aggregate does.
///
/// The text names the relation and never a number, so it may be logged and sent as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Inconsistent {
    /// A sum exceeds what its type can hold, or what its count allows.
    #[error("a total exceeds the range of its type")]
    Overflow,
    /// A part is larger than its whole (events and cases, clusters and cases, …).
    #[error("a part exceeds its whole")]
    PartExceedsWhole,
    /// A sum is not zero although nothing contributes to it.
    #[error("a sum over nothing is not zero")]
    SumOverNothing,
    /// `2U` exceeds `2 · n_pos · n_neg`.
    #[error("the rank sum exceeds the number of pairs")]
    RankSumExceedsPairs,
    /// A sum of squares is smaller than Cauchy–Schwarz allows, given its sum and count.
    #[error("a sum of squares is below the Cauchy-Schwarz bound")]
    SquaresTooSmall,
    /// A sum of squares is larger than the bound on its terms allows.
    #[error("a sum of squares exceeds the bound of its terms")]
    SquaresTooLarge,
    /// A sum of products is larger than Cauchy–Schwarz or the bound on its factors allows.
    #[error("a sum of products exceeds its bound")]
    ProductsTooLarge,
    /// A sum of products is smaller than the sizes (at least 1 each) allow.
    #[error("a sum of products is below its bound")]
    ProductsTooSmall,
    /// A sum of integers and the sum of their squares differ in parity.
    #[error("a sum and its sum of squares differ in parity")]
    Parity,
    /// Two aggregates of one cohort disagree about a count or a total.
    #[error("two aggregates of one cohort disagree")]
    Disagreement,
    /// A correlation lies outside [−1, 1].
    #[error("a correlation lies outside its range")]
    CorrelationOutOfRange,
    /// A standard error is zero.
    #[error("a standard error is zero")]
    ZeroError,
}

/// `Ok` where the relation holds, the violated relation otherwise.
pub(crate) fn require(holds: bool, violated: Inconsistent) -> Result<(), Inconsistent> {
    if holds { Ok(()) } else { Err(violated) }
}
