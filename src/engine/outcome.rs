//! One disposition; reply code, enhanced code and exit code are computed from it.

use super::{CopyReport, EngineError, Fired};

/// The longest text that a peer gets: with codes it fits a reply line (512 octets, RFC 5321 4.5.3.1.5) several times.
const LONGEST_TEXT: usize = 200;

/// What the hook is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Synced and visible.
    Delivered,
    /// Any doubt.
    Retry {
        /// X.S.N without the class: subject and detail (RFC 3463).
        detail: (u16, u16),
        /// Fixed text for the peer; nothing of the message.
        text: String,
    },
    /// Will not get better.
    Reject {
        /// X.S.N without the class.
        detail: (u16, u16),
        /// Text for the peer.
        text: String,
        /// The exit code's kind: 67 unknown user, 65 content.
        unknown_user: bool,
    },
}

impl Disposition {
    /// A doubt of the host (configuration, usage, a panic, the deadline): "other or undefined mail system status".
    pub fn doubt(text: &str) -> Disposition {
        Disposition::Retry { detail: (3, 0), text: text.into() }
    }

    /// What pipe(8) is told: 0 stored, 75 try again, 67 no such user, 65 refused (sysexits).
    pub fn exit_code(&self) -> u8 {
        match self {
            Disposition::Delivered => 0,
            Disposition::Retry { .. } => 75,
            Disposition::Reject { unknown_user: true, .. } => 67,
            Disposition::Reject { unknown_user: false, .. } => 65,
        }
    }

    /// What an LMTP client is told (RFC 5321 4.2.3).
    pub fn reply_code(&self) -> u16 {
        match self {
            Disposition::Delivered => 250,
            Disposition::Retry { detail: (2, 2) | (3, 1) | (5, 3), .. } => 452,
            Disposition::Retry { .. } => 451,
            Disposition::Reject { detail: (2, 2) | (3, 4), .. } => 552,
            Disposition::Reject { .. } => 550,
        }
    }

    /// The enhanced status code (RFC 3463).
    pub fn enhanced_code(&self) -> String {
        match self {
            Disposition::Delivered => "2.0.0".into(),
            Disposition::Retry { detail: (subject, detail), .. } => format!("4.{subject}.{detail}"),
            Disposition::Reject { detail: (subject, detail), .. } => format!("5.{subject}.{detail}"),
        }
    }

    /// The one line that the hook prints: `D.S.N text`. Our code stands first, so that none in the text can override it.
    pub fn line(&self) -> String {
        let text = match self {
            Disposition::Delivered => "stored",
            Disposition::Retry { text, .. } | Disposition::Reject { text, .. } => text,
        };
        format!("{} {}", self.enhanced_code(), peer_text(text))
    }
}

/// Printable ASCII in one line, bounded, and no status code in front.
fn peer_text(text: &str) -> String {
    let printable = |char: char| match char {
        ' '..='~' => char,
        char if char.is_control() || char.is_whitespace() => ' ',
        _ => '?',
    };
    let line: String = text.chars().map(printable).collect();
    let words = line.split_ascii_whitespace().skip_while(|word| is_status(word));
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST_TEXT).collect()
}

/// `550` or `4.7.1`.
fn is_status(word: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = word.split(['.', '-']);
    word.starts_with(['2', '4', '5']) && parts.clone().count() <= 3 && parts.all(is_number)
}

/// All that a delivery has to say: the disposition for the peer, the rest for the log.
#[derive(Debug)]
pub struct Outcome {
    /// What the hook is told.
    pub disposition: Disposition,
    /// The whole chain of errors, if something failed.
    pub cause: Option<String>,
    /// The rules that fired, in their order.
    pub fired: Vec<Fired>,
    /// The copies that were stored; none unless delivered.
    pub copies: Vec<CopyReport>,
    /// The filters that were asked, the commands that ran and the mails that were sent, each by its action's name; none unless
    /// delivered.
    pub done: Vec<Fired>,
    /// What went wrong without consequences.
    pub warnings: Vec<String>,
    /// It failed before anything was stored, and some of several recipients might fare better by themselves.
    pub is_divisible: bool,
}

impl Outcome {
    /// Each `Discard` by which an account, or with the server's all of them, got no copy of the message.
    pub fn discards(&self) -> impl Iterator<Item = &Fired> {
        let stores = |other: &Fired| other.action.starts_with("Store ");
        let stored = move |account: &Option<String>| {
            self.fired.iter().any(|other| other.account == *account && stores(other))
        };
        self.fired.iter().filter(move |fired| fired.action == "Discard" && !stored(&fired.account))
    }

    pub(super) fn failed(error: &EngineError, fired: Vec<Fired>) -> Outcome {
        let cause = match error.hint() {
            None => chain(error),
            Some(hint) => format!("{}: {hint}", chain(error)),
        };
        Outcome {
            disposition: error.disposition(),
            cause: Some(cause),
            fired,
            copies: Vec::new(),
            done: Vec::new(),
            warnings: Vec::new(),
            is_divisible: error.is_divisible(),
        }
    }

    /// Nobody knows what became of it: whoever had it in hand is gone. Some of it may be stored.
    pub(super) fn lost() -> Outcome {
        Outcome {
            disposition: Disposition::doubt("internal error"),
            cause: Some("internal error while it was delivered".to_owned()),
            fired: Vec::new(),
            copies: Vec::new(),
            done: Vec::new(),
            warnings: Vec::new(),
            is_divisible: false,
        }
    }
}

/// The error and all its sources. A source that the error already quotes is not said twice.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reject(text: &str) -> Disposition {
        Disposition::Reject { detail: (7, 1), text: text.into(), unknown_user: false }
    }

    #[test]
    fn every_code_comes_from_the_disposition() {
        let full = Disposition::Retry { detail: (2, 2), text: "full".into() };
        let user =
            Disposition::Reject { detail: (1, 1), text: "no such user here".into(), unknown_user: true };
        let large = Disposition::Reject { detail: (3, 4), text: "too big".into(), unknown_user: false };
        let row = |given: &Disposition| (given.exit_code(), given.reply_code(), given.line());
        assert_eq!(row(&Disposition::Delivered), (0, 250, "2.0.0 stored".into()));
        assert_eq!(row(&full), (75, 452, "4.2.2 full".into()));
        assert_eq!(row(&Disposition::doubt("later")), (75, 451, "4.3.0 later".into()));
        assert_eq!(row(&user), (67, 550, "5.1.1 no such user here".into()));
        assert_eq!(row(&large), (65, 552, "5.3.4 too big".into()));
    }

    #[test]
    fn a_rules_text_overrides_nothing() {
        assert_eq!(reject("4.7.1 x").line(), "5.7.1 x");
        assert_eq!(reject("451 4.7.1 try\r\n250 later").line(), "5.7.1 try 250 later");
        assert_eq!(reject("2 apples").line(), "5.7.1 apples");
        assert_eq!(reject("Zu groß\u{0}\u{85}").line(), "5.7.1 Zu gro?");
        assert_eq!(reject(&"x".repeat(5000)).line().len(), 6 + LONGEST_TEXT);
    }

    proptest! {
        #[test]
        fn the_line_is_one_line_with_our_code(text in any::<String>()) {
            let line = reject(&text).line();
            prop_assert!(line.starts_with("5.7.1 "));
            prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert!(line.len() <= 6 + LONGEST_TEXT);
        }
    }
}
