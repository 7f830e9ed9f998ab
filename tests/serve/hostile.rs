//! Whatever a message is made of, it is stored and answered, and the daemon goes on.

use super::daemon::{Client, Daemon, STORED, maildir, message};
use crate::batch::house::{BOB, House};

/// As it is, bare line ends and all.
fn send(client: &mut Client, octets: &[u8]) -> String {
    assert!(client.say("MAIL FROM:<carol@far.example>").starts_with("250"));
    assert!(client.say(&format!("RCPT TO:<{BOB}>")).starts_with("250"));
    client.write(format!("BDAT {} LAST\r\n", octets.len()).as_bytes()).unwrap();
    client.write(octets).unwrap();
    client.reply().unwrap()
}

/// Multiparts, messages and structures inside of each other, as deep as a message goes.
fn nested() -> Vec<Vec<u8>> {
    let level = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    let wrapped = "Content-Type: message/rfc822\r\n\r\n";
    let indefinite =
        [&b"Content-Type: application/pkcs7-mime\r\n\r\n"[..], &[0x30, 0x80].repeat(200_000)].concat();
    vec![level.repeat(50_000).into_bytes(), wrapped.repeat(50_000).into_bytes(), indefinite]
}

#[test]
fn odd_and_deep_messages_are_stored_and_answered() {
    let house = House::lasting();
    // It looks for structures.
    let rule = "[[rule]]\nname = \"look\"\npriority = 5\nwhen = [[\"Security\", \"is\", \"*encrypted*\"]]\n\
                then = [[\"Mark\", [\"Flagged\"]]]\n";
    house.rules("--account bob@north.example", rule);
    let daemon = Daemon::of(house, "");
    let mut client = daemon.client();
    let odd = std::fs::read_dir("fixtures/odd-mail").unwrap().map(|file| file.unwrap().path());
    let odd = odd.filter(|file| file.is_file()).map(|file| std::fs::read(file).unwrap());
    let mail: Vec<Vec<u8>> = odd.chain(nested()).chain([Vec::new()]).collect();
    for (number, octets) in mail.iter().enumerate() {
        assert_eq!(send(&mut client, octets), STORED, "{number}: {} octets", octets.len());
    }
    assert_eq!(client.deliver(&[BOB], &message("after")), [STORED]);
    let count = |part: &str| std::fs::read_dir(maildir(&daemon.house, "bob").join(part)).unwrap().count();
    assert_eq!(count("new") + count("cur"), mail.len() + 1);
    daemon.stop();
}
