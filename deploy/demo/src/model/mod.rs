//! The model under validation: an ONNX file that the code writes itself.

mod lesion_detector;
mod onnx;

pub use lesion_detector::{INPUT, OUTPUT, lesion_detector};
