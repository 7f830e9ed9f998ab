//! Mail that rules send.

use super::daemon::{Daemon, STORED, configure, message};
use crate::batch::house::{BOB, House};
use crate::support::{Act, MailServer, wait_for};

const COPY: &str =
    "[[rule]]\nname = \"copy\"\npriority = 5\nthen = [[\"Redirect to\", \"anna@far.example\"]]\n";

/// It has the mail, and says nothing of it for longer than any client of these tests waits.
#[test]
fn a_next_server_that_hangs_keeps_no_session_and_not_the_end() {
    let server = MailServer::start(&["8BITMIME"], vec![(".", Act::Wait(600))]);
    let house = House::lasting();
    house.rules("--account bob@north.example", COPY);
    configure(&house, &format!("submission = \"smtp://127.0.0.1:{}\"", server.port));
    let daemon = Daemon::under(house, &[]);
    let mut client = daemon.client();
    for subject in ["one", "two"] {
        assert_eq!(client.deliver(&[BOB], &message(subject)), [STORED]);
        assert_eq!(client.say("NOOP"), "250 2.0.0 ok");
    }
    wait_for("the next server", 60, || server.lines().contains(&"DATA".to_owned()).then_some(()));
    daemon.stop();
}
