//! An entry of `channels`: two keys, or the dozens that some accounts get to see.

use super::channel_name;
use crate::conversation::{Head, Turn, is_voice};
use crate::ids;
use crate::json::Json;
use crate::rng::mix;

pub(super) fn write(j: &mut Json, head: &Head, turn: &Turn, bot: u64, text: &str, rich: bool) {
    j.object(|j| {
        if rich {
            let write = if is_voice(head.channel) { voice } else { chat };
            return write(j, head, turn, bot, text);
        }
        j.field("type", channel_name(head));
        if turn.kind == 0 {
            channel_uid(j, head);
        }
    });
}

fn channel_uid(j: &mut Json, head: &Head) {
    j.key("channelUId").quoted(|out| {
        ids::prefixed(out, "cs-", mix(u64::from(head.bot), 81));
        out.push(b'/');
        ids::uuid(out, mix(head.user, 82));
    });
}

fn handle(j: &mut Json, head: &Head, turn: &Turn, bot: u64) {
    j.key("handle").object(|j| {
        j.field_id("handleId", "", mix(head.seed, 83));
        j.field_id("userId", "u-", head.user);
        j.field_id("clientId", "cs-", mix(bot, 81));
        j.field_id("taskBotId", "st-", bot);
        for (key, salt) in [("traceId", 84), ("spanId", 85)] {
            j.key(key).quoted(|out| ids::hex(out, mix(turn.id, salt), 16));
        }
        if turn.id.is_multiple_of(2) {
            j.key("trace").object(|j| {
                j.field("id", "RTM-TRACE-AOYH5R6TQ");
                j.field("idPrefix", "RTM-TRACE");
                j.field_raw("isNew", "true");
            });
        }
    });
}

fn chat(j: &mut Json, head: &Head, turn: &Turn, bot: u64, text: &str) {
    if turn.kind != 0 {
        handle(j, head, turn, bot);
    } else {
        j.field("type", channel_name(head));
    }
    j.field_id("from", "u-", head.user);
    j.key("botInfo").object(|j| {
        j.field("chatBot", "SmartAssist AI 1599671152125");
        j.field_id("taskBotId", "st-", bot);
        j.key("customData").array(|j| {
            j.object(|j| {
                j.field_id("callFlowId", "cf-", mix(bot, 86));
                j.field("state", "configured");
            });
        });
        j.field("hostDomain", "https://www.example.com");
        j.field("os", "Linux");
        j.field("device", "Other");
    });
    if turn.kind != 0 {
        j.field("type", channel_name(head));
        return;
    }
    handle(j, head, turn, bot);
    j.field("client", "sdk");
    j.field("body", text);
    j.field_raw("enable", "true");
    j.field_raw("isAlertsEnabled", "false");
    disabled(j);
    j.field_id("streamId", "st-", bot);
    j.key("tokens").array(|_| {});
    j.field_time("__userInputTime", turn.at - 60);
    j.field_int("__loopCount", 0);
    j.key("agentDesktopMeta").object(|j| {
        j.key("pagesVisited").array(|j| {
            j.object(|j| {
                j.field("page", "SmartAssist");
                j.field_time("timestamp", head.started);
                j.field_raw("timespent", "51.672");
                j.field("domain", "www.example.com");
            });
        });
    });
    j.field_id("userId", "u-", head.user);
    channel_uid(j, head);
    if turn.id.is_multiple_of(3) {
        j.field("app_token", "MASKED");
    }
}

fn disabled(j: &mut Json) {
    j.field(
        "message",
        "The bot is disabled via Web/Mobile Client. You can still talk to the bot via Kore Messenger, Web/Mobile Client, Twilio Voice.",
    );
    j.field("activeChannels", "Kore Messenger,Web/Mobile Client,Twilio Voice.");
}

fn voice(j: &mut Json, head: &Head, turn: &Turn, bot: u64, text: &str) {
    let call = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"ca");
        ids::hex(out, mix(head.seed, 87), 16);
        ids::hex(out, mix(head.seed, 88), 16);
    };
    j.field("type", channel_name(head));
    j.field("to", "+15550100001");
    j.key("from").quoted(|out| {
        ids::prefixed(out, "cs-", mix(bot, 81));
        out.push(b'/');
        call(out);
    });
    if turn.kind == 0 {
        j.field("body", text);
    }
    j.field_id("streamId", "st-", bot);
    j.key("handle").object(|j| {
        j.field("AccountSid", "ACcea0991dae7309b636cbbc26e1eeff27");
        j.field("ApiVersion", "2010-04-01");
        j.key("CallSid").quoted(call);
        j.field("CallStatus", "in-progress");
        j.field("Called", "+15550100001");
        j.field("CalledCity", "CAMP HILL");
        j.field("CalledZip", "36850");
        // As the voice samples have it: the caller's number was taken out of them in this way.
        j.field("Caller", "+1XXXXXXXXX");
        j.field("CallerCity", "");
        j.field("Confidence", "0.98762906");
        j.field("Direction", "inbound");
        j.field("Language", "en-US");
        if turn.kind == 0 {
            j.field("SpeechResult", text);
        } else {
            j.field("Digits", "1");
        }
        j.field("To", "+15550100001");
        j.field("ToState", "AL");
        j.key("requestId").quoted(|out| {
            out.extend_from_slice(b"tcbr-");
            call(out);
        });
    });
    j.field("accessToken", "MASKED");
    j.field_raw("isAppScoped", "true");
    j.field_raw("enable", "true");
    disabled(j);
    j.key("tokens").array(|_| {});
    j.field_id("userId", "u-", head.user);
}
