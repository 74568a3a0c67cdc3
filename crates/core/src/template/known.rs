//! The one declaration of template types: what is documented of each, as paths of keys.
//!
//! A path names the keys from the payload on, `[]` for each list, `*` for any one key, `**` for whatever is below. A path
//! that ends in `@` and a name goes on with each path of that [group](KEY_GROUPS).

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::paths::PathStep;
use super::types::normalize_template_type;

/// A template type that korpus knows. The set is open: any other type is taken apart by the same generic rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateType {
    /// The name, as clients write it most often.
    pub name: &'static str,
    /// What kind of thing it draws.
    pub family: &'static str,
    /// The paths of its payload's keys that are read into columns of the tables.
    pub read: &'static [&'static str],
    /// Those that are documented, but have no column.
    pub known: &'static [&'static str],
    /// What a person sees, in one line.
    pub meaning: &'static str,
}

/// Keys that stand together in many places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyGroup {
    /// The name that paths refer to.
    pub name: &'static str,
    /// The paths that are read into columns.
    pub read: &'static [&'static str],
    /// Those that are documented, but have no column.
    pub known: &'static [&'static str],
    /// What has these keys, in one line.
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
        Self::find_norm(&norm)
    }

    /// The known type of that name, [normalised](normalize_template_type).
    ///
    /// ```
    /// assert_eq!(korpus_core::TemplateType::find_norm("piechart").unwrap().family, "chart");
    /// ```
    pub fn find_norm(norm: &str) -> Option<&'static Self> {
        static BY_NORM: LazyLock<HashMap<String, &'static TemplateType>> = LazyLock::new(|| {
            let mut known = HashMap::new();
            for known_type in TEMPLATE_TYPES {
                let mut norm = String::new();
                normalize_template_type(known_type.name, &mut norm);
                known.entry(norm).or_insert(known_type);
            }
            known
        });
        BY_NORM.get(norm).copied()
    }

    /// Whether what stands at a path, from the payload on, is documented; so are containers on the way to it.
    ///
    /// ```
    /// use korpus_core::PathStep::{Item, Key};
    /// let button = korpus_core::TemplateType::find("button").unwrap();
    /// assert!(button.documents(&[Key("buttons"), Item, Key("title")]) && button.documents(&[Key("variation")]));
    /// assert!(!button.documents(&[Key("deep"), Key("buttons"), Item, Key("title")]));
    /// ```
    pub fn documents(&self, path: &[PathStep<'_>]) -> bool {
        static TREES: Trees = Trees::new(|| {
            TEMPLATE_TYPES.iter().map(|known| (known.name, Tree::of([known.read, known.known]))).collect()
        });
        TREES.get(self.name).is_some_and(|tree| tree.has(path))
    }
}

impl KeyGroup {
    /// The group of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        KEY_GROUPS.iter().find(|group| group.name == name)
    }

    /// Whether what stands at a path, from where the group stands, is one of its keys.
    pub fn documents(&self, path: &[PathStep<'_>]) -> bool {
        static TREES: Trees = Trees::new(|| {
            KEY_GROUPS.iter().map(|group| (group.name, Tree::of([group.read, group.known]))).collect()
        });
        TREES.get(self.name).is_some_and(|tree| tree.has(path))
    }
}

/// Paths as a tree of keys: a pointer is followed once, and not once for each path.
#[derive(Debug, Default)]
struct Tree {
    members: HashMap<&'static str, Tree>,
    /// What is under `*`.
    any: Option<Box<Tree>>,
    /// What is under `[]`.
    items: Option<Box<Tree>>,
    /// Whether `**` is there.
    anything: bool,
}

