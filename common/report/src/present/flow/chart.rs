//! Boxes of a flow and the arrows between them.

use crate::present::picture::{Anchor, Drawing, Picture};

const WIDTH: f64 = 960.0;
pub(super) const BOX: [f64; 2] = [400.0, 54.0];
/// Left edges of the two columns of boxes.
const COLUMNS: [f64; 2] = [40.0, 520.0];
/// From the top of one box of the main line to the next, where nothing between them is high.
pub(super) const PITCH: f64 = 92.0;
/// From one line of text to the next.
const LINE: f64 = 17.0;

/// A flow under way: what is drawn, and the same in words.
pub(super) struct Chart {
    drawing: Drawing,
    words: String,
}

impl Chart {
    pub(super) const fn new(height: f64) -> Self {
        Self { drawing: Drawing::new(WIDTH, height), words: String::new() }
    }

    /// Whose flow it is, above the first box.
    pub(super) fn title(&mut self, text: &str) {
        self.drawing.text("panel-title", [COLUMNS[0], 16.0], Anchor::Start, text);
    }

    /// A box of the main line at `y`, with an arrow to the next one at `to`.
    pub(super) fn step(&mut self, [y, to]: [f64; 2], head: &str, text: &str) {
        self.last(y, head, text);
        let x = COLUMNS[0] + BOX[0] / 2.0;
        self.arrow([x, y + BOX[1]], [x, to]);
    }

    /// A box of the main line that nothing follows.
    pub(super) fn last(&mut self, y: f64, head: &str, text: &str) {
        self.put([COLUMNS[0], y], head, &[text.to_owned()]);
    }

    /// A box beside the main line: those that go no further.
    pub(super) fn aside(&mut self, y: f64, lines: &[String]) {
        let middle = y + height(lines.len()) / 2.0;
        self.arrow([COLUMNS[0] + BOX[0] / 2.0, middle], [COLUMNS[1], middle]);
        self.put([COLUMNS[1], y], "", lines);
    }

    /// Those with the condition and those without, side by side at `y`.
    pub(super) fn halves(&mut self, y: f64, condition: &str, texts: [String; 2]) {
        let [from, to] = COLUMNS.map(|left| left + BOX[0] / 2.0);
        let middle = y - (PITCH - BOX[1]) / 2.0;
        self.drawing.line("axis", [from, middle], [to, middle]);
        self.arrow([to, middle], [to, y]);
        let heads = ["With", "Without"].map(|word| format!("{word} {condition}"));
        for ((left, head), text) in COLUMNS.into_iter().zip(&heads).zip(texts) {
            self.put([left, y], head, &[text]);
        }
    }

    pub(super) fn finish(self, id: &str, title: &str) -> Picture {
        self.drawing.finish(id, title, &self.words)
    }

    fn put(&mut self, [x, y]: [f64; 2], head: &str, lines: &[String]) {
        let all: Vec<(&str, &str)> = std::iter::once(("head", head))
            .filter(|(_, head)| !head.is_empty())
            .chain(lines.iter().map(|line| ("number", line.as_str())))
            .collect();
        self.drawing.frame("box", [x, y], [BOX[0], height(all.len())]);
        let first = match all.len() {
            1 => 32.0,
            2 => 23.0,
            _ => 16.0,
        };
        let mut baseline = y + first;
        for (class, text) in all {
            self.drawing.text(class, [x + 12.0, baseline], Anchor::Start, text);
            baseline += LINE;
            self.words.push_str(text);
            self.words.push_str(". ");
        }
    }

    fn arrow(&mut self, from: [f64; 2], to: [f64; 2]) {
        self.drawing.line("axis", from, to);
        let [x, y] = to;
        let head = if from[1].total_cmp(&y).is_eq() {
            [[x, y], [x - 8.0, y - 4.0], [x - 8.0, y + 4.0]]
        } else {
            [[x, y], [x - 4.0, y - 8.0], [x + 4.0, y - 8.0]]
        };
        self.drawing.path("diamond", &head, true);
    }
}

/// How high a box with so many lines is: up to three fit the usual one.
pub(super) fn height(lines: usize) -> f64 {
    (3..lines).map(|_| LINE).sum::<f64>() + BOX[1]
}
