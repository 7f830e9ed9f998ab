//! Several recipients of a message: one delivery if that can be, and each by himself if not.

use super::daemon::{Daemon, STORED, maildir, message, stored};
use crate::batch::house::{ADA, BOB, House};
use crate::support::{path, with_more_time};
use std::os::unix::fs::PermissionsExt;

const ROBERT: &str = "robert@north.example";

/// Ada's mailbox has room for so many octets, as Dovecot and Courier write it down.
fn limit_ada(house: &House, octets: u64) {
    let folder = maildir(house, "ada");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("maildirsize"), format!("{octets}S\n0 0\n")).unwrap();
}

#[test]
fn a_full_mailbox_keeps_nobody_else_from_his_mail() {
    let house = House::lasting();
    limit_ada(&house, 100);
    let daemon = Daemon::of(house, "");
    let mut client = daemon.client();
    let replies = client.begin(&[ADA, "nobody@north.example", BOB, "x@far.example"]);
    assert_eq!(
        replies,
        [
            "250 2.1.5 recipient ok",
            "550 5.1.1 no such user here",
            "250 2.1.5 recipient ok",
            "451 4.3.5 the recipient's domain is not ready here"
        ]
    );
    let answers = client.finish(&message("one"), 2).unwrap();
    assert_eq!(answers, ["452 4.2.2 the mailbox is full", STORED]);
    assert_eq!(daemon.inbox("bob"), [stored(&message("one"))]);
    assert!(daemon.inbox("ada").is_empty());
    limit_ada(&daemon.house, 1 << 20);
    assert_eq!(client.deliver(&[ADA, BOB], &message("two")), [STORED, STORED]);
    assert_eq!(daemon.inbox("ada"), [stored(&message("two"))]);
    let log = daemon.log();
    assert!(log.contains("the mailbox of ada@north.example is full"), "{log}");
    daemon.stop();
}

/// Two addresses of one account are one delivery, together and by itself.
#[test]
fn an_account_gets_a_message_once() {
    let house = House::lasting();
    limit_ada(&house, 100);
    house.run(&["account", "set", BOB, "--alias", ROBERT]);
    let daemon = Daemon::of(house, "");
    let mut client = daemon.client();
    assert_eq!(client.deliver(&[BOB, ROBERT], &message("both")), [STORED, STORED]);
    let full = "452 4.2.2 the mailbox is full";
    assert_eq!(client.deliver(&[BOB, ADA, ROBERT], &message("three")), [STORED, full, STORED]);
    assert_eq!(daemon.inbox("bob"), [stored(&message("both")), stored(&message("three"))]);
    daemon.stop();
}

/// What the server's rules store of a message is there once, though each recipient is a delivery by himself.
#[test]
fn the_copy_of_the_servers_rule_is_stored_once() {
    let house = House::lasting();
    house.rules(
        "--server",
        "[[rule]]\nname = \"all\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\", \"~eve@north.example/INBOX\"]]\n",
    );
    house.add("eve");
    limit_ada(&house, 100);
    let daemon = Daemon::of(house, "");
    let mut client = daemon.client();
    let full = "452 4.2.2 the mailbox is full";
    assert_eq!(client.deliver(&[BOB, ADA, "eve@north.example"], &message("x")), [STORED, full, STORED]);
    assert_eq!(daemon.inbox("bob").len(), 1);
    // Her own, and the server's, which stays the only one however often the client tries again.
    assert_eq!(daemon.inbox("eve").len(), 2);
    assert_eq!(client.deliver(&[ADA], &message("x")), [full]);
    limit_ada(&daemon.house, 1 << 20);
    assert_eq!(daemon.client().deliver(&[ADA], &message("x")), [STORED]);
    assert_eq!((daemon.inbox("ada").len(), daemon.inbox("eve").len()), (1, 2));
    // Nobody divides this one.
    assert_eq!(client.deliver(&[BOB], &message("y")), [STORED]);
    assert_eq!(client.deliver(&[BOB], &message("y")), [STORED]);
    assert_eq!((daemon.inbox("bob").len(), daemon.inbox("eve").len()), (3, 3));
    daemon.stop();
}

/// Held or spooled, it is the same message.
#[test]
fn a_large_message_of_the_servers_rule_is_known_again() {
    let house = House::lasting();
    house.rules(
        "--server",
        "[[rule]]\nname = \"all\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\", \"~eve@north.example/INBOX\"]]\n",
    );
    house.add("eve");
    let text = format!("{}\r\n{}", message("x"), "A line of the body.\r\n".repeat(20_000));
    let mut daemon = Daemon::of(house, "");
    for settings in ["memory-limit = \"64K\"", "memory-limit = \"64K\"", ""] {
        daemon = Daemon::of(daemon.stop(), settings);
        assert_eq!(daemon.client().deliver(&[BOB], &text), [STORED]);
    }
    assert_eq!((daemon.inbox("bob").len(), daemon.inbox("eve").len()), (3, 1));
    daemon.stop();
}

