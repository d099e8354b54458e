//! Archives that nobody should take.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

type Files = BTreeMap<String, Vec<u8>>;

const MIB: usize = 1 << 20;

/// Writes each as one file, named by what is wrong with it.
pub(crate) fn write(package: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let mut files = Files::new();
    gather(package, package, &mut files)?;
    files.remove("evidence.zip");
    let site = "evidence/sites/site-0000.json";
    let with = |path: &str, bytes: Vec<u8>| {
        let mut files = files.clone();
        files.insert(path.to_owned(), bytes);
        files
    };
    let save = |name: &str, files: &Files| pack(&folder.join(name), files);

    save("a-digit-of-a-result.zip", &with(site, one_digit(&files[site])))?;
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    save("deeply-nested-result.zip", &with(site, nested(MIB)))?;
    save("deeply-nested-report.zip", &with("report.json", nested(50 * MIB)))?;
    save("long-number.zip", &with(site, number(3 * MIB)))?;
    save("long-text.zip", &with("evidence/round.json", text(15 * MIB)))?;
    save("keys-twice.zip", &with("evidence/round.json", twice(15 * MIB)))?;
    save("huge-protocol.zip", &with("evidence/protocol.json", text(400 * MIB)))?;
    save("large-protocol.zip", &with("evidence/protocol.json", twice(2 * MIB - 1)))?;
    save("huge-page.zip", &with("report.html", vec![b' '; 700 * MIB]))?;
    save("many-small-values.zip", &with("report.json", nulls(150 * MIB)))?;
    save("log-of-hidden-leaves.zip", &with("evidence/log.jsonl", leaves(60 * MIB)))?;
    save("log-too-long.zip", &with("evidence/log.jsonl", leaves(600 * MIB)))?;
    save("other-consortium-signatures.zip", &unsigned(&files))?;
    save("thousands-of-sites.zip", &thousands(&files, 9_000))?;
    let whole = fs::read(package.join("evidence.zip"))?;
    fs::write(folder.join("cut-off.zip"), &whole[..whole.len() / 2])?;
    millions(&folder.join("millions-of-members.zip"), 3_000_000)?;
    overlapping(&folder.join("overlapping-members.zip"), 20_000)?;
    File::create(folder.join("sparse-4-gib.zip"))?.set_len(4 << 30)?;
    File::create(folder.join("sparse-1-gib.zip"))?.set_len(1 << 30)?;
    Ok(())
}

fn gather(root: &Path, folder: &Path, files: &mut Files) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(root, &path, files)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

fn one_digit(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Some(digit) = bytes.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        *digit = if *digit == b'9' { b'8' } else { *digit + 1 };
    }
    bytes
}

fn number(digits: usize) -> Vec<u8> {
    [&b"{\"opened_at_ms\":"[..], &vec![b'7'; digits], b"}"].concat()
}

fn text(length: usize) -> Vec<u8> {
    [&b"{\"round\":\""[..], &vec![b'x'; length], b"\"}"].concat()
}

fn twice(length: usize) -> Vec<u8> {
    let mut bytes = b"{".to_vec();
    while bytes.len() + 16 < length {
        bytes.extend_from_slice(b"\"round\":\"x\",");
    }
    bytes.extend_from_slice(b"\"a\":1}");
    bytes
}

fn nulls(length: usize) -> Vec<u8> {
    let mut bytes = b"{\"a\":[0".to_vec();
    while bytes.len() + 4 < length {
        bytes.extend_from_slice(b",0");
    }
    bytes.extend_from_slice(b"]}");
    bytes
}

fn leaves(length: usize) -> Vec<u8> {
    let line = format!("{{\"leaf\":\"{}\"}}\n", "ab".repeat(32));
    line.repeat(length / line.len()).into_bytes()
}

/// Every signature of a site is that of another one.
fn unsigned(files: &Files) -> Files {
    let mut changed = files.clone();
    let other = files["report.sig.json"].clone();
    let of_sites = |path: &&String| path.contains("/sites/") && path.ends_with(".sig.json");
    for path in files.keys().filter(of_sites) {
        changed.insert(path.clone(), other.clone());
    }
    changed
}

