//! Certificates that another directory has: LDAP (RFC 4511) over TLS, attributes of RFC 4523 and RFC 2798.

use crate::cms;
use crate::crypto::SecretBytes;
use crate::mail::Address;
use crate::pki::{Certificate, tls_client};
use ldap3::{LdapConn, LdapConnSettings, ResultEntry, Scope, SearchOptions, ldap_escape};
use std::time::Duration;

/// What a filter has in the place of the address.
pub const ADDRESS: &str = "{address}";

/// PKCS #7 with certificates (RFC 2798 2.8); certificates by themselves (RFC 4523 4.1).
const ATTRIBUTES: [&str; 2] = ["userSMIMECertificate", "userCertificate;binary"];
/// To be connected, with TLS.
const CONNECTING: Duration = Duration::from_secs(15);
/// For each answer of the server.
const ANSWERING: Duration = Duration::from_secs(30);
/// Nobody's address has more entries.
const MOST_ENTRIES: i32 = 32;
/// Nobody has more certificates.
const MOST_VALUES: usize = 64;

/// Where to ask, and how.
#[derive(Clone, Copy)]
pub struct LdapServer<'a> {
    /// `ldaps://host[:port]`, or `ldap://host[:port]`, which becomes TLS by STARTTLS.
    pub url: &'a str,
    /// As whom, with the password; nobody if absent.
    pub bind: Option<(&'a str, &'a SecretBytes)>,
    /// Below which entry; empty: below all.
    pub base: &'a str,
    /// RFC 4515, with `{address}` in it.
    pub filter: &'a str,
    /// Who may vouch for the server.
    pub authorities: &'a [Certificate],
}

/// An entry, with the certificates that it has; or why a value is none.
#[derive(Debug)]
pub struct LdapEntry {
    /// Its name.
    pub dn: String,
    /// Of each value.
    pub certificates: Vec<Result<Certificate, String>>,
}

/// Why the server gave nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LdapError {
    /// No address of a server.
    #[error("\"{0}\" is no address of an LDAP server; one looks like ldaps://ldap.north.example")]
    Url(String),
    /// A filter that asks the same for everybody, or is none.
    #[error("\"{0}\" is no filter with {{address}} in it; one looks like (mail={{address}})")]
    Filter(String),
    /// No connection, or no TLS.
    #[error("cannot connect to {url}: {why}")]
    Connect {
        /// The server.
        url: String,
        /// What the library said.
        why: String,
    },
    /// Not let in.
    #[error("{url} does not let {dn} in: {why}")]
    Bind {
        /// The server.
        url: String,
        /// As whom.
        dn: String,
        /// What it said.
        why: String,
    },
    /// No answer, or none that can be used.
    #[error("{url} did not answer: {why}")]
    Search {
        /// The server.
        url: String,
        /// What it said.
        why: String,
    },
}

/// A connection that is open.
pub struct LdapSearch<'a> {
    server: LdapServer<'a>,
    connection: LdapConn,
}

