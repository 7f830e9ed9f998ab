//! What a test needs of the machine. Missing: one line, and the test is over; with its word in `SEALPOST_REQUIRE`
//! (`peers`, `root`, `vectors`, `terminals`, `plugins`) it fails instead.

use super::program;
use std::io::Write;
use std::path::PathBuf;

/// Are these programs there?
pub(crate) fn tools(names: &[&str]) -> bool {
    names
        .iter()
        .all(|name| present(program::find(name).is_some(), "peers", &format!("{name} is not installed")))
}

/// Are these files there?
pub(crate) fn files(names: &[&str]) -> bool {
    names
        .iter()
        .all(|name| present(std::path::Path::new(name).is_file(), "peers", &format!("{name} is missing")))
}

/// Can this Python do that import?
pub(crate) fn module(python: &str, import: &str) -> bool {
    let can = program::find(python).is_some()
        && program::Program::new(python).args(["-c", import]).run().code == Some(0);
    present(can, "peers", &format!("{python} has no recent module cryptography"))
}

/// OpenSSL 4: what `SEALPOST_OPENSSL4` names, or what `tests/peers/install` built.
pub(crate) fn openssl_4() -> Option<PathBuf> {
    let program = fetched("SEALPOST_OPENSSL4", "openssl-4/bin/openssl");
    let missing =
        format!("no OpenSSL 4 is at {} (tests/peers/install openssl-4 builds it)", program.display());
    present(program.is_file(), "peers", &missing).then_some(program)
}

/// The NSS libraries of Thunderbird: in the folder that `SEALPOST_THUNDERBIRD` names, or where `tests/peers/install` put them.
pub(crate) fn thunderbird() -> Option<PathBuf> {
    let folder = fetched("SEALPOST_THUNDERBIRD", "thunderbird");
    let missing = format!(
        "no libraries of Thunderbird are in {} (tests/peers/install thunderbird fetches them)",
        folder.display()
    );
    present(folder.join("libsmime3.so").is_file(), "peers", &missing).then_some(folder)
}

/// The npm module node-forge: in the folder that `SEALPOST_NODE_FORGE` names, or where `tests/peers/install` put it.
pub(crate) fn node_forge() -> Option<PathBuf> {
    let folder = fetched("SEALPOST_NODE_FORGE", "node-forge/node_modules/node-forge");
    let missing =
        format!("no node-forge is in {} (tests/peers/install node-forge fetches it)", folder.display());
    present(folder.is_dir(), "peers", &missing).then_some(folder)
}

/// Exim, which root alone can start: what `SEALPOST_EXIM` names, or what `tests/peers/install` put there.
pub(crate) fn exim() -> Option<PathBuf> {
    let program = fetched("SEALPOST_EXIM", "exim/exim");
    let missing = format!("no Exim is at {} (tests/peers/install exim fetches it)", program.display());
    present(program.is_file(), "peers", &missing).then_some(program)
}

/// A judge that the machine's packages do not bring.
fn fetched(variable: &str, place: &str) -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
    let cache = || std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    std::env::var_os(variable).map_or_else(|| cache().join("sealpost").join(place), PathBuf::from)
}

/// Can a test have a terminal? A bare container may have none to give.
pub(crate) fn terminals() -> bool {
    let there = std::path::Path::new("/dev/pts/ptmx").exists();
    tools(&["script"]) && present(there, "terminals", "/dev/pts is not mounted")
}

/// Is this plugin of Dovecot there, where Debian puts them?
pub(crate) fn dovecot_plugin(name: &str) -> bool {
    let file = format!("/usr/lib/dovecot/modules/{name}");
    present(std::path::Path::new(&file).is_file(), "plugins", &format!("{file} is missing"))
}

/// Do we run as root, with these programs there?
pub(crate) fn root(names: &[&str]) -> bool {
    let missing = names.iter().find(|name| program::find(name).is_none());
    let is_root = nix::unistd::geteuid().is_root();
    present(is_root, "root", "not root")
        && present(missing.is_none(), "root", &format!("{} is not installed", missing.unwrap_or(&"")))
}

/// The folder with the public test vectors.
pub(crate) fn vectors() -> Option<PathBuf> {
    let default = || concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors").into();
    let folder = PathBuf::from(std::env::var_os("SEALPOST_VECTORS").unwrap_or_else(default));
    present(folder.is_dir(), "vectors", &format!("no test vectors in {}", folder.display())).then_some(folder)
}

fn present(is_there: bool, word: &str, otherwise: &str) -> bool {
    if is_there {
        return true;
    }
    let required = std::env::var("SEALPOST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|required| required.trim() == word),
        "{otherwise}, and {word} is required"
    );
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    println!("skipped: {test}: {otherwise}");
    record(&format!("skipped: {otherwise}\n"));
    false
}

/// `./check` collects the lines, because the output of a passing test is not shown.
fn record(line: &str) {
    if let Some(list) = std::env::var_os("SEALPOST_SKIPPED") {
        let mut list = std::fs::OpenOptions::new().append(true).create(true).open(list).unwrap();
        list.write_all(line.as_bytes()).unwrap();
    }
}
