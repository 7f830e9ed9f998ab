//! The commands that rules run over a message.

use super::deliver::Case;
use super::plan::Effect;
use super::{Account, CommandRun, Engine, EngineError, Recipient, Request};
use crate::mail::{HeaderEdits, Message};
use crate::rules::{Action, Envelope};

/// A command, and what it is run over.
pub(super) struct Run<'a> {
    acting: Option<&'a Account>,
    rule: String,
    command: String,
    message: &'a [u8],
    edits: HeaderEdits,
    envelope: Envelope,
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
            envelope: envelope(request),
        }),
        _ => None,
    };
    effects.iter().filter_map(run).collect()
}

fn envelope(request: &Request<'_>) -> Envelope {
    Envelope {
        sender: request.sender.clone(),
        recipients: request.recipients.iter().map(Recipient::as_sent).collect(),
        source: request.source,
        client: request.client.clone(),
    }
}

impl Run<'_> {
    /// Runs it to its end.
    pub(super) fn run(&self, engine: &Engine<'_>) -> Result<(), EngineError> {
        let message = self.edits.apply(&Message::new(self.message));
        let account = self.acting.map(|acting| &acting.address);
        let run = CommandRun { command: &self.command, account, message: &message, envelope: &self.envelope };
        let failed = |source| EngineError::Helper { rule: self.rule.clone(), source };
        engine.helpers.execute(&run).map_err(failed)
    }
}
