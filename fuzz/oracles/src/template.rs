//! Texts and the payloads hidden in them: what the core finds is what a naive walk over `serde_json` values finds.

use std::collections::HashSet;

use korpus_core::{
    Action, ClassifiedText, Element, Limits, Reason, Scratch, Template, TemplateVisitor, TextKind,
    normalize_template_type,
};

use crate::json::{Json, JsonKind};

/// Classifies the text in `data` and walks what it hides.
///
/// # Panics
/// If the core and the naive walk disagree.
pub fn template(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        template_of(text);
    }
}

/// Classifies a text, walks what it hides, and gives what was found.
///
/// # Panics
/// If the core and the naive walk disagree.
pub fn template_of(text: &str) -> Shown {
    let scratch = Scratch::new(&Limits::default());
    let classified = scratch.classify_str(text);
    let shown = Shown::new(&classified);
    assert_eq!(classified.raw(), text);
    assert!(!classified.is_lossy());
    assert!(!classified.is_verbatim() || classified.visible() == Some(text));
    if let Some(error) = classified.decode_error() {
        assert!(error.offset <= text.len() && text.is_char_boundary(error.offset));
        if matches!(error.reason, Reason::TooDeep | Reason::TooLarge) {
            return shown;
        }
    }
    let trimmed = text.trim();
    let object = object_in(trimmed);
    match shown.kind {
        TextKind::Empty => assert!(trimmed.is_empty()),
        TextKind::Malformed => assert!(begins_like_json(trimmed) && object.is_none()),
        TextKind::Ssml => assert!(trimmed.contains('<') && !begins_like_json(trimmed)),
        TextKind::Plain => {
            assert!(!trimmed.is_empty() && !begins_like_json(trimmed));
            assert_eq!(shown.visible, Some(unescaped(text)));
        }
        _ => {
            let object = object.expect("the core takes apart what is JSON");
            let mut root = V::read(Json::parse(object.as_bytes()).expect("checked before"));
            open_payloads(&mut root);
            let mut naive = Naive { root: &root, shown: Shown::default() };
            naive.walk();
            let found = Shown { leftovers: Vec::new(), ..shown.clone() };
            assert_eq!(found, naive.shown);
            check_leftovers(&root, &shown);
        }
    }
    shown
}

/// Columns of text.
pub type Columns<const N: usize> = [Option<String>; N];
/// A form's columns of text, and its two expiries.
pub type FormRow = (Columns<5>, [Option<i64>; 2]);
/// An element: pointer, element around it, title, subtitle, value and image, and its list of values.
pub type ElementRow = (String, Option<usize>, Columns<4>, Option<Vec<Option<String>>>);
/// An action: pointer, element around it, kind, and its type, title, payload, value and address.
pub type ActionRow = (String, Option<usize>, &'static str, Columns<5>);

/// What a text shows, in comparable form.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// What it is.
    pub kind: TextKind,
    /// What a person sees.
    pub visible: Option<String>,
    /// `type` of the envelope, `template_type`, and the same normalised.
    pub types: [Option<String>; 3],
    /// The form that it leads to.
    pub form: Option<FormRow>,
    /// The verbs of a voice command.
    pub verbs: Vec<String>,
    /// Its elements, in order.
    pub elements: Vec<ElementRow>,
    /// Its actions, in order.
    pub actions: Vec<ActionRow>,
    /// What no column holds: pointer and raw JSON.
    pub leftovers: Vec<(String, String)>,
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            kind: TextKind::Json,
            visible: None,
            types: [None, None, None],
            form: None,
            verbs: Vec::new(),
            elements: Vec::new(),
            actions: Vec::new(),
            leftovers: Vec::new(),
        }
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl TemplateVisitor for Shown {
    fn element(&mut self, e: &Element<'_, '_>) {
        assert_eq!(e.index, self.elements.len());
        assert_eq!(e.path.rsplit_once('/').map(|(parent, _)| parent), Some(e.parent_path));
        let columns = [e.title, e.subtitle, e.value, e.image_url].map(owned);
        let list = e.value_list.map(|list| list.iter().map(|&cell| owned(cell)).collect());
        self.elements.push((e.path.to_owned(), e.parent, columns, list));
    }

    fn action(&mut self, a: &Action<'_, '_>) {
        assert_eq!(a.index, self.actions.len());
        assert_eq!(a.path.rsplit_once('/').map(|(parent, _)| parent), Some(a.parent_path));
        let columns = [a.action_type, a.title, a.payload, a.value, a.url].map(owned);
        self.actions.push((a.path.to_owned(), a.element, a.kind.as_str(), columns));
    }
}

impl Shown {
    /// Reads everything that the core says of a text.
    pub fn new(classified: &ClassifiedText<'_>) -> Self {
        let mut shown =
            Self { kind: classified.kind(), visible: owned(classified.visible()), ..Self::default() };
        if let Some(template) = classified.template() {
            shown.read(template);
        }
        shown
    }

