//! Wrong passwords are counted over all processes, and each makes the next wait longer.

use super::{MESSAGE, Vault};
use crate::support::{path, wait_for};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

const WRONG: &str = "sealpost: wrong Secure Mail password of bob@north.example\n";

fn milliseconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

impl Vault {
    /// So many wrong passwords, the last one so many milliseconds ago.
    fn set_wrong(&self, count: u32, ago: i64) {
        let sql = "UPDATE failed_unlocks SET count = ?1, last = ?2";
        let changed = self.state().execute(sql, (count, milliseconds() - ago)).unwrap();
        assert_eq!(changed, 1);
    }
}

/// The text with its time taken out.
fn without_time(text: &str) -> String {
    text.split(' ')
        .map(|word| if word.parse::<u32>().is_ok() { "N" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn every_door_says_the_same_and_counts() {
    let vault = Vault::new();
    vault.deliver(MESSAGE);
    let (wrong, out) = (vault.site.write("wrong", "battery\n"), vault.site.folder().join("out"));
    let sealed = std::fs::read(&vault.inbox()[0]).unwrap();
    let bob = format!("--account bob@north.example --password-file {}", path(&wrong));
    let certificate = vault.site.folder().join("bob.pem");
    let shown = vault.site.json("cert show --account bob@north.example");
    std::fs::write(&certificate, shown["certificates"][0]["pem"].as_str().unwrap()).unwrap();
    let doors = [
        format!("open {bob}"),
        format!("rekey {bob} --cert {}", path(&certificate)),
        format!("key test {bob}"),
        format!("key export {bob} --output {}", path(&out)),
        format!("key password {bob} --new-password-file {}", path(&wrong)),
    ];
    for (door, before) in doors.iter().zip(0..) {
        if before > 0 {
            vault.set_wrong(before, 100_000);
        }
        let ended = vault.site.program(door).input(sealed.clone()).run();
        assert_eq!(
            (ended.code, ended.stderr.as_str(), ended.text().as_str()),
            (Some(77), WRONG, ""),
            "{door}"
        );
        assert_eq!(vault.wrong(), before + 1, "{door}");
    }
    // Nine in a row: not even the right one is taken for 64 seconds, and nobody counts it.
    vault.set_wrong(9, 0);
    let refused = "sealpost: after N wrong passwords the keys of bob@north.example stay locked for N seconds\n  \
        not even the right password opens them before; to end it now: sealpost account unlock bob@north.example\n";
    for door in &doors {
        let right = door.replace(path(&wrong), path(&vault.password));
        let ended = vault.site.program(&right).input(sealed.clone()).run();
        assert_eq!((ended.code, without_time(&ended.stderr).as_str()), (Some(77), refused), "{door}");
        assert_eq!((vault.wrong(), out.exists()), (9, false), "{door}");
    }
    assert_eq!(
        vault.site.run("account unlock bob@north.example").text(),
        "9 wrong passwords for bob@north.example forgotten: the next may be tried at once\n"
    );
    vault.open(&vault.inbox()[0], &vault.password).ok();
    assert_eq!(vault.wrong(), 0);
    assert_eq!(vault.site.json("account unlock bob@north.example")["forgotten"], 0);
    let (code, text) = vault.site.refused("account unlock eve@north.example");
    assert_eq!(
        (code, text.as_str()),
        (66, "sealpost: there is no account eve@north.example\n  see: sealpost account list\n")
    );
}

#[test]
fn the_wait_ends_and_a_right_password_forgets_what_was_wrong() {
    let vault = Vault::new();
    let wrong = vault.site.write("wrong", "battery\n");
    let test = |password| format!("key test --account bob@north.example --password-file {}", path(password));
    for _ in 0..3 {
        assert_eq!(vault.site.refused(&test(&wrong)), (77, WRONG.to_owned()));
    }
    assert_eq!(vault.wrong(), 3);
    // Eleven of them cost 256 seconds.
    vault.set_wrong(11, 156_000);
    let (code, text) = vault.site.refused(&test(&vault.password));
    assert_eq!(code, 77);
    assert!(
        text.starts_with("sealpost: after 11 wrong passwords the keys of bob@north.example stay locked for ")
    );
    vault.set_wrong(11, 256_001);
    assert_eq!(vault.site.refused(&test(&wrong)), (77, WRONG.to_owned()));
    assert_eq!(vault.wrong(), 12);
    vault.set_wrong(30, 900_001);
    vault.site.run(&test(&vault.password)).ok();
    assert_eq!(vault.wrong(), 0);
    // A quarter of an hour at most, and in minutes.
    vault.site.refused(&test(&wrong));
    vault.set_wrong(30, 0);
    assert!(vault.site.refused(&test(&wrong)).1.contains("stay locked for 15 minutes\n"));
    // A clock that was put back makes nobody wait longer than that.
    vault.set_wrong(30, -1_000_000_000);
    assert!(vault.site.refused(&test(&wrong)).1.contains("stay locked for 15 minutes\n"));
}

#[test]
fn many_processes_at_once_do_not_race_past_the_limit() {
    let vault = Vault::new();
    let wrong = vault.site.write("wrong", "battery\n");
    let words = |password| format!("key test --account bob@north.example --password-file {}", path(password));
    let at_once = |words: &str| -> Vec<(Option<i32>, String)> {
        std::thread::scope(|scope| {
            let run = || {
                let ended = vault.site.run(words);
                (ended.code, ended.stderr)
            };
            let all: Vec<_> = (0..8).map(|_| scope.spawn(run)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    // Right ones do not take each other for wrong.
    assert!(at_once(&words(&vault.password)).iter().all(|(code, _)| *code == Some(0)));
    let ended = at_once(&words(&wrong));
    assert!(ended.iter().all(|(code, _)| *code == Some(77)));
    let tried = ended.iter().filter(|(_, text)| text == WRONG).count();
    let locked = ended.iter().filter(|(_, text)| text.contains("stay locked for")).count();
    assert_eq!((tried + locked, vault.wrong() as usize), (8, tried));
    assert!((3..8).contains(&tried), "{tried} were tried");
}

#[test]
fn who_dies_while_trying_has_tried() {
    let vault = Vault::new();
    vault.site.refused("key test --account bob@north.example --password-file /dev/null");
    vault.site.run("account unlock bob@north.example").ok();
    for before in 0..2 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealpost"))
            .args(["--root", path(&vault.site.root()), "key", "test", "--account", "bob@north.example"])
            .args(["--password-file", path(&vault.password)])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // A right one is forgotten soon.
        wait_for("the attempt to be counted", 60, || {
            let is_over = child.try_wait().unwrap().is_some();
            (is_over || vault.wrong() == before + 1).then_some(())
        });
        let _ = child.kill();
        // It may have been faster than the signal.
        if child.wait().unwrap().success() {
            return;
        }
        assert_eq!(vault.wrong(), before + 1);
    }
    vault
        .site
        .run(&format!("key test --account bob@north.example --password-file {}", path(&vault.password)))
        .ok();
    assert_eq!(vault.wrong(), 0);
}
