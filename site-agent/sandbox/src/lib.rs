//! Child processes without network or files, under memory and wall-clock limits.
//!
//! A parent re-executes a program in a role and exchanges frames with it over its standard input
//! and output; a large file can be handed in open, and a shared library that the child loads first. The
//! child confines itself before it reads a byte that a stranger could have written: see [`serve`].
//! Whatever a stranger's bytes then do to it (panic, abort, endless loop, no memory left), the parent
//! sees a [`CallError`] and may start a fresh child.
//!
//! Nothing here needs `unsafe`: the child restricts itself after it was executed, so that no code
//! runs between `fork` and `exec`.

mod child;
mod frame;
mod handed;
mod jail;
mod library;
mod numbers;
mod pipe;
mod program;
mod serve;
mod spawner;
mod syscalls;

pub use child::{BoxedChild, CallError, SpawnError};
pub use handed::HandedFile;
pub use library::SealedLibrary;
pub use numbers::numbers;
pub use program::{BoxLimits, BoxProgram};
pub use serve::{Reply, serve};
