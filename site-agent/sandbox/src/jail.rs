//! The steps by which a child gives up its rights, each irrevocable.

use std::fs;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetError, RulesetStatus, Scope,
};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, set_dumpable_behavior,
    set_parent_process_death_signal, setrlimit,
};
use rustix::thread::set_no_new_privs;

use crate::program::OwnLimits;
use crate::syscalls;

/// A step of the confinement, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    OnlyThread,
    PrivilegeLock,
    DeathSignal,
    FileAccess,
    Limits,
    SystemCalls,
}

impl Step {
    const ALL: [Self; 6] = [
        Self::OnlyThread,
        Self::PrivilegeLock,
        Self::DeathSignal,
        Self::FileAccess,
        Self::Limits,
        Self::SystemCalls,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyThread => "running in a single thread",
            Self::PrivilegeLock => "giving up new privileges",
            Self::DeathSignal => "dying with the parent",
            Self::FileAccess => "closing the file system (Landlock)",
            Self::Limits => "setting resource limits",
            Self::SystemCalls => "filtering system calls (seccomp)",
        }
    }
}

/// How far the confinement came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confinement {
    /// Every step was taken.
    Complete,
    /// This step was refused; the child must leave.
    Missing(Step),
}

impl Confinement {
    /// One byte: 0 for complete, else the refused step's place.
    pub(crate) fn to_report(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Missing(step) => step as u8 + 1,
        }
    }

    pub(crate) fn from_report(report: &[u8]) -> Option<Self> {
        match *report {
            [0] => Some(Self::Complete),
            [place] => Step::ALL.get(usize::from(place) - 1).copied().map(Self::Missing),
            _ => None,
        }
    }
}

/// Takes every step, or stops at the first that is refused.
pub(crate) fn confine(limits: OwnLimits) -> Confinement {
    for step in Step::ALL {
        let taken = match step {
            Step::OnlyThread => is_only_thread(),
            Step::PrivilegeLock => set_no_new_privs(true).is_ok(),
            Step::DeathSignal => die_with_parent(),
            Step::FileAccess => close_file_system().unwrap_or(false),
            Step::Limits => set_limits(limits).is_ok(),
            Step::SystemCalls => syscalls::restrict().is_ok(),
        };
        if !taken {
            return Confinement::Missing(step);
        }
    }
    Confinement::Complete
}

/// Landlock and seccomp bind the calling thread; another one would stay free.
fn is_only_thread() -> bool {
    fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// A parent that died before this call is noticed too: its end of the pipe is closed.
fn die_with_parent() -> bool {
    set_parent_process_death_signal(Some(Signal::KILL)).is_ok()
        // Nobody may attach to a process that holds a patient's pixels.
        && set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

/// Handles every right and grants none.
///
/// The rights of the first kernel with Landlock are demanded; later ones (truncation, device
/// control, TCP, signals, abstract sockets) are taken where the kernel has them, because the
/// system-call filter denies the same things a second time.
fn close_file_system() -> Result<bool, RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V6))?
        .handle_access(AccessNet::from_all(ABI::V6))?
        .scope(Scope::from_all(ABI::V6))?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

fn set_limits(limits: OwnLimits) -> rustix::io::Result<()> {
    let wanted = [
        (Resource::As, limits.memory_bytes),
        (Resource::Cpu, limits.cpu_seconds),
        // A core file would hold a patient's pixels.
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        // The two pipes and what was handed in stay open; nothing can be added.
        (Resource::Nofile, 3),
        (Resource::Nproc, 0),
    ];
    for (resource, limit) in wanted {
        setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_is_understood_and_an_unknown_one_is_not() {
        for step in Step::ALL {
            let missing = Confinement::Missing(step);
            assert_eq!(Confinement::from_report(&[missing.to_report()]), Some(missing));
        }
        assert_eq!(Confinement::from_report(&[0]), Some(Confinement::Complete));
        assert_eq!(Confinement::from_report(&[200]), None);
        assert_eq!(Confinement::from_report(&[]), None);
    }
}
