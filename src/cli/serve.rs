//! `sealpost serve`: the daemon that an MTA hands mail to over LMTP.

use super::context::{Context, engine, outbox};
use super::courier::host_name;
use super::deliver::{log, log_panics};
use super::failure::{Code, Failure};
use super::harvest;
use super::output::Output;
use super::sender::Sender;
use crate::config::{Config, FILE};
use crate::directory::{SqliteDirectory, SqliteOutbox};
use crate::engine::{DirectoryError, InFlight, Outcome, Queue, Request, Service};
use crate::helper::{SitePrograms, end_all};
use crate::lmtp::Terms;
use crate::lmtp::server::{Host, Limits, ListenError, Listeners, Server, Stop};
use crate::system::{EndSignals, User, as_owner};
use serde_json::json;
use std::io;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// For the messages that are in hand when the daemon is told to end.
const GRACE: Duration = Duration::from_secs(60);

/// Take mail over LMTP, apply the rules, seal it and store it: a daemon for Postfix, Exim and others
///
/// Listens where lmtp-listen says: sockets of this machine and loopback addresses. All recipients of a message are one delivery; if
/// nothing of it can be stored because of one of them, each is one by itself, so that one full mailbox keeps nobody from his mail.
/// Nobody is told "250" before the message is stored and synced. What happened stands in the log.
///
/// It stays in the foreground. SIGTERM and SIGINT end it: messages in hand get their answer (60 seconds at most), all other clients
/// are told to come again. SIGHUP does not. Started as root it listens, and becomes the owner of the store then. A change of sealpost.toml holds
/// after it is started anew; domains, accounts, certificates and rules are followed at once.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sealpost serve
As a unit of systemd (docs/LMTP.md has all of it), with lmtp-listen = [\"unix:/run/sealpost/lmtp\"] and
lmtp-socket-group = \"postfix\" in sealpost.toml:
  # /etc/systemd/system/sealpost.service, then: systemctl enable --now sealpost
  [Service]
  User=vmail
  SupplementaryGroups=postfix
  RuntimeDirectory=sealpost
  ExecStart=/usr/local/bin/sealpost serve
  Restart=on-failure
  [Install]
  WantedBy=multi-user.target
The lines for Postfix: sealpost init --postfix. For Exim: sealpost init --exim")]
pub(super) struct Serve;

impl Serve {
    pub(super) fn run(self, context: &Context, out: &mut Output) -> Result<(), Failure> {
        // Before anything of it is to be seen: who is told to end while it starts goes on until it can, and leaves no socket. What it
        // holds back, and what came already, it still has when it begins again (execve(2)).
        let signals = EndSignals::hold().map_err(|error| Failure::io("listen for", "signals", &error))?;
        crate::system::close_inherited();
        give_back_large_rooms();
        crate::system::allow_many_files();
        let config = written_config(context)?;
        let listeners = listen(context, &config)?;
        context.become_owner()?;
        context.start_log(&config)?;
        log_panics();
        let directory = Arc::new(context.directory_for_reading()?);
        let store = context.store(&config)?;
        let sender =
            Sender::start(&config, &directory).map_err(|error| Failure::io("start", "a thread", &error))?;
        let (outbox, programs) = (outbox(&directory, &config), SitePrograms::new(&config.programs));
        let service = Service {
            engine: engine(&directory, &store, &outbox, &config, &programs),
            window: InFlight::default(),
            memory_limit: config.memory_limit,
        };
        let site = Site { context, config: &config, directory: &directory, outbox: &outbox, sender };
        tell(&config, out)?;
        site.serve(&service, listeners, &signals)?;
        tracing::info!("ended");
        Ok(())
    }
}

/// What a thread has freed the C library keeps for that thread, and the more the larger it was (mallopt(3),
/// M_MMAP_THRESHOLD): a hundred sessions would each keep the room of their largest message. With a threshold that is said once, what
/// is above goes back at once. It is read when a process begins, so that this one begins again.
fn give_back_large_rooms() {
    const THRESHOLD: &str = "MALLOC_MMAP_THRESHOLD_";
    let mut args = std::env::args_os();
    if let (None, Ok(program), Some(name)) =
        (std::env::var_os(THRESHOLD), std::env::current_exe(), args.next())
    {
        // Where that fails it is served with more memory.
        let _ = Command::new(program).arg0(name).args(args).env(THRESHOLD, (1 << 20).to_string()).exec();
    }
}

/// Read before the process becomes the owner of the store for good: to listen may take more rights.
fn written_config(context: &Context) -> Result<Config, Failure> {
    let file = context.root().join(FILE);
    let missing = |file: &Path| matches!(file.try_exists(), Ok(false));
    let read = || if missing(&file) { Ok(None) } else { Config::load(context.root()).map(Some) };
    let read = if missing(context.root()) { None } else { as_owner(context.root(), read)?? };
    let Some(config) = read else {
        let text = format!("{} is missing: sealpost init makes it", file.display());
        return Err(Failure::new(Code::Config, text));
    };
    if config.lmtp.listen.is_empty() {
        return Err(Failure::new(Code::Config, format!("{} does not say where to listen", file.display()))
            .hint("lmtp-listen = [\"unix:/run/sealpost/lmtp\"]"));
    }
    Ok(config)
}

fn listen(context: &Context, config: &Config) -> Result<Listeners, Failure> {
    let owner = User::owning(context.root())?;
    Listeners::open(&config.lmtp, owner.id()).map_err(|error| {
        let failure = |code| Failure::new(code, error.to_string());
        match &error {
            ListenError::Taken(_) => failure(Code::No).hint("another sealpost serve runs, or another server"),
            ListenError::InTheWay(_) => {
                failure(Code::No).hint("remove it, or name another path in lmtp-listen")
            }
            ListenError::Locked(_) => failure(Code::TryAgain).hint("see who has it open: fuser -v, lsof"),
            ListenError::Stranger(_) => failure(Code::NoPermission)
                .hint("root makes no socket there; under systemd: RuntimeDirectory=sealpost"),
            ListenError::NoGroup(_) => failure(Code::Config).hint("lmtp-socket-group names it"),
            ListenError::OtherGroup { .. } => {
                failure(Code::No).hint("its folder hands on its own group: chmod g-s, or that group")
            }
            ListenError::System { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => failure(Code::NotFound)
                    .hint("its folder must be there; under systemd: RuntimeDirectory=sealpost"),
                io::ErrorKind::PermissionDenied => {
                    failure(Code::NoPermission).hint("start it as root, or as an owner of the folder")
                }
                _ => failure(Code::Io),
            },
        }
    })
}

/// A person or a script knows now that clients may come.
fn tell(config: &Config, out: &mut Output) -> Result<(), Failure> {
    let places: Vec<String> = config.lmtp.listen.iter().map(ToString::to_string).collect();
    tracing::info!(places = places.join(" "), "listening");
    out.line(format!("listening on {}", places.join(" and ")))?;
    out.json(json!({ "listening": places }))
}

/// What is done beside delivering.
struct Site<'s> {
    context: &'s Context,
    config: &'s Config,
    directory: &'s SqliteDirectory,
    outbox: &'s SqliteOutbox<'s>,
    sender: Sender,
}

