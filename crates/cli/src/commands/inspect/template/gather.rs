//! The first elements and actions of a payload, cut to what a terminal has room for; the rest is counted.

use korpus_core::{Action, ActionKind, Element, Kind, Node, Template, TemplateVisitor};

use super::scalar;
use crate::show::visible_short;

/// Elements and actions that are drawn of one text.
const MOST: usize = 50;
/// Cells of a row.
const MOST_CELLS: usize = 16;
/// What stands in the place of the link of a form.
const FORM_LINK: &str = "(the form)";
/// Characters of a title, and of where a click leads.
const LONGEST: usize = 80;

/// What a payload shows.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The first elements, in document order.
    pub parts: Vec<Part>,
    /// The first actions, in document order.
    pub presses: Vec<Press>,
    elements: u64,
    actions: u64,
    /// The titles of the elements, one a line, as far as they matter.
    titles: String,
    /// The link of the form, which opens it for everybody.
    secret: Option<String>,
}

/// An element.
#[derive(Debug)]
pub(super) struct Part {
    /// The element around it.
    pub parent: Option<usize>,
    pub title: Option<String>,
    subtitle: Option<String>,
    value: Option<String>,
    /// What a field of a form is, and what stands in it before somebody writes.
    field: [Option<String>; 2],
    /// The cells of a row.
    pub cells: Option<Vec<String>>,
    /// A small table of its own, headings first.
    pub small_table: Option<Vec<Vec<String>>>,
}

/// Something to press.
#[derive(Debug)]
pub(super) struct Press {
    /// The innermost element around it.
    pub element: Option<usize>,
    kind: ActionKind,
    title: Option<String>,
    target: Option<String>,
}

impl Gathered {
    pub(super) fn of(template: Template<'_>) -> Self {
        let link = template.form().and_then(|form| form.link).map(str::trim);
        let secret = link.filter(|link| !link.is_empty()).map(str::to_owned);
        let mut gathered = Self { secret, ..Self::default() };
        template.visit(&mut gathered);
        gathered
    }

    pub(super) fn is_empty(&self) -> bool {
        self.elements == 0 && self.actions == 0
    }

    /// Elements that found no room.
    pub(super) fn more_parts(&self) -> u64 {
        self.elements - self.parts.len() as u64
    }

    /// Actions that found no room, or stand in elements that did not.
    pub(super) fn more_presses(&self) -> u64 {
        let drawn = self
            .presses
            .iter()
            .filter(|press| press.element.is_none_or(|element| element < self.parts.len()));
        self.actions - drawn.count() as u64
    }

    /// Whether `text` is nothing but the titles of the elements.
    pub(super) fn says_only_titles(&self, text: &str) -> bool {
        !self.titles.is_empty()
            && (text == self.titles
                || (self.titles.len() >= super::LONGEST && text.starts_with(&self.titles)))
    }
}

fn short(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    (!text.is_empty()).then(|| visible_short(text, LONGEST))
}

impl TemplateVisitor for Gathered {
    fn element(&mut self, element: &Element<'_, '_>) {
        self.elements += 1;
        if let Some(title) = element.title.filter(|title| !title.trim().is_empty())
            && self.titles.len() < super::LONGEST
        {
            if !self.titles.is_empty() {
                self.titles.push('\n');
            }
            self.titles.push_str(title);
        }
        if self.parts.len() >= MOST {
            return;
        }
        let node = element.node;
        let is_field = element.parent_path.ends_with("/formFields");
        let field =
            ["type", "placeholder"].map(|key| short(node.get(key).filter(|_| is_field).and_then(scalar)));
        let cells = element.value_list.map(|cells| {
            let cells = cells.iter().take(MOST_CELLS);
            cells.map(|cell| short(*cell).unwrap_or_default()).collect()
        });
        self.parts.push(Part {
            parent: element.parent,
            title: short(element.title),
            subtitle: short(element.subtitle),
            value: short(element.value),
            field,
            cells,
            small_table: small_table(node),
        });
    }

    fn action(&mut self, action: &Action<'_, '_>) {
        self.actions += 1;
        if self.presses.len() >= MOST {
            return;
        }
        let sent = action.payload.or(action.value);
        let leads = action.action_type.is_some_and(|name| matches!(name, "url" | "web_url"));
        let target = if leads { action.url.or(sent) } else { sent.or(action.url) };
        let is_secret = |text: &str| self.secret.as_deref().is_some_and(|secret| text.contains(secret));
        let target = target.map(|target| if is_secret(target) { FORM_LINK } else { target });
        self.presses.push(Press {
            element: action.element,
            kind: action.kind,
            title: short(action.title),
            target: short(target),
        });
    }
}

/// `primary` are the headings, each with its alignment; `additional` the rows.
fn small_table(node: Node<'_>) -> Option<Vec<Vec<String>>> {
    let primary = node.get("primary").filter(|primary| primary.kind() == Kind::Array)?;
    let text = |cell: Node<'_>| {
        let cell = if cell.kind() == Kind::Array { cell.elements().next() } else { Some(cell) };
        short(cell.and_then(scalar)).unwrap_or_default()
    };
    let mut rows = vec![primary.elements().take(MOST_CELLS).map(text).collect()];
    for row in node.get("additional").into_iter().flat_map(Node::elements).take(MOST) {
        rows.push(row.elements().take(MOST_CELLS).map(text).collect());
    }
    Some(rows)
}

impl Part {
    /// Its title, subtitle and value.
    pub(super) fn line(&self) -> String {
        let mut line = self.title.clone().unwrap_or_default();
        let mut put = |before: &str, what: &Option<String>, after: &str| {
            if let Some(what) = what.as_ref().filter(|what| **what != line) {
                if !line.is_empty() {
                    // Many titles bring their own colon.
                    let end = line.trim_end_matches(':').len();
                    line.truncate(end);
                    line.push_str(before);
                }
                line.push_str(what);
                line.push_str(after);
            }
        };
        put(" – ", &self.subtitle, "");
        put(": ", &self.value, "");
        put(" (", &self.field[0], ")");
        put(": ", &self.field[1], "");
        line
    }
}

impl Press {
    /// Whether it is what a click on the whole element does.
    pub(super) fn is_of_the_whole(&self) -> bool {
        matches!(self.kind, ActionKind::DefaultAction | ActionKind::Postback)
    }

    /// What it is called, and what it sends or where it leads.
    pub(super) fn line(&self) -> String {
        let title = self.title.as_deref();
        let target = self.target.as_deref().filter(|target| Some(*target) != title);
        let mut line = match (self.kind, title) {
            (ActionKind::DefaultAction | ActionKind::Postback, None) => String::new(),
            (_, None) => "[no title]".to_owned(),
            (ActionKind::QuickReply, Some(title)) => format!("({title})"),
            (ActionKind::Option, Some(title)) => format!("○ {title}"),
            (_, Some(title)) => format!("[{title}]"),
        };
        if let Some(target) = target {
            line.push_str(if line.is_empty() { "→ " } else { " → " });
            line.push_str(target);
        }
        line
    }
}
