//! What the tests of templates share: the samples, the tables in memory, and whether anything was lost.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use arrow::record_batch::RecordBatch;
use korpus_tables::Table;
use serde_json::{Value, json};

use super::{assert_clean, convert_bodies, options, page, rows};

pub fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// The samples by name.
pub fn samples() -> Vec<(String, String)> {
    let mut samples: Vec<_> = std::fs::read_dir(testdata().join("templates"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json" || ext == "raw"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    samples.sort();
    assert!(samples.len() > 50);
    samples
}

pub fn in_first(text: &str) -> Vec<u8> {
    json!({"type": "outgoing", "components": [{"cT": "text", "data": {"text": text}}]})
        .to_string()
        .into_bytes()
}

pub fn in_second(text: &str) -> Vec<u8> {
    let first = json!({"cT": "image", "data": {"text": null}});
    json!({"type": "outgoing", "components": [first, {"cT": "text", "data": {"text": text}}]})
        .to_string()
        .into_bytes()
}

pub fn in_call(text: &str) -> Vec<u8> {
    json!({"type": "outgoing", "timestamp": "2025-09-01T12:17:38.824Z", "text": text})
        .to_string()
        .into_bytes()
}

/// Both texts are the same: one row has to do for them.
pub fn in_both(text: &str) -> Vec<u8> {
    json!({"type": "outgoing", "text": text, "components": [{"data": {"text": text}}]})
        .to_string()
        .into_bytes()
}

/// A table in memory, its rows by column name.
pub struct Rows {
    pub batch: RecordBatch,
}

impl Rows {
    pub fn open(out: &Path, table: Table) -> Self {
        Self { batch: rows(out, table) }
    }

    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    pub fn column(&self, name: &str) -> &dyn Array {
        self.batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"))
    }

    pub fn text(&self, name: &str, row: usize) -> Option<String> {
        let column = self.column(name);
        column.is_valid(row).then(|| column.as_string::<i32>().value(row).to_owned())
    }

    pub fn number(&self, name: &str, row: usize) -> Option<i64> {
        let column = self.column(name);
        column.is_valid(row).then(|| match column.as_primitive_opt::<Int32Type>() {
            Some(numbers) => i64::from(numbers.value(row)),
            None => column.as_primitive::<Int64Type>().value(row),
        })
    }

    pub fn list(&self, name: &str, row: usize) -> Option<Vec<Option<String>>> {
        let column = self.column(name);
        column.is_valid(row).then(|| {
            let list = column.as_list::<i32>().value(row);
            list.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect()
        })
    }

    /// The rows of a message.
    pub fn of(&self, seq: usize) -> Vec<usize> {
        (0..self.len()).filter(|&row| self.number("message_seq", row) == Some(seq as i64)).collect()
    }
}

/// The tables that hold what texts hide.
pub struct Tables {
    pub messages: Rows,
    pub components: Rows,
    pub templates: Rows,
    pub elements: Rows,
    pub actions: Rows,
}

impl Tables {
    pub fn open(out: &Path) -> Self {
        let open = |table| Rows::open(out, table);
        Self {
            messages: open(Table::Messages),
            components: open(Table::Components),
            templates: open(Table::Templates),
            elements: open(Table::Elements),
            actions: open(Table::Actions),
        }
    }

    /// All that is told of each text, by message and component: its columns of text and its rows in the three tables, but
    /// for its own writing and the ids.
    pub fn shown(&self) -> HashMap<(usize, usize), Vec<Value>> {
        let mut shown: HashMap<_, Vec<Value>> = HashMap::new();
        for row in 0..self.messages.len() {
            shown.entry((row, 0)).or_default().push(texts_of(&self.messages, row));
        }
        let place = |table: &Rows, row| {
            let number = |column: &str| table.number(column, row).unwrap() as usize;
            (number("message_seq"), number("component_index"))
        };
        for row in 0..self.components.len() {
            let texts = texts_of(&self.components, row);
            shown.entry(place(&self.components, row)).or_default().push(texts);
        }
        for table in [&self.templates, &self.elements, &self.actions] {
            for row in 0..table.len() {
                shown.entry(place(table, row)).or_default().push(row_of(table, row));
            }
        }
        shown
    }

    /// Whatever any column says of the payload of a message, as text, and what stands in `extra`.
    pub fn told(&self, seq: usize) -> (BTreeSet<String>, Vec<(String, Value)>) {
        let mut told = BTreeSet::new();
        let mut extra = Vec::new();
        for table in [&self.templates, &self.elements, &self.actions] {
            for row in table.of(seq) {
                for field in table.batch.schema().fields() {
                    let name = field.name().as_str();
                    match field.data_type() {
                        _ if name == "extra" || name == "message_id" => {}
                        DataType::Utf8 => told.extend(table.text(name, row)),
                        DataType::List(_) => {
                            told.extend(table.list(name, row).into_iter().flatten().flatten());
                        }
                        _ => told.extend(table.number(name, row).map(|number| number.to_string())),
                    }
                }
            }
        }
        for row in self.templates.of(seq) {
            let object = self.templates.text("extra", row);
            let object: Value = object.map_or(json!({}), |text| serde_json::from_str(&text).unwrap());
            extra.extend(object.as_object().unwrap().clone());
        }
        (told, extra)
    }
}

/// What a text is and shows.
fn texts_of(table: &Rows, row: usize) -> Value {
    let columns = ["text", "text_kind", "template_type", "template_type_norm"];
    columns.map(|column| table.text(column, row)).to_vec().into()
}

/// A row, but for the ids of its message and component.
fn row_of(table: &Rows, row: usize) -> Value {
    let mut cells = serde_json::Map::new();
    for field in table.batch.schema().fields() {
        let name = field.name().as_str();
        let cell = match field.data_type() {
            _ if ["message_seq", "message_id", "component_index"].contains(&name) => continue,
            // How it is written there is how it came.
            _ if name == "extra" => {
                table.text(name, row).map(|text| serde_json::from_str(&text).unwrap()).unwrap_or_default()
            }
            DataType::Utf8 => json!(table.text(name, row)),
            DataType::List(_) => json!(table.list(name, row)),
            _ => json!(table.number(name, row)),
        };
        cells.insert(name.to_owned(), cell);
    }
    cells.into()
}

pub fn converted(messages: &[Vec<u8>]) -> (tempfile::TempDir, Tables) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let report = convert_bodies(&[("page.json", page(messages))], &out, &options(2, 1000, false));
    assert_clean(&out, &report);
    let tables = Tables::open(&out);
    assert_eq!(tables.messages.len(), messages.len());
    (dir, tables)
}

/// Every scalar and empty container of a payload, seen through payloads that are strings of JSON.
fn leaves(value: &Value, out: &mut Vec<Value>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (key, value) in members {
                let inner = value.as_str().filter(|_| key == "payload" || key == "pay load");
                match inner.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
                    Some(inner @ Value::Object(_)) => {
                        // A payload of an action is a string whatever it holds.
                        let mut inside = Vec::new();
                        leaves(&inner, &mut inside);
                        out.push(json!([value, inside]));
                    }
                    _ => leaves(value, out),
                }
            }
        }
        Value::Array(list) if !list.is_empty() => list.iter().for_each(|value| leaves(value, out)),
        scalar => out.push(scalar.clone()),
    }
}

