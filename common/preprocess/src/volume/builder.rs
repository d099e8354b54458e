//! The tensor of a volume, slice by slice.

use fedval_study::protocol::{ModelInput, Resize, ValueScaling};

use super::plan::{Axis, Tap, axes, count};
use super::{Stack, VolumeGrid};
use crate::{Unfit, all_finite, narrowed, standardised, windowed};

/// By what slices are read before they come into a [`VolumeBuilder`]: what was measured, or shares of the largest storable
/// value; not yet windowed, and of any size.
#[must_use]
pub fn stored_input(input: &ModelInput) -> ModelInput {
    let scaling = match input.scaling {
        ValueScaling::Unit => ValueScaling::Unit,
        ValueScaling::Modality | ValueScaling::Window { .. } | ValueScaling::Voi => {
            ValueScaling::Modality
        }
    };
    ModelInput {
        scaling,
        mean: 0.0,
        standard_deviation: 1.0,
        // A slice keeps its size: the builder looks at it.
        resize: Resize::Bilinear,
        volume: None,
        ..input.clone()
    }
}

/// Makes a tensor of slices that come one after the other, from the file's first to its last.
///
/// In memory are the tensor, whose size is the protocol's, and at most two slices at the tensor's spacing: as much of a
/// volume of thousand slices as of one of ten.
#[derive(Debug, Clone)]
pub struct VolumeBuilder {
    input: ModelInput,
    axes: [Axis; 3],
    /// Whether any voxel of the tensor lies beside the slice.
    is_needed: Vec<bool>,
    taken: usize,
    /// How far each slice lies beside the one before along the file's first two axes, in voxels.
    shift: [f64; 2],
    /// The slice before, where it was needed.
    before: Plane,
    tensor: Vec<f32>,
}

/// A slice at the tensor's spacing.
#[derive(Debug, Clone, Default)]
struct Plane {
    /// A value for each voxel of the tensor along rows, then columns, of which those beyond the slice mean nothing.
    values: Vec<f64>,
    /// Where the slice reaches, down and across.
    rows: Vec<bool>,
    columns: Vec<bool>,
}

impl VolumeBuilder {
    /// Checks where the voxels lie before anything is allocated for them.
    ///
    /// # Errors
    ///
    /// [`Unfit`] of a volume that has one voxel along an axis, whose axes lean or point two of them alike, or whose
    /// voxels are too small or too large to be; and of an input without a volume, or with a window of each file's own.
    pub fn new(grid: &VolumeGrid, input: &ModelInput) -> Result<Self, Unfit> {
        let volume = input.volume.as_ref().ok_or(Unfit::Size)?;
        if input.scaling == ValueScaling::Voi {
            return Err(Unfit::ValueMapping);
        }
        let axes = axes(grid, input, volume)?;
        let mut is_needed = vec![false; axes[2].length()];
        for tap in axes[2].taps(0.0).iter().flatten() {
            is_needed[tap.low] = true;
            is_needed[tap.high] = true;
        }
        let padding = finished(volume.padding, input);
        let tensor = vec![padding; input.values()];
        Ok(Self {
            input: input.clone(),
            axes,
            is_needed,
            taken: 0,
            shift: [0.0; 2],
            before: Plane::default(),
            tensor,
        })
    }

    /// The same for slices in their order, which are shifted back to where the middle one lies.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn of_stack(stack: &Stack, input: &ModelInput) -> Result<Self, Unfit> {
        Ok(Self { shift: stack.shift, ..Self::new(&stack.grid, input)? })
    }

    /// Takes the next slice: rows one after the other, as [`stored_input`] reads them.
    ///
    /// # Errors
    ///
    /// [`Unfit::PixelCount`] of one that is of another size, or one too many.
    pub fn take(&mut self, slice: &[f32]) -> Result<(), Unfit> {
        let index = self.taken;
        let [columns, rows, _] = [0, 1, 2].map(|axis: usize| self.axes[axis].length());
        let is_needed = *self.is_needed.get(index).ok_or(Unfit::PixelCount)?;
        if slice.len() != columns * rows {
            return Err(Unfit::PixelCount);
        }
        self.taken += 1;
        if !is_needed {
            return Ok(());
        }
        let plane = self.plane(slice, index);
        for (voxel, tap) in self.axes[2].taps(0.0).into_iter().enumerate() {
            if let Some(tap) = tap.filter(|tap| tap.high == index) {
                self.write(voxel, tap, &plane);
            }
        }
        self.before = plane;
        Ok(())
    }

    /// The tensor: depth, then height, then width.
    ///
    /// # Errors
    ///
    /// [`Unfit::PixelCount`] where slices are missing, [`Unfit::ValueMapping`] where a value is no number.
    pub fn finish(self) -> Result<Vec<f32>, Unfit> {
        if self.taken != self.axes[2].length() {
            return Err(Unfit::PixelCount);
        }
        if all_finite(&self.tensor) { Ok(self.tensor) } else { Err(Unfit::ValueMapping) }
    }

    /// The slice at `index` at the tensor's spacing.
    fn plane(&self, slice: &[f32], index: usize) -> Plane {
        let [across, down, through] = &self.axes;
        let from_middle = count(index) - count(through.length() - 1) / 2.0;
        let columns = across.taps(from_middle * self.shift[0]);
        let rows = down.taps(from_middle * self.shift[1]);
        let width = across.length();
        let mut values = Vec::with_capacity(rows.len() * columns.len());
        for row in &rows {
            for column in &columns {
                let value = row.zip(*column).map_or(0.0, |(row, column)| {
                    let at = |line: usize, place: usize| f64::from(slice[line * width + place]);
                    let along =
                        |line| mixed(at(line, column.low), at(line, column.high), column.share);
                    mixed(along(row.low), along(row.high), row.share)
                });
                values.push(value);
            }
        }
        let reach = |taps: &[Option<Tap>]| taps.iter().map(Option::is_some).collect();
        Plane { values, rows: reach(&rows), columns: reach(&columns) }
    }

    /// Writes the voxels of the tensor that lie at `voxel` along the file's slices.
    fn write(&mut self, voxel: usize, tap: Tap, plane: &Plane) {
        let [across, down, through] = &self.axes;
        // At either end of the volume there is one slice alone.
        let low = if tap.low == tap.high { plane } else { &self.before };
        // A slice that weighs nothing need not be there.
        let reaches = |low: bool, high: bool| low && (high || tap.share <= 0.0);
        let columns = plane.columns.len();
        let is_row = |row: &usize| reaches(low.rows[*row], plane.rows[*row]);
        let is_column = |column: &usize| reaches(low.columns[*column], plane.columns[*column]);
        for row in (0..plane.rows.len()).filter(is_row) {
            for column in (0..columns).filter(is_column) {
                let from = row * columns + column;
                let value = mixed(low.values[from], plane.values[from], tap.share);
                let to = voxel * through.stride + row * down.stride + column * across.stride;
                self.tensor[to] = finished(value, &self.input);
            }
        }
    }
}

/// What was measured to what the model sees.
fn finished(value: f64, input: &ModelInput) -> f32 {
    let value = match input.scaling {
        ValueScaling::Window { low, high } => windowed(value, low, high),
        ValueScaling::Unit | ValueScaling::Modality | ValueScaling::Voi => value,
    };
    standardised(narrowed(value), input)
}

fn mixed(low: f64, high: f64, share: f64) -> f64 {
    low + (high - low) * share
}
