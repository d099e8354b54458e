//! The tensor of a volume, slice by slice.

use fedval_study::protocol::{ModelInput, Resize, ValueScaling};

use super::VolumeGrid;
use super::plan::{Axis, Tap, axes};
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
    /// The slice before, at the tensor's spacing, where it was needed.
    before: Vec<f64>,
    tensor: Vec<f32>,
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
        let mut is_needed = vec![false; axes[2].length];
        for tap in axes[2].taps.iter().flatten() {
            is_needed[tap.low] = true;
            is_needed[tap.high] = true;
        }
        let padding = finished(volume.padding, input);
        let tensor = vec![padding; input.values()];
        Ok(Self { input: input.clone(), axes, is_needed, taken: 0, before: Vec::new(), tensor })
    }

    /// Takes the next slice: rows one after the other, as [`stored_input`] reads them.
    ///
    /// # Errors
    ///
    /// [`Unfit::PixelCount`] of one that is of another size, or one too many.
    pub fn take(&mut self, slice: &[f32]) -> Result<(), Unfit> {
        let index = self.taken;
        let [columns, rows, _] = [0, 1, 2].map(|axis: usize| self.axes[axis].length);
        let is_needed = *self.is_needed.get(index).ok_or(Unfit::PixelCount)?;
        if slice.len() != columns * rows {
            return Err(Unfit::PixelCount);
        }
        self.taken += 1;
        if !is_needed {
            return Ok(());
        }
        let plane = self.plane(slice);
        let taps = self.axes[2].taps.clone();
        for (voxel, tap) in taps.iter().enumerate() {
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
        if self.taken != self.axes[2].length {
            return Err(Unfit::PixelCount);
        }
        if all_finite(&self.tensor) { Ok(self.tensor) } else { Err(Unfit::ValueMapping) }
    }

    /// A slice at the tensor's spacing: a value for each voxel of the tensor along rows, then columns, of which those
    /// beyond the slice are never looked at.
    fn plane(&self, slice: &[f32]) -> Vec<f64> {
        let [across, down, _] = &self.axes;
        let width = across.length;
        let mut plane = Vec::with_capacity(down.taps.len() * across.taps.len());
        for row in &down.taps {
            for column in &across.taps {
                let value = row.zip(*column).map_or(0.0, |(row, column)| {
                    let at = |line: usize, place: usize| f64::from(slice[line * width + place]);
                    let along =
                        |line| mixed(at(line, column.low), at(line, column.high), column.share);
                    mixed(along(row.low), along(row.high), row.share)
                });
                plane.push(value);
            }
        }
        plane
    }

    /// Writes the voxels of the tensor that lie at `voxel` along the file's slices.
    fn write(&mut self, voxel: usize, tap: Tap, plane: &[f64]) {
        let [across, down, through] = &self.axes;
        // At either end of the volume there is one slice alone.
        let low = if tap.low == tap.high { plane } else { &self.before };
        let columns = across.taps.len();
        for (row, _) in down.taps.iter().enumerate().filter(|(_, tap)| tap.is_some()) {
            for (column, _) in across.taps.iter().enumerate().filter(|(_, tap)| tap.is_some()) {
                let from = row * columns + column;
                let value = mixed(low[from], plane[from], tap.share);
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
