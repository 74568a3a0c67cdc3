//! Owned twins of the views, for what has to outlive its block; with serde. All conversions stand here.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::message::{
    Author, Channel, Component, ComponentData, Latency, LatencyPart, Message, Tag, Tags, Thumbnail,
};
use crate::object::Others;
use crate::scan::{
    AuthorField, ChannelField, ComponentField, DataField, LatencyField, LatencyPartField, MessageField,
    TagField, TagsField, ThumbnailField,
};
use crate::text::write_json_string;
use crate::value::{Kind, Value};

/// A key with its raw JSON value, for what has no field of its own or does not fit it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RawField {
    /// The key, decoded.
    pub key: String,
    /// The value, as JSON.
    pub json: String,
}

/// How an owned field is taken from a value, and written back.
trait Owned: Sized {
    /// `None` where writing the field would not give the value back.
    fn take(value: Value<'_>) -> Option<Self>;
    fn write(&self, out: &mut String);
}

impl Owned for String {
    fn take(value: Value<'_>) -> Option<Self> {
        value.as_text()?.exact().map(std::borrow::Cow::into_owned)
    }

    fn write(&self, out: &mut String) {
        write_json_string(self, out);
    }
}

impl Owned for i64 {
    fn take(value: Value<'_>) -> Option<Self> {
        value.as_i64()
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.to_string());
    }
}

impl Owned for bool {
    fn take(value: Value<'_>) -> Option<Self> {
        value.as_bool()
    }

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl<T: OwnedObject> Owned for Box<T> {
    fn take(_: Value<'_>) -> Option<Self> {
        None
    }

    fn write(&self, out: &mut String) {
        self.write_object(out);
    }
}

impl<T: OwnedObject> Owned for Vec<T> {
    fn take(_: Value<'_>) -> Option<Self> {
        None
    }

    fn write(&self, out: &mut String) {
        out.push('[');
        for (index, element) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            element.write_object(out);
        }
        out.push(']');
    }
}

trait OwnedObject {
    fn write_object(&self, out: &mut String);
}

struct Writer<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> Writer<'o> {
    fn new(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, first: true }
    }

    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        write_json_string(key, self.out);
        self.out.push(':');
    }

    fn field<T: Owned>(&mut self, key: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.key(key);
            value.write(self.out);
        }
    }

    fn end(mut self, other: &[RawField]) {
        for field in other {
            self.key(&field.key);
            self.out.push_str(&field.json);
        }
        self.out.push('}');
    }
}

/// The keys without a field, and what the fields could not take. `None` where a key cannot be decoded.
fn raw_fields(others: Others<'_>) -> Vec<RawField> {
    others
        .map(|other| RawField { key: other.key.lossy().into_owned(), json: other.value.raw().to_owned() })
        .collect()
}

