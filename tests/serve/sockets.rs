//! The sockets: modes, the dead and the living, and what is in the way.

use super::daemon::{Client, Daemon, STORED, command, configure, listen_also, message, socket, stored};
use crate::batch::house::{BOB, House};
use crate::support::servers::open_to_all;
use crate::support::{Port, Program, path, root};
use nix::sys::signal::Signal;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixListener;

/// It does not come to listening.
fn refused(house: &House) -> (i32, String) {
    let ended = command(house, &[]).output().unwrap();
    (ended.status.code().unwrap(), String::from_utf8(ended.stderr).unwrap())
}

fn mode(house: &House) -> u32 {
    socket(house).metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_message_comes_in_and_is_sealed() {
    let daemon = Daemon::start("");
    assert_eq!(mode(&daemon.house), 0o660);
    let text = message("hello") + "\r\n.dots\r\n..";
    let mut client = daemon.client();
    assert_eq!(client.deliver(&[BOB], &text.replace("\r\n.", "\r\n..")), [STORED]);
    assert_eq!(daemon.inbox("bob"), [stored(&text)]);
    assert_eq!(client.say("QUIT"), "221 2.0.0 bye");
    assert!(client.is_closed());
    let log = daemon.log();
    assert!(
        log.contains("answer=\"2.0.0 stored\" \"done\"") || log.contains("answer=\"2.0.0 stored\""),
        "{log}"
    );
    assert!(!log.contains("body of"), "no word of a message");
    let house = daemon.stop();
    assert!(!socket(&house).exists(), "its name goes with it");
}

#[test]
fn the_socket_of_a_dead_daemon_is_replaced() {
    let daemon = Daemon::start("lmtp-socket-mode = \"0600\"");
    daemon.signal(Signal::SIGKILL);
    let (house, ..) = daemon.ended();
    assert!(socket(&house).exists(), "nobody took it away");
    configure(&house, "lmtp-socket-mode = \"0666\"");
    let daemon = Daemon::under(house, &[]);
    assert_eq!(mode(&daemon.house), 0o666);
    assert_eq!(daemon.client().deliver(&[BOB], &message("again")), [STORED]);
}

#[test]
fn a_living_daemon_keeps_its_socket() {
    let daemon = Daemon::start("");
    let (code, text) = refused(&daemon.house);
    let place = format!("unix:{}", daemon.socket().display());
    assert_eq!(
        (code, text),
        (
            1,
            format!(
                "sealpost: somebody listens on {place} already\n  another sealpost serve runs, or another server\n"
            )
        )
    );
    assert_eq!(daemon.client().deliver(&[BOB], &message("still there")), [STORED]);
    // Another one has its name by now: that is not ours to take away.
    std::fs::remove_file(daemon.socket()).unwrap();
    let other = UnixListener::bind(daemon.socket()).unwrap();
    let house = daemon.stop();
    assert!(socket(&house).exists());
    drop(other);
}

#[test]
fn a_file_in_the_way_stays() {
    let house = House::lasting();
    configure(&house, "");
    std::fs::write(socket(&house), "mine").unwrap();
    let (code, text) = refused(&house);
    assert_eq!(code, 1);
    assert!(text.contains("is there, and is no socket"), "{text}");
    assert_eq!(std::fs::read(socket(&house)).unwrap(), b"mine");
}

#[test]
fn places_where_nobody_can_listen_are_told_with_what_to_do() {
    let house = House::lasting();
    let toml = house.folder.path().join("store/sealpost.toml");
    let told = |text: &str| {
        std::fs::write(&toml, text).unwrap();
        refused(&house)
    };
    let (code, text) = told("");
    assert_eq!(code, 78);
    assert!(text.contains("does not say where to listen") && text.contains("lmtp-listen = ["), "{text}");
    let (code, text) = told("lmtp-listen = [\"unix:/nonexistent/lmtp\"]");
    assert_eq!(code, 66);
    assert!(text.contains("its folder must be there"), "{text}");
    let place = format!("lmtp-listen = [\"unix:{}\"]\n", socket(&house).display());
    let (code, text) = told(&format!("{place}lmtp-socket-group = \"no-such-group\"\n"));
    assert_eq!(code, 78);
    assert!(text.contains("there is no group no-such-group"), "{text}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, text) = told(&format!("lmtp-listen = [\"{}\"]", taken.local_addr().unwrap()));
    assert_eq!(code, 1);
    assert!(text.contains("somebody listens on 127.0.0.1:"), "{text}");
    let (code, text) = told("lmtp-listen = [\"192.0.2.1:24\"]");
    assert_eq!(code, 78);
    assert!(text.contains("there is no TLS"), "{text}");
}

/// Whoever may read a folder may lock it.
#[test]
fn a_lock_that_is_held_is_waited_for_a_while_and_told() {
    let house = House::lasting();
    configure(&house, "");
    let folder = std::fs::File::open(house.folder.path()).unwrap();
    folder.lock().unwrap();
    let (code, text) = refused(&house);
    assert_eq!(code, 75);
    assert!(text.contains("is locked by somebody else") && text.contains("fuser"), "{text}");
    folder.unlock().unwrap();
    drop(Daemon::under(house, &[]));
}

/// What the owner of the store wrote makes root read nothing that he may not, and make nothing where somebody else decides.
#[test]
fn root_does_for_the_owner_of_the_store_what_he_may() {
    if !root(&[]) {
        return;
    }
    let house = House::lasting();
    let folder = house.folder.path();
    let (toml, secret, log) = (folder.join("store/sealpost.toml"), folder.join("secret"), folder.join("log"));
    let [own, strange] = [("own", 65534), ("strange", 65533)].map(|(name, user)| {
        let place = folder.join(name);
        std::fs::create_dir(&place).unwrap();
        chown(&place, Some(user), None).unwrap();
        place.join("lmtp")
    });
    let give = || {
        open_to_all(folder);
        std::fs::write(&log, "").unwrap();
        Program::new("chown")
            .args(["-R", "65534:65534"])
            .args([path(&folder.join("store")), path(&log)])
            .run()
            .ok();
    };
    std::fs::write(&secret, "swordfish = 1\n").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&secret, &toml).unwrap();
    give();
    let (code, text) = refused(&house);
    assert!(code != 0 && text.contains("ermission denied") && !text.contains("swordfish"), "{text}");
    std::fs::remove_file(&toml).unwrap();
    configure(&house, "");
    listen_also(&house, &format!("unix:{}", path(&strange)));
    give();
    let (code, text) = refused(&house);
    assert_eq!(code, 77, "{text}");
    assert!(text.contains("strange belongs neither to root nor to the owner of the store"), "{text}");
    assert!(!strange.exists() && !socket(&house).exists());
    configure(&house, "");
    listen_also(&house, &format!("unix:{}", path(&own)));
    give();
    let daemon = Daemon::under(house, &[]);
    for place in [own, daemon.socket()] {
        assert_eq!(Client::connect(&place).deliver(&[BOB], &message("hello")), [STORED]);
    }
    daemon.stop();
}

/// A port of this machine, and what rules see of who came there.
#[test]
fn a_client_over_tcp_is_known_by_its_address() {
    let port = Port::reserved();
    let house = House::lasting();
    let rule = "[[rule]]\nname = \"no\"\npriority = 5\n\
                when = [[\"Submit Address\", \"is\", \"LMTP [127.0.0.1]\"], [\"Source\", \"is\", \"lmtp\"]]\n\
                then = [[\"Reject with\", \"not from there\"]]\n";
    house.rules("--account bob@north.example", rule);
    configure(&house, "");
    listen_also(&house, &format!("127.0.0.1:{}", port.number()));
    let daemon = Daemon::under(house, &[]);
    assert_eq!(daemon.client().deliver(&[BOB], &message("over a socket")), [STORED]);
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port.number())).unwrap();
    let text = format!(
        "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{BOB}>\r\nDATA\r\n{}\r\n.\r\nQUIT\r\n",
        message("over TCP")
    );
    std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
    let mut replies = String::new();
    std::io::Read::read_to_string(&mut stream, &mut replies).unwrap();
    assert!(replies.ends_with("550 5.7.1 not from there\r\n221 2.0.0 bye\r\n"), "{replies}");
}
