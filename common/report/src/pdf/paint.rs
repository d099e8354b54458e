//! From pages to bytes. Only this file and `face` know the library.

use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{Path, PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule, Stroke as Line, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, SpanTag, TagGroup, TagKind, TagTree,
};
use krilla::{Document, SerializeSettings};
use time::OffsetDateTime;

use super::PdfError;
use super::face::Faces;
use super::layout::{Layout, MARGIN, MUTED, Mark, Node, PAGE, Placed, Stroke, Type};
use crate::present::Colour;

const FOOTER: Type = Type::new(7.0);
/// A circle as four cubic curves: the length of their handles.
const HANDLE: f32 = 0.552_284_8;

/// A page with so many marks takes longer to compress than all that both processors have left at the end: a picture of a
/// thousand sites.
const MANY: usize = 2_000;

/// What the file says of itself.
pub(super) struct About {
    pub(super) title: String,
    /// Unique to this report, the same for the same report.
    pub(super) id: String,
    pub(super) created: OffsetDateTime,
    /// Stands at the foot of each page.
    pub(super) footer: String,
}

pub(super) fn paint(layout: Layout<'_>, about: &About) -> Result<Vec<u8>, PdfError> {
    let refused = |what: &dyn std::fmt::Debug| PdfError { what: format!("{what:?}") };
    let Layout { faces, pages, nodes, roots, headings, .. } = layout;
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .finish()
        .map_err(|error| refused(&error))?;
    let mut document =
        Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let mut leaves: Vec<Vec<Identifier>> = nodes.iter().map(|_| Vec::new()).collect();
    let count = pages.len();
    for (number, marks) in pages.iter().enumerate() {
        let [width, height] = PAGE;
        let settings = PageSettings::from_wh(width, height).ok_or_else(|| refused(&"page size"))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for run in marks.chunk_by(|one, next| one.node == next.node) {
            let leaf = surface.start_tagged(content(run, &nodes));
            for placed in run {
                draw(&mut surface, faces, &placed.mark);
            }
            surface.end_tagged();
            if let Some(leaves) = run[0].node.and_then(|node| leaves.get_mut(node)) {
                leaves.push(leaf);
            }
        }
        footer(&mut surface, faces, &format!("{}   {} / {count}", about.footer, number + 1));
        surface.finish();
        page.finish();
        if marks.len() > MANY {
            // Compressed now: of what waits, it would be taken up last, with nothing left for the other processor.
            rayon::yield_now();
        }
    }
    // Their many texts are let go of while the file is put together.
    rayon::spawn(move || drop(pages));
    let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
    for root in roots {
        tree.push(group(&nodes, &leaves, root));
    }
    document.set_tag_tree(tree);
    let mut outline = Outline::new();
    for heading in headings {
        let place = XyzDestination::new(heading.page, Point::from_xy(MARGIN, heading.y));
        outline.push_child(OutlineNode::new(heading.text, place));
    }
    document.set_outline(outline);
    document.set_metadata(metadata(about));
    document.finish().map_err(|error| refused(&error))
}

/// What a run of marks is to a reader who does not see it.
fn content<'a>(run: &[Placed], nodes: &[Node]) -> ContentTag<'a> {
    match run.first().and_then(|placed| nodes.get(placed.node?)) {
        Some(node) if matches!(node.kind, TagKind::Figure(_)) => ContentTag::Other,
        Some(_) => ContentTag::Span(SpanTag::empty()),
        None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
    }
}

fn footer(surface: &mut Surface<'_>, faces: &Faces, text: &str) {
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
    let at = [MARGIN, PAGE[1] - MARGIN / 2.0];
    let type_ = FOOTER.in_colour(MUTED);
    draw(surface, faces, &Mark::Text { at, type_, text: text.to_owned() });
    surface.end_tagged();
}

fn group(nodes: &[Node], leaves: &[Vec<Identifier>], at: usize) -> TagGroup {
    let mut group = TagGroup::new(nodes[at].kind.clone());
    leaves[at].iter().for_each(|leaf| group.push(*leaf));
    nodes[at].children.iter().for_each(|child| group.push(self::group(nodes, leaves, *child)));
    group
}

fn metadata(about: &About) -> Metadata {
    let at = about.created;
    let created = DateTime::new(u16::try_from(at.year()).unwrap_or(1970))
        .month(at.month().into())
        .day(at.day())
        .hour(at.hour())
        .minute(at.minute())
        .second(at.second())
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    Metadata::new()
        .title(about.title.clone())
        .language("en".to_owned())
        .creator("fedval".to_owned())
        .producer("fedval".to_owned())
        .document_id(about.id.clone())
        .creation_date(created)
}

fn draw(surface: &mut Surface<'_>, faces: &Faces, mark: &Mark) {
    match mark {
        Mark::Text { at: [x, y], type_, text } => {
            let face = faces.weight(type_.bold);
            look(surface, None, Some((type_.colour, 1.0)));
            let start = Point::from_xy(*x, *y);
            let glyphs = face.set(text);
            surface.draw_glyphs(start, &glyphs, face.font.clone(), text, type_.size, false);
        }
        Mark::Path { points, closed, stroke, fill } => {
            look(surface, *stroke, *fill);
            if let Some(path) = straight(points, *closed) {
                surface.draw_path(&path);
            }
        }
        Mark::Circle { centre, radius, stroke, fill } => {
            look(surface, *stroke, *fill);
            if let Some(path) = circle(*centre, *radius) {
                surface.draw_path(&path);
            }
        }
    }
}

fn look(surface: &mut Surface<'_>, stroke: Option<Stroke>, fill: Option<(Colour, f32)>) {
    surface.set_stroke(stroke.map(|stroke| Line {
        paint: colour(stroke.colour).into(),
        width: stroke.width,
        dash: stroke.dash.map(|array| StrokeDash { array: array.to_vec(), offset: 0.0 }),
        ..Line::default()
    }));
    surface.set_fill(fill.map(|(paint, share)| Fill {
        paint: colour(paint).into(),
        opacity: NormalizedF32::new(share).unwrap_or(NormalizedF32::ONE),
        rule: FillRule::default(),
    }));
}

fn colour([red, green, blue]: Colour) -> rgb::Color {
    rgb::Color::new(red, green, blue)
}

fn straight(points: &[[f32; 2]], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (index, [x, y]) in points.iter().enumerate() {
        if index == 0 {
            path.move_to(*x, *y);
        } else {
            path.line_to(*x, *y);
        }
    }
    if closed {
        path.close();
    }
    path.finish()
}

fn circle([x, y]: [f32; 2], radius: f32) -> Option<Path> {
    let (r, h) = (radius, radius * HANDLE);
    let mut path = PathBuilder::new();
    path.move_to(x + r, y);
    path.cubic_to(x + r, y + h, x + h, y + r, x, y + r);
    path.cubic_to(x - h, y + r, x - r, y + h, x - r, y);
    path.cubic_to(x - r, y - h, x - h, y - r, x, y - r);
    path.cubic_to(x + h, y - r, x + r, y - h, x + r, y);
    path.close();
    path.finish()
}
