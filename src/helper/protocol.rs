//! What Sealpost and a filter say to each other: lines on the filter's standard input and output.
//!
//! Each question has a number, and each line of its answer begins with that number. A line ends with LF; a CR in front of
//! it is left out. Here `→` stands before what the filter reads and `←` before what it writes:
//!
//! ```text
//! → 1 INTF 1                              version 1 of this language; the first line of each process
//! ← 1 INTF 1
//! → 2 FROM <eve@east.example>             the return path; <> is the null sender; left out if the hook told none
//! → 2 TO <bob@north.example>              each recipient, as sent
//! → 2 TO <ada@north.example>
//! → 2 DATA 1234                           behind this line come 1234 octets: the message with what rules added to it
//! ← 2 ADDHEADER X-Spam-Score: 7.5         none or more: a field in front of the message
//! ← 2 OK
//! ```
//!
//! An answer ends with one of:
//!
//! | line | then |
//! |---|---|
//! | `2 OK` | the rules go on |
//! | `2 DISCARD` | as the action `Discard` |
//! | `2 REJECTED text` | as the action `Reject with`: 5.7.1 and the text |
//! | `2 FAILURE text` | nothing is stored and the sender tries again; the text, which may be missing, is for the log |
//!
//! A line that begins with `*` is a remark, and nobody reads it. Whatever else a filter says is wrong: it is ended, nothing
//! is stored, and the sender tries again. The same happens when it takes longer than `filter-timeout`. When its standard
//! input ends a filter is no longer needed; half a second later it is killed. One process is asked one question after
//! another; where messages come at the same time there may be several processes of it.

use crate::mail::{HeaderLine, HeaderLineError};
use crate::rules::{Answer, Envelope, rejection_text};

/// Bytes of a line, its end included.
pub const LONGEST_LINE: usize = 4096;
/// Fields that one answer may add.
pub const MOST_HEADERS: usize = 50;
/// Bytes of one answer with all its remarks.
pub const MOST_ANSWER: usize = 64 << 10;
/// The language.
const VERSION: &str = "1";

/// What is wrong with an answer. It never holds what was said: that may be words of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// Nobody knows whether it ever ends.
    #[error("a line is longer than {LONGEST_LINE} bytes")]
    LongLine,
    /// In all.
    #[error("it is longer than {MOST_ANSWER} bytes")]
    Long,
    /// Not UTF-8.
    #[error("a line is no text")]
    NoText,
    /// The filter is out of step, or prints what is no answer.
    #[error("a line begins neither with \"{0} \", the number of the question, nor with \"*\"")]
    Number(u64),
    /// A word that is not in the language, or that does not stand alone.
    #[error(
        "behind the number stands none of OK, FAILURE, REJECTED, DISCARD, ADDHEADER as they are to be written"
    )]
    Word,
    /// Not what `Add Header` would take.
    #[error("behind ADDHEADER: {0}")]
    Field(HeaderLineError),
    /// In one answer.
    #[error("it adds more than {MOST_HEADERS} header fields")]
    ManyFields,
    /// The first line of a process.
    #[error("the filter does not begin with \"1 INTF {VERSION}\"")]
    Interface,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It decided.
    Answer(Answer),
    /// It cannot tell: its reason, as it gives it.
    Failure(String),
}

/// The first line to a process.
pub fn greeting() -> String {
    format!("1 INTF {VERSION}\n")
}

/// The lines in front of a message of this many octets. Nothing if an address would not stay in its line.
pub fn question(number: u64, envelope: &Envelope, octets: usize) -> Option<String> {
    let mut addresses = envelope.sender.iter().chain(&envelope.recipients);
    if addresses.any(|address| address.chars().any(char::is_control)) {
        return None;
    }
    let from = envelope.sender.iter().map(|sender| format!("{number} FROM <{sender}>\n"));
    let to = envelope.recipients.iter().map(|recipient| format!("{number} TO <{recipient}>\n"));
    Some(from.chain(to).chain([format!("{number} DATA {octets}\n")]).collect())
}

