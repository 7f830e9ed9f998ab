//! Whole processes and the disk: the pipe hook, and the daemon.
//!
//! `SEALPOST_BENCH_FOLDER` names a folder on the disk that is meant.

use super::daemon::Daemon;
use super::one::OURS;
use super::{in_short, race};
use crate::measure::record::{Figure, Row, Target};
use crate::measure::{Clock, Plan, Side, median};
use crate::peers::dovecot::{self, Dovecot};
use crate::sample::message_of;
use crate::sample::site::{BUILT, OWNER, Person, Site};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Connections to a daemon at once.
const SESSIONS: usize = 64;
/// Of a round.
const MESSAGES: usize = 2000;
const SIZE: usize = 4 << 10;

/// From the start of the installed program to the answer, the message synced; the peer's file is synced here, which costs it
/// no further program, and its folder is not. As a delivery does it writes a new file each time: where the file system puts
/// one decides more than the rest. What it costs to write over one that is there, and what a start costs from where the linker
/// left the program, stand in the note.
pub(crate) fn hook(name: &'static str) -> Row {
    let site = Site::new();
    let person = site.certify("now");
    let folder = site.folder.path();
    let (message, one_file) = (folder.join("message"), folder.join("theirs"));
    std::fs::write(&message, message_of(SIZE)).expect("a file");
    let mut new_files = (0..).map(|number| folder.join(format!("theirs-{number}")));
    let mut to_new_file = || encrypt(&message, &person, &new_files.next().expect("a name"));
    let to_one_file = || encrypt(&message, &person, &one_file);
    let installed = || deliver(site.program(), &message);
    let built = || deliver(site.program_at(BUILT), &message);
    let run = |ours: &dyn Fn(), theirs: &mut dyn FnMut()| {
        let mut sides = [Side::new(OURS, ours), Side::new("openssl cms -encrypt", theirs)];
        race(name, Target::times(1.0, 2.0), Plan::WAITING, 1, &mut sides)
    };
    let row = run(&installed, &mut to_new_file);
    let from_where_it_was_built = in_short(&run(&built, &mut to_new_file));
    let over_one_file = in_short(&run(&installed, &mut { to_one_file }));
    row.with_note(format!(
        "each into a new file that is synced, ours with its folder, the program in the kernel's cache as after a restart; \
         from where the linker left it {from_where_it_was_built}; beside one that writes over the same file each time \
         {over_one_file}"
    ))
}

fn encrypt(message: &Path, to: &Person, out: &Path) {
    let mut openssl = Command::new("openssl");
    openssl.args(["cms", "-encrypt", "-binary", "-aes-256-cbc", "-in"]).arg(message);
    openssl.arg("-out").arg(out).arg(&to.certificate).stdin(Stdio::null());
    assert!(openssl.status().expect("openssl starts").success());
    sync(out);
}

fn sync(path: &Path) {
    File::open(path).and_then(|file| file.sync_all()).expect("it is synced");
}

fn deliver(mut program: Command, message: &Path) {
    let deliver = program.args(["deliver", "--sender=bo@north.example"]);
    deliver.arg(format!("--recipient={OWNER}")).stdin(File::open(message).expect("the message"));
    assert!(deliver.status().expect("it starts").success());
}

/// The LMTP daemon that seals, against Dovecot's that stores the same in clear, over [`SESSIONS`] sessions of the same client.
/// Every 250 is counted, and afterwards every file is looked at: ours is opened with its owner's key.
pub(crate) fn daemon(name: &'static str) -> Row {
    let (target, message) = (Target::times(1.0, 3.0), message_of(SIZE));
    if let Some(why) = dovecot::missing() {
        return Row::missing(name, "µs a message", target, why);
    }
    let (ours, theirs) = (Daemon::start(SESSIONS, &message), Dovecot::start(SESSIONS, &message));
    let plan = Plan { budget: Duration::from_secs(15), ..Plan::WAITING };
    let mut sides = [
        Side::new(OURS, || ours.deliver(&message, MESSAGES)),
        Side::new(dovecot::NAME, || theirs.deliver(&message, MESSAGES)),
    ];
    let row = race(name, target, plan, MESSAGES, &mut sides);
    drop(sides);
    ours.check(&message);
    theirs.check(&message);
    let rate = |figure: Option<&Figure>| 1e6 / figure.map_or(f64::NAN, |figure| figure.median);
    let (own, peer) = (rate(row.ours.as_ref()), rate(row.peers.first()));
    row.with_note(format!(
        "{own:.0} a second against {peer:.0}, {MESSAGES} of 4 KiB over {SESSIONS} sessions, each synced; the same messages from a \
         folder by one `sealpost deliver --batch`, a whole process: {:.0} a second",
        batch()
    ))
}

/// Messages a second, the median of some runs.
fn batch() -> f64 {
    let site = Site::new();
    site.certify("now");
    let folder = folder_of_messages(&site);
    let run = || {
        let mut deliver = site.program();
        deliver.args(["deliver", "--batch"]).arg(&folder).arg(format!("--recipient={OWNER}"));
        let ended = deliver.stdin(Stdio::null()).stderr(Stdio::null()).status();
        assert!(ended.expect("it starts").success());
    };
    let seconds = (0..5).map(|_| Clock::Wall.time(run).as_secs_f64()).collect();
    MESSAGES as f64 / median(seconds)
}

fn folder_of_messages(site: &Site) -> PathBuf {
    let folder = site.folder.path().join("batch");
    std::fs::create_dir(&folder).expect("a folder");
    let message = message_of(SIZE);
    for number in 0..MESSAGES {
        std::fs::write(folder.join(format!("{number:06}.eml")), &message).expect("a message");
    }
    folder
}
