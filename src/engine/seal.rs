//! From planned copies to bytes: recognise what is sealed already, seal the rest in one go.

use super::certificates::{Certificates, Fit, Reader};
use super::plan::{self, Form, PlannedCopy};
use super::{Content, Copy, CopyReport, Engine, EngineError, PlainConsent};
use crate::mail::{Address, Edited, HeaderEdits, HeaderPolicy, Message};
use crate::pki::{Certificate, ValidatedCertificate};
use crate::smime::{self, HeadersKept, Mark, SealError, SealFacts, SealJob, Sealed, recognise, seal_many};
use std::sync::Arc;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A planned copy with what it takes to make it.
pub(super) struct ReadyCopy<'a> {
    /// The plan but for its form.
    pub(super) plan: PlannedCopy<'a>,
    /// How it will be written.
    pub(super) way: Way,
    /// What is stored in the place of the message: an attachment of it.
    pub(super) entity: Option<Arc<Zeroizing<Vec<u8>>>>,
}

/// How a copy will be written.
pub(super) enum Way {
    /// Sealed to these.
    Seal(Vec<Reader>, Vec<ValidatedCertificate>, smime::Form),
    /// Clear.
    Plain(PlainConsent),
}

/// Bytes to store and the report of them, whose size is still open.
pub(super) struct MadeCopy<'m> {
    pub(super) copy: Copy<'m>,
    pub(super) report: CopyReport,
    /// For whom the rule acts; absent: the server.
    pub(super) acting: Option<Address>,
}

/// Finds the certificates of a planned copy.
pub(super) fn ready<'a>(
    mut plan: PlannedCopy<'a>,
    certificates: &Certificates<'_>,
) -> Result<ReadyCopy<'a>, EngineError> {
    let form = std::mem::replace(&mut plan.form, Form::Sealed(Vec::new(), smime::Form::default()));
    let way = match form {
        Form::Plain(consent) => Way::Plain(consent),
        Form::Sealed(accounts, form) => match certificates.fit(&accounts, form)? {
            Fit::Plain => Way::Plain(plan::consent_of_missing_certificates()),
            Fit::Seal(readers) => {
                let usable = readers.iter().flat_map(|reader| reader.usable.iter().cloned()).collect();
                Way::Seal(readers, usable, form)
            }
        },
    };
    Ok(ReadyCopy { plan, way, entity: None })
}

/// The message once for each way in which rules edited its header, and those of its attachments that are copied.
pub(super) struct Versions<'m> {
    message: &'m [u8],
    edited: Vec<(HeaderEdits, Edited<'m>)>,
    entities: Vec<Arc<Zeroizing<Vec<u8>>>>,
}

impl<'m> Versions<'m> {
    /// Those that these copies want.
    pub(super) fn of(message: &'m [u8], copies: &[ReadyCopy<'_>]) -> Versions<'m> {
        let entities = copies.iter().filter_map(|copy| copy.entity.clone()).collect();
        let mut versions = Versions { message, edited: Vec::new(), entities };
        for edits in copies.iter().map(|copy| &copy.plan.edits) {
            if !edits.is_empty() && versions.edited.iter().all(|(known, _)| known != edits) {
                versions.edited.push((edits.clone(), edits.apply(&Message::new(message))));
            }
        }
        versions
    }

    fn bytes(&self, copy: &ReadyCopy<'_>) -> &[u8] {
        if let Some(entity) = &copy.entity {
            let held = self.entities.iter().find(|held| Arc::ptr_eq(held, entity));
            return held.map_or(&[], |entity| entity.as_slice());
        }
        let made = self.edited.iter().find(|(known, _)| *known == copy.plan.edits);
        made.map_or(self.message, |(_, bytes)| bytes)
    }
}

/// The copies of one message, to be made.
pub(super) struct Making<'v, 'm, 'a> {
    pub(super) versions: &'v Versions<'m>,
    pub(super) copies: Vec<ReadyCopy<'a>>,
    /// When they are sealed.
    pub(super) at: OffsetDateTime,
}

