//! Replies of SMTP and LMTP servers (RFC 5321 4.2), read as foreign bytes.

/// RFC 5321 4.5.3.1.5 allows 512 octets.
const LONGEST_LINE: usize = 2048;
/// Replies to EHLO have a line for each extension.
const MOST_LINES: usize = 128;
/// Of what a server says in an error.
const LONGEST_TEXT: usize = 200;

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits, the first of them 2 to 5.
    pub code: u16,
    /// The lines without code and line end.
    pub lines: Vec<String>,
}

/// What is no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// A line without an end.
    #[error("a reply line is longer than {LONGEST_LINE} octets")]
    LongLine,
    /// Lines without an end.
    #[error("a reply has more than {MOST_LINES} lines")]
    ManyLines,
    /// Another grammar.
    #[error("what was said is no reply of SMTP")]
    Grammar,
}

/// Makes replies of octets as they come. Holds one line and the lines of one reply.
#[derive(Debug, Default)]
pub struct ReplyReader {
    line: Vec<u8>,
    code: Option<u16>,
    lines: Vec<String>,
}

impl ReplyReader {
    /// Takes octets up to the end of a reply: how many it took, and the reply if it is whole. After an error it is of no use.
    pub fn take(&mut self, octets: &[u8]) -> Result<(usize, Option<Reply>), ReplyError> {
        let mut taken = 0;
        while let Some(rest) = octets.get(taken..).filter(|rest| !rest.is_empty()) {
            let (piece, is_whole) = match memchr::memchr(b'\n', rest) {
                Some(end) => (rest.get(..end).unwrap_or_default(), true),
                None => (rest, false),
            };
            if self.line.len() + piece.len() > LONGEST_LINE {
                return Err(ReplyError::LongLine);
            }
            self.line.extend_from_slice(piece);
            taken += piece.len() + usize::from(is_whole);
            if is_whole && let Some(reply) = self.end_line()? {
                return Ok((taken, Some(reply)));
            }
        }
        Ok((taken, None))
    }

    /// Nothing was begun: the next octet starts a reply.
    pub fn is_empty(&self) -> bool {
        self.line.is_empty() && self.code.is_none()
    }

    fn end_line(&mut self) -> Result<Option<Reply>, ReplyError> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let (digits, rest) = line.split_at_checked(3).ok_or(ReplyError::Grammar)?;
        let code = read_code(digits).ok_or(ReplyError::Grammar)?;
        if self.code.replace(code).is_some_and(|first| first != code) {
            return Err(ReplyError::Grammar);
        }
        let (mark, text) = rest.split_first().map_or((b' ', &[][..]), |(mark, text)| (*mark, text));
        if self.lines.len() == MOST_LINES {
            return Err(ReplyError::ManyLines);
        }
        self.lines.push(String::from_utf8_lossy(text).into_owned());
        match mark {
            b'-' => Ok(None),
            b' ' => {
                self.code = None;
                Ok(Some(Reply { code, lines: std::mem::take(&mut self.lines) }))
            }
            _ => Err(ReplyError::Grammar),
        }
    }
}

fn read_code(digits: &[u8]) -> Option<u16> {
    match digits {
        [first @ b'2'..=b'5', second @ b'0'..=b'9', third @ b'0'..=b'9'] => {
            let digit = |octet: &u8| u16::from(octet - b'0');
            Some(digit(first) * 100 + digit(second) * 10 + digit(third))
        }
        _ => None,
    }
}

impl Reply {
    /// 2xx
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 5xx
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// Code and enhanced code (RFC 3463), and none of the server's words: it may quote what it was told.
    pub fn codes(&self) -> String {
        match self.lines.first().and_then(|line| enhanced(line)) {
            Some(status) => format!("{} {status}", self.code),
            None => self.code.to_string(),
        }
    }

