//! Texts from conversations, cut to a length and freed of what could play tricks on the page.

/// What a text may take of the page, in bytes as the page writes them.
const TEXT: usize = 420;
const NAME: usize = 160;
const STEP: usize = 60;

/// A text that is fit for the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shortened(pub String);

impl Shortened {
    /// What people or bots said.
    pub(super) fn said(text: &str) -> Self {
        Self(cut(text, TEXT))
    }

    /// The name of something.
    pub(super) fn name(text: &str) -> Self {
        Self(cut(text, NAME))
    }

    /// One name of many in a row.
    pub(super) fn step(text: &str) -> Self {
        Self(cut(text, STEP))
    }
}

/// The longest beginning of `text` that fits, with an ellipsis where that is not all.
fn cut(text: &str, room: usize) -> String {
    let mut out = String::with_capacity(text.len().min(room));
    let mut left = room;
    for c in text.chars() {
        let c = if plays_tricks(c) { '\u{FFFD}' } else { c };
        let cost = match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
            '"' | '\\' | '\n' | '\t' => 2,
            c => c.len_utf8(),
        };
        if cost > left {
            out.push('…');
            break;
        }
        left -= cost;
        out.push(c);
    }
    out
}

/// Control characters, and those that change the direction of the text after them: names of files and buttons could be made
/// to read backwards. Marks and joiners of real scripts stay.
fn plays_tricks(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{FFFC}' | '\u{E0000}'..='\u{E007F}')
        || (c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_what_they_cost_on_the_page() {
        assert_eq!(cut("short", 10), "short");
        assert_eq!(cut("exactly10!", 10), "exactly10!");
        assert_eq!(cut("<<<", 13), "<<…");
        assert_eq!(cut("日本語", 6), "日本…");
    }

    #[test]
    fn direction_and_control_characters_become_visible() {
        assert_eq!(cut("a\u{202E}b\u{0}c\u{7}\u{85}", 40), "a\u{FFFD}b\u{FFFD}c\u{FFFD}\u{FFFD}");
        assert_eq!(cut("שלום \u{200F}! 👩\u{200D}💻\nnext", 60), "שלום \u{200F}! 👩\u{200D}💻\nnext");
    }
}
