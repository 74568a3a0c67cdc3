//! The columns of the aggregates.

use super::MetricTable;
use super::declare::{count, date, flag, float, id, millis, small, text, time};

const BOT: super::MetricColumn = text("bot_id", "The bot.");
const CHANNEL: super::MetricColumn = text("channel", "The channel.");
const NOT_ADDITIVE: &str =
    "Exact, and not additive: the same user may stand in several rows. Users are told apart by id.";

pub(super) const VOLUMES: MetricTable = MetricTable {
    name: "volumes",
    meaning: "Messages by local day and hour. The only table that counts messages without a session, too.",
    keys: 7,
    columns: &[
        date("event_date", "Local day of the message; null where it has no time."),
        small("event_hour", "Local hour, 0 to 23. The repeated hour at the end of summer time is one hour."),
        BOT,
        CHANNEL,
        text("language", "The language."),
        text("message_type", "The type, as given."),
        text("status", "The status, as given."),
        count("messages", "Messages that were kept."),
        count("sessions", "Distinct sessions among them.")
            .caveat("Not additive: a session may stand in several rows."),
        count("users", "Distinct users among them.").caveat(NOT_ADDITIVE),
    ],
};

const BASE: &str = "Interactive sessions of kind bot or call that are not open and ended in self_service, drop_off or agent: the denominator of the three rates.";

pub(super) const SESSION_SUMMARY: MetricTable = MetricTable {
    name: "session_summary",
    meaning: "Sessions by local day of their start, with what became of them. Every column stands twice: over all sessions, and (`…_uncut`) over those that are not left_cut.",
    keys: 5,
    columns: &[
        date("day", "Local day of started_at; null where no message has a time."),
        BOT,
        text("channel", "The first channel of the session."),
        text("language", "The first language of the session."),
        text("session_kind", "bot, agent_assist or call.").required(),
        count("sessions", "Sessions."),
        count("interactive", "Sessions with in_count ≥ 1."),
        count("agent", "Sessions with the outcome agent."),
        count("none", "Sessions with the outcome none."),
        count("open", "Sessions with the outcome open."),
        count("drop_off", "Sessions with the outcome drop_off: no_response + fallback + left_waiting."),
        count("no_response", "Of them, those with this reason."),
        count("fallback", "Of them, those with this reason."),
        count("left_waiting", "Of them, those with this reason."),
        count("self_service", "Sessions with the outcome self_service."),
        count("handoff_connected", "Sessions with the handoff_state connected."),
        count("handoff_requested", "Sessions with the handoff_state requested."),
        count("timeout_closed", "Sessions that are timeout_closed."),
        count("turns", "Sum of turn_count."),
        count("messages", "Messages of the sessions, of all types."),
        millis("duration_sum_ms", "Sum of duration_ms.").required(),
        count("containment_base", BASE),
        count("contained", "Of them, those with the outcome self_service."),
        count("transferred", "Of them, those with the outcome agent."),
        count("dropped", "Of them, those with the outcome drop_off."),
        float("containment", "contained ÷ containment_base.").platform("The platform counts a session as contained when no agent was asked for, whether or not the user gave up; see containment_check."),
        float("transfer_rate", "transferred ÷ containment_base."),
        float("drop_off_rate", "dropped ÷ containment_base.").platform("The platform counts a session as dropped off when it ended inside a task."),
        count("sessions_uncut", "As above, over sessions that are not left_cut."),
        count("interactive_uncut", "As above."),
        count("agent_uncut", "As above."),
        count("none_uncut", "As above."),
        count("open_uncut", "As above."),
        count("drop_off_uncut", "As above."),
        count("no_response_uncut", "As above."),
        count("fallback_uncut", "As above."),
        count("left_waiting_uncut", "As above."),
        count("self_service_uncut", "As above."),
        count("handoff_connected_uncut", "As above."),
        count("handoff_requested_uncut", "As above."),
        count("timeout_closed_uncut", "As above."),
        count("turns_uncut", "As above."),
        count("messages_uncut", "As above."),
        millis("duration_sum_ms_uncut", "As above.").required(),
        count("containment_base_uncut", "As above."),
        count("contained_uncut", "As above."),
        count("transferred_uncut", "As above."),
        count("dropped_uncut", "As above."),
        float("containment_uncut", "contained_uncut ÷ containment_base_uncut."),
        float("transfer_rate_uncut", "transferred_uncut ÷ containment_base_uncut."),
        float("drop_off_rate_uncut", "dropped_uncut ÷ containment_base_uncut."),
    ],
};

