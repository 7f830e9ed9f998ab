//! Cases that rules are tried with: a message, its envelope and what is looked up for it, and what the rules must do then.

use super::{
    Answer, Ending, Envelope, Evaluation, Facts, Input, Outcome, Program, Progress, RuleSet, ScopeKind,
    Source, Verdict,
};
use crate::cms::RecipientId;
use crate::mail::{HeaderEdits, Message, without_mbox_line};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Why a file of a case cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct CaseError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what is allowed.
    pub text: String,
}

impl CaseError {
    fn of(error: &toml::de::Error, file: &str) -> CaseError {
        let before = error.span().and_then(|span| file.get(..span.start)).unwrap_or_default();
        CaseError { line: before.matches('\n').count() + 1, text: for_people(error.message()) }
    }
}

/// The words of the TOML reader in ours.
fn for_people(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let quoted = |text: &str| text.replace('`', "\"");
    let parts = |before: &str| first.strip_prefix(before)?.split_once(", expected ");
    let allowed = |text: &str| quoted(text.strip_prefix("one of ").unwrap_or(text));
    if let Some((key, known)) = parts("unknown field ") {
        return format!("there is no key {}; the keys are {}", quoted(key), allowed(known));
    }
    if let Some((word, known)) = parts("unknown variant ") {
        return format!("{} is not known here; it is one of {}", quoted(word), allowed(known));
    }
    if let Some(key) = first.strip_prefix("missing field ") {
        return format!("the key {} is missing", quoted(key));
    }
    if let Some((found, wanted)) = parts("invalid type: ") {
        return format!("{} stands where {} is needed", quoted(found), quoted(wanted));
    }
    quoted(first)
}

/// `envelope.toml`: what rules see beside the message. Nothing of it is looked up elsewhere.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaseInput {
    /// Return path; empty for the null sender; absent if the hook does not say.
    sender: Option<String>,
    recipients: Vec<String>,
    /// The subject key identifier of the account's certificate, in hexadecimal.
    #[serde(deserialize_with = "key_id")]
    owner_key_id: Option<RecipientId>,
    source: Source,
    client: Option<String>,
    /// With the offset of the site's zone at that moment.
    #[serde(deserialize_with = "moment")]
    now: Option<OffsetDateTime>,
    routes: Vec<String>,
    mailboxes: Vec<String>,
    preferences: BTreeMap<String, String>,
    datasets: BTreeMap<String, Vec<String>>,
    /// What filters say, by name: `accept`, which is what they say if they are not named, `discard`, `reject: TEXT`, or header
    /// lines `Name: value`.
    #[serde(deserialize_with = "answers")]
    answers: BTreeMap<String, Answer>,
}

fn key_id<'de, D: Deserializer<'de>>(given: D) -> Result<Option<RecipientId>, D::Error> {
    let text = String::deserialize(given)?;
    let octet = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let octets: Option<Vec<u8>> = (0..text.len()).step_by(2).map(octet).collect();
    let octets = octets.ok_or_else(|| D::Error::custom("owner_key_id is written in hexadecimal digits"))?;
    Ok(Some(RecipientId::SubjectKeyIdentifier(octets)))
}

fn moment<'de, D: Deserializer<'de>>(given: D) -> Result<Option<OffsetDateTime>, D::Error> {
    let written = toml::value::Datetime::deserialize(given)?;
    let moment = OffsetDateTime::parse(&written.to_string(), &Rfc3339);
    moment
        .map(Some)
        .map_err(|_| D::Error::custom("now is a date and a time with an offset: 2026-11-26T09:00:00+01:00"))
}

