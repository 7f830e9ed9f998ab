//! Names of mailboxes.

use super::Address;
use super::address::parse_local;
use encodify::utf7;
use std::fmt;

/// Longest folder name in octets: what a file name holds, less the dot that Maildir++ puts in front.
const MAX_FOLDER: usize = 254;

/// A mailbox inside one account: levels joined by `/`, at least one; `INBOX` in any case is the inbox. A name that a
/// Maildir++ folder cannot carry (empty level, a dot, leading `~`, control characters, too long) is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailboxName(String);

/// A mailbox as rules name it: `Box` of the acting account, or `~owner[@domain]/Box`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MailboxRef {
    /// The owner's local part or full address; absent: the acting account.
    pub owner: Option<Owner>,
    /// The mailbox.
    pub name: MailboxName,
}

/// The owner in a [`MailboxRef`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// `~account`: in the acting account's domain (server scope: the recipient's domain).
    Local(String),
    /// `~account@domain`.
    Full(Address),
}

/// Why a text is no mailbox name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is no mailbox name: {reason}")]
pub struct MailboxNameError {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl MailboxName {
    /// The inbox.
    pub fn inbox() -> MailboxName {
        MailboxName("INBOX".into())
    }
    /// Reads `Box/Sub`; `inbox` in any case, alone or as the first level, becomes `INBOX`.
    pub fn parse(text: &str) -> Result<MailboxName, MailboxNameError> {
        read_name(text).map_err(|reason| MailboxNameError { text: text.into(), reason })
    }
    /// Is it the inbox?
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }
    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn read_name(text: &str) -> Result<MailboxName, &'static str> {
    check_name(text)?;
    Ok(match text.split_once('/') {
        None if text.eq_ignore_ascii_case("INBOX") => MailboxName::inbox(),
        Some((first, rest)) if first.eq_ignore_ascii_case("INBOX") => MailboxName(format!("INBOX/{rest}")),
        _ => MailboxName(text.into()),
    })
}

fn check_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.starts_with('~') {
        return Err("a name does not begin with ~");
    }
    if text.split('/').any(str::is_empty) {
        return Err("a level is empty");
    }
    if text.chars().any(char::is_control) {
        return Err("it has a control character");
    }
    // `A.B` and `A/B` would be one Maildir++ folder under two names.
    if text.contains('.') {
        return Err("it has a dot, which separates the levels of a Maildir++ folder; use / for levels");
    }
    // A backslash is written `\5c` there.
    if utf7::IMAP.encoded_len(text) + 2 * text.matches('\\').count() > MAX_FOLDER {
        return Err("it is longer than the name of a folder can be");
    }
    Ok(())
}

impl MailboxRef {
    /// Reads `Box/Sub`, `~owner/Box` or `~owner@domain/Box`.
    pub fn parse(text: &str) -> Result<MailboxRef, MailboxNameError> {
        read_ref(text).map_err(|reason| MailboxNameError { text: text.into(), reason })
    }
}

fn read_ref(text: &str) -> Result<MailboxRef, &'static str> {
    let Some(foreign) = text.strip_prefix('~') else {
        return Ok(MailboxRef { owner: None, name: read_name(text)? });
    };
    let (owner, name) = foreign.split_once('/').ok_or("a / and a mailbox must follow the owner")?;
    Ok(MailboxRef { owner: Some(read_owner(owner)?), name: read_name(name)? })
}

fn read_owner(text: &str) -> Result<Owner, &'static str> {
    if text.is_empty() {
        return Err("the owner's name must follow the ~");
    }
    if text.contains('@') {
        return Address::parse(text).map(Owner::Full).map_err(|_| "its owner is no mail address");
    }
    parse_local(text).map(Owner::Local).map_err(|_| "its owner is no account name")
}

impl fmt::Display for MailboxName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for MailboxRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            None => write!(out, "{}", self.name),
            Some(Owner::Local(local)) => write!(out, "~{local}/{}", self.name),
            Some(Owner::Full(address)) => write!(out, "~{address}/{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> &'static str {
        MailboxRef::parse(text).unwrap_err().reason
    }

    #[test]
    fn reads_names() {
        assert_eq!(MailboxName::parse("Vault/Payroll").unwrap().as_str(), "Vault/Payroll");
        assert_eq!(MailboxName::parse("Entwürfe").unwrap().as_str(), "Entwürfe");
        assert!(MailboxName::parse("inBox").unwrap().is_inbox());
        assert_eq!(MailboxName::parse("inbox/a").unwrap().as_str(), "INBOX/a");
        assert!(!MailboxName::parse("Inbox2").unwrap().is_inbox());
    }

    #[test]
    fn reads_owners() {
        assert_eq!(MailboxRef::parse("A/B").unwrap().owner, None);
        assert_eq!(MailboxRef::parse("~bob/A").unwrap().owner, Some(Owner::Local("bob".into())));
        let full = Owner::Full(Address::parse("bob@north.example").unwrap());
        assert_eq!(MailboxRef::parse("~Bob@North.example/A").unwrap().owner, Some(full));
        for text in ["A/B", "~bob/INBOX", "~bob@north.example/A/B"] {
            assert_eq!(MailboxRef::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(reason(""), "it is empty");
        assert_eq!(reason("/A"), "a level is empty");
        assert_eq!(reason("A/"), "a level is empty");
        assert_eq!(reason("A//B"), "a level is empty");
        assert_eq!(reason("A\0"), "it has a control character");
        let dot = "it has a dot, which separates the levels of a Maildir++ folder; use / for levels";
        assert_eq!(reason("A/../B"), dot);
        assert_eq!(reason("."), dot);
        assert_eq!(reason("A.B"), dot);
        assert_eq!(reason("~bob"), "a / and a mailbox must follow the owner");
        assert_eq!(reason("~/A"), "the owner's name must follow the ~");
        assert_eq!(reason("~bob/~x"), "a name does not begin with ~");
        assert_eq!(reason("~bob@/A"), "its owner is no mail address");
        assert_eq!(reason("~b b/A"), "its owner is no account name");
        assert_eq!(reason(&"x".repeat(255)), "it is longer than the name of a folder can be");
        assert_eq!(reason(&"\\".repeat(85)), "it is longer than the name of a folder can be");
        assert!(MailboxName::parse(&"\\".repeat(84)).is_ok());
        assert_eq!(reason(&"ü".repeat(127)), "it is longer than the name of a folder can be");
        let text = MailboxName::parse("").unwrap_err().to_string();
        assert_eq!(text, "\"\" is no mailbox name: it is empty");
    }
}
