//! The payloads of the templates that bots send now and then: the other types of the client's library.

use super::payload::{ask, buttons, chosen, press, table};
use super::{Fill, Kind};
use crate::json::Json;
use crate::rng::mix;
use crate::text;

const ADDRESS: &str = "https://www.example.com/?a=1&b=2";
const PICTURE: &str = "https://images.example.com/cards/7.png?w=640&h=480";
/// A picture inside the payload: one pixel.
const INLINE: &str = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

/// Writes the members of a payload, but for its type.
pub(super) fn write(j: &mut Json, kind: Kind, fill: Fill) {
    match kind {
        Kind::CustomTable => table(j, kind, fill),
        Kind::ListView | Kind::ListWidget | Kind::AdvancedList | Kind::Cards | Kind::Articles => {
            list(j, kind, fill);
        }
        Kind::CheckList | Kind::TaskPicker => tasks(j, kind, fill),
        Kind::BarChart | Kind::LineChart | Kind::PayLoad => chart(j, fill),
        Kind::MultiSelect | Kind::AdvancedMultiSelect => selection(j, kind, fill),
        Kind::FormFields | Kind::ResetPin => form(j, kind, fill),
        Kind::Clock => {
            j.field("text", "display");
            j.field("title", "Please choose");
            j.field("text_message", &ask(fill));
            j.field("format", "HH:MM");
        }
        Kind::BankingFeedback => {
            j.field("heading", "How was it?");
            objects(j, "feedbackList", 3, |j, index| {
                j.field("title", &chosen(fill, index));
                j.field_int("value", index as i64 + 1);
                j.field("icon", INLINE);
            });
            buttons(j, fill, "buttons");
        }
        Kind::Search | Kind::Answer => found(j, kind, fill),
        // Nothing but its type.
        _ => {}
    }
}

/// A list of `count` objects.
fn objects(j: &mut Json, key: &str, count: u64, each: impl Fn(&mut Json, u64)) {
    j.key(key).array(|j| {
        for index in 0..count {
            j.object(|j| each(j, index));
        }
    });
}

/// What a click on the whole does.
fn default_action(j: &mut Json, title: &str, is_link: bool) {
    j.key("default_action").object(|j| {
        if is_link {
            j.field("type", "url");
            j.field("url", ADDRESS);
        } else {
            press(j, title);
        }
    });
}

fn picture(j: &mut Json) {
    j.key("image").object(|j| {
        j.field("image_type", "image");
        j.field("image_src", PICTURE);
    });
}

fn list(j: &mut Json, kind: Kind, fill: Fill) {
    match kind {
        Kind::ListView => {
            j.field("text", &ask(fill));
            j.field("heading", text::TASKS[fill.task % 5]);
            j.field_raw("seeMore", "true");
            j.field_int("moreCount", 1);
            objects(j, "elements", 2, |j, index| view_item(j, fill, index));
            j.key("moreData").object(|j| objects(j, "Tab1", 1, |j, _| view_item(j, fill, 2)));
        }
        Kind::ListWidget => {
            j.field("title", text::TASKS[fill.task % 5]);
            j.field("description", &ask(fill));
            objects(j, "elements", 2, |j, index| {
                let title = chosen(fill, index);
                j.field("title", &title);
                j.field("subtitle", "due");
                picture(j);
                j.key("value").object(|j| {
                    j.field("type", "text");
                    j.field("text", "$ 7,000");
                    j.key("layout").object(|j| j.field("align", "center"));
                });
                objects(j, "details", 1, |j, _| {
                    picture(j);
                    j.field("description", "$250.00 - Aug 03rd");
                });
                default_action(j, &title, false);
                objects(j, "buttons", 1, |j, _| press(j, &title));
            });
        }
        Kind::AdvancedList => {
            j.field("title", text::TASKS[fill.task % 5]);
            j.field("description", &ask(fill));
            j.field("listViewType", "nav");
            objects(j, "listItems", 2, |j, index| advanced_item(j, fill, index));
        }
        Kind::Cards => objects(j, "cards", 2, |j, index| {
            let title = chosen(fill, index);
            j.key("cardHeading").object(|j| {
                j.field("title", &title);
                j.field("description", text::TASKS[fill.task % 5]);
            });
            objects(j, "cardDescription", 2, |j, index| {
                j.field("title", ["From", "To"][index as usize % 2]);
                j.field("description", "Denver");
            });
            default_action(j, &title, true);
            objects(j, "buttons", 1, |j, _| press(j, &title));
        }),
        _ => objects(j, "elements", 2, |j, index| {
            j.field("title", &chosen(fill, index));
            j.field("description", "Nobody reads it to the end.");
            j.field("icon", INLINE);
            j.field("createdOn", "August 30 2023");
            default_action(j, "article", true);
        }),
    }
}

fn view_item(j: &mut Json, fill: Fill, index: u64) {
    let title = chosen(fill, index);
    j.field("title", &title);
    j.field("subtitle", "10 Aug");
    j.field("value", "$ 1,234.50");
    j.field("image_url", PICTURE);
    default_action(j, &title, index == 1);
}

