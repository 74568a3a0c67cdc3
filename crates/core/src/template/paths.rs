//! The distinct paths of keys in a payload: all values of a list are at one path, and so are those below them.

use super::node::Node;
use super::view::Template;
use super::walk::push_escaped;
use crate::value::Kind;

/// A value, and whether it is an earlier one of a key that stands again, or inside one: then no column holds it.
type Found<'s> = (Node<'s>, bool);

impl Template<'_> {
    /// Calls `found` once for each distinct path of keys at which a scalar, an empty container or one that was not taken
    /// apart stands: with a JSON pointer in which every index is 0, and whether columns of templates, elements and actions
    /// hold all values there exactly.
    ///
    /// ```
    /// let scratch = korpus_core::Scratch::new(&Default::default());
    /// let text = r#"{"elements":[{"title":"a"},{"title":"b","glow":1},{"glow":2}]}"#;
    /// let mut paths = Vec::new();
    /// scratch.classify_str(text).template().unwrap().for_each_path(|pointer, is_read| {
    ///     paths.push((pointer.to_owned(), is_read));
    /// });
    /// assert_eq!(paths, [("/elements/0/glow".to_owned(), false), ("/elements/0/title".to_owned(), true)]);
    /// ```
    pub fn for_each_path(self, mut found: impl FnMut(&str, bool)) {
        self.mark_all();
        let root = [(self.root(), false)];
        self.view.scratch.with_string(|path| inside(&root, path, &mut found));
    }
}

/// Goes on with what is inside `values`, which are all at one path: every value is looked at once, and sorted by its key.
fn inside<'s>(values: &[Found<'s>], path: &mut String, found: &mut impl FnMut(&str, bool)) {
    let mut items: Vec<Found<'s>> = Vec::new();
    let mut members: Vec<Found<'s>> = Vec::new();
    for &(value, shadowed) in values {
        let into = if value.kind() == Kind::Array { &mut items } else { &mut members };
        into.extend(value.children().map(|child| (child, shadowed || child.is_shadowed())));
    }
    members.sort_by_key(|(member, _)| member.key());
    let len = path.len();
    if !items.is_empty() {
        path.push_str("/0");
        at(&items, path, found);
        path.truncate(len);
    }
    for members in members.chunk_by(|(a, _), (b, _)| a.key() == b.key()) {
        path.push('/');
        push_escaped(members[0].0.key(), path);
        at(members, path, found);
        path.truncate(len);
    }
}

fn at(values: &[Found<'_>], path: &mut String, found: &mut impl FnMut(&str, bool)) {
    let mut ends = values.iter().filter(|(value, _)| value.children().next().is_none()).peekable();
    if ends.peek().is_some() {
        let are_read = ends.all(|(value, shadowed)| value.item().used.get() && !shadowed);
        found(path, are_read);
    }
    inside(values, path, found);
}
