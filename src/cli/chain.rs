//! `sealpost chain`

use super::authority::{below, broken_links, chain_warnings};
use super::context::Context;
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::words::{self, counted, day, short};
use super::{filter, input};
use crate::directory::DomainCertificate;
use crate::pki::Certificate;
use serde_json::json;
use std::path::PathBuf;

/// Nobody has more above a certificate; every one more costs whoever looks for a path.
const LONGEST: usize = 8;

/// Set, show and remove the certificates above that of a domain
#[derive(clap::Args)]
pub(super) struct ChainCommand {
    #[command(subcommand)]
    verb: ChainVerb,
}

#[derive(clap::Subcommand)]
enum ChainVerb {
    Set(Set),
    /// Show the chain of a domain, its issuer first
    #[command(after_help = "Example:
  sealpost chain show --domain north.example")]
    Show {
        /// Whose
        #[arg(long, value_name = "NAME")]
        domain: String,
    },
    /// Remove the chain of a domain; its certificate stays
    #[command(after_help = "Example:
  sealpost chain remove --domain north.example")]
    Remove {
        /// Whose
        #[arg(long, value_name = "NAME")]
        domain: String,
    },
}

/// Store the certificates above that of a domain, in the place of those before
///
/// They are sent along with the domain's certificate and go into what its accounts export. The one that issued the
/// domain's certificate comes first, then the one above it, the root last. A link that does not hold is warned of.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost chain set --domain north.example --file chain.pem
  cat issuing.pem root.pem | sealpost chain set --domain north.example")]
struct Set {
    /// Whose
    #[arg(long, value_name = "NAME")]
    domain: String,
    /// The certificates in PEM; without it or `-`: standard input
    #[arg(long, value_name = "FILE", default_value = "-")]
    file: PathBuf,
}

impl ChainCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            ChainVerb::Set(verb) => verb.run(context, out),
            ChainVerb::Show { domain } => show(context, out, &domain),
            ChainVerb::Remove { domain } => remove(context, out, &domain),
        }
    }
}

impl Set {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let given = filter::certificates(std::slice::from_ref(&self.file))?;
        let directory = context.directory()?;
        let name = directory.domain(&self.domain)?.name;
        let held = directory.domain_certificates(&name)?;
        let (chain, mut warnings) = self.above(&name, given, &held)?;
        let broken = broken_links(below(&held, &chain), &chain);
        if !broken.is_empty()
            && let Some(order) = right_order(&held, &chain)
            && order.iter().zip(&chain).any(|(right, given)| *right != given)
        {
            return Err(wrong_order(&name, &order));
        }
        warnings.extend(broken.into_iter().map(|link| format!("the chain does not hold: {link}")));
        directory.set_chain(&name, &chain)?;
        out.line(format!("chain of {name} stored: {}", counted(chain.len(), "certificate")))?;
        out.warnings(&warnings);
        let chain = words::texts(chain.iter().map(Certificate::fingerprint));
        out.json(json!({"domain": name, "chain": chain, "warnings": warnings}))
    }

    /// What stands above the domain's certificate: a file often begins with that one.
    fn above(
        &self,
        name: &str,
        mut given: Vec<Certificate>,
        held: &[DomainCertificate],
    ) -> Result<(Vec<Certificate>, Vec<String>), Failure> {
        let refused =
            |text: String| Err(Failure::new(Code::Data, format!("{}: {text}", input::name(&self.file))));
        let all = given.len();
        given.retain(|one| !held.iter().any(|held| held.certificate == *one));
        if given.is_empty() {
            return refused(format!("it holds the certificate of {name} and nothing above it"));
        }
        let without =
            (given.len() < all).then(|| format!("the certificate of {name} itself is left out of its chain"));
        if given.len() > LONGEST {
            return refused(format!("it holds {} certificates; a chain has at most {LONGEST}", given.len()));
        }
        let double =
            given.iter().enumerate().find(|(at, one)| given.iter().take(*at).any(|other| other == *one));
        match double {
            Some((_, one)) => refused(format!("{} stands in it twice", one.subject())),
            None => Ok((given, without.into_iter().collect())),
        }
    }
}

/// The order in which each is signed by the next, beginning with what signed a certificate of the domain; if they are of another
/// domain, with any of them.
fn right_order<'a>(held: &[DomainCertificate], chain: &'a [Certificate]) -> Option<Vec<&'a Certificate>> {
    let mut from_domain = held.iter().filter_map(|held| climb(&held.certificate, Vec::new(), chain));
    from_domain.next().or_else(|| chain.iter().find_map(|first| climb(first, vec![first], chain)))
}

/// From a certificate upwards through all of them, or nothing.
fn climb<'a>(
    from: &Certificate,
    mut order: Vec<&'a Certificate>,
    chain: &'a [Certificate],
) -> Option<Vec<&'a Certificate>> {
    while order.len() < chain.len() {
        let top = order.last().copied().unwrap_or(from);
        let next = chain.iter().find(|one| !order.contains(one) && top.is_signed_by(one))?;
        order.push(next);
    }
    Some(order)
}

fn wrong_order(name: &str, order: &[&Certificate]) -> Failure {
    let text = format!(
        "the chain of {name} is in the wrong order: what signed the domain's certificate comes first, and the root last"
    );
    let lines = (1..).zip(order).map(|(number, one)| format!("{number}. {}", one.subject()));
    let lines: Vec<String> = std::iter::once("put them so:".to_owned()).chain(lines).collect();
    Failure::new(Code::Data, text).hint(lines.join("\n"))
}

fn show(context: &Context, out: &mut Output, domain: &str) -> Result<(), Failure> {
    let directory = context.directory_for_reading()?;
    let name = directory.domain(domain)?.name;
    let chain = directory.chain(&name)?;
    let nothing = format!("{name} has no chain: sealpost chain set --domain {name} --file FILE");
    let mut table = Table::new(&["#", "subject", "issuer", "valid until", "fingerprint"], nothing);
    let mut rows = Vec::new();
    for (number, one) in (1..).zip(&chain) {
        let (subject, issuer, until) = (one.subject(), one.issuer(), day(one.not_after()));
        table.row([number.to_string(), subject, issuer, until, short(one.fingerprint())]);
        rows.push(super::cert_fields::layout(&[], one)?);
    }
    out.table(&table)?;
    let warnings = chain_warnings(&directory, &name)?;
    out.warnings(&warnings);
    out.json(json!({"domain": name, "chain": rows, "warnings": warnings}))
}

fn remove(context: &Context, out: &mut Output, domain: &str) -> Result<(), Failure> {
    let directory = context.directory()?;
    let name = directory.domain(domain)?.name;
    directory.remove_chain(&name)?;
    out.line(format!("chain of {name} removed"))?;
    out.json(json!({"domain": name, "removed": "chain"}))
}
