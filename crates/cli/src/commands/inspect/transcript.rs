//! The first conversations of a file, as people read them: time, who, channel, text.

use std::fmt::Write as _;

use korpus_core::{Form, Message, Scratch, Text, write_timestamp};
use korpus_engine::Item;
use serde_json::{Value, json};

use super::template::{LONGEST, MOST_LINES, draw};
use crate::show::{FAINT, STRONG, thousands, visible, visible_short};

/// Components of one message that are shown.
const MOST_COMPONENTS: usize = 20;

/// Gathers the messages of the first conversations that are met.
#[derive(Debug)]
pub(super) struct Transcript {
    conversations: usize,
    messages: usize,
    skip: u64,
    left: usize,
    found: Vec<Conversation>,
    /// Conversations (as far as neighbours tell) that found no room.
    passed: u64,
    last: Option<String>,
}

#[derive(Debug)]
struct Conversation {
    key: String,
    lines: Vec<Line>,
    /// Messages that found no room.
    more: u64,
}

#[derive(Debug)]
struct Line {
    at: Option<i64>,
    who: String,
    channel: String,
    /// What it says, line by line.
    text: Vec<String>,
}

impl Transcript {
    /// Room for `conversations` of `messages` each, without the first `skip` messages, and `most` of them in all.
    pub(super) fn new(conversations: usize, messages: usize, skip: u64, most: usize) -> Self {
        Self { conversations, messages, skip, left: most, found: Vec::new(), passed: 0, last: None }
    }

    /// Takes the next message.
    pub(super) fn push(&mut self, item: &Item<'_>, scratch: &Scratch) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        let key = conversation_of(item.message);
        let at = self.found.iter().position(|conversation| conversation.key == key);
        let at = match at {
            Some(at) => at,
            None if self.found.len() < self.conversations => {
                self.found.push(Conversation { key, lines: Vec::new(), more: 0 });
                self.found.len() - 1
            }
            None => {
                if self.last.as_ref() != Some(&key) {
                    self.passed += 1;
                    self.last = Some(key);
                }
                return;
            }
        };
        let conversation = &mut self.found[at];
        if conversation.lines.len() < self.messages && self.left > 0 {
            self.left -= 1;
            conversation.lines.push(line(item, scratch));
        } else {
            conversation.more += 1;
        }
    }

    /// The conversations in the order of time.
    fn sorted(&self) -> impl Iterator<Item = (&Conversation, Vec<&Line>)> {
        self.found.iter().map(|conversation| {
            let mut lines: Vec<&Line> = conversation.lines.iter().collect();
            // Pages are newest first as a rule; at one moment the earlier one then stands later.
            if lines.first().map(|line| line.at) > lines.last().map(|line| line.at) {
                lines.reverse();
            }
            lines.sort_by_key(|line| line.at);
            (conversation, lines)
        })
    }

    /// Appends the conversations to `out`.
    pub(super) fn print(&self, out: &mut String) {
        for (conversation, lines) in self.sorted() {
            let _ = writeln!(out, "\n{STRONG}{}{STRONG:#}", visible_short(&conversation.key, 100));
            let mut day = String::new();
            let width = lines.iter().map(|line| line.who.chars().count()).max().unwrap_or(0);
            let channels: std::collections::BTreeSet<&str> =
                lines.iter().map(|line| line.channel.as_str()).collect();
            for line in lines {
                let moment = line.at.map(moment);
                let (date, time) = match &moment {
                    Some(moment) => moment.split_once(['T', ' ']).unwrap_or((moment, "")),
                    None => ("no time", "--:--:--"),
                };
                if date != day {
                    let _ = writeln!(out, "  {FAINT}{date}{FAINT:#}");
                    date.clone_into(&mut day);
                }
                let time = time.get(..8).unwrap_or("");
                // One channel is the rule: it is named where there are several.
                let channel = if channels.len() > 1 { format!(" [{}]", line.channel) } else { String::new() };
                let who = format!("{:width$}{channel}", line.who);
                let _ = write!(out, "  {FAINT}{time}{FAINT:#}  {STRONG}{who}{STRONG:#}  ");
                if line.text.iter().all(|part| part.trim().is_empty()) {
                    let _ = writeln!(out, "{FAINT}(no text){FAINT:#}");
                    continue;
                }
                let indent = " ".repeat(14 + who.chars().count());
                for (index, part) in line.text.iter().enumerate() {
                    let indent = if index == 0 { "" } else { &indent };
                    let _ = writeln!(out, "{indent}{}", visible(part).trim_end());
                }
            }
            if let ([only], false) =
                (channels.into_iter().collect::<Vec<_>>().as_slice(), conversation.lines.is_empty())
            {
                let _ = writeln!(out, "  {FAINT}all on {only}{FAINT:#}");
            }
            if conversation.more > 0 {
                let more = thousands(conversation.more);
                let _ = writeln!(out, "  … and {more} more messages (--messages and --limit show more)");
            }
        }
        if self.passed > 0 && self.conversations > 0 {
            out.push_str("\n  More conversations follow (--conversations shows more)\n");
        }
    }

