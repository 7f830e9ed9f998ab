//! A message is not discarded in favour of a mail that does not leave.

use super::*;

const ROUND: &[u8] =
    b"Received: by mx\nDelivered-To: bob@north.example\nFrom: carol@far.example\n\nThe body.\n";
const FOLLOWS: &str =
    "nothing of what rule \"Away\" sends on leaves, so the INBOX copy follows in spite of \"Discard\"";
const GOES_ON: &str = "nothing of what rule \"All\" sends on leaves, so the message goes on to the accounts in spite of \"Discard\"";

fn many_hops() -> Vec<u8> {
    [b"Received: x\n".repeat(51).as_slice(), MAIL].concat()
}

/// Each guard, with what stops there.
fn stopped() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let itself = "the mail would come back to the account itself";
    let round = "the account sent it on already: it has gone round in a circle (Delivered-To)";
    let hops = "the message went over 51 servers, hop-limit is 50: it goes round in a circle";
    vec![
        ("Bob+x@north.example", MAIL.to_vec(), itself),
        ("dan@far.example", ROUND.to_vec(), round),
        ("dan@far.example", many_hops(), hops),
    ]
}

fn boxes(world: &World, owner: &str) -> Vec<usize> {
    let count = |name: &str| world.store.messages(&address(owner), &MailboxName::parse(name).unwrap()).len();
    ["INBOX", "Own"].into_iter().map(count).collect()
}

#[test]
fn what_no_guard_lets_pass_stays_in_the_inbox() {
    for action in ["Redirect to", "Forward to", "Mirror to"] {
        for (to, message, reason) in stopped() {
            let rule = format!("[\"{action}\", \"{to}\"], [\"Discard\"]");
            let sent = deliver(bobs(&rule), &request(&message, &[BOB]));
            assert!(sent.mails.is_empty());
            assert_eq!(boxes(&sent.world, BOB), [1, 0], "{rule}");
            let stored = &sent.world.store.messages(&address(BOB), &inbox())[0];
            assert_eq!(opened(&stored.bytes, BOB).unwrap(), crlf(&message).as_ref());
            let unsent = format!("rule \"Away\": {action}: not sent: {reason}");
            assert_eq!(sent.outcome.warnings, [FOLLOWS.to_owned(), unsent]);
            let fired: Vec<&str> =
                sent.outcome.fired.iter().map(|fired| fired.action.as_str()).skip(1).collect();
            assert_eq!(fired, ["Discard (overruled)"]);
        }
    }
}

#[test]
fn the_explanation_is_that_of_the_delivery() {
    for (to, message, reason) in stopped() {
        let world = bobs(&format!("[\"Redirect to\", \"{to}\"], [\"Discard\"]"));
        let explanation = world.engine().explain(&request(&message, &[BOB]));
        assert_eq!(explanation.warnings, [FOLLOWS]);
        assert_eq!(explanation.mails[0].not_sent.as_deref(), Some(reason));
        let copies: Vec<(&str, Option<&str>)> =
            explanation.copies.iter().map(|copy| (copy.mailbox.as_str(), copy.rule.as_deref())).collect();
        assert_eq!(copies, [("INBOX", None)]);
        assert_eq!(explanation.fired[1].action, "Discard (overruled)");
    }
}

