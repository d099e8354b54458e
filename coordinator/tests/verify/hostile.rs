//! Archives that are made to cost their reader something: each is refused, the part named, within the memory that a
//! verification of it is allowed.
//!
//! The limit is `RLIMIT_DATA`, all that the program may write for itself: heap, stacks, its own data. It bounds what
//! the program holds on any machine. `RLIMIT_AS` would count its text and what the allocator sets aside without a
//! touch, which change with the build and the number of processors; `RLIMIT_RSS` no Linux enforces.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Cursor, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::server::{Coordinator, Ran, arg};
use super::{archive, golden};

/// KiB that a verification may write for itself, what the program has at rest included.
const ALLOWED: u32 = 256 << 10;
/// More bytes than that, so that whoever reads them all at once fails.
const MORE: u32 = 300 << 20;

const MIB: usize = 1 << 20;

/// What stands in a member.
enum Content {
    Bytes(Vec<u8>),
    /// So many zeros that take no room on the disk.
    Hole(u32),
}

type Members = BTreeMap<String, Content>;

/// An archive under way, in the form in which packages are written, and with whatever sums.
struct Archive {
    file: BufWriter<File>,
    at: u32,
    directory: Vec<u8>,
    count: u16,
}

impl Archive {
    fn begin(path: &Path) -> Self {
        let file = BufWriter::new(File::create(path).unwrap());
        Self { file, at: 0, directory: Vec::new(), count: 0 }
    }

    /// What both descriptions of a member say: version, flags, method, time, day, sum, sizes, lengths.
    fn fields(path: &str, length: u32) -> Vec<u8> {
        let mut fields = vec![10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0];
        fields.extend([length, length].map(u32::to_le_bytes).concat());
        fields.extend([u16::try_from(path.len()).unwrap(), 0].map(u16::to_le_bytes).concat());
        fields
    }

    fn member(&mut self, path: &str, content: &Content) {
        let length = match content {
            Content::Bytes(bytes) => u32::try_from(bytes.len()).unwrap(),
            Content::Hole(length) => *length,
        };
        let header = [b"PK\x03\x04", &Self::fields(path, length)[..], path.as_bytes()].concat();
        self.file.write_all(&header).unwrap();
        match content {
            Content::Bytes(bytes) => self.file.write_all(bytes).unwrap(),
            Content::Hole(length) => {
                self.file.seek(SeekFrom::Current(i64::from(*length))).unwrap();
            }
        }
        self.describe(path, length, self.at);
        self.at += u32::try_from(header.len()).unwrap() + length;
    }

    /// Says of a member that it begins at a place.
    fn describe(&mut self, path: &str, length: u32, begins: u32) {
        self.directory.extend(b"PK\x01\x02\x0a\x03");
        self.directory.extend(Self::fields(path, length));
        self.directory.extend([0, 0, 0, 0, 0, 0, 0, 0, 0xa4, 0x81]);
        self.directory.extend(begins.to_le_bytes());
        self.directory.extend(path.as_bytes());
        self.count += 1;
    }

    fn finish(mut self) {
        let counts = [0, 0, self.count, self.count].map(u16::to_le_bytes).concat();
        let size = u32::try_from(self.directory.len()).unwrap();
        let places = [size, self.at].map(u32::to_le_bytes).concat();
        self.file.write_all(&self.directory).unwrap();
        self.file.write_all(&[b"PK\x05\x06", &counts[..], &places, &[0, 0]].concat()).unwrap();
        self.file.flush().unwrap();
    }
}

/// The members of a package that was handed out.
fn members() -> Members {
    let files = fedval_report::unpack(Cursor::new(golden())).unwrap();
    files.into_iter().map(|(path, bytes)| (path, Content::Bytes(bytes))).collect()
}

fn packed(coordinator: &Coordinator, name: &str, members: &Members) -> PathBuf {
    let path = coordinator.beside(name);
    let mut archive = Archive::begin(&path);
    for (path, content) in members {
        archive.member(path, content);
    }
    archive.finish();
    path
}

/// Runs `fedval verify` with as much to write in as it is allowed. Two threads of each kind have as many stacks on every machine.
fn verified_within(coordinator: &Coordinator, package: &Path) -> Ran {
    let limited = format!("ulimit -d {ALLOWED} && exec \"$0\" \"$@\"");
    let program = env!("CARGO_BIN_EXE_fedval");
    let home = coordinator.home();
    let output = Command::new("sh")
        .args(["-c", &limited, program, "--home", arg(&home), "verify", arg(package)])
        .envs([("RAYON_NUM_THREADS", "2"), ("TOKIO_WORKER_THREADS", "2")])
        .stdin(Stdio::null())
        .output();
    Ran(output.unwrap())
}

fn repeated(begins: &str, again: &str, length: usize, ends: &str) -> Content {
    let times = (length - begins.len() - ends.len()) / again.len();
    Content::Bytes([begins, &again.repeat(times), ends].concat().into_bytes())
}

