//! The samples of a frame as bits, in as little room as they need.

use super::description::SampleForm;

/// Samples as unsigned bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Samples {
    /// Up to 16 bits each.
    Narrow(Vec<u16>),
    /// Up to 32 bits each.
    Wide(Vec<u32>),
}

impl Samples {
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Narrow(samples) => samples.len(),
            Self::Wide(samples) => samples.len(),
        }
    }

    /// Keeps of each sample the bits that count.
    pub(super) fn masked(mut self, form: SampleForm) -> Self {
        match &mut self {
            Self::Narrow(samples) => samples.iter_mut().for_each(|sample| {
                *sample = narrow(form.bits((*sample).into()));
            }),
            Self::Wide(samples) => samples.iter_mut().for_each(|sample| {
                *sample = form.bits(*sample);
            }),
        }
        self
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let (narrow, wide) = match self {
            Self::Narrow(samples) => (samples.as_slice(), [].as_slice()),
            Self::Wide(samples) => ([].as_slice(), samples.as_slice()),
        };
        narrow.iter().map(|sample| u32::from(*sample)).chain(wide.iter().copied())
    }

    /// Three planes out of samples that lie beside each other or one plane after the other.
    pub(super) fn planes(self, is_planar: bool) -> [Self; 3] {
        match self {
            Self::Narrow(samples) => planes(&samples, is_planar).map(Self::Narrow),
            Self::Wide(samples) => planes(&samples, is_planar).map(Self::Wide),
        }
    }
}

fn planes<S: Copy>(samples: &[S], is_planar: bool) -> [Vec<S>; 3] {
    let pixels = samples.len() / 3;
    [0, 1, 2].map(|plane| {
        if is_planar {
            samples[plane * pixels..][..pixels].to_vec()
        } else {
            samples.iter().skip(plane).step_by(3).copied().collect()
        }
    })
}

/// To the 16 bits that a narrow sample has.
#[expect(clippy::cast_possible_truncation, reason = "only the bits of a narrow sample are set")]
pub(super) const fn narrow(bits: u32) -> u16 {
    bits as u16
}