impl Host for Site<'_> {
    fn told(&self, request: &Request<'_>, outcome: &Outcome) {
        // Everything is decided: what goes wrong here makes no doubt of it.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            log(request, outcome);
            harvest::after_delivery(self.context, self.config, self.directory, request, outcome);
        }));
    }

    fn afterwards(&self) {
        self.sender.send(self.outbox);
    }

    fn domains(&self) -> Result<Vec<String>, DirectoryError> {
        Ok(self.directory.domains()?.into_iter().map(|domain| domain.name).collect())
    }
}

impl Site<'_> {
    fn terms(&self) -> Terms {
        Terms { host: host_name(), max_message: self.config.settings.max_message }
    }

    fn limits(&self) -> Limits {
        Limits {
            sessions: self.config.lmtp.sessions,
            memory: self.config.lmtp.memory,
            memory_limit: self.config.memory_limit,
            spool: self.context.root().to_owned(),
            deadline: self.config.deadline,
            patience: Limits::PATIENCE,
        }
    }

    /// Serves until a signal comes, and then until all messages in hand got their answer.
    fn serve(
        &self,
        service: &Service<'_>,
        listeners: Listeners,
        signals: &EndSignals,
    ) -> Result<(), Failure> {
        let stop = Stop::new().map_err(|error| Failure::io("make", "a pipe", &error))?;
        let (queue, is_over) = (Queue::default(), Arc::new(AtomicBool::new(false)));
        let server = Server::new(self.terms(), self.limits(), (service, &queue), self, &stop);
        std::thread::scope(|threads| {
            let thread = |name: &str| std::thread::Builder::new().name(name.into());
            let failed = |error: io::Error| Failure::io("start", "a thread", &error);
            let sealing = thread("service").spawn_scoped(threads, || service.run(&queue));
            sealing.map_err(failed)?;
            let serve = || {
                let served = catch_unwind(AssertUnwindSafe(|| server.run(listeners)));
                is_over.store(true, Ordering::SeqCst);
                signals.raise();
                served.unwrap_or_else(|_| Err(io::Error::other("internal error")))
            };
            let serving = thread("clients").spawn_scoped(threads, serve).map_err(failed);
            if serving.is_ok() {
                await_end(signals, &is_over, || stop.call());
            }
            queue.close();
            let served = serving?.join().unwrap_or_else(|_| Err(io::Error::other("internal error")));
            served.map_err(|error| Failure::io("wait for", "clients", &error))
        })
    }
}

/// Begins the end at the first signal. The second one, or the end of the grace, ends the process with messages in hand, which does no
/// more harm than a kill: nobody was told that they are stored.
fn await_end(signals: &EndSignals, is_over: &Arc<AtomicBool>, begin: impl FnOnce()) {
    signals.wait();
    if is_over.load(Ordering::SeqCst) {
        return;
    }
    begin();
    let over = Arc::clone(is_over);
    // Without that thread the service manager is the one who loses patience.
    let _ = std::thread::Builder::new().name("grace".into()).spawn(move || {
        std::thread::sleep(GRACE);
        if !over.load(Ordering::SeqCst) {
            end_now("the time for messages in hand is over");
        }
    });
    signals.wait();
    if !is_over.load(Ordering::SeqCst) {
        end_now("told to end a second time");
    }
}

fn end_now(why: &str) -> ! {
    end_all();
    tracing::warn!("ended with messages in hand, whose senders try again: {why}");
    std::process::exit(Code::TryAgain as i32);
}
