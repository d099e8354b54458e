//! What a series takes in the decoder's box: the tensor, whose size is the protocol's, and a slice or two; not the series.
//!
//! Each measurement has a process of its own, whose one child is the box: what other tests decode does not count.

use std::fs;
use std::io::Write as _;
use std::process::{Command, ExitCode};

use libtest_mimic::Trial;

use crate::decoder;
use crate::slice_file::{AXIAL, SliceFile, volume_input};

/// Argument of this executable where it decodes a series and tells what the box took at most.
pub(crate) const ROLE: &str = "__series-peak";

/// Slices of the small volume, and of every tensor.
const FEW: u32 = 50;
const MANY: u32 = 2_000;

/// A slice has two rows of so many pixels of 16 bits.
const COLUMNS: u16 = 2_048;
const SLICE_BYTES: u64 = 2 * 2 * COLUMNS as u64;

/// The numbers that are kept of each slice take less, and so does the luck of an allocator.
const ROOM_KIB: u64 = 4 * 1024;

const _: () =
    assert!(MANY as u64 * SLICE_BYTES > 3 * ROOM_KIB * 1024, "a series that is held shows");

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("two_thousand_slices_take_no_more_memory_than_fifty", || {
        let (few, many) = (peak_kib(FEW), peak_kib(MANY));
        assert!(few > 0 && many < few + ROOM_KIB, "{few} KiB of {FEW}, {many} KiB of {MANY}");
        Ok(())
    })]
}

/// The most that a box took that decoded so many slices.
fn peak_kib(slices: u32) -> u64 {
    let program = std::env::current_exe().unwrap();
    let told = Command::new(program).args([ROLE, &slices.to_string()]).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    String::from_utf8(told.stdout).unwrap().parse().unwrap()
}

/// The other side of it.
pub(crate) fn measured() -> ExitCode {
    let slices = std::env::args().nth(2).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let peak = runtime.block_on(decode(slices));
    std::io::stdout().write_all(peak.to_string().as_bytes()).unwrap();
    ExitCode::SUCCESS
}

/// Decodes slices two millimetres apart, which the tensor holds from the first to the last however many they are.
async fn decode(slices: u32) -> u64 {
    let slice = |place: u32| {
        let at = [0.0, 0.0, 2.0 * f64::from(place)];
        SliceFile { columns: COLUMNS, ..SliceFile::at(at, AXIAL) }.bytes()
    };
    let files: Vec<Vec<u8>> = (0..slices).map(slice).collect();
    let apart = 2.0 * f64::from(slices) / f64::from(FEW);
    let input = volume_input([FEW, 2, 64], "SPL", [apart, 1.0, 1.0]);
    let mut decoder = decoder();
    let mut series = decoder.series(&input, &[]).await.unwrap();
    for file in &files {
        series.look(file).await.unwrap();
    }
    for place in series.order().await.unwrap() {
        series.take(&files[place]).await.unwrap();
    }
    let volume = series.finish().await.unwrap();
    assert_eq!(volume.open_on_site().tensor().len(), 50 * 2 * 64);
    box_peak_kib()
}

/// The largest resident memory of this process's one child so far.
fn box_peak_kib() -> u64 {
    let own = u64::from(std::process::id());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let statuses = processes.filter_map(|of| fs::read_to_string(of.path().join("status")).ok());
    let of_child = |status: &String| number(status, "PPid:") == Some(own);
    let peaks: Vec<u64> =
        statuses.filter(of_child).filter_map(|status| number(&status, "VmHWM:")).collect();
    let [peak] = peaks[..] else { panic!("one child, and not {peaks:?}") };
    peak
}

fn number(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
