//! A typeface: what is embedded, and what lines are measured with.

use std::collections::BTreeMap;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// Liberation Sans 2.1.5, SIL Open Font License 1.1 (fonts/LICENSE).
const REGULAR: &[u8] = include_bytes!("../../fonts/LiberationSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/LiberationSans-Bold.ttf");

/// What stands for a letter that the typeface lacks: PDF/A admits no letter without a glyph.
const STAND_IN: char = '?';

/// One weight of the typeface.
pub(super) struct Face {
    pub(super) font: Font,
    /// Glyph and advance, in em, of every letter.
    glyphs: BTreeMap<char, (u32, f32)>,
}

/// The weights that a report is set in.
pub(super) struct Faces {
    pub(super) regular: Face,
    pub(super) bold: Face,
}

impl Faces {
    /// The embedded typeface; `None` if it cannot be read, which a test rules out.
    pub(super) fn embedded() -> Option<Self> {
        Some(Self { regular: Face::new(REGULAR)?, bold: Face::new(BOLD)? })
    }

    pub(super) const fn weight(&self, bold: bool) -> &Face {
        if bold { &self.bold } else { &self.regular }
    }
}

impl Face {
    fn new(bytes: &'static [u8]) -> Option<Self> {
        let font = Font::new(bytes.into(), 0)?;
        let file = FontRef::new(bytes).ok()?;
        let metrics = file.glyph_metrics(Size::unscaled(), LocationRef::default());
        let glyphs = file
            .charmap()
            .mappings()
            .filter_map(|(letter, glyph)| {
                let advance = metrics.advance_width(glyph)? / font.units_per_em();
                Some((char::from_u32(letter)?, (glyph.to_u32(), advance)))
            })
            .collect();
        Some(Self { font, glyphs })
    }

    fn glyph(&self, letter: char) -> (u32, f32) {
        // Thousands are set apart by a narrow space, which few typefaces have.
        let letter = if letter == '\u{202f}' { '\u{a0}' } else { letter };
        let found = self.glyphs.get(&letter).or_else(|| self.glyphs.get(&STAND_IN));
        found.copied().unwrap_or((0, 0.0))
    }

    /// Width in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|letter| self.glyph(letter).1 * size).sum()
    }

    /// One glyph for each letter.
    pub(super) fn set(&self, text: &str) -> Vec<KrillaGlyph> {
        let set = |(at, letter): (usize, char)| {
            let (glyph, x_advance) = self.glyph(letter);
            KrillaGlyph {
                glyph_id: GlyphId::new(glyph),
                text_range: at..at + letter.len_utf8(),
                x_advance,
                x_offset: 0.0,
                y_offset: 0.0,
                y_advance: 0.0,
                location: None,
            }
        };
        text.char_indices().map(set).collect()
    }

    /// The lines of a text no wider than `width`. A word that is wider is broken.
    pub(super) fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        text.split('\n').flat_map(|line| self.wrapped(line, size, width)).collect()
    }

    fn wrapped(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        let mut used = 0.0;
        for word in text.split_inclusive(' ') {
            let (bare, whole) = (self.width(word.trim_end(), size), self.width(word, size));
            if used > 0.0 && used + bare > width {
                lines.push(String::new());
                used = 0.0;
            }
            if bare > width {
                used = self.broken(word, size, width, &mut lines);
                continue;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(word);
            }
            used += whole;
        }
        lines
    }

    /// Sets a word that fits no line, letter by letter; the width of its last part.
    fn broken(&self, word: &str, size: f32, width: f32, lines: &mut Vec<String>) -> f32 {
        let mut used = 0.0;
        for letter in word.chars() {
            let advance = self.glyph(letter).1 * size;
            if used + advance > width && used > 0.0 {
                lines.push(String::new());
                used = 0.0;
            }
            if let Some(line) = lines.last_mut() {
                line.push(letter);
            }
            used += advance;
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_lose_no_letter() {
        let faces = Faces::embedded().unwrap();
        let text = "Sites and participants. 3f2a9c4be81d77a0c5512f9e60aa41b7 of a protocol";
        let lines = faces.regular.lines(text, 9.0, 60.0);
        assert_eq!(lines.concat(), text);
        let fits = |line: &String| faces.regular.width(line.trim_end(), 9.0) <= 60.0;
        assert!(lines.len() > 4 && lines.iter().all(fits), "{lines:?}");
        assert_eq!(faces.regular.lines("a\nb", 9.0, 60.0), ["a", "b"]);
    }

    #[test]
    fn every_letter_has_a_glyph() {
        let face = Faces::embedded().unwrap().bold;
        for letter in "τ²≥≤−–—·×χ√→1\u{202f}000".chars() {
            assert!(letter == '\u{202f}' || face.glyphs.contains_key(&letter), "{letter}");
        }
        assert_eq!(face.glyph('\u{4e2d}'), face.glyph('?'));
    }
}