/// The message is there already, or somebody gets it.
#[test]
fn discard_stands_where_nothing_is_lost() {
    for (to, message, _) in stopped() {
        let rule = format!("[\"Store Encrypted in\", \"Own\"], [\"Redirect to\", \"{to}\"], [\"Discard\"]");
        let sent = deliver(bobs(&rule), &request(&message, &[BOB]));
        assert_eq!(boxes(&sent.world, BOB), [0, 1], "{rule}");
        assert_eq!(sent.outcome.warnings.len(), 1, "{:?}", sent.outcome.warnings);
        assert_eq!(sent.outcome.fired.last().unwrap().action, "Discard");
    }
    for rule in [
        r#"["Redirect to", ["bob@north.example", "dan@far.example"]], ["Discard"]"#,
        r#"["Redirect to", "bob@north.example"], ["Mirror to", "dan@far.example"], ["Discard"]"#,
        r#"["Mirror to", "dan@far.example"], ["Redirect to", "bob@north.example"], ["Discard"]"#,
    ] {
        let sent = send(rule, MAIL);
        assert_eq!((sent.mails.len(), sent.world.store.total()), (1, 0), "{rule}");
        assert_eq!(sent.outcome.warnings.len(), 1, "the address that is left out");
    }
    let sent = send(r#"["Discard"]"#, MAIL);
    assert_eq!((sent.world.store.total(), sent.outcome.warnings.len()), (0, 0));
}

/// That nobody is answered loses nothing, and an answer is no place for the message.
#[test]
fn replies_do_not_count() {
    let silent = request(b"Subject: x\n\nx\n", &[BOB]);
    let sent = deliver(bobs(r#"["Reply with", "x"], ["Discard"]"#), &silent);
    assert_eq!((sent.mails.len(), sent.world.store.total()), (0, 0));
    let sent = send(r#"["Reply with", "x"], ["Redirect to", "bob@north.example"], ["Discard"]"#, MAIL);
    assert_eq!((sent.mails.len(), sent.world.store.total()), (1, 1));
    assert!(sent.outcome.warnings.iter().any(|warning| warning == FOLLOWS));
}

/// The files of a message are not the message.
#[test]
fn attachments_do_not_count() {
    let mail = b"From: carol@far.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
                 --b\nContent-Type: text/plain\n\nx\n--b\nContent-Type: text/plain\n\
                 Content-Disposition: attachment; filename=a.txt\n\ny\n--b--\n";
    let rule = r#"["Copy Attachments into", "files"], ["Redirect to", "bob@north.example"], ["Discard"]"#;
    let sent = send(rule, mail);
    let places: Vec<&str> = sent.outcome.copies.iter().map(|copy| copy.mailbox.as_str()).collect();
    assert_eq!(places, ["files", "INBOX"]);
}

#[test]
fn the_inbox_copy_is_as_the_rules_and_the_policy_say() {
    let rule = r#"["Mark", "Flagged"], ["Add Header", "X-Team: 7"], ["Redirect to", "bob@north.example"],
                  ["Tag Subject", "[pay]"], ["Discard"]"#;
    let sent = send(rule, MAIL);
    let stored = &sent.world.store.messages(&address(BOB), &inbox())[0];
    assert_eq!(stored.flags, [Flag::Flagged]);
    let text = String::from_utf8(opened(&stored.bytes, BOB).unwrap()).unwrap();
    assert!(text.starts_with("X-Team: 7\r\n") && text.contains("Subject: [pay] pay\r\n"), "{text}");
    let mut plain = bobs(rule);
    plain.accounts[0].overrides.inbox = Some(InboxPolicy::Plain);
    let sent = deliver(plain, &request(MAIL, &[BOB]));
    assert_eq!(sent.outcome.copies[0].plain_source, Some("inbox = \"plain\""));
}

#[test]
fn every_rule_that_sends_on_is_named() {
    let rules = "[[rule]]\nname = \"One\"\npriority = 6\nthen = [[\"Redirect to\", \"bob@north.example\"], \
                 [\"Mirror to\", \"bob@north.example\"]]\n[[rule]]\nname = \"Two\"\npriority = 5\n\
                 then = [[\"Forward to\", \"bob@north.example\"]]\n[[rule]]\nname = \"End\"\npriority = 4\n\
                 then = [[\"Discard\"]]\n";
    let sent = deliver(World::new().with_rules(ScopeKind::Account, BOB, rules), &request(MAIL, &[BOB, ADA]));
    assert_eq!(sent.world.store.total(), 2);
    let told = "nothing of what rule \"One\" and rule \"Two\" sends on leaves, so the INBOX copy follows in spite of \
                \"Discard\"";
    assert_eq!(sent.outcome.warnings[0], told);
}

#[test]
fn what_the_server_cannot_send_on_goes_to_the_accounts() {
    let round = String::from_utf8(ROUND.to_vec()).unwrap().replace("bob@", "postmaster@").into_bytes();
    for (to, message) in [
        ("postmaster@north.example", MAIL.to_vec()),
        ("dan@far.example", round),
        ("dan@far.example", many_hops()),
    ] {
        let rule = format!(
            "[\"Mark\", \"Flagged\"], [\"Add Header\", \"X-Team: 7\"], [\"Redirect to\", \"{to}\"], [\"Discard\"]"
        );
        let own = "[[rule]]\nname = \"Own\"\npriority = 5\nwhen = [[\"Header Field\", \"is\", \"X-Team: 7\"]]\n\
                   then = [[\"Store Encrypted in\", \"Own\"], [\"Discard\"]]\n";
        let world = || {
            let mut world = servers(&rule).with_rules(ScopeKind::Account, BOB, own);
            world.settings.max_message = 1 << 20;
            world
        };
        let sent = deliver(world(), &request(&message, &[BOB, ADA]));
        assert!(sent.mails.is_empty());
        assert_eq!((boxes(&sent.world, BOB), boxes(&sent.world, ADA)), (vec![0, 1], vec![1, 0]), "{rule}");
        let stored = &sent.world.store.messages(&address(ADA), &inbox())[0];
        assert_eq!(stored.flags, [Flag::Flagged]);
        assert!(opened(&stored.bytes, ADA).unwrap().starts_with(b"X-Team: 7\r\n"));
        assert_eq!(sent.outcome.warnings[0], GOES_ON);
        let fired: Vec<(Option<&str>, &str)> = sent
            .outcome
            .fired
            .iter()
            .map(|fired| (fired.account.as_deref(), fired.action.as_str()))
            .collect();
        assert_eq!(
            fired[3..],
            [(None, "Discard (overruled)"), (Some(BOB), "Store Encrypted in Own"), (Some(BOB), "Discard")]
        );
        let world = world();
        let explanation = world.engine().explain(&request(&message, &[BOB, ADA]));
        assert_eq!((explanation.copies.len(), explanation.warnings), (2, vec![GOES_ON.to_owned()]));
    }
}

#[test]
fn the_discard_of_the_server_stands_where_it_lost_nothing() {
    let rule = r#"["Store Encrypted in", "~ada@north.example/INBOX"], ["Redirect to", "postmaster@north.example"], ["Discard"]"#;
    let sent = deliver(servers(rule), &request(MAIL, &[BOB]));
    assert_eq!((boxes(&sent.world, BOB), boxes(&sent.world, ADA)), (vec![0, 0], vec![1, 0]));
    // What an account would have lost is no matter then.
    let own = "[[rule]]\nname = \"Own\"\npriority = 5\nthen = [[\"Redirect to\", \"bob@north.example\"], [\"Discard\"]]\n";
    let world = servers(r#"["Redirect to", "dan@far.example"], ["Discard"]"#).with_rules(
        ScopeKind::Account,
        BOB,
        own,
    );
    let sent = deliver(world, &request(MAIL, &[BOB]));
    assert_eq!((sent.mails.len(), sent.world.store.total()), (1, 0));
    assert!(sent.outcome.warnings.is_empty(), "{:?}", sent.outcome.warnings);
}

#[test]
fn a_server_and_an_account_that_both_give_it_away_lose_nothing() {
    let own = "[[rule]]\nname = \"Away\"\npriority = 5\nthen = [[\"Redirect to\", \"bob@north.example\"], [\"Discard\"]]\n";
    let world = servers(r#"["Redirect to", "postmaster@north.example"], ["Discard"]"#).with_rules(
        ScopeKind::Account,
        BOB,
        own,
    );
    let sent = deliver(world, &request(MAIL, &[BOB]));
    assert_eq!((sent.mails.len(), boxes(&sent.world, BOB)), (0, vec![1, 0]));
    assert_eq!(sent.outcome.warnings[..2], [GOES_ON, FOLLOWS]);
}
