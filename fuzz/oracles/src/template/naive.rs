//! A walk over a payload that is as plain as its rules: what it finds, the core must find.

use korpus_core::{Limits, Scratch, TextKind, normalize_template_type};

use super::value::{V, begins_like_payload, container_in, json_in, trimmed};
use super::{Shown, owned};
use crate::json::{Json, JsonKind};

/// What a naive walk finds in a text that is the JSON object `object`, and the object with its payloads opened.
pub(super) fn shown_in(object: &str) -> (V, Shown) {
    let mut root = V::read(Json::parse(object.as_bytes()).expect("checked before"));
    open_payloads(&mut root);
    let mut naive = Naive { root: &root, shown: Shown::default() };
    naive.walk();
    let shown = naive.shown;
    (root, shown)
}

/// Puts in the place of payloads that are strings the objects that they hold.
fn open_payloads(root: &mut V) {
    let mut decodings = 0;
    let mut envelope = root;
    loop {
        let Some(key) = payload_key(envelope) else { return };
        let members = envelope.inside.iter_mut();
        let Some((_, _, payload)) = members.rev().find(|(name, shadowed, _)| name == key && !shadowed) else {
            return;
        };
        if payload.is(JsonKind::String) {
            let mut text = payload.json.clone();
            while decodings < 4 {
                decodings += 1;
                let trimmed = trimmed(&text);
                if begins_like_payload(trimmed) {
                    if let Some(found) = container_in(trimmed) {
                        *payload = V::read(Json::parse(found.as_bytes()).expect("read before"));
                    }
                    break;
                }
                let Some(json) =
                    Json::parse(trimmed.as_bytes()).filter(|json| json.kind() == JsonKind::String)
                else {
                    break;
                };
                text = json_in(&json.text());
            }
        }
        if !payload.is(JsonKind::Object) || payload.get("template_type").is_some() {
            return;
        }
        envelope = payload;
    }
}

/// The key of an envelope's payload.
fn payload_key(envelope: &V) -> Option<&'static str> {
    let keys = ["payload", "pay load"].into_iter().filter(|key| envelope.get(key).is_some());
    keys.clone().find(|key| !envelope.get(key).is_some_and(is_empty)).or_else(|| keys.clone().next())
}

/// Whether a value holds nothing: null, a blank text without escapes, a container without anything in it.
fn is_empty(value: &V) -> bool {
    value.is(JsonKind::Null)
        || value.is(JsonKind::String) && value.raw.trim_matches('"').trim().is_empty()
        || value.is_container() && value.inside.is_empty()
}

struct Naive<'a> {
    root: &'a V,
    shown: Shown,
}

