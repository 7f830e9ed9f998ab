//! The messages of one window: judged in their order, made in one go, stored in one go.

use super::Parcel;
use crate::engine::certificates::Certificates;
use crate::engine::deliver::{Case, Planned};
use crate::engine::execute::store_all;
use crate::engine::known::Known;
use crate::engine::programs::{Told, Watch};
use crate::engine::prospect::issuers;
use crate::engine::seal::{Making, ReadyCopy, Versions, make_all};
use crate::engine::{CopyReport, Disposition, Engine, EngineError, Fired, Outcome, Request};
use crate::mail::Address;
use crate::rules::{Action, Verdict};
use std::sync::Arc;

/// A message whose rules ran, or why they did not.
pub(in crate::engine) struct Judged<'m> {
    case: Result<Case<'m>, EngineError>,
    fired: Vec<Fired>,
}

/// The copies of a message with their certificates.
type Ready<'a> = Result<Vec<ReadyCopy<'a>>, EngineError>;

/// Asks in one go where all recipients lead.
pub(in crate::engine) fn look_ahead(engine: &Engine<'_>, known: &Known<'_>, parcels: &[Arc<Parcel>]) {
    let recipients = parcels.iter().flat_map(|parcel| &parcel.recipients);
    let recipients: Vec<Address> = recipients.map(|to| to.address.clone()).collect();
    known.look_ahead(&recipients, engine.settings.recipient_delimiter);
}

/// Runs the rules; nothing if the message must go alone. Until that is known nothing is done that another run would do again.
pub(in crate::engine) fn judge<'m>(
    engine: &Engine<'_>,
    known: &Known<'_>,
    parcel: &'m Parcel,
) -> Option<Judged<'m>> {
    parcel.held()?;
    let request = parcel.request();
    let mut told = Told::default();
    let looked_up = engine.look_up(&request).and_then(|addressees| {
        let programs = known.programs(engine, &addressees)?;
        Ok((addressees, programs))
    });
    let case = match looked_up {
        Err(error) => Err(error),
        Ok((_, programs)) if programs.look_around() => return None,
        Ok((addressees, programs)) => {
            engine.judge_by(&programs, &request, addressees, Watch::Silent, &mut told)
        }
    };
    let goes_alone = case.as_ref().is_ok_and(|case| does_more(case, &request));
    (!goes_alone).then_some(Judged { case, fired: told.fired })
}

/// Do its rules want more than copies? The copies of the server's rules have marks where a message is known again.
fn does_more(case: &Case<'_>, request: &Request<'_>) -> bool {
    let wants =
        |verdict: &Verdict, more: fn(&Action) -> bool| verdict.steps.iter().any(|step| more(&step.action));
    let (server, accounts) = (&case.verdicts.server, &case.verdicts.accounts);
    let is_marked = request.is_known_again() && wants(server, stores);
    is_marked || std::iter::once(server).chain(accounts).any(|verdict| wants(verdict, acts))
}

fn stores(action: &Action) -> bool {
    matches!(action, Action::Store(_) | Action::StoreEncrypted(..) | Action::CopyAttachments(_))
}

/// A list of all, so that a new action is decided about.
fn acts(action: &Action) -> bool {
    match action {
        Action::Remember(_)
        | Action::PassOn(..)
        | Action::Reply(..)
        | Action::Execute(_)
        | Action::Filter(_) => true,
        Action::StoreEncrypted(..)
        | Action::Store(_)
        | Action::CopyAttachments(_)
        | Action::Mark(_)
        | Action::AddHeader(_)
        | Action::TagSubject(_)
        | Action::Reject(_)
        | Action::Discard
        | Action::Stop => false,
    }
}

/// How a window is delivered whose answers are those of a directory that is no more.
pub(in crate::engine) struct Anew<'e, R> {
    /// It remembers nothing.
    pub(in crate::engine) engine: Engine<'e>,
    /// Held until all is done.
    pub(in crate::engine) alone: R,
}

