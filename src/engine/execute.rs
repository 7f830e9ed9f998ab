//! Stage every copy, hold the mail, run the commands, then make every copy visible; else nothing.

use super::effects::Effects;
use super::plan::PlannedCopy;
use super::seal::{MadeCopy, ReadyCopy, Way};
use super::{
    Copy, CopyName, CopyReport, Engine, EngineError, Fired, Mailstore, Request, ServerCopy, ServerCopyState,
    Staged, StoreError,
};
use crate::mail::Message;
use crate::pki::Fingerprint;
use sha2::{Digest, Sha256};
use std::io;
use std::ops::ControlFlow;

/// A copy of a server rule that has an identity beyond this call.
pub(super) type Identity = Option<ServerCopy>;

/// Copies that remain to be stored, and marks of those that an earlier call stored.
pub(super) struct Remaining<'a> {
    /// With their identities.
    pub(super) copies: Vec<(ReadyCopy<'a>, Identity)>,
    /// Begun by an earlier call, and found in the mailbox.
    pub(super) found: Vec<ServerCopy>,
}

/// Leaves out the server copies that an earlier call with this queue id stored. One that was begun is looked for in
/// the mailbox: if it is not there (or no longer), it is stored again, because a copy too many is better than none.
pub(super) fn without_stored<'a>(
    engine: &Engine<'_>,
    request: &Request<'_>,
    copies: Vec<ReadyCopy<'a>>,
) -> Result<Remaining<'a>, EngineError> {
    let call =
        copies.iter().any(|copy| is_server_rule(&copy.plan)).then(|| call(request)).transpose()?.flatten();
    let asked: Vec<ServerCopy> = copies.iter().filter_map(|copy| identity(&call, copy)).collect();
    let states = if asked.is_empty() { Vec::new() } else { engine.directory.server_copies(&asked)? };
    let mut states = states.into_iter();
    let mut remaining = Remaining { copies: Vec::new(), found: Vec::new() };
    for copy in copies {
        let Some(mark) = identity(&call, &copy) else {
            remaining.copies.push((copy, None));
            continue;
        };
        match states.next() {
            Some(ServerCopyState::Done) => {}
            Some(ServerCopyState::Begun(name)) if holds(engine, &copy.plan, &name)? => {
                remaining.found.push(mark)
            }
            Some(ServerCopyState::Begun(_) | ServerCopyState::Unknown) | None => {
                remaining.copies.push((copy, Some(mark)));
            }
        }
    }
    Ok(remaining)
}

fn holds(engine: &Engine<'_>, plan: &PlannedCopy<'_>, name: &str) -> Result<bool, EngineError> {
    let Some(mailbox) = plan.place.mailbox() else { return Ok(false) };
    engine.store.holds(&plan.owner.address, mailbox, name).map_err(EngineError::Stage)
}

fn is_server_rule(plan: &PlannedCopy<'_>) -> bool {
    plan.acting.is_none() && plan.rule.is_some()
}

/// A sealed copy and a clear one in the same mailbox are two.
fn identity(call: &Option<String>, ReadyCopy { plan, way, .. }: &ReadyCopy<'_>) -> Identity {
    let queue_id = call.clone().filter(|_| is_server_rule(plan))?;
    let mailbox = match way {
        Way::Seal(..) => plan.full_mailbox(),
        Way::Plain(_) => format!("clear {}", plan.full_mailbox()),
    };
    Some(ServerCopy { queue_id, rule: plan.rule.clone()?, mailbox })
}

/// Fields that pipe(8) puts in front for each recipient (its flags D, O and R).
const PER_RECIPIENT: [&str; 3] = ["Delivered-To", "X-Original-To", "Return-Path"];

/// The queue id and what is queued under it. Postfix uses its short ids again, and a new message under an old id is no
/// copy of the old one: the message counts too, but for what differs from one recipient to the next. Over LMTP there is no
/// queue id, and the sender stands in its place.
pub(super) fn call(request: &Request<'_>) -> Result<Option<String>, EngineError> {
    let queue_id = match &request.queue_id {
        Some(id) => id.clone(),
        None if request.known_by_content => of_sender(request),
        None => return Ok(None),
    };
    let message = Message::new(request.octets());
    let mut digest = Sha256::new();
    let same = |name: &str| !PER_RECIPIENT.iter().any(|other| other.eq_ignore_ascii_case(name));
    message.fields().iter().filter(|field| same(field.name())).for_each(|field| digest.update(field.raw()));
    digest.update(message.body());
    digest_rest(request, &mut digest).map_err(EngineError::Source)?;
    Ok(Some(format!("{queue_id} {}", Fingerprint(digest.finalize().into()))))
}

