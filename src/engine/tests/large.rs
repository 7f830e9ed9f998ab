//! A message of which only the begin is held is delivered as one that is held, octet for octet.

use super::*;
use crate::mail::Span;
use crate::smime::LargeMessage;

const MAILBOXES: [(&str, &str); 4] = [(BOB, "INBOX"), (BOB, "Own"), (BOB, "Large"), (ADA, "Shared")];

const EDITED: &str = r#"
[[rule]]
name = "Edited"
priority = 5
when = [["Message Size", "greater than", "20"], ["Security", "is not", "encrypted"]]
then = [["Store in", "Own"], ["Add Header", "X-Team: 7"], ["Tag Subject", "[large]"], ["Mark", ["Flagged"]],
        ["Store Encrypted in", "Large"], ["Remember 'From' in", "Friends"]]
"#;

const SIGNED: &str = r#"
[[rule]]
name = "Signed"
priority = 5
when = [["Security", "is", "*signed*"]]
then = [["Store in", "Own"]]
"#;

const SERVER: &str = r#"
[[rule]]
name = "Archive"
priority = 5
when = []
then = [["Store Encrypted in", "~ada@north.example/Shared"]]
"#;

fn world(rules: &[(ScopeKind, &str, &str)]) -> World {
    let mut world = rules
        .iter()
        .fold(World::new(), |world, (scope, holder, text)| world.with_rules(*scope, holder, text));
    world.settings.max_message = 1 << 20;
    world.rights = true;
    world.store.create(&address(ADA), &MailboxName::parse("Shared").unwrap());
    world
}

/// All that is stored, and all that is told.
fn told(world: &World, outcome: &Outcome) -> String {
    let stored = MAILBOXES.map(|(owner, mailbox)| {
        let messages = world.store.messages(&address(owner), &MailboxName::parse(mailbox).unwrap());
        let show = |stored: crate::store::Stored| {
            (stored.name, stored.flags, stored.bytes.escape_ascii().to_string(), stored.plain_source)
        };
        messages.into_iter().map(show).collect::<Vec<_>>()
    });
    let mut marks: Vec<String> = world.marks.lock().unwrap().iter().map(|mark| format!("{mark:?}")).collect();
    marks.sort_unstable();
    format!("{outcome:#?} {stored:#?} {marks:#?}")
}

fn deliver_large(world: &World, message: &[u8]) -> Option<Outcome> {
    let large = LargeMessage::survey(Span::of(&message).without_mbox_line().unwrap()).unwrap();
    world.engine().deliver_large(&request(b"", &[BOB]).of_large(&large))
}

fn assert_same(rules: &[(ScopeKind, &str, &str)], message: &[u8]) -> Outcome {
    let (held, large) = (world(rules), world(rules));
    let of_held = held.engine().deliver(&request(message, &[BOB]));
    let of_large = deliver_large(&large, message).expect("the begin is enough");
    let (of_held_told, of_large_told) = (told(&held, &of_held), told(&large, &of_large));
    assert!(of_held_told == of_large_told, "{of_held_told}\n\n{of_large_told}");
    of_large
}

#[test]
fn rules_marks_edits_and_consents_are_the_same() {
    let signed = b"Content-Type: multipart/signed; boundary=s\n\n--s\n\nx\n--s\n\nno signature\n--s--\n";
    let crlf = crlf(MAIL).into_owned();
    for message in [MAIL, &crlf, b"Subject: x\r\nno field\nhere\n", b"no header", b"\nbody", signed] {
        for rules in [
            &[][..],
            &[(ScopeKind::Account, BOB, SHARE)],
            &[(ScopeKind::Account, BOB, EDITED)],
            &[(ScopeKind::Account, BOB, SIGNED)],
            &[(ScopeKind::Server, "", SERVER), (ScopeKind::Account, BOB, EDITED)],
        ] {
            let outcome = assert_same(rules, message);
            assert_eq!(outcome.disposition, Disposition::Delivered, "{outcome:?}");
            assert!(!outcome.copies.is_empty());
        }
    }
}

#[test]
fn what_its_sender_sealed_is_kept_and_too_large_is_refused() {
    let sealing = world(&[]);
    sealing.engine().deliver(&request(MAIL, &[BOB]));
    let sealed = sealing.store.messages(&address(BOB), &inbox()).remove(0).bytes;
    let outcome = assert_same(&[], &sealed);
    assert!(outcome.copies[0].kept_as_is, "{outcome:?}");
    let outcome = assert_same(&[(ScopeKind::Account, BOB, EDITED)], &sealed);
    assert!(outcome.copies.iter().all(|copy| copy.mailbox == "INBOX"), "it is encrypted, says the condition");
    let outcome = assert_same(&[], &[MAIL, &vec![b'x'; 1 << 20]].concat());
    assert_eq!(outcome.disposition.exit_code(), 65);
}

/// Nothing is done, stored or asked before that is known.
#[test]
fn what_takes_the_whole_message_says_so_first() {
    for action in [
        r#"["Copy Attachments into", "In"]"#,
        r#"["Forward to", "dan@far.example"]"#,
        r#"["Redirect to", "dan@far.example"], ["Discard"]"#,
    ] {
        let rule = format!(
            "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\nthen = [[\"Store in\", \"Own\"], {action}]\n"
        );
        let world = world(&[(ScopeKind::Account, BOB, &rule)]);
        assert!(deliver_large(&world, MAIL).is_none(), "{action}");
        assert_eq!(world.store.total(), 0, "{action}");
    }
}
