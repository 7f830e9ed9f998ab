//! What a server says that it can, in its reply to EHLO or LHLO (RFC 5321 4.1.1.1).

use super::reply::Reply;

/// The extensions that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    /// RFC 3207
    pub(super) starttls: bool,
    /// RFC 6152
    pub(super) eight_bit: bool,
    /// RFC 6531
    pub(super) utf8: bool,
    /// RFC 1870; with the most octets, if there is a limit.
    pub(super) size: Option<u64>,
    /// RFC 4954
    pub(super) plain: bool,
    /// An old one that many servers have.
    pub(super) login: bool,
}

impl Extensions {
    /// The first line is the greeting.
    pub(super) fn read(reply: &Reply) -> Extensions {
        let mut found = Extensions::default();
        for line in reply.lines.iter().skip(1) {
            // `AUTH=` is how servers said it before RFC 2554.
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => found.starttls = true,
                Some("8BITMIME") => found.eight_bit = true,
                Some("SMTPUTF8") => found.utf8 = true,
                Some("SIZE") => found.size = words.next().map_or(Some(0), |most| most.parse().ok()),
                Some("AUTH") => words.for_each(|word| match word {
                    "PLAIN" => found.plain = true,
                    "LOGIN" => found.login = true,
                    _ => {}
                }),
                _ => {}
            }
        }
        found
    }

    /// Does a limit keep so many octets out?
    pub(super) fn is_too_small_for(&self, octets: usize) -> Option<u64> {
        self.size.filter(|most| *most > 0 && u64::try_from(octets).is_ok_and(|octets| octets > *most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_read_whatever_their_case() {
        let lines = "north.example STARTTLS|size 1000|8bitMIME|auth login PLAIN xoauth2|SMTPUTF8|XYZZY 1";
        let reply = Reply { code: 250, lines: lines.split('|').map(str::to_owned).collect() };
        let found = Extensions::read(&reply);
        let wanted = Extensions {
            starttls: false,
            eight_bit: true,
            utf8: true,
            size: Some(1000),
            plain: true,
            login: true,
        };
        assert_eq!(found, wanted);
        assert_eq!((found.is_too_small_for(1000), found.is_too_small_for(1001)), (None, Some(1000)));
        let none = Reply { code: 250, lines: vec!["n".into(), "SIZE".into(), "AUTH=LOGIN".into()] };
        assert_eq!(
            Extensions::read(&none),
            Extensions { size: Some(0), login: true, ..Extensions::default() }
        );
        assert_eq!(Extensions::read(&none).is_too_small_for(usize::MAX), None);
    }
}
