//! `sealpost cert`

use super::cert_account::{Add, list, retire, show_account};
use super::cert_domain::{Remove, Request, SelfSign, Set, show_domain};
use super::cert_fetch::Fetch;
use super::cert_issue::IssueVerb;
use super::cert_issued::Issued;
use super::cert_pending::{Accept, Pending, Refuse};
use super::cert_renew::Renew;
use super::cert_revoke::{Release, Revoke};
use super::cert_verify::Verify;
use super::context::Context;
use super::failure::Failure;
use super::holder::{Holder, HolderArgs};
use super::output::Output;
use super::words::{self, FingerprintPrefix};
use crate::mail::Address;

/// Make, request, set, issue, renew, revoke, show and retire certificates
#[derive(clap::Args)]
pub(super) struct CertCommand {
    #[command(subcommand)]
    verb: CertVerb,
}

#[derive(clap::Subcommand)]
enum CertVerb {
    SelfSign(Box<SelfSign>),
    Request(Box<Request>),
    Set(Set),
    /// Show the certificates of a domain, and what it has issued; or those of an account
    #[command(after_help = "Examples:
  sealpost cert show --domain north.example
  sealpost cert show --account anna@north.example --json")]
    Show(HolderArgs),
    Remove(Remove),
    Add(Add),
    /// List the certificates of an account, the retired ones too
    #[command(after_help = "Example:
  sealpost cert list --account anna@north.example")]
    List {
        /// Whose
        #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
        account: Address,
    },
    /// Seal no more to a certificate; it is kept
    #[command(after_help = "Examples:
  sealpost cert retire --account anna@north.example
  sealpost cert retire --account anna@north.example --fingerprint eade47b097cd3af7")]
    Retire {
        /// Whose
        #[arg(long, value_name = "ADDRESS", value_parser = words::address)]
        account: Address,
        /// Which one; not needed if only one is active
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: Option<FingerprintPrefix>,
    },
    Fetch(Fetch),
    Pending(Pending),
    Accept(Accept),
    Refuse(Refuse),
    Issue(Box<IssueVerb>),
    Renew(Renew),
    Revoke(Revoke),
    Release(Release),
    Issued(Issued),
    Verify(Box<Verify>),
}

impl CertCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            CertVerb::SelfSign(verb) => verb.run(context, out),
            CertVerb::Request(verb) => verb.run(context, out),
            CertVerb::Set(verb) => verb.run(context, out),
            CertVerb::Show(holder) => match holder.into() {
                Holder::Domain(name) => show_domain(context, out, &name),
                Holder::Account(address) => show_account(context, out, &address),
            },
            CertVerb::Remove(verb) => verb.run(context, out),
            CertVerb::Add(verb) => verb.run(context, out),
            CertVerb::List { account } => list(context, out, &account),
            CertVerb::Retire { account, fingerprint } => retire(context, out, &account, fingerprint.as_ref()),
            CertVerb::Fetch(verb) => verb.run(context, out),
            CertVerb::Pending(verb) => verb.run(context, out),
            CertVerb::Accept(verb) => verb.run(context, out),
            CertVerb::Refuse(verb) => verb.run(context, out),
            CertVerb::Issue(verb) => verb.run(context, out),
            CertVerb::Verify(verb) => verb.run(context, out),
            CertVerb::Renew(verb) => verb.run(context, out),
            CertVerb::Revoke(verb) => verb.run(context, out),
            CertVerb::Release(verb) => verb.run(context, out),
            CertVerb::Issued(verb) => verb.run(context, out),
        }
    }
}
