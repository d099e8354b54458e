//! The risk-of-bias table.

use super::markup::Markup;
use super::ranking::Ranking;
use super::table::{Row, Table};
use crate::report::{Domain, Judgement, Report, RiskOfBias, Site};

/// One row a site, one column a domain; `None` where no site released results.
pub(super) fn table(report: &Report, shown: &Ranking<'_>) -> Option<Table> {
    let caption = format!(
        "Risk of bias of each site's data by the domains of PROBAST+AI, as far as signed results can \
                   say. What they cannot say is unclear, and for a reader with access to the sites to judge.{}",
        shown.caption()
    );
    let mut columns = vec![("Site", "text")];
    columns.extend(Domain::ALL.map(|domain| (domain.name(), "text")));
    let mut table = Table::new(Markup::text(caption), &columns);
    let judged = |site: &Site| report.risk_of_bias.iter().find(|judged| judged.site == site.id);
    for site in shown.sites.iter().filter_map(|site| judged(site)) {
        let cells = Domain::ALL.map(|domain| cell(site, domain)).to_vec();
        table.rows.push(Row::new(Markup::text(site.site.as_str()), cells));
    }
    (!table.rows.is_empty()).then_some(table)
}

fn cell(site: &RiskOfBias, domain: Domain) -> Markup {
    let (class, sign, word) = match site.judgement(domain) {
        Judgement::Low => ("low", "+", "low"),
        Judgement::Unclear => ("unclear", "?", "unclear"),
        Judgement::High => ("high", "–", "high"),
    };
    let of_domain = site.signals.iter().map(|signal| signal.means());
    let words: Vec<_> =
        of_domain.filter(|(of, ..)| *of == domain).map(|(_, _, words)| words).collect();
    Markup::trusted(format!(
        "<b class=\"risk {class}\"><span aria-hidden=\"true\">{sign}</span> {word}</b> {}",
        Markup::text(words.join("; "))
    ))
}
