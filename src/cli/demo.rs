//! `sealpost demo`: a whole site in a folder, and mail being sealed.
//!
//! The site is made by the same commands that an administrator types; only the deliveries go past the command line,
//! because the table wants more than the hook's one line.

use super::context::{Context, engine, outbox};
use super::failure::{Code, Failure};
use super::keyring::Keyring;
use super::output::{Output, Table};
use super::words::shell_word;
use crate::crypto::{Entropy, Profile, SecretBytes};
use crate::engine::{Clock, CopyReport, Disposition, Outcome, Recipient, Request};
use crate::helper::SitePrograms;
use crate::mail::Address;
use crate::pki::{Certificate, MINIMUM_RSA_BITS, SealingCheck, ValidatedCertificate};
use crate::rules::Source;
use crate::smime::{self, Mark, SealError, SealJob, seal_many};
use crate::store::MaildirStore;
use crate::system::{SystemClock, SystemEntropy};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What tells a folder of ours from somebody else's.
const MARKER: &str = "made-by-sealpost-demo";

/// The Secure Mail password of everybody in the demonstration.
const PASSWORD: &str = "north star";

/// The rule file of the demonstration, as it ships.
const RULES: &str = include_str!("../../rules/payroll-to-hr.toml");

/// Who has a key and a certificate. Carol has an account only.
const SEALED_ACCOUNTS: [&str; 3] = ["anna@north.example", "bo@north.example", "hr@north.example"];

/// The messages, and for whom each is.
const MESSAGES: [(&str, &str, &[u8]); 7] = [
    ("01-offer.eml", "anna@north.example", include_bytes!("../../fixtures/mail/01-offer.eml")),
    ("02-payroll.eml", "anna@north.example", include_bytes!("../../fixtures/mail/02-payroll.eml")),
    ("03-list.eml", "bo@north.example", include_bytes!("../../fixtures/mail/03-list.eml")),
    ("04-picture.eml", "bo@north.example", include_bytes!("../../fixtures/mail/04-picture.eml")),
    (SENT_SEALED, "anna@north.example", include_bytes!("../../fixtures/mail/05-confidential.eml")),
    ("06-report.eml", "carol@north.example", include_bytes!("../../fixtures/mail/06-report.eml")),
    ("07-signed.eml", "bo@north.example", include_bytes!("../../fixtures/mail/07-signed.eml")),
];

/// This one is sealed by its sender before it is sent.
const SENT_SEALED: &str = "05-confidential.eml";

/// Show mail being sealed in a site of its own: no server, no root, no network
///
/// A domain with its authority, accounts, a rule and messages are made; the messages are delivered, a table shows what
/// became of each, one is opened again, and three commands are printed that go on from there.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost demo
  sealpost demo /tmp/north")]
pub(super) struct Demo {
    /// The folder; what an earlier demonstration left there is replaced, anything else is refused
    #[arg(default_value = "sealpost-demo")]
    dir: PathBuf,
}

/// One delivery: what came, and what became of it.
struct Delivery {
    file: &'static str,
    message: Vec<u8>,
    outcome: Outcome,
}

impl Demo {
    pub(super) fn run(self, out: &mut Output) -> Result<(), Failure> {
        let dir = self.dir.as_path();
        prepare(dir)?;
        out.line(format!(
            "A site in {}: the domain north.example, its authority, four accounts, one rule.\n",
            dir.display()
        ))?;
        for line in script() {
            run_line(dir, &line)?;
        }
        let context = Context::at(dir);
        let store = context.store(&context.config()?)?;
        let deliveries = deliver_all(&context, &store)?;
        show(&deliveries, out)?;
        let opened = open_first(&context, &store, &deliveries)?;
        out.line(format!("\nOpened again with Anna's key: {}", opened.verdict))?;
        out.line(format!("\nTry next:\n{}", next_commands(dir, &opened.path)))?;
        out.json(json!({"dir": dir, "deliveries": deliveries.iter().map(Delivery::json).collect::<Vec<_>>()}))
    }
}

