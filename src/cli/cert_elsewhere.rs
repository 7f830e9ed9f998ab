//! `sealpost cert add --from-message` and `--from-folder`

use super::cert::layout;
use super::context::Context;
use super::elsewhere::{self, Incoming, describe};
use super::failure::{Code, Failure};
use super::output::{Output, Table};
use super::words::{self, counted};
use super::{filter, fitness, input};
use crate::config::Config;
use crate::directory::{AdminError, Offered, SqliteDirectory};
use crate::engine::{Account, CertificateSource, Clock, Unfit, offered};
use crate::mail::{Address, Message, without_mbox_line};
use crate::pki::Certificate;
use crate::system::SystemClock;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The certificate that a signed message of the account offers.
pub(super) fn from_message(
    context: &Context,
    out: &mut Output,
    account: &Address,
    file: &Path,
) -> Result<(), Failure> {
    let bytes = input::file(file)?;
    let config = context.config()?;
    let directory = context.directory()?;
    let account = directory.account(account)?;
    let message = Message::new(without_mbox_line(bytes.expose()));
    let anchors = elsewhere::anchors(&account);
    let offer = offered(&message, &account, anchors, &config.settings, SystemClock.now());
    let offer = offer.map_err(|why| Failure::new(Code::Data, format!("{}: {why}", input::name(file))))?;
    let incoming = Incoming::by_mail(&account, &offer);
    let taken = incoming.take(&directory, &config)?;
    let warnings = words::texts(&offer.untrusted);
    tell(out, &incoming, &taken, &warnings)
}

fn tell(
    out: &mut Output,
    incoming: &Incoming<'_>,
    taken: &Offered,
    warnings: &[String],
) -> Result<(), Failure> {
    let (account, fingerprint) = (&incoming.account.address, incoming.certificate.fingerprint());
    match taken {
        Offered::Active(added) => {
            out.line(format!("mail for {account} is sealed to {fingerprint} from now on"))?;
            for retired in &added.retired {
                out.line(format!("{retired} is retired: it has the same key"))?;
            }
        }
        Offered::Pending => {
            out.line(format!("{fingerprint} of {account} waits: nothing is sealed to it before it is accepted"))?;
            out.line(format!("sealpost cert accept --account {account} --fingerprint {}", words::short(fingerprint)))?;
        }
        other => {
            let text = format!("{fingerprint} was not taken for {account}: {}", describe(other));
            return Err(Failure::new(Code::No, text));
        }
    }
    for warning in warnings {
        out.line(format!("warning: {warning}"))?;
    }
    let state = if matches!(taken, Offered::Active(_)) { "active" } else { "pending" };
    let place = [("account", account.to_string()), ("state", state.to_owned())];
    let mut value = layout(&place, incoming.certificate)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("warnings".into(), warnings.into());
    }
    out.json(value)
}

/// More files of a folder are not looked at.
const MOST_FILES: usize = 100_000;

/// What became of one file, or of one certificate in it for one account.
struct Row {
    file: String,
    account: String,
    certificate: String,
    outcome: String,
    failed: bool,
}

/// Every certificate of a folder, given to the accounts whose addresses it names.
pub(super) fn from_folder(
    context: &Context,
    out: &mut Output,
    folder: &Path,
    domain: Option<&str>,
) -> Result<(), Failure> {
    let files = files(folder)?;
    // Read before root becomes the owner of the store, who may not be allowed to.
    let read: Vec<_> = files.iter().map(|file| (file, certificates(file))).collect();
    let config = context.config()?;
    let directory = context.directory()?;
    let import = Import { config: &config, directory: &directory, source: CertificateSource::Folder, domain };
    if let Some(domain) = domain {
        directory.domain(domain)?;
    }
    let mut rows = Vec::new();
    for (file, read) in read {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match read {
            Err(why) => rows.push(Row::file(&name, why)),
            Ok(found) => rows.extend(import.all(&name, &format!("folder: {name}"), &found)?),
        }
    }
    report(out, &rows, &format!("{} holds no file", folder.display()))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::io("read", folder.display(), &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            continue;
        }
        if files.len() == MOST_FILES {
            let text = format!("{} holds more than {MOST_FILES} files: split it", folder.display());
            return Err(Failure::new(Code::No, text));
        }
        files.push(path);
    }
    files.sort();
    Ok(files)
}

fn certificates(file: &PathBuf) -> Result<Vec<Certificate>, String> {
    filter::certificates(std::slice::from_ref(file)).map_err(|failure| {
        let prefix = format!("{}: ", file.display());
        failure.text.strip_prefix(&prefix).unwrap_or(&failure.text).to_owned()
    })
}

/// Gives certificates to accounts.
pub(super) struct Import<'a> {
    pub(super) config: &'a Config,
    pub(super) directory: &'a SqliteDirectory,
    pub(super) source: CertificateSource,
    /// Only to accounts of this one.
    pub(super) domain: Option<&'a str>,
}
