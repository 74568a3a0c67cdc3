//! A text as a person saw it: what it says, then its elements, actions, form and verbs, as lines fit for a terminal.

mod gather;
mod grid;
#[cfg(test)]
mod tests;

use korpus_core::{ClassifiedText, FormData, Kind, Node, Template, TextKind};

use crate::show::{count, thousands, visible_short};
use gather::{Gathered, Part};

/// Lines that are drawn of one text: a hostile one has no end of them.
pub(super) const MOST_LINES: usize = 80;
/// Characters of what a text says.
pub(super) const LONGEST: usize = 1000;
/// Characters of one line.
const WIDTH: usize = 160;
/// Levels that are indented.
const DEEPEST: usize = 8;
/// Verbs of a voice command that are named.
const MOST_VERBS: usize = 12;

/// The lines of a text; plain ones stand as they are written, cut.
pub(super) fn draw(text: &ClassifiedText<'_>) -> Vec<String> {
    let mut sheet = Sheet::default();
    if let Some(template) = text.template() {
        sheet.template(template);
    } else {
        let tag = if text.kind() == TextKind::Ssml { "[ssml] " } else { "" };
        sheet.says(tag, text.visible().unwrap_or_default());
    }
    if let Some(error) = text.decode_error() {
        let reason = error.reason.as_str().replace('_', " ");
        let what =
            if text.kind() == TextKind::Malformed { "malformed" } else { "not all of it was taken apart" };
        sheet.push(1, &format!("! {what}: {reason}, at byte {} of the text", thousands(error.offset as u64)));
    }
    sheet.finish()
}

/// Lines, up to a bound.
#[derive(Default)]
struct Sheet {
    lines: Vec<String>,
    /// Lines that found no room.
    more: u64,
}

impl Sheet {
    fn push(&mut self, level: usize, line: &str) {
        if self.lines.len() < MOST_LINES {
            let indent = 2 * level.min(DEEPEST);
            self.lines.push(format!("{:indent$}{}", "", visible_short(line, WIDTH)));
        } else {
            self.more += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.more > 0 {
            self.lines.push(format!("… and {}", count(self.more, "more line", "more lines")));
        }
        self.lines
    }

    /// What the text says, line by line, after a tag.
    fn says(&mut self, tag: &str, text: &str) {
        let shown = match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{tag}{}…", &text[..end]),
            None => format!("{tag}{text}"),
        };
        for line in shown.trim_end().split('\n') {
            if self.lines.len() < MOST_LINES {
                // As it is: whoever prints it makes it safe.
                self.lines.push(line.trim_end_matches('\r').to_owned());
            } else {
                self.more += 1;
            }
        }
    }

    fn template(&mut self, template: Template<'_>) {
        let gathered = Gathered::of(template);
        let text = template.visible().unwrap_or_default();
        // Where nothing else is to be read, what a person saw are the titles of the elements: they follow.
        let text = if gathered.says_only_titles(text) { "" } else { text.trim() };
        self.says(&format!("[{}] ", tag(template)), text);
        if template.kind() == TextKind::Json && text.is_empty() && gathered.is_empty() {
            self.push(1, template.root().raw());
        }
        if template.kind() == TextKind::Message && gathered.is_empty() {
            self.addresses(template.content());
        }
        self.elements(template, &gathered);
        for press in gathered.presses.iter().filter(|press| press.element.is_none()) {
            self.push(1, &press.line());
        }
        let more = gathered.more_presses();
        if more > 0 {
            self.push(1, &format!("… and {}", count(more, "more action", "more actions")));
        }
        if let Some(form) = template.form() {
            self.push(1, &form_line(&form));
        }
    }

    /// The addresses of a picture, a document and the like.
    fn addresses(&mut self, content: Node<'_>) {
        let is_address = |key: &str| key.len() < 40 && key.to_ascii_lowercase().ends_with("url");
        for member in content.members().filter(|member| is_address(member.key())).take(4) {
            if let Some(address) = member.as_str() {
                self.push(1, &format!("{}: {address}", member.key()));
            }
        }
    }

