//! Stored values to the model's numbers, each kind of value worked out once.

/// Applies `map` to every stored value below `values`.
///
/// An image has far more pixels than kinds of value: a table saves the divisions. The numbers are
/// the same, because each depends on its own pixel alone.
pub fn mapped<S>(stored: &[S], values: usize, map: impl Fn(u16) -> f32) -> Vec<f32>
where
    S: Copy + Into<u16>,
{
    if stored.len() <= values {
        return stored.iter().map(|value| map((*value).into())).collect();
    }
    let table: Vec<f32> = (0..=u16::MAX).take(values).map(map).collect();
    stored.iter().map(|value| table[usize::from((*value).into())]).collect()
}
