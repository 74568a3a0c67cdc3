//! What names say: template types, and the keys that name elements and actions.

/// Appends the normalised form of a template type to `out`: lower case, no spaces or underscores, and no `template`
/// at the end.
///
/// ```
/// let mut norm = String::new();
/// korpus_core::normalize_template_type("Dropdown_Template", &mut norm);
/// assert_eq!(norm, "dropdown");
/// ```
pub fn normalize_template_type(name: &str, out: &mut String) {
    let start = out.len();
    if name.is_ascii() {
        let kept = name.chars().filter(|c| !c.is_whitespace() && *c != '_');
        out.extend(kept.map(|c| c.to_ascii_lowercase()));
    } else {
        let kept = name.chars().filter(|c| !c.is_whitespace() && *c != '_');
        out.extend(kept.flat_map(char::to_lowercase));
    }
    if let Some(stem) = out[start..].strip_suffix("template").filter(|stem| !stem.is_empty()) {
        let len = start + stem.len();
        out.truncate(len);
    }
}

/// Whether the visible text of templates of this type is `text_message` before `text`, which often just says
/// `display`.
pub(super) fn shows_text_message(norm: &str) -> bool {
    matches!(norm, "date" | "daterange" | "clock")
}

/// The key under which an action stands, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ActionKind {
    /// Under `buttons` or a key that ends so, in the cell of a table, or anywhere else an action by its own type.
    Button,
    /// Under `quick_replies`.
    QuickReply,
    /// Under `default_action`: what a click on the element does.
    DefaultAction,
    /// Under `radioOptions`, `dropdownOptions` or `menu`.
    Option,
    /// Under `postback`: what a click on the element sends.
    Postback,
}

impl ActionKind {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Button, Self::QuickReply, Self::DefaultAction, Self::Option, Self::Postback];

    /// The name that stands in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Button => "button",
            Self::QuickReply => "quick_reply",
            Self::DefaultAction => "default_action",
            Self::Option => "option",
            Self::Postback => "postback",
        }
    }
}

/// What a key says of the object under it, or of the objects in the array under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    None,
    /// Each object in its array is an element.
    Elements,
    /// Each array in this object holds elements: the tabs of `moreData`.
    Tabs,
    /// An action, where it has a title or leads somewhere.
    Action(ActionKind),
    /// An action, where it has a title and leads somewhere: keys that hold other things too.
    MaybeAction(ActionKind),
}

/// Keys of arrays whose objects are elements.
const ELEMENT_KEYS: &[&str] = &[
    "elements",
    "cards",
    "listItems",
    "items",
    "rowItems",
    "options",
    "optionsData",
    "tasks",
    "collection",
    "collections",
    "subElements",
    "formFields",
    "details",
    "textInformation",
    "subInformation",
    "tableListData",
    "rowData",
    "values",
    "cardDescription",
    "feedbackList",
    "starArrays",
    "smileyArrays",
    "numbersArrays",
    "thumpsUpDownArrays",
    "thumbsUpDownArrays",
];

/// What `key` says of what stands under it.
pub(super) fn role_of(key: &str) -> Role {
    match key {
        "buttons" | "button" | "fieldButton" => Role::Action(ActionKind::Button),
        "quick_replies" | "quickReplies" => Role::Action(ActionKind::QuickReply),
        "default_action" | "defaultAction" => Role::Action(ActionKind::DefaultAction),
        "radioOptions" | "dropdownOptions" | "menu" => Role::Action(ActionKind::Option),
        "postback" => Role::Action(ActionKind::Postback),
        "headerOptions" | "actions" => Role::MaybeAction(ActionKind::Button),
        "moreData" => Role::Tabs,
        _ if ELEMENT_KEYS.contains(&key) => Role::Elements,
        _ if ["Buttons", "_buttons", "Button", "_button"].iter().any(|end| key.ends_with(end)) => {
            Role::Action(ActionKind::Button)
        }
        _ if ["Elements", "_elements", "Items", "_items", "Cards", "_cards"]
            .iter()
            .any(|end| key.ends_with(end)) =>
        {
            Role::Elements
        }
        _ => Role::None,
    }
}

/// Types of an object that is an action by itself, whatever key it stands under.
pub(super) fn is_link_type(name: &str) -> bool {
    matches!(name, "postback" | "url" | "web_url")
}

/// The types of an envelope that carries a message rather than a template.
pub(super) fn is_message_type(name: &str) -> bool {
    matches!(name, "message" | "error" | "image" | "audio" | "video" | "link" | "document" | "attachment")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_normalised() {
        for (name, norm) in [
            ("dateTemplate", "date"),
            ("pie chart", "piechart"),
            ("DROPDOWN_TEMPLATE", "dropdown"),
            ("template", "template"),
            ("templateX", "templatex"),
            ("live_agent", "liveagent"),
            ("", ""),
        ] {
            let mut out = "x".to_owned();
            normalize_template_type(name, &mut out);
            assert_eq!(out[1..], *norm, "{name}");
        }
    }
}