/// An address may be as long as it likes: of one length.
fn of_sender(request: &Request<'_>) -> String {
    let sender = Sha256::digest(request.sender.as_deref().unwrap_or_default());
    format!("lmtp.{}", Fingerprint(sender.into()))
}

/// What stands behind the begin of a message that is too large to be held.
fn digest_rest(request: &Request<'_>, digest: &mut Sha256) -> io::Result<()> {
    let Some(large) = request.large else { return Ok(()) };
    large.rest().for_each(|piece| {
        digest.update(piece);
        Ok(ControlFlow::Continue(()))
    })
}

/// What became visible.
pub(super) struct Stored {
    /// In the order in which they became visible.
    pub(super) reports: Vec<CopyReport>,
    /// The commands that ran and the mails that go.
    pub(super) done: Vec<Fired>,
    /// What failed afterwards, without consequences for the mail.
    pub(super) warnings: Vec<String>,
}

struct StagedCopy {
    staged: Box<dyn Staged>,
    /// Absent for a file: it may get another name.
    name: Option<CopyName>,
    report: CopyReport,
    identity: Identity,
}

/// Stages all, then commits all: the files of all recipients first, so that whoever sees a message finds its files, and so
/// that the copy that is committed last, which tells the queue whether the delivery took place, is in a mailbox. Where
/// there are files only, none tells. An error before the first commit leaves nothing, because what is staged undoes itself
/// when dropped; after it what is visible stays, and the rest is dropped.
pub(super) fn store(
    engine: &Engine<'_>,
    copies: Vec<(MadeCopy<'_>, Identity)>,
    found: Vec<ServerCopy>,
    mut effects: Effects<'_>,
) -> Result<Stored, EngineError> {
    let mut staged = copies.into_iter().map(|made| stage(engine, made)).collect::<Result<Vec<_>, _>>()?;
    staged.sort_by_key(|copy| copy.name.is_some());
    let acts = effects.acts();
    let begun: Vec<(ServerCopy, String)> = staged
        .iter()
        .filter_map(|copy| copy.identity.clone().map(|mark| (mark, copy.staged.name().to_owned())))
        .collect();
    let names: Vec<CopyName> = staged.iter().filter_map(|copy| copy.name.clone()).collect();
    let held = effects.hold(engine, &names)?;
    // Whatever can fail at each retry comes before the commands: what they have done stays.
    let reports = effects
        .run(engine)
        .and_then(|()| begin(engine, &begun))
        .and_then(|()| effects.check_time(engine))
        .and_then(|()| commit(staged))
        .inspect_err(|error| {
            if !matches!(error, EngineError::Commit { visible: 1.., .. }) {
                effects.withdraw(engine, &held);
            }
        })?;
    let mut warnings = effects.finish(engine, &held)?;
    let done: Vec<ServerCopy> = begun.into_iter().map(|(mark, _)| mark).chain(found).collect();
    warnings.extend(finish(engine, &done));
    Ok(Stored { reports, done: acts, warnings })
}

fn begin(engine: &Engine<'_>, copies: &[(ServerCopy, String)]) -> Result<(), EngineError> {
    match copies {
        [] => Ok(()),
        copies => Ok(engine.directory.begin_server_copies(copies)?),
    }
}

fn stage(engine: &Engine<'_>, (made, identity): (MadeCopy<'_>, Identity)) -> Result<StagedCopy, EngineError> {
    let staged = engine.store.stage(&made.copy);
    taken(made, identity, staged)
}

/// What the store said to a copy.
fn taken(
    MadeCopy { copy, mut report, acting }: MadeCopy<'_>,
    identity: Identity,
    staged: Result<Box<dyn Staged>, StoreError>,
) -> Result<StagedCopy, EngineError> {
    let staged = staged.map_err(|error| match error {
        StoreError::NoMailbox { mailbox, .. } => {
            EngineError::no_mailbox(report.rule.as_deref(), (&copy.owner, &mailbox), acting.as_ref())
        }
        error => EngineError::Stage(error),
    })?;
    report.size_after = staged.size();
    report.name = staged.name().to_owned();
    report.warnings.extend_from_slice(staged.warnings());
    let name = report.name.clone();
    let name = copy.place.mailbox().cloned().map(|mailbox| CopyName { owner: copy.owner, mailbox, name });
    Ok(StagedCopy { staged, name, report, identity })
}

