//! Every form of a report that follows from its numbers and from who signed it.

use std::collections::BTreeMap;

use fedval_study::ElectronicSignature;

use crate::html::{RenderError, render_html};
use crate::package::layout;
use crate::pdf::{PdfError, render_pdf};
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
    // The paper takes longer than the others together.
    let (paper, (page, mut forms)) = rayon::join(
        || render_pdf(report, signatures),
        || (render_html(report, signatures), tables_and_figures(report, signatures)),
    );
    forms.insert(layout::HTML.to_owned(), page?.into_bytes());
    forms.insert(layout::PDF.to_owned(), paper?);
    Ok(forms)
}

fn tables_and_figures(
    report: &Report,
    signatures: &[ElectronicSignature],
) -> BTreeMap<String, Vec<u8>> {
    let tables = tables::all(report).into_iter();
    let mut forms: BTreeMap<_, _> =
        tables.map(|(path, table)| (path, table.into_bytes())).collect();
    for figure in Presentation::of(report, signatures).figures() {
        let path = |ending: &str| format!("figures/{}.{ending}", figure.picture.id);
        forms.insert(path("svg"), figure.picture.to_svg_file().into_bytes());
        forms.insert(path("csv"), figure.data.as_str().as_bytes().to_vec());
    }
    forms
}
