//! Probes of models that see volumes, and what they must come out as.

use fedval_study::ProbeName;
use fedval_study::protocol::{ModelInput, ValueScaling};

use super::file::{Content, Decimal, Probe, STORED_BITS};
use super::levels::Levels;
use crate::volume::{SliceGeometry, VolumeBuilder, VolumeGrid, stacked, stored_input};
use crate::{GreyMapping, Modality, StoredValues, Unfit, narrowed, standardised, windowed};

/// What a NIfTI file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeFile {
    /// Voxels along the file's axes; the first changes fastest.
    pub lengths: [u32; 3],
    /// From one voxel to the next along each axis, in millimetres to the patient's right, front and head.
    pub steps: [[f32; 3]; 3],
    /// Stored values, of 16 bits.
    pub values: Vec<i16>,
    /// Whether stored values may be below 0.
    pub is_signed: bool,
    /// Slope and intercept.
    pub rescale: [f32; 2],
}

/// What the files of a DICOM series hold: axial slices.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFile {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub columns: u32,
    /// From row to row, then from column to column, in millimetres.
    pub spacing: [Decimal; 2],
    /// Whether stored values may be below 0. They have 12 bits of 16.
    pub is_signed: bool,
    /// Slope and intercept.
    pub rescale: [Decimal; 2],
    /// In no order: for each where its first pixel lies, in millimetres to the patient's left, back and head, and its
    /// stored values.
    pub slices: Vec<([Decimal; 3], Vec<i16>)>,
}

impl SeriesFile {
    /// Along a row, then down a column: to the patient's left, then to the back.
    pub const ORIENTATION: [[i8; 3]; 2] = [[1, 0, 0], [0, 1, 0]];
}

/// The patient's axis of each of the file's: front, head, right. No protocol that names them in the usual orders comes
/// out right without its axes being exchanged.
const STORED: [usize; 3] = [1, 2, 0];
/// Fewest slices of a series: one of them is left out, and two distances are left.
const FEWEST_SLICES: u32 = 4;
/// A tilt of some 17 degrees, as its tangent: a numerator and a denominator.
const TILT: [i64; 2] = [3, 10];
/// Of a length in millimetres.
const MICROMETRES: f64 = 1e6;
/// Where the first slice lies: to the left, to the back and to the head, in micrometres.
const ORIGIN: [i64; 3] = [-12_500_000, 30_000_000, -100_000_000];

pub(super) fn probe(name: ProbeName, input: &ModelInput) -> Probe {
    let content = match name {
        ProbeName::VolumeSeries => Content::Series(series(input, Change::None)),
        ProbeName::VolumeGap => Content::Series(series(input, Change::LeftOut(1))),
        ProbeName::VolumeTilt => Content::Series(series(input, Change::Tilted)),
        _ => Content::Volume(volume(name, input)),
    };
    Probe { name, height: input.height, width: input.width, content }
}

/// Voxels and millimetres of the tensor along the patient's axes: right, front, head.
fn extent(input: &ModelInput) -> [(u32, f64); 3] {
    let mut extent = [(1, 1.0); 3];
    if let Some(volume) = &input.volume {
        let sides = [volume.depth, input.height, input.width];
        for (place, towards) in volume.orientation.towards().into_iter().enumerate() {
            extent[towards.axis().0] = (sides[place], volume.spacing_mm[place]);
        }
    }
    extent
}

