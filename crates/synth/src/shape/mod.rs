//! Writers of messages and records, one file a shape, and what each tells the ground truth.

mod channel;
mod full;
mod lite;
mod records;
mod tags;

use crate::conversation::{Author, CHANNELS, Head, Turn, What};
use crate::json::Json;
use crate::options::{Profile, Shape};
use crate::rng::mix;
use crate::template::{self, Fill, Kind};
use crate::text::{self, Say};
use crate::walk::Item;

pub(crate) use records::{conversation, session};

/// Status values as `status` carries them; an open set in real data.
pub(crate) const STATUSES: [&str; 7] =
    ["received", "sent to cs", "pending", "delivered", "opened", "sent", "read"];

/// The form of a message, as a reader tells it from the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Full,
    /// Full as of 2019; a form of its own only because its content differs from [`Form::Full`].
    Stream,
    Lite,
    Call,
    AgentAi,
}

/// What a text component's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextKind {
    Empty,
    Plain,
    Template,
    VoiceCommand,
    WrappedText,
    Message,
    Json,
    Malformed,
    Ssml,
}

impl TextKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Plain => "plain",
            Self::Template => "template",
            Self::VoiceCommand => "voice_command",
            Self::WrappedText => "wrapped_text",
            Self::Message => "message",
            Self::Json => "json",
            Self::Malformed => "malformed",
            Self::Ssml => "ssml",
        }
    }
}

/// What the ground truth keeps of a written message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meta {
    pub(crate) form: Form,
    /// Milliseconds since 1970: `createdOn`, else `timestamp`, else `timestampValue`.
    pub(crate) event_at: i64,
    pub(crate) bot: Option<u32>,
    pub(crate) channel: Option<u8>,
    pub(crate) language: Option<u8>,
    pub(crate) kind: u8,
    pub(crate) status: Option<u8>,
    pub(crate) text: TextKind,
    pub(crate) template: Option<Kind>,
    /// Newest of `lmodifiedOn` and `__lModifiedOn__`.
    pub(crate) version: Option<i64>,
    pub(crate) richness: u32,
    pub(crate) session: Option<u64>,
    pub(crate) edited: bool,
}

/// Writes messages; keeps what can be reused between them.
#[derive(Debug)]
pub(crate) struct Writer {
    profile: Profile,
    seed: u64,
    text: String,
}

impl Writer {
    pub(crate) fn new(profile: Profile, seed: u64) -> Self {
        Self { profile, seed, text: String::new() }
    }

    /// Writes one message of a body of `shape`.
    pub(crate) fn message(&mut self, j: &mut Json, shape: Shape, item: &Item) -> Meta {
        match shape {
            Shape::Lite => self.lite(j, item),
            Shape::Stream => self.full(j, item, true),
            _ => self.full(j, item, false),
        }
    }

    /// What a bot's id is derived from.
    pub(crate) fn bot(&self, number: u32) -> u64 {
        bot_key(self.seed, number)
    }

    /// Fills the scratch with the message's text and says what it is.
    fn say(&mut self, head: &Head, turn: &Turn) -> (TextKind, Option<Kind>) {
        let out = &mut self.text;
        out.clear();
        let language = usize::from(head.language);
        let task = usize::from(turn.task);
        let salt = turn.id;
        let mut kind = TextKind::Plain;
        let mut shown = None;
        match turn.what {
            What::Say(say) => text::phrase(out, language, say, task, salt),
            What::Template(template) => {
                template::write(out, template, Fill { language, task, salt });
                kind = TextKind::Template;
                shown = Some(template);
            }
            What::Pick(index) => template::choice(out, task, u64::from(index)),
            What::Closing => out.push_str(text::CLOSING),
            What::NoInput => {
                out.push_str(if salt.is_multiple_of(3) { "Welcome Task" } else { "MAX_NO_INPUT" });
            }
            What::VoiceGather => {
                let mut said = String::new();
                text::phrase(&mut said, language, Say::Ask, task, salt);
                command(out, |j| {
                    j.object(|j| {
                        j.field("verb", "gather");
                        j.field("actionHook", "/actions/hooks");
                        j.key("input").array(|j| {
                            j.string("digits");
                            j.string("speech");
                        });
                        j.key("say").object(|j| j.key("text").array(|j| j.string(&said)));
                        j.field_raw("bargein", "false");
                        j.field_int("timeout", 10);
                    });
                });
                kind = TextKind::VoiceCommand;
            }
            What::VoiceTransfer => {
                command(out, |j| {
                    j.object(|j| {
                        j.field("verb", "say");
                        j.field("text", "Please wait");
                    });
                    j.object(|j| {
                        j.field("verb", "sip:refer");
                        j.field("referTo", "<sip:desk@example.com:5061?User-to-User=00%3Bencoding%3Dhex>");
                        j.key("headers").object(|_| {});
                    });
                });
                kind = TextKind::VoiceCommand;
            }
            What::VoiceHangup => {
                command(out, |j| {
                    j.object(|j| {
                        j.field("verb", "pause");
                        j.field_raw("length", "0.2");
                    });
                    j.object(|j| j.field("verb", "hangup"));
                });
                kind = TextKind::VoiceCommand;
            }
            What::Ssml => {
                out.push_str("<speak>");
                text::phrase(out, language, Say::Ask, task, salt);
                out.push_str("<break time=\"300ms\"/></speak>");
                kind = TextKind::Ssml;
            }
            What::Entities => {
                out.push_str("You can say &quot;treatment&quot;; &quot;illness&quot;; or, &quot;something else&quot; &amp; wait.");
            }
            What::Wrapped => {
                let mut said = String::new();
                text::phrase(&mut said, language, Say::Ask, task, salt);
                let mut j = Json::default();
                j.object(|j| j.field("text", &said));
                out.push_str(&String::from_utf8_lossy(&j.out));
                kind = TextKind::WrappedText;
            }
            What::Envelope(envelope) => {
                template::write_envelope(out, usize::from(envelope), Fill { language, task, salt });
                kind = TextKind::Message;
            }
            What::Json => {
                template::write_json(out, Fill { language, task, salt });
                kind = TextKind::Json;
            }
            What::Malformed => {
                out.push_str("{\"type\":\"template\",\"payload\":{\"template_type\":\"button\",\"text\":\"");
                kind = TextKind::Malformed;
            }
            What::Empty | What::Image => kind = TextKind::Empty,
            What::Notice => out.push_str("sending a ctrl message to CS"),
        }
        (kind, shown)
    }
}

