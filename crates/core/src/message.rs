//! Messages and their parts, as views that borrow from a block and read on access.

use crate::block::{Block, MessageEntry, PageSlice};
use crate::error::Position;
use crate::hash;
use crate::object::{Children, ObjectRef, Others, key_text};
use crate::record::Conversation;
use crate::scan::{
    AuthorField, ChannelField, Class, ComponentField, DataField, LatencyField, LatencyPartField,
    MessageField, NONE, TagField, TagsField, ThumbnailField,
};
use crate::text::{Text, start_in};
use crate::value::{Kind, KindSet, Value};

/// How a message is written: which endpoint it came from, as far as its content tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Form {
    /// With all its fields: v1, v2 and the stream endpoint of 2019, which the content cannot tell apart.
    Full,
    /// From `messages-lite`: no user, no channels, no tags.
    Lite,
    /// From `getMessages?callId=`: type, text and time, and nothing else.
    Call,
    /// Inside an agent AI conversation record.
    AgentAi,
}

impl Form {
    /// The name that stands in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lite => "lite",
            Self::Call => "call",
            Self::AgentAi => "agent_ai",
        }
    }
}

/// Defines a view over an object of a known class.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident, $field:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'b>(pub(crate) ObjectRef<'b>);

        impl<'b> $name<'b> {
            /// The value of a known key, raw; the last one where the key stands more than once.
            #[inline]
            pub fn value(self, field: $field) -> Option<Value<'b>> {
                self.0.value(field as usize)
            }

            /// The known keys that are there, in the order of their declaration, each with its value: the last one where the
            /// key stands more than once.
            #[inline]
            pub fn fields(self) -> impl Iterator<Item = ($field, Value<'b>)> + Clone + use<'b> {
                self.0.fields($field::ALL.len()).map(|(field, value)| ($field::ALL[field], value))
            }

            /// The value of a known key, where it is a string.
            #[inline]
            pub fn text(self, field: $field) -> Option<Text<'b>> {
                self.0.text(field as usize)
            }

            /// Whether a known key stands more than once.
            #[inline]
            pub fn is_repeated(self, field: $field) -> bool {
                self.0.is_repeated(field as usize)
            }

            /// Whether any known key stands more than once.
            #[inline]
            pub fn has_repeated(self) -> bool {
                self.0.object.repeated != 0
            }

            /// Unknown keys, and earlier values of repeated known ones, in order.
            #[inline]
            pub fn others(self) -> Others<'b> {
                self.0.others()
            }

            /// The value of an unknown key.
            pub fn other(self, key: &str) -> Option<Value<'b>> {
                self.0.other(key)
            }

            /// The whole of it, raw.
            pub fn whole(self) -> Value<'b> {
                self.0.whole()
            }
        }

        impl std::fmt::Debug for $name<'_> {
            /// The size only: what it holds may be personal, and debug output ends up in logs.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({} bytes)"), self.whole().raw().len())
            }
        }
    };
}