/// Takes lines from what a filter wrote.
#[derive(Debug, Default)]
struct Lines {
    /// Bytes that were looked at and hold no line end.
    looked_at: usize,
    /// Bytes of all lines that were taken.
    taken: usize,
}

impl Lines {
    /// The next whole line without its end, taken off the front of the buffer.
    fn next(&mut self, buffer: &mut Vec<u8>) -> Result<Option<String>, AnswerFault> {
        let fresh = buffer.get(self.looked_at..).unwrap_or_default();
        let end = memchr::memchr(b'\n', fresh).map(|at| self.looked_at + at + 1);
        self.looked_at = if end.is_some() { 0 } else { buffer.len() };
        if end.unwrap_or(self.looked_at) > LONGEST_LINE {
            return Err(AnswerFault::LongLine);
        }
        let Some(end) = end else { return Ok(None) };
        self.taken += end;
        if self.taken > MOST_ANSWER {
            return Err(AnswerFault::Long);
        }
        let mut line: Vec<u8> = buffer.drain(..end).collect();
        line.pop();
        line.pop_if(|last| *last == b'\r');
        String::from_utf8(line).map(Some).map_err(|_| AnswerFault::NoText)
    }
}

/// Reads the answer to one question, in whatever pieces it comes.
#[derive(Debug)]
pub struct AnswerReader {
    number: u64,
    lines: Lines,
    headers: Vec<String>,
}

impl AnswerReader {
    /// For the question of this number.
    pub fn new(number: u64) -> AnswerReader {
        AnswerReader { number, lines: Lines::default(), headers: Vec::new() }
    }

