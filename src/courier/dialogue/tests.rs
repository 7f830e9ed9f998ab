use super::*;
use crate::courier::ReplyReader;
use proptest::prelude::*;

const MESSAGE: &[u8] = b"Subject: xyzzy\n\n.body\n";
const HELLO: &str = "250-mail.example\r\n250-SIZE 10000\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES";

fn addresses(list: &[&str]) -> Vec<Address> {
    list.iter().map(|text| Address::parse(text).unwrap()).collect()
}

fn reply(text: &str) -> Reply {
    ReplyReader::default().take(format!("{text}\r\n").as_bytes()).unwrap().1.unwrap()
}

fn terms(dialect: Dialect) -> Terms<'static> {
    Terms { dialect, name: "north.example", way: Way::Clear, login: None }
}

/// What was sent (TLS as `<tls>`), and what became of each recipient. After the last reply the server is silent.
fn converse(terms: Terms<'_>, sender: &str, to: &[&str], replies: &[&str]) -> (Vec<String>, Vec<Carried>) {
    converse_over(terms, sender, to, MESSAGE, replies)
}

fn converse_over(
    terms: Terms<'_>,
    sender: &str,
    to: &[&str],
    message: &[u8],
    replies: &[&str],
) -> (Vec<String>, Vec<Carried>) {
    let recipients = addresses(to);
    let mut dialogue = Dialogue::new(terms, Letter { sender, recipients: &recipients, message });
    let (mut sent, mut replies) = (Vec::new(), replies.iter());
    loop {
        match dialogue.want() {
            Want::End => break,
            Want::Send(octets) => sent.push(String::from_utf8_lossy(octets.expose()).trim_end().to_owned()),
            Want::Tls => {
                sent.push("<tls>".into());
                dialogue.is_encrypted_now();
            }
            Want::Reply => match replies.next() {
                Some(text) => dialogue.take(&reply(text)),
                None => dialogue.fail("cut off"),
            },
        }
    }
    (sent, dialogue.outcomes())
}

fn later(outcome: &Carried) -> &str {
    let Carried::Later(why) = outcome else { panic!("{outcome:?}") };
    why
}

fn refused(outcome: &Carried) -> &str {
    let Carried::Refused(why) = outcome else { panic!("{outcome:?}") };
    why
}

#[test]
fn a_mail_is_sent_to_two() {
    let to = ["anna@far.example", "\"b o b\"@far.example"];
    let replies =
        ["220 hi", HELLO, "250 ok", "250 ok", "251 will forward", "354 go", "250 2.0.0 queued", "221 bye"];
    let (sent, outcomes) = converse(terms(Dialect::Smtp), "bob@north.example", &to, &replies);
    assert_eq!(
        sent,
        [
            "EHLO north.example",
            "MAIL FROM:<bob@north.example> SIZE=25",
            "RCPT TO:<anna@far.example>",
            "RCPT TO:<\"b o b\"@far.example>",
            "DATA",
            "Subject: xyzzy\r\n\r\n..body\r\n.",
            "QUIT"
        ]
    );
    assert_eq!(outcomes, [Carried::Sent, Carried::Sent]);
}

#[test]
fn the_null_sender_is_an_empty_path() {
    let (sent, _) = converse(terms(Dialect::Smtp), "", &["a@far.example"], &["220 hi", "250 plain"]);
    assert_eq!(sent[1], "MAIL FROM:<>");
}

/// Whatever is said where, in place of the good answer: 4xx is later, 5xx is for good where it is about this mail, and a
/// server that goes silent or away leaves nothing decided.
#[test]
fn every_stage_fails_by_its_kind() {
    let good = ["220 hi", HELLO, "250 ok", "250 ok", "354 go", "250 queued"];
    let is_about_the_mail = [false, false, true, true, true, true];
    for (stage, about_mail) in is_about_the_mail.into_iter().enumerate() {
        for code in ["421", "451", "554", "530", "299", "399"] {
            let bad = format!("{code} said");
            let mut replies: Vec<&str> = good[..stage].to_vec();
            replies.push(&bad);
            let (sent, outcomes) = converse(terms(Dialect::Smtp), "", &["a@far.example"], &replies);
            match (code, about_mail) {
                ("554", true) => assert!(refused(&outcomes[0]).contains("554"), "{stage} {code}"),
                // 2xx in the place of any 2xx goes on, and then the server is silent.
                ("299", true) if stage == 5 => assert_eq!(outcomes, [Carried::Sent]),
                ("299", true) if stage < 4 => assert_eq!(later(&outcomes[0]), "cut off"),
                _ => assert!(later(&outcomes[0]).contains(code), "{stage} {code} {outcomes:?}"),
            }
            assert!(stage > 4 || !sent.iter().any(|line| line.contains("xyzzy")), "{stage} {code}");
        }
        let (_, outcomes) = converse(terms(Dialect::Smtp), "", &["a@far.example"], &good[..stage]);
        assert_eq!(later(&outcomes[0]), "cut off", "{stage}");
    }
}