/// A round record of thousands of sites, each with a file and no signature.
fn thousands(files: &Files, sites: usize) -> Files {
    let mut changed = files.clone();
    let round = String::from_utf8_lossy(&files["evidence/round.json"]).into_owned();
    let begins = round.find("\"sites\":[").map_or(0, |at| at + 9);
    let one = &round[begins..=begins + round[begins..].find('}').unwrap_or(0)];
    let many: Vec<_> =
        (0..sites).map(|site| one.replace("site-0000", &format!("site-{site:05}"))).collect();
    let ends = begins + round[begins..].find(']').unwrap_or(0);
    let round = format!("{}{}{}", &round[..begins], many.join(","), &round[ends..]);
    changed.insert("evidence/round.json".to_owned(), round.into_bytes());
    let result = &files["evidence/sites/site-0000.json"][..1000];
    for site in 0..sites {
        let path = format!("evidence/sites/site-{site:05}.json");
        changed.insert(path, result.to_vec());
    }
    changed
}

/// The parts of an archive, as far as they are the same for all.
struct Archive<W> {
    out: W,
    at: u32,
    directory: Vec<u8>,
    count: u32,
}

impl<W: Write> Archive<W> {
    fn member(&mut self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let at = self.at;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        let fixed = fixed(length, name_length);
        self.out.write_all(&[b"PK\x03\x04", &fixed[..], name.as_bytes(), bytes].concat())?;
        self.at += 30 + u32::from(name_length) + length;
        self.describe(name, length, at);
        Ok(())
    }

    fn describe(&mut self, name: &str, length: u32, at: u32) {
        let fixed = fixed(length, u16::try_from(name.len()).unwrap_or(u16::MAX));
        self.directory.extend_from_slice(b"PK\x01\x02\x0a\x03");
        self.directory.extend_from_slice(&fixed);
        // No comment, the first disk, no kind; a plain file that its owner writes and everybody reads.
        self.directory.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0, 0xa4, 0x81]);
        self.directory.extend_from_slice(&at.to_le_bytes());
        self.directory.extend_from_slice(name.as_bytes());
        self.count += 1;
    }

    fn finish(mut self) -> std::io::Result<()> {
        let size = u32::try_from(self.directory.len()).unwrap_or(u32::MAX);
        let count = u16::try_from(self.count).unwrap_or(u16::MAX).to_le_bytes();
        self.out.write_all(&self.directory)?;
        let numbers = [&count[..], &count, &size.to_le_bytes(), &self.at.to_le_bytes()].concat();
        self.out.write_all(&[b"PK\x05\x06\x00\x00\x00\x00", &numbers[..], &[0, 0]].concat())?;
        self.out.flush()
    }
}

/// What header and description share, as packages have it: version, flags, method, time, check sum, both sizes, length
/// of the name.
fn fixed(length: u32, name: u16) -> Vec<u8> {
    let length = length.to_le_bytes();
    [
        &[10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, 0, 0, 0, 0][..],
        &length,
        &length,
        &name.to_le_bytes(),
        &[0; 2],
    ]
    .concat()
}

fn begin(path: &Path) -> std::io::Result<Archive<BufWriter<File>>> {
    let out = BufWriter::new(File::create(path)?);
    Ok(Archive { out, at: 0, directory: Vec::new(), count: 0 })
}

fn pack(path: &Path, files: &Files) -> std::io::Result<()> {
    let mut archive = begin(path)?;
    files.iter().try_for_each(|(name, bytes)| archive.member(name, bytes))?;
    archive.finish()
}

fn millions(path: &Path, members: u32) -> std::io::Result<()> {
    let mut archive = begin(path)?;
    (0..members).try_for_each(|member| archive.member(&format!("figures/{member}.svg"), b""))?;
    archive.finish()
}

/// One content of many mebibytes that every member claims.
fn overlapping(path: &Path, members: u32) -> std::io::Result<()> {
    let mut archive = begin(path)?;
    archive.member("report.html", &vec![b' '; 8 * MIB])?;
    (1..members).for_each(|_| archive.describe("report.html", 8 << 20, 0));
    archive.finish()
}
