//! Carries mail to the next server: SMTP submission, LMTP, or a program like sendmail.
//!
//! What is said to a server and what its answers mean stands in [`Dialogue`], without sockets and clocks; `smtp.rs` moves
//! the octets. Whatever a server does, a recipient is sent to, refused, or tried again later, in bounded time and memory.

mod content;
mod dialogue;
mod extensions;
mod greet;
mod link;
mod login;
mod program;
mod reply;
mod smtp;
mod within;

pub use content::wire_form;
pub use dialogue::{Dialect, Dialogue, Letter, Terms, Want, Way};
pub use greet::greet;
pub use login::Login;
pub use reply::{Reply, ReplyError, ReplyReader};

use crate::engine::{Courier, Submission, SubmissionSettings, SubmissionTls};
use crate::pki::Certificate;
use program::ProgramCourier;
use smtp::SmtpCourier;
use std::time::Duration;

/// Why there is no courier.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CourierError {
    /// Where to send is not set.
    #[error("submission is not set in sealpost.toml")]
    NoSubmission,
    /// A password would go in the clear.
    #[error(
        "{0} would be told the password in the clear: submission-tls = \"none\" and submission-user exclude each other"
    )]
    ClearPassword(String),
    /// There is nobody to log in to.
    #[error("{0} asks nobody to log in: leave submission-user empty")]
    NoLogin(String),
    /// TLS cannot be used.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// What a courier needs beside the settings.
pub struct Equipment<'a> {
    /// Who logs in; absent: nobody.
    pub login: Option<Login>,
    /// How this machine greets.
    pub name: String,
    /// Who may vouch for the server. Asked for only if something is encrypted.
    pub authorities: &'a dyn Fn() -> Result<Vec<Certificate>, String>,
    /// For one mail, from the first look-up until the next server has all of it.
    pub limit: Duration,
    /// From then on, for its answer: it may have taken the mail, and whoever does not hear of that sends it again. A program has
    /// the whole mail from the start.
    pub answer: Duration,
}

/// The courier that the settings ask for.
pub fn courier(
    settings: &SubmissionSettings,
    equipment: Equipment<'_>,
) -> Result<Box<dyn Courier>, CourierError> {
    let to = settings.to.as_ref().ok_or(CourierError::NoSubmission)?;
    match to {
        Submission::Program(_) | Submission::LmtpUnix(_) if equipment.login.is_some() => {
            Err(CourierError::NoLogin(to.to_string()))
        }
        Submission::Program(path) => Ok(Box::new(ProgramCourier::new(path, equipment.answer))),
        _ => {
            let way = way(to, settings.tls, equipment.login.is_some());
            if way == Way::Clear && equipment.login.is_some() {
                return Err(CourierError::ClearPassword(to.to_string()));
            }
            Ok(Box::new(SmtpCourier::new(to, way, equipment)?))
        }
    }
}

fn way(to: &Submission, tls: SubmissionTls, logs_in: bool) -> Way {
    match (to, tls) {
        (Submission::Smtps(_), _) => Way::Encrypted,
        (Submission::LmtpUnix(_), _) | (_, SubmissionTls::None) => Way::Clear,
        (_, SubmissionTls::Require) => Way::StartTls,
        (_, SubmissionTls::Opportunistic) => Way::StartTlsIfOffered,
        (to, SubmissionTls::Auto) if to.is_local() && !logs_in => Way::Clear,
        (_, SubmissionTls::Auto) => Way::StartTls,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_the_machine_goes_in_the_clear_by_itself() {
        let chosen = |to: &str, tls, logs_in| way(&Submission::parse(to).unwrap(), tls, logs_in);
        use SubmissionTls::{Auto, None, Opportunistic, Require};
        for (to, tls, logs_in, wanted) in [
            ("smtp://mail.north.example", Auto, false, Way::StartTls),
            ("smtp://127.0.0.1:25", Auto, false, Way::Clear),
            ("smtp://127.0.0.1:25", Auto, true, Way::StartTls),
            ("smtp://127.0.0.1:25", Require, false, Way::StartTls),
            ("smtp://mail.north.example", Opportunistic, false, Way::StartTlsIfOffered),
            ("smtp://mail.north.example", None, false, Way::Clear),
            ("smtps://mail.north.example", None, false, Way::Encrypted),
            ("lmtp:unix:/run/lmtp", Require, false, Way::Clear),
        ] {
            assert_eq!(chosen(to, tls, logs_in), wanted, "{to} {tls:?} {logs_in}");
        }
    }

    #[test]
    fn a_password_in_the_clear_is_refused() {
        let refused = |to: &str, tls| {
            let settings =
                SubmissionSettings { to: Submission::parse(to), tls, ..SubmissionSettings::default() };
            let login = Some(Login::new("anna", crate::crypto::SecretBytes::new(b"xyzzy".to_vec())));
            let name = "north.example".to_owned();
            let authorities: &dyn Fn() -> Result<Vec<Certificate>, String> = &|| Ok(Vec::new());
            let equipment = Equipment {
                login,
                name,
                authorities,
                limit: Duration::from_secs(1),
                answer: Duration::from_secs(1),
            };
            courier(&settings, equipment).err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(refused("smtp://127.0.0.1", SubmissionTls::None).contains("in the clear"));
        assert!(refused("lmtp:unix:/run/lmtp", SubmissionTls::Auto).contains("asks nobody to log in"));
        assert_eq!(refused("smtp://127.0.0.1", SubmissionTls::Auto), "");
        assert_eq!(refused("", SubmissionTls::Auto), "submission is not set in sealpost.toml");
    }
}