macro_rules! owned {
    (
        $(#[$doc:meta])* $name:ident, $view:ident, $field:ident {
            $($(#[$fdoc:meta])* $member:ident: $type:ty = $variant:ident $(with $with:expr)?,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
        #[serde(default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$fdoc])* #[serde(skip_serializing_if = "Option::is_none")] pub $member: Option<$type>,)*
            /// Unknown keys, and known ones whose values do not fit their field; repeated keys with all their values.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pub other: Vec<RawField>,
        }

        impl From<$view<'_>> for $name {
            fn from(view: $view<'_>) -> Self {
                let mut other = raw_fields(view.others());
                $(let $member = view.value($field::$variant).and_then(|value| {
                    let taken: Option<$type> = if view.is_repeated($field::$variant) {
                        None
                    } else {
                        owned!(@take view, value $(, $with)?)
                    };
                    if taken.is_none() {
                        let key = $field::$variant.key().to_owned();
                        other.push(RawField { key, json: value.raw().to_owned() });
                    }
                    taken
                });)*
                Self { $($member,)* other }
            }
        }

        impl OwnedObject for $name {
            fn write_object(&self, out: &mut String) {
                let mut writer = Writer::new(out);
                $(writer.field($field::$variant.key(), self.$member.as_ref());)*
                writer.end(&self.other);
            }
        }
    };
    (@take $view:ident, $value:ident) => { Owned::take($value) };
    (@take $view:ident, $value:ident, $with:expr) => { $with($view, $value) };
}

fn list<V, T: From<V>>(value: Value<'_>, regular: bool, items: impl Iterator<Item = V>) -> Option<Vec<T>> {
    (value.kind() == Kind::Array && regular).then(|| items.map(T::from).collect())
}

owned! {
    /// An owned [`Message`], in the order and under the names of the tables.
    ///
    /// ```
    /// use korpus_core::MessageBuf;
    ///
    /// let json = r#"{"_id":"ms-1","isD":"odd","components":[{"cT":"text","data":{"text":"hi"}}]}"#;
    /// let message = MessageBuf::from_json(json)?;
    /// assert_eq!(message.id.as_deref(), Some("ms-1"));
    /// assert_eq!(message.other[0].json, "\"odd\""); // not 0, 1, true or false: kept raw
    /// assert_eq!(MessageBuf::from_json(&message.to_json())?, message);
    /// # Ok::<(), korpus_core::Error>(())
    /// ```
    MessageBuf, Message, MessageField {
        /// `_id`
        id: String = Id,
        /// `botId`
        bot_id: String = BotId,
        /// `orgId`
        org_id: String = OrgId,
        /// `accountId`
        account_id: String = AccountId,
        /// `sessionId`
        session_id: String = SessionId,
        /// `conversationId`
        conversation_id: String = ConversationId,
        /// `createdBy`: the end user, on outgoing messages too.
        user_id: String = CreatedBy,
        /// `createdOn`
        created_on: String = CreatedOn,
        /// `timestamp`, of the call form.
        timestamp: String = Timestamp,
        /// `lmodifiedOn`
        modified_on: String = LModifiedOn,
        /// `__lModifiedOn__`
        store_modified_on: String = StoreModifiedOn,
        /// `lmodifiedBy`
        modified_by: String = LModifiedBy,
        /// `timestampValue`, in milliseconds since 1970.
        timestamp_ms: i64 = TimestampValue,
        /// `type`
        message_type: String = Type,
        /// `status`
        status: String = Status,
        /// `chnl`
        chnl: String = Chnl,
        /// `channel`
        channel: String = Channel,
        /// `channels`
        channels: Vec<ChannelBuf> = Channels with |message: Message<'_>, value| {
            list(value, message.is_regular_list(MessageField::Channels), message.channels())
        },
        /// `lang`
        language: String = Lang,
        /// `tN`
        task_name: String = TaskName,
        /// `traceId`
        trace_id: String = TraceId,
        /// `ms`
        message_source: i64 = MessageSource,
        /// `isBB`, where it is 0 or 1.
        is_bot_builder: i64 = IsBotBuilder,
        /// `isD`, where it is 0 or 1.
        is_developer: i64 = IsDeveloper,
        /// `isA`
        is_agent_side: bool = IsAgentSide,
        /// `author`
        author: Box<AuthorBuf> = Author with |message: Message<'_>, _| {
            message.author().map(|author| Box::new(author.into()))
        },
        /// `latency`
        latency: Box<LatencyBuf> = Latency with |message: Message<'_>, _| {
            message.latency().map(|latency| Box::new(latency.into()))
        },
        /// `components`
        components: Vec<ComponentBuf> = Components with |message: Message<'_>, value| {
            list(value, message.is_regular_list(MessageField::Components), message.components())
        },
        /// `tags`
        tags: Box<TagsBuf> = Tags with |message: Message<'_>, _| {
            message.tags().map(|tags| Box::new(tags.into()))
        },
        /// `text`, of the call form.
        call_text: String = Text,
    }
}

owned! {
    /// An owned [`Component`].
    ComponentBuf, Component, ComponentField {
        /// `_id`
        id: String = Id,
        /// `cT`
        component_type: String = Type,
        /// `data`
        data: Box<ComponentDataBuf> = Data with |component: Component<'_>, _| {
            component.data().map(|data| Box::new(data.into()))
        },
        /// `thumbnails`
        thumbnails: Vec<ThumbnailBuf> = Thumbnails with |component: Component<'_>, value| {
            list(value, component.has_regular_thumbnails(), component.thumbnails())
        },
    }
}

owned! {
    /// An owned [`ComponentData`].
    ComponentDataBuf, ComponentData, DataField {
        /// `text`
        text: String = Text,
    }
}

owned! {
    /// An owned [`Thumbnail`].
    ThumbnailBuf, Thumbnail, ThumbnailField {
        /// `_id`
        id: String = Id,
        /// `width`
        width: i64 = Width,
        /// `height`
        height: i64 = Height,
        /// `size`
        size: i64 = Size,
        /// `url`
        url: String = Url,
    }
}

owned! {
    /// An owned [`Channel`].
    ChannelBuf, Channel, ChannelField {
        /// `type`
        channel_type: String = Type,
        /// `channelUId`
        channel_uid: String = ChannelUid,
    }
}

owned! {
    /// Owned [`Tags`].
    TagsBuf, Tags, TagsField {
        /// `messageTags`
        message_tags: Vec<TagBuf> = MessageTags with |tags: Tags<'_>, value| scope(tags, TagsField::MessageTags, value),
        /// `userTags`
        user_tags: Vec<TagBuf> = UserTags with |tags: Tags<'_>, value| scope(tags, TagsField::UserTags, value),
        /// `sessionTags`
        session_tags: Vec<TagBuf> = SessionTags with |tags: Tags<'_>, value| scope(tags, TagsField::SessionTags, value),
        /// `altText`
        alt_text: Vec<TagBuf> = AltText with |tags: Tags<'_>, value| scope(tags, TagsField::AltText, value),
    }
}

fn scope(tags: Tags<'_>, scope: TagsField, value: Value<'_>) -> Option<Vec<TagBuf>> {
    list(value, tags.is_regular_scope(scope), tags.scope(scope))
}

owned! {
    /// An owned [`Tag`]; a value that is no string stands among the others.
    TagBuf, Tag, TagField {
        /// `name`
        name: String = Name,
        /// `value`
        value: String = Value,
    }
}