#[test]
fn one_recipient_of_three_is_refused_and_one_is_told_to_wait() {
    let to = ["a@far.example", "b@far.example", "c@far.example"];
    let replies =
        ["220 hi", HELLO, "250 ok", "550 5.1.1 who", "452 4.5.3 many", "250 ok", "354 go", "250 ok"];
    let (_, outcomes) = converse(terms(Dialect::Smtp), "", &to, &replies);
    assert_eq!(refused(&outcomes[0]), "the server's answer to RCPT: 550 5.1.1 who");
    assert_eq!(later(&outcomes[1]), "the server's answer to RCPT: 452 4.5.3 many");
    assert_eq!(outcomes[2], Carried::Sent);
    // RFC 5321 4.5.3.1.10
    let (_, outcomes) =
        converse(terms(Dialect::Smtp), "", &["a@b"], &["220 hi", HELLO, "250 ok", "552 many"]);
    assert_eq!(later(&outcomes[0]), "the server's answer to RCPT: 552 many");
}

#[test]
fn lmtp_answers_for_each_recipient_that_it_accepted() {
    let to = ["a@far.example", "b@far.example", "c@far.example", "d@far.example"];
    let replies = [
        "220 hi",
        HELLO,
        "250 ok",
        "250 ok",
        "550 who",
        "250 ok",
        "250 ok",
        "354 go",
        "250 2.0.0 ok",
        "452 4.2.2 full",
        "550 5.2.1 no",
        "221 bye",
    ];
    let (sent, outcomes) = converse(terms(Dialect::Lmtp), "", &to, &replies);
    assert_eq!(sent[0], "LHLO north.example");
    assert_eq!(outcomes[0], Carried::Sent);
    assert!(refused(&outcomes[1]).contains("RCPT: 550"));
    assert_eq!(later(&outcomes[2]), "the server's answer to the message: 452 4.2.2");
    assert_eq!(refused(&outcomes[3]), "the server's answer to the message: 550 5.2.1");
    // It hangs up after the first of them.
    let (_, outcomes) = converse(terms(Dialect::Lmtp), "", &to, &replies[..9]);
    assert_eq!(
        (&outcomes[0], later(&outcomes[2]), later(&outcomes[3])),
        (&Carried::Sent, "cut off", "cut off")
    );
}

#[test]
fn starttls_forgets_what_was_said_before_it() {
    let way = Terms { way: Way::StartTls, ..terms(Dialect::Smtp) };
    let replies = [
        "220 hi",
        "250-a\r\n250-SIZE 1\r\n250 STARTTLS",
        "220 go",
        "250 a",
        "250 ok",
        "250 ok",
        "354 go",
        "250 ok",
    ];
    let (sent, outcomes) = converse(way, "", &["a@far.example"], &replies);
    assert_eq!(sent[..5], ["EHLO north.example", "STARTTLS", "<tls>", "EHLO north.example", "MAIL FROM:<>"]);
    assert_eq!(outcomes, [Carried::Sent], "the limit of before is none");
}

