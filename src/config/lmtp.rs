//! Where the daemon listens, and how much it takes on.

use super::keys::Key;
use super::read::Config;
use super::value;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use toml::de::DeValue;

/// More sessions than any MTA opens here; each is a thread.
const MOST_SESSIONS: u64 = 4096;
/// `sun_path` of unix(7), with its end.
const LONGEST_PATH: usize = 107;

/// A place where clients come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// A socket of this machine.
    Unix(PathBuf),
    /// A port of this machine: a loopback address, because there is no TLS.
    Tcp(SocketAddr),
}

impl fmt::Display for Listen {
    /// As it stands in the file.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Unix(path) => write!(out, "unix:{}", path.display()),
            Listen::Tcp(address) => address.fmt(out),
        }
    }
}

/// What `sealpost serve` is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LmtpSettings {
    /// Where it listens; nowhere: there is no daemon.
    pub listen: Vec<Listen>,
    /// The mode of its sockets: who may connect may hand over mail.
    pub socket_mode: u32,
    /// The group of its sockets, by name; absent: that of the process.
    pub socket_group: Option<String>,
    /// Clients at a time.
    pub sessions: usize,
    /// Octets of all messages that are in hand together.
    pub memory: u64,
}

/// `lmtp-listen`
pub(super) const LISTEN: Key = Key {
    name: "lmtp-listen",
    doc: "where sealpost serve takes mail over LMTP, as [\"unix:/run/sealpost/lmtp\"]",
    default: "[]",
    allowed: || {
        "a list of \"unix:/path\" and of loopback addresses with a port like \"127.0.0.1:2424\" or \"[::1]:2424\", each once: \
         there is no TLS, so that nobody may come from another machine"
            .into()
    },
    read: |config, given| {
        config.lmtp.listen = places(given)?;
        Some(())
    },
};

/// `lmtp-socket-mode`
pub(super) const SOCKET_MODE: Key = Key {
    name: "lmtp-socket-mode",
    doc: "the mode of the sockets: who may connect may hand over mail",
    default: "\"0660\"",
    allowed: || "a mode in octal digits from \"0600\" to \"0666\"".into(),
    read: |config, given| {
        config.lmtp.socket_mode = mode(given)?;
        Some(())
    },
};

/// `lmtp-socket-group`
pub(super) const SOCKET_GROUP: Key = Key {
    name: "lmtp-socket-group",
    doc: "the group of the sockets, such as \"postfix\"; empty: that of the owner of the store",
    default: "\"\"",
    allowed: || "the name of a group, or \"\"".into(),
    read: |config, given| {
        config.lmtp.socket_group = group(given)?;
        Some(())
    },
};

/// `lmtp-sessions`
pub(super) const SESSIONS: Key = Key {
    name: "lmtp-sessions",
    doc: "clients that are connected at a time; one more is told to come back later",
    default: "128",
    allowed: || format!("a number from 1 to {MOST_SESSIONS}"),
    read: |config, given| {
        let sessions = value::integer(given).filter(|number| (1..=MOST_SESSIONS).contains(number))?;
        config.lmtp.sessions = usize::try_from(sessions).ok()?;
        Some(())
    },
};

/// `lmtp-memory`
pub(super) const MEMORY: Key = Key {
    name: "lmtp-memory",
    doc: "octets of all messages that are in hand together; who finds no room waits, and what outgrows it waits on disk, encrypted",
    default: "\"256M\"",
    allowed: || "a size like \"256M\"".into(),
    read: |config, given| {
        config.lmtp.memory = value::size(given)?;
        Some(())
    },
};

/// Each once.
fn places(given: &DeValue<'_>) -> Option<Vec<Listen>> {
    let mut places = Vec::new();
    for item in given.as_array()? {
        let place = place(item.get_ref().as_str()?)?;
        if places.contains(&place) {
            return None;
        }
        places.push(place);
    }
    Some(places)
}

fn place(text: &str) -> Option<Listen> {
    if let Some(path) = text.strip_prefix("unix:") {
        let is_plain = path.starts_with('/')
            && !path.ends_with('/')
            && path.len() <= LONGEST_PATH
            && !path.chars().any(char::is_control)
            && !path.split('/').any(|level| level == "." || level == "..");
        return is_plain.then(|| Listen::Unix(PathBuf::from(path)));
    }
    let address: SocketAddr = text.parse().ok()?;
    (address.ip().is_loopback() && address.port() != 0).then_some(Listen::Tcp(address))
}

