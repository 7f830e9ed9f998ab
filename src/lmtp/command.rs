//! The commands of LMTP (RFC 2033 4, RFC 5321 4.1.1, RFC 3030).

use super::path;
use super::reply::Reply;

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    Lhlo,
    Mail(Sender),
    /// What stands between the brackets.
    Rcpt(String),
    Data,
    Bdat {
        octets: u64,
        is_last: bool,
    },
    /// BDAT of which nobody knows how many octets follow.
    LostBdat,
    Rset,
    Noop,
    Vrfy,
    Help,
    Quit,
    /// The begin of a request of HTTP.
    Http,
}

/// The argument of MAIL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sender {
    /// What stands between the brackets; empty: the null sender.
    pub(super) path: String,
    /// RFC 1870: octets that the client expects to send.
    pub(super) size: Option<u64>,
    /// RFC 6531: addresses may go beyond ASCII.
    pub(super) is_utf8: bool,
}

/// Methods of HTTP (RFC 9110 9).
const METHODS: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

impl Command {
    /// Reads a line without its end.
    pub(super) fn read(line: &str) -> Result<Command, Reply> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim_start_matches(' ');
        let alone = |command| if argument.is_empty() { Ok(command) } else { Err(Reply::ARGUMENT) };
        match verb.to_ascii_uppercase().as_str() {
            "LHLO" if argument.is_empty() => Err(Reply::NO_NAME),
            "LHLO" => Ok(Command::Lhlo),
            "MAIL" => Sender::read(argument).map(Command::Mail),
            "RCPT" => recipient(argument).map(Command::Rcpt),
            "DATA" => alone(Command::Data),
            "BDAT" => Ok(chunk(argument)),
            "RSET" => alone(Command::Rset),
            "NOOP" => Ok(Command::Noop),
            "VRFY" if argument.is_empty() => Err(Reply::NO_ARGUMENT),
            "VRFY" => Ok(Command::Vrfy),
            "HELP" => Ok(Command::Help),
            "QUIT" => alone(Command::Quit),
            "EHLO" | "HELO" => Err(Reply::NOT_SMTP),
            "AUTH" | "STARTTLS" | "EXPN" | "ETRN" | "TURN" => Err(Reply::NOT_HERE),
            word if METHODS.contains(&word) => Ok(Command::Http),
            _ => Err(Reply::UNKNOWN),
        }
    }
}

/// A keyword and its colon, whatever the case.
fn behind<'a>(keyword: &str, argument: &'a str) -> Option<&'a str> {
    let (word, rest) = argument.split_at_checked(keyword.len())?;
    word.eq_ignore_ascii_case(keyword).then_some(rest)
}

impl Sender {
    fn read(argument: &str) -> Result<Sender, Reply> {
        let rest = behind("FROM:", argument).ok_or(Reply::MAIL_SYNTAX)?;
        let (path, parameters) = path::read(rest).ok_or(Reply::SENDER_SYNTAX)?;
        let mut sender = Sender { path: path.to_owned(), size: None, is_utf8: false };
        let mut has_body = false;
        for parameter in parameters.split(' ').filter(|parameter| !parameter.is_empty()) {
            sender.take(parameter, &mut has_body)?;
        }
        if sender.path.is_ascii() || sender.is_utf8 { Ok(sender) } else { Err(Reply::NOT_ASCII) }
    }

    fn take(&mut self, parameter: &str, has_body: &mut bool) -> Result<(), Reply> {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        };
        let is_again = match (name.to_ascii_uppercase().as_str(), value) {
            ("SIZE", Some(value)) => {
                let size = number(value).ok_or(Reply::PARAMETER_VALUE)?;
                self.size.replace(size).is_some()
            }
            ("BODY", Some(value)) if is_body(value) => std::mem::replace(has_body, true),
            ("SMTPUTF8", None) => std::mem::replace(&mut self.is_utf8, true),
            ("SIZE" | "SMTPUTF8", _) => return Err(Reply::PARAMETER_VALUE),
            _ => return Err(Reply::PARAMETER),
        };
        if is_again { Err(Reply::PARAMETER_VALUE) } else { Ok(()) }
    }
}

/// RFC 6152; BINARYMIME of RFC 3030 is not offered.
fn is_body(value: &str) -> bool {
    ["7BIT", "8BITMIME"].iter().any(|known| value.eq_ignore_ascii_case(known))
}

fn recipient(argument: &str) -> Result<String, Reply> {
    let rest = behind("TO:", argument).ok_or(Reply::RCPT_SYNTAX)?;
    let (path, parameters) = path::read(rest).ok_or(Reply::RECIPIENT_SYNTAX)?;
    if parameters.trim_start_matches(' ').is_empty() { Ok(path.to_owned()) } else { Err(Reply::PARAMETER) }
}

/// `BDAT 4711` or `BDAT 4711 LAST`.
fn chunk(argument: &str) -> Command {
    let mut words = argument.split(' ').filter(|word| !word.is_empty());
    let octets = words.next().and_then(number);
    let is_last = words.next().map(|word| word.eq_ignore_ascii_case("LAST"));
    match (octets, is_last, words.next()) {
        (Some(octets), None | Some(true), None) => Command::Bdat { octets, is_last: is_last.is_some() },
        _ => Command::LostBdat,
    }
}

/// Digits and nothing else, at most twenty (RFC 1870 6). What is beyond all numbers is as large as a number can be.
fn number(text: &str) -> Option<u64> {
    let is_number = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}
