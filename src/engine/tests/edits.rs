//! What rules do to the header, as it is stored: inside and outside of sealed copies, and in clear ones.

use super::*;

fn named(name: &str) -> MailboxName {
    MailboxName::parse(name).unwrap()
}

fn delivered(world: &World, mail: &[u8], to: &[&str]) -> Outcome {
    let outcome = world.engine().deliver(&request(mail, to));
    assert_eq!(outcome.disposition, Disposition::Delivered, "{:?}", outcome.cause);
    outcome
}

fn stored(world: &World, owner: &str, mailbox: &str) -> String {
    let messages = world.store.messages(&address(owner), &named(mailbox));
    assert_eq!(messages.len(), 1, "{mailbox}");
    String::from_utf8_lossy(&messages[0].bytes).into_owned()
}

fn inside(world: &World, mailbox: &str) -> String {
    let stored = world.store.messages(&address(BOB), &named(mailbox));
    String::from_utf8(opened(&stored[0].bytes, BOB).unwrap()).unwrap()
}

const EDITS: &str = r#"[[rule]]
name = "Edits"
priority = 5
when = []
then = [["Store Encrypted in", "Before"], ["Add Header", "X-Team: Größe"], ["Tag Subject", "[x]"],
        ["Store Encrypted in", "Kept"], ["Store Encrypted in", "Hidden", {headers = "hide-subject"}],
        ["Store Encrypted in", "Most", {headers = "hide-most"}], ["Store in", "Plain"],
        ["Tag Subject", "[y]"], ["Store in", "Later"], ["Discard"]]
"#;

#[test]
fn edits_stand_in_the_copies_behind_them_inside_and_outside() {
    let world = World::new().with_rules(ScopeKind::Account, BOB, EDITS);
    delivered(&world, MAIL, &[BOB]);
    assert_eq!(inside(&world, "Before").as_bytes(), crlf(MAIL).as_ref());
    let edited = "X-Team: =?utf-8?Q?Gr=C3=B6=C3=9Fe?=\nFrom: carol@far.example\nTo: bob@north.example\n\
                  Subject: [x] pay\n\nThe body.\n";
    assert_eq!(stored(&world, BOB, "Plain"), edited);
    assert_eq!(stored(&world, BOB, "Later"), edited.replace("[x]", "[y] [x]"));
    for (mailbox, subject) in [("Kept", "[x] pay"), ("Hidden", "[...]"), ("Most", "[...]")] {
        assert_eq!(inside(&world, mailbox).as_bytes(), crlf(edited.as_bytes()).as_ref(), "{mailbox}");
        let outside = stored(&world, BOB, mailbox);
        assert!(outside.starts_with("X-Team: =?utf-8?Q?Gr=C3=B6=C3=9Fe?=\n"), "{outside}");
        assert!(outside.contains(&format!("\nSubject: {subject}\n")), "{outside}");
        assert!(outside.contains("edited=\"X-Team Subject\""), "{outside}");
    }
    assert!(!stored(&world, BOB, "Before").contains("edited="));
}

#[test]
fn edits_of_the_server_reach_the_accounts_copies_and_their_conditions() {
    let server = r#"[[rule]]
name = "Server"
priority = 5
when = []
then = [["Add Header", "X-Site: 1"], ["Tag Subject", "[site]"]]
"#;
    let account = r#"[[rule]]
name = "Account"
priority = 5
when = [["Header Field", "is", "X-Site: 1"], ["Subject", "is", "[site] pay"]]
then = [["Add Header", "X-Own: 2"], ["Store in", "Own"]]
"#;
    let world =
        World::new().with_rules(ScopeKind::Server, "", server).with_rules(ScopeKind::Account, BOB, account);
    delivered(&world, MAIL, &[BOB, ADA]);
    assert!(stored(&world, BOB, "Own").starts_with("X-Site: 1\nX-Own: 2\nFrom: "));
    assert!(inside(&world, "INBOX").contains("\r\nSubject: [site] pay\r\n"));
    let ada = stored(&world, ADA, "INBOX");
    assert!(ada.starts_with("X-Site: 1\nFrom: ") && !ada.contains("X-Own"), "{ada}");
}

/// What its sender sealed to the owner stays as it is: what a rule adds stands outside, where a tag is too.
#[test]
fn a_message_that_came_encrypted_gets_its_edits_outside() {
    let mut world = World::new();
    delivered(&world, MAIL, &[BOB]);
    let sealed = world.store.messages(&address(BOB), &inbox()).remove(0).bytes;
    world = World::new().with_rules(
        ScopeKind::Account,
        BOB,
        "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\nthen = [[\"Add Header\", \"X-A: 1\"], [\"Tag Subject\", \"[x]\"]]\n",
    );
    world.settings.max_message = 1 << 20;
    let outcome = delivered(&world, &sealed, &[BOB]);
    assert!(outcome.copies[0].kept_as_is);
    let kept = stored(&world, BOB, "INBOX");
    assert!(kept.starts_with("X-A: 1\n") && kept.contains("\nSubject: [x] pay\n"), "{kept}");
    let (_, body) = kept.split_once("\n\n").unwrap();
    assert!(String::from_utf8_lossy(&sealed).ends_with(body), "the body is untouched");
    assert_eq!(inside(&world, "INBOX").as_bytes(), crlf(MAIL).as_ref());
}

#[test]
fn a_signed_message_keeps_what_is_signed() {
    let parts = "--b\r\nContent-Type: text/plain\r\nSubject: inner\r\n\r\ntext\n\r\n--b\r\nContent-Type: x/y\r\n\r\ns\r\n--b--\r\n";
    let mail = format!("Subject: a\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n{parts}");
    let world = World::new().with_rules(ScopeKind::Account, BOB, EDITS);
    delivered(&world, mail.as_bytes(), &[BOB]);
    assert!(stored(&world, BOB, "Plain").ends_with(parts));
}

#[test]
fn an_mbox_line_is_the_mtas_and_goes_first() {
    let world = World::new().with_rules(ScopeKind::Account, BOB, EDITS);
    delivered(&world, &[b"From carol Mon Nov 23 00:00:00\n", MAIL].concat(), &[BOB]);
    assert!(
        stored(&world, BOB, "Plain")
            .starts_with("X-Team: =?utf-8?Q?Gr=C3=B6=C3=9Fe?=\nFrom: carol@far.example\n")
    );
}

#[test]
fn odd_messages_are_stored_with_their_edits_and_open_as_they_are_stored_in_the_clear() {
    for mail in [
        &b""[..],
        b"\n",
        b"no header",
        b" folded\nTo: a\n\nb",
        b"To: a\r\nno field\n\n",
        b"Subject: \xff\0\r\n\nx",
    ] {
        let world = World::new().with_rules(ScopeKind::Account, BOB, EDITS);
        delivered(&world, mail, &[BOB]);
        let plain = world.store.messages(&address(BOB), &named("Plain")).remove(0).bytes;
        let sealed = world.store.messages(&address(BOB), &named("Kept")).remove(0).bytes;
        assert_eq!(opened(&sealed, BOB).unwrap(), crlf(&plain).as_ref(), "{mail:?}");
        assert!(plain.ends_with(mail.strip_prefix(b"Subject: ").unwrap_or(mail)), "{mail:?}");
    }
}
