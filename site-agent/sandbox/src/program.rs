//! What is started in a box, and under which limits.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

/// Where the C library is GNU's and reads this, memory that was used once is used again, and never given
/// back while the box lives; and it comes in large pages. A page that is asked for anew is cleared by the
/// kernel first: with every image given back and asked for again, that took a tenth of all time, and
/// with every copy that is made of a large model while it is loaded, a third.
const ALLOCATOR: [(&str, &str); 4] = [
    ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
    ("MALLOC_MMAP_MAX_", "0"),
    ("MALLOC_TRIM_THRESHOLD_", "1099511627776"),
    ("MALLOC_TOP_PAD_", "1048576"),
];

/// A program that knows how to run in a box: `[executable, role]`.
///
/// The program's `main` must hand over to [`serve`](crate::serve) when its first argument is the
/// role, before it starts a thread or opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoxProgram {
    /// The executable.
    pub executable: PathBuf,
    /// Its first argument; there is another one only where it is handed a library.
    pub role: &'static str,
}

impl BoxProgram {
    /// The running program itself, in `role`.
    ///
    /// It is named through the kernel, not by its path: an upgrade that replaces the file while
    /// the agent runs does not start a child of another version.
    ///
    /// # Errors
    ///
    /// Where `/proc` is not mounted.
    pub fn current(role: &'static str) -> io::Result<Self> {
        let executable = PathBuf::from("/proc/self/exe");
        executable.symlink_metadata()?;
        Ok(Self { executable, role })
    }

    /// No environment but the allocator's, no terminal, no folder: the child gets two pipes, its role,
    /// and the file that is handed in, if any.
    pub(crate) fn command(&self, file: Option<File>) -> Command {
        let mut command = Command::new(&self.executable);
        command
            .arg(self.role)
            .env_clear()
            .envs(ALLOCATOR)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file.map_or_else(Stdio::null, Stdio::from))
            .kill_on_drop(true);
        command
    }
}

/// What a box may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoxLimits {
    /// Address space, in bytes, the program's own code included.
    pub memory_bytes: u64,
    /// Processor time over the child's whole life, in seconds.
    ///
    /// Only a backstop: the wall clock of each call is what ends an endless loop.
    pub cpu_seconds: u64,
    /// Longest reply that the parent takes, in bytes.
    pub max_reply_bytes: u64,
}

/// Limits as the first frame carries them: memory, then processor time.
const LIMITS_FRAME_BYTES: usize = 16;

impl BoxLimits {
    pub(crate) fn to_frame(self) -> [u8; LIMITS_FRAME_BYTES] {
        let mut frame = [0; LIMITS_FRAME_BYTES];
        frame[..8].copy_from_slice(&self.memory_bytes.to_le_bytes());
        frame[8..].copy_from_slice(&self.cpu_seconds.to_le_bytes());
        frame
    }
}

/// The limits that a child applies to itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OwnLimits {
    pub(crate) memory_bytes: u64,
    pub(crate) cpu_seconds: u64,
}

impl OwnLimits {
    pub(crate) fn from_frame(frame: &[u8]) -> Option<Self> {
        let frame: &[u8; LIMITS_FRAME_BYTES] = frame.try_into().ok()?;
        let (memory, cpu) = frame.split_at(8);
        Some(Self {
            memory_bytes: u64::from_le_bytes(memory.try_into().ok()?),
            cpu_seconds: u64::from_le_bytes(cpu.try_into().ok()?),
        })
    }
}