/// Makes the bytes of all copies. One that cannot be made fails them all.
pub(super) fn make<'m>(
    engine: &Engine<'_>,
    versions: &'m Versions<'_>,
    copies: Vec<ReadyCopy<'_>>,
    at: OffsetDateTime,
) -> Result<Vec<MadeCopy<'m>>, EngineError> {
    let made = make_all(engine, vec![Ok(Making { versions, copies, at })]).into_iter().next();
    made.unwrap_or_else(|| Ok(Vec::new()))
}

/// The same for many messages in one go: one answer for each, in their order. A message that failed before stays failed;
/// one that fails takes no other with it. Seeds are drawn in the order of messages and copies.
pub(super) fn make_all<'v>(
    engine: &Engine<'_>,
    messages: Vec<Result<Making<'v, '_, '_>, EngineError>>,
) -> Vec<Result<Vec<MadeCopy<'v>>, EngineError>> {
    let kept: Vec<Vec<Option<Sealed>>> = messages.iter().map(|message| keep_all(engine, message)).collect();
    let mut jobs = Vec::new();
    let counts: Vec<Result<usize, EngineError>> = messages
        .iter()
        .zip(&kept)
        .map(|(message, kept)| add_jobs(engine, message, kept, &mut jobs))
        .collect();
    let mut sealed = seal_many(jobs).into_iter();
    let mut made = Vec::with_capacity(messages.len());
    for ((message, kept), count) in messages.into_iter().zip(kept).zip(counts) {
        made.push(message.and_then(|message| {
            let sealed: Vec<_> = sealed.by_ref().take(count?).collect();
            assemble_all(message, kept, sealed)
        }));
    }
    made
}

fn keep_all(engine: &Engine<'_>, message: &Result<Making<'_, '_, '_>, EngineError>) -> Vec<Option<Sealed>> {
    let Ok(Making { versions, copies, .. }) = message else { return Vec::new() };
    copies.iter().map(|copy| keep(engine, versions.bytes(copy), copy)).collect()
}

fn assemble_all<'v>(
    Making { versions, copies, .. }: Making<'v, '_, '_>,
    kept: Vec<Option<Sealed>>,
    sealed: Vec<Result<Sealed, SealError>>,
) -> Result<Vec<MadeCopy<'v>>, EngineError> {
    let mut sealed = sealed.into_iter();
    let copies = copies.into_iter().zip(kept);
    copies.map(|(copy, kept)| assemble(versions.bytes(&copy), copy, kept, &mut sealed)).collect()
}

/// The message as it is, if its sender sealed it to all who shall read this copy.
fn keep(engine: &Engine<'_>, message: &[u8], copy: &ReadyCopy<'_>) -> Option<Sealed> {
    match &copy.way {
        Way::Plain(_) => None,
        Way::Seal(readers, ..) => {
            let active: Vec<&[Certificate]> = readers.iter().map(|reader| reader.active.as_slice()).collect();
            recognise(message, &active, engine.settings.openpgp)
        }
    }
}

/// Adds the jobs of one message, and says how many. Where one cannot be made, none of them is.
fn add_jobs<'j>(
    engine: &Engine<'_>,
    message: &'j Result<Making<'_, '_, '_>, EngineError>,
    kept: &[Option<Sealed>],
    jobs: &mut Vec<SealJob<'j>>,
) -> Result<usize, EngineError> {
    let Ok(Making { versions, copies, at }) = message else { return Ok(0) };
    let before = jobs.len();
    for (copy, _) in copies.iter().zip(kept).filter(|(_, kept)| kept.is_none()) {
        match job(engine, versions, copy, *at) {
            Ok(job) => jobs.extend(job),
            Err(error) => {
                jobs.truncate(before);
                return Err(error);
            }
        }
    }
    Ok(jobs.len() - before)
}

/// Nothing for a clear copy.
fn job<'j>(
    engine: &Engine<'_>,
    versions: &'j Versions<'_>,
    copy: &'j ReadyCopy<'_>,
    at: OffsetDateTime,
) -> Result<Option<SealJob<'j>>, EngineError> {
    let Way::Seal(readers, recipients, form) = &copy.way else { return Ok(None) };
    let marked = readers.iter().filter_map(Reader::marked).collect();
    let edited = copy.plan.edits.names();
    let mark = Mark { at, rule: copy.plan.rule.as_deref(), marked, edited };
    let seed = engine.entropy.seed()?;
    let message = versions.bytes(copy);
    Ok(Some(SealJob { message, recipients, form: *form, mark, seed }))
}