fn answers<'de, D: Deserializer<'de>>(given: D) -> Result<BTreeMap<String, Answer>, D::Error> {
    let texts: BTreeMap<String, AnswerText> = BTreeMap::deserialize(given)?;
    let read = |(name, text)| match answer(text) {
        Some(answer) => Ok((name, answer)),
        None => Err(D::Error::custom(format!(
            "the filter \"{name}\" answers \"accept\", \"discard\", \"reject: TEXT\", or a list of header lines"
        ))),
    };
    texts.into_iter().map(read).collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum AnswerText {
    Word(String),
    Lines(Vec<String>),
}

fn answer(text: AnswerText) -> Option<Answer> {
    match text {
        AnswerText::Lines(lines) => Some(Answer::AddHeader(lines)),
        AnswerText::Word(word) => match word.as_str() {
            "accept" => Some(Answer::Accept),
            "discard" => Some(Answer::Discard),
            other => other.strip_prefix("reject: ").map(|text| Answer::Reject(text.to_owned())),
        },
    }
}

impl CaseInput {
    /// Reads `envelope.toml`.
    pub fn parse(text: &str) -> Result<CaseInput, CaseError> {
        toml::from_str(text).map_err(|error| CaseError::of(&error, text))
    }

    /// The recipients of the envelope.
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    fn envelope(&self) -> Envelope {
        let (sender, recipients) = (self.sender.clone(), self.recipients.clone());
        Envelope { sender, recipients, source: self.source, client: self.client.clone() }
    }

    fn facts(&self) -> Facts {
        Facts {
            owner_ids: self.owner_key_id.iter().cloned().collect(),
            mailboxes: self.mailboxes.clone(),
            datasets: self.datasets.clone(),
            preferences: self.preferences.clone().into_iter().collect(),
            routes: self.routes.clone(),
            now: self.now.unwrap_or(OffsetDateTime::UNIX_EPOCH),
            beyond: None,
        }
    }

    fn answer(&self, filter: &str) -> Answer {
        self.answers.get(filter).cloned().unwrap_or(Answer::Accept)
    }
}

/// `expect.toml`: what the rules do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// What the case is there for, in words of whoever keeps it. It is not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// The rules that match, in the order in which they run.
    pub matches: Vec<String>,
    /// `rule: action` of every action that does not end.
    pub steps: Vec<String>,
    /// `inbox`, `discard`, or `reject: text`.
    pub ending: String,
    /// The rule that ended it, unless all rules ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

/// A key of `expect.toml` that says something else than what the rules did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The key.
    pub key: &'static str,
    /// Its values in the file.
    pub expected: Vec<String>,
    /// What they should be.
    pub found: Vec<String>,
}

impl Expected {
    /// Reads `expect.toml`.
    pub fn parse(text: &str) -> Result<Expected, CaseError> {
        toml::from_str(text).map_err(|error| CaseError::of(&error, text))
    }

    /// As a file.
    pub fn to_toml(&self) -> Result<String, CaseError> {
        toml::to_string_pretty(self).map_err(|error| CaseError { line: 1, text: error.to_string() })
    }

    /// What differs, key by key.
    pub fn differences(&self, found: &Expected) -> Vec<Difference> {
        let one = |text: &String| vec![text.clone()];
        let keys = [
            ("matches", self.matches.clone(), found.matches.clone()),
            ("steps", self.steps.clone(), found.steps.clone()),
            ("ending", one(&self.ending), one(&found.ending)),
            ("ended_by", self.ended_by.iter().cloned().collect(), found.ended_by.iter().cloned().collect()),
        ];
        let differ = keys.into_iter().filter(|(_, expected, found)| expected != found);
        differ.map(|(key, expected, found)| Difference { key, expected, found }).collect()
    }

    fn add(&mut self, verdict: Verdict, matched: impl Iterator<Item = String>) {
        self.matches.extend(matched);
        self.steps.extend(verdict.steps.iter().map(|step| format!("{}: {}", step.rule, step.action)));
        self.ending = match verdict.ending {
            Ending::Inbox => "inbox".to_owned(),
            Ending::Discard | Ending::Overruled => "discard".to_owned(),
            Ending::Reject(text) => {
                self.steps.clear();
                format!("reject: {text}")
            }
        };
        self.ended_by = verdict.ended_by;
    }
}

/// The rules that a case is tried with: as in a delivery the server's, and then those of the recipient.
#[derive(Debug, Clone)]
pub struct CaseRules {
    server: Program,
    account: Program,
}

impl CaseRules {
    /// Of sets with the scopes that they are installed in.
    pub fn new(sets: Vec<(ScopeKind, RuleSet)>) -> CaseRules {
        let (server, account) = sets.into_iter().partition(|(scope, _)| *scope == ScopeKind::Server);
        CaseRules { server: Program::new(server), account: Program::new(account) }
    }

    /// What they do with the message.
    pub fn run(&self, message: &[u8], input: &CaseInput) -> Expected {
        let mut found = Expected {
            covers: Vec::new(),
            matches: Vec::new(),
            steps: Vec::new(),
            ending: "inbox".to_owned(),
            ended_by: None,
        };
        let edits = judge(&self.server, message, input, &HeaderEdits::default(), &mut found);
        if found.ending == "inbox" && !self.account.rules.is_empty() {
            judge(&self.account, message, input, &edits, &mut found);
        }
        found
    }
}

