//! `Reply with`, `Reply to All with`, `React with`: automatic mail in the form of RFC 3834 3.
//!
//! It has the null sender, `Auto-Submitted: auto-replied`, and nothing of the message but what the rule's text asks for with
//! marks (`^S`), and its subject where the text has none.

use super::marks::{Marks, as_html, as_text};
use super::silence::is_robot;
use super::{Draft, Sending, Unsent, Written};
use crate::engine::{EngineError, ReplyKey};
use crate::mail::{Address, Correspondent, Letter, Mailbox, message_ids, one_line};
use crate::rules::{ReplyKind, ReplyText, TextKind};

/// People of a message whom `Reply to All with` answers at most. Ours: a message to more is a mailing, and an answer to all
/// of them a nuisance.
const MOST_ANSWERED: usize = 50;
/// Messages that `References` names: the first, and the last of these. Ours (RFC 5322 3.6.4 lets it grow).
const LAST_REFERENCES: usize = 10;

/// Who gets a mail, by field.
#[derive(Default)]
struct People {
    to: Vec<Correspondent>,
    cc: Vec<Correspondent>,
    bcc: Vec<Correspondent>,
}

impl Sending<'_> {
    pub(super) fn reply(&self, kind: ReplyKind, text: &str) -> Result<Draft, EngineError> {
        let planned = ReplyText::parse(text).map_err(|_| Unsent::Text).and_then(|text| {
            let sender = self.sender(kind)?;
            Ok((self.people(kind, &sender, &text)?, self.from(&text)?, sender, text))
        });
        match planned {
            Err(reason) => Ok(self.unsent(&[], &reason)),
            Ok((people, from, sender, text)) => {
                Ok(self.draft(self.answer(kind, people, from, &sender, &text)?))
            }
        }
    }

    fn answer(
        &self,
        kind: ReplyKind,
        people: People,
        from: Correspondent,
        sender: &Address,
        text: &ReplyText,
    ) -> Result<Written, EngineError> {
        let marks = Marks::of(self);
        let subject = match &text.subject {
            Some(subject) => marks.expand(subject, as_text),
            // RFC 3834 3.1.5.
            None => marks.expand("Auto: ^S", as_text),
        };
        let subject = one_line(&subject);
        let (media_type, escape): (_, fn(&str) -> String) = match text.kind {
            TextKind::Plain => ("text/plain", as_text),
            TextKind::Html => ("text/html", as_html),
        };
        let (in_reply_to, references) = match kind {
            ReplyKind::React => (Vec::new(), Vec::new()),
            ReplyKind::Reply | ReplyKind::ReplyToAll => self.thread(),
        };
        let recipients = people.addresses();
        let letter = Letter {
            reply_to: text.reply_to.iter().filter_map(correspondent).collect(),
            to: people.to,
            cc: people.cc,
            subject: subject.clone(),
            date: self.at,
            message_id: format!("{}@{}", self.unique()?, from.address.domain()),
            from,
            in_reply_to,
            references,
            fields: fields(text, &marks),
            media_type,
            text: &marks.expand(&text.body, escape),
            attached: None,
        };
        let replies_to = Some(self.key(kind, sender, &recipients));
        Ok(Written { sender: String::new(), recipients, subject, bytes: letter.bytes(), replies_to })
    }

    /// A sender is answered once in an interval, whichever rule of the account does it. A reaction goes to others, whom no
    /// answer to the sender reaches: it counts by itself.
    fn key(&self, kind: ReplyKind, sender: &Address, recipients: &[Address]) -> ReplyKey {
        let rule = &self.effect.rule;
        let rule = match kind {
            ReplyKind::Reply | ReplyKind::ReplyToAll => String::new(),
            ReplyKind::React => {
                let mut others: Vec<String> = recipients.iter().map(Address::folded).collect();
                others.sort_unstable();
                format!("{rule}\n{}\n{}", kind.name(), others.join("\n"))
            }
        };
        ReplyKey { account: self.account(), rule, sender: sender.folded() }
    }

    /// Those whom the action answers, and those whom the text names.
    fn people(&self, kind: ReplyKind, sender: &Address, text: &ReplyText) -> Result<People, Unsent> {
        let mut people = People::default();
        if kind != ReplyKind::React {
            people.to.push(Correspondent { name: None, address: sender.clone() });
        }
        if kind == ReplyKind::ReplyToAll {
            people.to.extend(self.named("To"));
            people.cc.extend(self.named("Cc"));
            if people.to.len() + people.cc.len() > MOST_ANSWERED {
                return Err(Unsent::TooMany(MOST_ANSWERED));
            }
        }
        people.to.extend(text.to.iter().filter_map(correspondent));
        people.cc.extend(text.cc.iter().filter_map(correspondent));
        people.bcc.extend(text.bcc.iter().filter_map(correspondent));
        Ok(people.each_once())
    }

    /// The people in a field of the message, but the account itself and programs. Their names are left behind: they would be
    /// words of a stranger in a mail of the account.
    fn named(&self, name: &str) -> Vec<Correspondent> {
        let found = self.message.fields_named(name).flat_map(|field| field.mailboxes());
        let addresses = found.filter_map(|found| Address::parse(&found.address).ok());
        let others = addresses.filter(|address| !self.author.owns(address) && !is_robot(address));
        others.take(MOST_ANSWERED + 1).map(|address| Correspondent { name: None, address }).collect()
    }

    /// The account, or what the text says: of an account's own addresses one, of the server any.
    fn from(&self, text: &ReplyText) -> Result<Correspondent, Unsent> {
        let own = || Correspondent { name: None, address: self.author.address.clone() };
        let Some(said) = &text.from else { return Ok(own()) };
        let said = correspondent(said).ok_or(Unsent::Text)?;
        let allowed = self.effect.acting.is_none() || self.author.owns(&said.address);
        if allowed {
            return Ok(said);
        }
        Err(Unsent::ForeignFrom(said.address, self.author.address.clone()))
    }

    /// `In-Reply-To` and `References` (RFC 5322 3.6.4).
    fn thread(&self) -> (Vec<String>, Vec<String>) {
        let ids = |name: &str| -> Vec<String> {
            self.message.fields_named(name).take(1).flat_map(|field| message_ids(field.value())).collect()
        };
        let answered: Vec<String> = ids("Message-ID").into_iter().take(1).collect();
        let mut references = ids("References");
        references.extend(answered.iter().cloned());
        if references.len() > LAST_REFERENCES {
            references.drain(1..references.len() - LAST_REFERENCES + 1);
        }
        (answered, references)
    }
}

impl People {
    /// Nobody gets it twice, whatever fields name him.
    fn each_once(mut self) -> People {
        let mut seen: Vec<Address> = Vec::new();
        for list in [&mut self.to, &mut self.cc, &mut self.bcc] {
            list.retain(|one| {
                let is_new = !seen.contains(&one.address);
                seen.extend(is_new.then(|| one.address.clone()));
                is_new
            });
        }
        self
    }

    fn addresses(&self) -> Vec<Address> {
        self.to.iter().chain(&self.cc).chain(&self.bcc).map(|one| one.address.clone()).collect()
    }
}

fn correspondent(mailbox: &Mailbox) -> Option<Correspondent> {
    let address = Address::parse(&mailbox.address).ok()?;
    Some(Correspondent { name: mailbox.name.clone(), address })
}

/// What says that nobody wrote this (RFC 3834 5; the second is Exchange's word for it), then what the text adds.
fn fields(text: &ReplyText, marks: &Marks) -> Vec<(String, String)> {
    let ours = [("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All")];
    let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let theirs = text.fields.iter().map(|(name, value)| (name.clone(), marks.expand(value, as_text)));
    ours.into_iter().chain(theirs).collect()
}
