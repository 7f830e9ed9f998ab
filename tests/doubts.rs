//! The world failing around the hook: full and read-only disks, wrong modes, foreign users, time. Always "try again".

use crate::hook::{assert_answer, assert_doubt};
use crate::support::{Ended, Mount, Program, Store, path, root, tools};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const MESSAGE: &[u8] = b"From: Anna <anna@south.example>\nSubject: Lunch\n\nThe word is xyzzy-plugh-4711.\n";
/// The user of the tests who owns nothing.
const NOBODY: u32 = 65534;

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn our_own_deadline_is_75() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    std::fs::write(store.root().join("sealpost.toml"), "deadline = \"1s\"\n").unwrap();
    let begin = Instant::now();
    let hook = Command::new(env!("CARGO_BIN_EXE_sealpost"))
        .args(["--root", path(&store.root()), "deliver", "--recipient=bob@north.example"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut hook = hook;
    // Held open: the message never ends.
    let stdin = hook.stdin.take();
    let ended = hook.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "4.3.0 the delivery took too long\n");
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(75), &b""[..]));
    let took = begin.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(60), "{took:?}");
    assert!(store.stored().is_empty());
}

#[test]
fn a_store_that_others_can_enter_is_75() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let directory = store.root().join("directory.sqlite");
    for (place, wrong, right) in [(store.root(), 0o755, 0o700), (directory, 0o644, 0o600)] {
        set_mode(&place, wrong);
        assert_doubt(&store.deliver(MESSAGE));
        set_mode(&place, right);
    }
    assert!(store.stored().is_empty());
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
}

#[test]
fn an_empty_or_missing_directory_is_75() {
    if !tools(&["openssl"]) {
        return;
    }
    for empty in [true, false] {
        let store = Store::new();
        for name in ["directory.sqlite", "directory.sqlite-wal", "directory.sqlite-shm"] {
            let file = store.root().join(name);
            let is_there = file.exists();
            if is_there && empty && name == "directory.sqlite" {
                std::fs::write(&file, b"").unwrap();
            } else if is_there {
                std::fs::remove_file(&file).unwrap();
            }
        }
        assert_doubt(&store.deliver(MESSAGE));
        assert!(store.stored().is_empty());
    }
}

#[test]
fn a_log_that_takes_nothing_stops_no_mail() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    std::fs::write(store.root().join("sealpost.toml"), "log = \"/dev/full\"\n").unwrap();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    std::fs::write(store.root().join("sealpost.toml"), "log = \"/nonexistent/log\"\n").unwrap();
    assert_doubt(&store.deliver(MESSAGE));
}

#[test]
fn a_full_disk_is_75_and_nothing_of_the_message_stays() {
    if !tools(&["openssl"]) || !root(&["mount", "umount"]) {
        return;
    }
    let store = Store::new();
    let mount = Mount::new(store.file("small"), "size=64k,mode=0700");
    let template = format!("mail-root = \"{}/{{domain}}/{{local}}/Maildir\"\n", path(mount.path()));
    std::fs::write(store.root().join("sealpost.toml"), template).unwrap();
    let large = [MESSAGE, &b"0123456789abcde\n".repeat(8 << 10)].concat();
    assert_answer(&store.deliver(&large), 75, "4.3.1");
    let maildir = mount.path().join("north.example/bob/Maildir");
    for part in ["tmp", "new", "cur"] {
        assert_eq!(std::fs::read_dir(maildir.join(part)).unwrap().count(), 0, "{part}");
    }
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    assert_eq!(std::fs::read_dir(maildir.join("new")).unwrap().count(), 1);
}

#[test]
fn a_read_only_disk_is_75() {
    if !tools(&["openssl"]) || !root(&["mount", "umount"]) {
        return;
    }
    let store = Store::new();
    let mount = Mount::new(store.file("still"), "size=64k,mode=0700");
    let template = format!("mail-root = \"{}/{{domain}}/{{local}}/Maildir\"\n", path(mount.path()));
    std::fs::write(store.root().join("sealpost.toml"), template).unwrap();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    mount.remount("ro");
    assert_doubt(&store.deliver(MESSAGE));
    mount.remount("rw");
    let new = mount.path().join("north.example/bob/Maildir/new");
    assert_eq!(std::fs::read_dir(new).unwrap().count(), 1);
}

/// Runs the binary as a user who is not the owner of the store.
fn as_nobody(binary: &Path, words: &[&str]) -> Ended {
    let command = format!("exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \"$@\"");
    Program::new("sh").args(["-c", &command, "sh", path(binary)]).args(words).input(MESSAGE).run()
}