pub(super) const CONTAINMENT_CHECK: MetricTable = MetricTable {
    name: "containment_check",
    meaning: "Our outcome against the platform's own verdict, from getSessions records among the inputs. Sessions without a record have nulls on the platform's side; records without a session, or that name none, have nulls on ours. A record that filters leave out tells of its session all the same, where messages of it are kept, and does not count without one.",
    keys: 4,
    columns: &[
        flag("interactive", "Whether the session is interactive; null for records without a session."),
        text("outcome", "Our outcome; null for records without a session."),
        text("platform_session_type", "`sessionType` of the record."),
        text("platform_containment", "`containmentType` of the record."),
        count("sessions", "Sessions, or records without one."),
    ],
};

const QUANTILE: &str =
    "By a DDSketch with a relative error of at most 1 %; rank ⌊q(n−1)⌋; never outside min and max.";
const KIND: &str = "bot_response, agent_response, think (see sessions); platform_total, platform_asr, platform_bot, platform_tts: what the platform measured and wrote into the message.";

pub(super) const LATENCY: MetricTable = MetricTable {
    name: "latency",
    meaning: "How long things take, in whole milliseconds, by the message that ends the wait.",
    keys: 5,
    columns: &[
        date("day", "Local day of the message; null where it has no time."),
        BOT,
        CHANNEL,
        text("task", "The task that the message belongs to."),
        text("kind", KIND).required(),
        count("count", "How many. Negative values of the platform are left out; fractions are rounded."),
        millis("sum_ms", "Their sum.").required(),
        millis("min_ms", "The shortest.").required(),
        millis("max_ms", "The longest.").required(),
        float("p50_ms", QUANTILE).required(),
        float("p90_ms", QUANTILE).required(),
        float("p95_ms", QUANTILE).required(),
        float("p99_ms", QUANTILE).required(),
    ],
};

pub(super) const LATENCY_BUCKETS: MetricTable = MetricTable {
    name: "latency_buckets",
    meaning: "The buckets of the sketches behind `latency`: add those of several rows to get quantiles of their union.",
    keys: 6,
    columns: &[
        date("day", "As in latency."),
        BOT,
        CHANNEL,
        text("task", "As in latency."),
        text("kind", "As in latency.").required(),
        small("bucket", "0 for 0 ms; else i ≥ 1 for γ^(i−2) < ms ≤ γ^(i−1), where γ = 1.01 ÷ 0.99.")
            .required(),
        float("estimate_ms", "What a value of the bucket is taken for: 2γ^(i−1) ÷ (γ+1); 0 for bucket 0, and 1 for bucket 1, which holds nothing but 1 ms.")
            .required(),
        count("count", "How many."),
    ],
};

pub(super) const HEATMAP: MetricTable = MetricTable {
    name: "heatmap",
    meaning: "When things happen in the week, in local time.",
    keys: 3,
    columns: &[
        small("weekday", "1 (Monday) to 7 (Sunday).").required(),
        small("hour", "0 to 23.").required(),
        CHANNEL,
        count("sessions", "Sessions that start then, on this as their first channel."),
        count("messages", "Messages of sessions, on this channel."),
    ],
};

pub(super) const USERS: MetricTable = MetricTable {
    name: "users",
    meaning: "One row an end user of a bot.",
    keys: 2,
    columns: &[
        BOT,
        id("user_id", "The end user.").required(),
        time("first_seen", "Earliest message of the user."),
        time("last_seen", "Latest message of the user."),
        count("sessions", "Sessions with a message of the user."),
        count("messages", "Messages with this user id, of all types."),
        count("active_days", "Distinct local days with a message."),
        flag("returning", "active_days ≥ 2.").required(),
    ],
};

