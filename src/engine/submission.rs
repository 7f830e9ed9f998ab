//! Where mail leaves the site, as the settings say it.

use super::Choice;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A host and its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A name or an address, without brackets.
    pub host: String,
    /// TCP.
    pub port: u16,
}

/// The next server, or a program that stands before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// `smtp://host[:587]`: RFC 6409, or a relay; TLS by STARTTLS.
    Smtp(HostPort),
    /// `smtps://host[:465]`: TLS from the first octet on (RFC 8314 3.3).
    Smtps(HostPort),
    /// `lmtp://host[:24]`: RFC 2033.
    Lmtp(HostPort),
    /// `lmtp:unix:/path`
    LmtpUnix(PathBuf),
    /// `sendmail:/path`: a program that takes what sendmail(8) takes.
    Program(PathBuf),
}

impl Submission {
    /// What a setting may be.
    pub const ALLOWED: &'static str = "\"smtp://host:587\", \"smtps://host:465\", \"lmtp://host:24\", \
        \"lmtp:unix:/path\", \"sendmail:/path\"; empty: none";

    /// Reads the value of the setting.
    pub fn parse(text: &str) -> Option<Submission> {
        if let Some(path) = text.strip_prefix("lmtp:unix:") {
            return absolute(path).map(Submission::LmtpUnix);
        }
        if let Some(path) = text.strip_prefix("sendmail:") {
            return absolute(path).map(Submission::Program);
        }
        let (scheme, rest) = text.split_once("://")?;
        match scheme {
            "smtp" => Some(Submission::Smtp(host_port(rest, 587)?)),
            "smtps" => Some(Submission::Smtps(host_port(rest, 465)?)),
            "lmtp" => Some(Submission::Lmtp(host_port(rest, 24)?)),
            _ => None,
        }
    }

    /// Does the way there never leave this machine?
    pub fn is_local(&self) -> bool {
        match self {
            Submission::Smtp(to) | Submission::Smtps(to) | Submission::Lmtp(to) => to.is_loopback(),
            Submission::LmtpUnix(_) | Submission::Program(_) => true,
        }
    }
}

fn absolute(path: &str) -> Option<PathBuf> {
    let fit = Path::new(path).is_absolute() && !path.contains('\0');
    fit.then(|| PathBuf::from(path))
}

fn host_port(text: &str, default: u16) -> Option<HostPort> {
    let (host, port) = match text.strip_prefix('[') {
        Some(literal) => {
            let (host, rest) = literal.split_once(']')?;
            let is_literal =
                host.contains(':') && host.chars().all(|c| c.is_ascii_hexdigit() || ":.".contains(c));
            (
                Some(host).filter(|_| is_literal)?,
                if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) },
            )
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let is_name = |char: char| char.is_ascii_alphanumeric() || "-._:".contains(char);
    let port = port.map_or(Some(default), |port| port.parse().ok().filter(|port| *port != 0))?;
    (!host.is_empty() && host.chars().all(is_name)).then(|| HostPort { host: host.to_owned(), port })
}

impl HostPort {
    /// By what it says: no name is looked up here.
    fn is_loopback(&self) -> bool {
        let parts: Vec<Option<u8>> = self.host.split('.').map(|part| part.parse().ok()).collect();
        let is_v4 =
            parts.len() == 4 && parts.iter().all(Option::is_some) && parts.first() == Some(&Some(127));
        is_v4 || self.host == "::1" || self.host.eq_ignore_ascii_case("localhost")
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(out, "[{}]:{}", self.host, self.port),
            false => write!(out, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Submission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Submission::Smtp(to) => write!(out, "smtp://{to}"),
            Submission::Smtps(to) => write!(out, "smtps://{to}"),
            Submission::Lmtp(to) => write!(out, "lmtp://{to}"),
            Submission::LmtpUnix(path) => write!(out, "lmtp:unix:{}", path.display()),
            Submission::Program(path) => write!(out, "sendmail:{}", path.display()),
        }
    }
}

/// Must the way to the next server be encrypted?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubmissionTls {
    /// Yes, but for a server on this machine.
    #[default]
    Auto,
    /// Yes, whatever the server offers; its certificate must be that of a trusted authority.
    Require,
    /// Where the server offers it. Whoever sits between can take the offer away.
    Opportunistic,
    /// No.
    None,
}

impl Choice for SubmissionTls {
    const ALL: &'static [SubmissionTls] =
        &[SubmissionTls::Auto, SubmissionTls::Require, SubmissionTls::Opportunistic, SubmissionTls::None];

    fn name(self) -> &'static str {
        match self {
            SubmissionTls::Auto => "auto",
            SubmissionTls::Require => "require",
            SubmissionTls::Opportunistic => "opportunistic",
            SubmissionTls::None => "none",
        }
    }
}

/// How mail leaves the site.
#[derive(Debug, Clone, Default)]
pub struct SubmissionSettings {
    /// Absent: rules that send make the sender try again.
    pub to: Option<Submission>,
    /// On the way to a server.
    pub tls: SubmissionTls,
    /// Who logs in there; absent: nobody.
    pub user: Option<String>,
    /// The first line of this file is the password.
    pub password_file: Option<PathBuf>,
    /// How this machine greets; absent: by its own name.
    pub helo: Option<String>,
    /// A mail that could not be sent in this time has failed.
    pub lifetime: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers_read_back_as_they_are_shown() {
        for (text, shown) in [
            ("smtp://mail.north.example", "smtp://mail.north.example:587"),
            ("smtp://127.0.0.1:25", "smtp://127.0.0.1:25"),
            ("smtps://mail.north.example", "smtps://mail.north.example:465"),
            ("smtp://[::1]:2525", "smtp://[::1]:2525"),
            ("lmtp://localhost", "lmtp://localhost:24"),
            ("lmtp:unix:/run/dovecot/lmtp", "lmtp:unix:/run/dovecot/lmtp"),
            ("sendmail:/usr/sbin/sendmail", "sendmail:/usr/sbin/sendmail"),
        ] {
            let read = Submission::parse(text).unwrap();
            assert_eq!(read.to_string(), shown);
            assert_eq!(Submission::parse(shown).unwrap(), read);
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in [
            "",
            "mail.north.example",
            "http://a",
            "smtp://",
            "smtp://:587",
            "smtp://a:0",
            "smtp://a:70000",
            "smtp://a:b",
            "smtp://a/b",
            "smtp://a b",
            "smtp://user@a",
            "smtp://[1.2.3.4]",
            "smtp://[::1]x",
            "lmtp:unix:run/lmtp",
            "sendmail:sendmail",
            "sendmail:/usr/sbin/sendmail\0",
        ] {
            assert_eq!(Submission::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_way_that_stays_on_the_machine_is_known() {
        let local = |text| Submission::parse(text).unwrap().is_local();
        for text in
            ["smtp://127.0.0.1:25", "smtp://127.9.9.9", "smtp://[::1]", "lmtp://LocalHost", "sendmail:/s"]
        {
            assert!(local(text), "{text}");
        }
        for text in ["smtp://localhost.example", "smtp://10.0.0.1", "smtp://[fe80::1]", "lmtp://127.example"]
        {
            assert!(!local(text), "{text}");
        }
    }
}
