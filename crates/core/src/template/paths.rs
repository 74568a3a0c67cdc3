//! The distinct paths of keys in a payload: all values of a list are at one path, and so are those below them.

use super::node::Node;
use super::view::Template;
use crate::value::Kind;

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathStep<'s> {
    /// To the member of an object with this key; one with a lone surrogate stands as it is written.
    Key(&'s str),
    /// To the items of a list.
    Item,
}

/// A value, and whether it is an earlier one of a key that stands again, or inside one: then no column holds it.
type Found<'s> = (Node<'s>, bool);

impl<'s> Template<'s> {
    /// Calls `found` once for each distinct path of keys at which a scalar, an empty container or one that was not taken
    /// apart stands: with the path, and whether columns of templates, elements and actions hold all values there exactly.
    ///
    /// ```
    /// use korpus_core::PathStep::{Item, Key};
    /// let scratch = korpus_core::Scratch::new(&Default::default());
    /// let text = r#"{"elements":[{"title":"a"},{"title":"b","glow":1},{"glow":2}]}"#;
    /// let mut paths = Vec::new();
    /// scratch.classify_str(text).template().unwrap().for_each_path(|path, is_read| {
    ///     paths.push((path.to_vec(), is_read));
    /// });
    /// assert_eq!(paths, [
    ///     (vec![Key("elements"), Item, Key("glow")], false),
    ///     (vec![Key("elements"), Item, Key("title")], true),
    /// ]);
    /// ```
    pub fn for_each_path(self, mut found: impl FnMut(&[PathStep<'s>], bool)) {
        self.mark_all();
        inside(&[(self.root(), false)], &mut Vec::new(), &mut found);
    }
}

/// Goes on with what is inside `values`, which are all at one path: every value is looked at once, and sorted by its key.
fn inside<'s>(
    values: &[Found<'s>],
    path: &mut Vec<PathStep<'s>>,
    found: &mut impl FnMut(&[PathStep<'s>], bool),
) {
    let mut items: Vec<Found<'s>> = Vec::new();
    let mut members: Vec<Found<'s>> = Vec::new();
    for &(value, shadowed) in values {
        let into = if value.kind() == Kind::Array { &mut items } else { &mut members };
        into.extend(value.children().map(|child| (child, shadowed || child.is_shadowed())));
    }
    members.sort_by_key(|(member, _)| member.key());
    if !items.is_empty() {
        path.push(PathStep::Item);
        at(&items, path, found);
        path.pop();
    }
    for members in members.chunk_by(|(a, _), (b, _)| a.key() == b.key()) {
        path.push(PathStep::Key(members[0].0.key()));
        at(members, path, found);
        path.pop();
    }
}

fn at<'s>(values: &[Found<'s>], path: &mut Vec<PathStep<'s>>, found: &mut impl FnMut(&[PathStep<'s>], bool)) {
    let mut ends = values.iter().filter(|(value, _)| value.children().next().is_none()).peekable();
    if ends.peek().is_some() {
        let are_read = ends.all(|(value, shadowed)| value.item().used.get() && !shadowed);
        found(path, are_read);
    }
    inside(values, path, found);
}