fn commit(staged: Vec<StagedCopy>) -> Result<Vec<CopyReport>, EngineError> {
    let all = staged.len();
    let mut reports = Vec::with_capacity(all);
    for copy in staged {
        let visible = reports.len();
        copy.staged.commit().map_err(|source| EngineError::Commit { visible, all, source })?;
        reports.push(copy.report);
    }
    Ok(reports)
}

/// The copies of many messages that do no more than store: all of them staged, then all committed. One answer for each
/// message, in their order; a message that failed before stays failed.
pub(super) fn store_all(
    store: &dyn Mailstore,
    messages: Vec<Result<Vec<MadeCopy<'_>>, EngineError>>,
) -> Vec<Result<Vec<CopyReport>, EngineError>> {
    let copies: Vec<&Copy<'_>> = messages.iter().flatten().flatten().map(|made| &made.copy).collect();
    let asked = copies.len();
    let answers = store.stage_all(&copies);
    let counted = counted(asked, answers.len());
    let mut answers = answers.into_iter();
    let mut stage = |made: Vec<MadeCopy<'_>>| {
        counted().map_err(EngineError::Stage)?;
        let answers: Vec<_> = answers.by_ref().take(made.len()).collect();
        let staged = made.into_iter().zip(answers).map(|(made, answer)| taken(made, None, answer));
        let mut staged = staged.collect::<Result<Vec<_>, _>>()?;
        staged.sort_by_key(|copy| copy.name.is_some());
        Ok(staged)
    };
    commit_all(store, messages.into_iter().map(|made| made.and_then(&mut stage)).collect())
}

/// Nobody knows which copy an answer means if there is not one for each: then none of them is one.
fn counted(copies: usize, answers: usize) -> impl Fn() -> Result<(), StoreError> {
    move || if copies == answers { Ok(()) } else { Err(StoreError::Unanswered { copies, answers }) }
}

/// The copies of a message become visible one after the other, as those of a message alone do: the first ones of all messages
/// together, then the second ones of those whose first is there.
fn commit_all(
    store: &dyn Mailstore,
    messages: Vec<Result<Vec<StagedCopy>, EngineError>>,
) -> Vec<Result<Vec<CopyReport>, EngineError>> {
    let mut committing: Vec<Result<Committing, EngineError>> =
        messages.into_iter().map(|staged| staged.map(Committing::new)).collect();
    loop {
        let mut staged = Vec::new();
        let mut due = Vec::new();
        for message in &mut committing {
            if let Some(copy) = message.as_mut().ok().and_then(|one| one.waiting.next()) {
                staged.push(copy.staged);
                due.push((message, copy.report));
            }
        }
        if staged.is_empty() {
            return committing.into_iter().map(|message| Ok(message?.visible)).collect();
        }
        let asked = staged.len();
        let ends = store.commit_all(staged);
        let counted = counted(asked, ends.len());
        let mut ends = ends.into_iter();
        for (message, report) in due {
            let missing = || Err(StoreError::Unanswered { copies: asked, answers: 0 });
            let end = counted().and_then(|()| ends.next().unwrap_or_else(missing));
            Committing::see(message, report, end);
        }
    }
}

/// A message some of whose copies are visible.
struct Committing {
    waiting: std::vec::IntoIter<StagedCopy>,
    visible: Vec<CopyReport>,
    all: usize,
}

impl Committing {
    fn new(staged: Vec<StagedCopy>) -> Committing {
        Committing {
            all: staged.len(),
            visible: Vec::with_capacity(staged.len()),
            waiting: staged.into_iter(),
        }
    }

    /// After an error the rest is dropped, which undoes it.
    fn see(message: &mut Result<Committing, EngineError>, report: CopyReport, end: Result<(), StoreError>) {
        let Ok(one) = message else { return };
        match end {
            Ok(()) => one.visible.push(report),
            Err(source) => {
                *message = Err(EngineError::Commit { visible: one.visible.len(), all: one.all, source });
            }
        }
    }
}

/// The mail is stored and the marks name it: a mark that stays "begun" costs one look-up, so that it is no doubt.
fn finish(engine: &Engine<'_>, done: &[ServerCopy]) -> Vec<String> {
    if done.is_empty() {
        return Vec::new();
    }
    match engine.directory.finish_server_copies(done) {
        Ok(()) => Vec::new(),
        Err(error) => vec![format!("stored, but not marked as stored for later calls: {error}")],
    }
}
