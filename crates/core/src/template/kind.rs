//! What a text is: the closed list of text kinds.

use std::fmt;

/// What the text of a component turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TextKind {
    /// Nothing but white space.
    Empty,
    /// A template: its `type` is `template`, or its payload has a `template_type`.
    Template,
    /// A message with a payload: `message`, `error`, `image`, `audio`, `video`, `link`, `document` or `attachment`.
    Message,
    /// A command for a voice gateway, with a list of verbs.
    VoiceCommand,
    /// An object whose `text` is a string.
    WrappedText,
    /// Any other JSON object.
    Json,
    /// Begins like a JSON object and is none.
    Malformed,
    /// Speech markup.
    Ssml,
    /// Text.
    Plain,
}

impl TextKind {
    /// All of them, in the order in which they are tried.
    pub const ALL: &'static [Self] = &[
        Self::Empty,
        Self::Template,
        Self::Message,
        Self::VoiceCommand,
        Self::WrappedText,
        Self::Json,
        Self::Malformed,
        Self::Ssml,
        Self::Plain,
    ];

    /// The name that stands in tables and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Template => "template",
            Self::Message => "message",
            Self::VoiceCommand => "voice_command",
            Self::WrappedText => "wrapped_text",
            Self::Json => "json",
            Self::Malformed => "malformed",
            Self::Ssml => "ssml",
            Self::Plain => "plain",
        }
    }

    /// What the name means, in one line.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Empty => "Nothing but white space.",
            Self::Template => "A template: its type is template, or its payload has a template_type.",
            Self::Message => "A message, an error, an attachment or a medium, with a payload.",
            Self::VoiceCommand => "A command for a voice gateway, with a list of verbs.",
            Self::WrappedText => "A JSON object whose text is a string.",
            Self::Json => "Any other JSON object.",
            Self::Malformed => "Begins like a JSON object and is none.",
            Self::Ssml => "Speech markup.",
            Self::Plain => "Text.",
        }
    }
}

impl fmt::Display for TextKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
