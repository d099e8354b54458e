//! The probes themselves, by integer arithmetic.

use fedval_study::ProbeName;
use fedval_study::protocol::{FrameChoice, ModelInput};

use super::file::{Content, GreyFile, Probe};
use super::levels::Levels;
use super::volume;
use crate::MAX_SIDE;

/// Red, green, blue: any two of them exchanged are another colour.
const COLOUR: [u8; 3] = [255, 0, 128];

pub(super) fn probe(name: ProbeName, input: &ModelInput) -> Probe {
    let levels = Levels::of(input);
    let (height, width) = match name {
        ProbeName::Resize => (another(input.height, 3), another(input.width, 4)),
        _ => (input.height, input.width),
    };
    let grid = Grid { height: height as usize, width: width as usize };
    let Levels { black, white, .. } = levels;
    let grey = |values: Vec<i16>| GreyFile::of(levels, copies(&values, input.frame));
    let content = match name {
        ProbeName::ScalingBlack => Content::Grey(grey(grid.all(black))),
        ProbeName::ScalingWhite => Content::Grey(grey(grid.all(white))),
        ProbeName::Frame => {
            let frames = [black, white, black].map(|value| grid.all(value));
            Content::Grey(GreyFile::of(levels, frames.to_vec()))
        }
        ProbeName::Polarity => {
            Content::Grey(GreyFile { is_white_low: true, ..grey(grid.all(black)) })
        }
        ProbeName::Orientation => Content::Grey(grey(grid.corner(black, white))),
        ProbeName::Windowing => Content::Grey(grey(grid.ramp(black, white))),
        ProbeName::Resize => Content::Grey(grey(grid.stripes(black, white))),
        ProbeName::Colour => Content::Colour(vec![COLOUR; grid.pixels()]),
        ProbeName::Picture => {
            let ramp = grid.ramp(0, u8::MAX.into()).into_iter();
            Content::Picture(ramp.map(|value| u8::try_from(value).unwrap_or(u8::MAX)).collect())
        }
        ProbeName::VolumeOrientation
        | ProbeName::VolumeWindowing
        | ProbeName::VolumeSpacing
        | ProbeName::VolumeSeries
        | ProbeName::VolumeGap
        | ProbeName::VolumeTilt => return volume::probe(name, input),
    };
    Probe { name, height, width, content }
}

/// A side of another length, half of `halves` times as long or, of the longest, shorter; never the same.
fn another(side: u32, halves: u32) -> u32 {
    let longer = side.saturating_mul(halves) / 2 + 1;
    if longer as usize <= MAX_SIDE { longer } else { side / 2 }
}

/// The frame that the protocol wants among others that are the same: which one is taken shows in a probe of its own.
fn copies(values: &[i16], frame: FrameChoice) -> Vec<Vec<i16>> {
    let count = if frame == FrameChoice::Only { 1 } else { super::LAST_FRAME as usize };
    vec![values.to_vec(); count]
}

impl GreyFile {
    fn of(levels: Levels, frames: Vec<Vec<i16>>) -> Self {
        let Levels { is_signed, rescale, window, .. } = levels;
        Self { frames, is_signed, is_white_low: false, rescale, window }
    }
}

/// Pixels in rows from the top.
#[derive(Debug, Clone, Copy)]
struct Grid {
    height: usize,
    width: usize,
}

impl Grid {
    const fn pixels(self) -> usize {
        self.height * self.width
    }

    fn all(self, value: i16) -> Vec<i16> {
        vec![value; self.pixels()]
    }

    fn drawn(self, is_white: impl Fn(usize, usize) -> bool, black: i16, white: i16) -> Vec<i16> {
        let rows = 0..self.height;
        let is_white = &is_white;
        rows.flat_map(|row| (0..self.width).map(move |column| is_white(row, column)))
            .map(|is_white| if is_white { white } else { black })
            .collect()
    }

    /// A bar along the first rows that ends before the last columns. From three rows and columns on it looks
    /// different under each turn and mirror; the two values alone make it show no window.
    fn corner(self, black: i16, white: i16) -> Vec<i16> {
        let (high, wide) = ((self.height / 4).max(1), (self.width * 2 / 3).max(1));
        self.drawn(|row, column| row < high && column < wide, black, white)
    }

    /// As evenly from `from` to `to` as whole numbers allow.
    fn ramp(self, from: i16, to: i16) -> Vec<i16> {
        let steps = i64::try_from(self.pixels()).unwrap_or(i64::MAX).saturating_sub(1).max(1);
        let (first, range) = (i64::from(from), i64::from(to) - i64::from(from));
        (0..)
            .take(self.pixels())
            .map(|pixel: i64| i16::try_from(first + pixel * range / steps).unwrap_or(to))
            .collect()
    }

    /// Stripes of single columns, turned round in every third row.
    fn stripes(self, black: i16, white: i16) -> Vec<i16> {
        self.drawn(|row, column| (column % 2 == 0) != (row % 3 == 0), black, white)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_ramp_goes_from_end_to_end() {
        let grid = Grid { height: 1, width: 5 };
        assert_eq!(grid.ramp(-8, 8), [-8, -4, 0, 4, 8]);
        assert_eq!(Grid { height: 1, width: 1 }.ramp(3, 9), [3]);
        let every = Grid { height: 64, width: 64 }.ramp(0, 4095);
        assert_eq!(every.into_iter().collect::<BTreeSet<_>>().len(), 4096);
    }

    #[test]
    fn the_corner_is_another_one_under_every_turn_and_mirror() {
        for side in 3..40 {
            let grid = Grid { height: side, width: side };
            let corner = grid.corner(0, 1);
            let at = |row: usize, column: usize| corner[row * side + column];
            let last = side - 1;
            let seen = |of: &dyn Fn(usize, usize) -> i16| -> Vec<i16> {
                (0..side * side).map(|pixel| of(pixel / side, pixel % side)).collect()
            };
            let images = BTreeSet::from([
                seen(&|row, column| at(row, column)),
                seen(&|row, column| at(row, last - column)),
                seen(&|row, column| at(last - row, column)),
                seen(&|row, column| at(last - row, last - column)),
                seen(&|row, column| at(column, row)),
                seen(&|row, column| at(column, last - row)),
                seen(&|row, column| at(last - column, row)),
                seen(&|row, column| at(last - column, last - row)),
            ]);
            assert_eq!(images.len(), 8, "{side}");
        }
    }

    #[test]
    fn a_resized_probe_never_has_the_inputs_size() {
        for side in 1..=16_384 {
            assert_ne!(another(side, 3), side);
            assert_ne!(another(side, 4), side);
            assert!((1..=16_384).contains(&another(side, 4)));
        }
    }
}