/// A rule of one refuses; the other has it.
#[test]
fn a_refusal_is_for_whose_rule_it_is() {
    let house = House::lasting();
    house.rules(
        "--account bob@north.example",
        "[[rule]]\nname = \"no\"\npriority = 5\nwhen = []\nthen = [[\"Reject with\", \"no\"]]\n",
    );
    let daemon = Daemon::of(house, "");
    let mut client = daemon.client();
    assert_eq!(client.deliver(&[BOB, ADA], &message("x")), ["550 5.7.1 no", STORED]);
    assert_eq!((daemon.inbox("bob").len(), daemon.inbox("ada").len()), (0, 1));
    daemon.stop();
}

/// A program that takes its time, for the rules of each of them: where each had a time of his own, all would have the mail.
#[test]
fn all_recipients_share_one_deadline() {
    let late = "451 4.3.0 the delivery took too long";
    with_more_time(|times| {
        let house = House::lasting();
        house.add("eve");
        let calls = house.folder.path().join("calls");
        let sleeps = f64::from(times) * 1.8;
        let program = program(&house, &format!("cat >/dev/null; echo x >>{}; sleep {sleeps}", path(&calls)));
        let rule = format!(
            "[[rule]]\nname = \"slow\"\npriority = 5\nwhen = []\nthen = [[\"Execute\", \"{program}\"]]\n"
        );
        for account in ["ada", "bob", "eve"] {
            house.rules(&format!("--account {account}@north.example"), &rule);
        }
        let limits = format!("execute-timeout = \"{}s\"\ndeadline = \"{}s\"", 2 * times, 3 * times);
        let daemon = Daemon::of(house, &format!("execute = [\"{program}\"]\n{limits}"));
        let told = daemon.client().deliver(&[ADA, BOB, "eve@north.example"], &message("x"));
        // On a busy machine the program takes longer than it may.
        if told.contains(&FAILED.to_owned()) {
            return None;
        }
        assert_eq!(told, [late; 3]);
        let calls = std::fs::read_to_string(&calls).unwrap_or_default();
        assert!(calls.len() / 2 < 3, "the last one's did not begin: {calls}");
        for account in ["ada", "bob", "eve"] {
            assert!(daemon.inbox(account).is_empty(), "{account}");
        }
        let told = daemon.client().deliver(&[ADA], &message("y")).remove(0);
        assert!([STORED, FAILED, late].contains(&told.as_str()), "{told}");
        daemon.stop();
        (told == STORED).then_some(())
    });
}

const FAILED: &str = "451 4.3.0 a program that looks at the mail is not available";

/// What the server's rules say of a message they say once, unless they look at its recipients.
#[test]
fn a_program_of_the_server_that_fails_runs_once() {
    let house = House::lasting();
    house.add("eve");
    let calls = house.folder.path().join("calls");
    let program = program(&house, &format!("cat >/dev/null; echo x >>{}; exit 1", path(&calls)));
    let rule = |when: &str| {
        format!(
            "[[rule]]\nname = \"s\"\npriority = 5\nwhen = [{when}]\nthen = [[\"Execute\", \"{program}\"]]\n"
        )
    };
    house.rules("--server", &rule(""));
    let daemon = Daemon::of(house, &format!("execute = [\"{program}\"]"));
    let calls = || std::fs::read_to_string(&calls).unwrap().len() / 2;
    let all = [ADA, BOB, "eve@north.example"];
    assert_eq!((daemon.client().deliver(&all, &message("x")), calls()), (vec![FAILED.into(); 3], 1));
    daemon.house.rules("--server", &rule("[\"Any Recipient\", \"is\", \"bob@*\"]"));
    let told = daemon.client().deliver(&all, &message("x"));
    assert_eq!((told, calls()), (vec![STORED.into(), FAILED.into(), STORED.into()], 3));
    let no = rule("").replace(&format!("\"Execute\", \"{program}\""), "\"Reject with\", \"no\"");
    daemon.house.rules("--server", &no);
    assert_eq!(daemon.client().deliver(&all, &message("x")), ["550 5.7.1 no"; 3]);
    assert_eq!(daemon.log().matches("rejects the message").count(), 1);
    daemon.stop();
}

/// A program that rules may run.
fn program(house: &House, script: &str) -> String {
    let file = house.folder.path().join("program");
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    path(&file).to_owned()
}
