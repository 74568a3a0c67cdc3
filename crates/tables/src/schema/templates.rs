//! What is known about templates as Markdown, from the core's declaration of it.

use std::fmt::Write as _;

use korpus_core::{ActionKind, KEY_GROUPS, TEMPLATE_TYPES, TextKind};

const INTRODUCTION: &str = "\
The text of a component is what somebody typed or what the bot said, or JSON that a chat client draws. Every text is classified
(`text_kind`); one that begins like a JSON object is taken apart, with HTML entities, a payload that is itself a string of JSON, and the
known misspellings read as what they mean. Of payloads in payloads the first that names its `template_type` is read, without one the outermost in which there
is anything to see. Of a text that is no JSON all entities of HTML are decoded that end with a semicolon. A byte order mark before a text counts as white space. `messages.text` is what a person saw, `messages.raw_text` the text as it came where that
differs. Each text that is not plain, empty or ssml has a row in `templates`, and rows in `elements` and `actions` for what it shows.

A text that shows nothing (a picture, a pause) has a null `text`. Malformed text is kept as it came, with `decode_error` and its offset.
";

const TYPES: &str = "\
## Types

The set is open: all types, known or not, are taken apart by one rule. Every object in an array under a key such as `elements`, `cards`,
`listItems`, `items`, `rowItems`, `options`, `tasks` or `collection` is an element. Every object under a key such as `buttons`,
`quick_replies`, `default_action`, `radioOptions`, `postback` or one that ends in `Buttons` that has a title or something to send is an action, and
so is any object with a title and a target whose type is `postback`, `url` or `web_url`. The names below are compared without case,
spaces, underscores and a `template` at the end: `template_type_norm`.

What is *read* goes into columns, where it is text; what is only *known* is documented and stays in `templates.extra`. `korpus check` reports
any other key of these types, of messages, voice commands and wrapped texts, whether or not the rule above reads it; of a type that is not listed it reports the
type, and the keys with values that no column gives back exactly. It counts messages: a key that stands many times in one counts once. Paths go from the payload on: `[]` is each value of a list, `*` any key, `**` whatever is below, `@action`
each key of the group of that name. Where a payload has more than one of `text`, `text_message`, `title` and `heading`, the first is read, and of
types that ask for a date or a time `text_message`. Without any of them, the text is that of the envelope around it, the pieces of an answer
(`snippet_content`), or the titles of the elements.

";

const GROUPS: &str = "\
## Keys in groups

| group | stands for | read into columns | only known |
|---|---|---|---|
";

const BUDGETS: &str = "\
## What is not lost

Every value of a payload that no column of `templates`, `elements` and `actions` gives back exactly stands in `templates.extra`, by its
JSON pointer. A key that stands repeatedly in an object stands so in `extra` too, each time under the same pointer; the last one counts. Where the pointers would take many times the
room of the text, no more are written: the whole object follows under the key `\"\"`, which then is the last.

Of a payload that is nested too deep or holds too many values, the parts that were not taken apart stand there whole, and `decode_error` says so (`too_deep`,
`too_large`). A part that nests deeper than 100 levels stands there as a string of its JSON, and so does a text with half a surrogate pair: readers of JSON fail on them, and on all rows. Lists and objects whose own pointer is longer than 512 bytes (an index counts as 1) are not taken apart either (`too_deep`). `decode_error_offset` says where the first such part
begins in the text as it came, however often it is encoded there; where a payload is malformed too, it is that which is told. A payload that begins like JSON and is none stays a string, and is shown as
it stands where nothing else is; `decode_error` and `decode_error_offset` tell why and where, and `text_kind` is what the envelope says. Where the paths of
its elements and actions would take many times the room of the text, `parent_path` is empty from there on, `decode_error` is `too_large` and its offset 0.
";

/// The docs of templates, as Markdown. `docs/TEMPLATES.md` is exactly this.
pub fn templates_markdown() -> String {
    let mut out = "# Templates\n\n<!-- Written by a test of korpus-tables: change the declaration, not this file. -->\n\n".to_owned();
    out.push_str(INTRODUCTION);
    out.push_str(
        "\n## Kinds of text, in the order in which they are tried\n\n| text_kind | what it is |\n|---|---|\n",
    );
    for kind in TextKind::ALL {
        let _ = writeln!(out, "| {kind} | {} |", kind.meaning());
    }
    out.push('\n');
    out.push_str(TYPES);
    out.push_str(
        "| family | template_type | what a person sees | read into columns | only known |\n|---|---|---|---|---|\n",
    );
    for known in TEMPLATE_TYPES {
        let [read, rest] = [known.read, known.known].map(paths);
        let _ =
            writeln!(out, "| {} | `{}` | {} | {read} | {rest} |", known.family, known.name, known.meaning);
    }
    out.push('\n');
    out.push_str(GROUPS);
    for group in KEY_GROUPS {
        let [read, rest] = [group.read, group.known].map(paths);
        let _ = writeln!(out, "| {} | {} | {read} | {rest} |", group.name, group.meaning);
    }
    out.push_str("\n`action_kind` is one of ");
    let kinds: Vec<_> = ActionKind::ALL.iter().map(|kind| format!("`{}`", kind.as_str())).collect();
    out.push_str(&kinds.join(", "));
    out.push_str(", by the key that the action stands under.\n\n");
    out.push_str(BUDGETS);
    out
}

fn paths(paths: &[&str]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
    paths.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_docs_are_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/TEMPLATES.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        if std::env::var_os("KORPUS_BLESS").is_some() {
            std::fs::write(path, templates_markdown()).unwrap();
        } else {
            assert!(
                committed == templates_markdown(),
                "run the test with KORPUS_BLESS=1 to write docs/TEMPLATES.md anew"
            );
        }
    }
}
