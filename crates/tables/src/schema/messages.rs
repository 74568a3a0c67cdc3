//! The columns of `messages`.

use super::declare::columns;

columns! {
    /// A column of `messages`.
    MessageColumn {
        MessageSeq "message_seq" Int64 required, "", "The ordinal of the message among all seen, unique in the dataset; holes are normal. Joins messages to their child tables.";
        MessageId "message_id" Text required, "_id", "The id; where `_id` is no string of 1 to 1,024 bytes, a surrogate of 32 hexadecimal digits.";
        IdIsSurrogate "id_is_surrogate" Bool required, "", "Whether `message_id` was made up by korpus.";
        BotId "bot_id" Name null, "botId", "The bot.";
        OrgId "org_id" Name null, "orgId", "The organisation.";
        AccountId "account_id" Name null, "accountId", "The account.";
        SessionId "session_id" Name null, "sessionId", "The session.";
        ConversationId "conversation_id" Name null, "conversationId", "The contact-centre conversation.";
        ConversationRecordId "conversation_record_id" Name null, "", "The `_id` of the agent AI record around the message; of one without, a hash of it, as in `conversations`.";
        MessagingSessionId "messaging_session_id" Name null, "", "The session on the messaging side, as the agent AI record around the message says.";
        UserId "user_id" Name null, "createdBy", "The end user, on outgoing messages too.";
        CreatedAt "created_at" Timestamp null, "createdOn, timestamp", "When the message was created; `createdOn`, else `timestamp`.";
        ModifiedAt "modified_at" Timestamp null, "lmodifiedOn", "When the platform last changed it.";
        StoreModifiedAt "store_modified_at" Timestamp null, "__lModifiedOn__", "When the store last changed it.";
        ModifiedBy "modified_by" Name null, "lmodifiedBy", "Who last changed it.";
        TimestampMs "timestamp_ms" Int64 null, "timestampValue", "Milliseconds since 1970, as given.";
        EventAt "event_at" Timestamp null, "", "Derived: `created_at`, else `timestamp_ms`.";
        EventDate "event_date" Date null, "", "Derived: the UTC day of `event_at`. With `--partition-by event_date` it stands in the names of the folders, not in the files.";
        MessageType "message_type" Name null, "type", "incoming, outgoing, event, ctrlmsg, timelinemsg, … as given.";
        Status "status" Name null, "status", "The status as given; an open set.";
        Channel "channel" Name null, "chnl, channel, channels[0].type", "The channel; the first of these that is a string.";
        Channels "channels" Channels null, "channels", "The channels, with all their other keys in `extra`.";
        Language "language" Name null, "lang", "The language code as given.";
        TaskName "task_name" Name null, "tN", "The dialog task.";
        TraceId "trace_id" Text null, "traceId", "The trace.";
        MessageSource "message_source" Int32 null, "ms", "0 alert, 1 text, 2 action, 3 others; 4 and 5 occur.";
        IsBotBuilder "is_bot_builder" Bool null, "isBB", "Sent from the bot builder.";
        IsDeveloper "is_developer" Bool null, "isD", "Sent by a developer.";
        IsAgentSide "is_agent_side" Bool null, "isA", "Sent by the agent side of a contact centre (inferred).";
        AuthorType "author_type" Name null, "author.type", "USER, AGENT, SYSTEM, EVENT, FORM, VOICEMAIL, … as given.";
        AuthorId "author_id" Name null, "author.id", "Who wrote it.";
        AuthorFormId "author_form_id" Name null, "author.formId", "The digital form.";
        AuthorFormName "author_form_name" Name null, "author.formName", "The digital form's name.";
        AuthorAgentId "author_agent_id" Name null, "author.aId", "The agent.";
        AuthorInstanceId "author_instance_id" Name null, "author.iId", "The instance.";
        AuthorFormInstanceId "author_form_instance_id" Name null, "author.fId", "The form instance.";
        AuthorIsSecuredForm "author_is_secured_form" Bool null, "author.isSecuredForm", "Whether the form is a secured one.";
        LatencyTotalMs "latency_total_ms" Float64 null, "latency.totalMs", "Milliseconds in all.";
        LatencyAsrMs "latency_asr_ms" Float64 null, "latency.asr.durationMs", "Milliseconds of speech recognition.";
        LatencyBotMs "latency_bot_ms" Float64 null, "latency.bot.durationMs", "Milliseconds of the bot.";
        LatencyTtsMs "latency_tts_ms" Float64 null, "latency.tts.durationMs", "Milliseconds of speech synthesis.";
        ComponentCount "component_count" Int32 null, "components", "How many components; null where there is no list of them.";
        ComponentId "component_id" Text null, "components[0]._id", "The first component's id.";
        ComponentType "component_type" Name null, "components[0].cT", "The first component's type.";
        Text "text" Text null, "components[0].data.text, text", "What a person saw of the first component; of the call form, the message's own `text`.";
        RawText "raw_text" Text null, "components[0].data.text, text", "The text as it came; null where equal to `text`, and where it was no string.";
        TextKind "text_kind" Name null, "", "What the text is: empty, plain, ssml, template, message, voice_command, wrapped_text, json or malformed.";
        TemplateType "template_type" Name null, "template_type", "The template's type as written.";
        TemplateTypeNorm "template_type_norm" Name null, "", "The same in lower case, without spaces, underscores and a trailing `template`.";
        AltText "alt_text" Text null, "tags.altText[0].value", "Derived: the text that clients show instead, where it is not empty.";
        ComponentData "component_data" Json null, "components[0].data", "The other keys of the first component's `data`; `{}` where `data` is empty.";
        Thumbnails "thumbnails" Thumbnails null, "components[0].thumbnails", "The first component's thumbnails.";
        ComponentExtra "component_extra" Json null, "components[0]", "What the first component holds besides, by the rule of `extra`.";
        Shape "shape" Name required, "", "How the message is written: full, call, lite or agent_ai.";
        SourceFile "source_file" Name required, "", "The file, relative to its INPUT argument.";
        PageIndex "page_index" Int64 required, "", "Which body of the file, from 0.";
        MessageIndex "message_index" Int64 required, "", "Which message of the body, from 0; rejected spans count.";
        Form "form" Int64 required, "", "A mask that tells absent, null and empty apart, and the sources of a column: see below.";
        Extra "extra" Json null, "", "Everything else: unknown keys, and values that no column gives back exactly.";
    }
}
