//! What is declared as read is read, and keys are documented at their depth.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{Limits, Scratch};

/// What a payload would look like that has all of some paths.
#[derive(Default)]
struct Shape {
    is_scalar: bool,
    members: BTreeMap<&'static str, Shape>,
    items: Option<Box<Shape>>,
}

impl Shape {
    fn add(&mut self, path: &'static str, take_known: bool) {
        if let Some(inside) = path.strip_prefix("[]") {
            return self.items.get_or_insert_default().add(inside, take_known);
        }
        let path = path.strip_prefix('.').unwrap_or(path);
        if path.is_empty() {
            self.is_scalar = true;
        } else if let Some(group) = path.strip_prefix('@') {
            let group = KeyGroup::find(group).unwrap();
            group.read.iter().for_each(|path| self.add(path, take_known));
            let known = group.known.iter().filter(|_| take_known);
            // A target of another type than text takes the place of the text.
            known.filter(|path| !path.ends_with("**")).for_each(|path| self.add(path, take_known));
        } else {
            let (key, inside) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
            let key = if key.starts_with('*') { "any" } else { key };
            self.members.entry(key).or_default().add(inside, take_known);
        }
    }

    /// All values there are for this place.
    fn values(&self, key: &str) -> Vec<serde_json::Value> {
        let mut values = Vec::new();
        if self.is_scalar {
            values.push(if key == "type" { "postback".into() } else { format!("a {key}").into() });
        }
        if !self.members.is_empty() {
            let members = self.members.iter();
            let members = members.map(|(key, tree)| ((*key).to_owned(), tree.values(key).remove(0)));
            let mut object = serde_json::Value::Object(members.collect());
            if let Some(kind) = object.get_mut("type") {
                *kind = if self.members.contains_key("text") { "text".into() } else { "postback".into() };
            }
            values.push(object);
        }
        if let Some(items) = &self.items {
            values.push(serde_json::Value::Array(items.values(key)));
        }
        values
    }
}

/// The path of a JSON pointer: none of the keys here is a number.
fn path_of(pointer: &str) -> Vec<PathStep<'_>> {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = pointer.split('/').skip(1);
    parts.map(|part| if is_index(part) { PathStep::Item } else { PathStep::Key(part) }).collect()
}

/// Whether a pointer is at a path or on the way to it.
fn matches(path: &'static str, pointer: &str) -> bool {
    Tree::of([&[path], &[]]).has(&path_of(pointer))
}

/// The pointers of what no column holds, in a payload with the given paths.
fn leftovers(known: &TemplateType, take_known: bool) -> BTreeSet<String> {
    let name = known.name;
    let mut tree = Shape::default();
    known.read.iter().for_each(|path| tree.add(path, take_known));
    // The type of a title or value says under which key it stands.
    let known = known.known.iter().filter(|path| take_known || path.ends_with("e.type"));
    known.for_each(|path| tree.add(path, take_known));
    tree.add("template_type", take_known);
    let mut payload = tree.values("").remove(0);
    payload["template_type"] = name.into();
    let text = serde_json::json!({"type": "template", "payload": payload}).to_string();
    let scratch = Scratch::new(&Limits::default());
    let mut left = BTreeSet::new();
    let template = scratch.classify_str(&text).template().unwrap();
    template.for_each_leftover(|pointer, _| {
        left.insert(pointer.strip_prefix("/payload").unwrap().to_owned());
    });
    left
}

#[test]
fn what_is_declared_as_read_is_read_and_the_rest_is_known() {
    for known in TEMPLATE_TYPES {
        for pointer in leftovers(known, false) {
            let is_type = known.known.iter().any(|path| path.ends_with("e.type") && matches(path, &pointer));
            assert!(is_type, "{} does not read {pointer}", known.name);
        }
        let left = leftovers(known, true);
        for pointer in &left {
            assert!(known.documents(&path_of(pointer)), "{} {pointer}", known.name);
        }
        // A type that says that it is an action's is read.
        for path in known.known.iter().filter(|path| !path.contains('@') && !path.ends_with("].type")) {
            let is_left = |pointer: &&String| matches(path, pointer) && !pointer.is_empty();
            assert!(left.iter().any(|pointer| is_left(&pointer)), "{} reads {path}", known.name);
        }
    }
}

#[test]
fn keys_are_documented_at_their_depth() {
    let button = TemplateType::find("button").unwrap();
    for pointer in
        ["/variation", "/buttons", "/buttons/0", "/buttons/12/renderMsg", "/buttons/0/payload/any/thing"]
    {
        assert!(button.documents(&path_of(pointer)), "{pointer}");
    }
    for pointer in [
        "/and",
        "/the",
        "/it",
        "/nothing",
        "/title",
        "/deep/buttons",
        "/buttons/x/title",
        "/buttons/0/buttons",
        "/",
        "/Variation",
    ] {
        assert!(!button.documents(&path_of(pointer)), "{pointer}");
    }
    let list = TemplateType::find("listView").unwrap();
    assert!(
        list.documents(&path_of("/moreData/Any tab/0/default_action/url"))
            && !list.documents(&path_of("/moreData/Tab/0/glow"))
    );
    let table = TemplateType::find("custom_table").unwrap();
    assert!(
        table.documents(&path_of("/elements/0/Values/1/2/title"))
            && !table.documents(&path_of("/elements/0/Values/1/2/3"))
    );
    assert!(TEMPLATE_TYPES.iter().all(|known| !known.documents(&path_of("/glow"))));
    assert!(KeyGroup::find("envelope").unwrap().documents(&path_of("/formData/formLink")));
}

#[test]
fn no_two_types_are_one_when_normalised() {
    for known in TEMPLATE_TYPES {
        assert_eq!(TemplateType::find(known.name), Some(known));
    }
}