impl Tree {
    fn of(lists: [&[&'static str]; 2]) -> Self {
        let mut tree = Self::default();
        lists.into_iter().flatten().for_each(|path| tree.add(path));
        tree
    }

    fn add(&mut self, path: &'static str) {
        if let Some(inside) = path.strip_prefix("[]") {
            return self.items.get_or_insert_default().add(inside);
        }
        let path = path.strip_prefix('.').unwrap_or(path);
        if let Some(group) = path.strip_prefix('@') {
            let group = KeyGroup::find(group).into_iter().flat_map(|group| [group.read, group.known]);
            return group.flatten().for_each(|path| self.add(path));
        }
        let (key, inside) = path.split_at(path.find(['.', '[']).unwrap_or(path.len()));
        match key {
            "" => {}
            "**" => self.anything = true,
            "*" => self.any.get_or_insert_default().add(inside),
            _ => self.members.entry(key).or_default().add(inside),
        }
    }

    /// Whether a path is one of these, or on the way to one.
    fn has(&self, path: &[PathStep<'_>]) -> bool {
        let Some((step, after)) = path.split_first() else { return true };
        let inside = match step {
            PathStep::Key(key) => [self.members.get(key), self.any.as_deref()],
            PathStep::Item => [self.items.as_deref(), None],
        };
        self.anything || inside.into_iter().flatten().any(|tree| tree.has(after))
    }
}

/// The trees by name.
type Trees = LazyLock<HashMap<&'static str, Tree>>;

macro_rules! types {
    ($($family:literal { $($name:literal, [$($read:literal)*], [$($known:literal)*], $meaning:literal;)* })*) => {
        /// Every template type that korpus knows, by family. Documentation and drift reports come from it.
        pub const TEMPLATE_TYPES: &[TemplateType] = &[$($(
            TemplateType {
                name: $name,
                family: $family,
                read: &[$($read),*],
                known: &[$($known),*],
                meaning: $meaning,
            },
        )*)*];
    };
}

types! {
    "buttons" {
        "button",
            ["text" "buttons[].@action"],
            ["subText" "variation" "fullWidth" "stackedButtons"],
            "A text with buttons, or a digital form behind one.";
        "quick_replies",
            ["text" "quick_replies[].@reply"],
            [],
            "A text with replies to pick from.";
        "quick_replies_welcome",
            ["text" "quick_replies[].@reply"],
            [],
            "The same, as a greeting.";
        "like_dislike",
            [],
            [],
            "Thumbs up and thumbs down.";
    }
    "list" {
        "list",
            ["text" "elements[].@card" "buttons[].@action"],
            ["carousel_type"],
            "Elements with picture, subtitle, link and buttons.";
        "carousel",
            ["text" "elements[].@card" "buttons[].@action"],
            ["carousel_type"],
            "The same, side by side.";
        "listView",
            ["text" "elements[].@item" "moreData.*[].@item"],
            ["heading" "seeMore" "moreCount"],
            "A list of values, with more of them behind a link.";
        "tableList",
            [
                "title" "elements[].sectionHeader" "elements[].sectionHeaderDesc"
                "elements[].rowItems[].title.text.title" "elements[].rowItems[].title.text.subtitle"
                "elements[].rowItems[].title.image.image_src" "elements[].rowItems[].value.text"
                "elements[].rowItems[].default_action.@action"
            ],
            [
                "description" "headerOptions.**" "elements[].rowItems[].bgcolor"
                "elements[].rowItems[].title.type" "elements[].rowItems[].title.rowColor"
                "elements[].rowItems[].title.url.**" "elements[].rowItems[].title.image.@picture"
                "elements[].rowItems[].value.type" "elements[].rowItems[].value.url.**"
                "elements[].rowItems[].value.layout.**"
            ],
            "Rows in sections, each with a title and a value.";
        "listWidget",
            [
                "title" "elements[].title" "elements[].subtitle" "elements[].image.image_src"
                "elements[].value.text" "elements[].value.menu[].@action" "elements[].value.button.@action"
                "elements[].details[].description" "elements[].details[].image.image_src"
                "elements[].default_action.@action" "elements[].buttons[].@action"
            ],
            [
                "description" "headerOptions.**" "elements[].image.@picture" "elements[].value.type"
                "elements[].value.layout.**" "elements[].value.image.**" "elements[].value.url.**"
                "elements[].details[].image.@picture" "elements[].buttonsLayout.**"
            ],
            "Elements with values, details and buttons.";
        "advancedListTemplate",
            [
                "title" "listItems[].title" "listItems[].description" "listItems[].buttons[].@action"
                "listItems[].headerOptions[].@action"
                "listItems[].headerOptions[].dropdownOptions[].@action" "listItems[].optionsData[].label"
                "listItems[].optionsData[].value" "listItems[].tableListData[].rowData[].title"
                "listItems[].tableListData[].rowData[].description"
                "listItems[].textInformation[].@action"
            ],
            [
                "description" "isButtonAvailable" "isSearchEnabled" "isSortEnabled" "listViewType"
                "listItems[].buttonAligment" "listItems[].buttonsLayout.**" "listItems[].descriptionIcon"
                "listItems[].descriptionStyles.**" "listItems[].icon" "listItems[].iconShape"
                "listItems[].iconSize" "listItems[].imageSize" "listItems[].isAccordian"
                "listItems[].isCollapsed" "listItems[].seeMoreAction" "listItems[].titleStyles.**"
                "listItems[].type" "listItems[].view" "listItems[].headerOptions[].contenttype"
                "listItems[].headerOptions[].isStatus" "listItems[].elementStyles.**" "listItems[].optionsData[].id" "listItems[].optionsData[].type"
                "listItems[].tableListData[].rowData[].icon"
                "listItems[].tableListData[].rowData[].iconSize"
            ],
            "Items that fold out: options, tables, buttons.";
        "cardTemplate",
            [
                "cards[].cardHeading.title" "cards[].cardDescription[].title"
                "cards[].cardDescription[].description" "cards[].default_action.@action"
                "cards[].buttons[].@action"
            ],
            ["cards[].cardHeading.description" "cards[].cardHeading.icon" "cards[].cardDescription[].icon"],
            "Cards with a heading, a description and buttons.";
        "articleTemplate",
            [
                "elements[].title" "elements[].description" "elements[].default_action.@action"
                "elements[].buttons[].@action"
            ],
            ["elements[].icon" "elements[].createdOn" "elements[].updatedOn"],
            "Articles of a knowledge base.";
        "checkListTemplate",
            [
                "title" "elements[].title" "elements[].subInformation[].title"
                "elements[].subInformation[].value" "elements[].default_action.@action"
                "elements[].subElements[].title" "elements[].subElements[].default_action.@action"
                "elements[].subElements[].rightContent.default_action.@action"
                "elements[].subElements[].values[].title" "elements[].subElements[].values[].value"
            ],
            [
                "elements[].id" "elements[].taskProgress" "elements[].elementStyles.**"
                "elements[].progressStyles.**" "elements[].subElements[].rightContent.icon"
                "elements[].subElements[].values[].icon"
            ],
            "Tasks with their progress.";
        "taskPickerTemplate",
            ["heading" "tasks[].title" "tasks[].postback.@action"],
            ["tasks[].icon"],
            "Tasks to start.";
    }
    "table" {
        "table",
            ["text" "elements[].Values[].@cell"],
            ["columns[][]" "table_design" "speech_hint"],
            "A table, the cells of which may be links or buttons.";
        "custom_table",
            ["text" "elements[].Values[].@cell"],
            ["columns[][]" "table_design" "speech_hint"],
            "The same.";
        "mini_table",
            ["text" "elements[].primary[][]" "elements[].additional[][]"],
            ["layout" "speech_hint"],
            "Small tables side by side.";
    }
    "chart" {
        "piechart",
            ["@chart"],
            ["pie_type"],
            "A pie or a ring.";
        "barchart",
            ["@chart"],
            ["direction" "stacked"],
            "Bars.";
        "linechart",
            ["@chart"],
            ["direction" "stacked"],
            "Lines.";
    }
    "choice" {
        "dropdown_template",
            ["@choice" "elements[].@option" "elements[].collection[].@option"],
            ["elements[].collectionTitle"],
            "A list to pick one from.";
        "multi_select",
            ["@choice" "elements[].@option" "elements[].collection[].@option"],
            ["elements[].collectionTitle" "showViewMore" "sliderView"],
            "A list to pick several from.";
        "advanced_multi_select",
            ["@choice" "elements[].collectionTitle" "elements[].collection[].@option"],
            ["elements[].@option" "showViewMore" "sliderView"],
            "The same, in groups.";
        "radioOptionTemplate",
            ["heading" "radioOptions[].title" "radioOptions[].value" "radioOptions[].postback.value"],
            ["radioOptions[].postback.title"],
            "Options of which one is picked.";
    }
    "form" {
        "form_template",
            ["heading" "formFields[].label" "formFields[].fieldButton.@action" "fieldButton.@action"],
            ["formFields[].type" "formFields[].placeholder" "sliderView"],
            "A form inside the chat.";
        "otpValidationTemplate",
            ["title" "otpButtons[].@action"],
            ["description" "mobileNumber" "piiReductionChar" "pinLength" "sliderView"],
            "Asks for a one-time password.";
        "resetPinTemplate",
            ["title" "resetButtons[].@action"],
            [
                "description" "enterPinTitle" "reEnterPinTitle" "warningMessage" "mobileNumber"
                "piiReductionChar" "pinLength" "sliderView"
            ],
            "Asks for a new PIN.";
    }
    "date" {
        "dateTemplate",
            ["@date"],
            [],
            "Asks for a day.";
        "daterange",
            ["@date"],
            ["delimiter"],
            "Asks for a first and a last day.";
        "clockTemplate",
            ["@date"],
            [],
            "Asks for a time of day.";
    }
    "feedback" {
        "feedbackTemplate",
            ["@feedback"],
            ["sliderView" "messageTodisplay"],
            "Asks for a rating: stars, faces, numbers, thumbs.";
        "bankingFeedbackTemplate",
            ["@feedback" "buttons[].@action"],
            ["sliderView"],
            "Asks for a rating and its reasons.";
    }
    "search" {
        "search",
            ["graph_answer.payload.center_panel.data[].snippet_content"],
            ["graph_answer.**" "answer_payload.**"],
            "Results of a search.";
        "answerTemplate",
            ["answer_payload.center_panel.data[].snippet_content"],
            ["answer_payload.**" "graph_answer.**"],
            "An answer made from found documents.";
    }
    "system" {
        "live_agent",
            ["text"],
            [],
            "Said by or about a human agent.";
        "SYSTEM",
            ["text"],
            [],
            "A notice of the system.";
        "wait_for_response",
            [],
            [],
            "The client shows that something is under way.";
    }
}

/// The groups that paths refer to, and the keys around payloads, in messages and in voice commands.
pub const KEY_GROUPS: &[KeyGroup] = &[
    KeyGroup {
        name: "action",
        read: &["title", "type", "payload", "value", "url"],
        known: &[
            "renderMsg",
            "utterance",
            "icon",
            "image_url",
            "image.image_src",
            "image.@picture",
            "btnType",
            "contenttype",
            "messenger_extensions",
            "webview_height_ratio",
            "fallback_url",
            "payload.**",
            "value.**",
            "buttonStyles.**",
            "styles.**",
        ],
        meaning: "What stands under `buttons[].@action` and the like.",
    },
    KeyGroup {
        name: "reply",
        read: &["title", "content_type", "payload", "value"],
        known: &["renderMsg", "image_url", "payload.**", "value.**"],
        meaning: "A quick reply.",
    },
    KeyGroup {
        name: "item",
        read: &["title", "subtitle", "value", "image_url", "default_action.@action"],
        known: &[],
        meaning: "An element of a list of values.",
    },
    KeyGroup {
        name: "card",
        read: &["title", "subtitle", "image_url", "default_action.@action", "buttons[].@action"],
        known: &[],
        meaning: "An element of a list or a carousel.",
    },
    KeyGroup {
        name: "cell",
        read: &["[]", "[].@action"],
        known: &[],
        meaning: "The cell of a table: a text, a number, or a list of what it shows, the word `button` and an action.",
    },
    KeyGroup {
        name: "chart",
        read: &["text", "elements[].title", "elements[].value", "elements[].values[]"],
        known: &[
            "X_axis[]",
            "Auto_adjust_X_axis",
            "auto_adjust_X_axis",
            "elements[].displayValue",
            "elements[].displayValues[]",
            "speech_hint",
        ],
        meaning: "A chart.",
    },
    KeyGroup {
        name: "choice",
        read: &["heading", "buttons[].@action"],
        known: &["description", "limit"],
        meaning: "Something to pick from.",
    },
    KeyGroup {
        name: "option",
        read: &["title", "value", "description", "image_url"],
        known: &[],
        meaning: "What may be picked.",
    },
    KeyGroup {
        name: "date",
        read: &["text_message"],
        known: &["text", "title", "format", "view_type", "startDate", "endDate"],
        meaning: "A question for a day or a time.",
    },
    KeyGroup {
        name: "feedback",
        read: &[
            "text",
            "starArrays[].value",
            "smileyArrays[].value",
            "numbersArrays[].value",
            "thumpsUpDownArrays[].value",
            "feedbackList[].title",
            "feedbackList[].value",
        ],
        known: &[
            "heading",
            "view",
            "starArrays[].starId",
            "smileyArrays[].smileyId",
            "numbersArrays[].numberId",
            "numbersArrays[].color",
            "thumpsUpDownArrays[].thumpUpId",
            "feedbackList[].id",
            "feedbackList[].icon",
        ],
        meaning: "A question for a rating.",
    },
    KeyGroup {
        name: "picture",
        read: &[],
        known: &["image_type", "radius", "size"],
        meaning: "What stands beside the source of an image.",
    },
    KeyGroup {
        name: "envelope",
        read: &[
            "type",
            "template_type",
            "formData.formId",
            "formData.name",
            "formData.displayName",
            "formData.formLink",
            "formData.renderType",
            "formData.formLinkExpiry",
            "formData.submitExpiry",
        ],
        known: &["text"],
        meaning: "What stands around and beside every payload.",
    },
    KeyGroup {
        name: "message",
        read: &["text"],
        known: &["url", "title", "fileName", "audioUrl", "videoUrl", "color"],
        meaning: "The payload of a text of the kind `message`.",
    },
    KeyGroup {
        name: "voice_command",
        read: &["data[].verb", "data[].text", "data[].text[]", "data[].say.text", "data[].say.text[]"],
        known: &[
            "command",
            "queueCommand",
            "data[].actionHook",
            "data[].bargein",
            "data[].dtmfBargein",
            "data[].eventHook",
            "data[].finishOnKey",
            "data[].headers.**",
            "data[].input[]",
            "data[].interDigitTimeout",
            "data[].length",
            "data[].listenDuringPrompt",
            "data[].minDigits",
            "data[].numDigits",
            "data[].recognizer.**",
            "data[].record.**",
            "data[].referTo",
            "data[].synthesizer.**",
            "data[].timeout",
        ],
        meaning: "A text of the kind `voice_command`, from its root.",
    },
];
