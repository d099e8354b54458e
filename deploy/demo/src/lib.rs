//! The main job of fedval on invented hospitals: one coordinator and four site agents as separate
//! processes over mutual TLS on the loopback interface.
//!
//! [`hospital`] makes patients, images and files, [`model`] the model, [`federation`] runs the
//! study on them through the two programs' command lines, as people would.

mod canary_search;
mod console;
mod error;
pub mod federation;
pub mod hospital;
pub mod model;
mod output_folder;
mod radiograph;
mod random;
mod result_table;
mod run;

pub use canary_search::Searched;
pub use console::Console;
pub use error::DemoError;
pub use output_folder::OutputFolder;
pub use radiograph::SIDE;
pub use run::run;
