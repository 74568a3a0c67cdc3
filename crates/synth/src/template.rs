//! Template payloads as bots send them: the JSON text that hides in a text component.

use crate::json::Json;
use crate::rng::mix;
use crate::text::{self, Say};

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
}

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
        if kind == Kind::Doubled {
            let mut inner = Json::default();
            inner.object(|i| payload(i, kind, fill));
            j.field("payload", &String::from_utf8(inner.out).unwrap_or_default());
        } else {
            j.key("payload").object(|j| payload(j, kind, fill));
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

fn ask(fill: Fill) -> String {
    let mut out = String::new();
    text::phrase(&mut out, fill.language, Say::Ask, fill.task, fill.salt);
    out
}

fn chosen(fill: Fill, index: u64) -> String {
    let mut out = String::new();
    choice(&mut out, fill.task, index);
    out
}

fn buttons(j: &mut Json, fill: Fill, key: &str) {
    j.key(key).array(|j| {
        for index in 0..3 {
            let title = chosen(fill, index);
            j.object(|j| {
                j.field("type", "postback");
                j.field("title", &title);
                j.field("payload", &title);
            });
        }
    });
}

fn payload(j: &mut Json, kind: Kind, fill: Fill) {
    j.field("template_type", kind.template_type());
    match kind {
        Kind::Button | Kind::Escaped => {
            j.field("text", &ask(fill));
            j.field("subText", text::TASKS[fill.task % 5]);
            buttons(j, fill, "buttons");
            j.field("variation", "plain");
            j.field_raw("fullWidth", "false");
        }
        Kind::Form => {
            j.field("text", &ask(fill));
            j.key("buttons").array(|j| {
                j.object(|j| {
                    j.field("type", "url");
                    j.field("title", "Submit Data");
                    j.field("url", &form_link(fill.salt));
                });
            });
        }
        Kind::QuickReplies | Kind::Welcome | Kind::Doubled => {
            j.field("text", &ask(fill));
            j.key("quick_replies").array(|j| {
                for index in 0..3 {
                    let title = chosen(fill, index);
                    j.object(|j| {
                        j.field("content_type", "text");
                        j.field("title", &title);
                        j.field("value", &title);
                        if index == 2 && fill.salt.is_multiple_of(5) {
                            j.key("payload").object(|j| j.field("name", &title));
                        } else {
                            j.field("payload", &title.to_lowercase());
                        }
                    });
                }
            });
        }
        Kind::List | Kind::Carousel => elements(j, kind, fill),
        Kind::TableList => {
            j.field("title", text::TASKS[fill.task % 5]);
            j.field("description", &ask(fill));
            j.key("elements").array(|j| {
                j.object(|j| {
                    j.field("sectionHeader", "June");
                    j.key("rowItems").array(|j| {
                        for index in 0..3 {
                            j.object(|j| row_item(j, fill, index));
                        }
                    });
                });
            });
        }
        Kind::Table | Kind::MiniTable => table(j, kind, fill),
        Kind::PieChart => {
            j.field("text", &ask(fill));
            j.key("elements").array(|j| {
                for index in 0..3 {
                    j.object(|j| {
                        j.field("title", &chosen(fill, index));
                        j.field_int("value", (mix(fill.salt, index) % 90) as i64);
                        j.field("displayValue", "$1,234.50");
                    });
                }
            });
        }
        Kind::Dropdown => {
            j.field("heading", &ask(fill));
            j.key("elements").array(|j| {
                for index in 0..3 {
                    j.object(|j| {
                        j.field("title", &chosen(fill, index));
                        j.field("value", &chosen(fill, index));
                    });
                }
            });
        }
        Kind::Date | Kind::DateRange => {
            j.field("text", "display");
            j.field("title", "Please choose");
            j.field("text_message", &ask(fill));
            j.field("format", "MM-DD-YYYY");
            j.field("startDate", "08-01-2025");
        }
        Kind::Feedback => {
            j.field("text", "Rate this chat session");
            j.field("view", "star");
            j.field_raw("sliderView", "false");
            j.key("starArrays").array(|j| {
                for star in (1..=5).rev() {
                    j.object(|j| {
                        j.field_int("starId", star);
                        j.field_int("value", star);
                    });
                }
            });
            j.key("smileyArrays").array(|_| {});
            j.field("messageTodisplay", "Glad you liked the experience. Thanks!");
        }
        Kind::Radio => {
            j.field("heading", &ask(fill));
            j.key("radioOptions").array(|j| {
                for index in 0..3 {
                    let title = chosen(fill, index);
                    j.object(|j| {
                        j.field("title", &title);
                        j.field("value", &title);
                        j.key("postback").object(|j| {
                            j.field("title", &title);
                            j.field("value", &title);
                        });
                    });
                }
            });
        }
        Kind::Otp => {
            j.field("title", "Enter the code");
            j.field("description", "We have sent you a code of 6 digits.");
            buttons(j, fill, "otpButtons");
        }
        Kind::LiveAgent => j.field(
            "text",
            "We apologize for the wait. All our agents are busy.You are in 1 position.Your estimated wait time is 2 min",
        ),
        Kind::System => j.field("text", "Thank you for waiting. You are now connected with an agent"),
        Kind::LikeDislike => {}
        Kind::Custom => {
            j.field("title", "Loyalty");
            j.key("card").object(|j| {
                j.field_int("points", (fill.salt % 10_000) as i64);
                j.field_raw("ratio", "0.75");
                j.key("history").array(|j| {
                    for step in 0..3 {
                        j.int(step * 10);
                    }
                });
                j.field_raw("expires", "null");
            });
        }
    }
}

fn elements(j: &mut Json, kind: Kind, fill: Fill) {
    if kind == Kind::Carousel {
        j.field("carousel_type", "stacked");
    }
    j.key("elements").array(|j| {
        for index in 0..3 {
            let title = chosen(fill, index);
            j.object(|j| {
                j.field("title", &title);
                j.field("subtitle", text::TASKS[fill.task % 5]);
                j.field("image_url", "https://images.example.com/cards/7.png?w=640&h=480");
                j.key("default_action").object(|j| {
                    j.field("type", "web_url");
                    j.field("url", "https://www.example.com/?a=1&b=2");
                });
                j.key("buttons").array(|j| {
                    j.object(|j| {
                        j.field("type", "postback");
                        j.field("title", &title);
                        j.field("payload", &title);
                    });
                });
            });
        }
    });
    j.key("buttons").array(|j| {
        j.object(|j| {
            j.field("title", "View More");
            j.field("type", "postback");
            j.field("payload", "payload");
        });
    });
}

fn row_item(j: &mut Json, fill: Fill, index: u64) {
    j.key("title").object(|j| {
        j.field("type", "text");
        j.key("text").object(|j| {
            j.field("title", &chosen(fill, index));
            j.field("subtitle", "due");
        });
    });
    j.key("value").object(|j| {
        j.field("type", "text");
        j.field("text", "$ 7,000");
    });
    j.key("default_action").object(|j| {
        j.field("type", "url");
        j.field("url", "https://www.example.com/rows");
        j.field("utterance", "");
    });
}

fn table(j: &mut Json, kind: Kind, fill: Fill) {
    j.field("text", &ask(fill));
    if kind == Kind::MiniTable {
        j.field("layout", "vertical");
    } else {
        j.key("columns").array(|j| {
            for (name, align) in [("Sl", Some("center")), ("Name", None), ("Amount", Some("right"))] {
                j.array(|j| {
                    j.string(name);
                    if let Some(align) = align {
                        j.string(align);
                    }
                });
            }
        });
    }
    j.key("elements").array(|j| {
        for index in 0..3_u64 {
            j.object(|j| {
                if kind == Kind::MiniTable {
                    j.key("primary").array(|j| j.array(|j| j.string(&chosen(fill, index))));
                    j.key("additional").array(|j| j.array(|j| j.raw("null")));
                } else {
                    j.key("Values").array(|j| {
                        j.int(index as i64 + 1);
                        j.string(&chosen(fill, index));
                        j.string("");
                    });
                }
            });
        }
    });
}
