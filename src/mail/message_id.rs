//! Message identifiers (RFC 5322 3.6.4).

use super::Field;
use super::field::MAX_DECODED;

impl Field<'_> {
    /// The msg-ids of a Message-ID, In-Reply-To or References field with their angle brackets; comments around them and
    /// folds are left out. If there is none, the text as it stands, unless that is empty. Of a value of more than 256 KiB,
    /// those at its begin.
    pub fn message_ids(&self) -> Vec<String> {
        let value = self.value();
        let value = String::from_utf8_lossy(value.get(..MAX_DECODED).unwrap_or(value));
        let mut ids = Vec::new();
        let mut rest = value.chars();
        while let Some(character) = rest.next() {
            match character {
                '(' => skip_comment(&mut rest),
                '<' => ids.extend(take_id(&mut rest)),
                _ => {}
            }
        }
        if ids.is_empty() {
            ids.extend(Some(self.text()).filter(|text| !text.is_empty()));
        }
        ids
    }
}

/// Comments lie inside each other, and a backslash takes the next character out of that (RFC 5322 3.2.2).
fn skip_comment(rest: &mut std::str::Chars<'_>) {
    let mut depth = 1_usize;
    while depth > 0 {
        match rest.next() {
            None => return,
            Some('(') => depth += 1,
            Some(')') => depth -= 1,
            Some('\\') => _ = rest.next(),
            Some(_) => {}
        }
    }
}

/// What follows the `<`, up to a `>` outside of quotes. Parentheses are part of it: senders put them there and mean them,
/// though RFC 5322 4.5.4 would have them be comments. White space outside of quotes is none of it.
fn take_id(rest: &mut std::str::Chars<'_>) -> Option<String> {
    let mut id = String::from("<");
    let mut quoted = false;
    loop {
        match rest.next()? {
            '>' if !quoted => break,
            '\r' | '\n' => {}
            ' ' | '\t' if !quoted => {}
            '\\' if quoted => id.extend(['\\'].into_iter().chain(rest.next())),
            other => {
                quoted ^= other == '"';
                id.push(other);
            }
        }
    }
    id.push('>');
    Some(id)
}

#[cfg(test)]
mod tests {
    use crate::mail::Message;
    use proptest::prelude::*;

    fn ids(value: &str) -> Vec<String> {
        let mail = format!("Message-ID:{value}\n\n");
        Message::new(mail.as_bytes()).fields()[0].message_ids()
    }

    #[test]
    fn comments_and_folds_are_left_out() {
        assert_eq!(ids(" <a@b.example>"), ["<a@b.example>"]);
        assert_eq!(ids("\r\n <A@b.example>\r\n\t(of (the) <x@y> \\) host)"), ["<A@b.example>"]);
        assert_eq!(ids(" <a@\r\n b.example>"), ["<a@b.example>"]);
        assert_eq!(ids(" <\"a b>\\\"\"@[x>]>"), ["<\"a b>\\\"\"@[x>"]);
        assert_eq!(ids(" <(123)@b.example>"), ["<(123)@b.example>"]);
    }

    #[test]
    fn several() {
        assert_eq!(ids(" <a@b> (x) <c@d>junk<e@f>"), ["<a@b>", "<c@d>", "<e@f>"]);
    }

    #[test]
    fn what_is_none_is_shown_as_it_stands() {
        assert_eq!(ids(" a@b.example"), ["a@b.example"]);
        assert_eq!(ids(" <a@b.example"), ["<a@b.example"]);
        assert_eq!(ids(" (<a@b.example>"), ["(<a@b.example>"]);
        assert_eq!(ids(""), Vec::<String>::new());
        assert_eq!(ids(" <>"), ["<>"]);
    }

    proptest! {
        #[test]
        fn nothing_panics(value in "[<>()\\\\\" a@\u{e4}]{0,40}") {
            prop_assert!(ids(&value).iter().all(|id| !id.is_empty()));
        }
    }
}
