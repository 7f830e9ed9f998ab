//! What changes while the daemon runs, and programs that rules call.

use super::daemon::{Daemon, STORED, message, stored};
use crate::batch::house::{ADA, BOB, House};
use crate::support::{path, wait_for};
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_directory_is_followed_at_once() {
    let daemon = Daemon::start("");
    let mut client = daemon.client();
    let eve = "eve@north.example";
    assert_eq!(client.begin(&[eve, BOB])[0], "550 5.1.1 no such user here");
    client.finish(&message("one"), 1).unwrap();
    daemon.house.run(&["account", "add", eve]);
    assert_eq!(client.deliver(&[eve, BOB], &message("two")).len(), 2, "known, and nothing to seal to");
    let no = "[[rule]]\nname = \"no\"\npriority = 9\nwhen = []\nthen = [[\"Reject with\", \"no\"]]\n";
    daemon.house.rules("--account bob@north.example", no);
    assert_eq!(client.deliver(&[BOB], &message("three")), ["550 5.7.1 no"]);
    daemon.house.rules("--account bob@north.example", &no.replace("priority = 9", "priority = 0"));
    assert_eq!(client.deliver(&[BOB], &message("four")), [STORED]);
    daemon.house.run(&["account", "remove", BOB]);
    assert_eq!(client.begin(&[BOB, ADA])[0], "550 5.1.1 no such user here");
    assert_eq!(client.finish(&message("five"), 1).unwrap(), [STORED]);
    daemon.stop();
}

/// A program that ends when a file is there; what it could be told by signals it is told.
fn program(house: &House) -> String {
    let folder = house.folder.path();
    let file = folder.join("slow");
    let text = format!(
        "#!/bin/sh\ncat >/dev/null\ngrep SigBlk /proc/self/status >{0}/signals\n\
         while ! [ -e {0}/go ]; do sleep 0.02; done\n",
        path(folder)
    );
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    path(&file).to_owned()
}

#[test]
fn a_slow_program_of_a_rule_holds_up_nobody_and_hears_signals() {
    let house = House::lasting();
    let program = program(&house);
    let rule = format!(
        "[[rule]]\nname = \"slow\"\npriority = 5\nwhen = [[\"Subject\", \"is\", \"slow\"]]\nthen = [[\"Execute\", \"{program}\"]]\n"
    );
    house.rules("--server", &rule);
    let daemon = Daemon::of(house, &format!("execute = [\"{program}\"]"));
    let mut slow: Vec<_> = (0..5).map(|_| daemon.client()).collect();
    for client in &mut slow {
        client.begin(&[BOB]);
        client.write(format!("{}\r\n.\r\n", message("slow")).as_bytes()).unwrap();
    }
    let signals = daemon.house.folder.path().join("signals");
    let seen = wait_for("the program", 60, || {
        std::fs::read_to_string(&signals).ok().filter(|text| text.ends_with('\n'))
    });
    assert_eq!(seen, "SigBlk:\t0000000000000000\n");
    let mut quick = daemon.client();
    for number in 0..10 {
        assert_eq!(quick.deliver(&[ADA], &message(&number.to_string())), [STORED]);
    }
    assert_eq!(daemon.inbox("bob"), [""; 0]);
    std::fs::write(daemon.house.folder.path().join("go"), "").unwrap();
    for client in &mut slow {
        assert_eq!(client.reply().unwrap(), STORED);
    }
    assert_eq!(daemon.inbox("bob"), vec![stored(&message("slow")); 5]);
    daemon.stop();
}