/// A round record of thousands of sites, each with a file and no signature.
fn thousands(mut members: Members) -> Members {
    let Content::Bytes(round) = &members["evidence/round.json"] else { panic!("it has bytes") };
    let mut round: Value = serde_json::from_slice(round).unwrap();
    let one = round["sites"][0].clone();
    let named = |index: usize| format!("site-{index:05}");
    let site = |index: usize| {
        let mut site = one.clone();
        site["site"] = named(index).into();
        site
    };
    round["sites"] = (0..5_000).map(site).collect();
    members.insert("evidence/round.json".to_owned(), Content::Bytes(round.to_string().into()));
    for index in 0..5_000 {
        let path = format!("evidence/sites/{}.json", named(index));
        members.insert(path, Content::Bytes(vec![b'['; 1_000]));
    }
    members
}

#[test]
fn the_limit_is_enough_for_an_honest_package_and_the_machine_keeps_it() {
    let coordinator = Coordinator::init();
    let honest = archive(&coordinator, "honest.zip", &golden());
    verified_within(&coordinator, &honest).done();
    // A program that asks for more than that gets nothing.
    let greedy = "ulimit -d \"$0\" && exec dd if=/dev/zero of=/dev/null bs=\"$1\" count=1";
    let [allowed, more] = [ALLOWED, MORE].map(|number| number.to_string());
    let greedy = Command::new("sh").args(["-c", greedy, &allowed, &more]).output().unwrap();
    assert!(!greedy.status.success(), "{greedy:?}");
    // And those that are made here are honest where nothing is changed.
    let again = packed(&coordinator, "again.zip", &members());
    verified_within(&coordinator, &again).done();
}

#[test]
fn what_is_larger_than_any_is_named_and_not_held() {
    let coordinator = Coordinator::init();
    let (protocol, site) = ("evidence/protocol.json", "evidence/sites/site-a.json");
    for (name, path, part, problem) in [
        ("protocol.zip", protocol, protocol, "is larger than any"),
        ("site.zip", site, site, "is larger than any"),
        ("round.zip", "evidence/round.json", "evidence/root.pem", "without the round record"),
        ("log.zip", "evidence/log.jsonl", "evidence/statement.json", "evidence/log.jsonl"),
        ("page.zip", "report.html", "evidence/statement.json", "report.html"),
    ] {
        let mut members = members();
        members.insert(path.to_owned(), Content::Hole(MORE));
        let archive = packed(&coordinator, name, &members);
        refused(&coordinator, &archive, part, problem);
    }
}

/// Exit code 1, with the part that fails first and words of what is wrong with it.
fn refused(coordinator: &Coordinator, archive: &Path, part: &str, problem: &str) {
    let ran = verified_within(coordinator, archive);
    let said = ran.refused(1, "VERIFICATION_FAILED");
    let first = said.lines().find(|line| line.starts_with("error: ")).unwrap();
    let begins = format!("error: {part} does not hold: ");
    assert!(first.starts_with(&begins) && first.contains(problem), "{part}: {said}");
}

#[test]
fn what_is_long_to_read_is_named_and_not_held() {
    let coordinator = Coordinator::init();
    let (round, root) = ("evidence/round.json", "evidence/root.pem");
    let without = "without the round record";
    let twice = "\"round\":\"x\",";
    for (name, path, content, part, problem) in [
        ("nested.zip", "report.json", repeated("", "[", 12 * MIB, ""), "report.json", "signature"),
        (
            "values.zip",
            "report.json",
            repeated("[0", ",0", 12 * MIB, "]"),
            "report.json",
            "signature",
        ),
        ("twice.zip", round, repeated("{", twice, 12 * MIB, "\"a\":1}"), root, without),
        ("text.zip", round, repeated("{\"round\":\"", "x", 12 * MIB, "\"}"), root, without),
        ("number.zip", round, repeated("{\"opened_at_ms\":", "7", 12 * MIB, "}"), root, without),
    ] {
        let mut members = members();
        members.insert(path.to_owned(), content);
        let archive = packed(&coordinator, name, &members);
        refused(&coordinator, &archive, part, problem);
    }
    let many = packed(&coordinator, "sites.zip", &thousands(members()));
    refused(&coordinator, &many, "files", "is missing");
}

#[test]
fn what_no_package_is_packed_as_is_unreadable() {
    let coordinator = Coordinator::init();
    let unreadable = |path: &Path, why: &str| {
        let ran = verified_within(&coordinator, path);
        let said = ran.refused(2, "PACKAGE_UNREADABLE");
        assert!(said.contains(why) && said.contains(arg(path)), "{said}");
    };
    let crowd = coordinator.beside("crowd.zip");
    let mut archive = Archive::begin(&crowd);
    for member in 0..=20_000 {
        archive.member(&format!("figures/{member}.svg"), &Content::Bytes(Vec::new()));
    }
    archive.finish();
    unreadable(&crowd, "more members than any package");
    // One content that every member claims.
    let overlapping = coordinator.beside("overlapping.zip");
    let mut archive = Archive::begin(&overlapping);
    archive.member("report.html", &Content::Hole(MORE));
    (1..20_000).for_each(|_| archive.describe("report.html", MORE, 0));
    archive.finish();
    unreadable(&overlapping, "overlap");
    let sparse = coordinator.beside("hole.zip");
    File::create(&sparse).unwrap().set_len(1 << 30).unwrap();
    unreadable(&sparse, "no readable ZIP archive");
}
