//! `sealpost trust`

use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::words::{self, FingerprintPrefix, counted, day, short};
use super::{filter, input};
use crate::config::{BuiltInSet, Config};
use crate::directory::{SqliteDirectory, TrustHolder};
use crate::engine::Clock;
use crate::pki::{Certificate, Fingerprint};
use crate::system::SystemClock;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Say which authorities are trusted, for the server or for one domain
#[derive(clap::Args)]
pub(super) struct TrustCommand {
    #[command(subcommand)]
    verb: TrustVerb,
}

#[derive(clap::Subcommand)]
enum TrustVerb {
    Add(Add),
    /// List who is trusted, and where from: the domain's own certificates and its set, the server's set, the built-in one
    #[command(after_help = "Examples:
  sealpost trust list
  sealpost trust list --domain north.example --json")]
    List {
        /// What the certificates of its accounts may chain to; without it: what the server trusts
        #[arg(long, value_name = "NAME")]
        domain: Option<String>,
    },
    /// Trust a certificate no more; what is inherited is removed where it comes from
    #[command(after_help = "Examples:
  sealpost trust remove 7e255b918935e66f --server
  sealpost trust remove 7e255b918935e66f --domain north.example")]
    Remove {
        /// Its first digits are enough
        fingerprint: FingerprintPrefix,
        #[command(flatten)]
        holder: SetArgs,
    },
}

/// Trust authorities: what they issued passes where trust = "chain" asks for a chain
///
/// A certificate that may sign no others is trusted for itself only.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost trust add --server --file company-root.pem
  sealpost trust add --domain north.example --file - < partner.pem")]
struct Add {
    /// One or several certificates in PEM, or one in DER; `-` is standard input
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    holder: SetArgs,
}

/// Exactly one of the two.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct SetArgs {
    /// The set of the server: every domain inherits it
    #[arg(long)]
    server: bool,
    /// The set of this domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
}

impl From<SetArgs> for TrustHolder {
    fn from(args: SetArgs) -> TrustHolder {
        args.domain.map_or(TrustHolder::Server, TrustHolder::Domain)
    }
}

impl TrustCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            TrustVerb::Add(verb) => verb.run(context, out),
            TrustVerb::List { domain } => list(context, out, domain),
            TrustVerb::Remove { fingerprint, holder } => {
                remove(context, out, &fingerprint, &canonical(context, holder.into())?)
            }
        }
    }
}

/// With the main name of the domain.
fn canonical(context: &Context, holder: TrustHolder) -> Result<TrustHolder, Failure> {
    match holder {
        TrustHolder::Server => Ok(TrustHolder::Server),
        TrustHolder::Domain(name) => {
            Ok(TrustHolder::Domain(context.directory_for_reading()?.domain(&name)?.name))
        }
    }
}

impl Add {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let mut given: Vec<Certificate> = Vec::new();
        for one in filter::certificates(std::slice::from_ref(&self.file))? {
            // People who put files together write one twice.
            if !given.contains(&one) {
                given.push(one);
            }
        }
        for one in &given {
            // Nothing could ever be checked with it.
            one.public_key().map_err(|error| {
                let text =
                    format!("{}: {} cannot be trusted: {error}", input::name(&self.file), one.subject());
                Failure::new(Code::Data, text)
            })?;
        }
        let holder = canonical(context, self.holder.into())?;
        let known = context.directory()?.add_trusted(&holder, &given)?;
        if known.len() == given.len() {
            let text = format!("{holder} trusts already: {}", words::texts(&known).join(", "));
            return Err(Failure::new(Code::No, text));
        }
        let new: Vec<&Certificate> = given.iter().filter(|one| !known.contains(&one.fingerprint())).collect();
        for one in &new {
            out.line(format!("{holder} trusts {} ({})", one.subject(), one.fingerprint()))?;
        }
        let warnings: Vec<String> = new.iter().flat_map(|one| warnings(one)).collect();
        out.warnings(&warnings);
        out.json(json!({
            "holder": holder.to_string(), "added": words::texts(new.iter().map(|one| one.fingerprint())),
            "known": words::texts(&known), "warnings": warnings,
        }))
    }
}

