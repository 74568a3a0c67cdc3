//! What to generate: the options, the closed lists behind them, and their validation.

use std::fmt;
use std::str::FromStr;

/// Declares an enum whose variants have names on the command line.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every value, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name, as the command line and the ground truth write it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = OptionsError;

            fn from_str(text: &str) -> Result<Self, OptionsError> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let names: Vec<&str> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    OptionsError(format!("{text:?} is no {}; use one of {}", $what, names.join(", ")))
                })
            }
        }
    };
}

named!(
    /// The endpoint whose responses are imitated.
    Shape, "shape" {
        /// `getMessages` of 2023 and later: at most 100 messages a page.
        V1 = "v1",
        /// `getMessagesV2`: at most 10,000 messages a page.
        V2 = "v2",
        /// `stream/{botId}/getMessages` of 2019: `channel` where newer has `chnl`, some messages without a session.
        Stream = "stream",
        /// `messages-lite`: a few fields.
        Lite = "lite",
        /// `getMessages?callId=…`: a body is one call, messages of type, text and time only.
        Call = "call",
        /// `aaconversation`: conversation records, at most 20 a page.
        AgentAi = "agent_ai",
        /// `aaconversation` with `includeHistory`: records that hold their messages.
        AgentAiHistory = "agent_ai_history",
        /// `getSessions`: session records.
        Sessions = "sessions",
        /// A failed call: an error object.
        Error = "error",
    }
);

named!(
    /// How a file is compressed.
    Codec, "codec" {
        /// Not at all.
        Plain = "plain",
        /// gzip, level 6.
        Gzip = "gzip",
        /// `deflate` in a zlib wrapper.
        Zlib = "zlib",
        /// `deflate` without a wrapper.
        Deflate = "deflate",
        /// brotli, quality 5.
        Brotli = "brotli",
        /// Zstandard, level 3.
        Zstd = "zstd",
    }
);

named!(
    /// How much a message holds besides its text.
    Profile, "profile" {
        /// About 1 KB a message, as `getMessagesV2` answers today.
        Lean = "lean",
        /// 2 to 3 KB a message, most of it keys inside `channels` that the documentation does not list.
        Rich = "rich",
    }
);

named!(
    /// How bodies are put into files.
    Layout, "layout" {
        /// A file a body.
        Files = "files",
        /// A body a line.
        NdjsonBodies = "ndjson-bodies",
        /// A message a line, without envelopes; `page_size` messages a file.
        NdjsonMessages = "ndjson-messages",
        /// Bodies one after the other without a separator.
        Concatenated = "concatenated",
    }
);

named!(
    /// What can be wrong with a page.
    Damage, "damage" {
        /// The body ends inside a message.
        TruncatedBody = "truncated-body",
        /// A message without its opening brace.
        MissingOpeningBrace = "missing-opening-brace",
        /// A message without its closing brace.
        MissingClosingBrace = "missing-closing-brace",
        /// A string without its closing quote.
        MissingQuote = "missing-quote",
        /// A key between typographic quotes.
        SmartQuotes = "smart-quotes",
        /// A byte that is not UTF-8 inside a string.
        InvalidUtf8 = "invalid-utf8",
        /// A comma after the last message.
        TrailingComma = "trailing-comma",
        /// A gzip file whose second member is broken from its first byte on.
        CorruptMember = "corrupt-member",
        /// Bytes after the last gzip member, which harm nothing.
        TrailingGarbage = "trailing-garbage",
        /// An error object instead of a page.
        ErrorResponse = "error-response",
        /// An HTML page instead of a page.
        HtmlPage = "html-page",
        /// A file without a byte.
        EmptyFile = "empty-file",
    }
);

/// How much to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Size {
    /// This many messages, copies included (records count where a shape has no messages, an error body counts one).
    Messages(u64),
    /// This many bodies.
    Pages(u64),
}

