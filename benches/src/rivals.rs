//! What a user would write with serde today: a few fields, borrowed where they can be.

use std::borrow::Cow;

use serde::Deserialize;

/// A page of messages.
#[derive(Debug, Deserialize)]
pub struct SerdePage<'a> {
    /// `messages`
    #[serde(borrow)]
    pub messages: Vec<SerdeMessage<'a>>,
}

/// A message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SerdeMessage<'a> {
    /// `_id`
    #[serde(borrow, rename = "_id")]
    pub id: Option<Cow<'a, str>>,
    /// `botId`
    #[serde(borrow)]
    pub bot_id: Option<Cow<'a, str>>,
    /// `orgId`
    #[serde(borrow)]
    pub org_id: Option<Cow<'a, str>>,
    /// `accountId`
    #[serde(borrow)]
    pub account_id: Option<Cow<'a, str>>,
    /// `sessionId`
    #[serde(borrow)]
    pub session_id: Option<Cow<'a, str>>,
    /// `createdBy`
    #[serde(borrow)]
    pub created_by: Option<Cow<'a, str>>,
    /// `createdOn`
    #[serde(borrow)]
    pub created_on: Option<Cow<'a, str>>,
    /// `lmodifiedOn`
    #[serde(borrow, rename = "lmodifiedOn")]
    pub modified_on: Option<Cow<'a, str>>,
    /// `timestampValue`
    pub timestamp_value: Option<i64>,
    /// `type`
    #[serde(borrow, rename = "type")]
    pub kind: Option<Cow<'a, str>>,
    /// `status`
    #[serde(borrow)]
    pub status: Option<Cow<'a, str>>,
    /// `chnl`
    #[serde(borrow)]
    pub chnl: Option<Cow<'a, str>>,
    /// `lang`
    #[serde(borrow)]
    pub lang: Option<Cow<'a, str>>,
    /// `components`
    #[serde(borrow)]
    pub components: Vec<SerdeComponent<'a>>,
}

/// A component.
#[derive(Debug, Deserialize)]
pub struct SerdeComponent<'a> {
    /// `_id`
    #[serde(borrow, rename = "_id")]
    pub id: Option<Cow<'a, str>>,
    /// `cT`
    #[serde(borrow, rename = "cT")]
    pub kind: Option<Cow<'a, str>>,
    /// `data`
    #[serde(borrow)]
    pub data: Option<SerdeData<'a>>,
}

/// What a component holds.
#[derive(Debug, Deserialize)]
pub struct SerdeData<'a> {
    /// `text`
    #[serde(borrow)]
    pub text: Option<Cow<'a, str>>,
}
