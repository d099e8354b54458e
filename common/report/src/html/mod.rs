//! The report for people on a screen: one file, no script, nothing from elsewhere.

use askama::Template;

use fedval_study::ElectronicSignature;

use crate::present::Presentation;
use crate::report::Report;

/// The report cannot be written as HTML.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be written as HTML")]
pub struct RenderError(#[source] askama::Error);

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    shown: &'a Presentation<'a>,
}

/// Renders the report with the signatures under it as one self-contained HTML file; the same report gives
/// the same bytes.
///
/// # Errors
///
/// [`RenderError`] if the template refuses, which no report makes it do.
pub fn render_html(
    report: &Report,
    signatures: &[ElectronicSignature],
) -> Result<String, RenderError> {
    page(&Presentation::of(report, signatures))
}

/// The same of what was made ready to be shown.
pub(crate) fn page(shown: &Presentation<'_>) -> Result<String, RenderError> {
    Page { report: shown.report, shown }.render().map_err(RenderError)
}
