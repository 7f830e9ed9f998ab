//! What was done, for logs and tables. Nothing of the message's content.

use serde::Serialize;
use std::fmt;

/// One stored copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CopyReport {
    /// Whose mailbox.
    pub owner: String,
    /// Which; of a file the folder among the account's files.
    pub mailbox: String,
    /// The file's name as it is asked for, if it is an attachment: a sender chose it, and no log holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The rule that asked for it; absent: the INBOX copy.
    pub rule: Option<String>,
    /// Who can open it; empty for a clear copy.
    pub sealed_to: Vec<SealedToReport>,
    /// The content cipher; absent for a clear copy.
    pub cipher: Option<&'static str>,
    /// Bytes as received, without the MTA's mbox line.
    pub size_before: u64,
    /// Bytes of the stored file.
    pub size_after: u64,
    /// The sender had sealed it to the same people already.
    pub kept_as_is: bool,
    /// Who consented to a clear copy.
    pub plain_source: Option<&'static str>,
    /// The unique base name in the mailbox.
    pub name: String,
    /// What was let pass.
    pub warnings: Vec<String>,
}

/// As what somebody can open a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecipientRole {
    /// An account that the copy is for.
    Account,
    /// The domain of such an account, in the place of the account.
    DomainKey,
    /// Who can open it if the account cannot.
    Recovery,
}

/// Somebody a copy is sealed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SealedToReport {
    /// The account; of a recovery certificate: its domain.
    pub address: String,
    /// As what.
    #[serde(rename = "as")]
    pub role: RecipientRole,
    /// SHA-256 of the certificate, in hex.
    pub certificate: String,
}

impl fmt::Display for SealedToReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = &self.address;
        match self.role {
            RecipientRole::Account => out.write_str(address),
            RecipientRole::DomainKey => {
                let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
                write!(out, "the key of {domain} for {address}")
            }
            RecipientRole::Recovery => write!(out, "recovery of {address}"),
        }
    }
}

/// An action of a rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fired {
    /// The account that the rule acted for; absent for the server.
    pub account: Option<String>,
    /// The rule's name.
    pub rule: String,
    /// What it did, as the rule file would say it.
    pub action: String,
}
