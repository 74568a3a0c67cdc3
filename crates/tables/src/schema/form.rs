//! The bits of `form`: what a row's columns cannot say about how its message was written.

use korpus_core::MessageField;

/// One bit of a `form` column.
#[derive(Debug, Clone, Copy)]
pub struct FormBit {
    /// Which bit, from 0.
    pub bit: u32,
    /// Its name.
    pub name: &'static str,
    /// What it says, in one line.
    pub meaning: &'static str,
}

macro_rules! form {
    ($(#[$doc:meta])* $name:ident { $($constant:ident = $bit:literal, $meaning:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl $name {
            $(#[doc = $meaning] pub const $constant: i64 = 1 << $bit;)*
            /// All of them, for the docs.
            pub const BITS: &'static [FormBit] =
                &[$(FormBit { bit: $bit, name: stringify!($constant), meaning: $meaning },)*];
        }
    };
}

form! {
    /// The bits of `messages.form`.
    MessageForm {
        CHNL = 0, "`chnl` has the value of `channel`";
        CHANNEL = 1, "`channel` has the value of `channel`";
        CREATED_ON = 2, "`createdOn` has the value of `created_at`";
        TIMESTAMP = 3, "`timestamp` has the value of `created_at`";
        IS_BB_NUMBER = 4, "`isBB` is 0 or 1, not a boolean";
        IS_D_NUMBER = 5, "`isD` is 0 or 1, not a boolean";
        IS_A_NUMBER = 6, "`isA` is 0 or 1, not a boolean";
        TEXT = 7, "the message's own `text` has the value of `raw_text`, or of `text` where that is null";
        AUTHOR = 8, "`author` is an object";
        LATENCY = 9, "`latency` is an object";
        LATENCY_ASR = 10, "`latency.asr` is an object";
        LATENCY_BOT = 11, "`latency.bot` is an object";
        LATENCY_TTS = 12, "`latency.tts` is an object";
        TAGS = 13, "`tags` is an object";
        MESSAGE_TAGS = 14, "`tags.messageTags` is a list";
        USER_TAGS = 15, "`tags.userTags` is a list";
        SESSION_TAGS = 16, "`tags.sessionTags` is a list";
        ALT_TEXT = 17, "`tags.altText` is a list";
    }
}

form! {
    /// The bits of `conversations.form` and `platform_sessions.form`.
    RecordForm {
        IS_EXTERNAL_NUMBER = 0, "`isExtAD` is 0 or 1, not a boolean";
        IS_DEVELOPER_NUMBER = 1, "`isDeveloper` is 0 or 1, not a boolean";
        ID_MADE_UP = 2, "`conversation_record_id` is a hash: `_id` is absent, or in `extra`";
        TAGS = 13, "`tags` is an object";
        MESSAGE_TAGS = 14, "`tags.messageTags` is a list";
        USER_TAGS = 15, "`tags.userTags` is a list";
        SESSION_TAGS = 16, "`tags.sessionTags` is a list";
        ALT_TEXT = 17, "`tags.altText` is a list";
    }
}

/// The first of the bits that say that a key of a message was there as `null`.
const FIRST_NULL_BIT: u32 = 20;

/// The keys of a message that have such a bit, in the order of the bits. The order is part of the schema: append only.
const NULL_KEYS: &[MessageField] = &[
    MessageField::Id,
    MessageField::BotId,
    MessageField::OrgId,
    MessageField::AccountId,
    MessageField::SessionId,
    MessageField::ConversationId,
    MessageField::CreatedBy,
    MessageField::CreatedOn,
    MessageField::Timestamp,
    MessageField::LModifiedOn,
    MessageField::StoreModifiedOn,
    MessageField::LModifiedBy,
    MessageField::TimestampValue,
    MessageField::Type,
    MessageField::Status,
    MessageField::Chnl,
    MessageField::Channel,
    MessageField::Channels,
    MessageField::Lang,
    MessageField::TaskName,
    MessageField::TraceId,
    MessageField::MessageSource,
    MessageField::IsBotBuilder,
    MessageField::IsDeveloper,
    MessageField::IsAgentSide,
    MessageField::Author,
    MessageField::Latency,
    MessageField::Components,
    MessageField::Tags,
    MessageField::Text,
];

/// `NULL_KEYS` turned around: the bit of every key, worked out once.
const NULL_BITS: [i64; MessageField::ALL.len()] = {
    let mut bits = [0; MessageField::ALL.len()];
    let mut index = 0;
    while index < NULL_KEYS.len() {
        bits[NULL_KEYS[index] as usize] = 1 << (FIRST_NULL_BIT + index as u32);
        index += 1;
    }
    bits
};

/// The bit that says that `field` was there as `null`; 0 for a key that has none and goes to `extra` instead.
pub(crate) const fn null_bit(field: MessageField) -> i64 {
    NULL_BITS[field as usize]
}

/// The null bits as the docs list them: which bit, which key.
pub(super) fn null_bits() -> impl Iterator<Item = (u32, &'static str)> {
    NULL_KEYS.iter().zip(FIRST_NULL_BIT..).map(|(field, bit)| (bit, field.key()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_null_bit() {
        for &field in MessageField::ALL {
            assert_eq!(null_bit(field).count_ones(), 1, "{}", field.key());
        }
    }

    #[test]
    fn bits_are_distinct_and_positive() {
        let mut seen = 0;
        for bit in MessageForm::BITS.iter().map(|bit| bit.bit).chain(null_bits().map(|(bit, _)| bit)) {
            assert!(bit < 63 && seen >> bit & 1 == 0, "{bit}");
            seen |= 1_i64 << bit;
        }
    }
}