macro_rules! texts {
    ($field:ident: $($(#[$doc:meta])* $name:ident = $variant:ident,)*) => {
        $($(#[$doc])* #[inline] pub fn $name(self) -> Option<Text<'b>> { self.text($field::$variant) })*
    };
}
pub(crate) use texts;

macro_rules! values {
    ($field:ident: $($(#[$doc:meta])* $name:ident = $variant:ident,)*) => {
        $($(#[$doc])* #[inline] pub fn $name(self) -> Option<Value<'b>> { self.value($field::$variant) })*
    };
}
pub(crate) use values;

macro_rules! values_of_others {
    ($($(#[$doc:meta])* $name:ident = $key:literal,)*) => {
        $($(#[$doc])* pub fn $name(self) -> Option<Value<'b>> { self.other($key) })*
    };
}

/// An iterator over the elements of a list, each as a view.
#[derive(Clone)]
pub struct List<'b, T> {
    children: Children<'b>,
    view: fn(ObjectRef<'b>) -> T,
}

impl<'b, T> List<'b, T> {
    pub(crate) fn new(children: Children<'b>, view: fn(ObjectRef<'b>) -> T) -> Self {
        Self { children, view }
    }
}

impl<T> std::fmt::Debug for List<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "List({} left)", self.children.clone().count())
    }
}

impl<T> Iterator for List<'_, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        self.children.next().map(self.view)
    }
}

/// One message, as a view of a couple of pointers.
///
/// Accessors give the fields as they stand; nothing is decoded before it is asked for. Where a field is documented as
/// a string the accessor gives a [`Text`], and `None` for every other type: [`value`](Self::value) has the raw one.
#[derive(Clone, Copy)]
pub struct Message<'b> {
    object: ObjectRef<'b>,
    entry: &'b MessageEntry,
}

impl std::fmt::Debug for Message<'_> {
    /// Place and size only: what it holds is personal, and debug output ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({:?}, {} bytes)", self.position(), self.whole().raw().len())
    }
}

impl<'b> Message<'b> {
    #[inline(always)]
    pub(crate) fn new(block: &'b Block, entry: &'b MessageEntry) -> Self {
        Self { object: ObjectRef::new(block, entry.object), entry }
    }

    fn page(self) -> &'b PageSlice {
        &self.object.block.pages[self.entry.page as usize]
    }

    /// Which body of the input it stands in, from 0.
    pub fn page_index(self) -> u64 {
        self.page().page_index
    }

    /// Which of the messages and rejected spans of its body it is, from 0.
    pub fn message_index(self) -> u64 {
        self.entry.index
    }

    /// Where it begins.
    pub fn position(self) -> Position {
        let page = self.page();
        let byte_offset = page.text_offset + i64::from(self.object.object.span.start);
        Position {
            page: page.page_index,
            message: Some(self.entry.index),
            byte_offset: byte_offset.unsigned_abs(),
        }
    }

    /// Where a part of it begins, given the part's exact JSON as [`Value::raw`] or [`Text::raw`] tell it; `None` where
    /// that is no part of it, but was decoded from one. With this, the offset of a [`TextError`](crate::TextError) has its place
    /// in the body: it counts bytes of the text that begins there.
    ///
    /// ```
    /// use korpus_core::{InputEnd, Limits, PageParser};
    /// let page = br#"{"messages":[{"_id":"a","components":[{"cT":"text","data":{"text":"Hello"}}]}]}"#;
    /// let mut parser = PageParser::new(Limits::default());
    /// parser.feed(page);
    /// parser.finish(InputEnd::Complete);
    /// let block = parser.next_block().unwrap();
    /// let message = block.message(0);
    /// let text = message.components().next().unwrap().data_text().unwrap();
    /// let at = message.position_of(text.raw()).unwrap().byte_offset as usize;
    /// assert!(page[at..].starts_with(b"Hello"));
    /// assert!(message.position_of("Hello").is_none());
    /// ```
    pub fn position_of(self, raw: &str) -> Option<Position> {
        let offset = start_in(self.whole().raw(), raw)?;
        let position = self.position();
        Some(Position { byte_offset: position.byte_offset + offset as u64, ..position })
    }

    /// The agent AI record around it.
    #[inline]
    pub fn conversation(self) -> Option<Conversation<'b>> {
        let block = self.object.block;
        (self.entry.record != NONE)
            .then(|| Conversation::new(block, &block.records[self.entry.record as usize]))
    }

    /// How it is written.
    #[inline]
    pub fn form(self) -> Form {
        if self.entry.record == NONE { self.object.form() } else { Form::AgentAi }
    }

    /// Hash of the message without the white space between its tokens: equal for equal bytes, pretty-printed or not.
    ///
    /// `scratch` is used where there is white space to leave out.
    #[inline]
    pub fn content_hash(self, scratch: &mut Vec<u8>) -> u128 {
        hash::content(self.whole().raw(), self.entry.compact, scratch)
    }

    /// The id that stands in for a missing `_id`: a hash of form, session or record, type, time, text and how many
    /// equal messages came before it in the record around it, or in the body. `None` where `_id` is a string of 1 to
    /// 1,024 bytes.
    #[inline]
    pub fn surrogate_id(self) -> Option<u128> {
        let surrogates = &self.object.block.surrogates;
        (self.entry.surrogate != NONE).then(|| surrogates[self.entry.surrogate as usize])
    }

    /// How many top-level keys hold something: not null, not `""`, `[]` or `{}`.
    pub fn richness(self) -> u32 {
        self.object.richness(MessageField::ALL.len(), self.entry.compact)
    }

    /// The known keys whose values are of none of the kinds that are expected of them, each with what its value is.
    ///
    /// ```
    /// use korpus_core::{InputEnd, Kind, KindSet, Limits, MessageField, PageParser};
    /// let mut parser = PageParser::new(Limits::default());
    /// parser.feed(br#"{"messages":[{"_id":"a","type":7}]}"#);
    /// parser.finish(InputEnd::Complete);
    /// let block = parser.next_block().unwrap();
    /// let texts = [KindSet::of(&[Kind::PlainString, Kind::EscapedString]); MessageField::ALL.len()];
    /// let misfits: Vec<_> = block.message(0).misfits(&texts).collect();
    /// assert_eq!(misfits, [(MessageField::Type, Kind::Number)]);
    /// ```
    #[inline]
    pub fn misfits<'e>(
        self,
        expected: &'e [KindSet; MessageField::ALL.len()],
    ) -> impl Iterator<Item = (MessageField, Kind)> + use<'b, 'e> {
        self.object.misfits(expected).map(|(field, kind)| (MessageField::ALL[field], kind))
    }

    /// The channel that it came by: `chnl`, else `channel`, else the type of the first of `channels`.
    #[inline]
    pub fn channel_name(self) -> Option<Text<'b>> {
        let first = || self.channels().next().and_then(Channel::channel_type);
        self.chnl().or_else(|| self.channel()).or_else(first)
    }

    /// What clients show instead of its text: the value of the first of `tags.altText`, where it is a text and not empty.
    pub fn alt_text(self) -> Option<Text<'b>> {
        let first = self.tags()?.scope(TagsField::AltText).next()?;
        first.value(TagField::Value)?.as_text().filter(|text| !text.is_empty())
    }

    /// The value of a known key, raw; the last one where the key stands more than once.
    #[inline]
    pub fn value(self, field: MessageField) -> Option<Value<'b>> {
        self.object.value(field as usize)
    }

    /// The known keys that are there, in the order of their declaration, each with its value: the last one where the key stands
    /// more than once.
    ///
    /// ```
    /// use korpus_core::{InputEnd, Limits, MessageField, PageParser};
    /// let mut parser = PageParser::new(Limits::default());
    /// parser.feed(br#"{"messages":[{"type":"incoming","other":1,"_id":"a"}]}"#);
    /// parser.finish(InputEnd::Complete);
    /// let block = parser.next_block().unwrap();
    /// let fields: Vec<_> = block.message(0).fields().map(|(field, value)| (field, value.raw())).collect();
    /// assert_eq!(fields, [(MessageField::Id, "\"a\""), (MessageField::Type, "\"incoming\"")]);
    /// ```
    #[inline]
    pub fn fields(self) -> impl Iterator<Item = (MessageField, Value<'b>)> + Clone + use<'b> {
        self.object.fields(MessageField::ALL.len()).map(|(field, value)| (MessageField::ALL[field], value))
    }

    /// The value of a known key, where it is a string.
    #[inline]
    pub fn text(self, field: MessageField) -> Option<Text<'b>> {
        self.object.text(field as usize)
    }

    /// Whether a known key stands more than once.
    #[inline]
    pub fn is_repeated(self, field: MessageField) -> bool {
        self.object.is_repeated(field as usize)
    }

    /// Whether any known key stands more than once.
    #[inline]
    pub fn has_repeated(self) -> bool {
        self.object.object.repeated != 0
    }

    /// Unknown keys, and earlier values of repeated known ones, in order.
    #[inline]
    pub fn others(self) -> Others<'b> {
        self.object.others()
    }

    /// The unknown keys, in order, but for those that are `passed` over as they stand in the body: escaped where they are.
    #[inline]
    pub fn unknown_keys<P: Fn(&str) -> bool>(self, passed: P) -> impl Iterator<Item = Text<'b>> + use<'b, P> {
        self.object.unknown_keys().filter(move |key| !passed(key)).map(key_text)
    }

    /// The value of an unknown key.
    pub fn other(self, key: &str) -> Option<Value<'b>> {
        self.object.other(key)
    }

    /// The whole message, raw: exactly its bytes in the body.
    #[inline]
    pub fn whole(self) -> Value<'b> {
        self.object.whole()
    }

    texts! { MessageField:
        /// `_id`
        id = Id,
        /// `botId`
        bot_id = BotId,
        /// `orgId`
        org_id = OrgId,
        /// `accountId`
        account_id = AccountId,
        /// `sessionId`
        session_id = SessionId,
        /// `conversationId`
        conversation_id = ConversationId,
        /// `createdBy`: the end user, on outgoing messages too.
        created_by = CreatedBy,
        /// `createdOn`
        created_on = CreatedOn,
        /// `timestamp`, of the call form.
        timestamp = Timestamp,
        /// `lmodifiedOn`
        modified_on = LModifiedOn,
        /// `__lModifiedOn__`
        store_modified_on = StoreModifiedOn,
        /// `lmodifiedBy`
        modified_by = LModifiedBy,
        /// `type`: incoming, outgoing, event, ctrlmsg, timelinemsg, …
        message_type = Type,
        /// `status`
        status = Status,
        /// `chnl`
        chnl = Chnl,
        /// `channel`, of the stream endpoint of 2019.
        channel = Channel,
        /// `lang`
        language = Lang,
        /// `tN`
        task_name = TaskName,
        /// `traceId`
        trace_id = TraceId,
        /// `text`, of the call form.
        call_text = Text,
    }

    values! { MessageField:
        /// `timestampValue`: milliseconds since 1970.
        timestamp_value = TimestampValue,
        /// `ms`: 0 alert, 1 text, 2 action, 3 others, 4 and 5 seen too.
        message_source = MessageSource,
        /// `isBB`: 0 or 1, or a boolean.
        is_bot_builder = IsBotBuilder,
        /// `isD`: 0 or 1, or a boolean.
        is_developer = IsDeveloper,
        /// `isA`
        is_agent_side = IsAgentSide,
    }

    /// `text`, whatever it is but null, where the message has no component: only then it is what was said.
    #[inline]
    pub fn call_text_value(self) -> Option<Value<'b>> {
        let value = self.value(MessageField::Text).filter(|value| !value.is_null())?;
        self.components().next().is_none().then_some(value)
    }

    /// `author`, where it is an object.
    #[inline]
    pub fn author(self) -> Option<Author<'b>> {
        self.object.child(Class::Message, MessageField::Author as usize).map(Author)
    }

    /// `latency`, where it is an object.
    #[inline]
    pub fn latency(self) -> Option<Latency<'b>> {
        self.object.child(Class::Message, MessageField::Latency as usize).map(Latency)
    }

    /// The elements of `components`; an element that is no object has no fields.
    #[inline]
    pub fn components(self) -> List<'b, Component<'b>> {
        List::new(self.object.children(Class::Message, MessageField::Components as usize), Component)
    }

    /// The elements of `channels`; an element that is no object has no fields.
    pub fn channels(self) -> List<'b, Channel<'b>> {
        List::new(self.object.children(Class::Message, MessageField::Channels as usize), Channel)
    }

    /// Whether a list (`components`, `channels`) is one, and holds objects only.
    pub fn is_regular_list(self, field: MessageField) -> bool {
        matches!(field, MessageField::Components | MessageField::Channels)
            && self.object.is_regular_list(Class::Message, field as usize)
    }

    /// `tags`, where it is an object.
    #[inline]
    pub fn tags(self) -> Option<Tags<'b>> {
        self.object.child(Class::Message, MessageField::Tags as usize).map(Tags)
    }

    values_of_others! {
        /// `sT`
        s_t = "sT",
        /// `__v`
        version = "__v",
        /// `resourceid`
        resource_id = "resourceid",
        /// `agentAssistDetails`
        agent_assist_details = "agentAssistDetails",
        /// `msgType`
        msg_type = "msgType",
        /// `cek`
        cek = "cek",
        /// `iv`
        iv = "iv",
        /// `ire`
        ire = "ire",
        /// `EOD`
        eod = "EOD",
        /// `path`
        path = "path",
        /// `nodeType`
        node_type = "nodeType",
        /// `tr0_I`
        tr0_i = "tr0_I",
        /// `tr0_O`
        tr0_o = "tr0_O",
        /// `tr0_T`: a number, sometimes as a string.
        tr0_t = "tr0_T",
        /// `tr_pId`
        tr_p_id = "tr_pId",
        /// `tr_isSS`
        tr_is_ss = "tr_isSS",
        /// `cluster_id`
        cluster_id = "cluster_id",
        /// `userMsgId`
        user_msg_id = "userMsgId",
    }
}