/// Appends a command of the voice gateway.
fn command(out: &mut String, verbs: impl FnOnce(&mut Json)) {
    let mut j = Json::default();
    j.object(|j| {
        j.field("type", "command");
        j.field("command", "redirect");
        j.field_raw("queueCommand", "true");
        j.key("data").array(verbs);
    });
    out.push_str(&String::from_utf8_lossy(&j.out));
}

/// What a bot's id is derived from.
pub(crate) fn bot_key(seed: u64, number: u32) -> u64 {
    mix(mix(seed, 0xb07), u64::from(number))
}

/// The status of a message, as an index into [`STATUSES`].
fn status(turn: &Turn) -> u8 {
    match (turn.kind, turn.author, turn.id % 50) {
        (1, Author::Form, n) if n < 25 => 4,
        (1, _, 0) => 3,
        (1, _, 1) => 5,
        (1, _, 2) => 6,
        (1, ..) => 2,
        (_, _, n) if n < 15 => 1,
        _ => 0,
    }
}

/// `author`, for those messages that have one.
fn author(j: &mut Json, head: &Head, turn: &Turn, bot: u64) {
    let person = |j: &mut Json, kind: &str, of: u64| {
        let name = text::NAMES[(mix(of, 5) % 12) as usize];
        j.field_id("id", "u-", of);
        j.field("type", kind);
        j.field("firstName", name);
        j.field("lastName", "Example");
        j.field("emailId", "person@example.com");
        j.field("profImage", "no-avatar");
    };
    if turn.author == Author::None {
        return;
    }
    j.key("author").object(|j| match turn.author {
        Author::User => person(j, "USER", head.user),
        Author::Agent => person(j, "AGENT", mix(bot, head.seed % 9)),
        Author::Form => {
            j.field_id("id", "u-", head.user);
            j.field("type", "FORM");
            j.field_id("formId", "frm-", template::form_id(usize::from(turn.task)));
            j.field("formName", "secureForm");
            j.field_raw("isSecuredForm", "true");
            j.key("aId").quoted(|out| {
                let start = out.len();
                crate::ids::conversation(out, mix(bot, 21));
                out[start] = b'a';
            });
            j.field_id("iId", "st-", bot);
            j.field_id("fId", "form-", mix(turn.id, 22));
        }
        Author::System => j.field("type", "SYSTEM"),
        Author::Voicemail => j.field("type", "VOICEMAIL"),
        Author::Event | Author::None => j.field("type", "EVENT"),
    });
}

/// Whether the agent side of a contact centre sent this.
fn agent_side(turn: &Turn) -> bool {
    turn.kind == 1 && matches!(turn.author, Author::Agent | Author::System | Author::Event | Author::Form)
}

/// Writes `components` with the text in hand.
fn components(j: &mut Json, turn: &Turn, text: &str, lite: bool) {
    j.key("components").array(|j| {
        if turn.kind == 3 {
            return;
        }
        let image = turn.what == What::Image;
        j.object(|j| {
            if !lite {
                j.field_id("_id", "cp-", mix(turn.id, 31));
            }
            j.field("cT", if image { "image" } else { "text" });
            j.key("data").object(|j| {
                j.ascii = turn.id.is_multiple_of(50);
                j.field("text", text);
                j.ascii = false;
                if image {
                    j.field("fileName", "receipt (1).png");
                    j.field_id("fileId", "f-", mix(turn.id, 32));
                }
            });
            if lite {
                return;
            }
            j.key("thumbnails").array(|j| {
                if image {
                    j.object(|j| {
                        j.field_id("_id", "tn-", mix(turn.id, 33));
                        j.field_int("width", 320);
                        j.field_int("height", 240);
                        j.field_int("size", (turn.id % 90_000) as i64);
                        j.field("url", "https://images.example.com/t/320x240.png");
                    });
                }
            });
        });
        if image {
            j.object(|j| {
                if !lite {
                    j.field_id("_id", "cp-", mix(turn.id, 34));
                }
                j.field("cT", "text");
                j.key("data").object(|j| j.field("text", "see attached"));
            });
        }
    });
}

/// The channel's name.
fn channel_name(head: &Head) -> &'static str {
    CHANNELS[usize::from(head.channel)]
}
