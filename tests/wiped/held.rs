//! How much memory work holds at a time, by the kernel's count: what is large does not come from the allocator.

use super::{job, person};
use sealpost::crypto::Profile;
use sealpost::mail::HeaderPolicy;
use sealpost::pki::KeyType;
use sealpost::smime::seal_many;
use std::process::Command;

const MIB: usize = 1024 * 1024;

/// The profile that [`in_this_process`] is measured with.
const PROFILE: &str = "SEALPOST_TEST_PROFILE";

/// The output, which is 1.37 times the message, and nothing else of its size.
#[test]
fn sealing_holds_the_sealed_message_and_nothing_of_its_size_beside_it() {
    for profile in ["compatible", "modern"] {
        let run = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "wiped::held::in_this_process", "--ignored", "--nocapture"])
            .env(PROFILE, profile)
            .output()
            .unwrap();
        let (text, error) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success() && text.contains("1 passed"), "{profile}: {text} {error}");
    }
}

/// In a process of its own.
#[test]
#[ignore = "another test runs it"]
fn in_this_process() {
    let profile = Profile::parse(&std::env::var(PROFILE).unwrap()).unwrap();
    let person = person(KeyType::Rsa2048);
    let line = format!("{}\r\n", "x".repeat(76));
    let message = format!("From: a@b\r\nSubject: large\r\n\r\n{}", line.repeat(25 * MIB / line.len()));
    let job = job(message.as_bytes(), &person, profile, HeaderPolicy::Keep);
    std::fs::write("/proc/self/clear_refs", "5").expect("the kernel forgets the peak so far");
    let before = octets("VmRSS:");
    let sealed = seal_many(vec![job]).remove(0).unwrap();
    let peak = octets("VmHWM:") - before;
    let length = sealed.bytes().len();
    assert!(peak >= length && length > message.len(), "the kernel counts: {peak}");
    assert!(peak <= message.len() / 10 * 14 + 4 * MIB, "{profile:?}: {peak}");
}

/// proc_pid_status(5).
fn octets(key: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<usize>().unwrap() * 1024
}
