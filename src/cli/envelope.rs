//! What an MTA tells beside a message, as options.

use super::failure::{Code, Failure};
use crate::engine::{Load, Parcel, Recipient, Request};
use crate::mail::Address;
use crate::rules::Source;
use clap::ValueEnum;

/// The envelope of SMTP, and how the message came in.
#[derive(clap::Args, Debug)]
pub(super) struct Envelope {
    /// A recipient of the envelope; repeat it for several
    #[arg(long, required = true, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub(super) recipient: Vec<String>,
    /// The sender of the envelope; empty for the null sender
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub(super) sender: Option<String>,
    /// What the sender wrote for each recipient (RFC 3461 ORCPT), in the same order; empty where it is not known
    #[arg(long, value_name = "ADDRESS", allow_hyphen_values = true)]
    pub(super) original_recipient: Vec<String>,
    /// The address of the SMTP client
    #[arg(long, value_name = "IP", allow_hyphen_values = true)]
    pub(super) client: Option<String>,
    /// How the message came in
    #[arg(long, value_enum, default_value_t = HookSource::default())]
    pub(super) source: HookSource,
}

/// [`Source`] as a word of the command line.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum HookSource {
    Trusted,
    Authenticated,
    Lmtp,
    #[default]
    Pipe,
}

impl From<HookSource> for Source {
    fn from(source: HookSource) -> Source {
        match source {
            HookSource::Trusted => Source::Trusted,
            HookSource::Authenticated => Source::Authenticated,
            HookSource::Lmtp => Source::Lmtp,
            HookSource::Pipe => Source::Pipe,
        }
    }
}

impl Envelope {
    /// Each with what its sender wrote.
    pub(super) fn recipients(&self) -> Result<Vec<Recipient>, Failure> {
        let originals = self.original_recipient.len();
        if originals != 0 && originals != self.recipient.len() {
            return Err(Failure::new(
                Code::Usage,
                "--original-recipient is needed for each --recipient or for none",
            ));
        }
        let originals = self.original_recipient.iter().map(Some).chain(std::iter::repeat(None));
        let recipients = self.recipient.iter().zip(originals).map(|(recipient, original)| {
            let address =
                Address::parse(recipient).map_err(|error| Failure::new(Code::Usage, error.to_string()))?;
            Ok(Recipient { address, original: original.filter(|text| !text.is_empty()).cloned() })
        });
        recipients.collect()
    }

    /// With a message, and no queue id.
    pub(super) fn parcel(&self, recipients: Vec<Recipient>, message: Load) -> Parcel {
        Parcel {
            message,
            sender: self.sender.clone(),
            recipients,
            source: self.source.into(),
            client: self.client.clone().filter(|client| !client.is_empty()),
            queue_id: None,
            known_by_content: false,
            until: None,
        }
    }

    /// With the message, and no queue id.
    pub(super) fn request(self, recipients: Vec<Recipient>, message: &[u8]) -> Request<'_> {
        Request {
            message,
            large: None,
            sender: self.sender,
            recipients,
            source: self.source.into(),
            client: self.client.filter(|client| !client.is_empty()),
            queue_id: None,
            known_by_content: false,
            until: None,
        }
    }
}
