//! Pages under way: what stands where, and what it is to a reader who does not see it.

use std::num::NonZeroU16;

use krilla::tagging::{Tag, TagKind};

use super::face::Faces;
use crate::present::Colour;

/// A4, in points.
pub(super) const PAGE: [f32; 2] = [595.28, 841.89];
pub(super) const MARGIN: f32 = 46.0;
/// Width of the text.
pub(super) const MEASURE: f32 = PAGE[0] - 2.0 * MARGIN;
const BOTTOM: f32 = PAGE[1] - MARGIN;
/// What a section's heading takes.
const HEADING: f32 = 46.0;

pub(super) const INK: Colour = [0x1a, 0x1f, 0x26];
pub(super) const MUTED: Colour = [0x4f, 0x59, 0x64];
pub(super) const RULE: Colour = [0xc4, 0xcb, 0xd3];

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub(super) size: f32,
    pub(super) bold: bool,
    pub(super) colour: Colour,
}

impl Type {
    pub(super) const fn new(size: f32) -> Self {
        Self { size, bold: false, colour: INK }
    }

    pub(super) const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    pub(super) const fn muted(mut self) -> Self {
        self.colour = MUTED;
        self
    }

    pub(super) const fn in_colour(mut self, colour: Colour) -> Self {
        self.colour = colour;
        self
    }

    /// From baseline to baseline.
    pub(super) const fn leading(self) -> f32 {
        self.size * 1.35
    }
}

/// What is drawn, in points from the upper left corner of its page.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    Text {
        at: [f32; 2],
        type_: Type,
        text: String,
    },
    Path {
        points: Vec<[f32; 2]>,
        closed: bool,
        stroke: Option<Stroke>,
        fill: Option<(Colour, f32)>,
    },
    Circle {
        centre: [f32; 2],
        radius: f32,
        stroke: Option<Stroke>,
        fill: Option<(Colour, f32)>,
    },
}

/// A line's looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stroke {
    pub(super) colour: Colour,
    pub(super) width: f32,
    pub(super) dash: Option<[f32; 2]>,
}

/// A mark with the node of the structure that it belongs to; without one it is decoration.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) mark: Mark,
    pub(super) node: Option<usize>,
}

/// A node of the document's structure.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: TagKind,
    pub(super) children: Vec<usize>,
}

/// A heading, for the outline.
#[derive(Debug)]
pub(super) struct Heading {
    pub(super) text: String,
    pub(super) page: usize,
    pub(super) y: f32,
}

/// The pages so far.
pub(super) struct Layout<'f> {
    pub(super) faces: &'f Faces,
    pub(super) pages: Vec<Vec<Placed>>,
    pub(super) y: f32,
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<usize>,
    pub(super) headings: Vec<Heading>,
    /// A section's heading, set when what follows it has found its page.
    pending: Option<String>,
}

impl<'f> Layout<'f> {
    pub(super) fn new(faces: &'f Faces) -> Self {
        Self {
            faces,
            pages: vec![Vec::new()],
            y: MARGIN,
            nodes: Vec::new(),
            roots: Vec::new(),
            headings: Vec::new(),
            pending: None,
        }
    }

    /// A new node under `parent`, or at the top.
    pub(super) fn node(&mut self, parent: Option<usize>, kind: impl Into<TagKind>) -> usize {
        self.nodes.push(Node { kind: kind.into(), children: Vec::new() });
        let node = self.nodes.len() - 1;
        match parent {
            Some(parent) => self.nodes[parent].children.push(node),
            None => self.roots.push(node),
        }
        node
    }

    pub(super) fn put(&mut self, mark: Mark, node: Option<usize>) {
        if let Some(page) = self.pages.last_mut() {
            page.push(Placed { mark, node });
        }
    }

    /// Turns the page unless so much more fits, with the heading that waits for it; whether it did.
    pub(super) fn make_room(&mut self, height: f32) -> bool {
        let Some(heading) = self.pending.take() else { return self.turn_unless(height) };
        let turned = self.turn_unless(height + HEADING);
        self.set_heading(&heading);
        turned
    }

    fn turn_unless(&mut self, height: f32) -> bool {
        let turns = self.y + height > BOTTOM && self.y > MARGIN;
        if turns {
            self.turn();
        }
        turns
    }

    /// Turns the page, unless nothing stands on it yet.
    pub(super) fn turn(&mut self) {
        if self.y > MARGIN {
            self.pages.push(Vec::new());
            self.y = MARGIN;
        }
    }

    /// The largest height that a page holds.
    pub(super) const fn tallest() -> f32 {
        BOTTOM - MARGIN
    }

    pub(super) fn space(&mut self, height: f32) {
        self.y += height;
    }

    pub(super) fn title(&mut self, text: &str) {
        self.head(1, text, Type::new(19.0).bold());
    }

    /// The heading of a section, with a rule above. It stands on the page of what follows.
    pub(super) fn heading(&mut self, text: &str) {
        self.pending = Some(text.to_owned());
    }

    fn set_heading(&mut self, text: &str) {
        if self.y > MARGIN {
            self.space(14.0);
        }
        let (left, right) = ([MARGIN, self.y], [PAGE[0] - MARGIN, self.y]);
        self.rule(left, right, INK, 1.2);
        self.space(5.0);
        self.head(2, text, Type::new(13.0).bold());
        self.space(3.0);
    }

    pub(super) fn subheading(&mut self, text: &str) {
        // With the beginning of a table below it.
        self.make_room(100.0);
        self.space(5.0);
        self.head(3, text, Type::new(10.0).bold());
    }

    fn head(&mut self, level: u16, text: &str, type_: Type) {
        self.headings.extend((level < 3).then(|| Heading {
            text: text.to_owned(),
            page: self.pages.len() - 1,
            y: self.y,
        }));
        let level = NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN);
        let node = self.node(None, Tag::Hn(level, Some(text.to_owned())));
        self.lines(text, type_, [MARGIN, MEASURE], Some(node));
        self.space(2.0);
    }

    pub(super) fn paragraph(&mut self, text: &str, type_: Type) {
        self.make_room(type_.leading());
        let node = self.node(None, Tag::P);
        self.lines(text, type_, [MARGIN, MEASURE], Some(node));
        self.space(4.0);
    }

    /// Paragraphs with a dash before each.
    pub(super) fn list<'t>(&mut self, texts: impl IntoIterator<Item = &'t str>, type_: Type) {
        for text in texts {
            self.make_room(type_.leading());
            let node = self.node(None, Tag::P);
            let dash =
                Mark::Text { at: [MARGIN, self.y + type_.size], type_, text: "– ".to_owned() };
            self.put(dash, Some(node));
            self.lines(text, type_, [MARGIN + 10.0, MEASURE - 10.0], Some(node));
            self.space(2.0);
        }
    }

    /// Lines from the left edge, `[left, width]`.
    pub(super) fn lines(
        &mut self,
        text: &str,
        type_: Type,
        [left, width]: [f32; 2],
        node: Option<usize>,
    ) {
        for text in self.faces.weight(type_.bold).lines(text, type_.size, width) {
            self.make_room(type_.leading());
            let at = [left, self.y + type_.size];
            self.put(Mark::Text { at, type_, text }, node);
            self.y += type_.leading();
        }
    }

    pub(super) fn rule(&mut self, from: [f32; 2], to: [f32; 2], colour: Colour, width: f32) {
        let stroke = Some(Stroke { colour, width, dash: None });
        let points = vec![from, to];
        self.put(Mark::Path { points, closed: false, stroke, fill: None }, None);
    }
}
