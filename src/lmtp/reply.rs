//! What a client is told (RFC 5321 4.2, RFC 2034).

use super::want::Terms;
use crate::engine::Disposition;
use std::borrow::Cow;

/// The answer to DATA, which has no enhanced code (RFC 2034 4).
pub(super) const GO_ON: &[u8] = b"354 go on, and end with a dot\r\n";

/// The first line of all. No enhanced code either.
pub(super) fn greeting(terms: &Terms) -> Vec<u8> {
    format!("220 {} LMTP Sealpost\r\n", terms.host).into_bytes()
}

/// The answer to LHLO (RFC 5321 4.1.1.1): PIPELINING is RFC 2920, SIZE 1870, 8BITMIME 6152, SMTPUTF8 6531, CHUNKING 3030,
/// ENHANCEDSTATUSCODES 2034.
pub(super) fn capabilities(terms: &Terms) -> Vec<u8> {
    let (host, size) = (&terms.host, terms.size());
    format!(
        "250-{host}\r\n250-PIPELINING\r\n250-SIZE {size}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n\
         250 ENHANCEDSTATUSCODES\r\n"
    )
    .into_bytes()
}

/// One line of a reply, its enhanced code in front of the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    code: u16,
    text: Cow<'static, str>,
}

impl Reply {
    pub(super) const SENDER: Reply = Reply::fixed(250, "2.1.0 sender ok");
    pub(super) const RECIPIENT: Reply = Reply::fixed(250, "2.1.5 recipient ok");
    pub(super) const DONE: Reply = Reply::fixed(250, "2.0.0 ok");
    pub(super) const CHUNK: Reply = Reply::fixed(250, "2.0.0 octets received");
    pub(super) const BYE: Reply = Reply::fixed(221, "2.0.0 bye");
    pub(super) const HELP: Reply =
        Reply::fixed(214, "2.0.0 LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT");
    pub(super) const VERIFY: Reply =
        Reply::fixed(252, "2.1.5 nobody is verified here: RCPT tells who is known");

    pub(super) const LONG_LINE: Reply = Reply::fixed(500, "5.5.2 this line is too long");
    pub(super) const LINE_END: Reply = Reply::fixed(500, "5.5.2 a command ends with CR LF");
    pub(super) const NO_TEXT: Reply = Reply::fixed(500, "5.5.2 a command is ASCII or UTF-8");
    pub(super) const UNKNOWN: Reply = Reply::fixed(500, "5.5.1 no such command");
    pub(super) const NOT_SMTP: Reply = Reply::fixed(500, "5.5.1 this is LMTP: say LHLO");
    pub(super) const NOT_HERE: Reply = Reply::fixed(502, "5.5.1 not here");
    pub(super) const ARGUMENT: Reply = Reply::fixed(501, "5.5.4 this command takes no argument");
    pub(super) const NO_NAME: Reply = Reply::fixed(501, "5.5.4 say who you are");
    pub(super) const NO_ARGUMENT: Reply = Reply::fixed(501, "5.5.4 an argument is missing");
    pub(super) const MAIL_SYNTAX: Reply = Reply::fixed(501, "5.5.4 say MAIL FROM:<address>");
    pub(super) const RCPT_SYNTAX: Reply = Reply::fixed(501, "5.5.4 say RCPT TO:<address>");
    pub(super) const SENDER_SYNTAX: Reply = Reply::fixed(501, "5.1.7 the sender is no address");
    pub(super) const RECIPIENT_SYNTAX: Reply = Reply::fixed(501, "5.1.3 the recipient is no address");
    pub(super) const NOT_ASCII: Reply = Reply::fixed(553, "5.6.7 an address beyond ASCII takes SMTPUTF8");
    pub(super) const PARAMETER: Reply = Reply::fixed(555, "5.5.4 a parameter is not known here");
    pub(super) const PARAMETER_VALUE: Reply =
        Reply::fixed(501, "5.5.4 a parameter is malformed or given twice");
    pub(super) const TOO_LARGE: Reply = Reply::fixed(552, "5.3.4 the message is too large");
    pub(super) const NO_GREETING: Reply = Reply::fixed(503, "5.5.1 LHLO comes first");
    pub(super) const NO_SENDER: Reply = Reply::fixed(503, "5.5.1 MAIL comes first");
    pub(super) const NO_RECIPIENT: Reply = Reply::fixed(503, "5.5.1 no valid recipients");
    pub(super) const SECOND_SENDER: Reply = Reply::fixed(503, "5.5.1 the sender is told already");
    pub(super) const INSIDE_CHUNKS: Reply =
        Reply::fixed(503, "5.5.1 the message has begun: BDAT or RSET comes next");
    pub(super) const MANY_RECIPIENTS: Reply = Reply::fixed(452, "4.5.3 too many recipients in one message");
    pub(super) const BARE: Reply = Reply::fixed(550, "5.6.0 a CR or LF stands alone in the message");

    /// Its class and that of the enhanced code cannot disagree: the compiler looks.
    const fn fixed(code: u16, text: &'static str) -> Reply {
        assert!(
            matches!(text.as_bytes(), [class, b'.', ..] if code / 100 == *class as u16 - b'0' as u16),
            "another class"
        );
        Reply { code, text: Cow::Borrowed(text) }
    }

    /// The same as every hook tells it.
    pub(super) fn of(disposition: &Disposition) -> Reply {
        Reply { code: disposition.reply_code(), text: disposition.line().into() }
    }

    /// As a line with its end.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{} {}\r\n", self.code, self.text).as_bytes());
    }

    /// Did the client do what the protocol does not allow?
    pub(super) fn is_fault(&self) -> bool {
        self.text.starts_with("5.5.")
    }
}

/// Why a session is ended by this side, with 421 (RFC 5321 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// The client was silent for too long, or took too long.
    Idle,
    /// The daemon ends.
    Stopping,
    /// There are as many sessions as there may be.
    Crowded,
    /// Something failed in this session.
    Trouble,
    /// Too many commands that are none.
    Faults,
    /// What is said is HTTP: somebody made a browser or a server talk to this port.
    Web,
    /// BDAT without a length: nobody knows where its octets end.
    Lost,
}

impl Farewell {
    pub(super) fn reply(self) -> Reply {
        match self {
            Farewell::Idle => const { Reply::fixed(421, "4.4.2 this took too long") },
            Farewell::Stopping => const { Reply::fixed(421, "4.3.2 this server ends, try again") },
            Farewell::Crowded => const { Reply::fixed(421, "4.3.2 too many sessions, try again") },
            Farewell::Trouble => const { Reply::fixed(421, "4.3.0 internal error") },
            Farewell::Faults => const { Reply::fixed(421, "4.7.0 too many bad commands") },
            Farewell::Web => const { Reply::fixed(421, "4.7.0 this is no web server") },
            Farewell::Lost => const { Reply::fixed(421, "4.5.4 BDAT takes a number of octets, and LAST") },
        }
    }
}