#[test]
fn a_foreign_user_is_sent_to_the_owner() {
    if !tools(&["openssl"]) || !root(&["setpriv"]) {
        return;
    }
    let store = Store::new();
    // The checkout may lie where nobody else can enter.
    let binary = store.file("sealpost");
    std::fs::copy(env!("CARGO_BIN_EXE_sealpost"), &binary).unwrap();
    set_mode(&binary, 0o755);
    set_mode(binary.parent().unwrap(), 0o755);
    let root = store.root();
    let words = ["--root", path(&root), "account", "list"];
    let ended = as_nobody(&binary, &words);
    let text = format!("sealpost: {} belongs to root: sudo -u root sealpost …\n", path(&root));
    assert_eq!((ended.code, ended.stdout.as_slice(), ended.stderr), (Some(77), &b""[..], text));
    let json = as_nobody(&binary, &["--json", "--root", path(&root), "account", "list"]);
    let error: serde_json::Value = serde_json::from_str(&json.stderr).unwrap();
    assert_eq!((json.code, &error["error"]["code"]), (Some(77), &"no-permission".into()));
    assert_doubt(&as_nobody(&binary, &["--root", path(&root), "deliver", "--recipient=bob@north.example"]));
    assert!(store.stored().is_empty());
}

fn owners(folder: &Path, found: &mut Vec<(PathBuf, u32)>) {
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        found.push((entry.clone(), entry.metadata().unwrap().uid()));
        if entry.is_dir() {
            owners(&entry, found);
        }
    }
}

#[test]
fn what_root_delivers_belongs_to_the_owner() {
    if !tools(&["openssl"]) || !root(&["chown"]) {
        return;
    }
    let store = Store::new();
    let binary = store.file("sealpost");
    set_mode(binary.parent().unwrap(), 0o755);
    Program::new("chown").args(["-R", "65534:65534", path(&store.root())]).run().ok();
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    let mut found = Vec::new();
    owners(&store.root(), &mut found);
    assert!(found.iter().any(|(file, _)| path(file).contains("/Maildir/new/")), "{found:?}");
    assert!(found.iter().all(|(_, uid)| *uid == NOBODY), "{found:?}");
}

/// Every line of the trace with a call of that name, with its number.
fn calls<'t>(trace: &'t [&str], name: &str) -> Vec<(usize, &'t str)> {
    let is_it =
        |line: &str| line.split_once(' ').is_some_and(|(_, call)| call.trim_start().starts_with(name));
    trace.iter().enumerate().filter(|(_, line)| is_it(line)).map(|(at, line)| (at, *line)).collect()
}

/// Written, synced, linked, the folder synced, and only then said.
#[test]
fn delivered_is_said_after_everything_is_synced() {
    if !tools(&["openssl", "strace"]) {
        return;
    }
    let store = Store::new();
    store.rules(
        "[[rule]]\nname = \"Both\"\npriority = 5\nwhen = []\nthen = [[\"Store Encrypted in\", \"Box\"]]\n",
    );
    let trace = store.file("trace");
    let watched = "trace=write,fsync,fdatasync,link,linkat,rename,renameat,renameat2";
    let ended = Program::new("strace")
        .args(["-f", "-y", "-e", watched, "-o", path(&trace), env!("CARGO_BIN_EXE_sealpost")])
        .args(["--root", path(&store.root()), "deliver", "--recipient=bob@north.example"])
        .input(MESSAGE)
        .run();
    assert_answer(&ended, 0, "2.0.0");
    let text = std::fs::read_to_string(&trace).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let said = calls(&lines, "write(1").iter().map(|(at, _)| *at).next().expect("the answer is traced");
    let synced = calls(&lines, "fsync(");
    let links = calls(&lines, "link");
    assert_eq!(links.len(), 2, "{text}");
    for (at, link) in links {
        let mut names = link.split('"').skip(1).step_by(2);
        let (temporary, visible) = (names.next().unwrap(), names.next().unwrap());
        let written = calls(&lines, "write(").into_iter().filter(|(_, line)| line.contains(temporary));
        let last_write = written.map(|(at, _)| at).next_back().expect("the copy is written");
        let file = format!("<{temporary}>");
        assert!(
            synced.iter().any(|(sync, line)| line.contains(&file) && (last_write..at).contains(sync)),
            "{temporary} is synced before it is visible: {text}"
        );
        let folder = format!("<{}>", path(Path::new(visible).parent().unwrap()));
        assert!(
            synced.iter().any(|(sync, line)| line.contains(&folder) && (at..said).contains(sync)),
            "{folder} is synced before the answer: {text}"
        );
    }
}