/// Readable and writable, by its owner at least: nobody runs a socket.
fn mode(given: &DeValue<'_>) -> Option<u32> {
    let digits = given.as_str()?.strip_prefix('0')?;
    let is_octal = digits.len() == 3 && digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    let mode = is_octal.then(|| u32::from_str_radix(digits, 8).ok())??;
    (mode & 0o111 == 0 && mode & 0o600 == 0o600).then_some(mode)
}

fn group(given: &DeValue<'_>) -> Option<Option<String>> {
    let name = given.as_str()?;
    let is_plain = name.bytes().all(|octet| octet.is_ascii_graphic() && octet != b':' && octet != b'/');
    is_plain.then(|| Some(name.to_owned()).filter(|name| !name.is_empty()))
}

/// What is wrong with two settings together: the key, and the whole text. A message that may be held must have room.
pub(super) fn narrow(config: &Config) -> Option<(&'static str, String)> {
    let (memory, limit) = (config.lmtp.memory, config.memory_limit);
    (memory < limit && !config.lmtp.listen.is_empty()).then(|| {
        let text = format!(
            "lmtp-memory has {memory} octets and memory-limit {limit}: what may be held must find room"
        );
        ("lmtp-memory", text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        Config::parse("t", text).unwrap_err().to_string()
    }

    #[test]
    fn nobody_listens_unless_it_is_said() {
        let lmtp = Config::default().lmtp;
        assert!(lmtp.listen.is_empty());
        assert_eq!((lmtp.socket_mode, lmtp.socket_group), (0o660, None));
        assert_eq!((lmtp.sessions, lmtp.memory), (128, 256 << 20));
    }

    #[test]
    fn places_are_sockets_and_ports_of_this_machine() {
        let text = "lmtp-listen = [\"unix:/run/sealpost/lmtp\", \"127.0.0.1:2424\", \"[::1]:24\"]\nlmtp-socket-group = \"postfix\"\n";
        let lmtp = Config::parse("t", text).unwrap().lmtp;
        let shown: Vec<String> = lmtp.listen.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["unix:/run/sealpost/lmtp", "127.0.0.1:2424", "[::1]:24"]);
        assert_eq!(lmtp.socket_group.as_deref(), Some("postfix"));
    }

    #[test]
    fn what_could_be_reached_from_elsewhere_is_refused_with_the_reason() {
        for wrong in [
            "[\"0.0.0.0:2424\"]",
            "[\"192.0.2.1:24\"]",
            "[\"[::]:24\"]",
            "[\"localhost:24\"]",
            "[\"127.0.0.1\"]",
            "[\"127.0.0.1:0\"]",
            "[\"unix:relative\"]",
            "[\"unix:/a/../b\"]",
            "[\"unix:/a\", \"unix:/a\"]",
            "\"unix:/a\"",
            "[1]",
        ] {
            let told = told(&format!("lmtp-listen = {wrong}\n"));
            assert!(told.starts_with(&format!("t:1:15: lmtp-listen = {wrong} is not allowed;")), "{told}");
            assert!(
                told.ends_with("there is no TLS, so that nobody may come from another machine"),
                "{told}"
            );
        }
        let long = format!("lmtp-listen = [\"unix:/{}\"]", "a".repeat(LONGEST_PATH));
        assert!(Config::parse("t", &long).is_err());
    }

    #[test]
    fn a_mode_lets_its_owner_in_and_nobody_run_it() {
        let read = |text: &str| Config::parse("t", text).map(|config| config.lmtp.socket_mode).ok();
        assert_eq!(read("lmtp-socket-mode = \"0600\""), Some(0o600));
        assert_eq!(read("lmtp-socket-mode = \"0666\""), Some(0o666));
        for wrong in ["\"660\"", "\"0777\"", "\"0060\"", "\"0668\"", "\"00660\"", "432", "\"\""] {
            assert_eq!(read(&format!("lmtp-socket-mode = {wrong}")), None, "{wrong}");
        }
    }

    #[test]
    fn what_may_be_held_must_find_room() {
        let listen = "lmtp-listen = [\"unix:/a\"]\n";
        assert_eq!(
            told(&format!("{listen}lmtp-memory = \"16M\"\n")),
            "t:2:1: lmtp-memory has 16777216 octets and memory-limit 33554432: what may be held must find room"
        );
        assert!(Config::parse("t", "lmtp-memory = \"16M\"\n").is_ok(), "nobody serves");
        assert!(Config::parse("t", &format!("{listen}lmtp-memory = \"32M\"\n")).is_ok());
        assert_eq!(
            told("lmtp-sessions = 0").split(';').next(),
            Some("t:1:17: lmtp-sessions = 0 is not allowed")
        );
    }
}
