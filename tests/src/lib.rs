//! The end-to-end harness: a consortium of real processes on loopback, with a recorder of every byte
//! that leaves an agent.
//!
//! The binaries are the ones beside the test executable: `tests/run.sh` builds them first.

pub mod browser;
pub mod by_definition;
pub mod canary;
pub mod consortium;
mod devtools;
pub mod dice;
pub mod dicom_object;
pub mod disk;
pub mod fault_proxy;
pub mod folder;
pub mod hospital;
pub mod orthanc;
pub mod pacs_relay;
pub mod page_client;
pub mod process;
pub mod raw_client;
pub mod recorder;
pub mod reported;
pub mod shared;
pub mod signal;
pub mod small_site;
pub mod strace;
