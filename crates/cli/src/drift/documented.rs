//! The values that the API's documents and real dumps are known to have, by field: any other one is news.

/// A field whose values are a list, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Listed {
    MessageType,
    Status,
    MessageSource,
    AuthorType,
    ComponentType,
    Channel,
    TagScope,
    ActionType,
    EnvelopeType,
    FeedbackView,
    VoiceVerb,
    Experience,
    SessionType,
    SessionStatus,
    ContainmentType,
}

impl Listed {
    /// Its name in reports: as the API writes the key.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::MessageType => "type",
            Self::Status => "status",
            Self::MessageSource => "ms",
            Self::AuthorType => "author.type",
            Self::ComponentType => "components.cT",
            Self::Channel => "channel type",
            Self::TagScope => "tags",
            Self::ActionType => "template action type",
            Self::EnvelopeType => "template envelope type",
            Self::FeedbackView => "feedback view",
            Self::VoiceVerb => "voice verb",
            Self::Experience => "experience",
            Self::SessionType => "sessionType",
            Self::SessionStatus => "sessionStatus",
            Self::ContainmentType => "containmentType",
        }
    }

    /// Whether `value` is one of those that are known. Case counts but where the platform itself writes both.
    pub(crate) fn has(self, value: &str) -> bool {
        let values = self.values();
        match self {
            Self::Experience | Self::SessionType | Self::SessionStatus => {
                values.iter().any(|known| known.eq_ignore_ascii_case(value))
            }
            // A template is one in any case; the others are not read then.
            Self::EnvelopeType => values.contains(&value) || value.eq_ignore_ascii_case("template"),
            // Further webhook instances have the name of the first, and more.
            Self::Channel => values.contains(&value) || value.starts_with("ivr"),
            _ => values.contains(&value),
        }
    }

    /// The known values.
    pub(crate) const fn values(self) -> &'static [&'static str] {
        match self {
            Self::MessageType => &["incoming", "outgoing", "event", "ctrlmsg", "timelinemsg"],
            Self::Status => &[
                "received",
                "queued",
                "in progress",
                "delivered",
                "pending",
                "sent to cs",
                "opened",
                "sent",
                "read",
            ],
            // Task alert, text, task (action), others; control and timeline messages.
            Self::MessageSource => &["0", "1", "2", "3", "4", "5"],
            Self::AuthorType => &["USER", "AGENT", "SYSTEM", "EVENT", "FORM", "VOICEMAIL"],
            Self::ComponentType => &[
                "text",
                "audio",
                "video",
                "image",
                "attachment",
                "contact",
                "task",
                "filelink",
                "location",
                "email",
                "alert",
                "action",
                "timeline",
                "meeting",
                "error",
                "upgrade",
                "NLResponse",
                "contextUpdate",
            ],
            Self::Channel => &[
                "rtm",
                "ivr",
                "ivrVoice",
                "twiliovoice",
                "voice",
                "smartassist",
                "agentassist",
                "msteams",
                "facebook",
                "wfacebook",
                "slack",
                "telegram",
                "twitter",
                "sms",
                "email",
                "rcs",
                "line",
                "liveperson",
                "googleactions",
                "hangoutchat",
                "mattermost",
                "alexa",
                "skype",
                "skypeforbusiness",
                "spark",
                "kore",
                "ringcentral",
                "jabber",
                "yammer",
                "chat",
            ],
            Self::TagScope => &["messageTags", "userTags", "sessionTags", "altText"],
            Self::ActionType => &["postback", "url", "web_url", "text"],
            Self::EnvelopeType => &[
                "template",
                "message",
                "error",
                "image",
                "audio",
                "video",
                "link",
                "document",
                "attachment",
                "command",
            ],
            Self::FeedbackView => &["star", "CSAT", "NPS", "ThumbsUpDown"],
            Self::VoiceVerb => {
                &["say", "gather", "config", "play", "pause", "hangup", "redirect", "sip:refer"]
            }
            Self::Experience => &["chat", "voice", ""],
            Self::SessionType => &["interactive", "non-interactive"],
            Self::SessionStatus => &["active", "close", "closed"],
            Self::ContainmentType => &["selfService", "dropOff", "agent"],
        }
    }
}