fn warnings(one: &Certificate) -> Vec<String> {
    let subject = one.subject();
    let mut warnings = Vec::new();
    if !one.may_sign_certificates() {
        warnings.push(format!("{subject} is trusted for itself only: it may not sign certificates"));
    }
    if one.not_after() < SystemClock.now() {
        warnings.push(format!("{subject} ended on {}", day(one.not_after())));
    }
    warnings
}

/// Where trust comes from, the nearest first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// A certificate of the domain itself.
    Own,
    /// An authority of the domain that was replaced.
    Replaced,
    /// The domain's set.
    Domain,
    /// The server's set.
    Server,
    /// The bundle.
    BuiltIn,
}

impl Origin {
    fn name(self) -> &'static str {
        match self {
            Origin::Own => "own",
            Origin::Replaced => "replaced",
            Origin::Domain => "domain",
            Origin::Server => "server",
            Origin::BuiltIn => "built-in",
        }
    }
}

/// All that an operation for that holder trusts in the directory.
fn trusted(directory: &SqliteDirectory, holder: &TrustHolder) -> Result<Vec<(Origin, Certificate)>, Failure> {
    let set = |origin, holder: &TrustHolder| -> Result<Vec<(Origin, Certificate)>, Failure> {
        let held = directory.trusted(holder)?.into_iter();
        Ok(held.map(|held| (origin, held.certificate)).collect())
    };
    let TrustHolder::Domain(name) = holder else { return set(Origin::Server, holder) };
    let domain = directory.domain(name)?;
    let own = domain.authorities.into_iter().map(|one| (Origin::Own, one));
    let replaced = domain.trust.retired.into_iter().map(|one| (Origin::Replaced, one));
    let mut all: Vec<_> = own.chain(replaced).collect();
    all.extend(set(Origin::Domain, holder)?);
    all.extend(set(Origin::Server, &TrustHolder::Server)?);
    Ok(all)
}

fn list(context: &Context, out: &mut Output, domain: Option<String>) -> Result<(), Failure> {
    let config = context.config()?;
    let holder = canonical(context, domain.map_or(TrustHolder::Server, TrustHolder::Domain))?;
    let mut all = trusted(&context.directory_for_reading()?, &holder)?;
    let (BuiltInSet { certificates, broken, file }, warning) = built_in(&config);
    out.warnings(&warning);
    all.extend(certificates.iter().cloned().map(|one| (Origin::BuiltIn, one)));
    let mut table = Table::new(&["origin", "fingerprint", "valid until", "subject"], "nobody is trusted");
    for (origin, one) in &all {
        let (origin, until) = (origin.name().to_owned(), day(one.not_after()));
        table.row([origin, short(one.fingerprint()), until, one.subject()]);
    }
    out.table(&table)?;
    let rows: Vec<Value> = all.iter().map(|(origin, one)| row(*origin, one)).collect();
    let file = file.map(|file| file.display().to_string());
    out.json(json!({
        "holder": holder.to_string(), "trusted": rows, "trust_bundle": file, "broken": broken,
        "warnings": warning.into_iter().collect::<Vec<_>>(),
    }))
}

/// The built-in set, and what is wrong with it: that is said beside what there is.
fn built_in(config: &Config) -> (BuiltInSet, Option<String>) {
    match config.trust_bundle.set() {
        Ok(set) => {
            let file = set.file.as_deref().map(|file| file.display().to_string()).unwrap_or_default();
            let left_out =
                format!("{} of {file} cannot be read: left out", counted(set.broken, "certificate"));
            let warning = (set.broken > 0).then_some(left_out);
            (set, warning)
        }
        Err(error) => (BuiltInSet::default(), Some(error.to_string())),
    }
}

fn row(origin: Origin, one: &Certificate) -> Value {
    json!({
        "origin": origin.name(),
        "fingerprint": one.fingerprint().to_string(),
        "subject": one.subject(),
        "not_after": day(one.not_after()),
        "authority": one.may_sign_certificates(),
    })
}

