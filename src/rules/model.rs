//! What a rule file says, checked.

use super::conditions::Test;
use super::datum::Node;
use super::warnings::Warning;
use super::{Class, Command, Operator, RuleFaults, read};
use crate::crypto::Profile;
use crate::mail::{Address, Flag, FolderName, HeaderLine, HeaderPolicy, MailboxRef};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// Where a rule set is installed; some words are allowed in some scopes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeKind {
    /// The site: once per message; every mailbox name starts with `~`.
    Server,
    /// A domain: once per local recipient.
    Domain,
    /// An account: once per delivery to it.
    Account,
}

impl ScopeKind {
    /// Every scope.
    pub const ALL: &'static [ScopeKind] = &[ScopeKind::Server, ScopeKind::Domain, ScopeKind::Account];

    /// Those whose rules act as an account.
    pub(super) const OF_ACCOUNTS: &'static [ScopeKind] = &[ScopeKind::Domain, ScopeKind::Account];

    /// Its name in texts.
    pub fn name(self) -> &'static str {
        match self {
            ScopeKind::Server => "server",
            ScopeKind::Domain => "domain",
            ScopeKind::Account => "account",
        }
    }
}

/// The rules of one file, in their order.
#[derive(Debug, Clone)]
pub struct RuleSet {
    pub(super) rules: Vec<Arc<Rule>>,
    pub(super) notes: Vec<Warning>,
}

impl RuleSet {
    /// Reads a TOML rule file; a wrong file is refused whole, with every fault at once. `file` is the name shown.
    pub fn from_toml(file: &str, text: &str, scope: ScopeKind) -> Result<RuleSet, RuleFaults> {
        read::read(file, text, scope)
    }

    /// The rules in the order of the file.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(AsRef::as_ref)
    }

    /// Does a rule that runs send mail?
    pub fn sends(&self) -> bool {
        let actions = self.rules().filter(|rule| rule.priority > 0).flat_map(|rule| &rule.actions);
        actions
            .map(|planned| &planned.action)
            .any(|action| matches!(action, Action::PassOn(..) | Action::Reply(..)))
    }
}

/// The same rules in the same order, whatever the syntax and wherever they stand.
impl PartialEq for RuleSet {
    fn eq(&self, other: &RuleSet) -> bool {
        self.rules.iter().map(|rule| rule.said()).eq(other.rules.iter().map(|rule| rule.said()))
    }
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Unique in its file.
    pub name: String,
    /// 0 = inactive and kept, 1..10 = run, 10 first.
    pub priority: u8,
    /// For people.
    pub comment: Option<String>,
    /// Where it begins in its file, counted from 1.
    pub line: usize,
    pub(super) conditions: Vec<Condition>,
    /// Those conditions, ready to be asked: by themselves, because nothing else is looked at while mail waits.
    pub(super) tests: Vec<Arc<dyn Test>>,
    pub(super) actions: Vec<PlannedAction>,
}

impl Rule {
    /// All that its text says: name, priority, comment, and the elements of `when` and `then`.
    pub(super) fn said(&self) -> (&str, u8, Option<&str>, Vec<&Node>, Vec<&Node>) {
        let when = self.conditions.iter().map(|condition| &condition.node).collect();
        let then = self.actions.iter().map(|planned| &planned.node).collect();
        (&self.name, self.priority, self.comment.as_deref(), when, then)
    }
}

/// A condition with the text that it was read from.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) line: usize,
    /// Of its word.
    pub(super) name: &'static str,
    pub(super) operator: Option<Operator>,
    pub(super) text: String,
    pub(super) node: Node,
}

/// An action with the line that it stands on.
#[derive(Debug)]
pub(super) struct PlannedAction {
    pub(super) line: usize,
    /// Of its word.
    pub(super) name: &'static str,
    /// Of its word.
    pub(super) class: Class,
    pub(super) node: Node,
    pub(super) action: Action,
}

/// Options of a `Store …` action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// Overrides the owner's profile.
    pub profile: Option<Profile>,
    /// Overrides the site's policy for headers.
    pub headers: Option<HeaderPolicy>,
}

/// Their words in parentheses, if there are any: ` (modern, hide-subject)`.
impl fmt::Display for StoreOptions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [self.profile.map(Profile::name), self.headers.map(HeaderPolicy::name)];
        let words: Vec<&str> = words.into_iter().flatten().collect();
        if words.is_empty() { Ok(()) } else { write!(out, " ({})", words.join(", ")) }
    }
}

