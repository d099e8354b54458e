//! Stored pixel values to the numbers that a model sees: everything of preprocessing that knows no file format.
//!
//! Sites run it behind their readers of files. [`probe`] makes synthetic images and says what they come out as, so
//! that anybody who has the protocol can tell whether a site's whole chain, readers included, does the same.
//!
//! # Two machines agree to the last bit
//!
//! Only the basic operations of IEEE 754 are used (addition, subtraction, multiplication, division, square root, rounding,
//! comparison), each rounded as the standard says, in the order in which it is written: Rust neither joins nor
//! reorders them. The one exception is the sigmoid window of a file, whose exponential is the machine's; no probe
//! has one.

mod grey;
mod lookup;
mod placement;
pub mod probe;
mod raster;
mod resize;
mod tensor;
mod unfit;
mod value;
pub mod vector;
pub mod volume;

pub use grey::{GreyMapping, LookupTable, Modality, StoredValues, Voi};
pub use lookup::mapped;
pub use placement::Placement;
pub use raster::{MAX_SIDE, Raster, Size};
pub use tensor::{accept, all_finite, from_raster};
pub use unfit::Unfit;
pub use value::{chosen_frame, coloured_planes, narrowed, scale, standardised, windowed};