    fn read(&mut self, template: Template<'_>) {
        self.types =
            [template.envelope_type(), template.template_type(), template.template_type_norm()].map(owned);
        self.form = template.form().map(|form| {
            let texts = [form.form_id, form.name, form.display_name, form.link, form.render_type].map(owned);
            (texts, [form.link_expiry, form.submit_expiry])
        });
        self.verbs = template.voice_verbs().map(str::to_owned).collect();
        template.visit(self);
        assert_eq!(template.count(), (self.elements.len(), self.actions.len()));
        let leftovers = &mut self.leftovers;
        template.for_each_leftover(|pointer, raw| leftovers.push((pointer.to_owned(), raw.to_owned())));
    }

    /// Every text that a column holds.
    fn columns(&self) -> HashSet<&str> {
        let form = self.form.iter().flat_map(|(texts, _)| texts.iter().flatten());
        let elements = self.elements.iter().flat_map(|(_, _, columns, list)| {
            columns.iter().flatten().chain(list.iter().flatten().flatten())
        });
        let actions = self.actions.iter().flat_map(|(_, _, _, columns)| columns.iter().flatten());
        let texts = self.visible.iter().chain(self.types.iter().flatten()).chain(&self.verbs);
        texts.chain(form).chain(elements).chain(actions).map(String::as_str).collect()
    }
}

/// A JSON value, read as simply as can be.
#[derive(Debug, Clone)]
struct V {
    kind: JsonKind,
    raw: String,
    /// The text of a string, with U+FFFD for lone surrogates, and whether there was none.
    text: String,
    exact: bool,
    /// Its key with its quotes; empty in an array.
    key: String,
    /// Key, whether a later one is the same, and value; keys of an array are its indexes.
    inside: Vec<(String, bool, V)>,
}

impl V {
    fn read(json: Json<'_>) -> Self {
        let kind = json.kind();
        let (text, exact) = if kind == JsonKind::String { json.lossy_text() } else { (String::new(), false) };
        let mut inside = Vec::new();
        for (i, element) in json.elements().into_iter().enumerate() {
            inside.push((i.to_string(), false, Self::read(element)));
        }
        let members = json.members();
        for (i, (key, value)) in members.iter().enumerate() {
            let shadowed = members[i + 1..].iter().any(|(later, _)| later.text() == key.text());
            let name = match key.lossy_text() {
                (name, true) => name,
                _ => key.raw()[1..key.raw().len() - 1].to_owned(),
            };
            let key = if key.lossy_text().1 { json_string(&name) } else { key.raw().to_owned() };
            inside.push((name, shadowed, Self { key, ..Self::read(*value) }));
        }
        Self { kind, raw: json.raw().to_owned(), text, exact, key: String::new(), inside }
    }

    fn is(&self, kind: JsonKind) -> bool {
        self.kind == kind
    }

    fn is_container(&self) -> bool {
        self.is(JsonKind::Array) || self.is(JsonKind::Object)
    }

    fn get(&self, key: &str) -> Option<&Self> {
        let members = self.inside.iter().filter(|_| self.is(JsonKind::Object));
        members.filter(|(name, shadowed, _)| name == key && !shadowed).map(|(_, _, value)| value).next()
    }

    fn string(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|value| value.is(JsonKind::String)).map(|value| value.text.as_str())
    }

    fn items(&self) -> impl Iterator<Item = &Self> {
        self.inside.iter().filter(|_| self.is(JsonKind::Array)).map(|(_, _, value)| value)
    }

    fn scalar(&self) -> Option<String> {
        match self.kind {
            JsonKind::String => Some(self.text.clone()),
            JsonKind::Number | JsonKind::Bool => Some(self.raw.clone()),
            _ => None,
        }
    }

    /// Any value but null as text.
    fn any(&self) -> Option<String> {
        if self.is_container() { Some(self.compact()) } else { self.scalar() }
    }

    fn compact(&self) -> String {
        let inside = self.inside.iter().map(|(_, _, value)| {
            if self.is(JsonKind::Array) {
                value.compact()
            } else {
                format!("{}:{}", value.key, value.compact())
            }
        });
        let inside = inside.collect::<Vec<_>>().join(",");
        match self.kind {
            JsonKind::Array => format!("[{inside}]"),
            JsonKind::Object => format!("{{{inside}}}"),
            JsonKind::String if self.exact => json_string(&self.text),
            _ => self.raw.clone(),
        }
    }

    /// What can be read of a title or a value.
    fn title(&self) -> Option<String> {
        self.scalar().or_else(|| {
            let named = self.string("type").and_then(|name| self.get(name));
            [named, self.get("text"), self.get("title")].into_iter().flatten().find_map(|inner| {
                if inner.is(JsonKind::Object) {
                    inner.get("title").or_else(|| inner.get("text"))?.scalar()
                } else {
                    inner.scalar()
                }
            })
        })
    }

    fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.get(key).is_some_and(|value| !value.is(JsonKind::Null)))
    }
}

fn json_string(text: &str) -> String {
    let mut out = String::new();
    korpus_core::write_json_string(text, &mut out);
    out
}

fn begins_like_json(trimmed: &str) -> bool {
    ["{", "&quot;{", "&#34;{"].iter().any(|start| trimmed.starts_with(start))
}

