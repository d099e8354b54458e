//! Sites: what came of the round, and how many took part.

use super::{Csv, Field};
use crate::report::{Estimable, Report, Site};

pub(super) fn table(report: &Report) -> Csv {
    let mut table = Csv::new(&[
        "site",
        "status",
        "patients",
        "cases",
        "with_condition",
        "without_condition",
        "not_analysed",
        "profile",
        "k",
        "policy_sha256",
        "result_sha256",
        "dispatched_at",
        "recorded_at",
        "earlier_dispatches",
        "earlier_dispatches_any_model",
    ]);
    for site in &report.sites {
        let policy = site.disclosure.map(|control| control.policy.to_string());
        let result = site.result.map(|digest| digest.to_string());
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let (policy, result, recorded) = (text(&policy), text(&result), text(&site.recorded_at));
        let not_analysed = not_analysed(site);
        let count = |count: &Estimable<u64>| count.value().copied().into();
        table.row([
            Field::Text(site.id.as_str()),
            Field::Text(site.status.as_str()),
            count(&site.patients),
            count(&site.n),
            count(&site.n_pos),
            count(&site.n_neg),
            Field::Text(&not_analysed),
            Field::Text(site.disclosure.map_or("", |control| control.profile.as_str())),
            site.disclosure.map(|control| control.k).into(),
            Field::Text(&policy),
            Field::Text(&result),
            Field::Text(&site.dispatched_at),
            Field::Text(&recorded),
            Field::Count(site.earlier_dispatches),
            site.earlier_dispatches_any_model.into(),
        ]);
    }
    table
}

/// Patients with cases not analysed, by reason; `S` where the number was withheld.
fn not_analysed(site: &Site) -> String {
    let rows = site.attrition.iter().map(|row| {
        let patients = row.patients.released().map_or_else(|| "S".to_owned(), ToString::to_string);
        format!("{}: {patients}", row.reason.as_str())
    });
    rows.collect::<Vec<_>>().join("; ")
}