fn remove(
    context: &Context,
    out: &mut Output,
    named: &FingerprintPrefix,
    holder: &TrustHolder,
) -> Result<(), Failure> {
    let config = context.config()?;
    let directory = context.directory()?;
    let own: Vec<Fingerprint> =
        directory.trusted(holder)?.iter().map(|held| held.certificate.fingerprint()).collect();
    if !own.iter().any(|print| named.names(*print))
        && let Some(refusal) = inherited(&directory, &config, named, holder)?
    {
        return Err(refusal);
    }
    let print = named.among(&own)?;
    directory.remove_trusted(holder, print)?;
    let held = elsewhere(&directory, &config, &FingerprintPrefix::from(print), holder)?;
    out.line(match &held {
        None => format!("{holder} trusts {print} no more"),
        Some(_) => format!("{print} is in the set of {holder} no more"),
    })?;
    if let Some(held) = &held {
        out.line(format!("it is still trusted {}: {}", held.through(holder), held.what_to_do(holder)))?;
    }
    let still = held.map(|held| held.origin.name());
    out.json(json!({"holder": holder.to_string(), "removed": print.to_string(), "still_trusted": still}))
}

/// Where to remove what is not the holder's own.
fn inherited(
    directory: &SqliteDirectory,
    config: &Config,
    named: &FingerprintPrefix,
    holder: &TrustHolder,
) -> Result<Option<Failure>, Failure> {
    let held = elsewhere(directory, config, named, holder)?;
    Ok(held.map(|held| {
        let text =
            format!("{} {}, and cannot be removed here", held.certificate.subject(), held.where_from(holder));
        Failure::new(Code::No, text).hint(held.what_to_do(holder))
    }))
}

/// What the holder trusts and not by its own set.
struct Elsewhere {
    origin: Origin,
    certificate: Certificate,
    /// The bundle, if it is from there.
    file: String,
}

fn elsewhere(
    directory: &SqliteDirectory,
    config: &Config,
    named: &FingerprintPrefix,
    holder: &TrustHolder,
) -> Result<Option<Elsewhere>, Failure> {
    let mut all = trusted(directory, holder)?;
    // Whoever cannot read the bundle has inherited nothing from it.
    let built_in = config.trust_bundle.set().unwrap_or_default();
    all.extend(built_in.certificates.iter().cloned().map(|one| (Origin::BuiltIn, one)));
    let found = all.into_iter().find(|(_, one)| named.names(one.fingerprint()));
    let file = built_in.file.map(|file| file.display().to_string()).unwrap_or_default();
    Ok(found.map(|(origin, certificate)| Elsewhere { origin, certificate, file }))
}

impl Elsewhere {
    fn where_from(&self, holder: &TrustHolder) -> String {
        match self.origin {
            Origin::Own => format!("is a certificate of {holder} itself"),
            Origin::Replaced => format!("is a replaced authority of {holder}"),
            Origin::Domain | Origin::Server => "is inherited from the server's set".to_owned(),
            Origin::BuiltIn => format!("is built in, from {}", self.file),
        }
    }

    fn through(&self, holder: &TrustHolder) -> String {
        match self.origin {
            Origin::Own => format!("as a certificate of {holder} itself"),
            Origin::Replaced => format!("as a replaced authority of {holder}"),
            Origin::Domain | Origin::Server => "through the server's set".to_owned(),
            Origin::BuiltIn => format!("through the built-in set, {}", self.file),
        }
    }

    fn what_to_do(&self, holder: &TrustHolder) -> String {
        match self.origin {
            Origin::Own => format!("remove it there: sealpost cert remove --domain {holder}"),
            Origin::Replaced => format!(
                "forget it: sealpost key remove --domain {holder} --forget KEY (see sealpost key show)"
            ),
            Origin::Domain | Origin::Server => {
                let print = short(self.certificate.fingerprint());
                format!("remove it there, for every domain: sealpost trust remove {print} --server")
            }
            Origin::BuiltIn => {
                "take it out of that bundle, or name another one in sealpost.toml: trust-bundle".to_owned()
            }
        }
    }
}
