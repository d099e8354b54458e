//! HTML text that needs no further escaping.

use std::fmt;

use askama::filters::HtmlSafe;

/// Finished HTML. Text from outside enters through [`Markup::text`] alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Markup(String);

impl Markup {
    /// Text, escaped.
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self(escape(text.as_ref()))
    }

    /// The words, without the markup: `<br>` begins a new line, a drawing is left out.
    pub(crate) fn plain(&self) -> String {
        let mut plain = String::new();
        let mut rest = self.0.as_str();
        while let Some(begin) = rest.find('<') {
            plain.push_str(&rest[..begin]);
            let tag = &rest[begin..];
            let end = if tag.starts_with("<svg") { "</svg>" } else { ">" };
            if tag.starts_with("<br>") {
                plain.push('\n');
            }
            rest = tag.find(end).map_or("", |at| &tag[at + end.len()..]);
        }
        plain.push_str(rest);
        let entities =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        entities.iter().fold(plain, |text, (entity, letter)| text.replace(entity, letter))
    }

    /// Markup written in this crate, whose parts were escaped where they came from outside.
    pub(super) fn trusted(html: impl Into<String>) -> Self {
        Self(html.into())
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

/// Escapes the five characters that mean something in HTML text and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_from_markup() {
        for text in ["<b title='x'>&\"", "&lt; & &amp;", "a > b"] {
            assert_eq!(Markup::text(text).plain(), text);
        }
        let cell = Markup::trusted(
            "0.81 <span class=\"ci\">(0.7–0.9)</span><br>x<svg><title>t</title></svg>",
        );
        assert_eq!(cell.plain(), "0.81 (0.7–0.9)\nx");
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            Markup::text("<b title='x'>&\"").to_string(),
            "&lt;b title=&#39;x&#39;&gt;&amp;&quot;"
        );
    }
}
