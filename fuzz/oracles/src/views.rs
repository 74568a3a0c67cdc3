//! Views: every accessor of a message gives what `serde_json` reads in its bytes.

use std::collections::HashMap;
use std::fmt::Debug;

use korpus_core::{
    AuthorField, ChannelField, ComponentField, DataField, InputEnd, LatencyField, LatencyPartField, Limits,
    Message, MessageField, OtherField, PageParser, TagField, TagsField, ThumbnailField, Value,
};

use crate::json::{Json, JsonKind};
use crate::messages_of;

/// Reads the messages in `data` as one page.
///
/// # Panics
/// If a view does not show what is there.
pub fn views(data: &[u8]) {
    views_of(&messages_of(data));
}

/// Reads messages as one page: cold, again by the parser that has learned their layout, and in windows.
///
/// # Panics
/// If a view does not show what is there.
pub fn views_of(messages: &[&[u8]]) {
    let body = [b"{\"messages\":[", &*messages.join(&b','), b"],\"total\":1}"].concat();
    let minified: Vec<_> = messages.iter().map(|message| parsed(message).minified()).collect();
    let other_body = format!("{{\"messages\":[{}]}}", minified.join(","));
    let mut parser = PageParser::new(Limits::default());
    let mut scratch = Vec::new();
    let mut hashes = HashMap::new();
    for (round, window) in [body.len(), body.len(), 61].into_iter().enumerate() {
        let seen = each(&mut parser, &body, window, |index, message| {
            check_message(message, parsed(messages[index]));
            let hash = message.content_hash(&mut scratch);
            let surrogate = message.surrogate_id();
            assert_eq!(*hashes.entry(index).or_insert((hash, surrogate)), (hash, surrogate), "round {round}");
        });
        assert_eq!(seen, messages.len(), "every message is kept");
    }
    // Without its white space a message has the same hash.
    each(&mut parser, other_body.as_bytes(), 4096, |index, message| {
        assert_eq!(message.whole().raw(), minified[index]);
        assert_eq!(message.content_hash(&mut scratch), hashes[&index].0);
    });
}

fn parsed(message: &[u8]) -> Json<'_> {
    Json::parse(message).expect("a message is JSON")
}

fn each(
    parser: &mut PageParser,
    body: &[u8],
    window: usize,
    mut check: impl FnMut(usize, Message<'_>),
) -> usize {
    parser.reset();
    let mut index = 0;
    let mut drain = |parser: &mut PageParser| {
        while let Some(block) = parser.next_block() {
            assert!(block.rejects().is_empty(), "nothing is rejected: {:?}", block.rejects());
            for message in block.messages() {
                check(index, message);
                index += 1;
            }
            parser.recycle(block);
        }
    };
    for window in body.chunks(window) {
        parser.feed(window);
        drain(parser);
    }
    parser.finish(InputEnd::Complete);
    drain(parser);
    index
}

/// A field enum of the core, by its declared order and keys.
struct Fields<F: 'static> {
    all: &'static [F],
    key: fn(F) -> &'static str,
}

/// What a view has to offer, for [`check_object`].
struct View<'v, 'b, F> {
    value: &'v dyn Fn(F) -> Option<Value<'b>>,
    text: &'v dyn Fn(F) -> Option<korpus_core::Text<'b>>,
    is_repeated: &'v dyn Fn(F) -> bool,
    has_repeated: bool,
    others: Vec<OtherField<'b>>,
    whole: Value<'b>,
}

macro_rules! check_view {
    ($view:expr, $json:expr, $field:ident) => {{
        let (view, json) = ($view, $json);
        check_object(
            &View {
                value: &|field| view.value(field),
                text: &|field| view.text(field),
                is_repeated: &|field| view.is_repeated(field),
                has_repeated: view.has_repeated(),
                others: view.others().collect(),
                whole: view.whole(),
            },
            json,
            &Fields { all: $field::ALL, key: $field::key },
        );
        // Unknown keys can be asked for by name, the last one wins.
        let members = Members::of(json);
        for (key, values) in members.by_key.iter().take(8) {
            if let Ok(text) = std::str::from_utf8(key)
                && $field::ALL.iter().all(|field| field.key() != text)
            {
                assert_eq!(view.other(text).map(|v| v.raw()), values.last().map(|v| v.raw()));
            }
        }
    }};
}

/// The members of an object, in order and by key.
struct Members<'a> {
    all: Vec<(Json<'a>, Json<'a>)>,
    by_key: HashMap<Vec<u8>, Vec<Json<'a>>>,
}

impl<'a> Members<'a> {
    fn of(json: Json<'a>) -> Self {
        let all = json.members();
        let mut by_key: HashMap<_, Vec<_>> = HashMap::new();
        for (key, value) in &all {
            by_key.entry(key.text()).or_default().push(*value);
        }
        Self { all, by_key }
    }

    /// The values of one key, in order.
    fn values(&self, key: &str) -> &[Json<'a>] {
        self.by_key.get(key.as_bytes()).map_or(&[], Vec::as_slice)
    }
}

