//! The commands that rules run over a message.

use super::deliver::Case;
use super::plan::Effect;
use super::{Account, CommandRun, Engine, EngineError, Fired, HelperError, Recipient, Request};
use crate::mail::{HeaderEdits, Message};
use crate::rules::{Action, Command, Envelope};

/// A command, and what it is run over.
pub(super) struct Run<'a> {
    acting: Option<&'a Account>,
    rule: String,
    command: Command,
    message: &'a [u8],
    edits: HeaderEdits,
    envelope: Envelope,
    /// See [`EngineError::OfServer`].
    is_of_server: bool,
}

/// Those among the effects, in their order.
pub(super) fn runs<'a>(request: &Request<'_>, case: &'a Case<'_>, effects: &[Effect<'a>]) -> Vec<Run<'a>> {
    let run = |effect: &Effect<'a>| match &effect.action {
        Action::Execute(command) => Some(Run {
            acting: effect.acting,
            rule: effect.rule.clone(),
            command: command.clone(),
            message: case.message,
            edits: effect.edits.clone(),
            envelope: envelope(request, case, effect.acting),
            is_of_server: effect.acting.is_none() && case.verdicts.server_is_same,
        }),
        _ => None,
    };
    effects.iter().filter_map(run).collect()
}

/// An account's command learns of no recipient but its own.
fn envelope(request: &Request<'_>, case: &Case<'_>, acting: Option<&Account>) -> Envelope {
    let recipients = match acting {
        None => request.recipients.iter().map(Recipient::as_sent).collect(),
        Some(acting) => {
            let mut known = case.addressees.known.iter();
            let own = known.find(|known| known.account.address == acting.address);
            own.map(|known| known.as_sent.clone()).unwrap_or_default()
        }
    };
    let (sender, client) = (request.sender.clone(), request.client.clone());
    Envelope { sender, recipients, source: request.source, client }
}

impl Run<'_> {
    /// What it is, without the command.
    pub(super) fn act(&self) -> Fired {
        let account = self.acting.map(|acting| acting.address.to_string());
        Fired { account, rule: self.rule.clone(), action: "Execute".to_owned() }
    }

    /// Would it be started?
    pub(super) fn check(&self, engine: &Engine<'_>) -> Result<(), EngineError> {
        engine.helpers.may_run(&self.command, &self.envelope).map_err(|source| self.failed(source))
    }

    /// Runs it to its end, which comes when no time is left.
    pub(super) fn run(&self, engine: &Engine<'_>, left: Option<time::Duration>) -> Result<(), EngineError> {
        let message = self.edits.apply(&Message::new(self.message));
        let account = self.acting.map(|acting| &acting.address);
        let (command, envelope) = (&self.command, &self.envelope);
        let most = left.map(|left| left.try_into().unwrap_or_default());
        let run = CommandRun { command, account, message: &message, envelope, most };
        engine.helpers.execute(&run).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: HelperError) -> EngineError {
        EngineError::Helper { rule: self.rule.clone(), source }.of_server_if(self.is_of_server)
    }
}
