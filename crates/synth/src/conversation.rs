//! A session as a script: who says what, when, and how it ends.

use crate::rng::{Rng, mix};
use crate::template::{Kind, PROMPTS, RARE};
use crate::text::Say;

/// Channels as `chnl` carries them.
pub(crate) const CHANNELS: [&str; 6] = ["rtm", "twiliovoice", "facebook", "msteams", "rcs", "ivrVoice"];

/// Message types as `type` carries them.
pub(crate) const TYPES: [&str; 5] = ["incoming", "outgoing", "event", "timelinemsg", "ctrlmsg"];

/// What all messages of a session share. Small and `Copy`: copies of messages carry it along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// Unique over the dump.
    pub(crate) ordinal: u64,
    pub(crate) seed: u64,
    pub(crate) bot: u32,
    pub(crate) user: u64,
    pub(crate) language: u8,
    pub(crate) channel: u8,
    pub(crate) started: i64,
    pub(crate) ended: i64,
    pub(crate) turns: u16,
    pub(crate) tasks: u8,
    pub(crate) developer: bool,
    pub(crate) ending: Ending,
    /// The platform has closed the session.
    pub(crate) closed: bool,
}

/// How a session ended, as the platform would judge it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Contained,
    DroppedOff,
    HandedOver,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Say(Say),
    Template(Kind),
    /// The user pressed one of the buttons of the task's prompt.
    Pick(u8),
    Closing,
    /// What a voice gateway reports when nobody speaks.
    NoInput,
    VoiceGather,
    VoiceTransfer,
    VoiceHangup,
    Ssml,
    /// Plain text with HTML entities.
    Entities,
    /// A JSON object that only wraps a text.
    Wrapped,
    /// Text that starts as JSON and is none.
    Malformed,
    /// A message with a payload that is no template: which envelope.
    Envelope(u8),
    /// A JSON object that nobody draws.
    Json,
    Empty,
    /// An image with thumbnails.
    Image,
    /// A message of the platform itself.
    Notice,
}

/// Who wrote a message, as `author` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    None,
    User,
    Agent,
    System,
    Event,
    Form,
    Voicemail,
}

/// One message of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) at: i64,
    /// Everything else about the message is derived from this.
    pub(crate) id: u64,
    /// Index into [`TYPES`].
    pub(crate) kind: u8,
    pub(crate) what: What,
    pub(crate) author: Author,
    /// Index into the task names, and whether `tN` is there.
    pub(crate) task: u8,
    pub(crate) named: bool,
}

/// What shapes the sessions of a dump.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cast {
    pub(crate) seed: u64,
    pub(crate) bots: u32,
    pub(crate) users: u32,
    pub(crate) template_ppm: u32,
    /// Whether all users call: calls are wanted, and nobody would.
    pub(crate) all_call: bool,
}

/// The most users among whom there may be nobody who calls; of as many, all but one in 10^35 casts have one.
const FEW: u32 = 256;

impl Cast {
    /// The id of a user, by number.
    fn user(&self, number: u64) -> u64 {
        mix(self.seed ^ 0x75, number)
    }

    /// Index into [`CHANNELS`].
    fn channel(&self, user: u64) -> u8 {
        if self.all_call { 1 } else { [0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5][(mix(user, 2) % 11) as usize] }
    }

    /// The cast of a dump that holds calls: somebody calls.
    pub(crate) fn with_calls(self) -> Self {
        let calls = |number: u32| is_voice(self.channel(self.user(u64::from(number))));
        Self { all_call: !(0..self.users.min(FEW)).any(calls), ..self }
    }
}

/// Whether a channel, by its index, is one of calls.
pub(crate) fn is_voice(channel: u8) -> bool {
    matches!(channel, 1 | 5)
}

struct Script<'a> {
    rng: Rng,
    turns: &'a mut Vec<Turn>,
    first: usize,
    now: i64,
    voice: bool,
    template_ppm: u32,
    task: u8,
    named: bool,
    /// How the user's messages are signed: with nothing, until a person is there to talk to.
    signs: Author,
    closed: bool,
}

/// Appends the turns of the session `ordinal`, which starts at `started`, and returns what they share.
pub(crate) fn write(turns: &mut Vec<Turn>, cast: Cast, ordinal: u64, started: i64) -> Head {
    let seed = mix(cast.seed, ordinal);
    let mut rng = Rng::new(seed);
    let user_number = rng.below(u64::from(cast.users));
    let user = cast.user(user_number);
    let language = [0, 0, 0, 0, 1, 1, 2, 3, 4, 5][(mix(user, 1) % 10) as usize];
    let channel = cast.channel(user);
    let bot = rng.below(u64::from(cast.bots)) as u32;
    let developer = user_number % 20 == 7;
    let first = turns.len();
    let mut script = Script {
        rng,
        turns,
        first,
        now: started,
        voice: is_voice(channel),
        template_ppm: cast.template_ppm,
        task: 0,
        named: false,
        signs: Author::None,
        closed: true,
    };
    let (tasks, ending) = script.play();
    let closed = script.closed;
    for (index, turn) in turns[first..].iter_mut().enumerate() {
        turn.id = mix(seed, 1000 + index as u64);
    }
    let ended = turns[first..].last().map_or(started, |turn| turn.at);
    Head {
        ordinal,
        seed,
        bot,
        user,
        language,
        channel,
        started,
        ended,
        turns: (turns.len() - first) as u16,
        tasks,
        developer,
        ending,
        closed,
    }
}

