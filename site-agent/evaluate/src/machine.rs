//! What of a machine decides with which instructions a model's numbers are added up.
//!
//! An engine chooses them by the processor, and two choices may differ in the last bits of a score. Scores of one process of several
//! say on what they were made: whoever brings them together scores anew what another kind of processor scored, because what is
//! looked at again must come back to the last bit.

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

use fedval_study::Sha256Digest;

/// Keys of `/proc/cpuinfo` by which engines choose.
const KEYS: [&str; 8] = [
    "vendor_id",
    "cpu family",
    "model",
    "CPU implementer",
    "CPU architecture",
    "CPU variant",
    "CPU part",
    "Features",
];

/// What the names of instructions for numbers begin with, among the many flags of a processor.
const ARITHMETIC: [&str; 6] = ["sse", "ssse", "avx", "fma", "f16c", "amx"];

/// What a checkpoint belongs to that one process of several made on this machine, given what it would belong to otherwise.
pub(crate) fn marked(row: Sha256Digest) -> Sha256Digest {
    Sha256Digest::of(format!("{row} {}", own()).as_bytes())
}

/// This machine's kind.
fn own() -> &'static str {
    static OWN: OnceLock<String> = OnceLock::new();
    OWN.get_or_init(|| kind(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default()))
}

/// The kind of a machine of which the kernel says `cpuinfo`: the same of two with the same processors, however many.
fn kind(cpuinfo: &str) -> String {
    let lines: BTreeSet<String> = cpuinfo.lines().filter_map(telling).collect();
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

fn telling(line: &str) -> Option<String> {
    let (key, value) = line.split_once(':')?;
    let (key, value) = (key.trim(), value.trim());
    if key == "flags" {
        let is_arithmetic = |flag: &&str| ARITHMETIC.iter().any(|name| flag.starts_with(name));
        let flags: BTreeSet<&str> = value.split_whitespace().filter(is_arithmetic).collect();
        return Some(format!("flags: {}", flags.into_iter().collect::<Vec<_>>().join(" ")));
    }
    KEYS.contains(&key).then(|| format!("{key}: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 1\n\
                       model name\t: AMD EPYC\ncpu MHz\t\t: 2450.1\nflags\t\t: fpu sse2 fma avx avx2 bmi1\n";

    #[test]
    fn machines_differ_by_what_decides_and_by_nothing_else() {
        let expected =
            "cpu family: 25\nflags: avx avx2 fma sse2\nmodel: 1\nvendor_id: AuthenticAMD";
        assert_eq!(kind(ONE), expected);
        // Another clock, another number of processors, a flag that adds nothing up.
        let twice = format!("{ONE}\n{}", ONE.replace("processor\t: 0", "processor\t: 1"));
        assert_eq!(
            kind(&twice.replace("2450.1", "3000.0").replace("bmi1", "bmi1 rdseed")),
            expected
        );
        assert_ne!(kind(&ONE.replace("avx2", "avx2 avx512f")), expected);
        assert_ne!(kind(&ONE.replace("avx avx2", "avx")), expected);
        assert_ne!(kind(&ONE.replace("model\t\t: 1", "model\t\t: 17")), expected);
        let arm = |part: &str| format!("Features\t: fp asimd sve\nCPU part\t: {part}\n");
        assert_ne!(kind(&arm("0xd0c")), kind(&arm("0xd40")));
    }

    #[test]
    fn this_machine_says_what_it_is() {
        assert!(!own().is_empty());
        let row = Sha256Digest::of(b"row");
        assert_eq!(marked(row), marked(row));
        assert_ne!(marked(row), row);
    }
}
