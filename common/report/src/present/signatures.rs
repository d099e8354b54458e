//! Who signed the report (21 CFR 11.50: printed name, date and time, meaning).

use fedval_study::{ElectronicSignature, Timestamp};

use super::markup::Markup;
use super::records::code;
use super::table::{Row, Table};

/// What stands where no signature does.
pub(crate) const NOBODY_SIGNED: &str = "No person has signed this report. What the coordinator and the sites signed stands under Provenance.";

/// Every signature with what it means; `None` where there is none.
pub(super) fn table(signatures: &[ElectronicSignature]) -> Option<Table> {
    if signatures.is_empty() {
        return None;
    }
    let caption = Markup::text(
        "Electronic signatures of people. Each is bound to report.json by its digest and made with the \
         signer’s own key, after the signer’s password.",
    );
    let columns = [
        ("Printed name", "text"),
        ("Signed as", "text"),
        ("Meaning", "text"),
        ("Date and time (UTC)", "text"),
        ("Report (SHA-256)", "text"),
    ];
    let mut table = Table::new(caption, &columns);
    table.rows = signatures.iter().map(row).collect();
    Some(table)
}

fn row(signature: &ElectronicSignature) -> Row {
    let ElectronicSignature { signer, role, printed_name, meaning, .. } = signature;
    let signed_at = Timestamp::from_unix_millis(signature.signed_at_ms);
    let cells = vec![
        Markup::text(format!("{role} {signer}")),
        Markup::text(meaning.as_str()),
        Markup::text(signed_at.to_string()),
        code(&signature.report.to_string()),
    ];
    Row::new(Markup::text(printed_name.as_str()), cells)
}
