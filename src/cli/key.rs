//! `sealpost key`

use super::context::Context;
use super::failure::{Code, Failure};
use super::holder::{Holder, HolderArgs};
use super::key_export::Export;
use super::key_import::Import;
use super::key_password::Password;
use super::key_remove::Remove;
use super::keyring::{self, Unlocked};
use super::output::{Output, Table};
use super::password::{GivenPassword, PasswordSource};
use super::words::{self, KeyTypeParser, day};
use crate::crypto::{Entropy, SecretBytes};
use crate::directory::{NewVaultKey, SqliteDirectory, VaultKey};
use crate::engine::Choice;
use crate::mail::Address;
use crate::pki::{Fingerprint, KeyType, PkiError, PublicKey, UnlockedKey};
use crate::system::SystemEntropy;
use crate::vault;
use der::Decode;
use serde_json::json;
use spki::SubjectPublicKeyInfoOwned;

const OF_DOMAIN: &str = "the key of a domain has no password: sealpost signs with it";

/// Make, import, export, show, test and remove the keys of domains and accounts
#[derive(clap::Args)]
pub(super) struct KeyCommand {
    #[command(subcommand)]
    verb: KeyVerb,
}

#[derive(clap::Subcommand)]
enum KeyVerb {
    Generate(Generate),
    Import(Import),
    Export(Export),
    /// Show the key of a domain, or the keys of an account
    #[command(after_help = "Examples:
  sealpost key show --domain north.example
  sealpost key show --account anna@north.example")]
    Show(HolderArgs),
    /// Test that a key does its work; the keys of an account are unlocked by their password
    #[command(after_help = "Examples:
  sealpost key test --domain north.example
  sealpost key test --account anna@north.example --password-file anna.password")]
    Test {
        #[command(flatten)]
        holder: HolderArgs,
        #[command(flatten)]
        password: PasswordSource,
    },
    Password(Password),
    Remove(Remove),
}

/// Make a key for a domain or an account
///
/// A domain's key signs the certificates of its accounts. An account's key lies in the vault under the Secure Mail
/// password of its owner, and nobody opens the owner's mail without that password.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost key generate --domain north.example --type rsa-3072
  sealpost key generate --account anna@north.example
  sealpost key generate --account anna@north.example --password-fd 3 3< anna.password")]
struct Generate {
    #[command(flatten)]
    holder: HolderArgs,
    /// Which kind
    #[arg(long = "type", value_name = "TYPE", default_value = KeyType::Rsa3072.name(), value_parser = KeyTypeParser)]
    kind: KeyType,
    #[command(flatten)]
    password: PasswordSource,
}

impl KeyCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            KeyVerb::Generate(verb) => verb.run(context, out),
            KeyVerb::Import(verb) => verb.run(context, out),
            KeyVerb::Export(verb) => verb.run(context, out),
            KeyVerb::Show(holder) => show(context, out, holder.into()),
            KeyVerb::Test { holder, password } => test(context, out, holder.into(), &password),
            KeyVerb::Password(verb) => verb.run(context, out),
            KeyVerb::Remove(verb) => verb.run(context, out),
        }
    }
}

impl Generate {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.holder.into() {
            Holder::Domain(name) => {
                self.password.refuse(OF_DOMAIN)?;
                let directory = context.directory()?;
                refuse_second_key(&directory, &name)?;
                let key = generate(self.kind, out)?;
                store_domain_key(&directory, out, &name, &key)
            }
            Holder::Account(address) => {
                let given = self.password.given()?;
                context.directory_for_reading()?.account(&address)?;
                let password = new_password(given, &address)?;
                let directory = context.directory()?;
                let key = generate(self.kind, out)?;
                store_vault_key(&directory, out, &address, &key, &password)
            }
        }
    }
}

pub(super) fn new_password(given: GivenPassword, account: &Address) -> Result<SecretBytes, Failure> {
    given.or_ask_new(&format!("New Secure Mail password of {account}: "))
}

fn generate(kind: KeyType, out: &Output) -> Result<UnlockedKey, Failure> {
    out.working(&format!("making the {} key; this may take a minute", kind.name()));
    Ok(UnlockedKey::generate(kind, SystemEntropy.seed()?)?)
}

/// Before seconds are spent on making one.
fn refuse_second_key(directory: &SqliteDirectory, domain: &str) -> Result<(), Failure> {
    match directory.domain_key(domain)? {
        Some(key) => {
            let fingerprint = key.fingerprint;
            Err(crate::directory::AdminError::KeyExists { domain: domain.to_owned(), fingerprint }.into())
        }
        None => Ok(()),
    }
}

