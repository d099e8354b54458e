//! A volume in slabs, and what their scores or their masks become.

use fedval_study::protocol::{ModelInput, SlabPooling};

/// Slices at which slabs begin, from a volume's first to its last; the first alone where the protocol has none.
pub(crate) fn starts(input: &ModelInput) -> Vec<u32> {
    let volume = input.volume;
    volume
        .and_then(|volume| volume.slab.map(|slab| slab.starts(volume.depth)))
        .unwrap_or_else(|| vec![0])
}

/// The slabs of a tensor, from its first slice to its last; the whole tensor where the protocol has none.
pub(crate) fn slabs<'t>(
    input: &ModelInput,
    tensor: &'t [f32],
) -> impl Iterator<Item = &'t [f32]> + use<'t> {
    let starts = starts(input);
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

/// A mask that comes one slab after the other: channel, depth, height, width, as if the model had seen the volume whole.
pub(crate) struct Stitched {
    pooling: SlabPooling,
    /// Values of a slice of one channel.
    slice: usize,
    /// Slices of the volume.
    depth: usize,
    /// How many slabs gave each slice.
    slabs: Vec<u16>,
    /// The largest so far, or the sum.
    values: Vec<f32>,
}

impl Stitched {
    /// Of a mask with so many `channels`.
    pub(crate) fn new(pooling: SlabPooling, input: &ModelInput, channels: u32) -> Self {
        let depth = input.volume.map_or(1, |volume| volume.depth) as usize;
        let slice = input.height as usize * input.width as usize;
        let values = vec![0.0; channels as usize * depth * slice];
        Self { pooling, slice, depth, slabs: vec![0; depth], values }
    }

    /// Adds what the model gave of the slab that begins at slice `start`; `None` where that is no part of the volume.
    pub(crate) fn add(&mut self, start: u32, given: &[f32]) -> Option<()> {
        let (whole, start) = (self.depth * self.slice, start as usize);
        let part = given.len().checked_div(self.values.len() / whole)?;
        if part == 0 || !part.is_multiple_of(self.slice) {
            return None;
        }
        let slices = start..start.checked_add(part / self.slice)?;
        let slabs = self.slabs.get_mut(slices)?;
        let channels = self.values.chunks_exact_mut(whole).zip(given.chunks_exact(part));
        for (channel, given) in channels {
            let own = channel[start * self.slice..].chunks_exact_mut(self.slice);
            for ((own, given), slabs) in own.zip(given.chunks_exact(self.slice)).zip(&*slabs) {
                pool(self.pooling, own, given, *slabs == 0);
            }
        }
        for times in slabs.iter_mut() {
            *times = times.saturating_add(1);
        }
        Some(())
    }

    /// The whole mask; `None` where a slice was in no slab.
    pub(crate) fn values(mut self) -> Option<Vec<f32>> {
        if self.slabs.contains(&0) {
            return None;
        }
        if self.pooling == SlabPooling::Mean {
            for channel in self.values.chunks_exact_mut(self.depth * self.slice) {
                for (slice, slabs) in channel.chunks_exact_mut(self.slice).zip(&self.slabs) {
                    // What one slab gave stays as it is, to the last bit.
                    for value in slice.iter_mut() {
                        *value /= f32::from(*slabs);
                    }
                }
            }
        }
        Some(self.values)
    }
}

/// Brings a slice of a further slab to what is there, or of the first.
fn pool(pooling: SlabPooling, own: &mut [f32], given: &[f32], is_first: bool) {
    if is_first {
        own.copy_from_slice(given);
        return;
    }
    for (own, given) in own.iter_mut().zip(given) {
        *own = match pooling {
            SlabPooling::Max => own.max(*given),
            SlabPooling::Mean => *own + given,
        };
    }
}

#[cfg(test)]
mod tests {
    use fedval_study::protocol::{
        AxisOrder, FrameChoice, GantryTilt, Layout, Monochrome1, Resize, Slab, ValueScaling,
        VolumeInput,
    };

    use super::*;

    /// Five slices of a row of two, seen in slabs of two.
    fn input(overlap: u32) -> ModelInput {
        let slab = Slab { depth: 2, overlap, pooling: SlabPooling::Mean };
        ModelInput {
            name: "image".to_owned(),
            layout: Layout::Nchw,
            height: 1,
            width: 2,
            channels: 1,
            scaling: ValueScaling::Unit,
            mean: 0.0,
            standard_deviation: 1.0,
            resize: Resize::Refuse,
            monochrome1: Monochrome1::Refuse,
            frame: FrameChoice::Only,
            volume: Some(VolumeInput {
                depth: 5,
                orientation: AxisOrder::AXIAL,
                spacing_mm: [1.0; 3],
                padding: 0.0,
                slab: Some(slab),
                gantry_tilt: GantryTilt::Refuse,
            }),
        }
    }

    /// What a model gives that adds 8 in a slab's second slice, and whose second channel is the negative.
    fn given(slab: &[f32]) -> Vec<f32> {
        let first = [slab[0], slab[1], slab[2] + 8.0, slab[3] + 8.0];
        [first, first.map(|value| -value)].concat()
    }

    fn stitched(pooling: SlabPooling, overlap: u32) -> Option<Vec<f32>> {
        let input = input(overlap);
        let tensor = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let mut stitched = Stitched::new(pooling, &input, 2);
        for (start, slab) in starts(&input).into_iter().zip(slabs(&input, &tensor)) {
            stitched.add(start, &given(slab))?;
        }
        stitched.values()
    }

    fn assert_is(found: Option<Vec<f32>>, first: [f32; 10], second: [f32; 10]) {
        let found = found.unwrap();
        let wanted = [first, second].concat();
        assert_eq!(found.len(), wanted.len());
        let are_same = found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(are_same, "{found:?} is not {wanted:?}");
    }

    #[test]
    fn slabs_of_a_mask_are_put_together_slice_by_slice_in_every_channel() {
        // Slabs at 0, 2 and 3: slice 3 is in two of them.
        let first = [0.0, 1.0, 10.0, 11.0, 4.0, 5.0, 10.0, 11.0, 16.0, 17.0];
        assert_is(stitched(SlabPooling::Mean, 0), first, first.map(|value| -value));
        let first = [0.0, 1.0, 10.0, 11.0, 4.0, 5.0, 14.0, 15.0, 16.0, 17.0];
        let second = [0.0, -1.0, -10.0, -11.0, -4.0, -5.0, -6.0, -7.0, -16.0, -17.0];
        assert_is(stitched(SlabPooling::Max, 0), first, second);
        // Every inner slice is the second of one slab and the first of the next.
        let first = [0.0, 1.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 16.0, 17.0];
        assert_is(stitched(SlabPooling::Mean, 1), first, first.map(|value| -value));
    }

    #[test]
    fn what_is_no_slab_of_the_volume_is_refused() {
        let new = || Stitched::new(SlabPooling::Max, &input(0), 2);
        assert!(new().add(3, &[0.0; 8]).is_some());
        assert!(new().add(4, &[0.0; 8]).is_none() && new().add(u32::MAX, &[0.0; 8]).is_none());
        let mut half = new();
        half.add(0, &[0.0; 8]).unwrap();
        assert!(half.values().is_none(), "nobody saw the other slices");
    }

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
