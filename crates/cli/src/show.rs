//! What is fit for a terminal: numbers, aligned tables, and texts that cannot command it.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anstyle::Style;

/// Headings.
pub(crate) const STRONG: Style = Style::new().bold();
/// What matters less.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// A number with separators: `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A size as people say it: `1.2 MB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// The text with every character replaced that a terminal would obey, or that would change the order of what is read:
/// control characters become their pictures, the rest `<U+202E>`.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        push_visible(character, &mut out);
    }
    out
}

/// As [`visible`], cut to `most` characters.
pub(crate) fn visible_short(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (at, character) in text.chars().enumerate() {
        if at + 1 >= most && text.chars().nth(most).is_some() {
            out.push('…');
            break;
        }
        push_visible(character, &mut out);
    }
    out
}

fn push_visible(character: char, out: &mut String) {
    let code = u32::from(character);
    match code {
        // The block of control pictures has the order of the control characters.
        0..0x20 => out.push(char::from_u32(0x2400 + code).unwrap_or('\u{fffd}')),
        0x7f => out.push('\u{2421}'),
        _ if is_unseen(code) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "<U+{code:04X}>");
        }
        _ => out.push(character),
    }
}

/// C0, delete and C1; marks, embeddings, overrides and isolates of direction; separators; what is not seen at all. The
/// joiners that emoji and scripts need are none of these.
fn is_unseen(code: u32) -> bool {
    matches!(
        code,
        0..0x20
            | 0x7f..0xa0
            | 0xad
            | 0x61c
            | 0x180e
            | 0x200b
            | 0x200e
            | 0x200f
            | 0x2028..=0x202e
            | 0x2060..=0x206f
            | 0xfeff
            | 0xfff9..=0xfffb
            | 0xe0000..=0xe001f
    )
}

/// How a column of a table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows that are printed in aligned columns.
pub(crate) struct Grid {
    aligns: Vec<Align>,
    rows: Vec<Vec<String>>,
    header: bool,
}

impl Grid {
    /// A table with a heading; a heading that ends in `>` stands over numbers.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let aligns = headings.iter().map(|h| if h.ends_with('>') { Align::Right } else { Align::Left });
        let row = headings.iter().map(|heading| heading.trim_end_matches('>').to_owned()).collect();
        Self { aligns: aligns.collect(), rows: vec![row], header: true }
    }

    /// A table without a heading.
    pub(crate) fn plain(aligns: &[Align]) -> Self {
        Self { aligns: aligns.to_vec(), rows: Vec::new(), header: false }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Appends the table to `out`, each line indented.
    pub(crate) fn print(&self, out: &mut String) {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.aligns.len()).map(width).collect();
        for (index, row) in self.rows.iter().enumerate() {
            let mut line = String::from("  ");
            for ((cell, align), width) in row.iter().zip(&self.aligns).zip(&widths) {
                let _ = match align {
                    Align::Left => write!(line, "{cell:<width$}  "),
                    Align::Right => write!(line, "{cell:>width$}  "),
                };
            }
            let line = line.trim_end();
            if index == 0 && self.header {
                let _ = writeln!(out, "{FAINT}{line}{FAINT:#}");
            } else {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
}

/// Appends a heading to `out`.
pub(crate) fn heading(out: &mut String, text: &str) {
    let _ = writeln!(out, "\n{STRONG}{text}{STRONG:#}");
}

/// Prints to standard output; a reader that has gone is no failure.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    let outcome = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Prints JSON to standard output, indented; what [`visible`] would replace is escaped.
pub(crate) fn print_json(value: &serde_json::Value) -> io::Result<()> {
    print(&escaped(&format!("{value:#}\n")))
}

/// JSON with every character escaped that a terminal would obey. Such ones stand inside strings only; the control
/// characters that JSON itself forbids there are escaped already.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if u32::from(character) >= 0x7f && is_unseen(u32::from(character)) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        let all = [0, 999, 1000, 1_234_567].map(thousands);
        assert_eq!(all, ["0", "999", "1,000", "1,234,567"]);
        let all = [0, 999, 1000, 999_949, 999_950, 1_500_000_000].map(size);
        assert_eq!(all, ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "1.5 GB"]);
    }

    #[test]
    fn nothing_that_a_terminal_obeys_gets_through() {
        assert_eq!(visible("a\u{1b}[31mb\u{7f}\0\n"), "a␛[31mb␡␀␊");
        assert_eq!(visible("\u{9b}31m \u{202e}x\u{2066}"), "<U+009B>31m <U+202E>x<U+2066>");
        assert_eq!(visible("grüß 👩‍🔧 日本"), "grüß 👩‍🔧 日本");
        for character in (0..0x11_0000).filter_map(char::from_u32) {
            let shown = visible(&character.to_string());
            assert!(!shown.chars().any(char::is_control), "U+{:04X}", u32::from(character));
        }
    }

    #[test]
    fn json_stays_json_without_what_a_terminal_obeys() {
        let value = serde_json::json!({"a": "x\u{1b}[31m\u{9b}\u{202e}\u{7f}\u{e0001}ü"});
        let text = escaped(&format!("{value:#}"));
        assert!(text.chars().all(|c| c == '\n' || !is_unseen(u32::from(c))), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn texts_are_cut() {
        assert_eq!(visible_short("abcdef", 6), "abcdef");
        assert_eq!(visible_short("abcdefg", 6), "abcde…");
        assert_eq!(visible_short("", 3), "");
    }

    #[test]
    fn columns_are_aligned() {
        let mut grid = Grid::new(&["name", "rows>"]);
        grid.row(["a".to_owned(), "1".to_owned()]);
        grid.row(["long".to_owned(), "1,000".to_owned()]);
        let mut out = String::new();
        grid.print(&mut out);
        let plain = anstream::adapter::strip_str(&out).to_string();
        assert_eq!(plain, "  name   rows\n  a         1\n  long  1,000\n");
    }
}
