//! Several processes at once, and processes that are killed: what somebody was given is recorded, and what is recorded is
//! whole.

use super::Office;
use crate::support::{Ended, Program, path, tools};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How many processes run side by side.
const MANY: usize = 6;

/// The same command, so often at once; `{}` is the number of the process.
fn at_once(office: &Office, words: &str) -> Vec<Ended> {
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..MANY)
            .map(|number| {
                let words = words.replace("{}", &number.to_string());
                scope.spawn(move || office.site.run(&words))
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    })
}

/// Fingerprints of all that the domain recorded.
fn recorded(office: &Office) -> Vec<String> {
    let issued = office.site.json("cert issued --domain north.example");
    let issued = issued["issued"].as_array().unwrap().clone();
    issued.iter().map(|one| one["fingerprint"].as_str().unwrap().to_owned()).collect()
}

/// Fingerprint and state of all that an account has.
fn held(office: &Office, name: &str) -> Vec<(String, String)> {
    let listed = office.site.json(&format!("cert list --account {name}@north.example"));
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let certificates = listed["certificates"].as_array().unwrap();
    certificates.iter().map(|one| (text(&one["fingerprint"]), text(&one["state"]))).collect()
}

/// What bob has is what was recorded, and one of them is active.
fn assert_whole(office: &Office) {
    let held = held(office, "bob");
    let (mut own, mut issued): (Vec<_>, _) =
        (held.iter().map(|(print, _)| print.clone()).collect(), recorded(office));
    own.sort();
    issued.sort();
    assert_eq!(own, issued);
    assert_eq!(held.iter().filter(|(_, state)| state == "active").count(), usize::from(!held.is_empty()));
}

#[test]
fn one_of_many_issues_for_one_account() {
    let office = Office::new();
    let ended = at_once(&office, "cert issue --account bob@north.example");
    let good = ended.iter().filter(|ended| ended.code == Some(0)).count();
    assert_eq!(good, 1);
    for ended in ended.iter().filter(|ended| ended.code != Some(0)) {
        let raced = ended.stderr.contains(" has a certificate already: ");
        let late = ended.stderr.starts_with("sealpost: every key of bob@north.example has a certificate\n");
        assert!(ended.code == Some(1) && (raced || late), "{}", ended.stderr);
    }
    assert_whole(&office);
}

#[test]
fn many_renew_one_account_one_after_the_other() {
    let (office, _) = Office::issued();
    let ended = at_once(&office, "cert renew --account bob@north.example");
    let good = ended.iter().filter(|ended| ended.code == Some(0)).count();
    assert!(good >= 1);
    for ended in ended.iter().filter(|ended| ended.code != Some(0)) {
        assert!(
            ended.stderr.contains(" is not the newest certificate of its key any more: "),
            "{}",
            ended.stderr
        );
    }
    assert_eq!(recorded(&office).len(), 1 + good);
    assert_whole(&office);
}

#[test]
fn many_issue_for_many_accounts_of_one_domain_and_sign_its_lists() {
    let office = Office::new();
    for number in 0..MANY {
        office.site.run(&format!("account add n{number}@north.example")).ok();
        office.make_key(&format!("n{number}"));
    }
    for ended in at_once(&office, "cert issue --account n{}@north.example") {
        ended.ok();
    }
    let mut recorded = recorded(&office);
    recorded.dedup();
    assert_eq!(recorded.len(), MANY);
    let lists = at_once(&office, "crl sign --domain north.example --json");
    let mut numbers: Vec<u64> = lists
        .into_iter()
        .map(|ended| {
            let value: serde_json::Value = serde_json::from_slice(&ended.ok()).unwrap();
            value["lists"][0]["number"].as_str().unwrap().parse().unwrap()
        })
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=MANY as u64).collect::<Vec<_>>());
}