impl<'a> LdapSearch<'a> {
    /// Connects, with TLS in any case, and binds.
    pub fn open(server: LdapServer<'a>) -> Result<LdapSearch<'a>, LdapError> {
        check_url(server.url)?;
        // With an address in it that needs no escapes, it must be a filter.
        let asked = server.filter.replace(ADDRESS, "a@b");
        if !server.filter.contains(ADDRESS) || ldap3::parse_filter(&asked).is_err() {
            return Err(LdapError::Filter(server.filter.to_owned()));
        }
        let failed = |why: String| LdapError::Connect { url: server.url.to_owned(), why };
        let settings = LdapConnSettings::new()
            .set_conn_timeout(CONNECTING)
            .set_starttls(true)
            .set_config(tls_client(server.authorities).map_err(|error| failed(error.to_string()))?);
        let mut connection =
            LdapConn::with_settings(settings, server.url).map_err(|error| failed(error.to_string()))?;
        if let Some((dn, password)) = server.bind {
            bind(&mut connection, server.url, dn, password)?;
        }
        Ok(LdapSearch { server, connection })
    }

    /// The entries of an address.
    pub fn find(&mut self, address: &Address) -> Result<Vec<LdapEntry>, LdapError> {
        let failed = |why: String| LdapError::Search { url: self.server.url.to_owned(), why };
        let filter = self.server.filter.replace(ADDRESS, &ldap_escape(address.to_string()));
        let seconds = i32::try_from(ANSWERING.as_secs()).unwrap_or(i32::MAX);
        let limits = SearchOptions::new().sizelimit(MOST_ENTRIES).timelimit(seconds);
        let connection = self.connection.with_search_options(limits).with_timeout(ANSWERING);
        let mut found = connection
            .streaming_search(self.server.base, Scope::Subtree, &filter, ATTRIBUTES)
            .map_err(|error| failed(error.to_string()))?;
        let (mut entries, mut others) = (Vec::new(), 0);
        while let Some(entry) = found.next().map_err(|error| failed(error.to_string()))? {
            if entry.is_ref() || entry.is_intermediate() {
                others += 1;
                if others > MOST_ENTRIES {
                    return Err(failed(format!(
                        "more than {MOST_ENTRIES} answers to {address} are no entries"
                    )));
                }
                continue;
            }
            if entries.len() >= usize::try_from(MOST_ENTRIES).unwrap_or_default() {
                return Err(failed(format!("more than {MOST_ENTRIES} entries have the address {address}")));
            }
            entries.push(read_entry(entry).ok_or_else(|| failed("an entry is broken".to_owned()))?);
        }
        // A server says that there is no base where it has nothing at all to show to us.
        match found.result().success() {
            Ok(_) => Ok(entries),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

fn check_url(url: &str) -> Result<(), LdapError> {
    let rest = url.strip_prefix("ldaps://").or_else(|| url.strip_prefix("ldap://"));
    let host = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    match host {
        Some(host) if !host.is_empty() && !host.starts_with(':') && !host.contains(['/', '@', '?', '#']) => {
            Ok(())
        }
        _ => Err(LdapError::Url(url.to_owned())),
    }
}

fn bind(connection: &mut LdapConn, url: &str, dn: &str, password: &SecretBytes) -> Result<(), LdapError> {
    let failed = |why: String| LdapError::Bind { url: url.to_owned(), dn: dn.to_owned(), why };
    let password =
        std::str::from_utf8(password.expose()).map_err(|_| failed("the password is no UTF-8".to_owned()))?;
    // RFC 4513 5.1.2: with no password a server lets everybody in, as nobody.
    if password.is_empty() {
        return Err(failed("the password is empty".to_owned()));
    }
    let bound = connection.with_timeout(ANSWERING).simple_bind(dn, password);
    bound.and_then(ldap3::LdapResult::success).map(drop).map_err(|error| failed(error.to_string()))
}

/// SearchResultEntry (RFC 4511 4.5.2): the library's own reader panics where it is broken.
fn read_entry(entry: ResultEntry) -> Option<LdapEntry> {
    let mut fields = entry.0.match_id(4)?.expect_constructed()?.into_iter();
    let dn = String::from_utf8_lossy(&fields.next()?.expect_primitive()?).into_owned();
    let mut certificates = Vec::new();
    for attribute in fields.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let name = String::from_utf8_lossy(&parts.next()?.expect_primitive()?).to_ascii_lowercase();
        for value in parts.next()?.expect_constructed()?.into_iter().take(MOST_VALUES) {
            let value = value.expect_primitive()?;
            match name.split(';').next() {
                Some("usersmimecertificate") => certificates.extend(blob(&value)),
                Some("usercertificate") => certificates.push(single(&value)),
                _ => {}
            }
        }
    }
    Some(LdapEntry { dn, certificates })
}

fn single(der: &[u8]) -> Result<Certificate, String> {
    Certificate::from_der(der).map_err(|error| error.to_string())
}

/// The certificates of a SignedData that are no authorities': those come along to build the chain.
fn blob(octets: &[u8]) -> Vec<Result<Certificate, String>> {
    let data = match cms::read_signed_data(octets) {
        Ok(data) => data,
        Err(error) => return vec![Err(error.to_string())],
    };
    let each = data.certificates.iter().map(|der| single(der));
    each.filter(|read| !read.as_ref().is_ok_and(is_authority)).collect()
}

fn is_authority(certificate: &Certificate) -> bool {
    certificate.basic_constraints().ok().flatten().is_some_and(|constraints| constraints.ca)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_servers_are_taken() {
        for url in ["ldap://a", "ldaps://a.example:6360", "ldaps://a.example/", "ldap://[::1]:389"] {
            assert!(check_url(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "a",
            "ldap:",
            "ldap://",
            "ldap:///",
            "ldap://:389",
            "ldapi://a",
            "ldaps://u@a",
            "ldap://a/dc=x",
        ] {
            assert!(check_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_filter_must_ask_for_the_address() {
        let refused = |filter| {
            let server =
                LdapServer { url: "ldaps://127.0.0.1:1", bind: None, base: "", filter, authorities: &[] };
            LdapSearch::open(server).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert_eq!(
            refused("(mail=anna)"),
            "\"(mail=anna)\" is no filter with {address} in it; one looks like (mail={address})"
        );
        assert!(refused("(mail={address}").contains("is no filter"));
        assert!(
            refused("(|(mail={address})(mailAlternateAddress={address}))").starts_with("cannot connect to ")
        );
    }
}