/// The form of a message outside agent AI records.
pub(crate) fn form_of(has: impl Fn(MessageField) -> bool) -> Form {
    if has(MessageField::Components) || has(MessageField::Id) {
        let full = [
            MessageField::Channels,
            MessageField::CreatedBy,
            MessageField::Tags,
            MessageField::TimestampValue,
            MessageField::OrgId,
            MessageField::AccountId,
            MessageField::LModifiedOn,
            MessageField::StoreModifiedOn,
        ];
        let lite = has(MessageField::Id) && has(MessageField::BotId) && !full.into_iter().any(&has);
        if lite { Form::Lite } else { Form::Full }
    } else if has(MessageField::Text) || has(MessageField::Timestamp) {
        Form::Call
    } else {
        Form::Full
    }
}

view! {
    /// An element of `components`.
    Component, ComponentField
}

impl<'b> Component<'b> {
    texts! { ComponentField:
        /// `_id`
        id = Id,
        /// `cT`: text, audio, image, …
        component_type = Type,
    }

    /// `data`, where it is an object.
    #[inline]
    pub fn data(self) -> Option<ComponentData<'b>> {
        self.0.child(Class::Component, ComponentField::Data as usize).map(ComponentData)
    }

    /// `data.text`, where it is a string.
    pub fn data_text(self) -> Option<Text<'b>> {
        self.data().and_then(|data| data.text(DataField::Text))
    }

    /// `data.text`, whatever it is but null: what [`classify_value`](crate::Scratch::classify_value) takes. Where nobody
    /// encoded a template, it is an object.
    #[inline]
    pub fn data_text_value(self) -> Option<Value<'b>> {
        self.data()?.value(DataField::Text).filter(|value| !value.is_null())
    }

    /// The elements of `thumbnails`, where it is a list.
    pub fn thumbnails(self) -> List<'b, Thumbnail<'b>> {
        List::new(self.0.children(Class::Component, ComponentField::Thumbnails as usize), Thumbnail)
    }

    /// Whether `thumbnails` is a list of objects only.
    pub fn has_regular_thumbnails(self) -> bool {
        self.0.is_regular_list(Class::Component, ComponentField::Thumbnails as usize)
    }

    /// Whether the element is an object at all.
    pub fn is_object(self) -> bool {
        self.whole().kind() == crate::value::Kind::Object
    }
}

