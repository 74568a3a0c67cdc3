//! The rows that came of one block, table by table.

use korpus_engine::RecordHashes;

use super::table::TableBuffer;
use super::template::TemplateRows;
use crate::schema::{ComponentColumn, ConversationColumn, MessageColumn, SessionColumn, Table, TagColumn};

/// Which tables are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Selection {
    chosen: [bool; Table::ALL.len()],
}

impl Selection {
    pub(crate) fn new(tables: impl IntoIterator<Item = Table>) -> Self {
        let mut chosen = [false; Table::ALL.len()];
        for table in tables {
            chosen[table as usize] = true;
        }
        Self { chosen }
    }

    pub(crate) fn has(&self, table: Table) -> bool {
        self.chosen[table as usize]
    }
}

/// The rows of one block. Ordinals are those within the block until [`add_base`](Self::add_base).
#[derive(Debug)]
pub(crate) struct Rows {
    pub messages: TableBuffer,
    pub components: TableBuffer,
    pub tags: TableBuffer,
    pub templates: TemplateRows,
    pub conversations: TableBuffer,
    pub sessions: TableBuffer,
    pub rejects: TableBuffer,
    /// Whether tags are wanted.
    pub with_tags: bool,
    /// The records around the messages.
    pub records: RecordHashes,
}

impl Rows {
    /// Empty rows; `buffer` gives the buffer of a table.
    pub(crate) fn new(selection: &Selection, mut buffer: impl FnMut(Table) -> TableBuffer) -> Self {
        Self {
            messages: buffer(Table::Messages),
            components: buffer(Table::Components),
            tags: buffer(Table::Tags),
            templates: TemplateRows::new(selection, &mut buffer),
            conversations: buffer(Table::Conversations),
            sessions: buffer(Table::PlatformSessions),
            rejects: buffer(Table::Rejects),
            with_tags: selection.has(Table::Tags),
            records: RecordHashes::default(),
        }
    }

    /// The tables in here, with their names.
    pub(crate) fn into_tables(self) -> [(Table, TableBuffer); 9] {
        [
            (Table::Messages, self.messages),
            (Table::Components, self.components),
            (Table::Templates, self.templates.templates),
            (Table::Elements, self.templates.elements),
            (Table::Actions, self.templates.actions),
            (Table::Tags, self.tags),
            (Table::Conversations, self.conversations),
            (Table::PlatformSessions, self.sessions),
            (Table::Rejects, self.rejects),
        ]
    }

    /// The tables in here, with their names.
    pub(crate) fn tables(&self) -> [(Table, &TableBuffer); 9] {
        [
            (Table::Messages, &self.messages),
            (Table::Components, &self.components),
            (Table::Templates, &self.templates.templates),
            (Table::Elements, &self.templates.elements),
            (Table::Actions, &self.templates.actions),
            (Table::Tags, &self.tags),
            (Table::Conversations, &self.conversations),
            (Table::PlatformSessions, &self.sessions),
            (Table::Rejects, &self.rejects),
        ]
    }

    /// Makes all columns as long as their tables; all messages are from `source`.
    pub(crate) fn finish(&mut self, source: &str) {
        self.messages.fill_str(MessageColumn::SourceFile, source);
        for table in [
            &mut self.messages,
            &mut self.components,
            &mut self.templates.templates,
            &mut self.templates.elements,
            &mut self.templates.actions,
            &mut self.tags,
            &mut self.conversations,
            &mut self.sessions,
            &mut self.rejects,
        ] {
            table.finish();
        }
    }

    /// Makes the ordinals of the block those of the run.
    pub(crate) fn add_base(&mut self, messages: u64, records: u64) {
        self.messages.add_base(MessageColumn::MessageSeq, messages);
        self.components.add_base(ComponentColumn::MessageSeq, messages);
        self.templates.add_base(messages);
        self.tags.add_base(TagColumn::MessageSeq, messages);
        self.tags.add_base(TagColumn::RecordSeq, records);
        self.conversations.add_base(ConversationColumn::RecordSeq, records);
        self.sessions.add_base(SessionColumn::RecordSeq, records);
    }
}
