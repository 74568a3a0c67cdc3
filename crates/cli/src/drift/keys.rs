//! Keys in templates that no document lists, as paths.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use korpus_core::{KeyGroup, Kind, Template, TemplateType, TextKind};

use super::cut;
use super::tally::{Place, Tallies};

/// Under which a payload stands.
const PAYLOAD_KEYS: [&str; 2] = ["payload", "pay load"];
/// Levels of a path of keys.
const DEEPEST: usize = 12;
/// Bytes of a path of keys, above which it is cut.
const LONGEST: usize = 120;
/// New keys of one payload that are told apart.
pub(super) const MOST_OF_ONE: usize = 100;

/// Notes the new keys of a template under the name of its type: those that are not documented for it. Of a type that is
/// in no list no key is documented, and the type itself is news: there, those are new that no column takes.
pub(super) fn note_new_keys(
    template: Template<'_>,
    name: &str,
    known: Option<&'static TemplateType>,
    place: Place,
    keys: &mut Tallies,
) {
    let has_document = known.is_some() || !matches!(template.kind(), TextKind::Template | TextKind::Json);
    let documents = Documents::new(template, known);
    let mut paths = BTreeSet::new();
    let mut untold = 0;
    template.for_each_path(|pointer, is_read| {
        if is_read && !has_document || documents.have(pointer) {
            return;
        }
        let path = path_of(pointer);
        if paths.len() < MOST_OF_ONE {
            paths.insert(path);
        } else if !paths.contains(&path) {
            untold += 1;
        }
    });
    for path in paths {
        keys.note(name, path, place);
    }
    keys.miss(untold);
}

/// A JSON pointer as a path of keys, each index as `[]`.
pub(super) fn path_of(pointer: &str) -> String {
    let mut path = String::new();
    for (level, part) in pointer.split('/').skip(1).enumerate() {
        if level >= DEEPEST || path.len() > LONGEST {
            path.push('…');
            break;
        }
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str("[]");
            continue;
        }
        if !path.is_empty() {
            path.push('.');
        }
        let _ = write!(path, "{}", cut(part));
    }
    path.replace("~1", "/").replace("~0", "~")
}

/// Which keys of a text are documented.
struct Documents {
    /// The pointer of what is shown, inside the payloads around it.
    content: String,
    known: Option<&'static TemplateType>,
    /// What else is documented of what is shown.
    group: Option<&'static KeyGroup>,
    envelope: Option<&'static KeyGroup>,
}

impl Documents {
    fn new(template: Template<'_>, known: Option<&'static TemplateType>) -> Self {
        let mut content = String::new();
        for payload in template.payloads() {
            if payload.kind() != Kind::Object {
                // What is shown is the text itself.
                content.clear();
                break;
            }
            content.push('/');
            content.push_str(payload.key());
        }
        Self {
            content,
            known,
            group: KeyGroup::find(template.kind().as_str()),
            envelope: KeyGroup::find("envelope"),
        }
    }

    fn have(&self, pointer: &str) -> bool {
        // Envelopes may stand inside each other, and a payload may be a text.
        let mut outside = pointer;
        while let Some(inner) = PAYLOAD_KEYS
            .iter()
            .filter_map(|key| outside.strip_prefix('/')?.strip_prefix(key))
            .find(|inner| inner.is_empty() || inner.starts_with('/'))
        {
            outside = inner;
        }
        let inside = pointer.strip_prefix(&self.content).filter(|inside| inside.starts_with('/'));
        match inside {
            // A payload in what names its type is no envelope's.
            _ if outside.is_empty() && (self.known.is_none() || inside.is_none()) => true,
            Some(inside) => {
                self.known.is_some_and(|known| known.documents(inside))
                    || self.group.is_some_and(|group| group.documents(inside))
                    || inside.starts_with("/formData/") && self.in_envelope(inside)
                    || inside == "/template_type"
                    || self.content.is_empty() && self.in_envelope(inside)
            }
            None => self.in_envelope(outside),
        }
    }

    fn in_envelope(&self, pointer: &str) -> bool {
        self.envelope.is_some_and(|envelope| envelope.documents(pointer))
    }
}
