//! Keys in templates that no document lists, as paths.

use std::collections::BTreeSet;

use korpus_core::{KeyGroup, Kind, PAYLOAD_KEYS, PathStep, Template, TemplateType, TextKind};

use super::cut;
use super::tally::{Place, Tallies};

/// Levels of a path of keys.
const DEEPEST: usize = 12;
/// Bytes of a path of keys, above which it is cut.
const LONGEST: usize = 120;
/// New keys of one payload that are told apart.
pub(super) const MOST_OF_ONE: usize = 100;

/// Notes the new keys of a template under the name of its type: those that are not documented for it. Of a type that is
/// in no list no key is documented, and the type itself is news: there, those are new that no column gives back exactly.
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
    template.for_each_path(|path, is_read| {
        if is_read && !has_document || documents.have(path) {
            return;
        }
        let path = written(path);
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

/// A path as it is shown: its keys, and `[]` for the items of lists.
pub(super) fn written(path: &[PathStep<'_>]) -> String {
    let mut out = String::new();
    for (level, step) in path.iter().enumerate() {
        if level >= DEEPEST || out.len() > LONGEST {
            out.push('…');
            break;
        }
        match step {
            PathStep::Item => out.push_str("[]"),
            PathStep::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&cut(key));
            }
        }
    }
    out
}

/// Which keys of a text are documented.
struct Documents<'s> {
    /// The path of what is shown, inside the payloads around it.
    content: Vec<PathStep<'s>>,
    known: Option<&'static TemplateType>,
    /// What else is documented of what is shown.
    group: Option<&'static KeyGroup>,
    envelope: Option<&'static KeyGroup>,
}

impl<'s> Documents<'s> {
    fn new(template: Template<'s>, known: Option<&'static TemplateType>) -> Self {
        let mut content = Vec::new();
        for payload in template.payloads() {
            if payload.kind() != Kind::Object {
                // What is shown is the text itself.
                content.clear();
                break;
            }
            content.push(PathStep::Key(payload.key()));
        }
        Self {
            content,
            known,
            group: KeyGroup::find(template.kind().as_str()),
            envelope: KeyGroup::find("envelope"),
        }
    }

    fn have(&self, path: &[PathStep<'_>]) -> bool {
        // Envelopes may stand inside each other, and a payload may be a text.
        let is_payload =
            |step: &PathStep<'_>| matches!(step, PathStep::Key(key) if PAYLOAD_KEYS.contains(key));
        let outside = &path[path.iter().take_while(|step| is_payload(step)).count()..];
        let inside = path.strip_prefix(&*self.content).filter(|inside| !inside.is_empty());
        match inside {
            // A payload in what names its type is no envelope's.
            _ if outside.is_empty() && (self.known.is_none() || inside.is_none()) => true,
            Some(inside) => {
                self.known.is_some_and(|known| known.documents(inside))
                    || self.group.is_some_and(|group| group.documents(inside))
                    || inside.len() > 1 && inside[0] == PathStep::Key("formData") && self.in_envelope(inside)
                    || inside == [PathStep::Key("template_type")]
                    || self.content.is_empty() && self.in_envelope(inside)
            }
            None => self.in_envelope(outside),
        }
    }

    fn in_envelope(&self, path: &[PathStep<'_>]) -> bool {
        self.envelope.is_some_and(|envelope| envelope.documents(path))
    }
}
