//! How marks look where no style sheet reaches: on paper, and in a picture of its own.

use std::fmt::Write as _;

/// A colour: red, green, blue.
pub(crate) type Colour = [u8; 3];

const INK: Colour = [0x1a, 0x1f, 0x26];
const MUTED: Colour = [0x4f, 0x59, 0x64];
const RULE: Colour = [0xd3, 0xd9, 0xe0];
const MARK: Colour = [0x1d, 0x5b, 0x94];
const POOL: Colour = [0x0d, 0x22, 0x38];
const PREDICT: Colour = [0x8f, 0xa9, 0xc4];
const LIMIT: Colour = [0x7a, 0x2e, 0xa0];

/// The looks of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Style {
    /// Colour inside, and how much of it: 0 to 1.
    pub(crate) fill: Option<(Colour, f64)>,
    /// Colour and width of the line.
    pub(crate) stroke: Option<(Colour, f64)>,
    /// Lengths of dash and gap.
    pub(crate) dash: Option<[f64; 2]>,
    /// Size of text.
    pub(crate) size: f64,
    /// Whether text is bold.
    pub(crate) bold: bool,
}

impl Style {
    const fn text(colour: Colour, size: f64, bold: bool) -> Self {
        Self { fill: Some((colour, 1.0)), stroke: None, dash: None, size, bold }
    }

    const fn filled(colour: Colour, share: f64) -> Self {
        Self { fill: Some((colour, share)), stroke: None, dash: None, size: 13.0, bold: false }
    }

    const fn stroked(colour: Colour, width: f64) -> Self {
        Self { fill: None, stroke: Some((colour, width)), dash: None, size: 13.0, bold: false }
    }

    const fn dashed(mut self, dash: f64, gap: f64) -> Self {
        self.dash = Some([dash, gap]);
        self
    }

    /// The style of a class, or of the last of several.
    pub(crate) fn of(class: &str) -> Self {
        match class.rsplit(' ').next().unwrap_or(class) {
            "head" | "strong" | "pooled-label" | "panel-title" => Self::text(INK, 13.0, true),
            "tick" | "axis-label" => Self::text(MUTED, 12.0, false),
            "muted" => Self::text(MUTED, 13.0, false),
            "limit-label" => Self::text(LIMIT, 12.0, true),
            "axis" | "frame" => Self::stroked(INK, 1.0),
            "rule" => Self::stroked(RULE, 1.0),
            "grid" => Self::stroked(RULE, 0.6),
            "panel" => Self::stroked(MUTED, 1.0),
            "reference" => Self::stroked(MUTED, 1.2).dashed(1.5, 3.0),
            "limit" => Self::stroked(LIMIT, 1.4).dashed(6.0, 4.0),
            "whisker" => Self::stroked(MARK, 1.6),
            "curve" => Self::stroked(MARK, 2.2),
            "treat-all" => Self::stroked(MUTED, 1.8).dashed(7.0, 4.0),
            "region" => Self::stroked(POOL, 1.3).dashed(5.0, 4.0),
            "site-mark" => Self::stroked(MARK, 1.4),
            "funnel" => Self::stroked(MUTED, 1.2).dashed(5.0, 4.0),
            "prediction" => Self::stroked(PREDICT, 7.0),
            "prediction-arrow" => Self::filled(PREDICT, 1.0),
            "arrow" | "square" => Self::filled(MARK, 1.0),
            "diamond" => Self::filled(POOL, 1.0),
            "band" => Self::filled(MARK, 0.17),
            "box" => Self { fill: Some(([0xf4, 0xf6, 0xf9], 1.0)), ..Self::stroked(MUTED, 1.0) },
            _ => Self::text(INK, 13.0, false),
        }
    }

    /// The style as attributes of an SVG element.
    pub(super) fn attributes(&self) -> String {
        let mut attributes = String::new();
        let _ = match self.fill {
            Some((colour, share)) if share < 1.0 => {
                write!(attributes, "fill=\"{}\" fill-opacity=\"{share}\"", hex(colour))
            }
            Some((colour, _)) => write!(attributes, "fill=\"{}\"", hex(colour)),
            None => write!(attributes, "fill=\"none\""),
        };
        if let Some((colour, width)) = self.stroke {
            let _ = write!(attributes, " stroke=\"{}\" stroke-width=\"{width}\"", hex(colour));
        } else {
            let _ = write!(attributes, " font-size=\"{}\"", self.size);
        }
        if let Some([dash, gap]) = self.dash {
            let _ = write!(attributes, " stroke-dasharray=\"{dash} {gap}\"");
        }
        if self.bold {
            attributes.push_str(" font-weight=\"600\"");
        }
        attributes
    }
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_its_looks_and_an_unknown_one_is_plain_text() {
        assert_eq!(Style::of("number strong"), Style::of("strong"));
        assert_eq!(Style::of("number").attributes(), "fill=\"#1a1f26\" font-size=\"13\"");
        let limit = Style::of("limit").attributes();
        assert!(limit.contains("stroke-dasharray=\"6 4\"") && limit.contains("fill=\"none\""));
    }
}