impl Naive<'_> {
    fn walk(&mut self) {
        let root = self.root;
        let shown = |value: &V| value.title().filter(|text| !text.trim().is_empty());
        let mut payloads = Vec::new();
        let mut at = root;
        while let Some(key) = payload_key(at) {
            at = at.get(key).expect("found before");
            if !payloads.is_empty() && is_empty(at) {
                break;
            }
            payloads.push(at);
            if !at.is(JsonKind::Object) || at.get("template_type").is_some() {
                break;
            }
        }
        if payloads.last().is_some_and(|last| last.get("template_type").is_none()) {
            let keys = ["text", "text_message", "title", "heading"];
            let says = |payload: &&V| {
                let mut elements = Naive { root, shown: Shown::default() };
                elements.children(payload, "", Place::default());
                let titles =
                    elements.shown.elements.into_iter().filter_map(|(_, _, columns, _)| columns[0].clone());
                keys.iter().any(|key| payload.get(key).and_then(shown).is_some())
                    || snippets(payload).is_some()
                    || titles.into_iter().any(|title| !title.trim().is_empty())
            };
            if let Some(outermost) = payloads.iter().position(says) {
                payloads.truncate(outermost + 1);
            }
        }
        let payload = payloads.last().copied();
        let content = payload.filter(|payload| payload.is(JsonKind::Object)).unwrap_or(root);
        let kind = root.string("type").map(str::trim);
        let is_verb = |verb: &V| verb.get("verb").is_some();
        self.shown.kind = match kind {
            Some(kind) if kind.eq_ignore_ascii_case("template") => TextKind::Template,
            _ if payload.is_some_and(|payload| payload.get("template_type").is_some()) => TextKind::Template,
            Some("message" | "error" | "image" | "audio" | "video" | "link" | "document" | "attachment")
                if payload.is_some_and(|payload| !payload.is(JsonKind::Null)) =>
            {
                TextKind::Message
            }
            Some("command") if root.get("data").is_some_and(|data| data.items().any(is_verb)) => {
                TextKind::VoiceCommand
            }
            _ if root.string("text").is_some() => TextKind::WrappedText,
            _ => TextKind::Json,
        };
        let template_type = content.string("template_type");
        let norm = template_type.map(|name| {
            let mut norm = String::new();
            normalize_template_type(name, &mut norm);
            norm
        });
        let is_date = norm.as_deref().is_some_and(|norm| ["date", "daterange", "clock"].contains(&norm));
        self.shown.types = [owned(root.string("type")), owned(template_type), norm];
        let form = std::iter::once(root)
            .chain(payloads.iter().copied())
            .find_map(|node| node.get("formData").filter(|f| f.is(JsonKind::Object)));
        self.shown.form = form.map(|form| {
            let texts = ["formId", "name", "displayName", "formLink", "renderType"];
            let number = |key| {
                let raw = &form.get(key).filter(|value| value.is(JsonKind::Number))?.raw;
                raw.parse::<i64>().ok().filter(|_| raw != "-0")
            };
            (texts.map(|key| owned(form.string(key))), ["formLinkExpiry", "submitExpiry"].map(number))
        });
        self.children(root, "", Place::default());
        if self.shown.kind == TextKind::VoiceCommand {
            let data = root.get("data").expect("it has verbs");
            self.shown.verbs = data.items().filter_map(|verb| owned(verb.string("verb"))).collect();
            let mut said = Vec::new();
            say(data, false, &mut said);
            self.shown.visible = (!said.is_empty()).then(|| said.join("\n"));
            return;
        }
        let keys = if is_date {
            ["text_message", "text", "title", "heading"]
        } else {
            ["text", "text_message", "title", "heading"]
        };
        let titles = self.shown.elements.iter().filter_map(|(_, _, columns, _)| columns[0].clone());
        let titles: Vec<_> = titles.filter(|title| !title.trim().is_empty()).collect();
        self.shown.visible = keys
            .iter()
            .find_map(|key| shown(content.get(key)?))
            .or_else(|| {
                let payload = payload.filter(|payload| payload.is(JsonKind::String))?;
                let text = trimmed(&payload.text);
                let is_json = begins_like_payload(text) && container_in(text).is_some();
                if is_json { None } else { shown(payload) }
            })
            .or_else(|| payloads.iter().rev().skip(1).find_map(|payload| shown(payload.get("text")?)))
            .or_else(|| shown(root.get("text")?))
            .or_else(|| snippets(content))
            .or_else(|| (!titles.is_empty()).then(|| titles.join("\n")));
    }

    fn children(&mut self, node: &V, pointer: &str, place: Place<'_>) {
        let is_array = node.is(JsonKind::Array);
        let mut before = "";
        for (key, shadowed, child) in &node.inside {
            let is_sent =
                place.in_action && !is_array && ["payload", "value", "postback"].contains(&key.as_str());
            if child.is_container() && !shadowed && !is_sent {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                let is_object = child.is(JsonKind::Object);
                let key = match is_array {
                    // Arrays in arrays are cells: what they hold is under no key.
                    true if !is_object => "",
                    true if before == "button" && !says_something(place.key) => "buttons",
                    true => place.key,
                    false if place.in_tabs && !is_object => "elements",
                    false => key,
                };
                let here = Place { key, in_tabs: false, ..place };
                if is_object {
                    self.object(child, &pointer, here, is_array);
                } else {
                    self.children(child, &pointer, here);
                }
            }
            before = &child.text;
        }
    }

    fn object(&mut self, node: &V, pointer: &str, place: Place<'_>, is_item: bool) {
        let mut element = place.element;
        let titled = node.has(&["title", "label"]);
        let targeted = node.has(&["payload", "value", "url", "postback"]);
        let by_key = action_key(place.key);
        let says = matches!(node.string("type"), Some("postback" | "url" | "web_url"))
            && titled
            && ["payload", "value", "url"]
                .iter()
                .any(|key| node.get(key).is_some_and(|v| v.scalar().is_some()));
        let maybe = matches!(place.key, "headerOptions" | "actions") && titled && targeted;
        let kind = by_key.filter(|_| titled || targeted).or((maybe || says).then_some("button"));
        if is_item && is_element_key(place.key) {
            self.element(node, pointer, place.element);
            element = Some(self.shown.elements.len() - 1);
        }
        if let Some(kind) = kind {
            self.action(node, pointer, kind, element);
        }
        let in_tabs = place.key == "moreData" && !is_item;
        self.children(node, pointer, Place { key: "", in_tabs, element, in_action: kind.is_some() });
    }

    fn element(&mut self, node: &V, pointer: &str, parent: Option<usize>) {
        let titles = ["title", "label", "heading", "sectionHeader", "collectionTitle", "cardHeading", "text"];
        let title = titles.iter().find_map(|key| node.get(key)?.title());
        let scalar = |key: &str| node.get(key).and_then(V::scalar);
        let typed = node.get("title").filter(|title| title.is(JsonKind::Object));
        let inner = typed.map(|t| t.string("type").and_then(|name| t.get(name)).unwrap_or(t));
        let subtitle =
            scalar("subtitle").or_else(|| scalar("description")).or_else(|| scalar("sectionHeaderDesc"));
        let subtitle = subtitle.or_else(|| inner?.get("subtitle")?.scalar());
        let source = |image: &V| {
            image
                .get("image_src")
                .or_else(|| image.get("image_url"))
                .map_or_else(|| image.scalar(), V::scalar)
        };
        let image = match (
            node.get("image_url"),
            node.get("image"),
            node.get("title").and_then(|t| t.get("image")),
        ) {
            (Some(image), _, _) => image.scalar(),
            (None, Some(image), _) | (None, None, Some(image)) => source(image),
            (None, None, None) => None,
        };
        let first = |cell: &V| {
            if cell.is(JsonKind::Array) { cell.items().next().and_then(V::scalar) } else { cell.scalar() }
        };
        let values = node.get("values").or_else(|| node.get("Values")).filter(|v| v.is(JsonKind::Array));
        let primary = node.get("primary").filter(|v| v.is(JsonKind::Array));
        let mut list: Vec<Option<String>> = Vec::new();
        if let Some(values) = values {
            list.extend(values.items().filter(|cell| !cell.is(JsonKind::Object)).map(first));
        } else if let Some(primary) = primary {
            list.extend(primary.items().map(first));
            for row in node.get("additional").into_iter().flat_map(V::items) {
                list.extend(row.items().map(V::scalar));
            }
        }
        let value = node.get("value").and_then(V::title);
        let list = (!list.is_empty()).then_some(list);
        self.shown.elements.push((pointer.to_owned(), parent, [title, subtitle, value, image], list));
    }

    fn action(&mut self, node: &V, pointer: &str, kind: &'static str, element: Option<usize>) {
        let postback = node.get("postback");
        let sent = postback.and_then(|postback| {
            if postback.is(JsonKind::Object) {
                postback.get("payload").or_else(|| postback.get("value"))
            } else {
                Some(postback)
            }
        });
        let kinds = ["type", "content_type", "contenttype"].iter().find_map(|key| node.get(key));
        let url = node.get("url").map(|url| url.get("link").or_else(|| url.get("url")).unwrap_or(url));
        let columns = [
            kinds.and_then(V::scalar),
            ["title", "label"].iter().find_map(|key| node.get(key)?.title()),
            node.get("payload").or(sent).and_then(V::any),
            node.get("value").and_then(V::any),
            url.and_then(V::scalar),
        ];
        self.shown.actions.push((pointer.to_owned(), element, kind, columns));
    }
}

