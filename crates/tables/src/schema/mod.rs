//! The one declaration of every table: columns, types, sources and meanings. Builders, docs and restore go by it.

mod books;
mod children;
mod declare;
mod docs;
mod form;
mod messages;
mod records;
mod templates;

use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

pub(crate) use books::{PageColumn, RejectColumn, SupersededColumn, VolumeColumn};
pub(crate) use children::{ActionColumn, ComponentColumn, ElementColumn, TagColumn, TemplateColumn};
pub use docs::{markdown, table_markdown};
pub(crate) use form::null_bit;
pub use form::{FormBit, MessageForm, RecordForm};
pub(crate) use messages::MessageColumn;
pub(crate) use records::{ConversationColumn, SessionColumn};
pub use templates::templates_markdown;

/// The version of the tables: it rises when a column changes its name, type or meaning.
pub const SCHEMA_VERSION: u32 = 2;

/// A table of a dataset. Its folder has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// One row a message.
    Messages,
    /// One row a component, from the second on.
    Components,
    /// One row a text that hides a template or other structure.
    Templates,
    /// One row an element of a template.
    Elements,
    /// One row an action of a template.
    Actions,
    /// One row a tag.
    Tags,
    /// One row an agent AI conversation record.
    Conversations,
    /// One row a session record of the platform.
    PlatformSessions,
    /// One row a body: the ledger.
    Pages,
    /// One row a span that could not be kept.
    Rejects,
    /// One row a copy that lost against a better one of the same message.
    Superseded,
    /// Messages counted by day, hour, bot, channel, language, type and status.
    Volumes,
}

impl Table {
    /// All of them, in the order of the docs.
    pub const ALL: [Self; 12] = [
        Self::Messages,
        Self::Components,
        Self::Templates,
        Self::Elements,
        Self::Actions,
        Self::Tags,
        Self::Conversations,
        Self::PlatformSessions,
        Self::Pages,
        Self::Rejects,
        Self::Superseded,
        Self::Volumes,
    ];

    /// Its name, which is also that of its folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Components => "components",
            Self::Templates => "templates",
            Self::Elements => "elements",
            Self::Actions => "actions",
            Self::Tags => "tags",
            Self::Conversations => "conversations",
            Self::PlatformSessions => "platform_sessions",
            Self::Pages => "pages",
            Self::Rejects => "rejects",
            Self::Superseded => "superseded",
            Self::Volumes => "volumes",
        }
    }

    /// The table of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    /// What a row is, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Messages => "One row a message, with its first component.",
            Self::Components => {
                "The second and later components of a message (rare), with the same columns as the first has in `messages`."
            }
            Self::Templates => {
                "One row a text that is not plain, empty or ssml. Derived: the payload itself is the `raw_text` of its component, or the `text` where that is null; one that nobody encoded as a text is in `component_data`, or in the `extra` of a message without components."
            }
            Self::Elements => {
                "One row a card, list item, table row, option or chart point of a template, in the order of the payload."
            }
            Self::Actions => {
                "One row a button, quick reply, default action or option of a template, in the order of the payload."
            }
            Self::Tags => "One row a tag of a message or of a session record.",
            Self::Conversations => {
                "One row an agent AI conversation record; its messages stand in `messages`."
            }
            Self::PlatformSessions => {
                "One row a session record of `getSessions`: the platform's own account."
            }
            Self::Pages => {
                "The ledger: one row a body (a file of one message a line is one body). In every row, for messages and for \
                 records: seen = kept + filtered + rejected + duplicate + superseded."
            }
            Self::Rejects => "One row a contiguous span of a body that could not be kept.",
            Self::Superseded => {
                "One row a copy of a message or record that differs from the one that was kept in its place."
            }
            Self::Volumes => "How many messages were kept, by everything a volume report asks for.",
        }
    }

    /// Its columns, in order.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Messages => MessageColumn::COLUMNS,
            Self::Components => ComponentColumn::COLUMNS,
            Self::Templates => TemplateColumn::COLUMNS,
            Self::Elements => ElementColumn::COLUMNS,
            Self::Actions => ActionColumn::COLUMNS,
            Self::Tags => TagColumn::COLUMNS,
            Self::Conversations => ConversationColumn::COLUMNS,
            Self::PlatformSessions => SessionColumn::COLUMNS,
            Self::Pages => PageColumn::COLUMNS,
            Self::Rejects => RejectColumn::COLUMNS,
            Self::Superseded => SupersededColumn::COLUMNS,
            Self::Volumes => VolumeColumn::COLUMNS,
        }
    }

    /// Its Arrow schema.
    pub fn arrow_schema(self) -> SchemaRef {
        static SCHEMAS: OnceLock<Vec<SchemaRef>> = OnceLock::new();
        let schemas = SCHEMAS.get_or_init(|| {
            Self::ALL
                .iter()
                .map(|table| {
                    Arc::new(Schema::new(table.columns().iter().map(Column::arrow_field).collect::<Fields>()))
                })
                .collect()
        });
        schemas[self as usize].clone()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it may be null.
    pub nullable: bool,
    /// The key of the API it comes from; empty where it is korpus's own.
    pub source: &'static str,
    /// What it means, in one line.
    pub meaning: &'static str,
}