fn volume(name: ProbeName, input: &ModelInput) -> VolumeFile {
    let Levels { black, white, is_signed, rescale, .. } = Levels::of(input);
    let extent = extent(input);
    // Of another size: cropped along two axes, padded along the third.
    let changed = [(3, 2, 0.75), (2, 1, 0.6), (1, 2, 0.9)];
    let (mut lengths, mut steps) = ([2; 3], [[0.0; 3]; 3]);
    for axis in 0..3 {
        let (side, mm) = extent[STORED[axis]];
        let (times, over, finer) = changed[axis];
        let (side, mm) = if name == ProbeName::VolumeSpacing {
            (side.saturating_mul(times) / over + 1, mm * finer)
        } else {
            (side, mm)
        };
        lengths[axis] = side.max(2);
        steps[axis][STORED[axis]] = narrowed(mm);
    }
    let grid = Grid { lengths: lengths.map(|side| side as usize) };
    let values = match name {
        ProbeName::VolumeOrientation => grid.corner(black, white),
        ProbeName::VolumeWindowing => grid.ramp(black, white),
        _ => grid.stripes(black, white),
    };
    let rescale = rescale.map(|number| narrowed(number.value()));
    VolumeFile { lengths, steps, values, is_signed, rescale }
}

/// What is the matter with a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    /// The slice at this place is not there.
    LeftOut(usize),
    /// Each lies further to the back than the one before, by [`TILT`] of their distance.
    Tilted,
}

/// A ramp from slice to slice.
fn series(input: &ModelInput, change: Change) -> SeriesFile {
    let Levels { black, white, is_signed, rescale, .. } = Levels::of(input);
    let [(columns, across), (rows, down), (slices, up)] = extent(input);
    let (columns, rows, slices) = (columns.max(2), rows.max(2), slices.max(FEWEST_SLICES));
    let grid = Grid { lengths: [columns, rows, slices].map(|side| side as usize) };
    let values = grid.ramp(black, white);
    let step = micrometres(up);
    let [left, back, head] = ORIGIN;
    let shift = if change == Change::Tilted { step * TILT[0] / TILT[1] } else { 0 };
    let slice = |(place, values): (i64, &[i16])| {
        let position = [left, back + place * shift, head + place * step]
            .map(|digits| Decimal { digits, exponent: -6 });
        (position, values.to_vec())
    };
    let mut in_order: Vec<_> =
        (0..).zip(values.chunks(grid.lengths[0] * grid.lengths[1])).map(slice).collect();
    if let Change::LeftOut(place) = change {
        in_order.remove(place);
    }
    // From the feet and from the head by turns.
    let mut slices = Vec::with_capacity(in_order.len());
    let mut rest = in_order.into_iter();
    while let Some(last) = rest.next_back() {
        slices.push(last);
        slices.extend(rest.next());
    }
    let spacing = [down, across].map(|mm| Decimal { digits: micrometres(mm), exponent: -6 });
    SeriesFile { rows, columns, spacing, is_signed, rescale, slices }
}

#[expect(clippy::cast_possible_truncation, reason = "what is out of range ends at its end")]
fn micrometres(mm: f64) -> i64 {
    // Nothing that a protocol may ask for is thinner than ten of them.
    ((mm * MICROMETRES).round() as i64).max(1)
}

/// Voxels, the first axis fastest.
#[derive(Debug, Clone, Copy)]
struct Grid {
    lengths: [usize; 3],
}

impl Grid {
    fn drawn(self, is_white: impl Fn([usize; 3]) -> bool, black: i16, white: i16) -> Vec<i16> {
        let [columns, rows, slices] = self.lengths;
        (0..columns * rows * slices)
            .map(|voxel| [voxel % columns, voxel / columns % rows, voxel / columns / rows])
            .map(|at| if is_white(at) { white } else { black })
            .collect()
    }

    /// A box in the first corner that is another share of each axis.
    fn corner(self, black: i16, white: i16) -> Vec<i16> {
        let [columns, rows, slices] = self.lengths;
        let ends = [(columns / 4).max(1), (rows * 2 / 3).max(1), (slices / 2).max(1)];
        self.drawn(|at| (0..3).all(|axis| at[axis] < ends[axis]), black, white)
    }

    fn stripes(self, black: i16, white: i16) -> Vec<i16> {
        let is_white =
            |[column, row, slice]: [usize; 3]| (column % 2 == 0) ^ (row % 3 == 0) ^ (slice % 5 < 2);
        self.drawn(is_white, black, white)
    }

