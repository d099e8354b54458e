//! Tables on paper: columns as wide as they need, heads repeated on each page.

use krilla::tagging::{TableHeaderScope, Tag};

use super::layout::{INK, Layout, MARGIN, MEASURE, Mark, RULE, Type};
use crate::present::{Markup, Row, Table};

const CELL: Type = Type::new(7.4);
const NOTE: Type = Type::new(7.0).muted();
const CAPTION: Type = Type::new(8.4);
/// Between two columns.
const GUTTER: f32 = 9.0;
const PADDING: f32 = 2.2;
/// No column claims more of the width than this before others had their share.
const WIDEST: f32 = 190.0;

/// A table as text, without columns that only draw.
struct Cells {
    /// Whether each column is set flush right.
    right: Vec<bool>,
    head: Vec<String>,
    rows: Vec<Line>,
}

struct Line {
    cells: Vec<String>,
    bold: bool,
    muted: bool,
    /// The heading of a group, over all columns.
    group: bool,
}

impl Cells {
    fn of(table: &Table) -> Self {
        let kept: Vec<usize> = (0..table.columns.len())
            .filter(|index| table.columns[*index].class != "plot")
            .collect();
        let line = |row: &Row| {
            let all: Vec<String> =
                std::iter::once(&row.head).chain(&row.cells).map(Markup::plain).collect();
            let group = row.cells.is_empty();
            let cells = if group {
                all
            } else {
                kept.iter().map(|index| all.get(*index).cloned().unwrap_or_default()).collect()
            };
            let class = row.class;
            Line { cells, group, bold: group || class == "pooled", muted: class == "muted" }
        };
        Self {
            right: kept.iter().map(|index| table.columns[*index].class == "number").collect(),
            head: kept.iter().map(|index| table.columns[*index].label.plain()).collect(),
            rows: table.rows.iter().map(line).collect(),
        }
    }
}

