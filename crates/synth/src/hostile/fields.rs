//! The known fields of messages and records, and what a good value of each looks like.

/// What a field holds when nothing is wrong with it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Some id with a prefix.
    Id(&'static str),
    /// The id of this very message.
    Own(&'static str),
    ObjectId,
    Time,
    Int,
    Flag,
    Float,
    OneOf(&'static [&'static str]),
    Text,
    Anything,
    Object(&'static [Field]),
    List(&'static [Field]),
    Strings,
}

/// A known field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) kind: Kind,
    /// Never left out.
    pub(super) always: bool,
}

const fn field(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, always: false }
}

const fn always(key: &'static str, kind: Kind) -> Field {
    Field { key, kind, always: true }
}

const TYPES: Kind = Kind::OneOf(&["incoming", "outgoing", "event", "ctrlmsg", "timelinemsg"]);
const CHANNEL_NAMES: Kind = Kind::OneOf(&["rtm", "twiliovoice", "ivrVoice", "facebook", "r\\u0074m"]);

const CHANNELS: &[Field] = &[
    field("type", CHANNEL_NAMES),
    field("channelUId", Kind::Id("cs-")),
    field("handle", Kind::Anything),
    field("body", Kind::Text),
    field("tokens", Kind::Anything),
];

const THUMBNAILS: &[Field] = &[
    field("_id", Kind::Id("tn-")),
    field("width", Kind::Int),
    field("height", Kind::Int),
    field("size", Kind::Int),
    field("url", Kind::Text),
];

const DATA: &[Field] = &[field("text", Kind::Text), field("fileId", Kind::Id("f-"))];

const COMPONENTS: &[Field] = &[
    field("_id", Kind::Id("cp-")),
    field("cT", Kind::OneOf(&["text", "image", "attachment", "error"])),
    field("data", Kind::Object(DATA)),
    field("thumbnails", Kind::List(THUMBNAILS)),
];

const AUTHOR: &[Field] = &[
    field("id", Kind::Id("u-")),
    field("type", Kind::OneOf(&["USER", "AGENT", "SYSTEM", "EVENT", "FORM", "VOICEMAIL"])),
    field("formId", Kind::Id("frm-")),
    field("formName", Kind::Text),
    field("isSecuredForm", Kind::Flag),
    field("aId", Kind::Id("a-")),
    field("iId", Kind::Id("st-")),
    field("fId", Kind::Id("form-")),
    field("firstName", Kind::Text),
    field("lastName", Kind::Text),
    field("emailId", Kind::Text),
    field("profImage", Kind::Text),
];

const TAG: &[Field] = &[field("value", Kind::Anything), field("name", Kind::Text)];

const TAGS: &[Field] = &[
    field("messageTags", Kind::List(TAG)),
    field("userTags", Kind::List(TAG)),
    field("sessionTags", Kind::List(TAG)),
    field("altText", Kind::List(TAG)),
];

const ASR: &[Field] =
    &[field("durationMs", Kind::Float), field("provider", Kind::Text), field("confidenceScore", Kind::Float)];

const TTS: &[Field] = &[
    field("durationMs", Kind::Float),
    field("provider", Kind::Text),
    field("utteranceLengthChars", Kind::Int),
    field("audioLengthMs", Kind::Float),
    field("streamingEnabled", Kind::Flag),
    field("firstByteMs", Kind::Float),
];

const BOT: &[Field] = &[field("durationMs", Kind::Float)];

const LATENCY: &[Field] = &[
    field("totalMs", Kind::Float),
    field("asr", Kind::Object(ASR)),
    field("bot", Kind::Object(BOT)),
    field("tts", Kind::Object(TTS)),
];

/// A message of any form.
pub(super) const MESSAGE: &[Field] = &[
    field("_id", Kind::Own("ms-")),
    field("botId", Kind::Id("st-")),
    always("type", TYPES),
    field("status", Kind::OneOf(&["pending", "received", "sent to cs", "opened", "read"])),
    field("orgId", Kind::Id("o-")),
    field("accountId", Kind::ObjectId),
    field("channels", Kind::List(CHANNELS)),
    field("components", Kind::List(COMPONENTS)),
    field("createdBy", Kind::Id("u-")),
    always("createdOn", Kind::Time),
    field("timestamp", Kind::Time),
    field("timestampValue", Kind::Int),
    field("lmodifiedBy", Kind::Id("u-")),
    field("lmodifiedOn", Kind::Time),
    field("text", Kind::Text),
    field("isBB", Kind::Flag),
    field("isD", Kind::Flag),
    field("isA", Kind::Flag),
    field("ms", Kind::Int),
    field("chnl", CHANNEL_NAMES),
    field("channel", CHANNEL_NAMES),
    field("lang", Kind::OneOf(&["en", "es", "zh_TW"])),
    field("tN", Kind::Text),
    field("author", Kind::Object(AUTHOR)),
    field("conversationId", Kind::Id("c-")),
    field("traceId", Kind::Text),
    field("latency", Kind::Object(LATENCY)),
    field("agentAssistDetails", Kind::Anything),
    field("__lModifiedOn__", Kind::Time),
    field("__v", Kind::Int),
    field("sT", Kind::Int),
    field("tr0_T", Kind::Text),
    field("sessionId", Kind::ObjectId),
    field("resourceid", Kind::OneOf(&["messagestore"])),
    field("tags", Kind::Object(TAGS)),
];

const SESSION_TAGS: &[Field] = &[
    field("userTags", Kind::List(TAG)),
    field("sessionTags", Kind::List(TAG)),
    field("altText", Kind::List(TAG)),
];

/// A session record.
pub(super) const SESSION: &[Field] = &[
    always("sessionId", Kind::ObjectId),
    field("botId", Kind::Id("st-")),
    field("channel", CHANNEL_NAMES),
    field("userId", Kind::Id("u-")),
    field("start_time", Kind::Time),
    field("end_time", Kind::Time),
    field("session_lang", Kind::Strings),
    field("sessionType", Kind::OneOf(&["interactive", "non-interactive"])),
    field("isDeveloper", Kind::Flag),
    field("sessionStatus", Kind::OneOf(&["closed", "active"])),
    field("tags", Kind::Object(SESSION_TAGS)),
    field("noOfMessagesExchanged", Kind::Int),
    field("noOfTasksExecuted", Kind::Int),
    field("containmentType", Kind::OneOf(&["selfService", "dropOff", "agentTransfer"])),
];

/// A conversation record.
pub(super) const CONVERSATION: &[Field] = &[
    field("_id", Kind::Own("")),
    always("convId", Kind::Id("c-")),
    field("botId", Kind::Id("st-")),
    field("channelType", Kind::OneOf(&["voice", "chat", "rtm"])),
    field("isExtAD", Kind::Flag),
    field("startTime", Kind::Time),
    field("experience", Kind::OneOf(&["chat", "voice"])),
    field("aaSessionId", Kind::ObjectId),
    field("aaUserId", Kind::Id("u-")),
    field("mbSessionId", Kind::ObjectId),
    field("mbUserId", Kind::Id("u-")),
    field("messages", Kind::List(MESSAGE)),
];
