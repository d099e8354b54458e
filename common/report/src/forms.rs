//! Every form of a report that follows from its numbers and from who signed it.

use std::collections::BTreeMap;

use fedval_study::ElectronicSignature;

use crate::html::{RenderError, page};
use crate::package::layout;
use crate::pdf::{PdfError, paper};
use crate::present::Presentation;
use crate::report::Report;
use crate::tables;

/// A report cannot be written in one of its forms.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// Not as a page.
    #[error(transparent)]
    Html(#[from] RenderError),
    /// Not on paper.
    #[error(transparent)]
    Pdf(#[from] PdfError),
}

/// The page, the paper, each table and each picture with its data, by their paths in a package. The same report gives
/// the same bytes.
///
/// # Errors
///
/// [`FormError`] names the form.
pub fn render(
    report: &Report,
    signatures: &[ElectronicSignature],
) -> Result<BTreeMap<String, Vec<u8>>, FormError> {
    let shown = Presentation::of(report, signatures);
    // The paper takes longer than the others together.
    let (paper, ((page, figures), tables)) = rayon::join(
        || paper(&shown),
        || rayon::join(|| (page(&shown), figures(&shown)), || tables::all(report)),
    );
    let tables = tables.into_iter().map(|(path, table)| (path, table.into_bytes()));
    let mut forms: BTreeMap<_, _> = tables.chain(figures).collect();
    forms.insert(layout::HTML.to_owned(), page?.into_bytes());
    forms.insert(layout::PDF.to_owned(), paper?);
    Ok(forms)
}

/// Each picture and its data.
fn figures(shown: &Presentation<'_>) -> Vec<(String, Vec<u8>)> {
    let files = shown.figures().map(|figure| {
        let path = |ending: &str| format!("figures/{}.{ending}", figure.picture.id);
        let picture = figure.picture.to_svg_file().into_bytes();
        [(path("svg"), picture), (path("csv"), figure.data.as_str().as_bytes().to_vec())]
    });
    files.flatten().collect()
}
