//! Writes the table of both readings into the README, between its marks.

use std::fs;

use fedval_dicom_files::{Expected, files, readme, rows, table, with_table};

fn main() -> std::io::Result<()> {
    let expected = Expected::committed();
    let table = table(&rows(&files(), &expected));
    let page = fs::read_to_string(readme())?;
    fs::write(readme(), with_table(&page, &table))
}