view! {
    /// The `data` of a component.
    ComponentData, DataField
}

view! {
    /// An element of `thumbnails`.
    Thumbnail, ThumbnailField
}

view! {
    /// An element of `channels`.
    Channel, ChannelField
}

impl<'b> Channel<'b> {
    texts! { ChannelField:
        /// `type`
        channel_type = Type,
        /// `channelUId`
        channel_uid = ChannelUid,
    }
}

view! {
    /// The `tags` of a message or session record: up to four lists, one a scope.
    Tags, TagsField
}

impl<'b> Tags<'b> {
    /// The tags of one scope.
    #[inline]
    pub fn scope(self, scope: TagsField) -> List<'b, Tag<'b>> {
        List::new(self.0.children(Class::Tags, scope as usize), Tag)
    }

    /// Whether a scope is a list of objects only.
    pub fn is_regular_scope(self, scope: TagsField) -> bool {
        self.0.is_regular_list(Class::Tags, scope as usize)
    }
}

view! {
    /// One tag: a name, and a value of any type.
    Tag, TagField
}

impl<'b> Tag<'b> {
    texts! { TagField:
        /// `name`
        name = Name,
    }
    values! { TagField:
        /// `value`
        tag_value = Value,
    }
}

view! {
    /// Who wrote a message, where it was neither the bot nor the user.
    Author, AuthorField
}

