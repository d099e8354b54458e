//! Numbers in a frame.

use std::borrow::Cow;

/// The `f32` that stand in `bytes`, as this machine keeps them; bytes that are left over are left out where
/// they have to be copied. That is only where the frame happens to lie between two addresses of an `f32`.
#[must_use]
pub fn numbers(bytes: &[u8]) -> Cow<'_, [f32]> {
    let number = |bytes: &[u8]| f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let copied = |_| Cow::Owned(bytes.chunks_exact(size_of::<f32>()).map(number).collect());
    bytemuck::try_cast_slice(bytes).map_or_else(copied, Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_wherever_they_lie() {
        let values = [0.5_f32, -1.25, f32::MAX];
        for before in 0..size_of::<f32>() {
            let mut frame = vec![0; before];
            frame.extend_from_slice(bytemuck::cast_slice(&values));
            assert_eq!(*numbers(&frame[before..]), values);
        }
    }
}
