//! Why a mail is not sent.

use crate::mail::Address;

/// A reason against a mail. None of them fails the delivery: the copies are stored as usual. Nothing of the message is in
/// the texts, because they go into the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsent {
    #[error("the hook does not say who sent the message (pipe: --sender ${{sender}})")]
    UnknownSender,
    #[error("the message has the null sender: it is a report, and nobody reads an answer to it")]
    NullSender,
    #[error("the envelope sender is no address that mail can be sent to")]
    UnfitSender,
    #[error("the account sent the message itself")]
    OwnMail,
    #[error("the address of the sender is that of a program or a list")]
    Robot,
    #[error("a program sent the message (Auto-Submitted, X-Auto…)")]
    Automatic,
    #[error("the message comes from a mailing list (List-…)")]
    List,
    #[error("the message is bulk mail (Precedence)")]
    Bulk,
    #[error("the sender wants no automatic answers (X-Auto-Response-Suppress)")]
    Suppressed,
    #[error("the message is a delivery report or a receipt (multipart/report)")]
    Report,
    #[error("the message is marked as spam")]
    Spam,
    #[error("none of the account's addresses is in To or Cc: the message was not written to it personally")]
    NotPersonal,
    #[error("the sender was answered already, within reply-interval")]
    Answered,
    #[error("the sender is answered already with \"{0}\"")]
    AnswersAlready(&'static str),
    #[error("this rule wrote to the same people already because of this sender, within reply-interval")]
    Reacted,
    #[error("this rule writes to the same people already with \"{0}\"")]
    ReactsAlready(&'static str),
    #[error("the message names more than {0} people, and all of them would be answered")]
    TooMany(usize),
    #[error(
        "the text of the rule says From: {0}, and that is no address of {1}: take one of its own, or leave From out"
    )]
    ForeignFrom(Address, Address),
    #[error("the text of the rule can no longer be read: sealpost rules check")]
    Text,
    #[error("the account sent it on already: it has gone round in a circle (Delivered-To)")]
    Loop,
    #[error("the message went over {found} servers, hop-limit is {limit}: it goes round in a circle")]
    Hops { found: usize, limit: usize },
    #[error("the mail would come back to the account itself")]
    ToItself,
}