    fn elements(&mut self, template: Template<'_>, gathered: &Gathered) {
        let mut rows: Vec<&Part> = Vec::new();
        for (index, part) in gathered.parts.iter().enumerate() {
            if part.cells.is_some() && part.small_table.is_none() && part.parent.is_none() {
                rows.push(part);
                continue;
            }
            self.table(template, &mut rows);
            if part.parent.is_none() {
                self.part(gathered, index, 1);
            }
        }
        self.table(template, &mut rows);
        // Buttons in the cells of a table stand below it, with the number of their row.
        let is_row = |part: &Part| part.cells.is_some() && part.parent.is_none();
        for press in &gathered.presses {
            let Some(element) = press.element else { continue };
            if gathered.parts.get(element).is_some_and(is_row) {
                let row = gathered.parts[..=element].iter().filter(|part| is_row(part)).count();
                self.push(1, &format!("row {row}: {}", press.line()));
            }
        }
        let more = gathered.more_parts();
        if more > 0 {
            self.push(1, &format!("… and {}", count(more, "more element", "more elements")));
        }
    }

    /// The rows that were gathered so far, as one table.
    fn table(&mut self, template: Template<'_>, rows: &mut Vec<&Part>) {
        if rows.is_empty() {
            return;
        }
        let titled = rows.iter().any(|row| row.title.is_some());
        let cells = rows.drain(..).map(|row| {
            let title = titled.then(|| row.title.clone().unwrap_or_default());
            title.into_iter().chain(row.cells.iter().flatten().cloned()).collect()
        });
        let cells: Vec<Vec<String>> = cells.collect();
        for line in grid::lines(&grid::headings(template.content(), titled), &cells) {
            self.push(1, &line);
        }
    }

    /// An element with what is inside it.
    fn part(&mut self, gathered: &Gathered, index: usize, level: usize) {
        let part = &gathered.parts[index];
        if let Some(table) = &part.small_table {
            for line in grid::lines(&table[0], &table[1..]) {
                self.push(level, &line);
            }
        } else {
            let own = gathered.presses.iter().filter(|press| press.element == Some(index));
            let mut line = format!("• {}", part.line());
            for press in own.clone().filter(|press| press.is_of_the_whole()) {
                line.push(' ');
                line.push_str(&press.line());
            }
            self.push(level, line.trim_end());
            for press in own.filter(|press| !press.is_of_the_whole()) {
                self.push(level + 1, &press.line());
            }
            if let Some(cells) = &part.cells {
                self.push(level + 1, &cells.join(" | "));
            }
        }
        for (child, _) in
            gathered.parts.iter().enumerate().skip(index + 1).filter(|(_, part)| part.parent == Some(index))
        {
            self.part(gathered, child, level + 1);
        }
    }
}

/// What kind of thing it is.
fn tag(template: Template<'_>) -> String {
    let name = |kind: &str, name: Option<&str>| match name.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => format!("{kind}: {}", visible_short(name, 40)),
        None => kind.to_owned(),
    };
    match template.kind() {
        TextKind::Template => name("template", template.template_type().or(Some("unknown"))),
        TextKind::Message => name("message", template.envelope_type()),
        TextKind::VoiceCommand => {
            let mut verbs: Vec<&str> = template.voice_verbs().take(MOST_VERBS + 1).collect();
            if verbs.len() > MOST_VERBS {
                verbs[MOST_VERBS] = "…";
            }
            format!("voice: {}", visible_short(&verbs.join(", "), 100))
        }
        TextKind::WrappedText => "wrapped text".to_owned(),
        kind => kind.as_str().to_owned(),
    }
}

/// What is known of a form, but for its link, which opens it for everybody.
fn form_line(form: &FormData<'_>) -> String {
    let mut line = "form".to_owned();
    let mut put = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            line.push_str(if line.len() == 4 { ": " } else { ", " });
            line.push_str(what);
            line.push_str(&value);
        }
    };
    let text = |value: Option<&str>| value.map(|value| visible_short(value, 40));
    put("", text(form.display_name));
    put("name ", text(form.name));
    put("id ", text(form.form_id));
    put("shown as ", text(form.render_type));
    put("link expires after ", form.link_expiry.map(|number| number.to_string()));
    put("to be submitted within ", form.submit_expiry.map(|number| number.to_string()));
    line
}

/// A scalar as text.
fn scalar(node: Node<'_>) -> Option<&str> {
    match node.kind() {
        Kind::PlainString | Kind::EscapedString => node.as_str(),
        Kind::Number | Kind::True | Kind::False => Some(node.raw()),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}
