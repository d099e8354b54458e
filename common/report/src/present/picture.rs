//! Pictures: marks and text at coordinates, for whatever shows them.

use std::fmt::{self, Write as _};

use askama::filters::HtmlSafe;

use super::markup::{Markup, escape};
use super::style::Style;

/// One mark. Its class says how it looks: a style sheet on the page, [`Style`] elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    /// A straight line.
    Line { class: String, from: [f64; 2], to: [f64; 2] },
    /// A rectangle, from its upper left corner.
    Rectangle { class: String, corner: [f64; 2], size: [f64; 2] },
    /// A circle.
    Circle { class: String, centre: [f64; 2], radius: f64 },
    /// A polygon where it is closed, a polyline where not.
    Path { class: String, points: Vec<[f64; 2]>, closed: bool },
    /// A line of text on its baseline.
    Text { class: String, at: [f64; 2], anchor: Anchor, text: String },
}

/// Where a text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
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

/// A drawing under way.
#[derive(Debug)]
pub(super) struct Drawing {
    size: [f64; 2],
    shapes: Vec<Shape>,
}

/// A finished picture, with a title and a description for readers who do not see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picture {
    /// Its name, unique in a report.
    pub(crate) id: String,
    /// What it shows.
    pub(crate) title: String,
    /// What it says, in words.
    pub(crate) description: String,
    /// Width and height.
    pub(crate) size: [f64; 2],
    /// Its marks, the last on top.
    pub(crate) shapes: Vec<Shape>,
}

impl Drawing {
    pub(super) const fn new(width: f64, height: f64) -> Self {
        Self { size: [width, height], shapes: Vec::new() }
    }

    pub(super) fn line(&mut self, class: &str, from: [f64; 2], to: [f64; 2]) {
        self.shapes.push(Shape::Line { class: class.to_owned(), from, to });
    }

    pub(super) fn square(&mut self, class: &str, [x, y]: [f64; 2], side: f64) {
        self.frame(class, [x - side / 2.0, y - side / 2.0], [side, side]);
    }

    pub(super) fn frame(&mut self, class: &str, corner: [f64; 2], size: [f64; 2]) {
        self.shapes.push(Shape::Rectangle { class: class.to_owned(), corner, size });
    }

    pub(super) fn circle(&mut self, class: &str, centre: [f64; 2], radius: f64) {
        self.shapes.push(Shape::Circle { class: class.to_owned(), centre, radius });
    }

    /// A polygon where it is closed, a polyline where not.
    pub(super) fn path(&mut self, class: &str, points: &[[f64; 2]], closed: bool) {
        self.shapes.push(Shape::Path { class: class.to_owned(), points: points.to_vec(), closed });
    }

    pub(super) fn text(&mut self, class: &str, at: [f64; 2], anchor: Anchor, text: &str) {
        let (class, text) = (class.to_owned(), text.to_owned());
        self.shapes.push(Shape::Text { class, at, anchor, text });
    }

    pub(super) fn finish(self, id: &str, title: &str, description: &str) -> Picture {
        Picture {
            id: id.to_owned(),
            title: title.to_owned(),
            description: description.to_owned(),
            size: self.size,
            shapes: self.shapes,
        }
    }

    /// The finished drawing as part of a table's row, whose numbers stand beside it.
    pub(super) fn finish_inline(self, title: &str) -> Markup {
        let [width, height] = self.size.map(coordinate);
        let title = escape(title);
        Markup::trusted(format!(
            "<svg class=\"dot\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\"><title>{title}</title>{}</svg>",
            marks(&self.shapes, false)
        ))
    }
}

impl Picture {
    /// The picture as a file of its own, which needs no style sheet.
    pub(crate) fn to_svg_file(&self) -> String {
        let Self { title, description, .. } = self;
        let [width, height] = self.size.map(coordinate);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"Liberation Sans, Arial, sans-serif\"><title>{}</title>\
             <desc>{}</desc><rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>{}</svg>\n",
            escape(title),
            escape(description),
            marks(&self.shapes, true)
        )
    }
}

impl fmt::Display for Picture {
    /// The picture inside a page, whose style sheet gives it its looks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, title, description, .. } = self;
        let [width, height] = self.size.map(coordinate);
        write!(
            f,
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title \
             {id}-desc\"><title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>{}</svg>",
            escape(title),
            escape(description),
            marks(&self.shapes, false)
        )
    }
}

impl HtmlSafe for Picture {}

/// The marks as SVG elements, with a class or with their style.
fn marks(shapes: &[Shape], styled: bool) -> String {
    shapes.iter().fold(String::new(), |mut svg, shape| {
        let look = |class: &str| {
            if styled { Style::of(class).attributes() } else { format!("class=\"{class}\"") }
        };
        let _ = match shape {
            Shape::Line { class, from, to } => {
                let [[x1, y1], [x2, y2]] = [from, to].map(|point| point.map(coordinate));
                let look = look(class);
                write!(svg, "<line {look} x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"/>")
            }
            Shape::Rectangle { class, corner, size } => {
                let [[x, y], [width, height]] = [corner, size].map(|pair| pair.map(coordinate));
                let look = look(class);
                write!(
                    svg,
                    "<rect {look} x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
                )
            }
            Shape::Circle { class, centre, radius } => {
                let ([x, y], r) = (centre.map(coordinate), coordinate(*radius));
                write!(svg, "<circle {} cx=\"{x}\" cy=\"{y}\" r=\"{r}\"/>", look(class))
            }
            Shape::Path { class, points, closed } => {
                write!(svg, "<path {} d=\"{}\"/>", look(class), path(points, *closed))
            }
            Shape::Text { class, at, anchor, text } => {
                let ([x, y], anchor, text) = (at.map(coordinate), anchor.as_str(), escape(text));
                let look = look(class);
                write!(
                    svg,
                    "<text {look} x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"
                )
            }
        };
        svg
    })
}

fn path(points: &[[f64; 2]], closed: bool) -> String {
    let mut path = String::new();
    for (index, point) in points.iter().enumerate() {
        let [x, y] = point.map(coordinate);
        let _ = write!(path, "{}{x} {y}", if index == 0 { 'M' } else { 'L' });
    }
    if closed {
        path.push('Z');
    }
    path
}

/// A coordinate with two decimals at most: finer steps cannot be seen.
fn coordinate(value: f64) -> String {
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}