/// Every file of the directory with its bytes and the time of its last change.
fn directory(store: &Store) -> Vec<(PathBuf, Vec<u8>, i64, i64)> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(store.root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.is_file() && !path(file).ends_with("-shm"));
    files.sort();
    let state = |file: PathBuf| {
        let metadata = file.metadata().unwrap();
        (file.clone(), std::fs::read(file).unwrap(), metadata.mtime(), metadata.mtime_nsec())
    };
    files.into_iter().map(state).collect()
}

#[test]
fn an_ordinary_delivery_writes_nothing_to_the_directory() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let before = directory(&store);
    assert_answer(&store.deliver(MESSAGE), 0, "2.0.0");
    assert_answer(&store.command("deliver --recipient=eve@north.example").input(MESSAGE).run(), 67, "5.1.1");
    assert!(before == directory(&store), "a file of the store has changed");
}

/// A lock that somebody keeps: a delivery that must write its mark waits 5 s, and then the sender does.
#[test]
fn a_busy_directory_is_75() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let rule = "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\n\
                then = [[\"Store Encrypted in\", \"~bob/Archive\"]]\n";
    std::fs::write(store.file("rule.toml"), rule).unwrap();
    store.command("acl grant --mailbox ~bob/Archive --account bob@north.example --create").run();
    let file = store.file("rule.toml");
    store.command("rules install --server").args([path(&file)]).run().ok();
    let words = "deliver --recipient=bob@north.example --queue-id=";
    store.command("rules list").run().ok();
    let _ = std::fs::create_dir_all(store.root().join("mail/north.example/bob/Maildir/.Archive/cur"));
    assert_answer(&store.command(&format!("{words}1")).input(MESSAGE).run(), 0, "2.0.0");
    let state: Vec<PathBuf> = std::fs::read_dir(store.root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| file.extension().is_some_and(|extension| extension == "sqlite"))
        .collect();
    assert_eq!(state.len(), 2, "the directory, and the state beside it: {state:?}");
    let locks: Vec<rusqlite::Connection> = state
        .iter()
        .map(|file| {
            let lock = rusqlite::Connection::open(file).unwrap();
            lock.execute_batch("BEGIN IMMEDIATE").unwrap();
            lock
        })
        .collect();
    let ended = store.command(&format!("{words}2")).input(MESSAGE).run();
    assert_answer(&ended, 75, "4.3.0");
    assert!(ended.took >= Duration::from_secs(5), "{:?}", ended.took);
    assert_eq!(store.stored().iter().filter(|(file, _)| path(file).contains("/new/")).count(), 2);
    // Without a mark to write, a lock of writers is in nobody's way.
    store.command("rules list").run().ok();
    drop(locks);
    assert_answer(&store.command(&format!("{words}2")).input(MESSAGE).run(), 0, "2.0.0");
}

/// Whatever the umask of the administrator and of the MTA.
#[test]
fn nothing_of_a_store_is_open_to_others() {
    if !tools(&["openssl"]) {
        return;
    }
    let store = Store::new();
    let root = store.file("open");
    let log = root.join("log");
    let run = |words: &str| {
        let script = "umask 0; exec \"$@\"";
        let start = ["-c", script, "sh", env!("CARGO_BIN_EXE_sealpost"), "--root", path(&root)];
        Program::new("sh").args(start).words(words).input(MESSAGE).run()
    };
    run("init").ok();
    std::fs::write(root.join("sealpost.toml"), format!("log = \"{}\"\n", path(&log))).unwrap();
    set_mode(&root.join("sealpost.toml"), 0o600);
    run("domain add north.example").ok();
    run("account add bob@north.example").ok();
    run("key generate --domain north.example --type ec-p256").ok();
    run(&format!("cert add --account bob@north.example --file {}", path(&store.bob.certificate))).ok();
    let file = store.file("rule.toml");
    let rule = "[[rule]]\nname = \"r\"\npriority = 5\nwhen = []\n\
                then = [[\"Mark\", [\"work\"]], [\"Store Encrypted in\", \"~bob/INBOX\"]]\n";
    std::fs::write(&file, rule).unwrap();
    run(&format!("rules install --server {}", path(&file))).ok();
    assert_answer(&run("deliver --recipient=bob@north.example --queue-id=1"), 0, "2.0.0");
    let mut found = Vec::new();
    owners(&root, &mut found);
    assert!(found.len() > 10 && found.iter().any(|(file, _)| path(file).contains("/cur/")), "{found:?}");
    for (file, _) in &found {
        let mode = file.metadata().unwrap().mode() & 0o777;
        let expected = if file.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{}", file.display());
    }
    assert_eq!(root.metadata().unwrap().mode() & 0o777, 0o700);
}
