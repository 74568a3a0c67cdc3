//! The one declaration of what is known about templates: their types, and the keys that name elements and actions.

/// A template type that korpus knows. The set is open: any other type is taken apart by the same generic rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateType {
    /// The name, as clients write it most often.
    pub name: &'static str,
    /// What kind of thing it draws.
    pub family: &'static str,
    /// The keys of its payload that hold what is shown.
    pub payload: &'static str,
    /// What a person sees, in one line.
    pub meaning: &'static str,
}

impl TemplateType {
    /// The known type of that name, however it is written.
    ///
    /// ```
    /// use korpus_core::TemplateType;
    /// assert_eq!(TemplateType::find("pie chart").unwrap().family, "chart");
    /// assert!(TemplateType::find("ourOwnTemplate").is_none());
    /// ```
    pub fn find(name: &str) -> Option<&'static Self> {
        let mut norm = String::new();
        normalize_template_type(name, &mut norm);
        let mut known = String::new();
        TEMPLATE_TYPES.iter().find(|known_type| {
            known.clear();
            normalize_template_type(known_type.name, &mut known);
            known == norm
        })
    }
}

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
    let kept = name.chars().filter(|c| !c.is_whitespace() && *c != '_');
    out.extend(kept.flat_map(char::to_lowercase));
    if let Some(stem) = out[start..].strip_suffix("template").filter(|stem| !stem.is_empty()) {
        let len = start + stem.len();
        out.truncate(len);
    }
}

macro_rules! types {
    ($($family:literal { $($name:literal, $payload:literal, $meaning:literal;)* })*) => {
        /// Every template type that korpus knows, by family. Documentation and drift reports come from it.
        pub const TEMPLATE_TYPES: &[TemplateType] = &[
            $($(TemplateType { name: $name, family: $family, payload: $payload, meaning: $meaning },)*)*
        ];
    };
}

types! {
    "buttons" {
        "button", "text, subText, buttons[]; formData beside it", "A text with buttons, or a digital form behind one.";
        "quick_replies", "text, quick_replies[]", "A text with replies to pick from.";
        "quick_replies_welcome", "text, quick_replies[]", "The same, as a greeting.";
        "like_dislike", "nothing", "Thumbs up and thumbs down.";
    }
    "list" {
        "list", "text, elements[], buttons[]", "Elements with picture, subtitle, link and buttons.";
        "carousel", "text, elements[], carousel_type", "The same, side by side.";
        "listView", "text, heading, elements[], moreData", "A list of values, with more of them behind a link.";
        "tableList", "title, description, elements[].rowItems[]", "Rows in sections, each with a title and a value.";
        "listWidget", "title, description, elements[]", "Elements with values, details and buttons.";
        "advancedListTemplate", "title, description, listItems[]", "Items that fold out: options, tables, buttons.";
        "cardTemplate", "cards[]", "Cards with a heading, a description and buttons.";
        "articleTemplate", "elements[]", "Articles of a knowledge base.";
        "checkListTemplate", "title, elements[].subElements[]", "Tasks with their progress.";
        "taskPickerTemplate", "heading, tasks[]", "Tasks to start.";
    }
    "table" {
        "table", "text, columns[], elements[].Values[]", "A table.";
        "custom_table", "text, columns[], elements[].Values[]", "A table whose cells may be links or buttons.";
        "mini_table", "text, layout, elements[].primary[], .additional[]", "Small tables side by side.";
    }
    "chart" {
        "piechart", "text, elements[].value", "A pie or a ring.";
        "barchart", "text, X_axis[], elements[].values[]", "Bars.";
        "linechart", "text, X_axis[], elements[].values[]", "Lines.";
    }
    "choice" {
        "dropdown_template", "heading, elements[]", "A list to pick one from.";
        "multi_select", "heading, elements[]", "A list to pick several from.";
        "advanced_multi_select", "heading, elements[].collection[]", "The same, in groups.";
        "radioOptionTemplate", "heading, radioOptions[]", "Options of which one is picked.";
    }
    "form" {
        "form_template", "heading, formFields[]", "A form inside the chat.";
        "otpValidationTemplate", "title, description, otpButtons[]", "Asks for a one-time password.";
        "resetPinTemplate", "title, description, resetButtons[]", "Asks for a new PIN.";
    }
    "date" {
        "dateTemplate", "text_message, title, format", "Asks for a day.";
        "daterange", "text_message, title, format, startDate, endDate", "Asks for a first and a last day.";
        "clockTemplate", "text_message, title", "Asks for a time of day.";
    }
    "feedback" {
        "feedbackTemplate", "text, view, starArrays[] and the like", "Asks for a rating: stars, faces, numbers, thumbs.";
        "bankingFeedbackTemplate", "heading, feedbackList[]", "Asks for a rating and its reasons.";
    }
    "search" {
        "search", "graph_answer", "Results of a search.";
        "answerTemplate", "answer_payload.center_panel.data[].snippet_content", "An answer made from found documents.";
    }
    "system" {
        "live_agent", "text", "Said by or about a human agent.";
        "SYSTEM", "text", "A notice of the system.";
        "wait_for_response", "nothing", "The client shows that something is under way.";
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

    #[test]
    fn no_two_types_are_one_when_normalised() {
        for known in TEMPLATE_TYPES {
            assert_eq!(TemplateType::find(known.name), Some(known));
        }
    }
}
