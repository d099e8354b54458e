//! How much memory each case of a prediction table takes in the agent: a bound, not a measurement. What was measured stands in
//! the README.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::process::Command;

use serde_json::Value;

/// Cases of the smaller table, and of the larger.
const SMALL: u64 = 10_000;
const LARGE: u64 = 100_000;

/// Bytes that a case may take until the result waits for its release: 338 as CSV and 324 as Parquet were measured on a
/// quiet machine, 413 on a busy one, whose threads get other arenas.
const MOST_BYTES: u64 = 500;

/// The largest resident memory of a process that evaluated so many cases and held the result against the rules, as the kernel
/// counted it (VmHWM), in bytes. The table was written by another process.
fn peak(cases: u64, format: &str) -> u64 {
    let told = Command::new(env!("CARGO_BIN_EXE_fedval-bench-images"))
        .args(["table", "--cases", &cases.to_string(), "--format", format])
        .output()
        .unwrap();
    assert!(told.status.success(), "{told:?}");
    let figure: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(figure["images"], cases, "every case was evaluated");
    figure["vetted_kib"].as_u64().unwrap() * 1024
}

fn takes_little(format: &str) {
    let (small, large) = (peak(SMALL, format), peak(LARGE, format));
    let each = large.saturating_sub(small) / (LARGE - SMALL);
    assert!(each < MOST_BYTES, "{each} bytes a case: {small} and {large} in all");
    // A process that was not measured would pass as well.
    assert!(large > small, "{small} and {large}");
}

#[test]
fn a_case_of_a_csv_table_takes_less_than_500_bytes() {
    takes_little("csv");
}

#[test]
fn a_case_of_a_parquet_table_takes_less_than_500_bytes() {
    takes_little("parquet");
}
