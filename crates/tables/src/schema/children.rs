//! The columns of the tables whose rows belong to a message.

use super::declare::columns;

columns! {
    /// A column of `components`.
    ComponentColumn {
        MessageSeq "message_seq" Int64 required, "", "The message.";
        ComponentIndex "component_index" Int32 required, "", "Which component of the message, from 1: the first (0) stands in `messages`.";
        ComponentId "component_id" Text null, "_id", "The component's id.";
        ComponentType "component_type" Name null, "cT", "text, audio, image, … as given.";
        Text "text" Text null, "data.text", "What a person saw of it.";
        RawText "raw_text" Text null, "data.text", "The text as it came; null where equal to `text`, and where it was no string.";
        TextKind "text_kind" Name null, "", "What the text is: empty, plain, ssml, template, message, voice_command, wrapped_text, json or malformed.";
        TemplateType "template_type" Name null, "template_type", "The template's type as written.";
        TemplateTypeNorm "template_type_norm" Name null, "", "The same in lower case, without spaces, underscores and a trailing `template`.";
        ComponentData "component_data" Json null, "data", "The other keys of `data`; `{}` where it is empty.";
        Thumbnails "thumbnails" Thumbnails null, "thumbnails", "The thumbnails.";
        ComponentExtra "component_extra" Json null, "", "What it holds besides, by the rule of `extra`.";
    }
}

columns! {
    /// A column of `templates`.
    TemplateColumn {
        MessageSeq "message_seq" Int64 required, "", "The message.";
        MessageId "message_id" Text required, "_id", "Its id.";
        ComponentIndex "component_index" Int32 required, "", "Which component of the message, from 0.";
        TextKind "text_kind" Name required, "", "template, message, voice_command, wrapped_text, json or malformed.";
        EnvelopeType "envelope_type" Name null, "type", "The `type` around the payload.";
        TemplateType "template_type" Name null, "template_type", "As written.";
        TemplateTypeNorm "template_type_norm" Name null, "", "The same in lower case, without spaces, underscores and a trailing `template`.";
        Text "text" Text null, "", "What a person saw of it; null where it shows no text.";
        ElementCount "element_count" Int64 required, "", "How many rows it has in `elements`.";
        ActionCount "action_count" Int64 required, "", "How many rows it has in `actions`.";
        FormId "form_id" Name null, "formData.formId", "The digital form.";
        FormName "form_name" Name null, "formData.name", "Its name.";
        FormDisplayName "form_display_name" Name null, "formData.displayName", "The name that is shown.";
        FormLink "form_link" Text null, "formData.formLink", "Its address.";
        FormRenderType "form_render_type" Name null, "formData.renderType", "How it is shown.";
        FormLinkExpiry "form_link_expiry" Int64 null, "formData.formLinkExpiry", "As given.";
        FormSubmitExpiry "form_submit_expiry" Int64 null, "formData.submitExpiry", "As given.";
        VoiceVerbs "voice_verbs" Texts null, "data[].verb", "The verbs of a voice command, in order.";
        DecodeError "decode_error" Name null, "", "Why the text, or a part of it, could not be taken apart.";
        DecodeErrorOffset "decode_error_offset" Int64 null, "", "Where, in bytes of the text as it came.";
        Extra "extra" Json null, "", "Every value that no column of `templates`, `elements` and `actions` gives back exactly, by JSON pointer.";
    }
}

columns! {
    /// A column of `elements`.
    ElementColumn {
        MessageSeq "message_seq" Int64 required, "", "The message.";
        ComponentIndex "component_index" Int32 required, "", "Which component of the message, from 0.";
        ElementIndex "element_index" Int32 required, "", "Which element of the template, from 0.";
        ParentPath "parent_path" Name required, "", "The array that it stands in: a JSON pointer from the root of the text's object.";
        Title "title" Text null, "title", "Its title, or what stands for it: a label, a heading.";
        Subtitle "subtitle" Text null, "subtitle, description", "Its subtitle.";
        ElementValue "element_value" Text null, "value", "Its value.";
        ImageUrl "image_url" Text null, "image_url", "The address of its image.";
        ValueList "value_list" Texts null, "values", "The cells of a table row, the values of a chart's series; null ones keep their place.";
    }
}

columns! {
    /// A column of `actions`.
    ActionColumn {
        MessageSeq "message_seq" Int64 required, "", "The message.";
        MessageId "message_id" Text required, "_id", "Its id.";
        ComponentIndex "component_index" Int32 required, "", "Which component of the message, from 0.";
        ActionIndex "action_index" Int32 required, "", "Which action of the template, from 0.";
        ElementIndex "element_index" Int32 null, "", "The innermost element that it lies in.";
        ParentPath "parent_path" Name required, "", "The array or object that it stands in: a JSON pointer from the root of the text's object.";
        ActionKind "action_kind" Name required, "", "By the key that it stands under: button, quick_reply, default_action, option or postback.";
        ActionType "action_type" Name null, "type", "postback, url, web_url, text, … as given.";
        Title "title" Text null, "title", "What the client shows.";
        Payload "payload" Text null, "payload", "What a click sends; JSON where it is no string.";
        ActionValue "action_value" Text null, "value", "What a click sends where there is no payload; JSON where it is no string.";
        Url "url" Text null, "url", "Where a click leads.";
    }
}

columns! {
    /// A column of `tags`.
    TagColumn {
        MessageSeq "message_seq" Int64 null, "", "The message; null for the tags of a session record.";
        RecordSeq "record_seq" Int64 null, "", "The session record; null for the tags of a message.";
        SessionId "session_id" Name null, "sessionId", "The session, for use without a join.";
        UserId "user_id" Name null, "createdBy, userId", "The user, for use without a join.";
        Scope "scope" Name required, "", "message, user, session or alt_text.";
        TagIndex "tag_index" Int32 required, "", "Which tag of its scope, from 0.";
        Name "name" Name null, "name", "The tag's name.";
        TagValue "tag_value" Text null, "value", "Its value, where it is text.";
        TagValueJson "tag_value_json" Json null, "value", "Its value as it stands, where it is anything else.";
        Extra "extra" Json null, "", "What the tag holds besides, by the rule of `extra`.";
    }
}