    /// As evenly from `from` to `to` as whole numbers allow.
    fn ramp(self, from: i16, to: i16) -> Vec<i16> {
        let [columns, rows, slices] = self.lengths;
        let voxels = columns * rows * slices;
        let steps = i64::try_from(voxels).unwrap_or(i64::MAX).saturating_sub(1).max(1);
        let (first, range) = (i64::from(from), i64::from(to) - i64::from(from));
        (0..)
            .take(voxels)
            .map(|voxel: i64| i16::try_from(first + voxel * range / steps).unwrap_or(to))
            .collect()
    }
}

impl VolumeFile {
    pub(super) fn truth(&self, input: &ModelInput) -> Result<Vec<f32>, Unfit> {
        let lengths = self.lengths.map(|side| side as usize);
        let steps = self.steps.map(|step| step.map(f64::from));
        let mut builder = VolumeBuilder::new(&VolumeGrid { lengths, steps }, input)?;
        let [slope, intercept] = match self.rescale.map(f64::from) {
            // As NIfTI has it: there is neither.
            [0.0, _] => [1.0, 0.0],
            both => both,
        };
        let stored = stored_input(input);
        let number = |value: &i16| {
            let number = match stored.scaling {
                ValueScaling::Unit => windowed(f64::from(*value), 0.0, u16::MAX.into()),
                _ => f64::from(*value) * slope + intercept,
            };
            standardised(narrowed(number), &stored)
        };
        for slice in self.values.chunks(lengths[0] * lengths[1]) {
            builder.take(&slice.iter().map(number).collect::<Vec<f32>>())?;
        }
        builder.finish()
    }
}

impl SeriesFile {
    pub(super) fn truth(&self, input: &ModelInput) -> Result<Vec<f32>, Unfit> {
        let of = |numbers: [Decimal; 2]| numbers.map(Decimal::value);
        let geometry = |(position, _): &([Decimal; 3], Vec<i16>)| SliceGeometry {
            position: position.map(Decimal::value),
            orientation: Self::ORIENTATION.map(|way| way.map(f64::from)),
            spacing: of(self.spacing),
            rows: self.rows as usize,
            columns: self.columns as usize,
        };
        let slices: Vec<SliceGeometry> = self.slices.iter().map(geometry).collect();
        let stack = stacked(&slices, input.gantry_tilt())?;
        let mut builder = VolumeBuilder::of_stack(&stack, input)?;
        let stored = stored_input(input);
        let [slope, intercept] = of(self.rescale);
        let mapping = GreyMapping::new(
            self.range(),
            &stored,
            || Ok(Modality::Linear { slope, intercept }),
            |_| Err(Unfit::ValueMapping),
        )?;
        let number = |value: &i16| standardised(mapping.apply((*value).into()), &stored);
        for place in stack.order {
            let (_, values) = &self.slices[place];
            builder.take(&values.iter().map(number).collect::<Vec<f32>>())?;
        }
        builder.finish()
    }

    const fn range(&self) -> StoredValues {
        let values = 1 << STORED_BITS;
        let (least, greatest) =
            if self.is_signed { (-values / 2, values / 2 - 1) } else { (0, values - 1) };
        StoredValues { least, greatest, is_white_low: false }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_corner_is_another_one_under_every_turn_and_mirror() {
        for side in 5..12 {
            let grid = Grid { lengths: [side; 3] };
            let corner = grid.corner(0, 1);
            let last = side - 1;
            let mut images = BTreeSet::new();
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                for way in 0..8 {
                    let seen = grid.drawn(
                        |at| {
                            let at = [0, 1, 2].map(|axis: usize| {
                                let place = at[order[axis]];
                                if way >> axis & 1 == 1 { last - place } else { place }
                            });
                            corner[at[0] + side * (at[1] + side * at[2])] == 1
                        },
                        0,
                        1,
                    );
                    images.insert(seen);
                }
            }
            assert_eq!(images.len(), 48, "{side}");
        }
    }
}
