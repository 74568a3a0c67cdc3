//! Records that are not messages: agent AI conversations and platform sessions.

use crate::block::{Block, PageSlice, RecordEntry};
use crate::error::Position;
use crate::hash;
use crate::message::{Message, Tags, texts, values};
use crate::object::{ObjectRef, Others};
use crate::scan::{Class, ConversationField, SessionField};
use crate::text::Text;
use crate::value::Value;

/// A record of a body that does not hold plain messages.
#[derive(Debug, Clone, Copy)]
pub enum Record<'b> {
    /// Of an `aaconversation` response.
    Conversation(Conversation<'b>),
    /// Of a `getSessions` response.
    Session(SessionRecord<'b>),
}

macro_rules! record_view {
    ($(#[$doc:meta])* $name:ident, $field:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'b> {
            object: ObjectRef<'b>,
            entry: &'b RecordEntry,
        }

        impl<'b> $name<'b> {
            pub(crate) fn new(block: &'b Block, entry: &'b RecordEntry) -> Self {
                Self { object: ObjectRef::new(block, entry.object), entry }
            }

            fn page(self) -> &'b PageSlice {
                &self.object.block.pages[self.entry.page as usize]
            }

            /// Which body of the input it stands in, from 0.
            pub fn page_index(self) -> u64 {
                self.page().page_index
            }

            /// Which of the records and rejected spans of its body it is, from 0.
            pub fn record_index(self) -> u64 {
                self.entry.index
            }

            /// Where it begins.
            pub fn position(self) -> Position {
                let page = self.page();
                let byte_offset = page.text_offset + i64::from(self.object.object.span.start);
                Position { page: page.page_index, message: None, byte_offset: byte_offset.unsigned_abs() }
            }

            /// Hash of the record without the white space between its tokens.
            pub fn content_hash(self, scratch: &mut Vec<u8>) -> u128 {
                hash::content(self.whole().raw(), self.entry.compact, scratch)
            }

            /// The value of a known key, raw; the last one where the key stands more than once.
            pub fn value(self, field: $field) -> Option<Value<'b>> {
                self.object.value(field as usize)
            }

            /// The value of a known key, where it is a string.
            pub fn text(self, field: $field) -> Option<Text<'b>> {
                self.object.text(field as usize)
            }

            /// Whether a known key stands more than once.
            pub fn is_repeated(self, field: $field) -> bool {
                self.object.is_repeated(field as usize)
            }

            /// Whether any known key stands more than once.
            pub fn has_repeated(self) -> bool {
                self.object.object.repeated != 0
            }

            /// Unknown keys, and earlier values of repeated known ones, in order.
            pub fn others(self) -> Others<'b> {
                self.object.others()
            }

            /// The value of an unknown key.
            pub fn other(self, key: &str) -> Option<Value<'b>> {
                self.object.other(key)
            }

            /// The whole record, raw.
            pub fn whole(self) -> Value<'b> {
                self.object.whole()
            }

            /// How many keys hold something: not null, not `""`, `[]` or `{}`.
            pub fn richness(self) -> u32 {
                self.object.richness($field::ALL.len(), self.entry.compact)
            }
        }

        impl std::fmt::Debug for $name<'_> {
            /// Place and size only: what it holds is personal, and debug output ends up in logs.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({:?}, {} bytes)", stringify!($name), self.position(), self.whole().raw().len())
            }
        }
    };
}

record_view! {
    /// An agent AI conversation record, with the messages inside it.
    Conversation, ConversationField
}

impl<'b> Conversation<'b> {
    /// `_id`, unless it is empty: what tells the record from others.
    pub fn filled_id(self) -> Option<Text<'b>> {
        self.id().filter(|id| !id.is_empty())
    }

    texts! { ConversationField:
        /// `_id`
        id = Id,
        /// `convId`
        conv_id = ConvId,
        /// `botId`
        bot_id = BotId,
        /// `channelType`
        channel_type = ChannelType,
        /// `startTime`
        start_time = StartTime,
        /// `experience`
        experience = Experience,
        /// `aaSessionId`
        agent_ai_session_id = AgentAiSessionId,
        /// `aaUserId`
        agent_ai_user_id = AgentAiUserId,
        /// `mbSessionId`
        messaging_session_id = MessagingSessionId,
        /// `mbUserId`
        messaging_user_id = MessagingUserId,
    }
    values! { ConversationField:
        /// `isExtAD`
        is_external = IsExternal,
    }

    /// The messages inside the record: those elements of `messages` that are objects.
    pub fn messages(self) -> impl ExactSizeIterator<Item = Message<'b>> + Clone {
        let block = self.object.block;
        self.entry.messages.clone().map(move |index| block.message(index as usize))
    }

    /// The indices of its messages in the block.
    pub fn message_range(self) -> std::ops::Range<usize> {
        self.entry.messages.start as usize..self.entry.messages.end as usize
    }

    /// Whether `messages` is a list of objects only.
    pub fn has_regular_messages(self) -> bool {
        self.object.is_regular_list(Class::Conversation, ConversationField::Messages as usize)
    }
}

record_view! {
    /// A session record of `getSessions`: the platform's own account of a session.
    SessionRecord, SessionField
}

impl<'b> SessionRecord<'b> {
    texts! { SessionField:
        /// `sessionId`
        session_id = SessionId,
        /// `botId`
        bot_id = BotId,
        /// `channel`
        channel = Channel,
        /// `userId`
        user_id = UserId,
        /// `start_time`
        start_time = StartTime,
        /// `end_time`
        end_time = EndTime,
        /// `sessionType`
        session_type = SessionType,
        /// `sessionStatus`
        session_status = SessionStatus,
        /// `containmentType`: the platform's verdict.
        containment_type = ContainmentType,
    }
    values! { SessionField:
        /// `session_lang`: a list of language codes.
        languages = Languages,
        /// `isDeveloper`
        is_developer = IsDeveloper,
        /// `noOfMessagesExchanged`
        message_count = MessageCount,
        /// `noOfTasksExecuted`
        task_count = TaskCount,
    }

    /// `tags`, where it is an object.
    pub fn tags(self) -> Option<Tags<'b>> {
        self.object.child(Class::Session, SessionField::Tags as usize).map(Tags)
    }
}