fn assemble<'m>(
    message: &'m [u8],
    copy: ReadyCopy<'_>,
    kept: Option<Sealed>,
    fresh: &mut impl Iterator<Item = Result<Sealed, SealError>>,
) -> Result<MadeCopy<'m>, EngineError> {
    let ReadyCopy { plan, way, .. } = copy;
    let mut report = blank_report(&plan, message.len() as u64);
    let content = match (way, kept) {
        (Way::Plain(consent), _) => {
            report.plain_source = Some(consent.source());
            Content::Plain(message, consent)
        }
        (Way::Seal(readers, _, form), Some(sealed)) => {
            report_kept(&mut report, &readers, sealed.facts());
            report_headers(&mut report, kept_headers(form));
            Content::Sealed(sealed)
        }
        (Way::Seal(readers, ..), None) => {
            let sealed = fresh.next().unwrap_or(Err(SealError::NoRecipient));
            let sealed = sealed.map_err(|source| unsealed(&plan, source))?;
            report_sealed(&mut report, &readers, sealed.facts());
            Content::Sealed(sealed)
        }
    };
    Ok(made(plan, content, report))
}

/// A copy with its content.
pub(super) fn made<'m>(plan: PlannedCopy<'_>, content: Content<'m>, report: CopyReport) -> MadeCopy<'m> {
    let owner = plan.owner.address.clone();
    let acting = plan.acting.map(|acting| acting.address.clone());
    let copy = Copy { owner, place: plan.place, create: plan.create, flags: plan.flags, content };
    MadeCopy { copy, report, acting }
}

/// What its sender encrypted keeps its header.
pub(super) fn kept_headers(form: smime::Form) -> Option<HeadersKept> {
    Some(HeadersKept::Protected).filter(|_| form.headers != HeaderPolicy::Keep)
}

/// Also if sealing gave fewer results than it had jobs: a doubt like any other, never a reason to store in the clear.
fn unsealed(plan: &PlannedCopy<'_>, source: SealError) -> EngineError {
    EngineError::Seal { mailbox: plan.full_mailbox(), source }
}

pub(super) fn blank_report(plan: &PlannedCopy<'_>, size: u64) -> CopyReport {
    CopyReport {
        owner: plan.owner.address.to_string(),
        mailbox: plan.place.name().to_owned(),
        file: plan.place.file(),
        rule: plan.rule.clone(),
        sealed_to: Vec::new(),
        cipher: None,
        size_before: size,
        size_after: 0,
        kept_as_is: false,
        plain_source: None,
        name: String::new(),
        warnings: Vec::new(),
    }
}

pub(super) fn report_sealed(report: &mut CopyReport, readers: &[Reader], facts: &SealFacts) {
    report.cipher = facts.cipher.map(|cipher| cipher.name);
    report.sealed_to.extend(readers.iter().flat_map(Reader::reports));
    report.warnings.extend(readers.iter().flat_map(|reader| reader.warnings.iter().cloned()));
    report_headers(report, facts.headers_kept);
}

pub(super) fn report_headers(report: &mut CopyReport, kept: Option<HeadersKept>) {
    report.warnings.extend(kept.map(|reason| reason.to_string()));
}

pub(super) fn report_kept(report: &mut CopyReport, readers: &[Reader], facts: &SealFacts) {
    report.kept_as_is = true;
    report.cipher = facts.cipher.map(|cipher| cipher.name);
    for reader in readers {
        let is_named = |held: &&Certificate| {
            let fingerprint = Some(held.fingerprint());
            facts.recipients.iter().any(|to| to.certificate == fingerprint)
        };
        report.sealed_to.extend(reader.active.iter().filter(is_named).map(|held| reader.report(held)));
        report.warnings.extend(reader.warnings.iter().cloned());
    }
    report.warnings.push("encrypted by its sender and kept as it is: that it opens is not proved".into());
}