impl<R> Anew<'_, R> {
    fn deliver(self, parcels: &[Arc<Parcel>]) -> Vec<Outcome> {
        let outcomes = parcels.iter().map(|parcel| self.engine.deliver(&parcel.request())).collect();
        drop(self.alone);
        outcomes
    }
}

/// Plans and makes, waits for its turn, stores, or delivers one by one if the turn says so; one outcome for each message that was
/// judged, in their order, with what the turn gave. Nothing if there is no turn: then nothing is stored.
pub(in crate::engine) fn deliver<'e, G, R>(
    engine: &Engine<'_>,
    known: &Known<'_>,
    parcels: &[Arc<Parcel>],
    judged: Vec<Judged<'_>>,
    turn: impl FnOnce() -> Option<(G, Option<Anew<'e, R>>)>,
) -> Option<(G, Vec<Outcome>)> {
    let (mut cases, mut failures, mut fired) = (Vec::new(), Vec::new(), Vec::new());
    for judged in judged {
        let (case, failure) = judged.case.map_or_else(|error| (None, Some(error)), |case| (Some(case), None));
        cases.push(case);
        failures.push(failure);
        fired.push(judged.fired);
    }
    let planned =
        parcels.iter().zip(&cases).zip(failures).map(|((parcel, case), failure)| match (case, failure) {
            (Some(case), None) => plan(engine, known, &parcel.request(), case),
            (_, failure) => Err(failure.unwrap_or(EngineError::NoRecipient)),
        });
    let (ready, warnings): (Vec<Ready<'_>>, Vec<Vec<String>>) = planned.map(parts).unzip();
    let versions: Vec<Versions<'_>> = cases
        .iter()
        .zip(&ready)
        .map(|(case, ready)| Versions::of(case.as_ref().map_or(&[], |case| case.message), copies_of(ready)))
        .collect();
    let at = || engine.clock.now();
    let making = ready.into_iter().zip(&versions);
    let making =
        making.map(|(copies, versions)| Ok(Making { versions, copies: copies?, at: at() })).collect();
    let made = make_all(engine, making);
    let (turn, anew) = turn()?;
    if let Some(anew) = anew {
        drop(made);
        return Some((turn, anew.deliver(parcels.get(..cases.len()).unwrap_or_default())));
    }
    let in_time = |(made, parcel): (_, &Arc<Parcel>)| engine.check_time(parcel.until).and(made);
    let stored = store_all(engine.store, made.into_iter().zip(parcels).map(in_time).collect());
    Some((turn, stored.into_iter().zip(fired).zip(warnings).map(outcome).collect()))
}

fn copies_of<'r, 'a>(ready: &'r Ready<'a>) -> &'r [ReadyCopy<'a>] {
    ready.as_ref().map(Vec::as_slice).unwrap_or_default()
}

/// With what is known of certificates and lists.
fn plan<'c>(
    engine: &Engine<'_>,
    known: &Known<'_>,
    request: &Request<'_>,
    case: &'c Case<'_>,
) -> Result<Planned<'c>, EngineError> {
    let lists = known.lists(issuers(case.accounts()))?;
    let (settings, at, built_in) = (engine.settings, engine.clock.now(), engine.built_in);
    let judged = Some(&known.judgements);
    engine.plan_with(&Certificates { settings, at, lists: &lists, built_in, judged }, request, case)
}

fn parts(planned: Result<Planned<'_>, EngineError>) -> (Ready<'_>, Vec<String>) {
    match planned {
        Ok(Planned { copies, warnings, .. }) => (Ok(copies), warnings),
        Err(error) => (Err(error), Vec::new()),
    }
}

type Stored = Result<Vec<CopyReport>, EngineError>;

fn outcome(((stored, fired), warnings): ((Stored, Vec<Fired>), Vec<String>)) -> Outcome {
    match stored {
        Err(error) => Outcome::failed(&error, fired),
        Ok(copies) => {
            let (disposition, done, is_divisible) = (Disposition::Delivered, Vec::new(), false);
            Outcome { disposition, cause: None, fired, copies, done, warnings, is_divisible }
        }
    }
}