/// An action, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// `Store Encrypted in`
    StoreEncrypted(MailboxRef, StoreOptions),
    /// `Store in`
    Store(MailboxRef),
    /// `Mark`
    Mark(Vec<Flag>),
    /// `Add Header`
    AddHeader(Vec<HeaderLine>),
    /// `Tag Subject`
    TagSubject(String),
    /// `Copy Attachments into`: a folder of the account's files.
    CopyAttachments(FolderName),
    /// `Remember 'From' in`: a dataset of the account.
    Remember(String),
    /// `Redirect to`, `Forward to`, `Mirror to`
    PassOn(PassOn, Vec<Address>),
    /// `Reply with`, `Reply to All with`, `React with`: the text as it stands in the rule.
    Reply(ReplyKind, String),
    /// `Execute`
    Execute(Command),
    /// `ExternalFilter`: its name. Evaluation asks it; in a verdict stands what it said.
    Filter(String),
    /// `Reject with`: one line without a status code.
    Reject(String),
    /// `Discard`
    Discard,
    /// `Stop Processing`
    Stop,
}

/// How a message goes on to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassOn {
    /// `Redirect to`
    Redirect,
    /// `Forward to`
    Forward,
    /// `Mirror to`
    Mirror,
}

impl PassOn {
    /// The action's name.
    pub fn name(self) -> &'static str {
        match self {
            PassOn::Redirect => "Redirect to",
            PassOn::Forward => "Forward to",
            PassOn::Mirror => "Mirror to",
        }
    }
}

/// Automatic mail that answers a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyKind {
    /// `Reply with`
    Reply,
    /// `Reply to All with`
    ReplyToAll,
    /// `React with`
    React,
}

impl ReplyKind {
    /// The action's name.
    pub fn name(self) -> &'static str {
        match self {
            ReplyKind::Reply => "Reply with",
            ReplyKind::ReplyToAll => "Reply to All with",
            ReplyKind::React => "React with",
        }
    }
}

impl Action {
    /// Does no rule and no other action run after it?
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Action::Reject(_) | Action::Discard | Action::Stop)
    }
}

/// The begin of a text that may have many lines, in one.
fn begin(text: &str) -> String {
    const SHOWN: usize = 60;
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{}{more}", shown.escape_debug().to_string().replace("\\\"", "\""))
}

/// As in a rule file, without quotes: `Store in Lists/Rust`.
impl fmt::Display for Action {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Action::StoreEncrypted(mailbox, options) => write!(out, "Store Encrypted in {mailbox}{options}"),
            Action::Store(mailbox) => write!(out, "Store in {mailbox}"),
            Action::Mark(flags) => {
                out.write_str("Mark")?;
                flags
                    .iter()
                    .try_for_each(|flag| write!(out, " {}", flag.to_string().trim_start_matches('\\')))
            }
            Action::AddHeader(lines) => {
                let lines: Vec<String> = lines.iter().map(HeaderLine::to_string).collect();
                write!(out, "Add Header {}", lines.join(", "))
            }
            Action::TagSubject(tag) => write!(out, "Tag Subject {tag}"),
            Action::CopyAttachments(folder) => write!(out, "Copy Attachments into {folder}"),
            Action::Remember(dataset) => write!(out, "Remember 'From' in {dataset}"),
            Action::PassOn(how, addresses) => {
                let addresses: Vec<String> = addresses.iter().map(Address::to_string).collect();
                write!(out, "{} {}", how.name(), addresses.join(", "))
            }
            Action::Reply(kind, text) => write!(out, "{} {}", kind.name(), begin(text)),
            Action::Execute(command) => write!(out, "Execute {command}"),
            Action::Filter(name) => write!(out, "ExternalFilter {name}"),
            Action::Reject(text) => write!(out, "Reject with {text}"),
            Action::Discard => out.write_str("Discard"),
            Action::Stop => out.write_str("Stop Processing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_show_as_in_a_rule_file() {
        let mailbox = |text| MailboxRef::parse(text).unwrap();
        let modern = StoreOptions { profile: Some(Profile::Modern), headers: None };
        let hidden = StoreOptions { headers: Some(HeaderPolicy::HideMost), ..modern };
        for (action, shown) in [
            (Action::StoreEncrypted(mailbox("Box"), StoreOptions::default()), "Store Encrypted in Box"),
            (Action::StoreEncrypted(mailbox("Box"), modern), "Store Encrypted in Box (modern)"),
            (Action::StoreEncrypted(mailbox("Box"), hidden), "Store Encrypted in Box (modern, hide-most)"),
            (Action::Store(mailbox("~hr@north.example/Payroll")), "Store in ~hr@north.example/Payroll"),
            (Action::Store(mailbox("~hr/inbox")), "Store in ~hr/INBOX"),
            (Action::Mark(vec![Flag::Seen, Flag::Keyword("$x".into())]), "Mark Seen $x"),
            (Action::Reject("No.".into()), "Reject with No."),
            (
                Action::Reply(ReplyKind::Reply, "+Subject: \"x\"\n\nhi".into()),
                "Reply with +Subject: \"x\"\\n\\nhi",
            ),
            (Action::Discard, "Discard"),
            (Action::Stop, "Stop Processing"),
        ] {
            assert_eq!(action.to_string(), shown);
        }
    }
}
