//! The walk over a payload: its elements and actions in document order.

use super::node::Node;
use super::types::{ActionKind, Role, is_link_type, role_of};
use super::view::{Template, mark_if_exact};
use crate::value::Kind;

/// An element: a card, a list item, a table row, an option, a chart point, the field of a form.
#[derive(Clone, Copy)]
pub struct Element<'v, 's> {
    /// Which element of the text, from 0.
    pub index: usize,
    /// Its JSON pointer, from the whole object on.
    pub path: &'v str,
    /// The JSON pointer of the array that it stands in.
    pub parent_path: &'v str,
    /// The element around it, where there is one.
    pub parent: Option<usize>,
    /// `title`, or what stands for it: `label`, `heading`, a header, `text`.
    pub title: Option<&'s str>,
    /// `subtitle`, or `description`.
    pub subtitle: Option<&'s str>,
    /// `value`, as text.
    pub value: Option<&'s str>,
    /// `image_url`, or the source of `image`.
    pub image_url: Option<&'s str>,
    /// `values` or `Values`, or the cells of a small table; null cells keep their place.
    pub value_list: Option<&'s [Option<&'s str>]>,
    /// All of it.
    pub node: Node<'s>,
}

/// An action: something to press, to pick or to follow.
#[derive(Clone, Copy)]
pub struct Action<'v, 's> {
    /// Which action of the text, from 0.
    pub index: usize,
    /// Its JSON pointer, from the whole object on.
    pub path: &'v str,
    /// The JSON pointer of the array or object that it stands in.
    pub parent_path: &'v str,
    /// The innermost element around it, where there is one.
    pub element: Option<usize>,
    /// The key that it stands under, by kind.
    pub kind: ActionKind,
    /// `type`, or `content_type`.
    pub action_type: Option<&'s str>,
    /// `title`, or `label`.
    pub title: Option<&'s str>,
    /// `payload`, else what its `postback` sends; a payload that is no string as its JSON.
    pub payload: Option<&'s str>,
    /// `value`; one that is no string as its JSON.
    pub value: Option<&'s str>,
    /// `url`.
    pub url: Option<&'s str>,
    /// All of it.
    pub node: Node<'s>,
}

impl std::fmt::Debug for Element<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Element({}, {:?})", self.index, self.node)
    }
}

impl std::fmt::Debug for Action<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Action({}, {}, {:?})", self.index, self.kind.as_str(), self.node)
    }
}

/// Receives elements and actions in document order: an element before what is inside it.
pub trait TemplateVisitor {
    /// The next element.
    fn element(&mut self, element: &Element<'_, '_>) {
        let _ = element;
    }

    /// The next action.
    fn action(&mut self, action: &Action<'_, '_>) {
        let _ = action;
    }
}

/// A visitor that takes no notice: for the marks that a visit leaves.
struct Unseen;

impl TemplateVisitor for Unseen {}

impl Template<'_> {
    /// Walks all elements and actions of the payload and what stands beside it, in document order.
    ///
    /// One rule for all types: each object in an array under a key such as `elements`, `cards` or `rowItems` is an
    /// element; each object under a key such as `buttons`, `quick_replies` or `default_action` that has a title or
    /// leads somewhere is an action, and so is any object that has a title and a target and says by its type (`postback`,
    /// `url`, `web_url`) that it is one. An object can be both.
    pub fn visit(self, visitor: &mut impl TemplateVisitor) {
        self.count_with(visitor);
    }

    /// How many elements and actions there are.
    pub fn count(self) -> (usize, usize) {
        self.count_with(&mut Unseen)
    }

    fn count_with(self, visitor: &mut impl TemplateVisitor) -> (usize, usize) {
        let counts = self.walk(self.root(), visitor);
        self.view.visited.set(true);
        counts
    }

    /// Walks what is inside a container.
    pub(super) fn walk(self, around: Node<'_>, visitor: &mut impl TemplateVisitor) -> (usize, usize) {
        self.view.scratch.with_string(|path| {
            let mut walker = Walker { visitor, path, elements: 0, actions: 0 };
            walker.children(around, Role::None, None, false);
            (walker.elements, walker.actions)
        })
    }

    /// Marks everything that a column holds, whether or not somebody asked for it.
    pub(super) fn mark_all(self) {
        if self.view.marked.replace(true) {
            return;
        }
        self.visible();
        self.envelope_type();
        self.template_type();
        self.form();
        self.voice_verbs().for_each(drop);
        if !self.view.visited.get() {
            self.visit(&mut Unseen);
        }
    }
}

struct Walker<'a, V> {
    visitor: &'a mut V,
    path: &'a mut String,
    elements: usize,
    actions: usize,
}