pub(super) const TEMPLATES_USAGE: MetricTable = MetricTable {
    name: "templates_usage",
    meaning: "Templates that out messages showed.",
    keys: 2,
    columns: &[
        BOT,
        text("template_type", "As written; null where the template names none."),
        count("shown", "Templates shown."),
        count("sessions", "Sessions with one."),
        count("responded", "Of those shown, how many were followed by an in message (no pseudo-input) before the next out message.")
            .caveat("Where several out messages follow one another, only the last was responded to."),
    ],
};

pub(super) const ACTIONS_USAGE: MetricTable = MetricTable {
    name: "actions_usage",
    meaning: "Actions that out messages offered, and what people sent next: an in message (no pseudo-input) is compared with the actions of every out message since the previous in message, the latest first.",
    keys: 6,
    columns: &[
        BOT,
        text("prompt_text_hash", "Hash of the normalised text of the out message."),
        text("template_type", "As written."),
        text("action_type", "As written."),
        text("title", "What is shown."),
        text("payload", "What is sent.")
            .caveat("At most its first 1,000 characters, as of all texts in aggregates: actions whose texts differ only after them share a row."),
        count("shown", "How often it was offered."),
        count(
            "matched",
            "How often the answer equals, normalised, its payload, else its value, else its title.",
        ),
        count(
            "ambiguous",
            "How often the answer equals it and another action of the same message by the same of the three: credited to none.",
        ),
        count("matched_by_payload", "Of matched."),
        count("matched_by_value", "Of matched."),
        count("matched_by_title", "Of matched.").caveat("Somebody may have typed it."),
        flag("measurable", "False for url actions: a click sends nothing, which is not 0 %.").required(),
    ],
};

pub(super) const FORMS: MetricTable = MetricTable {
    name: "forms",
    meaning: "Digital forms that messages led to.",
    keys: 3,
    columns: &[
        BOT,
        text("form_id", "`formData.formId`."),
        text("form_name", "`formData.name`."),
        count("displayed", "Messages with the form."),
        count("status_opened", "Of them, those with the status `opened`.")
            .caveat("What happens inside a form leaves no message."),
        count("sessions", "Sessions with one."),
        count("unknown", "Of displayed, those without a status: nothing says whether they were opened."),
    ],
};

pub(super) const DROP_OFF_POINTS: MetricTable = MetricTable {
    name: "drop_off_points",
    meaning: "What the bot said last in sessions with the outcome drop_off. Sessions in which it said nothing have no row.",
    keys: 5,
    columns: &[
        BOT,
        text("task", "The task of that message."),
        text("template_type", "Its template type, as written."),
        text("text_hash", "Hash of its normalised text."),
        text("text", "What a person saw.").caveat("At most the first 1,000 characters."),
        count("sessions", "Sessions."),
    ],
};

pub(super) const TASKS: MetricTable = MetricTable {
    name: "tasks",
    meaning: "Tasks that ran. The task of a message is its own task name, else the last one before it in the session.",
    keys: 2,
    columns: &[
        BOT,
        text("task", "The task.").required(),
        count("sessions", "Sessions with the task: the sum of the five outcomes."),
        count("executions", "Maximal runs of messages of this task."),
        count("agent", "Sessions with the outcome agent."),
        count("none", "Sessions with the outcome none."),
        count("open", "Sessions with the outcome open."),
        count("drop_off", "Sessions with the outcome drop_off."),
        count("self_service", "Sessions with the outcome self_service."),
    ],
};

pub(super) const TASK_EDGES: MetricTable = MetricTable {
    name: "task_edges",
    meaning: "From one task execution to the next of the session; from the last one to the outcome.",
    keys: 4,
    columns: &[
        BOT,
        text("task", "The task that ends.").required(),
        text("next_task", "The task that follows, or the outcome of the session.").required(),
        flag("is_outcome", "Whether next_task is an outcome.").required(),
        count("transitions", "How often."),
        count("sessions", "Sessions in which it happens."),
    ],
};

