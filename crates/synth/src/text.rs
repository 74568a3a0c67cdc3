//! What people and bots say, in six languages, with places for names, numbers and amounts.

use crate::rng::mix;

/// Language codes as `lang` carries them.
pub(crate) const LANGUAGES: [&str; 6] = ["en", "es", "de", "hi", "ja", "ar"];

/// Task names as `tN` carries them; the phrases below follow this order.
pub(crate) const TASKS: [&str; 5] =
    ["Pay Bill", "Book Flight", "Order Status", "Reset Password", "Get Balance"];

/// What the platform says when nobody answers.
pub(crate) const CLOSING: &str = "I am closing our current conversation as I have not received any input from you. We can start over when you need.";

/// A kind of thing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Say {
    Greet,
    Intent,
    Ask,
    Answer,
    Confirm,
    Fallback,
    AnythingElse,
    No,
    Bye,
    WantAgent,
    Transfer,
    Agent,
    Reply,
    Mumble,
}

type Phrases = [&'static [&'static str]; 14];

const EN: Phrases = [
    &[
        "Hello 👋 I am your virtual assistant.\nHow can I help you today?",
        "Hi {name}, welcome back!",
        "Hey Thanks for connecting with us.",
    ],
    &[
        "pay bill",
        "I need a flight to Denver on the {n}th",
        "where is my order #{n}?",
        "reset my password pls",
        "What's my balance?",
    ],
    &[
        "Which bill would you like to pay?",
        "Where would you like to fly?",
        "Please enter your order number, it looks like \"AB-{n}\"",
        "What is the e-mail address of your account?",
        "Which account do you mean?",
    ],
    &[
        "{n}",
        "the second one",
        "savings",
        "{name}.smith@example.com",
        "It's \"{n}\", I think 🤔",
        "yes",
        "tomorrow at 9:30",
    ],
    &[
        "Your payment of ${amount} was received. Reference: {n}.",
        "Your flight is booked 🛫 Confirmation {n}.",
        "Order {n} has left our warehouse and arrives within {d} days.",
        "Done. Check your inbox for a link that works for {d} minutes.",
        "Your balance is ${amount}.",
    ],
    &[
        "Sorry, I did not understand that. Can you rephrase?",
        "I didn't get that. Please choose one of the options above.",
    ],
    &["Is there anything else I can do for you?", "Can I help you with something else?"],
    &["no thanks", "No, that's all. Thank you!", "nope 😀"],
    &["Thank you for contacting us. Have a great day!", "Glad I could help. Bye!"],
    &["agent", "I want to talk to a human", "let me speak to somebody!!"],
    &["You will be transferred to an agent.", "One moment, I am looking for somebody who can help you."],
    &[
        "Hi, this is {name}. I have read your conversation, one second please.",
        "Could you tell me the last four digits?",
        "I've credited ${amount} to your account.",
        "Is it the \\\\share\\{name} folder or C:\\temp?",
    ],
    &["sure, {n}", "ok thank you", "that took a while…", "yes that's right"],
    &["asdf", "??", "blue elephants {n}", "no I meant the other thing"],
];

const ES: Phrases = [
    &["¡Hola! Soy tu asistente virtual. ¿En qué puedo ayudarte?", "Bienvenida de nuevo, {name}."],
    &[
        "pagar factura",
        "quiero un vuelo a Bogotá el {d}",
        "¿dónde está mi pedido {n}?",
        "olvidé mi contraseña",
        "¿Cuál es mi saldo?",
    ],
    &[
        "¿Qué factura quieres pagar?",
        "¿A dónde te gustaría volar?",
        "Indica el número de pedido, por favor",
        "¿Cuál es el correo de tu cuenta?",
        "¿Qué cuenta?",
    ],
    &["{n}", "la segunda", "la de ahorros", "mañana a las 9", "sí", "{name}@example.com"],
    &[
        "Hemos recibido tu pago de {amount} €. Referencia: {n}.",
        "Tu vuelo está reservado ✈️ {n}.",
        "El pedido {n} llegará en {d} días.",
        "Listo. Revisa tu correo.",
        "Tu saldo es de {amount} €.",
    ],
    &["Lo siento, no te he entendido (did not understand).", "No entendí. I didn't get that."],
    &["¿Puedo ayudarte en algo más?", "¿Necesitas algo más? Anything else?"],
    &["no, gracias", "eso es todo 🙂", "nada más"],
    &["Gracias por contactarnos. ¡Que tengas un buen día!", "¡Hasta pronto!"],
    &["quiero hablar con una persona", "agente"],
    &["Te paso con un agente.", "Un momento, por favor."],
    &["Hola, soy {name}. ¿Me confirma su número?", "Ya he abonado {amount} €."],
    &["claro, {n}", "muchas gracias", "así es"],
    &["eh?", "no sé, {n}", "otra cosa"],
];