/// Where the naive walk is.
#[derive(Debug, Clone, Copy, Default)]
struct Place<'a> {
    /// The key that the value stands under, or the array around it.
    key: &'a str,
    in_tabs: bool,
    element: Option<usize>,
    in_action: bool,
}

fn action_key(key: &str) -> Option<&'static str> {
    match key {
        "quick_replies" | "quickReplies" => Some("quick_reply"),
        "default_action" | "defaultAction" => Some("default_action"),
        "radioOptions" | "dropdownOptions" | "menu" => Some("option"),
        "postback" => Some("postback"),
        "buttons" | "button" => Some("button"),
        _ => ["Buttons", "_buttons", "Button", "_button"]
            .iter()
            .any(|end| key.ends_with(end))
            .then_some("button"),
    }
}

fn is_element_key(key: &str) -> bool {
    const KEYS: &[&str] = &[
        "elements cards listItems items rowItems options optionsData tasks collection collections subElements",
        "formFields details textInformation subInformation tableListData rowData values cardDescription",
        "feedbackList starArrays smileyArrays numbersArrays thumpsUpDownArrays thumbsUpDownArrays",
    ];
    KEYS.iter().flat_map(|keys| keys.split(' ')).any(|known| known == key)
        || ["Elements", "_elements", "Items", "_items", "Cards", "_cards"]
            .iter()
            .any(|end| key.ends_with(end))
}

