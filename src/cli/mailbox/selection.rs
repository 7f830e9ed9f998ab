//! Which messages are meant, as options.

mod arguments;

use crate::cli::failure::{Code, Failure, with_sources};
use crate::cli::words;
use crate::config::Config;
use crate::directory::SqliteDirectory;
use crate::engine::TimeZone;
use crate::mail::{Address, Flag, MailboxName};
use crate::mailbox::{Criterion, MessageName, Selection, SelectionError};
use crate::rules::HeaderPicture;
use crate::store::{MaildirStore, StoredMailbox};
use arguments::{Past, Written, certificate, size, written};
use std::sync::Arc;

/// Under this the options stand in help.
const HEADING: &str = "Which messages (all that is said must hold)";

/// Criteria of messages. All that are given must hold.
#[derive(clap::Args)]
pub(super) struct SelectionOptions {
    /// A file's name or the first 8 characters of it at least, uid:NUMBER (needs one mailbox), or a <Message-ID>
    #[arg(value_name = "MESSAGE", help_heading = HEADING)]
    messages: Vec<MessageName>,
    /// Every message
    #[arg(long, help_heading = HEADING, conflicts_with_all = [
        "messages", "flag", "not_flag", "from", "subject", "since", "before", "larger", "smaller", "sealed_to",
    ])]
    all: bool,
    /// With this flag: seen, flagged, answered, draft, deleted, or a keyword
    #[arg(long, value_name = "FLAG", value_parser = Flag::parse, help_heading = HEADING)]
    flag: Vec<Flag>,
    /// Without this flag
    #[arg(long, value_name = "FLAG", value_parser = Flag::parse, help_heading = HEADING)]
    not_flag: Vec<Flag>,
    /// From an address or name like this; * stands for anything
    #[arg(long, value_name = "PICTURE", help_heading = HEADING)]
    from: Vec<String>,
    /// With a Subject like this; of sealed mail it is the outer one, under hide-subject and hide-most "[...]"
    #[arg(long, value_name = "PICTURE", help_heading = HEADING)]
    subject: Vec<String>,
    /// Arrived at this moment or later: 2026-11-26, 2026-11-26T08:00 (in the site's time-zone), RFC 3339, or 30d, 6w, 1y ago
    #[arg(long, value_name = "DATE", value_parser = written::<Past>, help_heading = HEADING)]
    since: Option<Written<Past>>,
    /// Arrived before this moment
    #[arg(long, value_name = "DATE", value_parser = written::<Past>, help_heading = HEADING)]
    before: Option<Written<Past>>,
    /// Larger than so many bytes: 4096, 100K, 5M, 1G
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = HEADING)]
    larger: Option<u64>,
    /// Smaller than so many bytes
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = HEADING)]
    smaller: Option<u64>,
    /// Sealed to this certificate: its fingerprint (the first 8 digits are enough) if it is known here, or a PEM or DER file
    #[arg(long, value_name = "CERT", help_heading = HEADING)]
    sealed_to: Vec<String>,
}

/// Where messages are selected.
pub(super) struct Among<'a> {
    /// The site's settings.
    pub(super) config: &'a Config,
    /// Who has which certificate.
    pub(super) directory: &'a SqliteDirectory,
    /// The mail.
    pub(super) store: &'a MaildirStore,
    /// Whose.
    pub(super) owners: &'a [Address],
    /// One mailbox of each; absent: all.
    pub(super) mailbox: Option<&'a MailboxName>,
}

impl SelectionOptions {
    /// For a verb that changes messages: somebody must have said which.
    pub(super) fn to_change(&self, among: &Among<'_>) -> Result<Selection, Failure> {
        if !self.all && self.is_empty() {
            return Err(Failure::new(Code::Usage, "no message was selected").hint(
                "--all for every message; name some, or say which: --flag, --from, --since, … (see --help)",
            ));
        }
        self.to_look(among)
    }

    /// For a verb that looks: without a word all are meant.
    pub(super) fn to_look(&self, among: &Among<'_>) -> Result<Selection, Failure> {
        let mut selection = self.criteria(among)?;
        if self.messages.is_empty() && !asks_for_keywords(self) {
            return Ok(selection);
        }
        if !self.messages.is_empty() {
            selection = selection.named(self.messages.iter().cloned());
        }
        let selection = selection.resolve(among.store, &among.mailboxes()?)?;
        match selection.names_nothing() {
            true => Err(missing(&selection, Code::NotFound)),
            false => Ok(selection),
        }
    }

    fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && [&self.flag, &self.not_flag].iter().all(|flags| flags.is_empty())
            && [&self.from, &self.subject, &self.sealed_to].iter().all(|texts| texts.is_empty())
            && self.since.is_none()
            && self.before.is_none()
            && self.larger.is_none()
            && self.smaller.is_none()
    }

    fn criteria(&self, among: &Among<'_>) -> Result<Selection, Failure> {
        let mut selection = Selection::all();
        for flag in &self.flag {
            selection = selection.and(format!("flag {flag}"), Criterion::Flag(flag.clone()));
        }
        for flag in &self.not_flag {
            selection = selection.and(format!("not-flag {flag}"), Criterion::NotFlag(flag.clone()));
        }
        for text in &self.from {
            let picture = HeaderPicture::from(text).map_err(|error| wrong("from", text, &error))?;
            selection = selection.and(format!("from {text}"), Criterion::From(picture));
        }
        for text in &self.subject {
            let picture = HeaderPicture::subject(text).map_err(|error| wrong("subject", text, &error))?;
            selection = selection.and(format!("subject {text}"), Criterion::Subject(picture));
        }
        for text in &self.sealed_to {
            let (fingerprint, ids) = certificate(text, among.directory)?;
            let written = format!("sealed-to {fingerprint}");
            selection = selection.and(written, Criterion::SealedTo(fingerprint, ids));
        }
        self.limits(selection, &among.config.settings.time_zone)
    }

    fn limits(&self, mut selection: Selection, zone: &TimeZone) -> Result<Selection, Failure> {
        if let Some(Written(text, past)) = &self.since {
            let moment = past.moment(zone).ok_or_else(|| unknown("since", text))?;
            selection = selection.and(format!("since {text}"), Criterion::Since(moment));
        }
        if let Some(Written(text, past)) = &self.before {
            let moment = past.moment(zone).ok_or_else(|| unknown("before", text))?;
            selection = selection.and(format!("before {text}"), Criterion::Before(moment));
        }
        if let Some(size) = self.larger {
            selection = selection.and(format!("larger {size}"), Criterion::Larger(size));
        }
        if let Some(size) = self.smaller {
            selection = selection.and(format!("smaller {size}"), Criterion::Smaller(size));
        }
        Ok(selection)
    }
}

fn asks_for_keywords(options: &SelectionOptions) -> bool {
    options.flag.iter().chain(&options.not_flag).any(|flag| matches!(flag, Flag::Keyword(_)))
}

impl Among<'_> {
    /// The mailboxes of all owners, or the one of each that is named; none is an error.
    pub(super) fn mailboxes(&self) -> Result<Vec<Arc<StoredMailbox>>, Failure> {
        let mut all = Vec::new();
        for owner in self.owners {
            all.extend(mailboxes(self.store, owner, self.mailbox)?);
        }
        match self.mailbox {
            Some(name) if all.is_empty() => Err(no_mailbox(name, self.owners)),
            _ => Ok(all),
        }
    }
}

/// The mailboxes of an account, or the one that is named, if it is there.
pub(super) fn mailboxes(
    store: &MaildirStore,
    owner: &Address,
    named: Option<&MailboxName>,
) -> Result<Vec<Arc<StoredMailbox>>, Failure> {
    Ok(match named {
        Some(named) => store.stored_mailbox(owner, named)?.into_iter().collect(),
        None => store.stored_mailboxes(owner)?,
    })
}

/// Nobody of these has the mailbox.
pub(super) fn no_mailbox(name: &MailboxName, owners: &[Address]) -> Failure {
    let text = match owners {
        [owner] => format!("mailbox {name} of {owner} does not exist"),
        _ => format!("none of the accounts has a mailbox {name}"),
    };
    Failure::new(Code::NotFound, text).hint("see: sealpost mailbox list")
}

/// Tells at the end of the names that no message has; that is a failure.
pub(super) fn told_missing(selection: &Selection) -> Result<(), Failure> {
    match selection.missing().is_empty() {
        true => Ok(()),
        false => Err(missing(selection, Code::No)),
    }
}

fn missing(selection: &Selection, code: Code) -> Failure {
    let names = words::texts(selection.missing()).join(", ");
    Failure::new(code, format!("no message there is called {names}")).hint("see: sealpost mailbox inspect")
}

impl From<SelectionError> for Failure {
    fn from(error: SelectionError) -> Failure {
        let text = with_sources(&error);
        match error {
            SelectionError::Store(error) => error.into(),
            SelectionError::UidList(_) => {
                Failure::new(Code::Data, text).hint("name the message by its file's name or <Message-ID>")
            }
            SelectionError::SeveralMailboxes(_) => {
                Failure::new(Code::Usage, text).hint("name one account and one mailbox: --account, --mailbox")
            }
            _ => Failure::new(Code::No, text).hint("give more of the name, or the mailbox: --mailbox"),
        }
    }
}

fn wrong(option: &str, text: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(Code::Usage, format!("--{option} {text}: {error}"))
}

fn unknown(option: &str, text: &str) -> Failure {
    Failure::new(Code::Usage, format!("--{option}: no clock shows {text}"))
}
