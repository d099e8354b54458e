//! The system calls that computing on bytes needs, and no other.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter,
};

/// Calls allowed whatever their arguments: memory that is not shared, time, signals to itself,
/// leaving. There is no call among them that opens, connects, starts or looks up anything.
const ALLOWED: [i64; 21] = [
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sigaltstack,
];

/// Calls that no honest code in a box makes: the process ends at once.
const FATAL: [i64; 8] = [
    libc::SYS_bpf,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_io_uring_setup,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_userfaultfd,
];

/// An anonymous mapping's descriptor, −1 as the kernel compares it.
const NO_DESCRIPTOR: u64 = 0xffff_ffff;

/// Installs both filters on this thread. Where they disagree, the kernel takes the stricter one.
pub(crate) fn restrict() -> Result<(), seccompiler::Error> {
    apply_filter(&fatal_filter()?)?;
    apply_filter(&allow_filter()?)
}

fn fatal_filter() -> Result<BpfProgram, Error> {
    let rules = FATAL.into_iter().map(|call| (call, Vec::new())).collect();
    compile(rules, SeccompAction::Allow, SeccompAction::KillProcess)
}

/// A call outside the list fails with `EPERM` instead of ending the process: libraries probe for
/// what they can do without, such as the number of processors.
fn allow_filter() -> Result<BpfProgram, Error> {
    let mut rules: BTreeMap<_, _> = ALLOWED.into_iter().map(|call| (call, Vec::new())).collect();
    let not_executable = SeccompCmpOp::MaskedEq(exec_bit());
    // Descriptors that the parent's parent left open are of no use: only the pipes can be used, and
    // what was handed in, which is open for reading.
    let on = |descriptor| rule([argument(0, SeccompCmpOp::Eq, descriptor)?]);
    rules.insert(libc::SYS_read, vec![on(0)?, on(2)?]);
    // Tables are read from their end.
    rules.insert(libc::SYS_pread64, vec![on(2)?]);
    rules.insert(libc::SYS_write, vec![on(1)?, on(2)?]);
    rules.insert(libc::SYS_writev, vec![on(1)?, on(2)?]);
    rules.insert(
        libc::SYS_mmap,
        vec![rule([
            argument(2, not_executable.clone(), 0)?,
            argument(4, SeccompCmpOp::Eq, NO_DESCRIPTOR)?,
        ])?],
    );
    rules.insert(libc::SYS_mprotect, vec![rule([argument(2, not_executable, 0)?])?]);
    // `abort` signals its own process, and no other.
    let own_process = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, vec![rule([argument(0, SeccompCmpOp::Eq, own_process)?])?]);
    compile(rules, SeccompAction::Errno(eperm()), SeccompAction::Allow)
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, Error> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, otherwise, matched, architecture)?.try_into()?)
}

/// Every condition must hold.
fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(conditions.into())?)
}

fn argument(index: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)?)
}

const fn exec_bit() -> u64 {
    libc::PROT_EXEC.cast_unsigned() as u64
}

const fn eperm() -> u32 {
    libc::EPERM.cast_unsigned()
}