fn says_something(key: &str) -> bool {
    action_key(key).is_some()
        || is_element_key(key)
        || matches!(key, "headerOptions" | "actions" | "moreData")
}

/// The pieces of an answer made from documents.
fn snippets(content: &V) -> Option<String> {
    ["answer_payload", "graph_answer"].iter().find_map(|key| snippets_of(content.get(key)?))
}

fn snippets_of(answer: &V) -> Option<String> {
    let answer = answer.get("payload").unwrap_or(answer);
    let data = answer.get("center_panel")?.get("data")?;
    let snippets = data.items().filter_map(|data| data.get("snippet_content"));
    let pieces = snippets.flat_map(|snippet| {
        let inside = snippet.items().map(|piece| piece.get("answer_fragment").unwrap_or(piece));
        std::iter::once(snippet).chain(inside)
    });
    let texts = pieces.filter(|piece| piece.is(JsonKind::String)).map(|piece| piece.text.clone());
    let texts: Vec<_> = texts.filter(|text| !text.trim().is_empty()).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

fn say(node: &V, is_say: bool, said: &mut Vec<String>) {
    let is_say = is_say || node.string("verb") == Some("say");
    for (key, shadowed, child) in &node.inside {
        if *shadowed {
            continue;
        }
        if is_say && node.is(JsonKind::Object) && key == "text" {
            let texts = if child.is(JsonKind::String) { vec![child] } else { child.items().collect() };
            for text in texts.into_iter().filter(|text| text.is(JsonKind::String)) {
                // Tags are what the core's own tests look at: here, a text with any is only passed on.
                let scratch = Scratch::new(&Limits::default());
                let spoken = format!("<speak>{}</speak>", text.text);
                let spoken = scratch.classify_str(&spoken).visible().map(str::to_owned).unwrap_or_default();
                if !spoken.is_empty() {
                    said.push(spoken);
                }
            }
        } else if child.is_container() {
            let in_list = is_say && node.is(JsonKind::Array);
            let named = node.is(JsonKind::Object) && key == "say";
            say(child, named || in_list, said);
        }
    }
}