fn check_object<F: Copy + Debug>(view: &View<'_, '_, F>, json: Json<'_>, fields: &Fields<F>) {
    check_value(view.whole, json, 0);
    let members = Members::of(json);
    let mut repeated = false;
    let mut earlier = Vec::new();
    for &field in fields.all {
        let key = (fields.key)(field);
        let values = members.values(key);
        let value = (view.value)(field);
        assert_eq!(value.map(Value::raw), values.last().map(|value| value.raw()), "{field:?}");
        let text = (view.text)(field).map(|text| text.lossy().into_owned());
        let expected = values.last().filter(|value| value.kind() == JsonKind::String);
        assert_eq!(text, expected.map(|value| value.lossy_text().0), "{field:?}");
        if let (Some(value), Some(expected)) = (value, values.last()) {
            check_value(value, *expected, 2);
        }
        assert_eq!((view.is_repeated)(field), values.len() > 1, "{field:?}");
        repeated |= values.len() > 1;
        let found: Vec<_> = view
            .others
            .iter()
            .filter(|other| other.is_earlier && other.key.lossy() == key)
            .map(|other| other.value.raw())
            .collect();
        let lost: Vec<_> = values.iter().rev().skip(1).rev().map(|value| value.raw()).collect();
        assert_eq!(found, lost, "earlier values of {field:?}");
        earlier.extend(lost);
    }
    assert_eq!(view.has_repeated, repeated);
    assert_eq!(view.others.iter().filter(|other| other.is_earlier).count(), earlier.len());
    let is_known = |key: Json<'_>| fields.all.iter().any(|&f| (fields.key)(f).as_bytes() == key.text());
    let unknown: Vec<_> = members.all.iter().filter(|(key, _)| !is_known(*key)).collect();
    let found: Vec<_> = view.others.iter().filter(|other| !other.is_earlier).collect();
    assert_eq!(found.len(), unknown.len(), "as many unknown keys");
    for (other, (key, value)) in found.into_iter().zip(unknown) {
        assert_eq!(other.key.raw(), &key.raw()[1..key.raw().len() - 1], "keys are exact");
        check_text(other.key, *key);
        check_value(other.value, *value, 2);
    }
}

fn check_text(text: korpus_core::Text<'_>, json: Json<'_>) {
    let (expected, is_exact) = json.lossy_text();
    assert_eq!(text.lossy(), expected);
    assert_eq!(text.exact().is_some(), is_exact);
    assert_eq!(text.is_escaped(), json.raw().contains('\\'));
    assert_eq!(text.plain().is_some(), !text.is_escaped());
    assert_eq!(text.is_empty(), expected.is_empty());
    assert_eq!(text.is(&expected), is_exact);
}

/// Compares a value, and what stands in it `levels` deep.
fn check_value(value: Value<'_>, json: Json<'_>, levels: usize) {
    assert_eq!(value.raw(), json.raw());
    assert_eq!(value.is_null(), json.kind() == JsonKind::Null);
    assert_eq!(value.as_bool(), (json.kind() == JsonKind::Bool).then(|| json.raw() == "true"));
    assert_eq!(value.as_text().is_some(), json.kind() == JsonKind::String);
    if let Some(text) = value.as_text() {
        check_text(text, json);
    }
    let integer = json.raw().parse::<i64>().ok().filter(|number| number.to_string() == json.raw());
    assert_eq!(value.as_i64(), integer);
    let float = (json.kind() == JsonKind::Number).then(|| json.raw().parse::<f64>().expect("a number"));
    assert_eq!(value.as_f64().map(|(number, _)| number.to_bits()), float.map(f64::to_bits));
    if let Some((number, true)) = value.as_f64() {
        assert!(korpus_core::numbers_equal(&number.to_string(), json.raw()));
    }
    if levels == 0 {
        return;
    }
    let elements = json.elements();
    assert_eq!(value.elements().count(), elements.len());
    for (element, expected) in value.elements().zip(&elements) {
        check_value(element, *expected, levels - 1);
    }
    let members = json.members();
    assert_eq!(value.members().count(), members.len());
    for ((key, element), (expected_key, expected)) in value.members().zip(&members) {
        check_text(key, *expected_key);
        check_value(element, *expected, levels - 1);
    }
    let is_container = matches!(json.kind(), JsonKind::Array | JsonKind::Object);
    assert_eq!(value.is_empty_container(), is_container && elements.is_empty() && members.is_empty());
}

/// The last value of `key`, where it is of that kind.
fn last_of<'a>(json: Json<'a>, key: &str, kind: JsonKind) -> Option<Json<'a>> {
    let members = json.members();
    members
        .into_iter()
        .rfind(|(k, _)| k.text() == key.as_bytes())
        .map(|(_, v)| v)
        .filter(|v| v.kind() == kind)
}