    /// Takes whole lines off the front of `buffer`, up to the end of the answer; nothing as long as that is not there.
    pub fn take(&mut self, buffer: &mut Vec<u8>) -> Result<Option<Reply>, AnswerFault> {
        while let Some(line) = self.lines.next(buffer)? {
            if let Some(said) = numbered(&line, self.number)?
                && let Some(reply) = self.line(said)?
            {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    fn line(&mut self, said: &str) -> Result<Option<Reply>, AnswerFault> {
        let (word, text) = said.split_once(' ').unwrap_or((said, ""));
        match (word, text) {
            ("ADDHEADER", field) => self.header(field).map(|()| None),
            ("OK", "") if self.headers.is_empty() => Ok(Some(Reply::Answer(Answer::Accept))),
            ("OK", "") => Ok(Some(Reply::Answer(Answer::AddHeader(std::mem::take(&mut self.headers))))),
            ("DISCARD", "") => Ok(Some(Reply::Answer(Answer::Discard))),
            ("REJECTED", text) => {
                let text = rejection_text(text).unwrap_or_else(|| "the message is refused".to_owned());
                Ok(Some(Reply::Answer(Answer::Reject(text))))
            }
            ("FAILURE", text) => Ok(Some(Reply::Failure(text.to_owned()))),
            _ => Err(AnswerFault::Word),
        }
    }

    fn header(&mut self, field: &str) -> Result<(), AnswerFault> {
        HeaderLine::parse(field).map_err(AnswerFault::Field)?;
        if self.headers.len() == MOST_HEADERS {
            return Err(AnswerFault::ManyFields);
        }
        self.headers.push(field.to_owned());
        Ok(())
    }
}

/// Reads the answer to [`greeting`].
#[derive(Debug, Default)]
pub struct GreetingReader(Lines);

impl GreetingReader {
    /// Takes whole lines off the front of `buffer`, up to the greeting: is it there?
    pub fn take(&mut self, buffer: &mut Vec<u8>) -> Result<Option<()>, AnswerFault> {
        while let Some(line) = self.0.next(buffer)? {
            match numbered(&line, 1).map_err(|_| AnswerFault::Interface)? {
                None => {}
                Some(said) if said.strip_prefix("INTF ") == Some(VERSION) => return Ok(Some(())),
                Some(_) => return Err(AnswerFault::Interface),
            }
        }
        Ok(None)
    }
}

/// What stands behind the number; nothing for a remark.
fn numbered(line: &str, number: u64) -> Result<Option<&str>, AnswerFault> {
    if line.starts_with('*') {
        return Ok(None);
    }
    let rest = line.strip_prefix(&number.to_string()).and_then(|rest| rest.strip_prefix(' '));
    rest.map(Some).ok_or(AnswerFault::Number(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Source;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Option<Reply>, AnswerFault> {
        AnswerReader::new(2).take(&mut text.as_bytes().to_vec())
    }

    fn answer(text: &str) -> Answer {
        match read(text) {
            Ok(Some(Reply::Answer(answer))) => answer,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn each_answer_is_understood() {
        assert_eq!(answer("2 OK\n"), Answer::Accept);
        assert_eq!(answer("* hello\r\n*\n2 OK\r\n"), Answer::Accept);
        assert_eq!(answer("2 DISCARD\n"), Answer::Discard);
        assert_eq!(answer("2 REJECTED No spam, please.\n"), Answer::Reject("No spam, please.".into()));
        assert_eq!(answer("2 REJECTED 4.7.1 come again\n"), Answer::Reject("come again".into()));
        assert_eq!(answer("2 REJECTED\n"), Answer::Reject("the message is refused".into()));
        assert_eq!(answer(&format!("2 REJECTED {}\n", "x".repeat(4000))), Answer::Reject("x".repeat(480)));
        let headers = vec!["X-Spam: yes".to_owned(), "X-Score:\t7".to_owned()];
        assert_eq!(
            answer("2 ADDHEADER X-Spam: yes\n2 ADDHEADER X-Score:\t7\n2 OK\n"),
            Answer::AddHeader(headers)
        );
        assert_eq!(answer("2 ADDHEADER X-Spam: yes\n2 DISCARD\n"), Answer::Discard);
        assert_eq!(read("2 FAILURE\n"), Ok(Some(Reply::Failure(String::new()))));
        assert_eq!(read("2 FAILURE no disk\n"), Ok(Some(Reply::Failure("no disk".into()))));
    }

    #[test]
    fn what_is_not_in_the_language_is_a_fault() {
        for (text, fault) in [
            ("OK\n", AnswerFault::Number(2)),
            ("\n", AnswerFault::Number(2)),
            ("1 OK\n", AnswerFault::Number(2)),
            ("22 OK\n", AnswerFault::Number(2)),
            (" 2 OK\n", AnswerFault::Number(2)),
            ("2\tOK\n", AnswerFault::Number(2)),
            ("2 \n", AnswerFault::Word),
            ("2 ok\n", AnswerFault::Word),
            ("2 OK then\n", AnswerFault::Word),
            ("2 DISCARD it\n", AnswerFault::Word),
            ("2 INTF 1\n", AnswerFault::Word),
        ] {
            assert_eq!(read(text), Err(fault), "{text:?}");
        }
        assert_eq!(AnswerReader::new(2).take(&mut b"2 OK \xff\n".to_vec()), Err(AnswerFault::NoText));
    }

    #[test]
    fn a_filter_adds_what_a_rule_may_add_and_nothing_else() {
        for field in [
            "",
            "X-Spam",
            "X Spam: yes",
            ": yes",
            "X-Spam: a\rb",
            "X-Spam: a\0",
            "Content-Type: x/y",
            "Sealpost-Sealed: x",
        ] {
            let fault = HeaderLine::parse(field).unwrap_err();
            assert_eq!(read(&format!("2 ADDHEADER {field}\n")), Err(AnswerFault::Field(fault)), "{field:?}");
        }
        let told = read("2 ADDHEADER X-Spam\n").unwrap_err().to_string();
        assert_eq!(told, "behind ADDHEADER: this is no header line: there is no colon behind a field name");
        assert_eq!(
            answer("2 ADDHEADER X-Why: größe\n2 OK\n"),
            Answer::AddHeader(vec!["X-Why: größe".into()])
        );
    }

    #[test]
    fn an_answer_is_bounded() {
        assert_eq!(read("2 O"), Ok(None));
        assert_eq!(read(&"x".repeat(LONGEST_LINE)), Ok(None));
        assert_eq!(read(&"x".repeat(LONGEST_LINE + 1)), Err(AnswerFault::LongLine));
        assert_eq!(read(&format!("2 FAILURE {}\n", "x".repeat(LONGEST_LINE))), Err(AnswerFault::LongLine));
        assert_eq!(read(&"*\n".repeat(MOST_ANSWER / 2)), Ok(None));
        assert_eq!(read(&format!("{}2 OK\n", "*\n".repeat(MOST_ANSWER / 2))), Err(AnswerFault::Long));
        let many = |count: usize| format!("{}2 OK\n", "2 ADDHEADER X: y\n".repeat(count));
        assert!(read(&many(MOST_HEADERS)).is_ok());
        assert_eq!(read(&many(MOST_HEADERS + 1)), Err(AnswerFault::ManyFields));
    }

    #[test]
    fn what_follows_an_answer_stays_for_the_next() {
        let mut buffer = b"2 OK\n* idle\n3 DISCARD\n".to_vec();
        assert!(AnswerReader::new(2).take(&mut buffer).unwrap().is_some());
        assert_eq!(buffer, b"* idle\n3 DISCARD\n");
        assert_eq!(AnswerReader::new(3).take(&mut buffer), Ok(Some(Reply::Answer(Answer::Discard))));
        assert_eq!(buffer, b"");
    }

    #[test]
    fn a_filter_greets_with_the_version() {
        let greeted = |text: &str| GreetingReader::default().take(&mut text.as_bytes().to_vec());
        assert_eq!(greeting(), "1 INTF 1\n");
        assert_eq!(greeted("* v3\n1 INTF 1\r\n"), Ok(Some(())));
        assert_eq!(greeted("1 INTF"), Ok(None));
        for wrong in ["1 INTF 2\n", "1 OK\n", "2 INTF 1\n", "INTF 1\n", "1 INTF 11\n"] {
            assert_eq!(greeted(wrong), Err(AnswerFault::Interface), "{wrong}");
        }
    }

    fn envelope(sender: Option<&str>, recipients: &[&str]) -> Envelope {
        let recipients = recipients.iter().map(|text| (*text).to_owned()).collect();
        Envelope { sender: sender.map(str::to_owned), recipients, source: Source::Pipe, client: None }
    }

    #[test]
    fn a_question_names_the_envelope_in_its_own_lines() {
        let asked = question(7, &envelope(Some("e@x.example"), &["a@y.example", "b@y.example"]), 12);
        let expected = "7 FROM <e@x.example>\n7 TO <a@y.example>\n7 TO <b@y.example>\n7 DATA 12\n";
        assert_eq!(asked.as_deref(), Some(expected));
        assert_eq!(question(2, &envelope(Some(""), &[]), 0).as_deref(), Some("2 FROM <>\n2 DATA 0\n"));
        assert_eq!(question(2, &envelope(None, &[]), 0).as_deref(), Some("2 DATA 0\n"));
        assert_eq!(question(2, &envelope(Some("a\n2 DATA 0"), &[]), 0), None);
        assert_eq!(question(2, &envelope(None, &["a\r"]), 0), None);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            words in prop::collection::vec(
                prop::sample::select(vec!["2 ", "3 ", "OK", "\n", "*", "ADDHEADER ", "X: y", "REJECTED ", "\r", "ß", " "]), 0..20),
            cut in 0_usize..100,
        ) {
            let text: Vec<u8> = words.concat().into_bytes();
            let whole = AnswerReader::new(2).take(&mut text.clone());
            let (first, rest) = text.split_at(cut.min(text.len()));
            let (mut reader, mut buffer) = (AnswerReader::new(2), first.to_vec());
            let mut pieces = reader.take(&mut buffer);
            if pieces == Ok(None) {
                buffer.extend_from_slice(rest);
                pieces = reader.take(&mut buffer);
            }
            prop_assert_eq!(pieces, whole);
        }
    }
}