pub(super) fn store_domain_key(
    directory: &SqliteDirectory,
    out: &mut Output,
    domain: &str,
    key: &UnlockedKey,
) -> Result<(), Failure> {
    if let Err(error) = key.public().signature_algorithm() {
        let text = format!("{error}, and the key of a domain signs the certificates of its accounts");
        return Err(Failure::new(Code::No, text).hint("for an account it is fit: --account ADDRESS"));
    }
    let fingerprint = key.fingerprint()?;
    directory.set_domain_key(domain, fingerprint, &key.to_pkcs8()?)?;
    out.line(format!("{} key {fingerprint} stored for {domain}", key.public()))?;
    out.json(
        json!({"domain": domain, "fingerprint": fingerprint.to_string(), "type": key.public().to_string()}),
    )
}

fn store_vault_key(
    directory: &SqliteDirectory,
    out: &mut Output,
    account: &Address,
    key: &UnlockedKey,
    password: &SecretBytes,
) -> Result<(), Failure> {
    let fingerprint = key.fingerprint()?;
    let record = vault::protect(key, password.expose(), SystemEntropy.seed()?)?;
    let public_key = key.public().to_spki()?;
    directory
        .add_vault_key(account, &NewVaultKey { fingerprint, public_key: &public_key, record: &record })?;
    out.line(format!("{} key {fingerprint} stored in the vault of {account}", key.public()))?;
    let kind = key.public().to_string();
    out.json(json!({"account": account.to_string(), "fingerprint": fingerprint.to_string(), "type": kind}))
}

/// The public half of a vault key.
pub(super) fn public_key(key: &VaultKey) -> Result<PublicKey, Failure> {
    let broken = |error: der::Error| PkiError::Malformed { what: "the public key", why: error.to_string() };
    let spki = SubjectPublicKeyInfoOwned::from_der(&key.public_key).map_err(broken)?;
    Ok(PublicKey::from_spki(&spki)?)
}

fn show(context: &Context, out: &mut Output, holder: Holder) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let mut rows = Vec::new();
    let nothing = format!("{holder} has no key: sealpost key generate {} {holder}", holder.option());
    match holder {
        Holder::Domain(name) => {
            if let Some(key) = directory.domain_key(&name)? {
                let kind = UnlockedKey::from_pkcs8(key.pkcs8.expose())?.public().to_string();
                rows.push((kind, key.fingerprint, "active", day(key.created)));
            }
        }
        Holder::Account(address) => {
            for key in directory.vault_keys(&address)? {
                rows.push((
                    public_key(&key)?.to_string(),
                    key.fingerprint,
                    key.state.name(),
                    day(key.created),
                ));
            }
        }
    }
    let mut table = Table::new(&["type", "fingerprint", "state", "stored"], nothing);
    for (kind, print, state, stored) in &rows {
        table.row([kind.clone(), print.to_string(), (*state).to_owned(), stored.clone()]);
    }
    out.table(&table)?;
    let rows = rows.iter().map(|(kind, print, state, stored)| {
        json!({"type": kind, "fingerprint": print.to_string(), "state": state, "stored": stored})
    });
    out.json(json!({"keys": rows.collect::<Vec<_>>()}))
}

fn test(
    context: &Context,
    out: &mut Output,
    holder: Holder,
    password: &PasswordSource,
) -> Result<(), Failure> {
    let (tested, locked) = match holder {
        Holder::Domain(name) => {
            password.refuse(OF_DOMAIN)?;
            (vec![test_domain(context, &name)?], Vec::new())
        }
        Holder::Account(address) => test_account(context, &address, password)?,
    };
    for fingerprint in &tested {
        out.line(format!("key {fingerprint} does its work"))?;
    }
    out.json(json!({"tested": words::texts(tested), "not_tested": words::texts(&locked)}))?;
    if locked.is_empty() {
        return Ok(());
    }
    let others = words::texts(locked).join(", ");
    Err(Failure::new(Code::No, format!("not tested, because they have another password: {others}")))
}

fn test_domain(context: &Context, name: &str) -> Result<Fingerprint, Failure> {
    let key = keyring::domain_key(&context.directory_for_reading()?, name)?;
    key.test()?;
    Ok(key.fingerprint()?)
}

/// Those that the password opens, and those that have another one.
fn test_account(
    context: &Context,
    address: &Address,
    password: &PasswordSource,
) -> Result<(Vec<Fingerprint>, Vec<Fingerprint>), Failure> {
    let given = password.given()?;
    let directory = context.directory_for_reading()?;
    let keys = keyring::vault_keys(&directory, address)?;
    let password = given.or_ask(&format!("Secure Mail password of {address}: "))?;
    let unlocked = Unlocked::of(&directory, address, keys, &password)?;
    for (_, key) in &unlocked.keys {
        key.test()?;
    }
    let tested = unlocked.keys.iter().map(|(record, _)| record.fingerprint).collect();
    Ok((tested, unlocked.locked.iter().map(|record| record.fingerprint).collect()))
}