pub fn assert_all_told(tables: &Tables, seq: usize, value: &Value, name: &str) {
    let (told, extra) = tables.told(seq);
    let is_told = |leaf: &Value| {
        let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
        told.contains(&text) && !leaf.is_null() || extra.iter().any(|(_, value)| value == leaf)
    };
    // The object itself is a row, also where there is nothing in it.
    let mut all = Vec::new();
    if value.as_object().is_none_or(|members| !members.is_empty()) {
        leaves(value, &mut all);
    }
    for leaf in &all {
        let ok = match leaf {
            Value::Array(pair) if pair.len() == 2 => {
                is_told(&pair[0]) || pair[1].as_array().unwrap().iter().all(is_told)
            }
            leaf => is_told(leaf),
        };
        assert!(ok, "{name}: {leaf} is lost");
    }
    // And what is in `extra` stands at its place.
    for (pointer, found) in &extra {
        let mut at = value.clone();
        let mut rest = pointer.as_str();
        while let Some(token) = rest.strip_prefix('/') {
            let (token, after) = token.find('/').map_or((token, ""), |end| token.split_at(end));
            if let Some(inner) = at.as_str().map(|text| serde_json::from_str(text).unwrap()) {
                at = inner;
            }
            at = at.pointer(&format!("/{token}")).unwrap_or_else(|| panic!("{name}: no {pointer}")).clone();
            rest = after;
        }
        // A payload that is a string stands there as what it holds.
        let inner = at.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        assert!(at == *found || inner.as_ref() == Some(found), "{name} {pointer}: {at} is not {found}");
    }
}
