//! Commands beside mail: whoever fails first, nothing leaves and nothing is run for nothing.

use super::*;
use crate::engine::{CommandRun, HelperError, Helpers};
use crate::rules::{Answer, Command, Envelope};

/// Writes into the log of the queue when a command runs, and whether it fails.
struct Runner<'a> {
    recorder: &'a Recorder,
}

impl Helpers for Runner<'_> {
    fn may_run(&self, _: &Command, _: &Envelope) -> Result<(), HelperError> {
        Ok(())
    }
    fn execute(&self, run: &CommandRun<'_>) -> Result<(), HelperError> {
        let failed = |_| HelperError { helper: run.command.program().to_owned(), reason: "broken".into() };
        self.recorder.did("run").map_err(failed)
    }
    fn ask(&self, _: &str, _: &[u8], _: &Envelope) -> Result<Answer, HelperError> {
        panic!("no rule asks a filter")
    }
}

const BOTH: &str = r#"["Execute", "/bin/a"], ["Redirect to", "dan@far.example"]"#;

fn run_with(world: &World, broken: Option<&'static str>) -> (u8, Vec<String>) {
    let recorder = Recorder { broken, ..Recorder::default() };
    let runner = Runner { recorder: &recorder };
    let engine = Engine { outbox: &recorder, helpers: &runner, ..world.engine() };
    let outcome = engine.deliver(&request(MAIL, &[BOB]));
    (outcome.disposition.exit_code(), recorder.log())
}

#[test]
fn commands_run_when_the_mail_is_held_and_take_it_back_when_they_fail() {
    for (broken, code, log, stored) in [
        (None, 0, vec!["hold", "run", "release"], 1),
        (Some("hold"), 75, vec!["hold"], 0),
        (Some("run"), 75, vec!["hold", "run", "withdraw"], 0),
    ] {
        let world = bobs(BOTH);
        let told = run_with(&world, broken);
        assert_eq!(told, (code, log.into_iter().map(str::to_owned).collect()), "{broken:?}");
        assert_eq!(world.store.total(), stored, "{broken:?}");
    }
}

#[test]
fn what_fails_between_the_commands_and_the_first_copy_takes_the_mail_back() {
    let rule = format!(
        "[[rule]]\nname = \"All\"\npriority = 5\nthen = [{BOTH}, [\"Store Encrypted in\", \"~ada@north.example/INBOX\"]]\n"
    );
    let mut world = World::new().with_rules(ScopeKind::Server, "", &rule);
    world.settings.max_message = 1 << 20;
    world.broken = Some("begin");
    let recorder = Recorder::default();
    let runner = Runner { recorder: &recorder };
    let engine = Engine { outbox: &recorder, helpers: &runner, ..world.engine() };
    let call = Request { queue_id: Some("4ZbK2m".into()), ..request(MAIL, &[BOB]) };
    assert_eq!(engine.deliver(&call).disposition.exit_code(), 75);
    assert_eq!(
        (recorder.log(), world.store.total()),
        (["hold", "run", "withdraw"].map(str::to_owned).to_vec(), 0)
    );
}

#[test]
fn without_mail_nothing_is_taken_back() {
    let world = bobs(r#"["Execute", "/bin/a"]"#);
    assert_eq!(run_with(&world, Some("run")), (75, vec!["run".to_owned()]));
}