pub(super) const PATH_VARIANTS: MetricTable = MetricTable {
    name: "path_variants",
    meaning: "Whole ways through tasks, one a session.",
    keys: 2,
    columns: &[
        BOT,
        text("path", "The task executions of the session, joined by ` > `; empty where no task ran.")
            .required()
            .caveat("A task whose name holds ` > ` looks like two."),
        count("sessions", "Sessions that went this way."),
        count("bot_sessions", "Sessions of the bot: the denominator of share."),
        float("share", "sessions ÷ bot_sessions.").required(),
        float(
            "median_duration_ms",
            "Median of duration_ms, by a sketch with a relative error of at most 1 %.",
        ),
    ],
};

pub(super) const TOP_INPUTS: MetricTable = MetricTable {
    name: "top_inputs",
    meaning: "What people type: in messages with a text that are no pseudo-inputs.",
    keys: 3,
    columns: &[
        BOT,
        text("language", "The language of the message."),
        text("text", "The normalised text: NFC, case folded, white space runs to one space, trimmed.")
            .required()
            .caveat("At most the first 1,000 characters: texts that differ only after them share a row. May hold personal data."),
        count("count", "How often."),
        count("sessions", "Sessions in which it was typed."),
        count("fallbacks", "How often the next in or out message was a fallback."),
    ],
};

pub(super) const REPROMPTS: MetricTable = MetricTable {
    name: "reprompts",
    meaning: "Prompts that were repeated: a loop is a series of out messages (no closures) with the same text, each with an in message before the next.",
    keys: 3,
    columns: &[
        BOT,
        text("text_hash", "Hash of the normalised text.").required(),
        text("text", "What a person saw when the loop began.")
            .caveat("At most the first 1,000 characters.")
            .required(),
        count("loops", "Loops: the sum of the four ways out."),
        count("longest", "How often the prompt stood in the longest loop: at least 2."),
        count(
            "left_by_answer",
            "Loops after which the bot said something else, or the same without an in message before.",
        ),
        count("left_by_handoff", "Loops after which the next thing was evidence of a handoff."),
        count(
            "left_by_drop_off",
            "Loops after which the bot said nothing more, in sessions with the outcome drop_off.",
        ),
        count("left_by_other", "Loops after which the bot said nothing more, in all other sessions."),
    ],
};

pub(super) const TAGS_USAGE: MetricTable = MetricTable {
    name: "tags_usage",
    meaning: "Tags of messages.",
    keys: 3,
    columns: &[
        text("scope", "message, user, session or alt_text.").required(),
        text("name", "The name of the tag."),
        text("tag_value", "Its value; JSON where it is no string."),
        count("messages", "Messages with it."),
        count("sessions", "Sessions with it."),
        count("users", "Distinct users with it.").caveat(NOT_ADDITIVE),
    ],
};

pub(super) const CONCURRENCY: MetricTable = MetricTable {
    name: "concurrency",
    meaning: "How many sessions ran at the same time, by local hour; hours without one have no row.",
    keys: 2,
    columns: &[
        date("day", "Local day.").required(),
        small("hour", "Local hour.").required(),
        count(
            "peak",
            "The most sessions in any minute of the hour: those whose started_at is not after the minute and whose ended_at is not before it, both taken to their minute.",
        ).caveat("A session counts for 10,000 hours at most: past that, a clock was wrong."),
    ],
};

pub(super) const DRIFT: MetricTable = MetricTable {
    name: "drift",
    meaning: "Where messages differ from what is documented, over all kept messages (unsessioned and developers' ones too).",
    keys: 3,
    columns: &[
        text("field", "The key of the API, at the top of a message; author.type; template_type.").required(),
        text("kind", "unknown_key; type_conflict (a value of an undocumented JSON type); new_enum_value (of type, status and author.type); time_disagreement (createdOn and timestampValue differ by more than 1 s); order_inversion (timestampValue is less than that of the last message before that has one, in the order of a session); unknown_template.").required(),
        text("value", "The new value or template type; the JSON type of a conflict; null otherwise."),
        count("count", "Messages."),
        text("first_source", "The first of them: file, body and message, from 0.")
            .caveat("Of a dataset: the place among the bodies that are restored from it, not in a file."),
    ],
};
