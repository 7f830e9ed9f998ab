//! The mail that rules send, seen by a queue that writes down what it is told.

mod commands;
mod discards;

use super::*;
use crate::mail::Message;
use crate::system::worked_since;
use proptest::prelude::*;

/// A queue in memory.
#[derive(Default)]
pub(super) struct Recorder {
    log: Mutex<Vec<String>>,
    held: Mutex<Vec<OutgoingMail>>,
    copies: Mutex<Vec<CopyName>>,
    answered: Vec<ReplyKey>,
    asked: Mutex<Vec<(usize, OffsetDateTime)>>,
    broken: Option<&'static str>,
    released_since: Mutex<Option<Duration>>,
}

impl Recorder {
    fn did(&self, what: &'static str) -> Result<(), OutboxError> {
        self.log.lock().unwrap().push(what.to_owned());
        if self.broken == Some(what) { Err(OutboxError("broken".into())) } else { Ok(()) }
    }

    /// By which the queue tells whether the delivery took place.
    pub(super) fn witness(&self) -> Option<CopyName> {
        self.copies.lock().unwrap().last().cloned()
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

impl Outbox for Recorder {
    fn may_send(&self, _mails: &[OutgoingMail]) -> Result<(), OutboxError> {
        if self.broken == Some("may send") { Err(OutboxError("broken".into())) } else { Ok(()) }
    }
    fn answered(&self, asked: &[ReplyKey], since: OffsetDateTime) -> Result<Vec<bool>, OutboxError> {
        self.did("answered")?;
        self.asked.lock().unwrap().push((asked.len(), since));
        Ok(asked.iter().map(|key| self.answered.contains(key)).collect())
    }
    fn hold(
        &self,
        mails: Vec<OutgoingMail>,
        copies: &[CopyName],
        at: OffsetDateTime,
    ) -> Result<Held, OutboxError> {
        self.did("hold")?;
        assert_eq!(at, noon());
        self.copies.lock().unwrap().extend_from_slice(copies);
        let ids = mails.iter().map(|mail| mail.rule.clone()).collect();
        self.held.lock().unwrap().extend(mails);
        Ok(Held(ids))
    }
    fn release(
        &self,
        held: &Held,
        at: OffsetDateTime,
        answered_since: Option<OffsetDateTime>,
    ) -> Result<(), OutboxError> {
        *self.released_since.lock().unwrap() = answered_since.map(|since| at - since);
        assert!(!held.0.is_empty());
        self.did("release")
    }
    fn withdraw(&self, _held: &Held) -> Result<(), OutboxError> {
        self.did("withdraw")
    }
}

/// What one delivery sent.
struct Sent {
    outcome: Outcome,
    mails: Vec<OutgoingMail>,
    world: World,
    recorder: Recorder,
}

impl Sent {
    fn only(&self) -> &OutgoingMail {
        assert_eq!(self.mails.len(), 1, "{:?}", self.outcome);
        &self.mails[0]
    }

    fn text(&self) -> String {
        text(self.only())
    }
}

fn text(mail: &OutgoingMail) -> String {
    String::from_utf8(mail.message.expose().to_vec()).unwrap()
}

fn recipients(mail: &OutgoingMail) -> Vec<String> {
    mail.recipients.iter().map(Address::to_string).collect()
}

/// Bob's rule with one action.
fn bobs(action: &str) -> World {
    let rule = format!("[[rule]]\nname = \"Away\"\npriority = 5\nthen = [{action}]\n");
    let mut world = World::new().with_rules(ScopeKind::Account, BOB, &rule);
    world.settings.max_message = 1 << 20;
    world
}

fn servers(action: &str) -> World {
    World::new().with_rules(
        ScopeKind::Server,
        "",
        &format!("[[rule]]\nname = \"All\"\npriority = 5\nthen = [{action}]\n"),
    )
}

fn deliver_with(world: World, recorder: Recorder, request: &Request<'_>) -> Sent {
    let outcome = Engine { outbox: &recorder, ..world.engine() }.deliver(request);
    let mails = std::mem::take(&mut *recorder.held.lock().unwrap());
    Sent { outcome, mails, world, recorder }
}

fn deliver(world: World, request: &Request<'_>) -> Sent {
    let sent = deliver_with(world, Recorder::default(), request);
    assert_eq!(sent.outcome.disposition, Disposition::Delivered, "{:?}", sent.outcome.cause);
    sent
}

fn send(action: &str, message: &[u8]) -> Sent {
    deliver(bobs(action), &request(message, &[BOB]))
}

/// The header in lines, folds undone, and the body.
fn parts(text: &str) -> (Vec<String>, &str) {
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    (header.replace("\r\n\t", " ").replace("\r\n ", " ").split("\r\n").map(str::to_owned).collect(), body)
}

/// The header, with `{id}` for each 32 hexadecimal digits that were drawn.
fn assert_header(text: &str, expected: &[&str]) {
    let is_id = |word: &&str| word.len() == 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let plain = |line: &String| {
        let id = line.split(|char: char| !char.is_ascii_alphanumeric()).find(is_id);
        id.map_or_else(|| line.clone(), |id| line.replace(id, "{id}"))
    };
    assert_eq!(parts(text).0.iter().map(plain).collect::<Vec<_>>(), expected);
}

const NOW: &str = "Sun, 01 Nov 2026 12:00:00 +0000";

#[test]
fn a_redirected_message_is_the_message_resent_by_the_account() {
    let mail = b"Return-Path: <carol@far.example>\nDelivered-To: bob@north.example\nReceived: by mx\nFrom: carol@far.example\n\
                 Bcc: secret@far.example\nSubject: pay\n\nThe body.\n";
    let sent = send(r#"["Redirect to", ["dan@far.example", "eve@far.example"]]"#, mail);
    let only = sent.only();
    assert_eq!((only.sender.as_str(), only.action, only.rule.as_str()), (BOB, "Redirect to", "Away"));
    assert_eq!(recipients(only), ["dan@far.example", "eve@far.example"]);
    assert_eq!(
        (only.account.as_ref(), only.identity.as_ref(), &only.replies_to),
        (Some(&address(BOB)), None, &None)
    );
    let text = sent.text();
    let date = format!("Resent-Date: {NOW}");
    assert_header(
        &text,
        &[
            &format!("Received: by north.example (Sealpost) id {{id}}; {NOW}"),
            "Delivered-To: bob@north.example",
            &date,
            "Resent-From: bob@north.example",
            "Resent-To: dan@far.example, eve@far.example",
            "Resent-Message-ID: <{id}@north.example>",
            "Delivered-To: bob@north.example",
            "Received: by mx",
            "From: carol@far.example",
            "Subject: pay",
        ],
    );
    assert_eq!(parts(&text).1, "The body.\r\n");
    assert_eq!(sent.recorder.log(), ["hold", "release"]);
    assert_eq!(sent.world.store.total(), 1, "the copy is stored as usual");
    assert!(sent.outcome.warnings.is_empty());
}

#[test]
fn a_mirrored_message_keeps_its_sender_and_a_forwarded_one_is_attached() {
    let sent = send(r#"["Mirror to", "dan@far.example"]"#, MAIL);
    assert_eq!(sent.only().sender, "carol@far.example");
    let trace = format!("Received: by north.example (Sealpost) id {{id}}; {NOW}");
    let mirrored = [trace.as_str(), "Delivered-To: bob@north.example", "X-Mirrored-By: <bob@north.example>"];
    let original = ["From: carol@far.example", "To: bob@north.example", "Subject: pay"];
    assert_header(&sent.text(), &[&mirrored[..], &original].concat());

    let mail = [b"Received: by mx\nDelivered-To: old@far.example\n".as_slice(), MAIL].concat();
    let sent = send(r#"["Forward to", "dan@far.example"]"#, &mail);
    assert_eq!(sent.only().sender, BOB);
    let text = sent.text();
    assert_header(
        &text,
        &[
            &trace,
            "Delivered-To: bob@north.example",
            "Delivered-To: old@far.example",
            "From: <bob@north.example>",
            "To: <dan@far.example>",
            "Subject: Fwd: pay",
            "Date: Sun, 1 Nov 2026 12:00:00 +0000",
            "Message-ID: <{id}@north.example>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: multipart/mixed; boundary=\"=_{id}\"",
        ],
    );
    let inner = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\nReceived: by mx\r\n\
                 Delivered-To: old@far.example\r\nFrom: carol@far.example\r\nTo: bob@north.example\r\nSubject: pay\r\n\r\n\
                 The body.\r\n\r\n--";
    assert!(text.contains(inner), "{text}");
    assert!(text.contains("A rule of bob@north.example forwards this message.\r\n"), "{text}");
}

/// Two accounts that redirect to each other must not send the report about a report.
#[test]
fn the_null_sender_stays_null() {
    for (action, sender) in [("Redirect to", ""), ("Forward to", ""), ("Mirror to", "")] {
        let given = Request { sender: Some(String::new()), ..request(MAIL, &[BOB]) };
        let sent = deliver(bobs(&format!("[\"{action}\", \"dan@far.example\"]")), &given);
        assert_eq!(sent.only().sender, sender, "{action}");
    }
    for (given, mirrored) in [(None, BOB), (Some("x> SIZE=1\r\nDATA"), ""), (Some("a@[192.0.2.1]"), "")] {
        let given = Request { sender: given.map(str::to_owned), ..request(MAIL, &[BOB]) };
        assert_eq!(deliver(bobs(r#"["Mirror to", "dan@far.example"]"#), &given).only().sender, mirrored);
        assert_eq!(deliver(bobs(r#"["Redirect to", "dan@far.example"]"#), &given).only().sender, BOB);
    }
}

#[test]
fn a_reply_answers_the_sender_of_the_envelope() {
    let mail = b"From: Carol <c.smith@far.example>\nReply-To: victim@else.example\nTo: bob@north.example\n\
                 Message-ID: <7@far.example>\nReferences: <5@far.example> <6@far.example>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\n\
                 The body.\n";
    let sent = send(r#"["Reply with", "I am away."]"#, mail);
    let only = sent.only();
    assert_eq!((only.sender.as_str(), recipients(only)), ("", vec!["carol@far.example".to_owned()]));
    let key =
        ReplyKey { account: Some(address(BOB)), rule: String::new(), sender: "carol@far.example".into() };
    assert_eq!(only.replies_to.as_ref(), Some(&key));
    let text = sent.text();
    assert_header(
        &text,
        &[
            "From: <bob@north.example>",
            "To: <carol@far.example>",
            "Subject: =?utf-8?B?QXV0bzogR3LDvMOfZQ==?=",
            "Date: Sun, 1 Nov 2026 12:00:00 +0000",
            "Message-ID: <{id}@north.example>",
            "In-Reply-To: <7@far.example>",
            "References: <5@far.example> <6@far.example> <7@far.example>",
            "Auto-Submitted: auto-replied",
            "X-Auto-Response-Suppress: All",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=\"utf-8\"",
            "Content-Transfer-Encoding: 7bit",
        ],
    );
    assert_eq!(parts(&text).1, "I am away.\r\n");
    assert_eq!(sent.recorder.log(), ["answered", "hold", "release"]);
    assert_eq!(*sent.recorder.asked.lock().unwrap(), [(1, noon() - Duration::days(7))]);
}

#[test]
fn the_text_may_bring_fields_and_marks() {
    let text = "+From: \\\"Bob at home\\\" <Bob+Away@North.Example>\\nSubject: Re: ^S\\nReply-To: desk@north.example\\n\
                Cc: dan@far.example\\nBcc: eve@far.example\\nX-Team: ^F\\n\\n^I from ^F at ^D for ^R by ^E^^";
    let mail = b"From: Carol <c.smith@far.example>\nTo: bob@north.example\nMessage-ID: <7@far.example>\n\
                 Date: Sat, 31 Oct 2026 10:00:00 +0100\nSubject: pay\n\nx\n";
    let sent = send(&format!("[\"Reply with\", \"{text}\"]"), mail);
    assert_eq!(recipients(sent.only()), ["carol@far.example", "dan@far.example", "eve@far.example"]);
    let text = sent.text();
    let (header, body) = parts(&text);
    for line in [
        "From: \"Bob at home\" <Bob+Away@north.example>",
        "Reply-To: <desk@north.example>",
        "To: <carol@far.example>",
        "Cc: <dan@far.example>",
        "Subject: Re: pay",
        "X-Team: c.smith@far.example",
    ] {
        assert!(header.iter().any(|found| found == line), "{line}: {header:?}");
    }
    assert!(!text.contains("eve@"), "a Bcc stands in no field");
    let body = body.replace("=\r\n", "");
    let told = "<7@far.example> from c.smith@far.example at Sat, 31 Oct 2026 10:00:00 +0100 for bob@north.example by \
                carol@far.example^\r\n";
    assert_eq!(body, told);
}

#[test]
fn html_texts_escape_what_a_stranger_wrote() {
    let sent = send(
        r#"["Reply with", "+Content-Type: text/html\nSubject: ^S\n\n<p>^S</p>"]"#,
        b"To: bob@north.example\nSubject: <script>\n\n",
    );
    let text = sent.text();
    assert!(text.contains("Content-Type: text/html; charset=\"utf-8\"\r\n"), "{text}");
    assert!(text.contains("Subject: <script>\r\n") && text.ends_with("<p>&lt;script&gt;</p>\r\n"), "{text}");
}

#[test]
fn a_reply_to_all_leaves_the_account_and_programs_out() {
    let mail =
        b"From: carol@far.example\nTo: Bob <bob+x@north.example>, dan@far.example, Carol@Far.example\n\
                 Cc: BOB@north.example, eve@far.example, rust-request@far.example, broken@\n\nx\n";
    let sent = send(r#"["Reply to All with", "I am away."]"#, mail);
    let expected = ["carol@far.example", "dan@far.example", "eve@far.example"];
    assert_eq!(recipients(sent.only()), expected);
    let text = sent.text();
    let (header, _) = parts(&text);
    assert_eq!(header[1..3], ["To: <carol@far.example>, <dan@far.example>", "Cc: <eve@far.example>"]);
    let many: String = (0..50).map(|at| format!("a{at}@far.example,")).collect();
    let sent = send(
        r#"["Reply to All with", "I am away."]"#,
        format!("To: bob@north.example\nCc: {many}\n\nx").as_bytes(),
    );
    assert!(sent.mails.is_empty());
    assert_eq!(
        sent.outcome.warnings,
        [
            "rule \"Away\": Reply to All with: not sent: the message names more than 50 people, and all of them would be answered"
        ]
    );
}

#[test]
fn a_reaction_goes_to_those_whom_its_text_names() {
    let sent = send(r#"["React with", "+To: Desk <desk@far.example>\nSubject: ^S\n\nMail from ^F."]"#, MAIL);
    assert_eq!(
        (sent.only().sender.as_str(), recipients(sent.only())),
        ("", vec!["desk@far.example".to_owned()])
    );
    let text = sent.text();
    let (header, body) = parts(&text);
    assert_eq!(header[..3], ["From: <bob@north.example>", "To: \"Desk\" <desk@far.example>", "Subject: pay"]);
    assert!(!text.contains("In-Reply-To"), "{text}");
    assert_eq!(body, "Mail from carol@far.example.\r\n");
    assert_eq!(sent.only().replies_to.as_ref().unwrap().sender, "carol@far.example");
}

/// RFC 3834 2: each with what the log says.
#[test]
fn who_is_never_answered() {
    let personal = "To: bob@north.example\n";
    let cases: &[(Option<&str>, String, &str)] = &[
        (None, personal.into(), "the hook does not say who sent the message (pipe: --sender ${sender})"),
        (Some(""), personal.into(), "the message has the null sender"),
        (Some("not an address"), personal.into(), "the envelope sender is no address"),
        (Some("Bob+x@north.example"), personal.into(), "the account sent the message itself"),
        (Some("MAILER-DAEMON@far.example"), personal.into(), "that of a program or a list"),
        (Some("noreply@far.example"), personal.into(), "that of a program or a list"),
        (
            Some("c@far.example"),
            format!("{personal}Auto-Submitted: auto-replied\n"),
            "a program sent the message",
        ),
        (Some("c@far.example"), format!("{personal}List-Id: <x>\n"), "from a mailing list"),
        (Some("c@far.example"), format!("{personal}Precedence: bulk\n"), "bulk mail"),
        (
            Some("c@far.example"),
            format!("{personal}X-Auto-Response-Suppress: OOF\n"),
            "wants no automatic answers",
        ),
        (
            Some("c@far.example"),
            format!("{personal}Content-Type: multipart/report; boundary=x\n"),
            "a receipt",
        ),
        (Some("c@far.example"), format!("{personal}X-Spam-Flag: YES\n"), "marked as spam"),
        (Some("c@far.example"), "To: list@far.example\n".into(), "was not written to it personally"),
        (Some("c@far.example"), "Subject: x\n".into(), "was not written to it personally"),
        (
            Some("c@far.example"),
            format!("{}{personal}", "Received: x\n".repeat(51)),
            "went over 51 servers, hop-limit is 50",
        ),
    ];
    for (sender, header, reason) in cases {
        let mail = format!("{header}\nsecret\n");
        let given = Request { sender: sender.map(str::to_owned), ..request(mail.as_bytes(), &[BOB]) };
        let sent = deliver(bobs(r#"["Reply with", "I am away."]"#), &given);
        assert!(sent.mails.is_empty(), "{sender:?} {header}");
        assert_eq!(sent.recorder.log(), [""; 0], "nothing is asked");
        assert_eq!(sent.world.store.total(), 1);
        let [warning] = sent.outcome.warnings.as_slice() else { panic!("{:?}", sent.outcome) };
        assert!(warning.starts_with("rule \"Away\": Reply with: not sent: "), "{warning}");
        assert!(warning.contains(reason), "{warning}");
    }
}

#[test]
fn the_server_and_a_reaction_ask_for_less() {
    let mail = b"To: everybody@far.example\nSubject: x\n\nx\n";
    let sent = deliver(servers(r#"["Reply with", "Closed."]"#), &request(mail, &[BOB]));
    assert_eq!(recipients(sent.only()), ["carol@far.example"]);
    assert_eq!(parts(&sent.text()).0[0], "From: <postmaster@north.example>");
    let given = Request { sender: Some("noreply@far.example".into()), ..request(mail, &[BOB]) };
    let sent = deliver(bobs(r#"["React with", "+To: d@far.example\n\nx"]"#), &given);
    assert_eq!(recipients(sent.only()), ["d@far.example"]);
    let listed = b"List-Id: <x>\n\n";
    assert!(send(r#"["React with", "+To: d@far.example\n\nx"]"#, listed).mails.is_empty());
}

#[test]
fn what_a_catch_all_takes_is_written_to_the_account() {
    let of_alias = Request {
        recipients: vec![Recipient {
            address: address(BOB),
            original: Some("rfc822;info@alias.example".into()),
        }],
        ..request(b"To: Info@Alias.example\n\nx", &[BOB])
    };
    assert_eq!(deliver(bobs(r#"["Reply with", "x"]"#), &of_alias).mails.len(), 1);
    let of_list = Request {
        recipients: vec![Recipient {
            address: address(BOB),
            original: Some("rfc822;list@far.example".into()),
        }],
        ..request(b"To: list@far.example\n\nx", &[BOB])
    };
    assert_eq!(deliver(bobs(r#"["Reply with", "x"]"#), &of_list).mails.len(), 0);
}

#[test]
fn one_sender_is_answered_once_in_an_interval() {
    let key =
        ReplyKey { account: Some(address(BOB)), rule: String::new(), sender: "carol@far.example".into() };
    let action = r#"["Reply with", "I am away."]"#;
    let known = || Recorder { answered: vec![key.clone()], ..Recorder::default() };
    let sent = deliver_with(bobs(action), known(), &request(MAIL, &[BOB]));
    assert!(sent.mails.is_empty());
    assert_eq!(
        sent.outcome.warnings,
        ["rule \"Away\": Reply with: not sent: the sender was answered already, within reply-interval"]
    );
    let sent = deliver_with(
        bobs(action),
        known(),
        &Request { sender: Some("Dan@far.example".into()), ..request(MAIL, &[BOB]) },
    );
    assert_eq!(sent.only().replies_to.as_ref().unwrap().sender, "dan@far.example");
    // A rule that replies twice, and nobody was answered yet.
    let sent = send(&format!("{action}, {action}"), MAIL);
    let already = "rule \"Away\": Reply with: not sent: the sender is answered already with \"Reply with\"";
    assert_eq!((sent.mails.len(), sent.outcome.warnings.as_slice()), (1, &[already.to_owned()][..]));
    assert_eq!(*sent.recorder.asked.lock().unwrap(), [(2, noon() - Duration::days(7))], "one batch");
    assert_eq!(*sent.recorder.released_since.lock().unwrap(), Some(Duration::days(7)));
    let mut each = bobs(&format!("{action}, {action}"));
    each.settings.outgoing.reply_interval = std::time::Duration::ZERO;
    let sent = deliver_with(each, known(), &request(MAIL, &[BOB]));
    assert_eq!((sent.mails.len(), sent.recorder.log()), (1, vec!["hold".to_owned(), "release".to_owned()]));
    assert_eq!(*sent.recorder.released_since.lock().unwrap(), None);
}

#[test]
fn a_rule_answers_a_sender_once_and_reacts_besides() {
    let reply = r#"["Reply with", "I am away."]"#;
    let to_all = r#"["Reply to All with", "I am away."]"#;
    let desk = r#"["React with", "+To: Desk@far.example, eve@far.example\n\nx"]"#;
    let same_desk = r#"["React with", "+To: Eve@far.example\nCc: desk@far.example\n\ny"]"#;
    let other = r#"["React with", "+To: dan@far.example\n\nx"]"#;
    let actions = |sent: &Sent| sent.mails.iter().map(|mail| mail.action).collect::<Vec<_>>();
    let told = |text: &str| format!("rule \"Away\": {text}");
    let sent = send(&[reply, to_all, desk, same_desk, other].join(", "), MAIL);
    assert_eq!(actions(&sent), ["Reply with", "React with", "React with"]);
    assert_eq!(
        sent.outcome.warnings,
        [
            told("Reply to All with: not sent: the sender is answered already with \"Reply with\""),
            told("React with: not sent: this rule writes to the same people already with \"React with\""),
        ]
    );
    let sent = send(&[to_all, reply].join(", "), MAIL);
    assert_eq!(actions(&sent), ["Reply to All with"]);
    let already = "Reply with: not sent: the sender is answered already with \"Reply to All with\"";
    assert_eq!(sent.outcome.warnings, [told(already)]);
    // What was answered before keeps back answers, and what was sent to the others only that.
    let keys: Vec<ReplyKey> =
        send(&[reply, desk].join(", "), MAIL).mails.into_iter().filter_map(|mail| mail.replies_to).collect();
    let known = |at: usize| Recorder { answered: vec![keys[at].clone()], ..Recorder::default() };
    let rule = [reply, to_all, desk, other].join(", ");
    let sent = deliver_with(bobs(&rule), known(0), &request(MAIL, &[BOB]));
    assert_eq!(actions(&sent), ["React with", "React with"]);
    let before = "not sent: the sender was answered already, within reply-interval";
    assert_eq!(
        sent.outcome.warnings,
        [told(&format!("Reply with: {before}")), told(&format!("Reply to All with: {before}"))]
    );
    let sent = deliver_with(bobs(&rule), known(1), &request(MAIL, &[BOB]));
    assert_eq!(actions(&sent), ["Reply with", "React with"]);
    let reacted = "React with: not sent: this rule wrote to the same people already because of this sender, within \
                   reply-interval";
    assert_eq!(sent.outcome.warnings[1], told(reacted));
}

/// Two rules that answer are one account that answers.
#[test]
fn a_sender_is_answered_once_whichever_rule_does_it() {
    let rules: String = ["One", "Two"]
        .map(|name| format!("[[rule]]\nname = \"{name}\"\npriority = 5\nthen = [[\"Reply with\", \"x\"]]\n"))
        .concat();
    let sent = deliver(World::new().with_rules(ScopeKind::Account, BOB, &rules), &request(MAIL, &[BOB]));
    let already = "rule \"Two\": Reply with: not sent: the sender is answered already with \"Reply with\"";
    assert_eq!((sent.mails.len(), sent.outcome.warnings.as_slice()), (1, &[already.to_owned()][..]));
}

#[test]
fn what_went_round_is_not_sent_again_and_is_stored() {
    let own = b"Received: by mx\nDelivered-To: Bob+x@north.example\nFrom: carol@far.example\n\nx\n";
    let hops = [b"Received: x\n".repeat(51).as_slice(), MAIL].concat();
    let few = [b"Received: x\n".repeat(50).as_slice(), MAIL].concat();
    let other = b"Received: by mx\nDelivered-To: ada@north.example\n\nx\n";
    for action in ["Redirect to", "Forward to", "Mirror to"] {
        let action = format!("[\"{action}\", \"dan@far.example\"]");
        for (message, reason) in
            [(own.as_slice(), "(Delivered-To)"), (&hops, "went over 51 servers, hop-limit is 50")]
        {
            let sent = send(&action, message);
            assert!(sent.mails.is_empty());
            assert!(sent.outcome.warnings[0].contains(reason), "{:?}", sent.outcome.warnings);
            assert_eq!(sent.world.store.total(), 1);
        }
        for message in [few.as_slice(), other] {
            assert_eq!(send(&action, message).mails.len(), 1);
        }
    }
}

/// Every way that a message can come back, what we add is enough to see it.
#[test]
fn a_message_that_comes_back_is_known() {
    for action in ["Redirect to", "Forward to", "Mirror to"] {
        let rule = format!("[\"{action}\", \"dan@far.example\"]");
        let first = send(&rule, MAIL);
        let back = first.only().message.expose().to_vec();
        let by_pipe = [b"Delivered-To: bob@north.example\nReceived: by mx\n".as_slice(), &back].concat();
        for message in [back.as_slice(), &by_pipe] {
            let second = send(&rule, message);
            assert!(second.mails.is_empty(), "{action}");
            assert!(second.outcome.warnings[0].ends_with("(Delivered-To)"), "{:?}", second.outcome.warnings);
        }
        let world = servers(&rule);
        let first = deliver(world, &request(MAIL, &[ADA]));
        let back = first.only().message.expose().to_vec();
        assert!(
            deliver(bobs(&rule), &request(&back, &[BOB])).mails.len() == 1,
            "another's mark is none of Bob's"
        );
        let mut world = servers(&rule);
        world.settings.max_message = 1 << 20;
        assert!(deliver(world, &request(&back, &[ADA])).mails.is_empty(), "{action}");
    }
}

#[test]
fn nobody_sends_to_himself() {
    let sent = send(r#"["Redirect to", ["BOB@north.example", "dan@far.example"]]"#, MAIL);
    assert_eq!(recipients(sent.only()), ["dan@far.example"]);
    let told = "rule \"Away\": Redirect to: not sent: the mail would come back to the account itself";
    assert_eq!(sent.outcome.warnings, [told]);
    let sent = send(r#"["Redirect to", "bob+x@north.example"]"#, MAIL);
    assert!(sent.mails.is_empty());
    assert_eq!(sent.recorder.log(), [""; 0]);
}

#[test]
fn an_account_writes_in_its_own_name_only() {
    let action = r#"["Reply with", "+From: Ada <ada@north.example>\n\nx"]"#;
    let sent = send(action, MAIL);
    assert!(sent.mails.is_empty());
    let told = "rule \"Away\": Reply with: not sent: the text of the rule says From: ada@north.example, and that is no address \
                of bob@north.example: take one of its own, or leave From out";
    assert_eq!(sent.outcome.warnings, [told]);
    let sent = deliver(servers(action), &request(MAIL, &[BOB]));
    assert_eq!(parts(&sent.text()).0[0], "From: \"Ada\" <ada@north.example>");
}

#[test]
fn the_server_sends_as_the_site_says_and_once_for_each_message() {
    let world = || servers(r#"["Redirect to", "dan@far.example"], ["Mirror to", "eve@far.example"]"#);
    let first = deliver(world(), &request(MAIL, &[BOB, ADA]));
    assert_eq!((first.mails.len(), first.mails[0].sender.as_str()), (2, "postmaster@north.example"));
    assert!(first.mails.iter().all(|mail| mail.account.is_none()));
    let ids = |sent: &Sent| sent.mails.iter().map(|mail| mail.identity.clone().unwrap()).collect::<Vec<_>>();
    assert_ne!(ids(&first)[0], ids(&first)[1]);
    // The MTA calls again, for another recipient and with other fields of this one in front.
    let other = [b"Delivered-To: ada@north.example\n".as_slice(), MAIL].concat();
    assert_eq!(ids(&deliver(world(), &request(&other, &[ADA]))), ids(&first));
    let new = [b"Subject: another\n".as_slice(), MAIL].concat();
    assert_ne!(ids(&deliver(world(), &request(&new, &[BOB])))[0], ids(&first)[0]);
    let unnamed = Request { queue_id: None, ..request(MAIL, &[BOB]) };
    assert!(deliver(world(), &unnamed).mails.iter().all(|mail| mail.identity.is_none()));
    let mut named = world();
    named.settings.outgoing.from = Some(address("robot@north.example"));
    assert_eq!(deliver(named, &request(MAIL, &[BOB])).mails[0].sender, "robot@north.example");
}

#[test]
fn mails_are_held_before_the_first_copy_is_visible_and_go_after_the_last() {
    let action = r#"["Redirect to", "dan@far.example"], ["Store Encrypted in", "Own"]"#;
    let sent = send(action, MAIL);
    let copies: Vec<String> =
        sent.recorder.copies.lock().unwrap().iter().map(|copy| copy.mailbox.as_str().to_owned()).collect();
    assert_eq!(copies, ["Own", "INBOX"]);
    for (fault, log) in [
        (Fault::Stage(1), vec![]),
        (Fault::Commit(1), vec!["hold", "withdraw"]),
        (Fault::Commit(2), vec!["hold"]),
    ] {
        let mut world = bobs(action);
        world.store = world.store.failing(fault);
        let sent = deliver_with(world, Recorder::default(), &request(MAIL, &[BOB]));
        assert_eq!(sent.outcome.disposition.exit_code(), 75, "{fault:?}");
        assert_eq!(sent.recorder.log(), log, "{fault:?}");
    }
    for (broken, stored) in [("may send", 0), ("hold", 0), ("release", 2)] {
        let recorder = Recorder { broken: Some(broken), ..Recorder::default() };
        let sent = deliver_with(bobs(action), recorder, &request(MAIL, &[BOB]));
        let line = sent.outcome.disposition.line();
        assert_eq!(line, "4.3.0 the queue of outgoing mail is not available", "{broken}");
        assert_eq!(sent.world.store.total(), stored, "{broken}");
    }
    let recorder = Recorder { broken: Some("answered"), ..Recorder::default() };
    let sent = deliver_with(bobs(r#"["Reply with", "x"]"#), recorder, &request(MAIL, &[BOB]));
    assert_eq!((sent.outcome.disposition.exit_code(), sent.world.store.total()), (75, 0));
}

#[test]
fn no_mail_leaves_when_the_message_is_refused_or_not_deliverable() {
    let rule = r#"["Redirect to", "dan@far.example"], ["Reject with", "No."]"#;
    let sent = deliver_with(bobs(rule), Recorder::default(), &request(MAIL, &[BOB]));
    assert_eq!((sent.outcome.disposition.exit_code(), sent.recorder.log().len()), (65, 0));
    let sent = deliver_with(
        bobs(r#"["Redirect to", "dan@far.example"]"#),
        Recorder::default(),
        &request(MAIL, &[BOB, EVE]),
    );
    assert_eq!(
        (sent.outcome.disposition.exit_code(), sent.recorder.log().len()),
        (75, 0),
        "eve has no certificate"
    );
}

#[test]
fn a_redirect_and_discard_sends_and_stores_nothing() {
    let sent = send(r#"["Redirect to", "dan@far.example"], ["Discard"]"#, MAIL);
    assert_eq!((sent.mails.len(), sent.world.store.total()), (1, 0));
}

#[test]
fn an_explanation_says_what_would_be_sent_and_what_not() {
    let action = r#"["Redirect to", ["dan@far.example", "bob@north.example"]], ["Reply with", "x"],
                    ["Reply with", "+From: ada@north.example\n\nx"]"#;
    let (world, recorder) = (bobs(action), Recorder::default());
    let explanation = Engine { outbox: &recorder, ..world.engine() }.explain(&request(MAIL, &[BOB]));
    let lines: Vec<String> = explanation.mails.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "Redirect to of rule \"Away\": to dan@far.example, from <bob@north.example>, subject \"pay\"",
            "Redirect to of rule \"Away\": to bob@north.example, not sent: the mail would come back to the account itself",
            "Reply with of rule \"Away\": to carol@far.example, from <>, subject \"Auto: pay\"",
            "Reply with of rule \"Away\": not sent: the text of the rule says From: ada@north.example, and that is no address of bob@north.example: take one of its own, or leave From out",
        ]
    );
    assert_eq!(recorder.log(), ["answered"], "nothing is held");
    let json = serde_json::to_value(&explanation.mails[0]).unwrap();
    assert_eq!(json["sender"], BOB);
    assert_eq!(json["recipients"][0], "dan@far.example");
    assert!(json["size"].as_u64().unwrap() > MAIL.len() as u64);
    assert_eq!(json["not_sent"], serde_json::Value::Null);
}

/// Each action sees what stood before it, as the copies do.
#[test]
fn what_is_sent_is_the_message_as_the_rules_before_left_it() {
    let action = r#"["Redirect to", "a@far.example"], ["Add Header", "X-Team: 7"], ["Tag Subject", "[pay]"],
                    ["Redirect to", "b@far.example"], ["Forward to", "c@far.example"], ["Reply with", "About ^S."]"#;
    let sent = send(action, MAIL);
    let [first, second, third, fourth] = sent.mails.as_slice() else { panic!("{:?}", sent.outcome) };
    assert!(
        text(first).ends_with("\r\nSubject: pay\r\n\r\nThe body.\r\n") && !text(first).contains("X-Team")
    );
    let edited = "X-Team: 7\r\nFrom: carol@far.example\r\nTo: bob@north.example\r\nSubject: [pay] pay\r\n\r\nThe body.\r\n";
    assert!(text(second).ends_with(edited), "{}", text(second));
    assert!(text(third).contains("Subject: Fwd: [pay] pay\r\n") && text(third).contains(edited));
    assert!(
        text(fourth).contains("Subject: Auto: [pay] pay\r\n")
            && text(fourth).ends_with("About [pay] pay.\r\n")
    );
}

/// A filter's mark counts like one that came with the message.
#[test]
fn a_mark_that_a_rule_of_the_server_added_keeps_replies_back() {
    let world = bobs(r#"["Reply with", "x"]"#).with_rules(
        ScopeKind::Server,
        "",
        "[[rule]]\nname = \"Spam\"\npriority = 5\nthen = [[\"Add Header\", \"X-Spam-Flag: YES\"]]\n",
    );
    let sent = deliver(world, &request(MAIL, &[BOB]));
    assert_eq!(sent.outcome.warnings, ["rule \"Away\": Reply with: not sent: the message is marked as spam"]);
}

#[test]
fn what_goes_on_has_its_octets() {
    let long = "x".repeat(2000);
    let mail = [
        b"From carol Sun Nov 1\nSubject: \xe9\nTo: bob@north.example\n\n".as_slice(),
        long.as_bytes(),
        b"\n\xff\0\n.\n",
    ]
    .concat();
    for (action, recipient) in [("Redirect to", "a@far.example"), ("Mirror to", "a@far.example")] {
        let sent = send(&format!("[\"{action}\", \"{recipient}\"]"), &mail);
        let body = [
            b"Subject: \xe9\r\nTo: bob@north.example\r\n\r\n".as_slice(),
            long.as_bytes(),
            b"\r\n\xff\0\r\n.\r\n",
        ]
        .concat();
        assert!(sent.only().message.expose().ends_with(&body), "{action}");
    }
}

/// A header of 100 000 fields is looked at in the time of one look.
#[test]
fn a_hostile_header_costs_linear_time() {
    let marks =
        b"Delivered-To: x@far.example\nTo: a@b.example, c@d.example\nReferences: <a@b>\n".repeat(30_000);
    let mail = [b"Received: x\n".as_slice(), &marks, b"To: bob@north.example\n\nx\n"].concat();
    let begun = worked_since(std::time::Duration::ZERO);
    let rule = r#"["Forward to", "a@far.example"], ["Reply to All with", "x ^S ^I ^F"]"#;
    let mut world = bobs(rule);
    world.settings.max_message = 1 << 24;
    let sent = deliver(world, &request(&mail, &[BOB]));
    assert_eq!(sent.mails.len(), 1);
    assert!(sent.mails[0].message.expose().starts_with(b"Received: by north.example"));
    assert!(worked_since(begun).as_secs() < 20, "{:?}", worked_since(begun));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a message says, a reply has these fields, these recipients and this body.
    #[test]
    fn no_message_adds_to_a_reply(
        subject in "(\\PC|[\r\0\t]|\r\n |=\\?utf-8\\?[qb]\\?|\\?=|=0D=0A|Bcc: x@y){0,60}",
        from in "(\\PC|[\0<>\"@,]|=\\?utf-8\\?q\\?=0A?=|x@y){0,40}",
        id in "(\\PC|[<>@]){0,40}",
        body: Vec<u8>,
    ) {
        let header = format!(
            "To: bob@north.example\r\nSubject: {subject}\r\nFrom: {from}\r\nReply-To: {from}\r\nMessage-ID: {id}\r\n\
             References: {id} <ok@far.example>\r\n\r\n"
        );
        let mail = [header.as_bytes(), &body].concat();
        let sent = deliver_with(
            bobs(r#"["Reply with", "+Subject: ^S ^F ^I\nX-Who: ^F\n\nBegin ^S^F^I^D\n\nEnd"]"#),
            Recorder::default(),
            &request(&mail, &[BOB]),
        );
        prop_assume!(!sent.mails.is_empty());
        let only = sent.only();
        prop_assert_eq!(recipients(only), ["carol@far.example"]);
        let built = Message::new(only.message.expose());
        let names: Vec<&str> = built.fields().iter().map(|field| field.name()).collect();
        let expected = ["From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
            "X-Auto-Response-Suppress", "X-Who", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
        let without = |skipped: &str| expected.iter().copied().filter(|name| *name != skipped).collect::<Vec<_>>();
        prop_assert!(names == expected || names == without("In-Reply-To"), "{names:?}");
        let parsed = mail_parser::MessageParser::default().parse(only.message.expose()).unwrap();
        prop_assert_eq!(parsed.parts.len(), 1);
        let text = parsed.body_text(0).unwrap();
        let lines: Vec<&str> = text.trim_end().lines().collect();
        prop_assert_eq!((lines.len(), lines[1], lines[2]), (3, "", "End"));
        prop_assert!(lines[0].starts_with("Begin "));
    }

    /// Whatever a message says, what goes on is our fields and then the message.
    #[test]
    fn no_message_adds_to_what_goes_on(bytes in prop::collection::vec(prop::sample::select(b"\r\n :aTBc\t\0\xff".to_vec()), 0..60)) {
        let sent = send(r#"["Redirect to", "dan@far.example"]"#, &bytes);
        prop_assume!(!sent.mails.is_empty());
        let out = Message::new(sent.only().message.expose());
        let names: Vec<&str> = out.fields().iter().map(|field| field.name()).collect();
        let ours = ["Received", "Delivered-To", "Resent-Date", "Resent-From", "Resent-To", "Resent-Message-ID"];
        prop_assert_eq!(&names[..6], &ours[..]);
        let without_mbox = crate::mail::without_mbox_line(&bytes);
        let original = Message::new(without_mbox);
        let theirs: Vec<&str> = original.fields().iter().map(|field| field.name()).filter(|name| !name.eq_ignore_ascii_case("Bcc")).collect();
        prop_assert_eq!(&names[6..], &theirs[..]);
        prop_assert_eq!(recipients(sent.only()), ["dan@far.example"]);
    }
}