#[test]
fn tls_that_is_required_is_not_stripped() {
    for hello in ["250 a", "250-a\r\n250 XSTARTTLS", "250 STARTTLS", "250-a\r\n250 STARTTLX"] {
        let way = Terms { way: Way::StartTls, ..terms(Dialect::Smtp) };
        let (sent, outcomes) = converse(way, "", &["a@far.example"], &["220 hi", hello, "250 ok"]);
        assert_eq!(sent, ["EHLO north.example", "QUIT"]);
        assert!(later(&outcomes[0]).contains("offers no STARTTLS"));
        let way = Terms { way: Way::StartTlsIfOffered, ..terms(Dialect::Smtp) };
        let (sent, _) = converse(way, "", &["a@far.example"], &["220 hi", hello, "250 ok"]);
        assert_eq!(sent[1], "MAIL FROM:<>");
    }
    for way in [Way::StartTls, Way::StartTlsIfOffered] {
        let way = Terms { way, ..terms(Dialect::Smtp) };
        let (sent, outcomes) =
            converse(way, "", &["a@far.example"], &["220 hi", "250-a\r\n250 STARTTLS", "454 no", "250 ok"]);
        assert_eq!(sent, ["EHLO north.example", "STARTTLS", "QUIT"]);
        assert!(later(&outcomes[0]).contains("STARTTLS: 454"));
    }
    let way = Terms { way: Way::Encrypted, ..terms(Dialect::Smtp) };
    assert_eq!(converse(way, "", &["a@far.example"], &["220 hi"]).0, ["<tls>", "EHLO north.example"]);
}

fn login() -> Login {
    Login::new("tim", SecretBytes::new(b"tanstaaftanstaaf".to_vec()))
}

#[test]
fn logging_in_by_plain_and_by_login() {
    let login = login();
    let way = Terms { way: Way::Encrypted, login: Some(&login), ..terms(Dialect::Smtp) };
    let (sent, _) =
        converse(way, "", &["a@far.example"], &["220 hi", "250-a\r\n250 AUTH LOGIN PLAIN", "235 ok"]);
    assert_eq!(sent[2..], ["AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm", "MAIL FROM:<>"]);
    let replies = ["220 hi", "250-a\r\n250 AUTH LOGIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"];
    let (sent, _) = converse(way, "", &["a@far.example"], &replies);
    assert_eq!(sent[2..], ["AUTH LOGIN", "dGlt", "dGFuc3RhYWZ0YW5zdGFhZg==", "MAIL FROM:<>"]);
}

#[test]
fn a_login_that_fails_is_nothing_against_the_mail_and_its_words_are_not_repeated() {
    let login = login();
    let way = Terms { way: Way::Encrypted, login: Some(&login), ..terms(Dialect::Smtp) };
    let replies =
        ["220 hi", "250-a\r\n250 AUTH PLAIN", "535 5.7.8 no: AHRpbQB0YW5zdGFhZnRhbnN0YWFm tanstaaf"];
    let (sent, outcomes) = converse(way, "", &["a@far.example"], &replies);
    assert_eq!(later(&outcomes[0]), "the server's answer to the login: 535 5.7.8");
    assert_eq!(sent.last().unwrap(), "QUIT");
    let (_, outcomes) = converse(way, "", &["a@far.example"], &["220 hi", "250-a\r\n250 AUTH CRAM-MD5"]);
    assert!(later(&outcomes[0]).contains("neither AUTH PLAIN nor AUTH LOGIN"));
}

#[test]
fn a_password_waits_for_tls() {
    let login = login();
    for way in [Way::Clear, Way::StartTlsIfOffered] {
        let way = Terms { way, login: Some(&login), ..terms(Dialect::Smtp) };
        let (sent, outcomes) =
            converse(way, "", &["a@far.example"], &["220 hi", "250-a\r\n250 AUTH PLAIN LOGIN"]);
        assert_eq!(sent, ["EHLO north.example", "QUIT"]);
        assert!(later(&outcomes[0]).contains("never goes in the clear"));
    }
}

