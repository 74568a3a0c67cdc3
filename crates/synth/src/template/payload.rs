//! The payloads of the templates that bots send most.

use super::{Fill, Kind, choice, form_link, rare};
use crate::json::Json;
use crate::rng::mix;
use crate::text::{self, Say};

pub(super) fn ask(fill: Fill) -> String {
    let mut out = String::new();
    text::phrase(&mut out, fill.language, Say::Ask, fill.task, fill.salt);
    out
}

pub(super) fn chosen(fill: Fill, index: u64) -> String {
    let mut out = String::new();
    choice(&mut out, fill.task, index);
    out
}

pub(super) fn buttons(j: &mut Json, fill: Fill, key: &str) {
    j.key(key).array(|j| {
        for index in 0..3 {
            let title = chosen(fill, index);
            j.object(|j| press(j, &title));
        }
    });
}

/// The members of a button that sends its title.
pub(super) fn press(j: &mut Json, title: &str) {
    j.field("type", "postback");
    j.field("title", title);
    j.field("payload", title);
}

/// Writes the members of a payload.
pub(super) fn write(j: &mut Json, kind: Kind, fill: Fill) {
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
                        if fill.salt.is_multiple_of(3) {
                            j.field("renderMsg", &title);
                            j.field("image_url", "");
                        }
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
        Kind::PieChart | Kind::SpacedPieChart => {
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
        Kind::Feedback => feedback(j, fill),
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
        _ => rare::write(j, kind, fill),
    }
}

/// Asks for a rating in one of the four views; the lists of the other views are there and empty.
fn feedback(j: &mut Json, fill: Fill) {
    const VIEWS: [(&str, &str, &str, i64, i64); 4] = [
        ("star", "starArrays", "starId", 1, 5),
        ("CSAT", "smileyArrays", "smileyId", 1, 5),
        ("NPS", "numbersArrays", "numberId", 0, 10),
        ("ThumbsUpDown", "thumpsUpDownArrays", "thumpUpId", 1, 2),
    ];
    let (view, ..) = VIEWS[(fill.salt % 4) as usize];
    j.field("text", "Rate this chat session");
    j.field("view", view);
    j.field_raw("sliderView", "false");
    for (of, list, id, first, last) in VIEWS {
        j.key(list).array(|j| {
            if of == view {
                for value in (first..=last).rev() {
                    j.object(|j| {
                        j.field_int(id, value);
                        j.field_int("value", value);
                    });
                }
            }
        });
    }
    j.field("messageTodisplay", "Glad you liked the experience. Thanks!");
}

fn elements(j: &mut Json, kind: Kind, fill: Fill) {
    if fill.salt.is_multiple_of(2) {
        j.field("text", &ask(fill));
    }
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
                j.key("buttons").array(|j| j.object(|j| press(j, &title)));
            });
        }
    });
    j.key("buttons").array(|j| {
        j.object(|j| {
            j.field("title", "View More");
            if fill.salt.is_multiple_of(4) {
                j.field("type", "text");
                j.field("value", "more");
            } else {
                j.field("type", "postback");
                j.field("payload", "payload");
            }
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

pub(super) fn table(j: &mut Json, kind: Kind, fill: Fill) {
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
        j.field("table_design", "regular");
    }
    j.key("elements").array(|j| {
        for index in 0..3_u64 {
            let name = chosen(fill, index);
            j.object(|j| match kind {
                Kind::MiniTable => {
                    j.key("primary").array(|j| j.array(|j| j.string(&name)));
                    j.key("additional").array(|j| j.array(|j| j.raw("null")));
                }
                Kind::CustomTable => j.key("Values").array(|j| {
                    cell(j, index as i64 + 1, "text");
                    j.array(|j| {
                        j.string(&name);
                        j.string("button");
                        j.object(|j| {
                            j.field("type", "web_url");
                            j.field("title", "open");
                            j.field("url", "https://www.example.com/rows");
                        });
                    });
                    j.array(|j| {
                        j.int((mix(fill.salt, index) % 9_000) as i64);
                        j.string("button");
                        j.object(|j| press(j, &name));
                    });
                }),
                _ => j.key("Values").array(|j| {
                    j.int(index as i64 + 1);
                    j.string(&name);
                    j.string("");
                }),
            });
        }
    });
}

/// A cell that says what it is.
fn cell(j: &mut Json, value: i64, kind: &str) {
    j.array(|j| {
        j.int(value);
        j.string(kind);
    });
}
