//! The report in a terminal: what a reader wants to know first.

use comfy_table::Table;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use serde_json::Value;

/// One row a hospital, as `report.json` describes it.
pub(crate) fn sites_table(report: &Value) -> String {
    let header = ["hospital", "result", "images", "patients", "AUROC (95 % CI)", "withheld"];
    let rows = entries(report, "/sites").iter().map(|site| {
        let id = text(site, "/id");
        vec![
            id.to_owned(),
            text(site, "/status").to_owned(),
            count(site, "/n"),
            count(site, "/patients"),
            estimate(site.pointer("/metrics/auroc").unwrap_or(&Value::Null), "ci"),
            withheld(report, id),
        ]
    });
    table(&header, rows)
}

/// Mean, spread and prediction of the AUROC over the hospitals that released it.
pub(crate) fn pooled_lines(report: &Value) -> String {
    let pooled = report.pointer("/synthesis/auroc").unwrap_or(&Value::Null);
    let prediction = interval(&pooled["prediction_interval"]);
    let heterogeneity = pooled["i2"].as_f64().map_or("not estimable".to_owned(), percent);
    format!(
        "AUROC over {} hospitals: mean {}\n\
         In a hospital not asked:  {prediction} (95 % prediction interval)\n\
         Differences between hospitals beyond chance: I² = {heterogeneity}",
        pooled["k"],
        estimate(pooled, "ci"),
    )
}

/// One row a pre-specified endpoint.
pub(crate) fn verdicts_table(report: &Value) -> String {
    let header = ["endpoint", "accepted", "95 % interval", "verdict", "worst hospital"];
    let rows = entries(report, "/verdicts").iter().map(|verdict| {
        let sign = if text(verdict, "/direction") == "at_most" { "≤" } else { "≥" };
        let basis = if text(verdict, "/basis") == "new_site" { "new site" } else { "mean" };
        vec![
            text(verdict, "/endpoint").to_owned(),
            format!("{} {sign} {}", text(verdict, "/metric"), number(&verdict["limit"])),
            format!("{} ({basis})", interval(&verdict["interval"])),
            words(text(verdict, "/result")),
            worst_site(&verdict["worst_site"]),
        ]
    });
    table(&header, rows)
}

/// The hospital where the endpoint looks least favourable, with its own verdict.
fn worst_site(worst: &Value) -> String {
    if worst.is_null() {
        return "–".to_owned();
    }
    let (site, value) = (text(worst, "/site"), &worst["value"]);
    format!("{site} {} ({})", number(&value["estimate"]), words(text(value, "/result")))
}

/// A code of the report, for people.
fn words(code: &str) -> String {
    code.replace('_', " ")
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    table.to_string()
}

/// What disclosure control kept at a site, for its own sake or another's: which, only the site knows.
fn withheld(report: &Value, site: &str) -> String {
    let items = entries(report, "/disclosure/withheld");
    let names = items.iter().filter(|item| text(item, "/site") == site).map(|item| {
        if let Some(group) = item.pointer("/what/subgroup") {
            let (dimension, category) = (text(group, "/dimension"), text(group, "/category"));
            return format!("{dimension} {category}");
        }
        if item.pointer("/what/attrition").is_some() {
            return "count of failed cases".to_owned();
        }
        "everything".to_owned()
    });
    names.collect::<Vec<_>>().join("\n")
}

fn entries<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn count(value: &Value, pointer: &str) -> String {
    let count = value.pointer(pointer).and_then(Value::as_u64);
    count.map_or("–".to_owned(), |count| count.to_string())
}

/// `0.89 (0.84 to 0.92)`, or the reason why there is no estimate.
fn estimate(metric: &Value, interval_key: &str) -> String {
    if metric["estimate"].is_f64() {
        return format!("{} ({})", number(&metric["estimate"]), interval(&metric[interval_key]));
    }
    reason(metric)
}

/// `0.84 to 0.92`, or the reason why there is no interval.
fn interval(value: &Value) -> String {
    match value.as_array().map(Vec::as_slice) {
        Some([low, high]) => format!("{} to {}", number(low), number(high)),
        _ => reason(value),
    }
}

fn number(value: &Value) -> String {
    value.as_f64().map_or_else(|| reason(value), |number| format!("{number:.2}"))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// A value that is not estimable holds its reason in its place.
fn reason(value: &Value) -> String {
    let reason = text(value, "/not_estimable");
    if reason.is_empty() { "–".to_owned() } else { words(reason) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_site_without_a_result_shows_its_reason_and_no_number() {
        let report = json!({
            "sites": [
                { "id": "large", "status": "released", "n": 200, "patients": 150, "metrics": {
                    "auroc": { "estimate": 0.891, "se": 0.02, "ci": [0.84, 0.925] } } },
                { "id": "small", "status": "insufficient", "n": { "not_estimable": "insufficient" },
                  "patients": { "not_estimable": "insufficient" }, "metrics": {} },
            ],
            "disclosure": { "withheld": [
                { "site": "large", "code": "S",
                  "what": { "subgroup": { "dimension": "ethnicity", "category": "island" } } },
                { "site": "small", "code": "INSUFFICIENT", "what": "whole_site" },
            ] },
        });
        let table = sites_table(&report);
        assert!(table.contains("0.89 (0.84 to 0.93)"), "{table}");
        assert!(table.contains("ethnicity island"), "{table}");
        let small = table.lines().find(|line| line.contains("small")).unwrap();
        assert!(small.contains("insufficient") && small.contains("everything"), "{table}");
        assert!(!small.contains('0'), "{table}");
    }

    #[test]
    fn an_interval_that_does_not_exist_gives_its_reason() {
        let report = json!({ "synthesis": { "auroc": {
            "k": 2, "estimate": 0.8, "ci": [0.1, 0.99], "i2": 0.91,
            "prediction_interval": { "not_estimable": "too_few_sites" },
        } } });
        let lines = pooled_lines(&report);
        assert!(lines.contains("too few sites") && lines.contains("91 %"), "{lines}");
    }
}