#[test]
fn what_a_server_cannot_take_is_refused_before_it_is_sent() {
    let refusal = |sender: &str, to: &str, message: &[u8], hello: &str| {
        let replies = ["220 hi", hello, "250 ok", "250 ok", "354 go", "250 ok"];
        let (sent, outcomes) = converse_over(terms(Dialect::Smtp), sender, &[to], message, &replies);
        assert!(!sent.iter().any(|line| line.starts_with("DATA")) || outcomes == [Carried::Sent]);
        match &outcomes[0] {
            Carried::Refused(why) => why.clone(),
            other => format!("{other:?} {}", sent.iter().find(|line| line.starts_with("MAIL")).unwrap()),
        }
    };
    let (to, all) = ("a@far.example", "250-a\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 SIZE 12");
    assert_eq!(refusal("", to, b"0123456789", all), "Sent MAIL FROM:<> SIZE=12");
    assert_eq!(
        refusal("", to, b"0123456789\n\n", all),
        "the message has 14 octets, and the server takes 12 at most"
    );
    assert_eq!(refusal("", to, b"\xc3\xa9", all), "Sent MAIL FROM:<> SIZE=4 BODY=8BITMIME");
    assert!(refusal("", to, b"\xc3\xa9", "250 a").contains("no 8BITMIME"));
    assert!(refusal("", to, b"a\0b", all).contains("octets of zero"));
    assert!(refusal("a@b\r\nRCPT TO:<x@y>", to, b"", all).contains("no mail address"));
    assert!(refusal("not an address", to, b"", all).contains("no mail address"));
    assert_eq!(
        refusal("jürgen@b.example", to, b"", all),
        "Sent MAIL FROM:<jürgen@b.example> SIZE=0 SMTPUTF8"
    );
    assert!(refusal("jürgen@b.example", to, b"", "250 a").contains("return path is not ASCII"));
    assert_eq!(refusal("", "jürgen@b.example", b"", all), "Sent MAIL FROM:<> SIZE=0 SMTPUTF8");
    assert!(refusal("", "jürgen@b.example", b"", "250 a").contains("the address is not ASCII"));
    assert_eq!(refusal("", "a@bücher.example", b"", "250 a"), "Sent MAIL FROM:<>", "A-labels are ASCII");
    // The other recipient is not held up.
    let to = ["jürgen@b.example", "a@far.example"];
    let replies = ["220 hi", "250 a", "250 ok", "250 ok", "354 go", "250 ok"];
    let (sent, outcomes) = converse(terms(Dialect::Smtp), "", &to, &replies);
    assert!(refused(&outcomes[0]).contains("SMTPUTF8"));
    assert_eq!((outcomes[1].clone(), sent[2].as_str()), (Carried::Sent, "RCPT TO:<a@far.example>"));
}

/// What the server says of the message may be out of it.
#[test]
fn no_word_of_a_server_that_has_seen_the_message_is_kept() {
    for code in ["554 5.6.0", "451 4.3.0"] {
        let last = format!("{code} your subject xyzzy is bad");
        let replies = ["220 hi", HELLO, "250 ok", "250 ok", "354 go", &last];
        let (_, outcomes) = converse(terms(Dialect::Smtp), "", &["a@far.example"], &replies);
        assert!(format!("{outcomes:?}").contains(code));
        assert!(!format!("{outcomes:?}").contains("xyzzy"), "{outcomes:?}");
    }
}

proptest! {
    /// A server that says anything at all: it ends, after few steps, with an answer for everybody; the message goes only to a
    /// server that asked for it.
    #[test]
    fn it_ends_whatever_is_said(
        codes in prop::collection::vec(200_u16..560, 0..40),
        lmtp: bool, way in 0_usize..4, logs_in: bool, count in 0_usize..4,
    ) {
        let login = login();
        let dialect = if lmtp { Dialect::Lmtp } else { Dialect::Smtp };
        let way = [Way::Clear, Way::StartTlsIfOffered, Way::StartTls, Way::Encrypted][way];
        let terms = Terms { dialect, name: "n", way, login: Some(&login).filter(|_| logs_in) };
        let to = &["a@far.example", "b@far.example", "c@far.example", "d@far.example"][..count];
        let texts: Vec<String> = codes.iter().map(|code| format!("{code}-a\r\n{code}-STARTTLS\r\n{code} AUTH PLAIN")).collect();
        let replies: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (sent, outcomes) = converse(terms, "", to, &replies);
        prop_assert_eq!(outcomes.len(), count);
        prop_assert!(sent.len() <= 9 + count);
        let asked = codes.contains(&354);
        prop_assert!(asked || !sent.iter().any(|line| line.contains("xyzzy")));
        let tls = sent.iter().position(|line| line == "<tls>");
        let secret = sent.iter().position(|line| line.starts_with("AUTH"));
        prop_assert!(secret.is_none_or(|secret| tls.is_some_and(|tls| tls < secret)));
        let body = sent.iter().position(|line| line.contains("xyzzy"));
        let needs_tls = matches!(way, Way::StartTls | Way::Encrypted);
        prop_assert!(!needs_tls || body.is_none_or(|body| tls.is_some_and(|tls| tls < body)));
    }
}