/// The JSON object that a text is, if it is one.
fn object_in(trimmed: &str) -> Option<String> {
    if !begins_like_json(trimmed) {
        return None;
    }
    let object = |text: &str| {
        let text = text.trim();
        Json::parse(text.as_bytes()).filter(|json| json.kind() == JsonKind::Object).map(|_| text.to_owned())
    };
    let decoded = unescaped(trimmed);
    object(trimmed).or_else(|| object(&decoded)).or_else(|| {
        let quoted = decoded.strip_prefix('"')?;
        match Json::parse(decoded.as_bytes()) {
            Some(string) => object(&string.lossy_text().0),
            None => object(quoted.trim_end().strip_suffix('"').unwrap_or(quoted)),
        }
    })
}

/// HTML entities decoded, once.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let entity =
            rest.strip_prefix('&').and_then(|after| after.split_once(';')).and_then(|(name, after)| {
                let code = match name {
                    "quot" => return Some(('"', after)),
                    "amp" => return Some(('&', after)),
                    "lt" => return Some(('<', after)),
                    "gt" => return Some(('>', after)),
                    "apos" => return Some(('\'', after)),
                    "nbsp" => return Some(('\u{a0}', after)),
                    _ => name.strip_prefix('#')?,
                };
                let (digits, radix) = code.strip_prefix(['x', 'X']).map_or((code, 10), |digits| (digits, 16));
                let plain = digits.len() <= 8 && digits.chars().all(|c| c.is_digit(radix));
                let code = u32::from_str_radix(digits, radix).ok().filter(|&code| plain && code != 0)?;
                Some((char::from_u32(code)?, after))
            });
        let (c, after) = entity.unwrap_or((c, &rest[c.len_utf8()..]));
        out.push(c);
        rest = after;
    }
    out
}

/// Puts in the place of payloads that are strings the objects that they hold.
fn open_payloads(root: &mut V) {
    let mut decodings = 0;
    let mut envelope = root;
    loop {
        let key = ["payload", "pay load"].into_iter().find(|key| envelope.get(key).is_some());
        let Some(key) = key else { return };
        let members = envelope.inside.iter_mut();
        let Some((_, _, payload)) = members.rev().find(|(name, shadowed, _)| name == key && !shadowed) else {
            return;
        };
        if payload.is(JsonKind::String) {
            let (mut text, mut exact) = (payload.text.clone(), payload.exact);
            while exact && text.trim_start().starts_with(['{', '"']) && decodings < 4 {
                decodings += 1;
                let Some(json) = Json::parse(text.trim().as_bytes()) else { break };
                if json.kind() == JsonKind::Object {
                    *payload = V::read(json);
                    break;
                }
                (text, exact) = json.lossy_text();
            }
        }
        if !payload.is(JsonKind::Object) || payload.get("template_type").is_some() {
            return;
        }
        envelope = payload;
    }
}

struct Naive<'a> {
    root: &'a V,
    shown: Shown,
}

impl Naive<'_> {
    fn walk(&mut self) {
        let root = self.root;
        let mut payload = None;
        let mut at = root;
        while let Some(next) = at.get("payload").or_else(|| at.get("pay load")) {
            payload = Some(next);
            if !next.is(JsonKind::Object) || next.get("template_type").is_some() {
                break;
            }
            at = next;
        }
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
        let form = [root, content]
            .into_iter()
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
        let shown = |value: &V| value.title().filter(|text| !text.trim().is_empty());
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
                if payload.text.trim_start().starts_with('{') { None } else { shown(payload) }
            })
            .or_else(|| shown(root.get("text")?))
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
                    true if before == "\"button\"" && !says_something(place.key) => "buttons",
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
            before = &child.raw;
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

/// Every scalar and empty container is in a column, or left over under its pointer with its own bytes.
fn check_leftovers(root: &V, shown: &Shown) {
    fn scalars<'v>(node: &'v V, pointer: &str, all: bool, found: &mut Vec<(String, &'v V, bool)>) {
        for (key, shadowed, child) in &node.inside {
            let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
            let all = all || *shadowed;
            if child.inside.is_empty() {
                found.push((pointer, child, all));
            } else {
                scalars(child, &pointer, all, found);
            }
        }
    }
    if shown.leftovers.last().is_some_and(|(pointer, _)| pointer.is_empty()) {
        return;
    }
    let mut all = Vec::new();
    scalars(root, "", false, &mut all);
    let columns = shown.columns();
    let mut left = shown.leftovers.iter().peekable();
    for (pointer, value, is_shadowed) in all {
        if left.next_if(|(at, raw)| *at == pointer && *raw == value.raw).is_some() {
            continue;
        }
        assert!(!is_shadowed, "an earlier value is in no column: {pointer}");
        let is_expiry = value.is(JsonKind::Number) && pointer.contains("/formData/");
        let in_column = value.is(JsonKind::String) && value.exact && columns.contains(value.text.as_str());
        assert!(is_expiry || in_column, "lost: {pointer}");
    }
    assert_eq!(left.next(), None, "left over, but not there");
}
