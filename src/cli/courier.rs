//! The courier that the settings ask for, with what it needs of this machine.

use super::cert_fetch::authorities;
use super::failure::{Code, Failure};
use super::password::PasswordSource;
use crate::config::Config;
use crate::courier::{CourierError, Equipment, Login, courier};
use crate::crypto::SecretBytes;
use crate::directory::SqliteDirectory;
use crate::engine::Courier;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// For the answer to a mail that the next server has (RFC 5321 4.5.3.2.6), and for a program.
pub(super) const ANSWER: Duration = Duration::from_secs(10 * 60);

/// What the setting looks like.
const NO_SUBMISSION: &str =
    "say where mail leaves, for example: submission = \"sendmail:/usr/sbin/sendmail\"";

/// For mails that take so long at most, each, until the next server has them.
pub(super) fn open(
    config: &Config,
    directory: &SqliteDirectory,
    limit: Duration,
) -> Result<Box<dyn Courier>, Failure> {
    let settings = &config.submission;
    let login = match &settings.user {
        Some(user) => Some(Login::new(user, password(settings.password_file.as_deref())?)),
        None => None,
    };
    let name = settings.helo.clone().unwrap_or_else(host_name);
    let trusted = || authorities(directory, config).map_err(|failure| failure.text);
    let equipment = Equipment { login, name, authorities: &trusted, limit, answer: ANSWER };
    courier(settings, equipment).map_err(|error| {
        let failure = Failure::new(Code::Config, error.to_string());
        match error {
            CourierError::NoSubmission => failure.hint(NO_SUBMISSION),
            _ => failure,
        }
    })
}

fn password(file: Option<&Path>) -> Result<SecretBytes, Failure> {
    let wrong = |text: String| Failure::new(Code::Config, text);
    let file =
        file.ok_or_else(|| wrong("submission-user is set, and submission-password-file is not".into()))?;
    let metadata = std::fs::metadata(file).map_err(|error| Failure::io("look at", file.display(), &error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let path = file.display();
        return Err(wrong(format!("{path} is open to others (mode {mode:04o}): chmod 600 {path}")));
    }
    let password = PasswordSource::first_line_of(file)?;
    if password.expose().is_empty() {
        return Err(wrong(format!("{} holds no password", file.display())));
    }
    Ok(password)
}

/// What this machine calls itself, as far as that can stand in a greeting (RFC 5321 4.1.1.1).
pub(super) fn host_name() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned();
    let fits = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '.';
    if !name.is_empty() && name.chars().all(fits) { name } else { "localhost".to_owned() }
}