/// Items fold out into something else each.
fn advanced_item(j: &mut Json, fill: Fill, index: u64) {
    let title = chosen(fill, index);
    j.field("title", &title);
    j.field("description", text::TASKS[fill.task % 5]);
    j.field("icon", INLINE);
    j.field_raw("isAccordian", "true");
    if index == 0 {
        j.field("view", "options");
        objects(j, "optionsData", 2, |j, option| {
            j.field("id", ["a", "b"][option as usize % 2]);
            j.field("label", &chosen(fill, option));
            j.field("type", "radio");
            j.field("value", &chosen(fill, option));
        });
    } else {
        j.field("view", "table");
        objects(j, "tableListData", 1, |j, _| {
            objects(j, "rowData", 2, |j, row| {
                j.field("title", &chosen(fill, row));
                j.field("description", "$ 7,000");
            });
        });
    }
    objects(j, "headerOptions", 1, |j, _| {
        j.field("contenttype", "button");
        press(j, "Pay");
    });
    objects(j, "buttons", 1, |j, _| press(j, &title));
}

fn tasks(j: &mut Json, kind: Kind, fill: Fill) {
    if kind == Kind::TaskPicker {
        j.field("heading", &ask(fill));
        objects(j, "tasks", 3, |j, index| {
            let title = chosen(fill, index);
            j.field("title", &title);
            j.field("icon", INLINE);
            j.key("postback").object(|j| {
                j.field("title", &title);
                j.field("value", &title.to_lowercase());
            });
        });
        return;
    }
    j.field("title", &ask(fill));
    objects(j, "elements", 1, |j, _| {
        j.field_int("id", 0);
        j.field("title", text::TASKS[fill.task % 5]);
        j.field("taskProgress", "70%");
        objects(j, "subInformation", 1, |j, _| {
            j.field("title", "Total tasks:");
            j.field("value", "2");
        });
        default_action(j, text::TASKS[fill.task % 5], false);
        objects(j, "subElements", 2, |j, index| {
            let title = chosen(fill, index);
            j.field("title", &title);
            j.key("rightContent").object(|j| {
                j.field("icon", INLINE);
                default_action(j, &title, index == 1);
            });
            objects(j, "values", 1, |j, _| {
                j.field("title", "Status: ");
                j.field("icon", "");
                j.field("value", "Completed");
            });
        });
    });
}

fn chart(j: &mut Json, fill: Fill) {
    j.field("text", &ask(fill));
    j.key("X_axis").array(|j| ["May", "June"].iter().for_each(|month| j.string(month)));
    j.field_raw("Auto_adjust_X_axis", "true");
    objects(j, "elements", 2, |j, index| {
        j.field("title", &chosen(fill, index));
        j.key("values").array(|j| (0..2).for_each(|at| j.int((mix(fill.salt, 2 * index + at) % 90) as i64)));
        j.key("displayValues").array(|j| ["$10", "$20"].iter().for_each(|shown| j.string(shown)));
    });
}

fn selection(j: &mut Json, kind: Kind, fill: Fill) {
    let option = |j: &mut Json, index: u64| {
        j.field("title", &chosen(fill, index));
        j.field("value", &chosen(fill, index));
    };
    j.field("heading", &ask(fill));
    if kind == Kind::AdvancedMultiSelect {
        j.field_raw("showViewMore", "true");
        j.field_int("limit", 1);
        objects(j, "elements", 2, |j, index| {
            j.field("collectionTitle", ["June", "July"][index as usize % 2]);
            objects(j, "collection", 2, |j, at| {
                option(j, index + at);
                j.field("description", "due");
                j.field("image_url", PICTURE);
            });
        });
    } else {
        objects(j, "elements", 3, option);
    }
    objects(j, "buttons", 1, |j, _| press(j, "Done"));
}

fn form(j: &mut Json, kind: Kind, fill: Fill) {
    if kind == Kind::ResetPin {
        j.field("title", "Choose a new PIN");
        j.field("description", &ask(fill));
        j.field("enterPinTitle", "Enter your new PIN");
        j.field("reEnterPinTitle", "Enter it again");
        j.field("mobileNumber", "+91******8161");
        j.field_int("pinLength", 4);
        objects(j, "resetButtons", 1, |j, _| j.field("title", "Reset"));
        return;
    }
    j.field("heading", &ask(fill));
    objects(j, "formFields", 2, |j, index| {
        j.field("type", ["text", "password"][index as usize % 2]);
        j.field("label", ["Name", "Password"][index as usize % 2]);
        j.field("placeholder", "Please enter");
        if index == 1 {
            j.key("fieldButton").object(|j| j.field("title", "Ok"));
        }
    });
}

/// Results of a search, and an answer made from documents: text in pieces.
fn found(j: &mut Json, kind: Kind, fill: Fill) {
    let panel = |j: &mut Json| {
        j.key("center_panel").object(|j| {
            j.field("type", "answer");
            objects(j, "data", 1, |j, _| {
                j.field("snippet_title", text::TASKS[fill.task % 5]);
                if fill.salt.is_multiple_of(2) {
                    j.field("snippet_content", &ask(fill));
                } else {
                    objects(j, "snippet_content", 2, |j, piece| {
                        j.field("answer_fragment", &chosen(fill, piece));
                        objects(j, "sources", 1, |j, _| {
                            j.field("title", "Terms");
                            j.field("url", ADDRESS);
                        });
                    });
                }
            });
        });
    };
    if kind == Kind::Answer {
        j.key("answer_payload").object(panel);
    } else {
        j.key("graph_answer").object(|j| j.key("payload").object(panel));
    }
}