/// The elements of the list at `key`, and whether it is one of objects only.
fn list_of<'a>(json: Json<'a>, key: &str) -> (Vec<Json<'a>>, bool) {
    let list = last_of(json, key, JsonKind::Array);
    let elements = list.map_or_else(Vec::new, Json::elements);
    let is_regular = list.is_some() && elements.iter().all(|element| element.kind() == JsonKind::Object);
    (elements, is_regular)
}

fn check_message(message: Message<'_>, json: Json<'_>) {
    check_view!(message, json, MessageField);
    let (components, is_regular) = list_of(json, "components");
    assert_eq!(message.is_regular_list(MessageField::Components), is_regular);
    assert_eq!(message.components().count(), components.len());
    for (component, json) in message.components().zip(components) {
        check_view!(component, json, ComponentField);
        assert_eq!(component.is_object(), json.kind() == JsonKind::Object);
        let data = last_of(json, "data", JsonKind::Object);
        assert_eq!(component.data().is_some(), data.is_some());
        if let (Some(data), Some(json)) = (component.data(), data) {
            check_view!(data, json, DataField);
        }
        let text = data.and_then(|data| last_of(data, "text", JsonKind::String));
        assert_eq!(component.data_text().map(|text| text.raw().len() + 2), text.map(|text| text.raw().len()));
        let (thumbnails, is_regular) = list_of(json, "thumbnails");
        assert_eq!(component.has_regular_thumbnails(), is_regular);
        assert_eq!(component.thumbnails().count(), thumbnails.len());
        for (thumbnail, json) in component.thumbnails().zip(thumbnails) {
            check_view!(thumbnail, json, ThumbnailField);
        }
    }
    let (channels, is_regular) = list_of(json, "channels");
    assert_eq!(message.is_regular_list(MessageField::Channels), is_regular);
    assert_eq!(message.channels().count(), channels.len());
    for (channel, json) in message.channels().zip(channels) {
        check_view!(channel, json, ChannelField);
    }
    let tags = last_of(json, "tags", JsonKind::Object);
    assert_eq!(message.tags().is_some(), tags.is_some());
    if let (Some(tags), Some(json)) = (message.tags(), tags) {
        check_view!(tags, json, TagsField);
        for &scope in TagsField::ALL {
            let (expected, is_regular) = list_of(json, scope.key());
            assert_eq!(tags.is_regular_scope(scope), is_regular);
            assert_eq!(tags.scope(scope).count(), expected.len());
            for (tag, json) in tags.scope(scope).zip(expected) {
                check_view!(tag, json, TagField);
            }
        }
    }
    let author = last_of(json, "author", JsonKind::Object);
    assert_eq!(message.author().is_some(), author.is_some());
    if let (Some(author), Some(json)) = (message.author(), author) {
        check_view!(author, json, AuthorField);
    }
    let latency = last_of(json, "latency", JsonKind::Object);
    assert_eq!(message.latency().is_some(), latency.is_some());
    if let (Some(latency), Some(json)) = (message.latency(), latency) {
        check_view!(latency, json, LatencyField);
        for &part in LatencyField::ALL {
            let expected =
                last_of(json, part.key(), JsonKind::Object).filter(|_| part != LatencyField::TotalMs);
            assert_eq!(latency.part(part).is_some(), expected.is_some());
            if let (Some(part), Some(json)) = (latency.part(part), expected) {
                check_view!(part, json, LatencyPartField);
            }
        }
    }
    check_whole(message, json);
}

/// What follows from all keys together: form, richness, whether there is an id.
fn check_whole(message: Message<'_>, json: Json<'_>) {
    let members = Members::of(json);
    let has = |key: &str| !members.values(key).is_empty();
    let full = [
        "channels",
        "createdBy",
        "tags",
        "timestampValue",
        "orgId",
        "accountId",
        "lmodifiedOn",
        "__lModifiedOn__",
    ];
    let form = match (has("components") || has("_id"), has("text") || has("timestamp")) {
        (true, _) if has("_id") && has("botId") && !full.into_iter().any(has) => "lite",
        (false, true) => "call",
        _ => "full",
    };
    assert_eq!(message.form().as_str(), form);
    let id = last_of(json, "_id", JsonKind::String);
    assert_eq!(message.surrogate_id().is_none(), id.is_some_and(|id| (3..=1026).contains(&id.raw().len())));
    let is_filled = |value: &Json<'_>| !matches!(value.minified().as_str(), "null" | "\"\"" | "[]" | "{}");
    // A known key counts once, by its last value; an unknown one as often as it stands there.
    let is_known =
        |key: &Json<'_>| MessageField::ALL.iter().any(|field| field.key().as_bytes() == key.text());
    let known = MessageField::ALL.iter().filter_map(|field| members.values(field.key()).last().copied());
    let unknown = members.all.iter().filter(|(key, _)| !is_known(key)).map(|(_, value)| *value);
    let filled = known.chain(unknown).filter(is_filled).count();
    assert_eq!(message.richness() as usize, filled);
}
