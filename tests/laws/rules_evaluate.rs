//! Rules on their way over a message.

use sealpost::mail::{HeaderEdits, Message, without_mbox_line};
use sealpost::rules::{
    Answer, Ending, Envelope, Evaluation, Facts, Input, Program, Progress, RuleSet, ScopeKind, Source,
    Verdict,
};

/// The input is a rule file in either text, an octet 0, and a message. Whatever both are:
///
/// - Evaluation ends, and ends the same a second time, and when it writes down what happens.
/// - What discards is named.
/// - After a rejection nothing is left to do, and its text is one line.
pub(crate) fn hold(input: &[u8]) {
    let (rules, message) = parts(input);
    let text = String::from_utf8_lossy(rules);
    let message = Message::new(without_mbox_line(message));
    let envelope = Envelope {
        sender: Some("eve@east.example".to_owned()),
        recipients: vec!["bob@north.example".to_owned()],
        source: Source::Pipe,
        client: Some("192.0.2.1".to_owned()),
    };
    let (facts, edits) = (facts(), HeaderEdits::default());
    let input = Input { message: &message, envelope: &envelope, facts: &facts, edits: &edits };
    for scope in ScopeKind::ALL {
        let Ok(set) = RuleSet::from_text("rules", &text, *scope) else { continue };
        let program = Program::new(vec![(*scope, set)]);
        for answer in [Answer::Accept, Answer::Discard, Answer::AddHeader(vec!["X-A: b".to_owned()])] {
            assert_settled(&program, input, &answer);
        }
    }
}

fn assert_settled(program: &Program, input: Input<'_>, answer: &Answer) {
    let verdict = finish(&mut Evaluation::new(program, input), answer);
    assert_eq!(finish(&mut Evaluation::new(program, input), answer), verdict);
    assert_eq!(finish(&mut Evaluation::traced(program, input), answer), verdict);
    match &verdict.ending {
        Ending::Reject(text) => assert!(verdict.steps.is_empty() && !text.contains(['\r', '\n'])),
        Ending::Discard => assert!(verdict.ended_by.is_some()),
        Ending::Overruled => panic!("no evaluation ends so"),
        Ending::Inbox => (),
    }
}

fn finish(evaluation: &mut Evaluation<'_>, answer: &Answer) -> Verdict {
    loop {
        match evaluation.run() {
            Progress::Done(verdict) => return verdict,
            Progress::Ask(_) => evaluation.answer(answer.clone()),
        }
    }
}

/// What a rule may ask for besides the message.
fn facts() -> Facts {
    Facts {
        mailboxes: vec!["INBOX".to_owned(), "Archive/2026".to_owned()],
        datasets: [("Friends".to_owned(), vec!["ann@east.example".to_owned()])].into(),
        preferences: vec![("Language".to_owned(), "de".to_owned())],
        routes: vec!["LOCAL(bob@north.example)".to_owned()],
        ..Facts::default()
    }
}

fn parts(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|octet| *octet == 0).unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// A name and the rules with a message behind.
pub(crate) fn seeds() -> Vec<(&'static str, String)> {
    let mail = "From: Ann <ann@east.example>\nTo: bob@north.example\nSubject: =?utf-8?q?gr=C3=BCn?=\n\nHi.\n";
    let toml = "[[rule]]\nname = \"a\"\npriority = 5\nwhen = [\n  [\"From\", \"in\", [\"*@East.example\", \"#Friends\"]],\n  \
        [\"Header Field\", \"is not\", \"X-*: *\"],\n]\nthen = [[\"Store in\", \"Box\"], [\"Mark\", \"Seen\"], [\"Add Header\", \"X-A: b\"]]\n\n\
        [[rule]]\nname = \"b\"\npriority = 4\nwhen = [[\"Subject\", \"is\", 'gr*\\\\*']]\nthen = [[\"Reject with\", \"No.\"]]\n";
    let array = "((9,a,((\"Time Of Day\",in,\"00:00-24:00\"),(Security,\"is not\",\"encrypted*\")),((\"Tag Subject\",\"[x]\"))),\
        (3,b,((\"Any To or Cc\",is,\"bob@*\"),(\"Human Generated\")),((\"Store Encrypted in\",A),(Discard))))";
    vec![("toml", format!("{toml}\0{mail}")), ("array", format!("{array}\0{mail}"))]
}