impl Layout<'_> {
    pub(super) fn table(&mut self, table: &Table) {
        let cells = Cells::of(table);
        let widths = self.widths(&cells);
        self.make_room(70.0);
        let whole = self.node(None, Tag::Table);
        let caption = self.node(Some(whole), Tag::Caption);
        self.lines(&table.caption.plain(), CAPTION, [MARGIN, MEASURE], Some(caption));
        self.space(2.0);
        let thead = self.node(Some(whole), Tag::THead);
        let row = self.node(Some(thead), Tag::TR);
        self.head_row(&cells, &widths, Some(row));
        let tbody = self.node(Some(whole), Tag::TBody);
        for line in &cells.rows {
            if self.make_room(self.height(line, &widths)) {
                self.head_row(&cells, &widths, None);
            }
            let row = self.node(Some(tbody), Tag::TR);
            self.row(line, &cells.right, &widths, row);
        }
        self.rule([MARGIN, self.y], [MARGIN + total(&widths), self.y], INK, 0.6);
        self.space(3.0);
        for (mark, text) in &table.notes {
            let note = self.node(None, Tag::P);
            self.lines(&format!("{mark}  {text}"), NOTE, [MARGIN, MEASURE], Some(note));
        }
        self.space(8.0);
    }

    fn type_of(line: &Line) -> Type {
        let type_ = if line.bold { CELL.bold() } else { CELL };
        if line.muted { type_.muted() } else { type_ }
    }

    fn cell_lines(&self, text: &str, type_: Type, width: f32) -> Vec<String> {
        self.faces.weight(type_.bold).lines(text, type_.size, width)
    }

    #[expect(clippy::cast_precision_loss, reason = "a cell has few lines")]
    fn height(&self, line: &Line, widths: &[f32]) -> f32 {
        let type_ = Self::type_of(line);
        let lines = |(cell, width): (&String, &f32)| self.cell_lines(cell, type_, *width).len();
        let most = if line.group {
            self.cell_lines(&line.cells[0], type_, total(widths)).len()
        } else {
            line.cells.iter().zip(widths).map(lines).max().unwrap_or(1)
        };
        most as f32 * type_.leading() + 2.0 * PADDING
    }

    /// The head, tagged where it first stands and decoration where it is repeated.
    fn head_row(&mut self, cells: &Cells, widths: &[f32], row: Option<usize>) {
        let line = Line { cells: cells.head.clone(), bold: true, muted: false, group: false };
        self.rule([MARGIN, self.y], [MARGIN + total(widths), self.y], INK, 0.9);
        let height = self.height(&line, widths);
        let mut left = MARGIN;
        for ((text, width), right) in line.cells.iter().zip(widths).zip(&cells.right) {
            let node = row.map(|row| self.node(Some(row), Tag::TH(TableHeaderScope::Column)));
            self.cell(text, CELL.bold(), ([left, *width], *right), node);
            left += width + GUTTER;
        }
        self.space(height);
        self.rule([MARGIN, self.y], [MARGIN + total(widths), self.y], INK, 0.6);
    }

    fn row(&mut self, line: &Line, right: &[bool], widths: &[f32], row: usize) {
        let (type_, height) = (Self::type_of(line), self.height(line, widths));
        if line.group {
            let node = self.node(Some(row), Tag::TH(TableHeaderScope::Row));
            self.cell(&line.cells[0], type_, ([MARGIN, total(widths)], false), Some(node));
        } else {
            let mut left = MARGIN;
            for (index, ((text, width), right)) in
                line.cells.iter().zip(widths).zip(right).enumerate()
            {
                let node = if index == 0 {
                    self.node(Some(row), Tag::TH(TableHeaderScope::Row))
                } else {
                    self.node(Some(row), Tag::TD)
                };
                self.cell(text, type_, ([left, *width], *right), Some(node));
                left += width + GUTTER;
            }
        }
        self.space(height);
        self.rule([MARGIN, self.y], [MARGIN + total(widths), self.y], RULE, 0.35);
    }

    fn cell(
        &mut self,
        text: &str,
        type_: Type,
        ([left, width], right): ([f32; 2], bool),
        node: Option<usize>,
    ) {
        let mut y = self.y + PADDING + type_.size;
        for text in self.cell_lines(text, type_, width) {
            let used = self.faces.weight(type_.bold).width(text.trim_end(), type_.size);
            let x = if right { left + width - used } else { left };
            self.put(Mark::Text { at: [x, y], type_, text }, node);
            y += type_.leading();
        }
    }

    /// Each column as wide as its content, or as its longest word where all together are too wide.
    fn widths(&self, cells: &Cells) -> Vec<f32> {
        let lines = || cells.rows.iter().filter(|line| !line.group);
        let measured = |column: usize, of: &dyn Fn(&str, Type) -> f32| {
            let head = of(&cells.head[column], CELL.bold());
            lines().map(|line| of(&line.cells[column], Self::type_of(line))).fold(head, f32::max)
        };
        let width = |text: &str, type_: Type| self.faces.weight(type_.bold).width(text, type_.size);
        // A hair wider, so that no sum of advances is wider than the column by its last digit.
        let whole = |text: &str, type_: Type| {
            text.split('\n').map(|line| width(line, type_) + 0.2).fold(0.0, f32::max)
        };
        let word = |text: &str, type_: Type| {
            text.split(char::is_whitespace).map(|word| width(word, type_)).fold(0.0, f32::max)
        };
        let columns = 0..cells.head.len();
        let natural: Vec<f32> = columns.clone().map(|column| measured(column, &whole)).collect();
        let least: Vec<f32> = columns.map(|column| measured(column, &word).min(WIDEST)).collect();
        #[expect(clippy::cast_precision_loss, reason = "a table has few columns")]
        let room = MEASURE - GUTTER * natural.len().saturating_sub(1) as f32;
        shared(&natural, &least, room)
    }
}

/// The width of all columns with the gutters between them.
#[expect(clippy::cast_precision_loss, reason = "a table has few columns")]
fn total(widths: &[f32]) -> f32 {
    widths.iter().sum::<f32>() + GUTTER * widths.len().saturating_sub(1) as f32
}

/// What each column gets of `room`.
fn shared(natural: &[f32], least: &[f32], room: f32) -> Vec<f32> {
    let (wanted, needed): (f32, f32) = (natural.iter().sum(), least.iter().sum());
    if wanted <= room {
        return natural.to_vec();
    }
    if needed >= room {
        return least.iter().map(|least| least * room / needed).collect();
    }
    // What is left over goes to each in proportion to what it still lacks.
    let share = (room - needed) / (wanted - needed);
    natural.iter().zip(least).map(|(natural, least)| least + (natural - least) * share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_the_room() {
        assert_eq!(shared(&[10.0, 20.0], &[5.0, 5.0], 100.0), [10.0, 20.0]);
        let tight = shared(&[100.0, 300.0], &[50.0, 50.0], 200.0);
        assert!((tight.iter().sum::<f32>() - 200.0).abs() < 1e-3 && tight[1] > tight[0]);
        let cramped = shared(&[100.0, 300.0], &[150.0, 150.0], 200.0);
        assert!((cramped.iter().sum::<f32>() - 200.0).abs() < 1e-3);
    }
}