/// What a column holds, and with it how it is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Text that rarely repeats: written plainly, without statistics.
    Text,
    /// Text that repeats: dictionary encoded in the file, plain `utf8` in the schema.
    Name,
    /// JSON text: one object, or one value.
    Json,
    /// A 64-bit integer.
    Int64,
    /// A 32-bit integer.
    Int32,
    /// A double.
    Float64,
    /// True or false.
    Bool,
    /// Microseconds since 1970, UTC.
    Timestamp,
    /// Days since 1970.
    Date,
    /// Bytes.
    Binary,
    /// A list of texts.
    Texts,
    /// The entries of `channels`.
    Channels,
    /// The entries of `thumbnails`.
    Thumbnails,
}

/// The parts of an entry of `channels`, each text.
pub(crate) const CHANNEL_PARTS: &[(&str, ColumnKind)] =
    &[("channel_type", ColumnKind::Name), ("channel_uid", ColumnKind::Text), ("extra", ColumnKind::Json)];

/// The parts of an entry of `thumbnails`.
pub(crate) const THUMBNAIL_PARTS: &[(&str, ColumnKind)] = &[
    ("thumbnail_id", ColumnKind::Text),
    ("width", ColumnKind::Int64),
    ("height", ColumnKind::Int64),
    ("size", ColumnKind::Int64),
    ("url", ColumnKind::Text),
    ("extra", ColumnKind::Json),
];

impl ColumnKind {
    /// The parts of the struct that the column is a list of.
    pub(crate) fn parts(self) -> Option<&'static [(&'static str, Self)]> {
        match self {
            Self::Channels => Some(CHANNEL_PARTS),
            Self::Thumbnails => Some(THUMBNAIL_PARTS),
            _ => None,
        }
    }

    /// How many Parquet columns it takes.
    pub(crate) fn leaves(self) -> usize {
        self.parts().map_or(1, <[_]>::len)
    }

    /// The Arrow type.
    pub fn arrow_type(self) -> DataType {
        match self {
            Self::Text | Self::Name | Self::Json => DataType::Utf8,
            Self::Int64 => DataType::Int64,
            Self::Int32 => DataType::Int32,
            Self::Float64 => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::Date => DataType::Date32,
            Self::Binary => DataType::Binary,
            Self::Texts => DataType::List(Arc::new(Field::new(ELEMENT, DataType::Utf8, true))),
            Self::Channels => list_of_structs(CHANNEL_PARTS),
            Self::Thumbnails => list_of_structs(THUMBNAIL_PARTS),
        }
    }

    /// The type as the docs name it.
    pub fn type_name(self) -> String {
        match self {
            Self::Text | Self::Name => "utf8".to_owned(),
            Self::Json => "utf8 (JSON)".to_owned(),
            Self::Int64 => "int64".to_owned(),
            Self::Int32 => "int32".to_owned(),
            Self::Float64 => "float64".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Timestamp => "timestamp[µs, UTC]".to_owned(),
            Self::Date => "date32".to_owned(),
            Self::Binary => "binary".to_owned(),
            Self::Texts => "list&lt;utf8&gt;".to_owned(),
            Self::Channels | Self::Thumbnails => {
                let parts: Vec<String> = self
                    .parts()
                    .unwrap_or_default()
                    .iter()
                    .map(|(name, kind)| format!("{name}: {}", kind.type_name()))
                    .collect();
                format!("list&lt;struct&lt;{}&gt;&gt;", parts.join(", "))
            }
        }
    }
}

/// The name that the Parquet format gives the elements of a list.
pub(crate) const ELEMENT: &str = "element";

/// The fields of the struct that a list of structs holds.
pub(crate) fn struct_fields(parts: &[(&str, ColumnKind)]) -> Fields {
    parts.iter().map(|(name, kind)| Field::new(*name, kind.arrow_type(), true)).collect()
}

fn list_of_structs(parts: &[(&str, ColumnKind)]) -> DataType {
    DataType::List(Arc::new(Field::new(ELEMENT, DataType::Struct(struct_fields(parts)), true)))
}

impl Column {
    /// Its Arrow field.
    pub fn arrow_field(&self) -> Field {
        Field::new(self.name, self.kind.arrow_type(), self.nullable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_snake_case_and_found_again() {
        for (index, table) in Table::ALL.into_iter().enumerate() {
            assert_eq!(table as usize, index);
            assert_eq!(Table::from_name(table.name()), Some(table));
            let mut names: Vec<_> = table.columns().iter().map(|column| column.name).collect();
            for name in &names {
                assert!(
                    name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
                    "{name}"
                );
            }
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{table}");
            assert_eq!(table.arrow_schema().fields().len(), count);
        }
    }
}