impl<V: TemplateVisitor> Walker<'_, V> {
    /// Walks what is inside a container that stands under a key of the given role; `in_action` says that it is an
    /// action, or an array in one.
    fn children(&mut self, node: Node<'_>, role: Role, element: Option<usize>, in_action: bool) {
        let is_array = node.kind() == Kind::Array;
        let mut after_button = false;
        for (i, child) in node.children().enumerate() {
            // What an action sends is a part of it, and in its columns: nobody sees what is inside.
            let is_sent =
                || in_action && !is_array && matches!(child.key(), "payload" | "value" | "postback");
            if child.is_container() && !child.is_shadowed() && !child.is_closed() && !is_sent() {
                let len = self.path.len();
                self.path.push('/');
                let own = if is_array {
                    push_index(i, self.path);
                    match role {
                        Role::None if after_button => Role::Action(ActionKind::Button),
                        Role::Tabs => Role::None,
                        _ => role,
                    }
                } else {
                    push_escaped(child.key(), self.path);
                    if role == Role::Tabs && child.kind() == Kind::Array {
                        Role::Elements
                    } else {
                        role_of(child.key())
                    }
                };
                if child.kind() == Kind::Object {
                    self.object(child, own, len, is_array, element);
                } else {
                    // Arrays in the array of a role have none of their own: the cells of a table.
                    self.children(child, if is_array { Role::None } else { own }, element, in_action);
                }
                self.path.truncate(len);
            }
            after_button = is_array && child.as_text().is_some_and(|text| text.is("button"));
        }
    }

    fn object(
        &mut self,
        node: Node<'_>,
        role: Role,
        parent_len: usize,
        in_array: bool,
        mut element: Option<usize>,
    ) {
        let mut action = None;
        match role {
            Role::Elements if in_array => {
                self.emit_element(node, parent_len, element);
                element = Some(self.elements - 1);
            }
            Role::Action(kind) if has_title(node) || leads_somewhere(node) => action = Some(kind),
            Role::MaybeAction(kind) if has_title(node) && leads_somewhere(node) => action = Some(kind),
            _ => {}
        }
        if action.is_none() && says_that_it_is_an_action(node) {
            action = Some(ActionKind::Button);
        }
        if let Some(kind) = action {
            self.emit_action(node, kind, parent_len, element);
        }
        let inside = if role == Role::Tabs && !in_array { Role::Tabs } else { Role::None };
        self.children(node, inside, element, action.is_some());
    }

    fn emit_element(&mut self, node: Node<'_>, parent_len: usize, parent: Option<usize>) {
        let title_node =
            TITLE_KEYS.iter().find_map(|key| node.get(key).filter(|node| title_of(*node).is_some()));
        let header = node
            .get("title")
            .filter(|title| title.kind() == Kind::Object)
            .map(|title| named(title).unwrap_or(title));
        let subtitle =
            ["subtitle", "description", "sectionHeaderDesc"].iter().find_map(|key| take(node.get(key)));
        let image = node.get("image_url").or_else(|| node.get("image").map(source_of));
        let image = image.or_else(|| node.get("title")?.get("image").map(source_of));
        let element = Element {
            index: self.elements,
            path: self.path,
            parent_path: &self.path[..parent_len],
            parent,
            title: title_node.and_then(take_title),
            subtitle: subtitle.or_else(|| take(header?.get("subtitle"))),
            value: node.get("value").and_then(take_title),
            image_url: take(image),
            value_list: value_list(node),
            node,
        };
        self.elements += 1;
        self.visitor.element(&element);
    }

    fn emit_action(&mut self, node: Node<'_>, kind: ActionKind, parent_len: usize, element: Option<usize>) {
        let postback = node.get("postback");
        let sent = || match postback {
            Some(postback) if postback.kind() == Kind::Object => {
                postback.get("payload").or_else(|| postback.get("value"))
            }
            postback => postback,
        };
        let kind_of = ["type", "content_type", "contenttype"].iter().find_map(|key| node.get(key));
        let url = node.get("url");
        let url = url.map(|url| url.get("link").or_else(|| url.get("url")).unwrap_or(url));
        let found = Action {
            index: self.actions,
            path: self.path,
            parent_path: &self.path[..parent_len],
            element,
            kind,
            action_type: take(kind_of),
            title: ["title", "label"].iter().find_map(|key| node.get(key).and_then(take_title)),
            payload: take_any(node.get("payload").or_else(sent)),
            value: take_any(node.get("value")),
            url: take(url),
            node,
        };
        self.actions += 1;
        self.visitor.action(&found);
    }
}

/// The keys that may hold the title of an element, best first.
const TITLE_KEYS: &[&str] =
    &["title", "label", "heading", "sectionHeader", "collectionTitle", "cardHeading", "text"];

