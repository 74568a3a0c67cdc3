//! Template payloads as bots send them: the JSON text that hides in a text component.

mod payload;
mod rare;

use crate::json::Json;
use crate::rng::mix;
use crate::text;

/// The kinds of template a bot of ours sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Button,
    QuickReplies,
    Welcome,
    List,
    Carousel,
    TableList,
    Table,
    MiniTable,
    PieChart,
    Dropdown,
    Date,
    DateRange,
    Feedback,
    Radio,
    Otp,
    Form,
    LiveAgent,
    System,
    Escaped,
    Doubled,
    LikeDislike,
    Custom,
    ListView,
    ListWidget,
    AdvancedList,
    CustomTable,
    BarChart,
    LineChart,
    SpacedPieChart,
    MultiSelect,
    AdvancedMultiSelect,
    FormFields,
    Clock,
    BankingFeedback,
    Cards,
    Articles,
    CheckList,
    TaskPicker,
    ResetPin,
    Search,
    Answer,
    WaitForResponse,
    /// A bar chart under the misspelt key `pay load`.
    PayLoad,
}

/// What a bot asks with now and then: the other types, each as often as the next.
pub(crate) const RARE: [Kind; 21] = [
    Kind::ListView,
    Kind::ListWidget,
    Kind::AdvancedList,
    Kind::CustomTable,
    Kind::BarChart,
    Kind::LineChart,
    Kind::SpacedPieChart,
    Kind::MultiSelect,
    Kind::AdvancedMultiSelect,
    Kind::FormFields,
    Kind::Clock,
    Kind::BankingFeedback,
    Kind::Cards,
    Kind::Articles,
    Kind::CheckList,
    Kind::TaskPicker,
    Kind::ResetPin,
    Kind::Search,
    Kind::Answer,
    Kind::WaitForResponse,
    Kind::PayLoad,
];

/// What a bot may ask with.
pub(crate) const PROMPTS: [Kind; 17] = [
    Kind::Button,
    Kind::Button,
    Kind::Button,
    Kind::QuickReplies,
    Kind::QuickReplies,
    Kind::List,
    Kind::Carousel,
    Kind::TableList,
    Kind::Table,
    Kind::MiniTable,
    Kind::PieChart,
    Kind::Dropdown,
    Kind::Date,
    Kind::DateRange,
    Kind::Radio,
    Kind::Escaped,
    Kind::Doubled,
];

impl Kind {
    /// `template_type` as the payload writes it.
    pub(crate) fn template_type(self) -> &'static str {
        match self {
            Self::Button | Self::Form | Self::Escaped => "button",
            Self::QuickReplies | Self::Doubled => "quick_replies",
            Self::Welcome => "quick_replies_welcome",
            Self::List => "list",
            Self::Carousel => "carousel",
            Self::TableList => "tableList",
            Self::Table => "table",
            Self::MiniTable => "mini_table",
            Self::PieChart => "piechart",
            Self::Dropdown => "dropdown_template",
            Self::Date => "dateTemplate",
            Self::DateRange => "daterange",
            Self::Feedback => "feedbackTemplate",
            Self::Radio => "radioOptionTemplate",
            Self::Otp => "otpValidationTemplate",
            Self::LiveAgent => "live_agent",
            Self::System => "SYSTEM",
            Self::LikeDislike => "like_dislike",
            Self::Custom => "acmeLoyaltyCard",
            Self::ListView => "listView",
            Self::ListWidget => "listWidget",
            Self::AdvancedList => "advancedListTemplate",
            Self::CustomTable => "custom_table",
            Self::BarChart | Self::PayLoad => "barchart",
            Self::LineChart => "linechart",
            Self::SpacedPieChart => "pie chart",
            Self::MultiSelect => "multi_select",
            Self::AdvancedMultiSelect => "advanced_multi_select",
            Self::FormFields => "form_template",
            Self::Clock => "clockTemplate",
            Self::BankingFeedback => "bankingFeedbackTemplate",
            Self::Cards => "cardTemplate",
            Self::Articles => "articleTemplate",
            Self::CheckList => "checkListTemplate",
            Self::TaskPicker => "taskPickerTemplate",
            Self::ResetPin => "resetPinTemplate",
            Self::Search => "search",
            Self::Answer => "answerTemplate",
            Self::WaitForResponse => "wait_for_response",
        }
    }
}

/// What the payload is filled with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    pub(crate) language: usize,
    pub(crate) task: usize,
    pub(crate) salt: u64,
}

