//! Tables, their cells and their footnotes.

use askama::Template;
use askama::filters::HtmlSafe;

use super::markup::{Markup, escape};
use super::number::Format;
use crate::report::{Estimable, Metric, Reason};

/// A table of the report.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "table.html")]
pub(crate) struct Table {
    /// What it shows.
    pub(crate) caption: Markup,
    /// Columns; the first heads the rows.
    pub(crate) columns: Vec<Column>,
    /// Rows.
    pub(crate) rows: Vec<Row>,
    /// Footnotes.
    pub(crate) notes: Vec<(String, String)>,
    /// Style: empty, or `compact` for a table of few columns.
    pub(crate) style: &'static str,
}

impl HtmlSafe for Table {}

/// A column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// Heading.
    pub(crate) label: Markup,
    /// Style: `text`, `number` or `plot`.
    pub(crate) class: &'static str,
}

/// A row, or the heading of a group of rows.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its first cell; a group's heading spans all columns.
    pub(crate) head: Markup,
    /// Its other cells; none for a group's heading.
    pub(crate) cells: Vec<Markup>,
    /// Style: empty, `muted`, `pooled` or `group`.
    pub(crate) class: &'static str,
}

impl Row {
    /// A row of values.
    pub(crate) fn new(head: Markup, cells: Vec<Markup>) -> Self {
        Self { head, cells, class: "" }
    }

    /// The heading of a group of rows.
    pub(crate) const fn group(head: Markup) -> Self {
        Self { head, cells: Vec::new(), class: "group" }
    }

    /// The row in another style.
    pub(crate) const fn styled(mut self, class: &'static str) -> Self {
        self.class = class;
        self
    }
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(caption: Markup, columns: &[(&str, &'static str)]) -> Self {
        let columns = columns
            .iter()
            .map(|(label, class)| Column { label: Markup::text(label), class })
            .collect();
        Self { caption, columns, rows: Vec::new(), notes: Vec::new(), style: "" }
    }

    /// The table no wider than its content.
    pub(crate) fn compact(mut self) -> Self {
        self.style = "compact";
        self
    }

    /// The cells of a row, each with the style of its column.
    fn styled<'t>(&'t self, row: &'t Row) -> impl Iterator<Item = (&'static str, &'t Markup)> {
        self.columns.iter().skip(1).map(|column| column.class).zip(&row.cells)
    }
}

/// The footnotes of one table: one letter for each reason, in order of appearance.
#[derive(Debug, Default)]
pub(crate) struct Notes(Vec<Reason>);

impl Notes {
    /// A dash with the footnote of `reason`.
    pub(crate) fn dash(&mut self, reason: Reason) -> String {
        let index = self.0.iter().position(|known| *known == reason).unwrap_or_else(|| {
            self.0.push(reason);
            self.0.len() - 1
        });
        let title = escape(reason.sentence());
        format!("<span class=\"none\" title=\"{title}\">—<sup>{}</sup></span>", letter(index))
    }

    /// An estimate with its limits.
    pub(crate) fn metric(&mut self, format: Format, metric: Option<&Estimable<Metric>>) -> Markup {
        let html = match metric {
            Some(Estimable::Estimated(metric)) => {
                self.with_limits(format, metric.estimate, &metric.ci)
            }
            Some(Estimable::NotEstimable { not_estimable }) => self.dash(*not_estimable),
            None => self.dash(Reason::NothingReleased),
        };
        Markup::trusted(html)
    }

    /// A value with limits in brackets.
    pub(crate) fn with_limits(
        &mut self,
        format: Format,
        estimate: f64,
        ci: &Estimable<[f64; 2]>,
    ) -> String {
        match ci {
            Estimable::Estimated(ci) => {
                let value = format.value(estimate);
                format!("{value} <span class=\"ci\">({})</span>", format.bare_limits(*ci))
            }
            // A descriptive quantity has no limits to miss.
            Estimable::NotEstimable { not_estimable: Reason::NoSamplingError } => {
                format.value(estimate)
            }
            Estimable::NotEstimable { not_estimable } => {
                format!("{} ({})", format.value(estimate), self.dash(*not_estimable))
            }
        }
    }

    /// A number in some format, or a dash.
    pub(crate) fn number<T>(
        &mut self,
        number: &Estimable<T>,
        format: impl FnOnce(&T) -> String,
    ) -> Markup {
        Markup::trusted(match number {
            Estimable::Estimated(number) => format(number),
            Estimable::NotEstimable { not_estimable } => self.dash(*not_estimable),
        })
    }

    /// The footnotes.
    pub(crate) fn lines(&self) -> Vec<(String, String)> {
        self.0
            .iter()
            .enumerate()
            .map(|(index, reason)| {
                (letter(index), format!("Not estimable: {}.", reason.sentence()))
            })
            .collect()
    }
}

/// a, b, c, …; beyond z, numbers.
fn letter(index: usize) -> String {
    u8::try_from(index)
        .ok()
        .filter(|index| *index < 26)
        .map_or_else(|| index.to_string(), |index| char::from(b'a' + index).to_string())
}
