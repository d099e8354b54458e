//! Figures on paper: the same marks as on the page.

use krilla::tagging::Tag;

use super::layout::{Layout, MARGIN, MEASURE, Mark, Stroke, Type};
use crate::present::{Anchor, Figure, Shape, Style};

const CAPTION: Type = Type::new(8.2).muted();

impl Layout<'_> {
    pub(super) fn figure(&mut self, figure: &Figure) {
        let picture = &figure.picture;
        let [width, height] = picture.size.map(points);
        let scale = (MEASURE / width).min((Self::tallest() - 110.0) / height);
        self.make_room(height * scale + 44.0);
        self.space(4.0);
        let alternative = format!("{}. {}", picture.title, picture.description);
        let node = self.node(None, Tag::Figure(Some(alternative)));
        let origin = [MARGIN, self.y];
        for shape in &picture.shapes {
            let mark = self.mark(shape, origin, scale);
            if let (Shape::Text { class, .. }, Mark::Text { at, type_, text }) = (shape, &mark)
                && over_lines(class)
            {
                let ground = self.ground(*at, *type_, text);
                self.put(ground, Some(node));
            }
            self.put(mark, Some(node));
        }
        self.space(height * scale + 4.0);
        self.paragraph(&figure.caption.plain(), CAPTION);
        self.space(6.0);
    }

    /// Paper under a text, so that no line runs through it.
    fn ground(&self, [x, y]: [f32; 2], type_: Type, text: &str) -> Mark {
        let width = self.faces.weight(type_.bold).width(text, type_.size);
        let (left, right) = (x - 1.5, x + width + 1.5);
        let (top, bottom) = (y - 0.8 * type_.size, y + 0.25 * type_.size);
        let points = vec![[left, top], [right, top], [right, bottom], [left, bottom]];
        Mark::Path { points, closed: true, stroke: None, fill: Some(([255; 3], 1.0)) }
    }

    fn mark(&self, shape: &Shape, [left, top]: [f32; 2], scale: f32) -> Mark {
        let at = |point: &[f64; 2]| {
            let [x, y] = point.map(points);
            [left + x * scale, top + y * scale]
        };
        match shape {
            Shape::Line { class, from, to } => path(class, vec![at(from), at(to)], false, scale),
            Shape::Rectangle { class, corner: [x, y], size: [width, height] } => {
                let corners =
                    [[*x, *y], [x + width, *y], [x + width, y + height], [*x, y + height]];
                path(class, corners.iter().map(at).collect(), true, scale)
            }
            Shape::Path { class, points, closed } => {
                path(class, points.iter().map(at).collect(), *closed, scale)
            }
            Shape::Circle { class, centre, radius } => {
                let (stroke, fill) = looks(class, scale);
                Mark::Circle { centre: at(centre), radius: points(*radius) * scale, stroke, fill }
            }
            Shape::Text { class, at: place, anchor, text } => {
                let style = Style::of(class);
                let colour = style.fill.map_or(super::layout::INK, |(colour, _)| colour);
                let type_ = Type { size: points(style.size) * scale, bold: style.bold, colour };
                let width = self.faces.weight(type_.bold).width(text, type_.size);
                let [x, y] = at(place);
                let x = match anchor {
                    Anchor::Start => x,
                    Anchor::Middle => x - width / 2.0,
                    Anchor::End => x - width,
                };
                Mark::Text { at: [x, y], type_, text: text.clone() }
            }
        }
    }
}

/// Whether texts of a class stand among lines, from which the page's style sheet sets them apart.
fn over_lines(class: &str) -> bool {
    class == "muted" || class == "limit-label"
}

fn path(class: &str, points: Vec<[f32; 2]>, closed: bool, scale: f32) -> Mark {
    let (stroke, fill) = looks(class, scale);
    Mark::Path { points, closed, stroke, fill: fill.filter(|_| closed) }
}

fn looks(class: &str, scale: f32) -> (Option<Stroke>, Option<(crate::present::Colour, f32)>) {
    let style = Style::of(class);
    let stroke = style.stroke.map(|(colour, width)| Stroke {
        colour,
        width: points(width) * scale,
        dash: style.dash.map(|lengths| lengths.map(|length| points(length) * scale)),
    });
    (stroke, style.fill.map(|(colour, share)| (colour, points(share))))
}

/// A PDF counts in single precision.
#[expect(clippy::cast_possible_truncation, reason = "a thousandth of a point cannot be seen")]
const fn points(length: f64) -> f32 {
    length as f32
}
