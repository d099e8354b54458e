//! Where everything stands in a package.

use fedval_study::SiteId;

/// The report for scripts.
pub(crate) const REPORT: &str = "report.json";
/// The report for people, on a screen.
pub(crate) const HTML: &str = "report.html";
/// The report for people, on paper.
pub(crate) const PDF: &str = "report.pdf";
/// The consortium's root certificate.
pub(crate) const ROOT: &str = "evidence/root.pem";
/// The locked protocol.
pub(crate) const PROTOCOL: &str = "evidence/protocol.json";
/// The round record.
pub(crate) const ROUND: &str = "evidence/round.json";

/// Whether a form of the report stands at `path`: what follows from its numbers.
pub(crate) fn is_form(path: &str) -> bool {
    path == HTML || path == PDF || path.starts_with("tables/") || path.starts_with("figures/")
}

/// A site's result.
pub(crate) fn result(site: &SiteId) -> String {
    format!("evidence/sites/{site}.json")
}

/// The signatures of the document at `path`.
pub(crate) fn signatures(path: &str) -> String {
    let stem = path.strip_suffix(".json").unwrap_or(path);
    format!("{stem}.sig.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_stand_beside_their_document() {
        assert_eq!(signatures(REPORT), "report.sig.json");
        let site: SiteId = "nih-a".parse().unwrap();
        assert_eq!(signatures(&result(&site)), "evidence/sites/nih-a.sig.json");
    }
}