/// An empty folder with our marker, the password, the rule file and the messages.
fn prepare(dir: &Path) -> Result<(), Failure> {
    let failed = |doing: &'static str| move |error: std::io::Error| Failure::io(doing, dir.display(), &error);
    if dir.join(MARKER).is_file() {
        fs::remove_dir_all(dir).map_err(failed("replace"))?;
    }
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some()) || dir.is_file() {
        let text = format!("{} holds something that no demonstration made", dir.display());
        return Err(Failure::new(Code::No, text).hint("name another folder: sealpost demo DIR"));
    }
    let incoming = dir.join("incoming");
    fs::create_dir_all(&incoming).map_err(failed("make"))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(failed("close"))?;
    let files = [(MARKER, ""), ("password", PASSWORD), ("payroll-to-hr.toml", RULES)];
    let files = files.map(|(name, text)| (dir.join(name), text.as_bytes()));
    let messages = MESSAGES.map(|(name, _, message)| (incoming.join(name), message));
    for (path, bytes) in files.into_iter().chain(messages) {
        fs::write(&path, bytes).map_err(|error| Failure::io("write", path.display(), &error))?;
    }
    Ok(())
}

/// What an administrator would type. `{}` stands for the folder.
fn script() -> Vec<String> {
    let domain = [
        "init",
        "domain add north.example",
        "key generate --domain north.example --type rsa-2048",
        "cert self-sign --domain north.example",
        "account add carol@north.example",
    ];
    let account = |address: &str| {
        [
            format!("account add {address}"),
            format!("key generate --account {address} --type rsa-2048 --password-file {{}}/password"),
            format!("cert issue --account {address}"),
        ]
    };
    let rules = [
        "acl grant --mailbox ~hr@north.example/Payroll --account anna@north.example --create",
        "rules install {}/payroll-to-hr.toml --domain north.example",
    ];
    let mut script: Vec<String> = domain.map(str::to_owned).into();
    script.extend(SEALED_ACCOUNTS.into_iter().flat_map(account));
    script.extend(rules.map(str::to_owned));
    script
}

fn run_line(dir: &Path, line: &str) -> Result<(), Failure> {
    let words = line.split(' ').map(|word| match word.split_once("{}") {
        Some((before, after)) => {
            [before.as_ref(), dir.as_os_str(), after.as_ref()].into_iter().collect::<OsString>()
        }
        None => OsString::from(word),
    });
    let args: Vec<OsString> =
        ["sealpost".into(), "--root".into(), dir.into()].into_iter().chain(words).collect();
    let cli = super::parse(&args)?;
    cli.verb.run(&Context::new(cli.global), &mut Output::silent())
}

fn deliver_all(context: &Context, store: &MaildirStore) -> Result<Vec<Delivery>, Failure> {
    let (directory, config) = (context.directory()?, context.config()?);
    let (outbox, programs) = (outbox(&directory, &config), SitePrograms::new(&config.programs));
    let engine = engine(&directory, store, &outbox, &config, &programs);
    let deliver = |(file, recipient, message): (&'static str, &str, &[u8])| {
        let message =
            if file == SENT_SEALED { seal_as_sender(context, recipient, message)? } else { message.to_vec() };
        let outcome = engine.deliver(&request(recipient, &message)?);
        Ok(Delivery { file, message, outcome })
    };
    MESSAGES.into_iter().map(deliver).collect()
}

fn request<'m>(recipient: &str, message: &'m [u8]) -> Result<Request<'m>, Failure> {
    Ok(Request {
        large: None,
        message,
        sender: None,
        recipients: vec![Recipient { address: address(recipient)?, original: None }],
        source: Source::Pipe,
        client: None,
        queue_id: None,
        known_by_content: false,
        until: None,
    })
}

fn address(text: &str) -> Result<Address, Failure> {
    Address::parse(text).map_err(|error| Failure::new(Code::Usage, error.to_string()))
}

/// What a sender's mail program does who has Anna's certificate.
fn seal_as_sender(context: &Context, recipient: &str, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let recipient = address(recipient)?;
    let records = context.directory_for_reading()?.certificates(&recipient)?;
    let check =
        SealingCheck::by_itself(std::slice::from_ref(&recipient), SystemClock.now(), MINIMUM_RSA_BITS);
    let fit = |certificate: &Certificate| ValidatedCertificate::for_sealing(certificate, &check).ok();
    let recipients: Vec<ValidatedCertificate> =
        records.iter().filter_map(|record| fit(&record.held.certificate)).collect();
    let mark = Mark { at: SystemClock.now(), rule: None, marked: Vec::new(), edited: Vec::new() };
    let job = SealJob {
        message,
        recipients: &recipients,
        form: Profile::Compatible.into(),
        mark,
        seed: SystemEntropy.seed()?,
    };
    let sealed = seal_many(vec![job]).pop().unwrap_or(Err(SealError::NoRecipient));
    sealed.map(|sealed| sealed.bytes().to_vec()).map_err(|error| Failure::new(Code::Data, error.to_string()))
}

