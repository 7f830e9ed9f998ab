//! Attachments that rules copy into the files of accounts: from effects to copies that are ready to be made.

use super::certificates::Certificates;
use super::deliver::Planned;
use super::plan::{Effect, PlannedCopy, Planner};
use super::seal::{ReadyCopy, Way, ready};
use super::{Account, EngineError, Place};
use crate::cms::{Protection, find, signed_message};
use crate::mail::{
    Attachment, Attachments, FileName, FolderName, HeaderEdits, HeaderLine, HeaderPolicy, Message,
};
use crate::rules::Action;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Copies of attachments, and what could not be copied. The files come before the account's messages, so that whoever
/// sees a message finds its files.
pub(super) fn attached<'a>(
    planner: &Planner<'_, 'a>,
    certificates: &Certificates<'_>,
    message: &[u8],
    effects: &[Effect<'a>],
) -> Result<Planned<'a>, EngineError> {
    let mut planned = Planned::default();
    for effect in effects {
        if let (Action::CopyAttachments(folder), Some(account)) = (&effect.action, effect.acting) {
            let job = Job { planner, certificates, rule: &effect.rule, account, folder };
            job.run(&Message::new(message), &mut planned)?;
        }
    }
    Ok(planned)
}

/// One `Copy Attachments into`.
struct Job<'j, 's, 'c, 'a> {
    planner: &'j Planner<'s, 'a>,
    certificates: &'j Certificates<'c>,
    rule: &'j str,
    account: &'a Account,
    folder: &'j FolderName,
}

impl<'a> Job<'_, '_, '_, 'a> {
    fn run(&self, message: &Message<'_>, planned: &mut Planned<'a>) -> Result<(), EngineError> {
        match find(message) {
            Protection::None => self.copy(message, message, planned),
            Protection::Signed => match signed_message(message).and_then(Result::ok) {
                Some(signed) => {
                    let inside = signed.content().unwrap_or_default();
                    self.copy(message, &Message::new(inside), planned)
                }
                None => self.copy(message, message, planned),
            },
            Protection::Encrypted(_) | Protection::OpenPgp => {
                self.warn(planned, "its sender encrypted the message: attachments cannot be seen");
                Ok(())
            }
        }
    }

    /// Looks for them in what is signed, which is the message itself unless it is opaque.
    fn copy(
        &self,
        message: &Message<'_>,
        inside: &Message<'_>,
        planned: &mut Planned<'a>,
    ) -> Result<(), EngineError> {
        let found = Attachments::of(inside);
        if found.is_cut {
            self.warn(planned, "there are too many attachments, or too deep ones: not all are copied");
        }
        for attachment in &found.list {
            match self.ready(message, attachment)? {
                Some(copy) => planned.copies.push(copy),
                None => self.warn(planned, "an attachment is not encoded as it says: it is not copied"),
            }
        }
        Ok(())
    }

    fn warn(&self, planned: &mut Planned<'a>, what: &str) {
        planned.warnings.push(format!("rule \"{}\" of {}: {what}", self.rule, self.account.address));
    }

    /// Nothing if it shall be stored plain and cannot be decoded.
    fn ready(
        &self,
        message: &Message<'_>,
        attachment: &Attachment<'_>,
    ) -> Result<Option<ReadyCopy<'a>>, EngineError> {
        let mut copy = ready(self.plan(attachment.file_name()), self.certificates)?;
        let entity = match &copy.way {
            Way::Plain(_) => match attachment.content() {
                Some(content) => content.into_owned(),
                None => return Ok(None),
            },
            Way::Seal(_, _, form) => {
                let name = sealed_name(attachment.file_name(), form.headers);
                copy.plan.place = Place::File(self.folder.clone(), name);
                attachment.message(&fields(message, attachment))
            }
        };
        Ok(Some(ReadyCopy { entity: Some(Arc::new(Zeroizing::new(entity))), ..copy }))
    }

    fn plan(&self, name: FileName) -> PlannedCopy<'a> {
        PlannedCopy {
            owner: self.account,
            acting: Some(self.account),
            place: Place::File(self.folder.clone(), name),
            create: true,
            flags: Vec::new(),
            edits: HeaderEdits::default(),
            form: self.planner.file_form(self.account),
            rule: Some(self.rule.to_owned()),
        }
    }
}

/// A file's name says what its subject says: where that is hidden, so is it.
fn sealed_name(name: FileName, headers: HeaderPolicy) -> FileName {
    match headers {
        HeaderPolicy::Keep => name.within(".eml"),
        HeaderPolicy::HideSubject | HeaderPolicy::HideMost => FileName::of(None, "message/rfc822"),
    }
}

/// Who sent it, when, and the file's name for a subject: so that a mail program can list it.
fn fields(message: &Message<'_>, attachment: &Attachment<'_>) -> Vec<u8> {
    let mut fields = Vec::new();
    for name in ["From", "Date"] {
        if let Some(field) = message.fields_named(name).next() {
            fields.extend_from_slice(field.raw().trim_ascii_end());
            fields.extend_from_slice(b"\r\n");
        }
    }
    if let Ok(subject) = HeaderLine::parse(&format!("Subject: {}", attachment.file_name())) {
        subject.write("\r\n", &mut fields);
    }
    fields
}
