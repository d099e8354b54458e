//! A volume in slabs, and what their scores become.

use fedval_study::protocol::{ModelInput, SlabPooling};

/// The slabs of a tensor, from its first slice to its last; the whole tensor where the protocol has none.
pub(crate) fn slabs<'t>(
    input: &ModelInput,
    tensor: &'t [f32],
) -> impl Iterator<Item = &'t [f32]> + use<'t> {
    let volume = input.volume;
    let starts = volume
        .and_then(|volume| volume.slab.map(|slab| slab.starts(volume.depth)))
        .unwrap_or_else(|| vec![0]);
    let (slice, length) = (input.slice_values(), input.values_at_once());
    // A tensor of another size has a slab that is too short, which no model takes.
    let at = move |start: u32| {
        let rest = tensor.get(start as usize * slice..).unwrap_or_default();
        rest.get(..length).unwrap_or(rest)
    };
    starts.into_iter().map(at)
}

/// Scores that come one slab after the other. Of all of them only what they amount to is held.
pub(crate) struct Pooled {
    pooling: SlabPooling,
    slabs: u32,
    /// One for each class: the largest so far, or the sum.
    scores: Vec<f64>,
}

impl Pooled {
    pub(crate) const fn new(pooling: SlabPooling) -> Self {
        Self { pooling, slabs: 0, scores: Vec::new() }
    }

    /// Adds those of the next slab, which are as many as those before.
    pub(crate) fn add(&mut self, scores: &[f64]) {
        self.slabs += 1;
        if self.scores.is_empty() {
            self.scores = scores.to_vec();
            return;
        }
        for (pooled, score) in self.scores.iter_mut().zip(scores) {
            *pooled = match self.pooling {
                SlabPooling::Max => pooled.max(*score),
                SlabPooling::Mean => *pooled + score,
            };
        }
    }

    /// What they became; `None` where there was no slab.
    pub(crate) fn scores(self) -> Option<Vec<f64>> {
        let Self { pooling, slabs, scores } = self;
        let divided = |score: f64| match pooling {
            SlabPooling::Max => score,
            SlabPooling::Mean => score / f64::from(slabs),
        };
        (slabs > 0).then(|| scores.into_iter().map(divided).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pooled(pooling: SlabPooling, slabs: &[&[f64]]) -> Option<Vec<f64>> {
        let mut pooled = Pooled::new(pooling);
        for scores in slabs {
            pooled.add(scores);
        }
        pooled.scores()
    }

    #[test]
    fn slabs_become_their_largest_or_their_mean() {
        assert_eq!(pooled(SlabPooling::Max, &[&[0.25], &[0.75], &[0.5]]), Some(vec![0.75]));
        assert_eq!(pooled(SlabPooling::Max, &[&[-3.0], &[-5.0]]), Some(vec![-3.0]));
        let classes: [&[f64]; 2] = [&[0.25, 0.75], &[0.75, 0.25]];
        assert_eq!(pooled(SlabPooling::Mean, &classes), Some(vec![0.5, 0.5]));
        assert_eq!(pooled(SlabPooling::Mean, &[]), None);
    }
}