fn has_title(node: Node<'_>) -> bool {
    ["title", "label"].iter().any(|key| node.get(key).is_some_and(|title| title.kind() != Kind::Null))
}

fn leads_somewhere(node: Node<'_>) -> bool {
    ["payload", "value", "url", "postback"]
        .iter()
        .any(|key| node.get(key).is_some_and(|target| target.kind() != Kind::Null))
}

/// Whether an object is an action wherever it stands: it has a title, and its type says that its target is one.
fn says_that_it_is_an_action(node: Node<'_>) -> bool {
    node.get("type").and_then(Node::as_str).is_some_and(is_link_type)
        && has_title(node)
        && ["payload", "value", "url"].iter().any(|key| {
            node.get(key).is_some_and(|target| target.kind() != Kind::Null && !target.is_container())
        })
}

/// The member that the `type` of an object names: `{"type":"url","url":{…}}`.
fn named(node: Node<'_>) -> Option<Node<'_>> {
    node.get(node.get("type")?.as_str()?)
}

/// A scalar that can be read, and its text: itself, or inside an object what its type names, its text or its title.
pub(super) fn title_of(node: Node<'_>) -> Option<(Node<'_>, &str)> {
    if let Some(text) = scalar_text(node) {
        return Some((node, text));
    }
    let inside = [named(node), node.get("text"), node.get("title")];
    inside.into_iter().flatten().find_map(|inner| {
        let found = if inner.kind() == Kind::Object {
            inner.get("title").or_else(|| inner.get("text"))?
        } else {
            inner
        };
        Some((found, scalar_text(found)?))
    })
}

fn scalar_text(node: Node<'_>) -> Option<&str> {
    match node.kind() {
        Kind::PlainString | Kind::EscapedString => node.as_str(),
        Kind::Number | Kind::True | Kind::False => Some(node.raw()),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

/// A title or a value, as text.
fn take_title(node: Node<'_>) -> Option<&str> {
    let (found, text) = title_of(node)?;
    mark_if_exact(found);
    Some(text)
}

/// A scalar, as text.
fn take(node: Option<Node<'_>>) -> Option<&str> {
    let node = node?;
    if node.is_container() { None } else { take_any(Some(node)) }
}

/// Any value, as text: a string as it reads, anything else as its JSON; `None` for null.
fn take_any(node: Option<Node<'_>>) -> Option<&str> {
    let node = node?;
    match node.kind() {
        Kind::Null => None,
        Kind::PlainString | Kind::EscapedString => {
            mark_if_exact(node);
            node.as_str()
        }
        Kind::Array | Kind::Object => Some(node.view.scratch.text_of(|out| node.write_compact(out))),
        _ => Some(node.raw()),
    }
}

fn source_of(image: Node<'_>) -> Node<'_> {
    image.get("image_src").or_else(|| image.get("image_url")).unwrap_or(image)
}

/// The values of a chart's series, or the cells of a table's row; `None` where there are none.
fn value_list<'s>(node: Node<'s>) -> Option<&'s [Option<&'s str>]> {
    let mut cells = bumpalo::collections::Vec::new_in(node.view.scratch.bump());
    let is_list = |node: &Node<'s>| node.kind() == Kind::Array;
    if let Some(values) = node.get("values").or_else(|| node.get("Values")).filter(is_list) {
        // A cell that is an array begins with what is read; objects are elements or actions.
        cells.extend(values.elements().filter(|cell| cell.kind() != Kind::Object).map(first_of_cell));
    } else if let Some(primary) = node.get("primary").filter(is_list) {
        cells.extend(primary.elements().map(first_of_cell));
        for row in node.get("additional").into_iter().flat_map(Node::elements) {
            cells.extend(row.elements().map(|cell| take(Some(cell))));
        }
    }
    (!cells.is_empty()).then(|| cells.into_bump_slice() as &[_])
}

fn first_of_cell(cell: Node<'_>) -> Option<&str> {
    take(if cell.kind() == Kind::Array { cell.elements().next() } else { Some(cell) })
}

/// Appends a key to a JSON pointer (RFC 6901).
pub(super) fn push_escaped(key: &str, path: &mut String) {
    if !key.bytes().any(|b| matches!(b, b'~' | b'/')) {
        path.push_str(key);
        return;
    }
    for c in key.chars() {
        match c {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            c => path.push(c),
        }
    }
}

/// Appends an index to a JSON pointer.
pub(super) fn push_index(index: usize, path: &mut String) {
    if index >= 10 {
        push_index(index / 10, path);
    }
    path.push(char::from(b'0' + (index % 10) as u8));
}
