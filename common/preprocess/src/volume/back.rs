//! The way back of a volume: from the tensor that a model saw to the voxels of the file itself.
//!
//! The inverse of what made the tensor. A voxel of the file takes what the tensor shows at its middle, between eight
//! voxels by trilinear interpolation: numbers are interpolated, and not a mask that was made of them. Voxels of the
//! tensor in its padding speak of none; what was cut off from the volume has no number at all.

use fedval_study::protocol::ModelInput;

use super::VolumeGrid;
use super::plan::{Tap, WayBack, ways_back};
use crate::{Unfit, narrowed};

/// Where a file's voxels lie in the tensor that a model of volumes sees.
#[derive(Debug, Clone)]
pub struct VolumePlacement {
    /// Of the file's axes: along a row, from row to row, from slice to slice.
    axes: [WayBack; 3],
    /// Voxels of the tensor.
    voxels: usize,
}

impl VolumePlacement {
    /// Where preprocessing takes a volume from.
    ///
    /// # Errors
    ///
    /// [`Unfit`] as of [`VolumeBuilder::new`](super::VolumeBuilder::new), and [`Unfit::Size`] of a volume of which the
    /// tensor shows nothing.
    pub fn of(grid: &VolumeGrid, input: &ModelInput) -> Result<Self, Unfit> {
        let volume = input.volume.as_ref().ok_or(Unfit::Size)?;
        let axes = ways_back(grid, input, volume)?;
        let voxels = axes.iter().map(|axis| axis.side).product();
        Ok(Self { axes, voxels })
    }

    /// Hands each voxel of the file that the tensor reaches (column, row, slice, as the file counts) the numbers of all
    /// channels there. `values` are those of an output of batch one: channel, depth, height, width, the last three as of
    /// the input.
    ///
    /// In memory are `values` and, of each channel, one slice of the file at the tensor's spacing.
    ///
    /// # Errors
    ///
    /// [`Unfit::PixelCount`] where `values` are fewer or more than `channels` of the tensor hold.
    pub fn each_voxel(
        &self,
        values: &[f32],
        channels: usize,
        mut voxel: impl FnMut([usize; 3], &[f32]),
    ) -> Result<(), Unfit> {
        if channels == 0 || channels.checked_mul(self.voxels) != Some(values.len()) {
            return Err(Unfit::PixelCount);
        }
        let [along, down, through] = &self.axes;
        let mut numbers = vec![0.0; channels];
        for (slice, tap) in reached(through) {
            let of_slice = |channel: &[f32]| self.plane(channel, tap);
            let planes: Vec<Vec<f64>> = values.chunks_exact(self.voxels).map(of_slice).collect();
            for (row, tap) in reached(down) {
                let of_row = |plane: &Vec<f64>| line(plane, along.side, tap);
                let lines: Vec<Vec<f64>> = planes.iter().map(of_row).collect();
                for (column, tap) in reached(along) {
                    for (number, line) in numbers.iter_mut().zip(&lines) {
                        *number = narrowed(mixed(line[tap.low], line[tap.high], tap.share));
                    }
                    voxel([column, row, slice], &numbers);
                }
            }
        }
        Ok(())
    }

    /// A channel at a slice of the file, at the tensor's spacing otherwise: rows, each from column to column.
    fn plane(&self, channel: &[f32], tap: Tap) -> Vec<f64> {
        let [along, down, through] = &self.axes;
        let mut plane = Vec::with_capacity(down.side * along.side);
        for row in 0..down.side {
            for column in 0..along.side {
                let beside = row * down.stride + column * along.stride;
                let [low, high] = [tap.low, tap.high]
                    .map(|slice| f64::from(channel[beside + slice * through.stride]));
                plane.push(mixed(low, high, tap.share));
            }
        }
        plane
    }
}

/// The file's voxels along an axis that the tensor reaches.
fn reached(axis: &WayBack) -> impl Iterator<Item = (usize, Tap)> {
    axis.taps.iter().enumerate().filter_map(|(voxel, tap)| Some((voxel, (*tap)?)))
}

/// A row of the file, at the tensor's spacing along itself.
fn line(plane: &[f64], columns: usize, tap: Tap) -> Vec<f64> {
    let [low, high] = [tap.low, tap.high].map(|row| &plane[row * columns..][..columns]);
    low.iter().zip(high).map(|(low, high)| mixed(*low, *high, tap.share)).collect()
}

fn mixed(low: f64, high: f64, share: f64) -> f64 {
    low + (high - low) * share
}