owned! {
    /// An owned [`Author`].
    AuthorBuf, Author, AuthorField {
        /// `type`
        author_type: String = Type,
        /// `id`
        id: String = Id,
        /// `formId`
        form_id: String = FormId,
        /// `formName`
        form_name: String = FormName,
        /// `aId`
        agent_id: String = AgentId,
        /// `iId`
        instance_id: String = InstanceId,
        /// `fId`
        form_instance_id: String = FormInstanceId,
        /// `isSecuredForm`
        is_secured_form: bool = IsSecuredForm,
    }
}

owned! {
    /// An owned [`Latency`].
    LatencyBuf, Latency, LatencyField {
        /// `totalMs`
        total_ms: i64 = TotalMs,
        /// `asr`
        asr: Box<LatencyPartBuf> = Asr with |latency: Latency<'_>, _| part(latency, LatencyField::Asr),
        /// `bot`
        bot: Box<LatencyPartBuf> = Bot with |latency: Latency<'_>, _| part(latency, LatencyField::Bot),
        /// `tts`
        tts: Box<LatencyPartBuf> = Tts with |latency: Latency<'_>, _| part(latency, LatencyField::Tts),
    }
}

fn part(latency: Latency<'_>, part: LatencyField) -> Option<Box<LatencyPartBuf>> {
    latency.part(part).map(|part| Box::new(part.into()))
}

owned! {
    /// An owned [`LatencyPart`].
    LatencyPartBuf, LatencyPart, LatencyPartField {
        /// `durationMs`
        duration_ms: i64 = DurationMs,
    }
}

impl MessageBuf {
    /// Reads one message in the API's shape.
    ///
    /// # Errors
    /// Where `json` is not one valid JSON object.
    pub fn from_json(json: &str) -> Result<Self, crate::Error> {
        crate::block::Block::of_one(json).map(|block| block.message(0).into())
    }

    /// Writes the message in the API's shape: equal to what was read as a JSON value, key order aside.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_object(&mut out);
        out
    }
}

impl Message<'_> {
    /// An owned copy.
    pub fn to_owned_buf(self) -> MessageBuf {
        self.into()
    }

    /// The message as a type of the caller's own, through simd-json.
    ///
    /// # Errors
    /// [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch) where the message does not fit `T`, or holds what simd-json does not
    /// accept (lone surrogates, numbers past its range). What that said is the error's source; it may quote keys and values.
    ///
    /// ```
    /// # use korpus_core::{InputEnd, Limits, PageParser};
    /// #[derive(serde::Deserialize)]
    /// struct Mine {
    ///     #[serde(rename = "_id")]
    ///     id: String,
    /// }
    /// let mut parser = PageParser::new(Limits::default());
    /// parser.feed(br#"{"messages":[{"_id":"ms-1","type":"incoming","components":[]}]}"#);
    /// parser.finish(InputEnd::Complete);
    /// let block = parser.next_block().unwrap();
    /// let mine: Mine = block.message(0).deserialize()?;
    /// assert_eq!(mine.id, "ms-1");
    /// # Ok::<(), korpus_core::Error>(())
    /// ```
    pub fn deserialize<T: serde::de::DeserializeOwned>(self) -> Result<T, Error> {
        simd_json::from_slice(&mut self.whole().raw().as_bytes().to_vec())
            .map_err(|error| Error::mismatch(error.index(), error).at(self.position()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_kept_raw_and_written_back() {
        let json = r#"{"_id":"a","_id":"b","type":null,"timestampValue":1e3,"lang":"\ud83d","isBB":true,"isA":true,
            "channels":[{"type":"rtm","x":[1, 2]}],"tags":{"userTags":[{"name":"n","value":5}],"y":0},
            "components":["odd"],"author":{"type":"AGENT","firstName":"F"},"latency":{"asr":{"durationMs":1.5}}}"#;
        let message = MessageBuf::from_json(json).unwrap();
        assert_eq!(message.id, None, "a repeated key is raw, all its values in order");
        let raw = |key: &str| -> Vec<&str> {
            message.other.iter().filter(|field| field.key == key).map(|field| field.json.as_str()).collect()
        };
        assert_eq!(raw("_id"), ["\"a\"", "\"b\""]);
        assert_eq!(raw("type"), ["null"]);
        assert_eq!(raw("timestampValue"), ["1e3"]);
        assert_eq!(raw("lang"), [r#""\ud83d""#]);
        assert_eq!(raw("isBB"), ["true"]);
        assert_eq!(raw("components"), [r#"["odd"]"#]);
        assert_eq!(message.is_agent_side, Some(true));
        assert_eq!(message.channels.as_ref().unwrap()[0].other[0].json, "[1, 2]");
        assert_eq!(message.author.as_ref().unwrap().author_type.as_deref(), Some("AGENT"));
        let again = MessageBuf::from_json(&message.to_json()).unwrap();
        assert_eq!(again, message);
        let through_serde: MessageBuf =
            serde_json::from_str(&serde_json::to_string(&message).unwrap()).unwrap();
        assert_eq!(through_serde, message);
    }
}
