//! The columns of the tables that account for what was read.

use super::declare::columns;

columns! {
    /// A column of `pages`.
    PageColumn {
        SourceFile "source_file" Name required, "", "The file, relative to its INPUT argument; `archive!member` where it was taken out of an archive.";
        PageIndex "page_index" Int64 required, "", "Which body of the file, from 0.";
        Container "container" Name null, "", "What the file was taken out of: tar, zip or har; plain where it was a file of its own.";
        Codec "codec" Name null, "", "How the file is compressed: plain, gzip, zlib, deflate, brotli or zstd.";
        CompressedBytes "compressed_bytes" Int64 null, "", "Bytes of the file, where the body is all that it holds.";
        BodyBytes "body_bytes" Int64 null, "", "Bytes of the decoded body.";
        Shape "shape" Name required, "", "full, lite, call, agent_ai, sessions, error or unknown.";
        PageStatus "page_status" Name required, "", "ok, partial, rejected, error_response, empty or not_a_page.";
        Reason "reason" Name null, "", "Why it is not whole: one of the reasons of `rejects`.";
        Total "total" Int64 null, "total, totalResults", "How many match the query, not how many are here.";
        MoreAvailable "more_available" Bool null, "moreAvailable, hasMore", "Whether the platform had more.";
        QuerySkip "query_skip" Int64 null, "skip", "As the body gives it.";
        QueryLimit "query_limit" Int64 null, "limit", "As the body gives it.";
        TotalPages "total_pages" Int64 null, "totalPages", "As the body gives it.";
        RequestUrl "request_url" Text null, "", "The request, where its head was saved with the response, or recorded in a HAR file.";
        RequestMethod "request_method" Name null, "", "Its method.";
        RequestParameters "request_parameters" Text null, "", "The parameters in its body, in the form that a URL gives them.";
        PageOrder "page_order" Name null, "", "newest_first, oldest_first or mixed; null where it cannot be told.";
        FirstEventAt "first_event_at" Timestamp null, "", "The earliest event of its messages.";
        LastEventAt "last_event_at" Timestamp null, "", "The latest event of its messages.";
        EnvelopeExtra "envelope_extra" Json null, "", "The other keys around the array.";
        MessagesSeen "messages_seen" Int64 required, "", "Messages and rejected spans among them.";
        MessagesKept "messages_kept" Int64 required, "", "Rows in `messages`.";
        MessagesFiltered "messages_filtered" Int64 required, "", "Left out by a filter, `skip` or `limit`.";
        MessagesRejected "messages_rejected" Int64 required, "", "Rows in `rejects`.";
        MessagesDuplicate "messages_duplicate" Int64 required, "", "Equal to one that was kept.";
        MessagesSuperseded "messages_superseded" Int64 required, "", "Lost against a newer or richer copy. Those that pass the filters stand in `superseded`.";
        RecordsSeen "records_seen" Int64 required, "", "The same six for records.";
        RecordsKept "records_kept" Int64 required, "", "Rows in `conversations` or `platform_sessions`.";
        RecordsFiltered "records_filtered" Int64 required, "", "Left out by a filter.";
        RecordsRejected "records_rejected" Int64 required, "", "Rows in `rejects`.";
        RecordsDuplicate "records_duplicate" Int64 required, "", "Equal to one that was kept.";
        RecordsSuperseded "records_superseded" Int64 required, "", "Lost against a newer or richer copy.";
    }
}

columns! {
    /// A column of `rejects`.
    RejectColumn {
        SourceFile "source_file" Name required, "", "The file, relative to its INPUT argument.";
        PageIndex "page_index" Int64 required, "", "Which body of the file, from 0.";
        MessageIndex "message_index" Int64 required, "", "Which message (or record) of the body, from 0.";
        IsRecord "is_record" Bool required, "", "Whether it counts among the records of the body, not among its messages.";
        ByteOffset "byte_offset" Int64 required, "", "Where the span begins, in bytes of the decoded body.";
        ByteLength "byte_length" Int64 required, "", "How long it is.";
        FaultOffset "fault_offset" Int64 required, "", "Where the fault was found, in bytes of the decoded body.";
        MessageId "message_id" Text null, "_id", "The id, where the broken bytes still show one.";
        Reason "reason" Name required, "", "Why: one of a closed list.";
        Detail "detail" Name null, "", "The same as a sentence; never a word of the message.";
        RawBytes "raw_bytes" Binary null, "", "Its first bytes, up to the limit.";
        RawHash "raw_hash" Text required, "", "XXH3-128 of all its bytes, in hexadecimal.";
    }
}

columns! {
    /// A column of `superseded`.
    SupersededColumn {
        MessageSeq "message_seq" Int64 null, "", "The ordinal that the message had; null for a record.";
        RecordSeq "record_seq" Int64 null, "", "The ordinal that the record had; null for a message.";
        MessageId "message_id" Text null, "_id", "The id of the message or record.";
        SourceFile "source_file" Name required, "", "The file, relative to its INPUT argument.";
        PageIndex "page_index" Int64 required, "", "Which body of the file, from 0.";
        MessageIndex "message_index" Int64 required, "", "Which message (or record) of the body, from 0.";
        WinnerSeq "winner_seq" Int64 required, "", "The ordinal of the copy that was kept in its place.";
        RawJson "raw_json" Json null, "", "The whole copy, equal to what came in as a JSON value.";
    }
}

columns! {
    /// A column of `volumes`.
    VolumeColumn {
        EventDate "event_date" Date null, "", "The UTC day.";
        EventHour "event_hour" Int32 null, "", "The UTC hour, 0 to 23.";
        BotId "bot_id" Name null, "botId", "The bot.";
        Channel "channel" Name null, "chnl, channel, channels[0].type", "The channel.";
        Language "language" Name null, "lang", "The language.";
        MessageType "message_type" Name null, "type", "The type.";
        Status "status" Name null, "status", "The status.";
        Messages "messages" Int64 required, "", "How many messages were kept.";
    }
}
