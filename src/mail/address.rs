//! Addresses as accounts have them.

use std::fmt;
use std::hash::{Hash, Hasher};

/// Longest address in octets: RFC 5321 4.5.3.1.3 gives a path 256, of which the angle brackets take two.
const MAX_ADDRESS: usize = 254;
/// Longest label of a domain name in octets (RFC 1035 2.3.4).
const MAX_LABEL: usize = 63;

/// An addr-spec (RFC 5322 3.4.1). The local part keeps its spelling, but for quotes that it does not need; the
/// domain is lower-case A-labels (IDNA). Equality and hash fold ASCII case in the local part.
#[derive(Debug, Clone)]
pub struct Address {
    local: String,
    domain: String,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no mail address: {reason}")]
pub struct AddressError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Address {
    /// Reads `local@domain`; a quoted local part is allowed, angle brackets are not.
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        split(text).map_err(|reason| AddressError { text: text.into(), reason })
    }
    /// The local part, quoted where it must be.
    pub fn local(&self) -> &str {
        &self.local
    }
    /// The domain, lower-case A-labels.
    pub fn domain(&self) -> &str {
        &self.domain
    }
    /// The same address with the ASCII letters of its local part in lower case: the key for look-ups.
    pub fn folded(&self) -> String {
        format!("{}@{}", self.local.to_ascii_lowercase(), self.domain)
    }
    /// `bob@d` for `bob+detail@d`; nothing if there is no detail, nothing before it, or the local part is quoted.
    pub fn without_detail(&self, delimiter: char) -> Option<Address> {
        let (user, _) = self.local.split_once(delimiter)?;
        let bare = check_dot_atom(user).is_ok();
        bare.then(|| Address { local: user.into(), domain: self.domain.clone() })
    }
}

fn split(text: &str) -> Result<Address, &'static str> {
    let (local, domain) = text.rsplit_once('@').ok_or("it has no @")?;
    let address = Address { local: parse_local(local)?, domain: parse_domain(domain)? };
    if address.local.len() + 1 + address.domain.len() > MAX_ADDRESS {
        return Err("it is longer than 254 octets");
    }
    Ok(address)
}

/// Reads a local part; quotes stay only where the text needs them.
pub(super) fn parse_local(text: &str) -> Result<String, &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        check_dot_atom(text)?;
        return Ok(text.into());
    };
    let content = unquote(quoted)?;
    if check_dot_atom(&content).is_ok() { Ok(content) } else { Ok(quote(&content)) }
}

fn check_dot_atom(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("nothing stands before the @");
    }
    if text.split('.').any(str::is_empty) {
        return Err("a dot stands at the start, at the end or beside another one");
    }
    let allowed = text.chars().all(|c| c == '.' || is_atext(c));
    if allowed { Ok(()) } else { Err("the part before the @ has a character that needs quotes") }
}

/// RFC 5322 3.2.3, and RFC 6532 3.2 for what is not ASCII.
fn is_atext(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || (!c.is_ascii() && !c.is_control())
}

/// What stands between the quotes; the opening one is gone already.
fn unquote(rest: &str) -> Result<String, &'static str> {
    let mut content = String::with_capacity(rest.len());
    let mut chars = rest.chars();
    loop {
        let c = match chars.next() {
            Some('"') => break,
            Some('\\') => chars.next(),
            other => other,
        };
        match c {
            Some(c) if c.is_control() => return Err("it has a control character"),
            Some(c) => content.push(c),
            None => return Err("a quote is not closed"),
        }
    }
    if chars.as_str().is_empty() { Ok(content) } else { Err("text follows the closing quote") }
}

fn quote(content: &str) -> String {
    let mut quoted = String::with_capacity(content.len() + 2);
    quoted.push('"');
    for c in content.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// The domain as lower-case A-labels. Address literals (`[192.0.2.1]`) name no domain and are refused.
fn parse_domain(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("nothing stands after the @");
    }
    if text.starts_with('[') {
        return Err("an address literal is no domain name");
    }
    let domain = idna::domain_to_ascii(text).map_err(|_| "the domain is no domain name")?;
    let labels = domain.split('.').all(is_label);
    if labels { Ok(domain) } else { Err("the domain is no domain name") }
}

fn is_label(label: &str) -> bool {
    let octets = label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    octets && (1..=MAX_LABEL).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}@{}", self.local, self.domain)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.domain == other.domain && self.local.eq_ignore_ascii_case(&other.local)
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        Address::parse(text).unwrap().to_string()
    }

    fn reason(text: &str) -> &'static str {
        Address::parse(text).unwrap_err().reason
    }

    #[test]
    fn keeps_the_local_part_and_lowers_the_domain() {
        assert_eq!(shown("Bob.Smith@North.Example"), "Bob.Smith@north.example");
        assert_eq!(shown("jürgen@Bücher.example"), "jürgen@xn--bcher-kva.example");
        assert_eq!(shown("_x@under_score.example"), "_x@under_score.example");
    }

    #[test]
    fn quotes_stay_where_they_are_needed() {
        assert_eq!(shown("\"bob\"@a.example"), "bob@a.example");
        assert_eq!(shown("\"b o\\b\"@a.example"), "\"b ob\"@a.example");
        assert_eq!(shown("\"a@b\\\"\\\\\"@a.example"), "\"a@b\\\"\\\\\"@a.example");
        assert_eq!(shown("\"\"@a.example"), "\"\"@a.example");
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(reason("bob"), "it has no @");
        assert_eq!(reason("@a.example"), "nothing stands before the @");
        assert_eq!(reason("bob@"), "nothing stands after the @");
        assert_eq!(reason("a..b@a.example"), "a dot stands at the start, at the end or beside another one");
        assert_eq!(reason("<bob@a.example>"), "the part before the @ has a character that needs quotes");
        assert_eq!(reason("bob@[192.0.2.1]"), "an address literal is no domain name");
        assert_eq!(reason("bob@a..example"), "the domain is no domain name");
        assert_eq!(reason("bob@a.example."), "the domain is no domain name");
        assert_eq!(reason("bob@-a.example"), "the domain is no domain name");
        assert_eq!(reason("\"bob@a.example"), "a quote is not closed");
        assert_eq!(reason("\"b\"ob@a.example"), "text follows the closing quote");
        assert_eq!(reason("\"b\0\"@a.example"), "it has a control character");
        assert_eq!(reason(&format!("{}@a.example", "x".repeat(250))), "it is longer than 254 octets");
        let text = Address::parse("bob").unwrap_err().to_string();
        assert_eq!(text, "\"bob\" is no mail address: it has no @");
    }

    #[test]
    fn folds_and_drops_the_detail() {
        let bob = Address::parse("Bob+Lists+x@a.example").unwrap();
        assert_eq!(bob.folded(), "bob+lists+x@a.example");
        assert_eq!(bob.without_detail('+').unwrap().to_string(), "Bob@a.example");
        assert!(bob.without_detail('-').is_none());
        assert!(Address::parse("+x@a.example").unwrap().without_detail('+').is_none());
        assert!(Address::parse("\"a b+x\"@a.example").unwrap().without_detail('+').is_none());
        assert_eq!(bob, Address::parse("bob+LISTS+x@A.example").unwrap());
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back_the_same(text in "\\PC{0,30}@[a-z.]{1,20}") {
            if let Ok(address) = Address::parse(&text) {
                let again = Address::parse(&address.to_string()).unwrap();
                prop_assert_eq!(again.to_string(), address.to_string());
            }
        }
    }
}
