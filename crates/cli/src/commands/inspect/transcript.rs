//! The first conversations of a file, as people read them: time, who, channel, text.

use std::fmt::Write as _;

use korpus_core::{ChannelField, Form, Message, Text, write_timestamp};
use korpus_engine::Item;
use serde_json::{Value, json};

use crate::show::{FAINT, STRONG, thousands, visible, visible_short};

/// Characters of one message that are kept for showing.
const LONGEST: usize = 1000;

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
    text: String,
}

impl Transcript {
    /// Room for `conversations` of `messages` each, without the first `skip` messages, and `most` of them in all.
    pub(super) fn new(conversations: usize, messages: usize, skip: u64, most: usize) -> Self {
        Self { conversations, messages, skip, left: most, found: Vec::new(), passed: 0, last: None }
    }

    /// Takes the next message.
    pub(super) fn push(&mut self, item: &Item<'_>) {
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
            conversation.lines.push(line(item));
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
                let moment = line.at.map_or_else(|| "no time    --:--:--".to_owned(), moment);
                let (date, time) = moment.split_once(['T', ' ']).unwrap_or((&moment, ""));
                if date != day {
                    let _ = writeln!(out, "  {FAINT}{date}{FAINT:#}");
                    date.clone_into(&mut day);
                }
                let time = time.trim_start().get(..8).unwrap_or("");
                // One channel is the rule: it is named where there are several.
                let channel = if channels.len() > 1 { format!(" [{}]", line.channel) } else { String::new() };
                let who = format!("{:width$}{channel}", line.who);
                if line.text.trim().is_empty() {
                    let _ = writeln!(
                        out,
                        "  {FAINT}{time}{FAINT:#}  {STRONG}{who}{STRONG:#}  {FAINT}(no text){FAINT:#}"
                    );
                    continue;
                }
                let indent = " ".repeat(14 + who.chars().count());
                for (index, part) in line.text.split('\n').enumerate() {
                    let part = visible(part.trim_end_matches('\r'));
                    let _ = if index == 0 {
                        writeln!(out, "  {FAINT}{time}{FAINT:#}  {STRONG}{who}{STRONG:#}  {part}")
                    } else {
                        writeln!(out, "{indent}{part}")
                    };
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
                json!({"at": line.at.map(moment), "who": line.who, "channel": line.channel, "text": line.text})
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

fn line(item: &Item<'_>) -> Line {
    let message = item.message;
    let kind = message.message_type().map_or_else(|| "?".to_owned(), |kind| kind.lossy().into_owned());
    let author = message.author().and_then(korpus_core::Author::author_type);
    let who = match kind.as_str() {
        "incoming" => "user",
        "outgoing" if author.is_some_and(|author| author.is("AGENT")) => "agent",
        "outgoing" => "bot",
        other => other,
    };
    let first = message.channels().next().and_then(|channel| channel.text(ChannelField::Type));
    let channel = message.chnl().or_else(|| message.channel()).or(first);
    Line {
        at: item.event_at,
        who: visible_short(who, 20),
        channel: channel.map_or_else(|| "no channel".to_owned(), |name| visible_short(&name.lossy(), 20)),
        text: text_of(message),
    }
}

/// What the message says, cut.
fn text_of(message: Message<'_>) -> String {
    let mut texts: Vec<String> = message
        .components()
        .map(|component| {
            if let Some(text) = component.data_text() {
                readable(&text.lossy())
            } else {
                let kind = component.component_type().map(Text::lossy);
                format!("[{}]", kind.as_deref().unwrap_or("no text"))
            }
        })
        .collect();
    if texts.is_empty() {
        texts.extend(message.call_text().map(|text| readable(&text.lossy())));
    }
    let all = texts.join("\n");
    match all.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &all[..end]),
        None => all,
    }
}

/// A text, or the kind and the words of a template that it hides.
fn readable(text: &str) -> String {
    let trimmed = text.trim_start();
    if !trimmed.starts_with('{') {
        return text.to_owned();
    }
    let Ok(value) = serde_json::from_str::<Value>(trimmed) else { return text.to_owned() };
    if value.get("type").and_then(Value::as_str) != Some("template") {
        return text.to_owned();
    }
    let payload = value.get("payload").unwrap_or(&Value::Null);
    let string = |keys: &[&str]| keys.iter().find_map(|key| payload.get(*key)?.as_str());
    let kind = string(&["template_type"]).unwrap_or("unknown");
    let words = string(&["text", "heading", "title", "speech_hint"]).unwrap_or("");
    let titles =
        ["buttons", "quick_replies", "elements"].into_iter().find_map(|key| payload.get(key)?.as_array());
    let titles: Vec<&str> =
        titles.into_iter().flatten().filter_map(|choice| choice.get("title")?.as_str()).take(10).collect();
    let choices = if titles.is_empty() { String::new() } else { format!(" ({})", titles.join(" | ")) };
    format!("[template: {kind}] {words}{choices}").trim_end().to_owned()
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

    #[test]
    fn templates_are_named_and_their_words_shown() {
        let template = r#"{"type":"template","payload":{"template_type":"button","text":"Pick one","buttons":[{"title":"A"},{"title":"B"}]}}"#;
        assert_eq!(readable(template), "[template: button] Pick one (A | B)");
        assert_eq!(readable(r#"{"type":"template"}"#), "[template: unknown]");
        for other in ["", "Hi", "{", r#"{"a":1}"#, "{\"type\":\"template\""] {
            assert_eq!(readable(other), other);
        }
    }

    #[test]
    fn moments_are_readable() {
        assert_eq!(moment(1_000), "1970-01-01T00:00:00.001Z");
        assert_eq!(minute(1_000), "1970-01-01 00:00");
    }
}
