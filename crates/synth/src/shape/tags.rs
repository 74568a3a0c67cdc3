//! `tags`: four scopes, values of any type.

use crate::json::Json;
use crate::rng::mix;
use crate::walk::Item;

pub(super) fn write(j: &mut Json, item: &Item, template: bool, stream: bool) {
    let (head, turn) = (&item.head, &item.turn);
    j.key("tags").object(|j| {
        j.key("messageTags").array(|j| {
            if turn.id.is_multiple_of(9) {
                any(j, "topic", mix(turn.id, 91));
            }
            if item.edited {
                tag(j, "reviewed", "true");
            }
        });
        j.key("userTags").array(|j| user(j, head.user));
        j.key("sessionTags").array(|j| session(j, head.seed));
        if !stream {
            j.key("altText").array(|j| {
                if template && turn.id.is_multiple_of(3) {
                    tag(j, "altText", "\"Please choose an option \\ud83d\\udc47\"");
                }
            });
        }
    });
}

/// Tags of a user, the same on all of the user's messages.
pub(super) fn user(j: &mut Json, user: u64) {
    if user.is_multiple_of(4) {
        tag(j, "tier", ["\"gold\"", "\"silver\"", "\"bronze\""][(user / 4 % 3) as usize]);
        any(j, "since", mix(user, 92));
    }
}

/// Tags of a session, the same on all of its messages.
pub(super) fn session(j: &mut Json, session: u64) {
    if session.is_multiple_of(6) {
        any(j, "campaign", mix(session, 93));
    }
}

fn any(j: &mut Json, name: &str, salt: u64) {
    const VALUES: [&str; 10] = [
        "\"spring\"",
        "\"año nuevo\"",
        "42",
        "3.50",
        "true",
        "null",
        "\"\"",
        "{\"level\":2,\"path\":[\"a\",\"b\"]}",
        "[1,\"two\"]",
        "\"2021-07-01\"",
    ];
    tag(j, name, VALUES[(salt % 10) as usize]);
}

fn tag(j: &mut Json, name: &str, value: &str) {
    j.object(|j| {
        j.field_raw("value", value);
        j.field("name", name);
    });
}
