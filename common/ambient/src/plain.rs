//! Text from elsewhere, safe to show.
//!
//! A title that moves the cursor, recolours a terminal, or turns the reading direction around can make a
//! person see another text than the one that is signed.

use std::borrow::Cow;

/// Whether a character is seen as itself: no control character, none that changes the direction of reading,
/// none that breaks lines or takes no room.
#[must_use]
pub fn is_plain(character: char) -> bool {
    let is_control = character.is_control();
    let turns_around = matches!(
        character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    let is_unseen = matches!(
        character,
        '\u{00ad}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}'
    );
    !(is_control || turns_around || is_unseen)
}

/// A text for a terminal: lines and tabs stay, whatever else is not plain is written out.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    let stays = |character: char| is_plain(character) || matches!(character, '\n' | '\t');
    if text.chars().all(stays) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if stays(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_of_any_language_is_left_alone() {
        for text in ["Thorax, p.-a.", "Lungenentzündung\n\tja", "肺炎", "الرئة", "τ² = 0.1 – ≥"]
        {
            assert!(matches!(plain(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn a48_what_would_change_a_terminal_is_written_out() {
        assert_eq!(plain("\u{1b}[2J\u{1b}[31mmet"), "\\u{1b}[2J\\u{1b}[31mmet");
        assert_eq!(plain("99\u{202e}10"), "99\\u{202e}10");
        assert_eq!(plain("a\rb\u{9b}c\u{200b}"), "a\\u{d}b\\u{9b}c\\u{200b}");
    }
}