    /// Code and words, as far as they can be shown.
    pub fn words(&self) -> String {
        let text = self.lines.join(" ");
        let shown = text.chars().map(|char| if char == ' ' || char.is_ascii_graphic() { char } else { '?' });
        format!("{} {}", self.code, shown.take(LONGEST_TEXT).collect::<String>()).trim_end().to_owned()
    }
}

/// `D.S.N` at the start of a text.
fn enhanced(text: &str) -> Option<&str> {
    let status = text.split(' ').next()?;
    let mut parts = status.split('.');
    let class = parts.next()?;
    let details = [parts.next()?, parts.next()?];
    let is_detail =
        |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = matches!(class, "2" | "4" | "5") && details.iter().all(is_detail) && parts.next().is_none();
    fits.then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<(usize, Option<Reply>), ReplyError> {
        ReplyReader::default().take(text.as_bytes())
    }

    fn reply(text: &str) -> Reply {
        read(text).unwrap().1.unwrap()
    }

    #[test]
    fn one_line_and_several() {
        assert_eq!(reply("250 ok\r\n"), Reply { code: 250, lines: vec!["ok".into()] });
        assert_eq!(reply("250\r\n"), Reply { code: 250, lines: vec![String::new()] });
        assert_eq!(reply("250 ok\n").lines, ["ok"]);
        let hello = reply("250-north.example\r\n250-SIZE 100\r\n250 8BITMIME\r\n");
        assert_eq!(hello.lines, ["north.example", "SIZE 100", "8BITMIME"]);
        assert_eq!(read("250-a\r\n250 b\r\n354 c\r\n").unwrap().0, 14);
        assert_eq!(read("250-a\r\n250").unwrap(), (10, None));
    }

    #[test]
    fn what_is_no_reply() {
        for text in
            ["25\r\n", "\r\n", "hello world\r\n", "150 x\r\n", "650 x\r\n", "260x\r\n", "250-a\r\n251 b\r\n"]
        {
            assert_eq!(read(text), Err(ReplyError::Grammar), "{text:?}");
        }
        assert_eq!(read(&"2".repeat(LONGEST_LINE + 1)), Err(ReplyError::LongLine));
        assert_eq!(read(&"250-a\r\n".repeat(MOST_LINES + 1)), Err(ReplyError::ManyLines));
    }

    #[test]
    fn words_are_shown_without_what_a_terminal_obeys() {
        let said = reply("550-5.1.1 no \x1b[31msuch\r\n550 5.1.1 user\u{e9}\r\n");
        assert_eq!(said.words(), "550 5.1.1 no ?[31msuch 5.1.1 user?");
        assert_eq!(said.codes(), "550 5.1.1");
        assert_eq!(reply("554 spam: xyzzy\r\n").codes(), "554");
        assert_eq!(reply("554 5.7.1.2 xyzzy\r\n").codes(), "554");
        assert_eq!(reply(&format!("550 {}\r\n", "x".repeat(1000))).words().len(), 204);
    }

    proptest! {
        /// However it is cut into pieces, and whatever it is.
        #[test]
        fn pieces_read_like_the_whole(octets in "(2[0-9]{2}[- ][a-z]{0,9}\r?\n|[\\x00-\\xff]{0,9}){0,9}", cut in 0_usize..90) {
            let octets = octets.as_bytes();
            let cut = cut.min(octets.len());
            let whole = ReplyReader::default().take(octets);
            let mut reader = ReplyReader::default();
            let pieces = match reader.take(&octets[..cut]) {
                Ok((taken, None)) => reader.take(&octets[cut..]).map(|(more, reply)| (taken + more, reply)),
                ended => ended,
            };
            prop_assert_eq!(whole, pieces);
        }

        #[test]
        fn what_was_written_is_read(code in 200_u16..600, lines in prop::collection::vec("[ -~]{0,50}", 1..9)) {
            let last = lines.len() - 1;
            let text: String = lines.iter().enumerate()
                .map(|(at, line)| format!("{code}{}{line}\r\n", if at == last { ' ' } else { '-' })).collect();
            prop_assert_eq!(reply(&text), Reply { code, lines });
        }
    }
}