/// The options of a dump. Equal options give equal bytes (compressed ones given equal compressor versions).
#[derive(Clone, Debug, PartialEq)]
pub struct SynthOptions {
    /// What everything else is derived from.
    pub seed: u64,
    /// How much to generate.
    pub size: Size,
    /// Messages a page; `v1` has at most 100, `agent_ai` at most 20 records.
    pub page_size: u64,
    /// The shapes of the bodies, taken in turn.
    pub shapes: Vec<Shape>,
    /// The codecs of the files, taken in turn.
    pub codecs: Vec<Codec>,
    /// Lean or rich messages.
    pub profile: Profile,
    /// Indent the JSON (not with one body or one message a line).
    pub pretty: bool,
    /// How bodies are put into files.
    pub layout: Layout,
    /// Bodies a file where a file holds several.
    pub bodies_per_file: u64,
    /// The share of messages that come a second time unchanged; of bodies, where messages have no ids.
    pub duplicates: f64,
    /// The share of messages that come a second time with a newer `lmodifiedOn`.
    pub edited_copies: f64,
    /// The share of a page that the next page repeats.
    pub overlap: f64,
    /// Kinds of damage, taken in turn by the damaged pages.
    pub damage: Vec<Damage>,
    /// Every how-manieth body is damaged, if `damage` names a kind.
    pub damage_every: u64,
    /// Bots.
    pub bots: u32,
    /// End users.
    pub users: u32,
    /// How busy the contact centre is, from 1 to 1000: at 1 up to fifty sessions begin in an hour and hardly overlap, at 100 up to
    /// 5,000.
    pub load: u32,
    /// The share of the bot's prompts that are templates.
    pub template_share: f64,
    /// Oldest message first.
    pub forward: bool,
}

/// Sessions are drawn for two hours at a time, a hundred times as many at most: 100,000, which take some 150 MB.
const MOST_LOAD: u32 = 1000;

impl Default for SynthOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            size: Size::Messages(10_000),
            page_size: 10_000,
            shapes: vec![Shape::V2],
            codecs: vec![Codec::Gzip],
            profile: Profile::Lean,
            pretty: false,
            layout: Layout::Files,
            bodies_per_file: 10,
            duplicates: 0.0,
            edited_copies: 0.0,
            overlap: 0.0,
            damage: Vec::new(),
            damage_every: 3,
            bots: 2,
            users: 500,
            load: 1,
            template_share: 0.35,
            forward: false,
        }
    }
}

impl SynthOptions {
    /// Checks that the options fit together.
    pub(crate) fn validate(&self) -> Result<(), OptionsError> {
        let fail = |text: &str| Err(OptionsError(text.to_owned()));
        if self.shapes.is_empty() || self.codecs.is_empty() {
            return fail("name at least one shape and one codec");
        }
        if self.page_size == 0 || self.bodies_per_file == 0 || self.damage_every == 0 {
            return fail("page_size, bodies_per_file and damage_every start at 1");
        }
        if self.bots == 0 || self.users == 0 {
            return fail("a dump needs at least one bot and one user");
        }
        if !(1..=MOST_LOAD).contains(&self.load) {
            return fail("the load lies between 1 and 1000");
        }
        for share in [self.duplicates, self.edited_copies, self.template_share] {
            if !(0.0..=1.0).contains(&share) {
                return fail("shares lie between 0 and 1");
            }
        }
        if !(0.0..=0.9).contains(&self.overlap) {
            return fail("overlap lies between 0 and 0.9");
        }
        if self.layout != Layout::Files && !self.damage.is_empty() {
            return fail("damage needs the layout `files`");
        }
        let of_messages =
            |shape: &Shape| matches!(shape, Shape::V1 | Shape::V2 | Shape::Stream | Shape::Lite);
        if self.layout == Layout::NdjsonMessages && !self.shapes.iter().all(of_messages) {
            return fail("one message a line needs shapes of messages with ids: v1, v2, stream, lite");
        }
        if self.pretty && matches!(self.layout, Layout::NdjsonBodies | Layout::NdjsonMessages) {
            return fail("what stands on one line cannot be pretty-printed");
        }
        Ok(())
    }
}

/// Options that do not fit together, or a name that is not in its list. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionsError(String);

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OptionsError {}
