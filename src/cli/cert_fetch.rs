//! `sealpost cert fetch`

use super::cert_import::{Import, Row, report};
use super::context::Context;
use super::failure::{Code, Failure};
use super::output::Output;
use super::password::PasswordSource;
use super::words;
use crate::config::Config;
use crate::crypto::SecretBytes;
use crate::directory::{LdapError, LdapSearch, LdapServer, SqliteDirectory, TrustHolder};
use crate::engine::{Account, BuiltIn, CertificateSource};
use crate::mail::Address;
use crate::pki::Certificate;
use std::path::PathBuf;

/// Ask an LDAP server for certificates; they wait to be accepted
///
/// The connection is TLS in any case: ldaps://, or ldap:// with STARTTLS. The server's certificate must chain to the
/// server's trusted certificates or to the built-in ones. Taken are the attributes userCertificate;binary and
/// userSMIMECertificate.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost cert fetch --ldap ldaps://ldap.north.example --base dc=north,dc=example --domain north.example
  sealpost cert fetch --ldap ldap://ldap.north.example --account anna@north.example \\
      --bind-dn cn=sealpost,dc=north,dc=example --password-file /etc/sealpost.ldap \\
      --filter '(|(mail={address})(mailAlternateAddress={address}))'")]
#[command(group(clap::ArgGroup::new("for").required(true).args(["account", "domain"])))]
pub(super) struct Fetch {
    /// The server
    #[arg(long, value_name = "URL")]
    ldap: String,
    /// As whom it is asked; without it as nobody
    #[arg(long, value_name = "DN", requires = "password_file")]
    bind_dn: Option<String>,
    /// The password is in the first line of this file
    #[arg(long, value_name = "FILE", requires = "bind_dn")]
    password_file: Option<PathBuf>,
    /// Below which entry; without it below all
    #[arg(long, value_name = "DN", default_value = "", hide_default_value = true)]
    base: String,
    /// Which entries; {address} stands for the address
    #[arg(long, value_name = "FILTER", default_value = "(mail={address})")]
    filter: String,
    /// For this account
    #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
    account: Option<Address>,
    /// For every account of this domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
}

impl Fetch {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        // Read before root becomes the owner of the store, who may not be allowed to.
        let password = self.password_file.as_deref().map(PasswordSource::first_line_of).transpose()?;
        let config = context.config()?;
        let directory = context.directory()?;
        let accounts = match &self.account {
            Some(address) => vec![directory.account(address)?],
            None => directory.all_accounts(self.domain.as_deref())?,
        };
        let authorities = authorities(&directory, &config)?;
        let mut search = LdapSearch::open(self.server(password.as_ref(), &authorities))?;
        let source = CertificateSource::Ldap;
        let import = Import { config: &config, directory: &directory, source, domain: None };
        let mut rows = Vec::new();
        for account in &accounts {
            rows.extend(fetch(&mut search, &import, account)?);
        }
        report(out, &rows, &format!("{} has no certificate for anybody who was asked for", self.ldap))
    }

    fn server<'a>(
        &'a self,
        password: Option<&'a SecretBytes>,
        authorities: &'a [Certificate],
    ) -> LdapServer<'a> {
        LdapServer {
            url: &self.ldap,
            bind: self.bind_dn.as_deref().zip(password),
            base: &self.base,
            filter: &self.filter,
            authorities,
        }
    }
}

/// Who may vouch for a server that this one connects to.
pub(super) fn authorities(directory: &SqliteDirectory, config: &Config) -> Result<Vec<Certificate>, Failure> {
    let own = directory.trusted(&TrustHolder::Server)?.into_iter().map(|trusted| trusted.certificate);
    let own: Vec<Certificate> = own.collect();
    match config.trust_bundle.certificates() {
        Ok(built_in) => Ok(own.into_iter().chain(built_in.iter().cloned()).collect()),
        // A machine without a bundle can still trust whom it was told to.
        Err(_) if !own.is_empty() && !config.trust_bundle.is_named() => Ok(own),
        Err(error) => Err(error.into()),
    }
}

/// What the server has for any address of an account, each certificate once.
fn fetch(search: &mut LdapSearch<'_>, import: &Import<'_>, account: &Account) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let mut seen: Vec<Certificate> = Vec::new();
    for address in account.addresses() {
        for entry in search.find(&address)? {
            for read in entry.certificates {
                match read {
                    Err(why) => rows.push(Row::broken(&entry.dn, &why)),
                    Ok(certificate) if seen.contains(&certificate) => (),
                    Ok(certificate) => {
                        rows.push(import.to(account, &entry.dn, &certificate)?);
                        seen.push(certificate);
                    }
                }
            }
        }
    }
    Ok(rows)
}

impl From<LdapError> for Failure {
    fn from(error: LdapError) -> Failure {
        let code = match error {
            LdapError::Url(_) | LdapError::Filter(_) => Code::Usage,
            LdapError::Bind { .. } => Code::NoPermission,
            _ => Code::Unavailable,
        };
        Failure::new(code, error.to_string())
    }
}
