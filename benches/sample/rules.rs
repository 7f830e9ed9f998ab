//! Rules, and a message that travelled.

use sealpost::mail::{HeaderEdits, Message};
use sealpost::rules::{Envelope, Evaluation, Facts, Input, Program, Progress, RuleSet, ScopeKind, Source};
use std::fmt::Write;

#[derive(Clone, Copy)]
pub(crate) enum Asked {
    All,
    First,
}

/// Rules of three conditions. All three are asked of each (the last decides, and does not hold) unless the first is made
/// to decide.
pub(crate) fn program(rules: usize, asked: Asked) -> Program {
    read(&text(rules, asked))
}

/// As whoever delivers one message does it.
pub(crate) fn read(text: &str) -> Program {
    let set = RuleSet::from_toml("bench.toml", text, ScopeKind::Account).expect("right rules");
    Program::new(vec![(ScopeKind::Account, set)])
}

pub(crate) fn text(rules: usize, asked: Asked) -> String {
    let mut text = String::new();
    for at in 0..rules {
        let from = match asked {
            Asked::All => format!(r#"["From", "not in", ["*@list{at}.example", "robot{at}@south.example"]]"#),
            Asked::First => format!(r#"["From", "in", ["*@list{at}.example", "robot{at}@south.example"]]"#),
        };
        let rule = format!(
            "[[rule]]\nname = \"{at}\"\npriority = {}\nwhen = [{from}, [\"Subject\", \"is not\", \"*invoice {at}*\"], \
             [\"Header Field\", \"is\", \"List-Id: *list{at}.example*\"]]\nthen = [[\"Store Encrypted in\", \"Box\"]]\n",
            1 + at % 10
        );
        text.write_str(&rule).expect("a text grows");
    }
    text
}

/// From bytes to a verdict, as a delivery does it.
pub(crate) fn judge(program: &Program, mail: &[u8], envelope: &Envelope) -> Progress {
    let (message, facts, edits) = (Message::new(mail), Facts::default(), HeaderEdits::default());
    Evaluation::new(program, Input { message: &message, envelope, facts: &facts, edits: &edits }).run()
}

pub(crate) fn envelope() -> Envelope {
    Envelope {
        sender: Some("bo@north.example".into()),
        recipients: vec![super::READER.into()],
        source: Source::Pipe,
        client: None,
    }
}

/// The fields that a message has after a few servers, in front of what its author wrote.
pub(crate) fn travelled(size: usize) -> Vec<u8> {
    let mut mail = String::from("Return-Path: <bo@north.example>\r\nDelivered-To: anna@north.example\r\n");
    for hop in 0..6 {
        let line = format!(
            "Received: from mx{hop}.north.example (mx{hop}.north.example [192.0.2.{hop}])\r\n\tby mx.south.example (Postfix) with ESMTPS id 4ABC{hop}\r\n\tfor <anna@north.example>; Thu, 26 Nov 2026 10:00:0{hop} +0100 (CET)\r\n"
        );
        mail.push_str(&line);
    }
    mail.push_str("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=north.example; s=mail;\r\n\th=from:to:subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR\r\n");
    mail.push_str("X-Spam-Status: No, score=-2.1 required=5.0\r\nUser-Agent: Mozilla Thunderbird\r\n");
    [mail.into_bytes(), super::message(size)].concat()
}