impl Script<'_> {
    fn push(&mut self, kind: u8, what: What, author: Author) {
        self.turns.push(Turn { at: self.now, id: 0, kind, what, author, task: self.task, named: self.named });
    }

    /// The bot (or an agent) answers after a moment.
    fn out(&mut self, what: What) {
        self.now += self.rng.range(180, 2_600);
        self.push(1, what, Author::None);
    }

    /// The user answers after some thought.
    fn user(&mut self, what: What) {
        self.now += self.rng.range(1_500, 45_000);
        self.push(0, what, self.signs);
    }

    fn play(&mut self) -> (u8, Ending) {
        self.now += self.rng.range(20, 900);
        if self.voice {
            self.push(0, What::NoInput, Author::None);
            self.out(What::VoiceGather);
        } else if self.rng.chance(300) {
            self.out(What::Template(Kind::Welcome));
        } else if self.rng.chance(900) {
            self.out(What::Say(Say::Greet));
        }
        if self.rng.chance(40) {
            self.push(4, What::Notice, Author::None);
        }
        let tasks = 1 + self.rng.below(4) as u8;
        for done in 0..tasks {
            self.task = self.rng.below(5) as u8;
            if !self.task() {
                self.leave();
                return (done, Ending::DroppedOff);
            }
        }
        if self.rng.chance(150) {
            self.hand_over();
            return (tasks, Ending::HandedOver);
        }
        self.named = false;
        self.out(What::Say(Say::AnythingElse));
        if self.rng.chance(250) {
            self.leave();
            return (tasks, Ending::Contained);
        }
        self.user(What::Say(Say::No));
        if self.rng.chance(300) && !self.voice {
            self.out(What::Template(Kind::Feedback));
        }
        self.out(What::Say(Say::Bye));
        if self.voice {
            self.out(What::VoiceHangup);
        }
        if self.rng.chance(60) {
            self.push(3, What::Notice, Author::None);
        }
        (tasks, Ending::Contained)
    }

    /// One task; false where the user gives up in it.
    fn task(&mut self) -> bool {
        self.user(What::Say(Say::Intent));
        self.named = self.rng.chance(700);
        while self.rng.chance(120) {
            self.out(What::Say(Say::Fallback));
            if self.rng.chance(120) {
                return false;
            }
            self.user(What::Say(Say::Mumble));
        }
        if self.rng.chance(15) {
            self.push(2, What::Notice, Author::Event);
        }
        for _ in 0..=self.rng.below(2) {
            let asked = self.prompt();
            self.out(asked);
            if self.rng.chance(60) {
                return false;
            }
            let answer = match asked {
                What::Template(_) if self.rng.chance(750) => What::Pick(self.rng.below(3) as u8),
                _ if self.rng.chance(25) => What::Image,
                _ if self.voice && self.rng.chance(60) => What::NoInput,
                _ => What::Say(Say::Answer),
            };
            self.user(answer);
        }
        if self.rng.chance(50) {
            self.now += 300;
            self.push(1, What::Template(Kind::Form), Author::Form);
            self.user(What::Say(Say::Answer));
        }
        self.out(What::Say(Say::Confirm));
        true
    }

    fn prompt(&mut self) -> What {
        if self.rng.below(1_000_000) < u64::from(self.template_ppm) {
            return match self.rng.below(40) {
                0 => What::Template(Kind::Otp),
                1 => What::Template(Kind::Custom),
                2 => What::Template(Kind::LikeDislike),
                3 => What::Wrapped,
                4 => What::Malformed,
                5 => What::Json,
                _ if self.voice => What::VoiceGather,
                6 | 7 => What::Envelope(self.rng.below(8) as u8),
                8..=15 => What::Template(*self.rng.pick(&RARE)),
                _ => What::Template(*self.rng.pick(&PROMPTS)),
            };
        }
        match self.rng.below(40) {
            0 => What::Entities,
            1 => What::Empty,
            2 | 3 if self.voice => What::Ssml,
            _ => What::Say(Say::Ask),
        }
    }

    /// The user is gone; most of the times the platform notices.
    fn leave(&mut self) {
        if self.rng.chance(200) {
            self.user(What::Say(Say::Mumble));
        }
        self.closed = self.rng.chance(750);
        if self.closed {
            self.now += self.rng.range(600_000, 900_000);
            self.named = false;
            self.push(1, What::Closing, Author::None);
        }
    }

    fn hand_over(&mut self) {
        self.user(What::Say(Say::WantAgent));
        self.named = false;
        if self.voice {
            self.out(What::VoiceTransfer);
            if self.rng.chance(200) {
                self.push(1, What::Empty, Author::Voicemail);
            }
            return;
        }
        self.out(What::Say(Say::Transfer));
        self.signs = Author::User;
        if self.rng.chance(400) {
            self.now += 900;
            self.push(1, What::Template(Kind::LiveAgent), Author::None);
        }
        if self.rng.chance(150) {
            return; // nobody came
        }
        self.now += self.rng.range(5_000, 120_000);
        self.push(1, What::Template(Kind::System), Author::Event);
        for _ in 0..=self.rng.below(4) {
            self.now += self.rng.range(4_000, 60_000);
            self.push(1, What::Say(Say::Agent), Author::Agent);
            self.user(What::Say(Say::Reply));
        }
        self.now += self.rng.range(1_000, 9_000);
        self.push(1, What::Template(Kind::System), Author::System);
        debug_assert!(self.turns.len() > self.first);
    }
}
