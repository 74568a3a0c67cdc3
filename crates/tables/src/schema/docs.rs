//! The tables as Markdown, from their declaration.

use std::fmt::Write as _;

use super::form::{FormBit, MessageForm, RecordForm, null_bits};
use super::{SCHEMA_VERSION, Table};

const INTRODUCTION: &str = "\
One dataset directory, one folder a table, Parquet files inside. Every table is always there, with zero rows if need be.
Any Parquet reader gets at it with a glob: `SELECT … FROM 'out/messages/*.parquet'`.

Timestamps are microseconds, UTC, of the years 1 to 9999. Ids are text as the API gives them. Enums are text: dictionary encoded in the file, plain
`utf8` in the schema. Rows stand in the order of the inputs, then in the order of the body.
`message_seq` joins a message to the rows of its child tables, `record_seq` a session record to its tags.
";

const RULES: &str = "\
## Round trip or extra

A column takes a value only where the value can be had back from it exactly. `korpus restore` goes by one rule: **a key that
stands in a row's `extra` is the truth for that key, with all its values in order; else the columns are.** `extra` is a JSON object
of raw slices and may hold a key more than once, as the message did: the last one wins. So where a value has another type than its
column, or a form that the column cannot give back (an unusual date or number, a lone surrogate), it stands raw in `extra` and the
column is null or the best that could be made of it.

- `component_extra`, `component_data`, and the `extra` of a channel, thumbnail or tag follow the same rule for their object.
- `author`, `latency` and `tags` that hold anything besides what their columns and rows take stand whole in `extra`; so do `channels` and
  `components` that are no lists of objects. Columns and rows are then filled as far as possible.
- A list column that is null was absent (or `null`: see `form`), one that is empty was `[]`. `component_count` says so for components.
- The text as it came is `raw_text`, or `text` where that is null. A text that was no string is in `component_data` (in `extra` for the
  message's own), and is classified and shown as the JSON that it was.
- `templates`, `elements` and `actions` are derived: nothing is restored from them. See [TEMPLATES.md](TEMPLATES.md).
- A component has `data` where `text`, `raw_text` or `component_data` is not null.
- `tag_value_json` is the tag's value where it is not null, else `tag_value` is.
- The record of an agent AI conversation is restored without its `messages`: each of them is a message of its own. Where `messages` is
  no list of objects, or stands there twice, it is in `extra` as well.
- Numbers come back with the same exact decimal value, keys perhaps in another order.

";

const UNION: &str = "\
## All components

The first component of a message stands in `messages`, so that most questions need no join. This view has them all:

```sql
SELECT message_seq, 0 AS component_index, component_id, component_type, text, raw_text, text_kind, template_type,
       template_type_norm, component_data, thumbnails, component_extra
FROM 'out/messages/*.parquet' WHERE component_count > 0
UNION ALL
SELECT message_seq, component_index, component_id, component_type, text, raw_text, text_kind, template_type,
       template_type_norm, component_data, thumbnails, component_extra
FROM 'out/components/*.parquet'
```
";

/// The docs of all tables, as Markdown. `docs/TABLES.md` is exactly this.
pub fn markdown() -> String {
    let mut out = format!("# Tables (schema version {SCHEMA_VERSION})\n\n");
    out.push_str(
        "<!-- Written by `korpus schema --format markdown`: change the declaration, not this file. -->\n\n",
    );
    out.push_str(INTRODUCTION);
    out.push('\n');
    for table in Table::ALL {
        out.push_str(&table_markdown(table));
        out.push('\n');
    }
    out.push_str(RULES);
    out.push_str("## The bits of `messages.form`\n\n");
    bits(&mut out, MessageForm::BITS);
    for (bit, key) in null_bits() {
        let _ = writeln!(out, "| {bit} | `{key}` is null |");
    }
    out.push_str("\n## The bits of `conversations.form` and `platform_sessions.form`\n\n");
    bits(&mut out, RecordForm::BITS);
    out.push('\n');
    out.push_str(UNION);
    out
}

fn bits(out: &mut String, bits: &[FormBit]) {
    out.push_str("| bit | says that |\n|---|---|\n");
    for bit in bits {
        let _ = writeln!(out, "| {} | {} |", bit.bit, bit.meaning);
    }
}

/// The docs of one table, as Markdown.
pub fn table_markdown(table: Table) -> String {
    let mut out = format!("## {table}\n\n{}\n\n", table.meaning());
    out.push_str("| column | type | from | meaning |\n|---|---|---|---|\n");
    for column in table.columns() {
        let required = if column.nullable { "" } else { " not null" };
        let source = if column.source.is_empty() { String::new() } else { format!("`{}`", column.source) };
        let _ = writeln!(
            out,
            "| {} | {}{required} | {source} | {} |",
            column.name,
            column.kind.type_name(),
            column.meaning
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_docs_are_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/TABLES.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        if std::env::var_os("KORPUS_BLESS").is_some() {
            std::fs::write(path, markdown()).unwrap();
        } else {
            assert!(committed == markdown(), "run the test with KORPUS_BLESS=1 to write docs/TABLES.md anew");
        }
    }
}
