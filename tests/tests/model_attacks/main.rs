//! Hostile models and hostile images, A21 to A35, against the real agent: what it opens, what it answers,
//! what it says, and that it lives.
//!
//! What one box does with each of them stands in `site-agent/inference`, `site-agent/ingest` and
//! `site-agent/sandbox`; the bytes on the way, in `site-agent/egress`.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod a21_external_data;
mod a24_memory;
mod a34_images;
#[path = "../../../site-agent/ingest/tests/dicom_file/mod.rs"]
mod dicom_file;
#[path = "../../../site-agent/inference/tests/onnx_file/mod.rs"]
mod onnx_file;
mod scene;
