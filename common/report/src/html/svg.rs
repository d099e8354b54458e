//! Drawing by hand: coordinates, marks and text of an SVG figure.

use std::fmt::Write as _;

use super::markup::{Markup, escape};

/// A drawing under way.
#[derive(Debug)]
pub(super) struct Drawing {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text is anchored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

impl Drawing {
    pub(super) const fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(super) fn line(&mut self, class: &str, [x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) {
        let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(coordinate);
        self.push(format_args!(
            "<line class=\"{class}\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>"
        ));
    }

    pub(super) fn square(&mut self, class: &str, [x, y]: [f64; 2], side: f64) {
        let [left, top, side] = [x - side / 2.0, y - side / 2.0, side].map(coordinate);
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{side}\" height=\"{side}\"/>"
        ));
    }

    pub(super) fn frame(&mut self, class: &str, [left, top]: [f64; 2], [width, height]: [f64; 2]) {
        let [left, top, width, height] = [left, top, width, height].map(coordinate);
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{width}\" \
             height=\"{height}\"/>"
        ));
    }

    pub(super) fn circle(&mut self, class: &str, [x, y]: [f64; 2], radius: f64) {
        let [x, y, radius] = [x, y, radius].map(coordinate);
        self.push(format_args!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>"));
    }

    /// A polygon where it is closed, a polyline where not.
    pub(super) fn path(&mut self, class: &str, points: &[[f64; 2]], closed: bool) {
        let mut path = String::new();
        for (index, point) in points.iter().enumerate() {
            let [x, y] = point.map(coordinate);
            let _ = write!(path, "{}{x} {y}", if index == 0 { 'M' } else { 'L' });
        }
        if closed {
            path.push('Z');
        }
        self.push(format_args!("<path class=\"{class}\" d=\"{path}\"/>"));
    }

    pub(super) fn text(&mut self, class: &str, [x, y]: [f64; 2], anchor: Anchor, text: &str) {
        let ([x, y], anchor, text) = ([x, y].map(coordinate), anchor.as_str(), escape(text));
        self.push(format_args!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// The finished drawing, with a title and a description for readers who do not see it.
    pub(super) fn finish(self, id: &str, title: &str, description: &str) -> Markup {
        let [width, height] = [self.width, self.height].map(coordinate);
        let (title, description) = (escape(title), escape(description));
        Markup::trusted(format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\"><title id=\"{id}-title\">{title}</title>\
             <desc id=\"{id}-desc\">{description}</desc>{}</svg>",
            self.body
        ))
    }

    /// The finished drawing as part of a table's row, whose numbers stand beside it.
    pub(super) fn finish_inline(self, title: &str) -> Markup {
        let [width, height] = [self.width, self.height].map(coordinate);
        let title = escape(title);
        Markup::trusted(format!(
            "<svg class=\"dot\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\"><title>{title}</title>{}</svg>",
            self.body
        ))
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
    }
}

/// A coordinate with two decimals at most: finer steps cannot be seen.
fn coordinate(value: f64) -> String {
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}