    /// The conversations as JSON; the texts as they are, cut.
    pub(super) fn to_json(&self) -> Value {
        let conversation = |(conversation, lines): (&Conversation, Vec<&Line>)| {
            let lines = lines.into_iter().map(|line| {
                let text = line.text.join("\n");
                json!({"at": line.at.map(moment), "who": line.who, "channel": line.channel, "text": text})
            });
            json!({
                "conversation": conversation.key,
                "messages": lines.collect::<Vec<_>>(),
                "more": conversation.more,
            })
        };
        self.sorted().map(conversation).collect()
    }
}

/// What holds the messages of a conversation together, in words.
fn conversation_of(message: Message<'_>) -> String {
    let named = |what: &str, text: Option<Text<'_>>| {
        let text = text.filter(|text| !text.is_empty())?;
        Some(format!("{what} {}", text.lossy()))
    };
    let around = message.conversation();
    named("Session", message.session_id())
        .or_else(|| named("Conversation", around.and_then(korpus_core::Conversation::id)))
        .or_else(|| named("Conversation", message.conversation_id()))
        .or_else(|| (message.form() == Form::Call).then(|| format!("Call of page {}", message.page_index())))
        .unwrap_or_else(|| "Messages without a session".to_owned())
}

fn line(item: &Item<'_>, scratch: &Scratch) -> Line {
    let message = item.message;
    let kind = message.message_type().map_or_else(|| "?".to_owned(), |kind| kind.lossy().into_owned());
    let author = message.author().and_then(korpus_core::Author::author_type);
    let who = match kind.as_str() {
        "incoming" => "user",
        "outgoing" if author.is_some_and(|author| author.is("AGENT")) => "agent",
        "outgoing" => "bot",
        other => other,
    };
    let channel = message.channel_name();
    Line {
        at: item.times.event_at,
        who: visible_short(who, 20),
        channel: channel.map_or_else(|| "no channel".to_owned(), |name| visible_short(&name.lossy(), 20)),
        text: text_of(message, scratch),
    }
}

/// What the message says, cut.
fn text_of(message: Message<'_>, scratch: &Scratch) -> Vec<String> {
    let mut lines = Vec::new();
    let mut components = message.components();
    for component in components.by_ref().take(MOST_COMPONENTS) {
        if let Some(text) = component.data_text_value() {
            lines.extend(draw(&scratch.classify_value(text)));
        } else {
            let kind = component.component_type().map(Text::lossy);
            lines.push(format!("[{}]", visible_short(kind.as_deref().unwrap_or("no text"), 40)));
        }
        if lines.len() > MOST_LINES {
            break;
        }
    }
    let more = components.count() as u64;
    if more > 0 {
        lines.push(format!("… and {} more components", thousands(more)));
    }
    if lines.is_empty() {
        lines.extend(
            message.call_text_value().into_iter().flat_map(|text| draw(&scratch.classify_value(text))),
        );
    }
    if let Some(text) = message.alt_text() {
        lines.push(format!("  shown instead: {}", visible_short(&text.lossy(), LONGEST)));
    }
    lines
}

/// A moment as the API writes it.
pub(super) fn moment(micros: i64) -> String {
    let mut out = String::new();
    write_timestamp(micros, &mut out);
    out
}

/// A moment to the minute, for tables.
pub(super) fn minute(micros: i64) -> String {
    let moment = moment(micros);
    let end = moment.char_indices().filter(|(_, c)| *c == ':').nth(1).map_or(moment.len(), |(at, _)| at);
    moment[..end].replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(lines: Vec<Line>) -> String {
        let conversation = Conversation { key: "Session s".to_owned(), lines, more: 0 };
        let transcript = Transcript {
            conversations: 1,
            messages: 9,
            skip: 0,
            left: 9,
            found: vec![conversation],
            passed: 0,
            last: None,
        };
        let mut out = String::new();
        transcript.print(&mut out);
        anstream::adapter::strip_str(&out).to_string()
    }

    fn line(at: Option<i64>, text: &[&str]) -> Line {
        let text = text.iter().map(|&part| part.to_owned()).collect();
        Line { at, who: "user".to_owned(), channel: "rtm".to_owned(), text }
    }

    #[test]
    fn messages_stand_below_their_day_and_those_without_a_time_first() {
        let lines = vec![
            line(Some(86_400_000_000), &["[template: button] Pick", "  [A]"]),
            line(None, &["when?"]),
            line(Some(1_000), &["one", "\u{1b}two"]),
            line(None, &["", " "]),
        ];
        let expected = "\nSession s\n  no time\n  --:--:--  user  (no text)\n  --:--:--  user  when?\n  \
                        1970-01-01\n  00:00:00  user  one\n                  ␛two\n  \
                        1970-01-02\n  00:00:00  user  [template: button] Pick\n                    [A]\n  all on rtm\n";
        assert_eq!(printed(lines), expected);
    }

    #[test]
    fn moments_are_readable() {
        assert_eq!(moment(1_000), "1970-01-01T00:00:00.001Z");
        assert_eq!(minute(1_000), "1970-01-01 00:00");
    }
}