/// Adds what a program does; gives what it did to the header.
fn judge(
    program: &Program,
    message: &[u8],
    case: &CaseInput,
    edits: &HeaderEdits,
    found: &mut Expected,
) -> HeaderEdits {
    let message = Message::new(without_mbox_line(message));
    let (envelope, facts) = (case.envelope(), case.facts());
    let input = Input { message: &message, envelope: &envelope, facts: &facts, edits };
    let mut evaluation = Evaluation::traced(program, input);
    let verdict = loop {
        match evaluation.run() {
            Progress::Done(verdict) => break verdict,
            Progress::Ask(question) => evaluation.answer(case.answer(&question.filter)),
        }
    };
    let edits = evaluation.edits().clone();
    let rules = evaluation.into_trace().rules.into_iter();
    found.add(verdict, rules.filter(|rule| rule.outcome == Outcome::Matched).map(|rule| rule.rule));
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = r#"
[[rule]]
name = "tag"
priority = 5
when = [["Any Recipient", "is", "bob@*"]]
then = [["Tag Subject", "[list]"], ["Store in", "~audit/All"]]
[[rule]]
name = "virus"
priority = 4
then = [["ExternalFilter", "virus"]]
"#;
    const ACCOUNT: &str = r#"
[[rule]]
name = "tagged"
priority = 5
when = [["Subject", "is", "[list]*"]]
then = [["Store in", "Lists"], ["Discard"]]
"#;

    fn rules() -> CaseRules {
        let set = |text: &str, scope| {
            (scope, RuleSet::from_toml("f", text, scope).unwrap_or_else(|faults| panic!("{faults}")))
        };
        CaseRules::new(vec![set(ACCOUNT, ScopeKind::Account), set(SERVER, ScopeKind::Server)])
    }

    fn found(envelope: &str) -> Expected {
        rules().run(b"Subject: x\n\n", &CaseInput::parse(envelope).unwrap())
    }

    #[test]
    fn the_servers_rules_run_first_and_their_edits_are_seen() {
        let found = found("recipients = ['bob@north.example']");
        assert_eq!(found.matches, ["tag", "virus", "tagged"]);
        assert_eq!(
            found.steps,
            ["tag: Tag Subject [list]", "tag: Store in ~audit/All", "tagged: Store in Lists"]
        );
        assert_eq!((found.ending.as_str(), found.ended_by.as_deref()), ("discard", Some("tagged")));
    }

    #[test]
    fn filters_answer_as_the_case_says() {
        let of = |answer: &str| {
            let found = found(&format!("recipients = ['bob@north.example']\nanswers = {{virus = {answer}}}"));
            (found.ending, found.ended_by, found.steps.len())
        };
        assert_eq!(of("'accept'"), ("discard".into(), Some("tagged".into()), 3));
        assert_eq!(of("'discard'"), ("discard".into(), Some("virus".into()), 2));
        assert_eq!(of("'reject: No.'"), ("reject: No.".into(), Some("virus".into()), 0));
        assert_eq!(of("['X-Virus: none']"), ("discard".into(), Some("tagged".into()), 4));
    }

    #[test]
    fn what_a_case_does_not_know_is_told_with_its_place() {
        for (text, told) in [
            ("recipient = []", "there is no key \"recipient\"; the keys are \"sender\", \"recipients\", "),
            ("source = 'smtp'", "\"smtp\" is not known here; it is one of \"trusted\", \"authenticated\", "),
            ("recipients = 5", "integer \"5\" stands where a sequence is needed"),
            ("now = 2026-11-26", "now is a date and a time with an offset"),
            ("owner_key_id = 'xyz'", "owner_key_id is written in hexadecimal digits"),
            ("answers = {virus = 'maybe'}", "the filter \"virus\" answers \"accept\", \"discard\""),
        ] {
            let error = CaseInput::parse(text).unwrap_err().to_string();
            assert!(error.contains(told) && error.starts_with("line 1: ") && !error.contains('`'), "{error}");
        }
        assert_eq!(CaseInput::parse("sender = ''\n\nsource = 5").unwrap_err().line, 3);
        let error = Expected::parse("matches = []\nsteps = []\nending = 'inbox'\nended = 'x'").unwrap_err();
        let told = "line 4: there is no key \"ended\"; the keys are \"covers\", \"matches\", \"steps\", \"ending\", \"ended_by\"";
        assert_eq!(error.to_string(), told);
        assert_eq!(Expected::parse("").unwrap_err().to_string(), "line 1: the key \"matches\" is missing");
    }

    #[test]
    fn what_is_written_is_read_again() {
        let found = found("recipients = ['bob@north.example']");
        let text = found.to_toml().unwrap();
        assert_eq!(Expected::parse(&text).unwrap(), found, "{text}");
        let other = Expected { ending: "inbox".into(), ended_by: None, ..found.clone() };
        let keys: Vec<_> = other.differences(&found).into_iter().map(|one| one.key).collect();
        assert_eq!(keys, ["ending", "ended_by"]);
    }
}
