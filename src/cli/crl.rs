//! `sealpost crl`

use super::context::Context;
use super::crl_add::Add;
use super::crl_sign::{Sign, latest};
use super::failure::{Code, Failure};
use super::filter;
use super::output::{Output, Table};
use super::words::{self, FingerprintPrefix, day};
use crate::engine::Clock;
use crate::pki::{Crl, CrlEntry, Fingerprint};
use crate::system::SystemClock;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Sign revocation lists of a domain; show lists; keep those of other authorities
#[derive(clap::Args)]
pub(super) struct CrlCommand {
    #[command(subcommand)]
    verb: CrlVerb,
}

#[derive(clap::Subcommand)]
enum CrlVerb {
    Sign(Sign),
    /// Show the lists in a file, or the newest ones that a domain has signed
    #[command(after_help = "Examples:
  sealpost crl show north.crl
  sealpost crl show --domain north.example")]
    Show(Show),
    Add(Add),
    /// List what the site was given of other authorities
    #[command(after_help = "Example:
  sealpost crl list")]
    List,
    /// Remove a list of another authority
    #[command(after_help = "Example:
  sealpost crl remove --fingerprint 5fe2a4c1d0b3")]
    Remove {
        /// Which one
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: FingerprintPrefix,
    },
}

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("whose").required(true).args(["file", "domain"])))]
struct Show {
    /// PEM or DER; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The newest list of each authority of this domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
}

impl CrlCommand {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        match self.verb {
            CrlVerb::Sign(verb) => verb.run(context, out),
            CrlVerb::Show(verb) => verb.run(context, out),
            CrlVerb::Add(verb) => verb.run(context, out),
            CrlVerb::List => list(context, out),
            CrlVerb::Remove { fingerprint } => remove(context, out, &fingerprint),
        }
    }
}

impl Show {
    fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        let lists = match (&self.file, &self.domain) {
            (Some(file), _) => filter::crls(std::slice::from_ref(file))?,
            (None, domain) => {
                let domain = domain.as_deref().unwrap_or_default();
                let signed = context.directory_for_reading()?.signed_crls(domain)?;
                if signed.is_empty() {
                    let text = format!("{domain} has signed no revocation list");
                    return Err(Failure::new(Code::NotFound, text)
                        .hint(format!("sign one: sealpost crl sign --domain {domain}")));
                }
                latest(signed)?.into_iter().map(|one| one.crl).collect()
            }
        };
        let mut rows = Vec::new();
        for (at, one) in lists.iter().enumerate() {
            if at > 0 {
                out.line("")?;
            }
            print(out, one)?;
            rows.push(layout(one)?);
        }
        out.json(json!({"lists": rows}))
    }
}

/// Its number in decimal where it is small, as every authority's is, else in hexadecimal.
pub(super) fn number(crl: &Crl) -> Result<String, Failure> {
    Ok(crl.number()?.map_or_else(|| "-".to_owned(), |octets| spelled(&octets)))
}

fn spelled(octets: &[u8]) -> String {
    let value =
        octets.iter().try_fold(0_u64, |sum, octet| sum.checked_mul(256)?.checked_add((*octet).into()));
    value.map_or_else(|| format!("0x{}", hex(octets)), |value| value.to_string())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

fn next(crl: &Crl) -> String {
    crl.next_update().map_or_else(|| "-".to_owned(), day)
}

fn print(out: &mut Output, crl: &Crl) -> Result<(), Failure> {
    let mut fields = vec![
        ("list", crl.fingerprint().to_string()),
        ("issuer", crl.issuer()),
        ("number", number(crl)?),
        ("made", day(crl.this_update())),
        ("next", next(crl)),
        ("authority key", crl.authority_key_id()?.map(|id| hex(&id)).unwrap_or_default()),
        ("entries", crl.len().to_string()),
    ];
    if let Some(base) = crl.base_number()? {
        fields.push(("delta to", spelled(&base)));
    }
    out.table(&Table::fields(fields))?;
    if crl.next_update().is_some_and(|next| next < SystemClock.now()) {
        out.line("warning: the next list should have come by now")?;
    }
    let mut table = Table::new(&["serial", "revoked", "reason"], "");
    for entry in crl.listed()? {
        table.row([entry.serial, day(entry.revocation.at), entry.revocation.reason.name().to_owned()]);
    }
    out.table(&table)
}

/// The same for programs.
pub(super) fn layout(crl: &Crl) -> Result<Value, Failure> {
    let entry = |entry: CrlEntry| {
        json!({
            "serial": entry.serial,
            "revoked": day(entry.revocation.at),
            "reason": entry.revocation.reason.name(),
        })
    };
    Ok(json!({
        "fingerprint": crl.fingerprint().to_string(),
        "issuer": crl.issuer(),
        "number": number(crl)?,
        "made": day(crl.this_update()),
        "next": crl.next_update().map(day),
        "authority_key": crl.authority_key_id()?.map(|id| hex(&id)),
        "delta_to": crl.base_number()?.map(|base| spelled(&base)),
        "revoked": crl.listed()?.into_iter().map(entry).collect::<Vec<_>>(),
        "pem": crl.to_pem()?,
    }))
}

fn list(context: &Context, out: &mut Output) -> Result<(), Failure> {
    let held = context.directory_for_reading()?.crls()?;
    let headings = ["fingerprint", "issuer", "number", "made", "next", "entries", "source"];
    let mut table =
        Table::new(&headings, "no list of another authority is here: sealpost crl add --file FILE");
    for one in &held {
        let crl = &one.crl;
        table.row([
            words::short(one.fingerprint),
            crl.issuer(),
            number(crl)?,
            day(crl.this_update()),
            next(crl),
            crl.len().to_string(),
            one.source.clone(),
        ]);
    }
    out.table(&table)?;
    let rows = held.iter().map(|one| {
        Ok(json!({
            "fingerprint": one.fingerprint.to_string(),
            "issuer": one.crl.issuer(),
            "number": number(&one.crl)?,
            "made": day(one.crl.this_update()),
            "next": one.crl.next_update().map(day),
            "entries": one.crl.len(),
            "added": day(one.added),
            "source": one.source,
        }))
    });
    out.json(json!({"lists": rows.collect::<Result<Vec<_>, Failure>>()?}))
}

fn remove(context: &Context, out: &mut Output, named: &FingerprintPrefix) -> Result<(), Failure> {
    let directory = context.directory()?;
    let held: Vec<Fingerprint> = directory.crls()?.iter().map(|one| one.fingerprint).collect();
    let chosen = named.among(&held)?;
    directory.remove_crl(chosen)?;
    out.line(format!("list {chosen} removed: what it revoked is valid again, unless another list says so"))?;
    out.json(json!({"removed": chosen.to_string()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelled_as_people_read_them() {
        assert_eq!(spelled(&[]), "0");
        assert_eq!(spelled(&[1, 0]), "256");
        assert_eq!(spelled(&[0xff; 9]), "0xFFFFFFFFFFFFFFFFFF");
    }
}