/// The choices that a prompt offers, so that the answer can be one of them.
pub(crate) fn choice(out: &mut String, task: usize, index: u64) {
    const CHOICES: [[&str; 3]; 5] = [
        ["Electricity", "Water", "Mobile"],
        ["Denver", "München", "東京"],
        ["Latest order", "Older orders", "Returns"],
        ["By e-mail", "By SMS", "By phone"],
        ["Salary", "Saving", "Checking"],
    ];
    out.push_str(CHOICES[task % 5][(index % 3) as usize]);
}

/// Appends the text of a template.
pub(crate) fn write(out: &mut String, kind: Kind, fill: Fill) {
    let mut json = Json::default();
    json.object(|j| {
        j.field("type", "template");
        match kind {
            Kind::Doubled => j.field("payload", &doubled(kind, fill)),
            Kind::PayLoad => j.key("pay load").object(|j| payload::write(j, kind, fill)),
            _ => j.key("payload").object(|j| payload::write(j, kind, fill)),
        }
        if kind == Kind::Form {
            j.key("formData").object(|j| {
                j.field("formLink", &form_link(fill.salt));
                j.field("renderType", "pop-up");
                j.field_int("formLinkExpiry", 300);
                j.field_int("submitExpiry", 600);
                j.field_id("formId", "frm-", form_id(fill.task));
                j.field("name", "secureForm");
                j.field("displayName", text::TASKS[fill.task % 5]);
            });
        }
    });
    let text = String::from_utf8(json.out).unwrap_or_default();
    if kind == Kind::Escaped {
        out.push_str(&text.replace('&', "&amp;").replace('"', "&quot;"));
    } else {
        out.push_str(&text);
    }
}

/// A payload as the text of a string; now and then as that of a string in a string, or with entities.
fn doubled(kind: Kind, fill: Fill) -> String {
    let mut json = Json::default();
    json.object(|j| payload::write(j, kind, fill));
    let text = String::from_utf8(json.out).unwrap_or_default();
    match fill.salt % 8 {
        0 => {
            let mut string = Json::default();
            string.string(&text);
            String::from_utf8(string.out).unwrap_or_default()
        }
        1 => text.replace('&', "&amp;").replace('"', "&quot;"),
        _ => text,
    }
}

/// Messages that carry a payload and are no templates, by the `type` of their envelope.
pub(crate) const ENVELOPES: [&str; 8] =
    ["message", "error", "image", "audio", "video", "link", "document", "attachment"];

/// Appends the text of a message with a payload: one of [`ENVELOPES`].
pub(crate) fn write_envelope(out: &mut String, envelope: usize, fill: Fill) {
    let name = ENVELOPES[envelope % ENVELOPES.len()];
    let mut json = Json::default();
    json.object(|j| {
        j.field("type", name);
        j.key("payload").object(|j| match name {
            "message" => j.field("text", &payload::ask(fill)),
            "error" => {
                j.field("text", "Something went wrong. Please try again.");
                j.field("color", "#F5A9A9");
            }
            "link" => {
                j.field("title", text::TASKS[fill.task % 5]);
                j.field("url", "https://www.example.com/files/7?a=1&b=2");
                j.field("fileName", "statement.pdf");
            }
            _ => {
                j.field("url", "https://media.example.com/7/receipt.bin");
                if fill.salt.is_multiple_of(2) {
                    j.field("text", text::TASKS[fill.task % 5]);
                }
            }
        });
    });
    out.push_str(&String::from_utf8_lossy(&json.out));
}

/// Appends a JSON object that is nothing that a client draws.
pub(crate) fn write_json(out: &mut String, fill: Fill) {
    let mut json = Json::default();
    json.object(|j| {
        j.field("event", "context_shared");
        j.key("task").object(|j| {
            j.field("name", text::TASKS[fill.task % 5]);
            j.field_int("step", (fill.salt % 9) as i64);
        });
    });
    out.push_str(&String::from_utf8_lossy(&json.out));
}

/// What identifies the form of a task.
pub(crate) fn form_id(task: usize) -> u64 {
    mix(0x000f_0123, task as u64)
}

fn form_link(salt: u64) -> String {
    format!(
        "https://{{{{host}}}}/api/1.1/UIFlow/forms/token?hash={:016x}{:016x}&botLang=en",
        mix(salt, 1),
        mix(salt, 2)
    )
}