const DE: Phrases = [
    &[
        "Guten Tag! Ich bin Ihr digitaler Assistent.\nWas kann ich für Sie tun?",
        "Schön, dass Sie wieder da sind, {name}.",
    ],
    &[
        "Rechnung bezahlen",
        "Flug nach München am {d}.",
        "Wo bleibt meine Bestellung {n}?",
        "Passwort zurücksetzen",
        "Wie hoch ist mein Kontostand?",
    ],
    &[
        "Welche Rechnung möchten Sie bezahlen?",
        "Wohin möchten Sie fliegen?",
        "Bitte geben Sie die Bestellnummer ein (z. B. „{n}“).",
        "Wie lautet die E-Mail-Adresse?",
        "Welches Konto meinen Sie?",
    ],
    &["{n}", "die zweite", "Girokonto", "morgen früh", "ja", "{name}@example.com"],
    &[
        "Ihre Zahlung über {amount} € ist eingegangen. Beleg {n}.",
        "Ihr Flug ist gebucht 🛫 {n}.",
        "Bestellung {n} kommt in {d} Tagen an.",
        "Erledigt. Schauen Sie in Ihr Postfach.",
        "Ihr Kontostand beträgt {amount} €.",
    ],
    &[
        "Das habe ich nicht verstanden (did not understand).",
        "Entschuldigung, I didn't get that. Bitte wählen Sie oben aus.",
    ],
    &["Kann ich sonst noch etwas für Sie tun?", "Noch etwas? Anything else?"],
    &["nein danke", "Das war alles, vielen Dank!", "nö"],
    &["Vielen Dank und auf Wiedersehen!", "Gern geschehen. Tschüß!"],
    &["Mitarbeiter", "Ich möchte mit einem Menschen sprechen"],
    &["Sie werden verbunden.", "Einen Augenblick bitte …"],
    &[
        "Hallo, hier ist {name}. Können Sie mir die Straße nennen?",
        "Ich habe Ihnen {amount} € gutgeschrieben.",
    ],
    &["gerne, {n}", "danke schön", "stimmt"],
    &["hä?", "äh {n}", "etwas anderes"],
];

const HI: Phrases = [
    &["नमस्ते 🙏 मैं आपका वर्चुअल सहायक हूँ। मैं आपकी क्या मदद कर सकता हूँ?", "फिर से स्वागत है, {name}!"],
    &["बिल भरना है", "{d} तारीख को दिल्ली की उड़ान", "मेरा ऑर्डर {n} कहाँ है?", "पासवर्ड भूल गया", "मेरा बैलेंस कितना है?"],
    &[
        "आप कौन सा बिल भरना चाहते हैं?",
        "आप कहाँ जाना चाहते हैं?",
        "कृपया ऑर्डर नंबर बताइए",
        "आपका ईमेल पता क्या है?",
        "कौन सा खाता?",
    ],
    &["{n}", "दूसरा वाला", "बचत खाता", "कल सुबह", "हाँ"],
    &[
        "आपका ₹{amount} का भुगतान मिल गया। संदर्भ {n}।",
        "आपकी उड़ान बुक हो गई ✈️ {n}",
        "ऑर्डर {n} {d} दिन में पहुँचेगा।",
        "हो गया। अपना इनबॉक्स देखें।",
        "आपका बैलेंस ₹{amount} है।",
    ],
    &["माफ़ कीजिए, मैं समझ नहीं पाया (did not understand)।", "क्षमा करें, I didn't get that."],
    &["क्या मैं और कुछ मदद कर सकता हूँ?", "और कुछ? Anything else?"],
    &["नहीं, धन्यवाद", "बस इतना ही 🙏"],
    &["संपर्क करने के लिए धन्यवाद!", "आपका दिन शुभ हो!"],
    &["एजेंट से बात करनी है", "किसी इंसान से बात कराइए"],
    &["आपको एजेंट से जोड़ा जा रहा है।", "कृपया प्रतीक्षा करें।"],
    &["नमस्ते, मैं {name} बोल रहा हूँ।", "मैंने ₹{amount} वापस कर दिए हैं।"],
    &["जी, {n}", "शुक्रिया", "सही है"],
    &["क्या?", "पता नहीं {n}"],
];

