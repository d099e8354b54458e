//! The report for people: one file, no script, nothing from elsewhere.

use crate::report::Report;

/// The report cannot be written as HTML.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be written as HTML")]
pub struct RenderError(#[from] askama::Error);

/// Renders.
pub fn render_html(report: &Report) -> Result<String, RenderError> {
    Ok(report.schema.clone())
}
