//! Writes down the list of problem pages, so that a new page needs no other line.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// From this crate's folder.
const PAGES: &str = "../../deploy/docs/problems";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={PAGES}");
    let folder = fs::canonicalize(PAGES)?;
    let mut pages: Vec<_> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    let mut list = String::from("&[\n");
    for page in pages {
        let code =
            page.file_stem().and_then(|stem| stem.to_str()).ok_or("a page's name is text")?;
        writeln!(list, "    ({code:?}, include_str!({:?})),", page.display().to_string())?;
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("problem_pages.rs"), list)?;
    Ok(())
}
