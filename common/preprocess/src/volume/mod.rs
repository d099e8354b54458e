//! Slices to the tensor that a model of volumes sees.
//!
//! What a voxel of the tensor is follows from the protocol and from where the file's voxels lie, nothing else:
//!
//! 1. Stored values become what the device measured (rescale), or shares of the largest storable one.
//! 2. Each axis of the file is the axis of the patient that it comes nearest to, and is turned round where the protocol
//!    wants it the other way. An oblique volume stays oblique: nothing is resampled for being askew.
//! 3. The tensor's middle lies in the volume's middle. Along each axis the voxel `o` of `m` lies at the place
//!    `(o − (m − 1) / 2) · s′ / s + (n − 1) / 2` of the file's `n` voxels, with the protocol's spacing `s′` and the file's
//!    `s`, both in millimetres. Between the middles of eight voxels the value is trilinear; in the outer half of the
//!    outermost voxels it is theirs. Nothing is smoothed before it is made coarser.
//! 4. Beyond them stands the protocol's padding.
//! 5. Then come window, mean and standard deviation.
//!
//! Slices of a tilted gantry, where the protocol takes them, lie beside each other: between 1. and 3. each is shifted back
//! in its own plane to where the middle one lies, linearly between its pixels, and then is one above the other. A voxel
//! between two slices of which one does not reach it is padding.
//!
//! Everything up to 4. is computed in 64 bits: across columns, then rows, then slices, as the file has them.
//!
//! [`VolumePlacement`] is the way back: from numbers of a model's mask to the file's own voxels.

mod back;
mod builder;
mod plan;
mod stack;

pub use back::VolumePlacement;
pub use builder::{VolumeBuilder, stored_input};
pub use plan::VolumeGrid;
pub use stack::{MOST_SLICES, SliceGeometry, Stack, StackFault, stacked};