impl<'b> Author<'b> {
    texts! { AuthorField:
        /// `type`: USER, AGENT, SYSTEM, EVENT, FORM, VOICEMAIL, …
        author_type = Type,
        /// `id`
        id = Id,
        /// `formId`
        form_id = FormId,
        /// `formName`
        form_name = FormName,
        /// `aId`
        agent_id = AgentId,
        /// `iId`
        instance_id = InstanceId,
        /// `fId`
        form_instance_id = FormInstanceId,
    }
    values! { AuthorField:
        /// `isSecuredForm`
        is_secured_form = IsSecuredForm,
    }
    values_of_others! {
        /// `firstName`
        first_name = "firstName",
        /// `lastName`
        last_name = "lastName",
        /// `emailId`
        email_id = "emailId",
        /// `profImage`
        prof_image = "profImage",
    }
}

view! {
    /// What the platform measured of a voice message.
    Latency, LatencyField
}

impl<'b> Latency<'b> {
    values! { LatencyField:
        /// `totalMs`
        total_ms = TotalMs,
    }

    /// `asr`, `bot` or `tts`, where it is an object.
    pub fn part(self, part: LatencyField) -> Option<LatencyPart<'b>> {
        if part == LatencyField::TotalMs {
            return None;
        }
        self.0.child(Class::Latency, part as usize).map(LatencyPart)
    }
}

view! {
    /// One stage of a voice message's latency.
    LatencyPart, LatencyPartField
}

impl<'b> LatencyPart<'b> {
    values! { LatencyPartField:
        /// `durationMs`
        duration_ms = DurationMs,
    }
}
