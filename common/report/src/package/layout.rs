//! Where everything stands in a package.

use fedval_study::{ElectronicSignature, SiteId};

/// The report for scripts.
pub(crate) const REPORT: &str = "report.json";
/// The report for people, on a screen.
pub(crate) const HTML: &str = "report.html";
/// The report for people, on paper.
pub(crate) const PDF: &str = "report.pdf";
/// How to check the package.
pub(crate) const INSTRUCTIONS: &str = "README.txt";
/// What was tested.
pub(crate) const MODEL_CARD: &str = "model-card.md";
/// What the software is made of.
pub(crate) const BILL_OF_MATERIALS: &str = "sbom.cdx.json";
/// The files that follow from the protocol and the software, not from results.
pub(crate) const COMPANIONS: [&str; 3] = [INSTRUCTIONS, MODEL_CARD, BILL_OF_MATERIALS];
/// The coordinator's statement about all files.
pub(crate) const STATEMENT: &str = "evidence/statement.json";
/// All files in one.
pub const ARCHIVE: &str = "evidence.zip";
/// The consortium's root certificate.
pub(crate) const ROOT: &str = "evidence/root.pem";
/// The locked protocol.
pub(crate) const PROTOCOL: &str = "evidence/protocol.json";
/// Where the versions of the protocol before the one in force stand.
pub(crate) const EARLIER_PROTOCOLS: &str = "evidence/earlier-protocols/";
/// The round record.
pub(crate) const ROUND: &str = "evidence/round.json";

/// Where the results of sites stand.
pub(crate) const SITES: &str = "evidence/sites/";

/// The coordinator's log.
pub(crate) const LOG: &str = "evidence/log.jsonl";
/// Where it stands.
pub(crate) const LOG_CHECKPOINT: &str = "evidence/log-checkpoint.json";
/// Which sites followed it.
pub(crate) const LOG_COSIGNATURES: &str = "evidence/log-cosignatures.json";

/// Where people's signatures under the report stand.
const ELECTRONIC_SIGNATURES: &str = "evidence/signatures/";

/// Whether the statement speaks of the file at `path`.
pub(crate) fn is_stated(path: &str) -> bool {
    path != STATEMENT && path != ARCHIVE
}

/// Whether a form of the report stands at `path`: what follows from its numbers.
pub(crate) fn is_form(path: &str) -> bool {
    path == HTML || path == PDF || path.starts_with("tables/") || path.starts_with("figures/")
}

/// More bytes than any package has in the file at `path`: what a reader makes room for.
pub(crate) fn largest(path: &str) -> u64 {
    const MIB: u64 = 1 << 20;
    match path {
        // Forty MiB for a thousand sites.
        REPORT => 96 * MIB,
        // Every leaf that the log ever had, 75 bytes each where they concern others.
        LOG => 64 * MIB,
        ROUND | STATEMENT | LOG_COSIGNATURES => 16 * MIB,
        PROTOCOL => 2 * MIB,
        _ if path.ends_with(".sig.json") || path == ROOT => MIB / 16,
        _ if path.starts_with(EARLIER_PROTOCOLS) => 2 * MIB,
        // A coordinator takes no larger message.
        _ if path.starts_with(SITES) => 4 * MIB,
        _ if path.starts_with(ELECTRONIC_SIGNATURES) => MIB / 16,
        _ => 64 * MIB,
    }
}

/// A version of the protocol before the one in force.
pub(crate) fn earlier_protocol(version: u32) -> String {
    format!("{EARLIER_PROTOCOLS}version-{version}.json")
}

/// A site's result.
pub(crate) fn result(site: &SiteId) -> String {
    format!("{SITES}{site}.json")
}

/// A person's signature under the report: one of each person and meaning.
pub(crate) fn electronic_signature(signature: &ElectronicSignature) -> String {
    format!("{ELECTRONIC_SIGNATURES}{}-{}.json", signature.signer, signature.meaning)
}

/// Whether a person's signature stands at `path`.
pub(crate) fn is_electronic_signature(path: &str) -> bool {
    path.starts_with(ELECTRONIC_SIGNATURES) && !path.ends_with(".sig.json")
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