/// With a report each, so that neither waits for the other.
#[test]
fn two_lists_at_once_make_one_key_and_certificate_for_each_account() {
    let office = Office::new();
    let people: Vec<String> = (0..MANY).map(|number| format!("q{number}")).collect();
    for name in &people {
        office.site.run(&format!("account add {name}@north.example")).ok();
    }
    let rows: String = people.iter().map(|name| format!("{name}@north.example,ec-p256\n")).collect();
    let list = office.site.write("people.csv", &format!("address,type\n{rows}"));
    let folder = path(office.site.folder()).to_owned();
    let run = format!(
        "cert issue --domain north.example --bulk {} --report {folder}/report{{}} --passwords {folder}/letters",
        path(&list)
    );
    for ended in at_once(&office, &run) {
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    }
    assert_eq!(recorded(&office).len(), MANY);
    for name in &people {
        assert_eq!(held(&office, name).len(), 1);
        let keys = office.site.json(&format!("key show --account {name}@north.example"));
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    }
}

/// Killed in the n-th of each kind of system call that makes a promise true, for every n.
#[test]
fn a_kill_in_every_deciding_system_call_leaves_all_or_nothing() {
    if !tools(&["strace"]) {
        return;
    }
    let (office, _) = Office::issued();
    let mut synced = 0;
    for call in ["pwrite64", "fdatasync", "fsync", "write"] {
        let mut killed = 0;
        loop {
            let before = recorded(&office).len();
            let kill = format!("inject={call}:signal=KILL:when={}", killed + 1);
            let ended = Program::new("strace")
                .args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &kill])
                .args([env!("CARGO_BIN_EXE_sealpost"), "--root", path(&office.site.root()), "--json"])
                .words("cert renew --account bob@north.example")
                .run();
            let after = recorded(&office).len();
            assert_whole(&office);
            assert!(after - before <= 1, "{call} {killed}");
            if ended.code == Some(0) {
                assert_eq!(after, before + 1);
                break;
            }
            // Whoever was given a certificate has a recorded one.
            assert!(
                ended.code.is_none() && (ended.text().is_empty() || after > before),
                "{call} {killed}: {}",
                ended.stderr
            );
            killed += 1;
            assert!(killed < 60, "{call} never ends");
        }
        // The database syncs by the one or the other.
        match call {
            "fdatasync" | "fsync" => synced += killed,
            _ => assert!(killed > 0, "{call}: nothing was killed"),
        }
    }
    assert!(synced > 0, "nothing was killed in a sync");
}

/// A list of people, killed at moments that walk through its run, and started again each time with the same report.
#[test]
fn a_list_goes_on_where_it_was_killed() {
    let office = Office::new();
    let people = ["p0", "p1", "p2", "p3", "p4", "p5"];
    let rows = people.map(|name| format!("{name}@north.example,ec-p256\n")).concat();
    let list = office.site.write("people.csv", &format!("address,type\n{rows}"));
    let (report, letters) = (office.file("report.csv"), office.file("letters"));
    let args = ["cert", "issue", "--add-accounts", "--domain", "north.example", "--bulk", path(&list)];
    let more = ["--report", path(&report), "--passwords", path(&letters)];
    let mut killed = 0;
    for run in 1..=12 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealpost"))
            .args(["--root", path(&office.site.root())])
            .args(args)
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + Duration::from_millis(60 * run);
        while child.try_wait().unwrap().is_none() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
        killed += u32::from(child.kill().is_ok() && child.wait().unwrap().code().is_none());
    }
    assert!(killed > 0, "nothing was killed");
    let last = office.site.program("").args(args).args(more).run();
    assert_eq!(last.code, Some(0), "{}", last.stderr);
    assert_eq!(recorded(&office).len(), people.len());
    let told = std::fs::read_to_string(&report).unwrap();
    for name in people {
        let held = held(&office, name);
        assert_eq!(held.len(), 1, "{name}");
        let rows: Vec<&str> = told.lines().filter(|row| row.starts_with(name)).collect();
        assert!(rows.len() == 1 && rows[0].contains(&held[0].0), "{rows:?}");
        let keys = office.site.json(&format!("key show --account {name}@north.example"));
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        let password = letters.join(format!("{name}@north.example.password"));
        let test = format!("key test --account {name}@north.example --password-file");
        office.site.program(&test).args([path(&password)]).run().ok();
    }
}