const JA: Phrases = [
    &["こんにちは！バーチャルアシスタントです。ご用件をお聞かせください。", "{name}様、お帰りなさいませ。"],
    &[
        "料金を支払いたい",
        "{d}日の札幌行きの便",
        "注文{n}はどこですか？",
        "パスワードを忘れました",
        "残高を教えて",
    ],
    &[
        "どの請求書をお支払いになりますか？",
        "どちらへ行かれますか？",
        "注文番号を入力してください",
        "メールアドレスを教えてください",
        "どの口座ですか？",
    ],
    &["{n}", "二番目", "普通預金", "明日の朝", "はい"],
    &[
        "{amount}円のお支払いを確認しました。番号：{n}",
        "ご予約が完了しました🛫 {n}",
        "ご注文{n}は{d}日以内に届きます。",
        "完了しました。受信箱をご確認ください。",
        "残高は{amount}円です。",
    ],
    &["申し訳ありません、理解できませんでした (did not understand)。", "すみません。I didn't get that."],
    &["他にご用件はございますか？", "ほかに何か？ Anything else?"],
    &["いいえ、大丈夫です", "以上です😊"],
    &["ご利用ありがとうございました。", "良い一日をお過ごしください。"],
    &["オペレーターにつないで", "人と話したい"],
    &["オペレーターにおつなぎします。", "少々お待ちください。"],
    &["{name}と申します。内容を確認いたします。", "{amount}円を返金いたしました。"],
    &["はい、{n}です", "ありがとうございます", "そうです"],
    &["え？", "わからない {n}"],
];

const AR: Phrases = [
    &["مرحباً! أنا مساعدك الافتراضي. كيف يمكنني مساعدتك؟", "أهلاً بعودتك يا {name}."],
    &["دفع الفاتورة", "رحلة إلى دبي يوم {d}", "أين طلبي {n}؟", "نسيت كلمة المرور", "كم رصيدي؟"],
    &[
        "أي فاتورة تريد دفعها؟",
        "إلى أين تريد السفر؟",
        "من فضلك أدخل رقم الطلب",
        "ما هو بريدك الإلكتروني؟",
        "أي حساب؟",
    ],
    &["{n}", "الثاني", "حساب التوفير", "غداً صباحاً", "نعم"],
    &[
        "تم استلام دفعتك بقيمة {amount}. المرجع {n}.",
        "تم حجز رحلتك ✈️ {n}",
        "سيصل الطلب {n} خلال {d} أيام.",
        "تم. تحقق من بريدك.",
        "رصيدك هو {amount}.",
    ],
    &["عذراً، لم أفهم (did not understand).", "آسف، I didn't get that."],
    &["هل يمكنني مساعدتك في شيء آخر؟", "شيء آخر؟ Anything else?"],
    &["لا شكراً", "هذا كل شيء 👍"],
    &["شكراً لتواصلك معنا!", "إلى اللقاء."],
    &["أريد التحدث مع موظف", "موظف"],
    &["سيتم تحويلك إلى موظف.", "لحظة من فضلك."],
    &["مرحباً، معك {name}.", "لقد أعدت {amount} إلى حسابك."],
    &["نعم، {n}", "شكراً جزيلاً", "صحيح"],
    &["ماذا؟", "لا أعرف {n}"],
];

const ALL: [&Phrases; 6] = [&EN, &ES, &DE, &HI, &JA, &AR];

/// Names of people, of agents and users alike.
pub(crate) const NAMES: [&str; 12] = [
    "Alex", "Maria", "José", "Jürgen", "Zoë", "Priya", "Kenji", "Fatima", "Chloé", "Søren", "Łukasz",
    "O'Brien",
];

/// Appends what `say` is in a language. `task` chooses where the phrase belongs to a task, `salt` elsewhere.
pub(crate) fn phrase(out: &mut String, language: usize, say: Say, task: usize, salt: u64) {
    let phrases = ALL[language][say as usize];
    let of_task = matches!(say, Say::Intent | Say::Ask | Say::Confirm);
    let index = if of_task { task } else { (salt % phrases.len() as u64) as usize };
    let mut rest = phrases[index % phrases.len()];
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let close = rest[open..].find('}').map_or(rest.len(), |at| open + at);
        let value = mix(salt, open as u64);
        match &rest[open + 1..close] {
            "n" => number(out, 10_000 + value % 990_000),
            "d" => number(out, 2 + value % 26),
            "amount" => {
                number(out, 1 + value % 900);
                out.push('.');
                number(out, 10 + (value >> 32) % 90);
            }
            _ => out.push_str(NAMES[(value % NAMES.len() as u64) as usize]),
        }
        rest = rest.get(close + 1..).unwrap_or_default();
    }
    out.push_str(rest);
}

/// Appends a decimal number.
pub(crate) fn number(out: &mut String, value: u64) {
    if value >= 10 {
        number(out, value / 10);
    }
    out.push(char::from(b'0' + (value % 10) as u8));
}
