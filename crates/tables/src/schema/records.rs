//! The columns of the tables of records that are not messages.

use super::declare::columns;

columns! {
    /// A column of `conversations`.
    ConversationColumn {
        RecordSeq "record_seq" Int64 required, "", "The ordinal of the record among all seen, unique in the dataset; holes are normal.";
        ConversationRecordId "conversation_record_id" Text null, "_id", "The record's id; of one without, a hash of it.";
        ConvId "conv_id" Text null, "convId", "The conversation.";
        BotId "bot_id" Name null, "botId", "The bot.";
        ChannelType "channel_type" Name null, "channelType", "The channel.";
        IsExternal "is_external" Bool null, "isExtAD", "Whether an external agent desktop was used.";
        StartedAt "started_at" Timestamp null, "startTime", "When it began.";
        Experience "experience" Name null, "experience", "chat, voice, … as given.";
        AgentAiSessionId "agent_ai_session_id" Text null, "aaSessionId", "The session on the agent AI side.";
        AgentAiUserId "agent_ai_user_id" Text null, "aaUserId", "The user on the agent AI side.";
        MessagingSessionId "messaging_session_id" Text null, "mbSessionId", "The session on the messaging side.";
        MessagingUserId "messaging_user_id" Text null, "mbUserId", "The user on the messaging side.";
        MessageCount "message_count" Int64 null, "messages", "How many messages stand in the record; null where it has no list of them.";
        SourceFile "source_file" Name required, "", "The file, relative to its INPUT argument.";
        PageIndex "page_index" Int64 required, "", "Which body of the file, from 0.";
        RecordIndex "record_index" Int64 required, "", "Which record of the body, from 0; rejected spans count.";
        Form "form" Int64 required, "", "A mask: see below.";
        Extra "extra" Json null, "", "Everything else: unknown keys, and values that no column gives back exactly.";
    }
}

columns! {
    /// A column of `platform_sessions`.
    SessionColumn {
        RecordSeq "record_seq" Int64 required, "", "The ordinal of the record among all seen, unique in the dataset; joins the record to its rows in `tags`.";
        SessionId "session_id" Text null, "sessionId", "The session.";
        BotId "bot_id" Name null, "botId", "The bot.";
        UserId "user_id" Name null, "userId", "The user.";
        Channel "channel" Name null, "channel", "The channel.";
        StartedAt "started_at" Timestamp null, "start_time", "When it began.";
        EndedAt "ended_at" Timestamp null, "end_time", "When it ended.";
        Languages "languages" Texts null, "session_lang", "The languages that were used.";
        SessionType "session_type" Name null, "sessionType", "As given.";
        IsDeveloper "is_developer" Bool null, "isDeveloper", "Whether a developer had it.";
        SessionStatus "session_status" Name null, "sessionStatus", "As given.";
        ContainmentType "containment_type" Name null, "containmentType", "The platform's own verdict.";
        MessageCount "message_count" Int64 null, "noOfMessagesExchanged", "As given.";
        TaskCount "task_count" Int64 null, "noOfTasksExecuted", "As given.";
        SourceFile "source_file" Name required, "", "The file, relative to its INPUT argument.";
        PageIndex "page_index" Int64 required, "", "Which body of the file, from 0.";
        RecordIndex "record_index" Int64 required, "", "Which record of the body, from 0; rejected spans count.";
        Form "form" Int64 required, "", "A mask: see below.";
        Extra "extra" Json null, "", "Everything else: unknown keys, and values that no column gives back exactly.";
    }
}
