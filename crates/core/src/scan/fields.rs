//! The known keys of every object of the API, declared once: the scanner, the views and the tables go by these.

/// The objects whose keys are known. Anything else is scanned, validated and kept raw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Class {
    Message,
    Component,
    ComponentData,
    Thumbnail,
    Channel,
    Tags,
    Tag,
    Author,
    Latency,
    LatencyPart,
    Conversation,
    Session,
}

/// What the value of a known key is made of, where it is known too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Child {
    None,
    Object(Class),
    Array(Class),
}

pub(crate) struct FieldSpec {
    pub key: &'static str,
    pub child: Child,
}

macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $variant:ident = $key:literal $(=> $child:expr)?,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$fdoc])* #[doc = concat!("The key `", $key, "`.")] $variant,)* }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            pub(crate) const SPECS: &'static [FieldSpec] =
                &[$(FieldSpec { key: $key, child: fields!(@child $($child)?) },)*];

            /// The key as it stands in the JSON.
            pub const fn key(self) -> &'static str { Self::SPECS[self as usize].key }
        }
    };
    (@child) => { Child::None };
    (@child $child:expr) => { $child };
}

fields! {
    /// The known keys of a message.
    MessageField {
        Id = "_id",
        BotId = "botId",
        OrgId = "orgId",
        AccountId = "accountId",
        SessionId = "sessionId",
        ConversationId = "conversationId",
        CreatedBy = "createdBy",
        CreatedOn = "createdOn",
        Timestamp = "timestamp",
        LModifiedOn = "lmodifiedOn",
        StoreModifiedOn = "__lModifiedOn__",
        LModifiedBy = "lmodifiedBy",
        TimestampValue = "timestampValue",
        Type = "type",
        Status = "status",
        Chnl = "chnl",
        Channel = "channel",
        Channels = "channels" => Child::Array(Class::Channel),
        Lang = "lang",
        TaskName = "tN",
        TraceId = "traceId",
        MessageSource = "ms",
        IsBotBuilder = "isBB",
        IsDeveloper = "isD",
        IsAgentSide = "isA",
        Author = "author" => Child::Object(Class::Author),
        Latency = "latency" => Child::Object(Class::Latency),
        Components = "components" => Child::Array(Class::Component),
        Tags = "tags" => Child::Object(Class::Tags),
        Text = "text",
    }
}

fields! {
    /// The known keys of a message component.
    ComponentField {
        Id = "_id",
        Type = "cT",
        Data = "data" => Child::Object(Class::ComponentData),
        Thumbnails = "thumbnails" => Child::Array(Class::Thumbnail),
    }
}

fields! {
    /// The known keys of a component's `data`.
    DataField {
        Text = "text",
    }
}

fields! {
    /// The known keys of a thumbnail.
    ThumbnailField {
        Id = "_id",
        Width = "width",
        Height = "height",
        Size = "size",
        Url = "url",
    }
}

fields! {
    /// The known keys of an entry of `channels`.
    ChannelField {
        Type = "type",
        ChannelUid = "channelUId",
    }
}

fields! {
    /// The known keys of a message's `tags`: its scopes.
    TagsField {
        MessageTags = "messageTags" => Child::Array(Class::Tag),
        UserTags = "userTags" => Child::Array(Class::Tag),
        SessionTags = "sessionTags" => Child::Array(Class::Tag),
        AltText = "altText" => Child::Array(Class::Tag),
    }
}

fields! {
    /// The known keys of one tag.
    TagField {
        Name = "name",
        Value = "value",
    }
}

fields! {
    /// The known keys of a message's `author`.
    AuthorField {
        Type = "type",
        Id = "id",
        FormId = "formId",
        FormName = "formName",
        AgentId = "aId",
        InstanceId = "iId",
        FormInstanceId = "fId",
        IsSecuredForm = "isSecuredForm",
    }
}

fields! {
    /// The known keys of a message's `latency`.
    LatencyField {
        TotalMs = "totalMs",
        Asr = "asr" => Child::Object(Class::LatencyPart),
        Bot = "bot" => Child::Object(Class::LatencyPart),
        Tts = "tts" => Child::Object(Class::LatencyPart),
    }
}

fields! {
    /// The known keys of a part of `latency`.
    LatencyPartField {
        DurationMs = "durationMs",
    }
}

fields! {
    /// The known keys of an agent AI conversation record.
    ConversationField {
        Id = "_id",
        ConvId = "convId",
        BotId = "botId",
        ChannelType = "channelType",
        IsExternal = "isExtAD",
        StartTime = "startTime",
        Experience = "experience",
        AgentAiSessionId = "aaSessionId",
        AgentAiUserId = "aaUserId",
        MessagingSessionId = "mbSessionId",
        MessagingUserId = "mbUserId",
        Messages = "messages" => Child::Array(Class::Message),
    }
}

fields! {
    /// The known keys of a session record of `getSessions`.
    SessionField {
        SessionId = "sessionId",
        BotId = "botId",
        Channel = "channel",
        UserId = "userId",
        StartTime = "start_time",
        EndTime = "end_time",
        Languages = "session_lang",
        SessionType = "sessionType",
        IsDeveloper = "isDeveloper",
        SessionStatus = "sessionStatus",
        Tags = "tags" => Child::Object(Class::Tags),
        MessageCount = "noOfMessagesExchanged",
        TaskCount = "noOfTasksExecuted",
        ContainmentType = "containmentType",
    }
}

impl Class {
    pub(crate) const ALL: [Self; 12] = [
        Self::Message,
        Self::Component,
        Self::ComponentData,
        Self::Thumbnail,
        Self::Channel,
        Self::Tags,
        Self::Tag,
        Self::Author,
        Self::Latency,
        Self::LatencyPart,
        Self::Conversation,
        Self::Session,
    ];

    pub(crate) const fn specs(self) -> &'static [FieldSpec] {
        match self {
            Self::Message => MessageField::SPECS,
            Self::Component => ComponentField::SPECS,
            Self::ComponentData => DataField::SPECS,
            Self::Thumbnail => ThumbnailField::SPECS,
            Self::Channel => ChannelField::SPECS,
            Self::Tags => TagsField::SPECS,
            Self::Tag => TagField::SPECS,
            Self::Author => AuthorField::SPECS,
            Self::Latency => LatencyField::SPECS,
            Self::LatencyPart => LatencyPartField::SPECS,
            Self::Conversation => ConversationField::SPECS,
            Self::Session => SessionField::SPECS,
        }
    }

    /// Slots that an object of this class takes: one a known key, and one more a key whose children are known.
    pub(crate) const fn slot_count(self) -> usize {
        let specs = self.specs();
        let mut count = specs.len();
        let mut i = 0;
        while i < specs.len() {
            if !matches!(specs[i].child, Child::None) {
                count += 1;
            }
            i += 1;
        }
        count
    }

    /// Where the children of field `field` stand among the slots of the class.
    pub(crate) const fn child_slot(self, field: usize) -> usize {
        let specs = self.specs();
        let mut slot = specs.len();
        let mut i = 0;
        while i < field {
            if !matches!(specs[i].child, Child::None) {
                slot += 1;
            }
            i += 1;
        }
        slot
    }
}