fn show(deliveries: &[Delivery], out: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(&["message", "rule", "mailbox", "sealed to", "with", "before", "after"], "");
    for delivery in deliveries {
        let name = delivery.file.to_owned();
        if delivery.outcome.disposition != Disposition::Delivered {
            table.row([name.clone(), "-".to_owned(), "not stored".to_owned()]);
        }
        for copy in &delivery.outcome.copies {
            table.row(std::iter::once(name.clone()).chain(cells(copy)));
        }
    }
    out.table(&table)?;
    deliveries.iter().filter_map(Delivery::waits).try_for_each(|line| out.line(line))
}

fn cells(copy: &CopyReport) -> [String; 6] {
    let local = |address: &str| address.split('@').next().unwrap_or_default().to_owned();
    let sealed_to: Vec<String> = copy.sealed_to.iter().map(|to| local(&to.address)).collect();
    let cipher = copy.cipher.unwrap_or("-");
    [
        copy.rule.clone().unwrap_or("-".to_owned()),
        format!("~{}/{}", local(&copy.owner), copy.mailbox),
        sealed_to.join(", "),
        if copy.kept_as_is { format!("{cipher}, by its sender") } else { cipher.to_owned() },
        copy.size_before.to_string(),
        copy.size_after.to_string(),
    ]
}

impl Delivery {
    /// Why it was not stored, for the reader.
    fn waits(&self) -> Option<String> {
        let cause = self.outcome.cause.as_deref()?;
        let answer = self.outcome.disposition.line();
        Some(format!(
            "\n{}: {cause}.\n  The MTA is told \"{answer}\", keeps the message and tries again.",
            self.file
        ))
    }

    fn json(&self) -> Value {
        json!({"message": self.file, "answer": self.outcome.disposition.line(), "copies": self.outcome.copies})
    }
}

/// Where the first message lies sealed, and whether it opens to what came in.
struct OpenedAgain {
    path: PathBuf,
    verdict: String,
}

fn open_first(
    context: &Context,
    store: &MaildirStore,
    deliveries: &[Delivery],
) -> Result<OpenedAgain, Failure> {
    let missing = || Failure::new(Code::No, "the first message was not stored");
    let first = deliveries.first().ok_or_else(missing)?;
    let copy = first.outcome.copies.first().ok_or_else(missing)?;
    let owner = address(&copy.owner)?;
    let folder = store.folder(&owner, &crate::mail::MailboxName::inbox());
    let path = stored_file(&folder, &copy.name).ok_or_else(missing)?;
    let sealed = fs::read(&path).map_err(|error| Failure::io("read", path.display(), &error))?;
    let keyring = Keyring::unlock(context, &owner, &SecretBytes::new(PASSWORD.into()))?;
    let opened = smime::open(&sealed, &keyring.opening_keys()?)?;
    if opened.message.expose() != first.message {
        return Err(Failure::new(Code::No, format!("{} does not open to what came in", path.display())));
    }
    let verdict = format!("{} is byte for byte what came in ({} bytes).", first.file, first.message.len());
    Ok(OpenedAgain { path, verdict })
}

fn stored_file(folder: &Path, name: &str) -> Option<PathBuf> {
    let within = |sub: &str| fs::read_dir(folder.join(sub)).ok().into_iter().flatten().flatten();
    let named = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(name);
    within("new").chain(within("cur")).find(named).map(|entry| entry.path())
}

fn next_commands(dir: &Path, sealed: &Path) -> String {
    let program = std::env::args().next().unwrap_or("sealpost".into());
    let word = |path: &Path| shell_word(&path.display().to_string());
    let (program, root, sealed) = (shell_word(&program), word(dir), word(sealed));
    let (password, payroll) = (word(&dir.join("password")), word(&dir.join("incoming/02-payroll.eml")));
    [
        format!("  {program} inspect < {sealed}"),
        format!("  {program} --root {root} open --account anna@north.example --password-file {password} < {sealed}"),
        format!("  {program} --root {root} rules explain --recipient anna@north.example < {payroll}"),
    ]
    .join("\n")
}
