//! Who is never answered (RFC 3834 2), whatever a rule says.

use super::{Sending, Unsent};
use crate::mail::{Address, Field, MediaType, Message};
use crate::rules::{ReplyKind, is_mark_of_a_machine};

/// Fields in which a message that was written to somebody names him (RFC 3834 2).
const PERSONAL: [&str; 6] = ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc"];

impl Sending<'_> {
    /// The one to answer: whom the envelope names as the sender. `From` and `Reply-To` are not asked, because anybody can
    /// write anybody in there, and what is wrong with the answer belongs to the envelope's sender (RFC 3834 4).
    pub(super) fn sender(&self, kind: ReplyKind) -> Result<Address, Unsent> {
        let sender = match self.request.sender.as_deref() {
            None => return Err(Unsent::UnknownSender),
            Some("") => return Err(Unsent::NullSender),
            Some(sender) => Address::parse(sender).map_err(|_| Unsent::UnfitSender)?,
        };
        let answers = kind != ReplyKind::React;
        if self.author.owns(&sender) {
            return Err(Unsent::OwnMail);
        }
        if answers && is_robot(&sender) {
            return Err(Unsent::Robot);
        }
        if let Some(reason) = self.guards().too_many_hops().or_else(|| by_a_machine(self.message)) {
            return Err(reason);
        }
        // The server is no person: whoever installs its rules says what it answers.
        if answers && self.effect.acting.is_some() && !self.is_personal() {
            return Err(Unsent::NotPersonal);
        }
        Ok(sender)
    }

    fn is_personal(&self) -> bool {
        let named = PERSONAL.iter().flat_map(|name| self.message.fields_named(name));
        let mut addresses =
            named.flat_map(Field::mailboxes).filter_map(|found| Address::parse(&found.address).ok());
        addresses.any(|address| self.author.owns(&address))
    }
}

/// Did a list or a program send it?
fn by_a_machine(message: &Message<'_>) -> Option<Unsent> {
    let by_field = message.fields().iter().find_map(reason_in);
    let is_report = || MediaType::of(message).essence().eq_ignore_ascii_case("multipart/report");
    by_field.or_else(|| is_report().then_some(Unsent::Report))
}

fn reason_in(field: &Field<'_>) -> Option<Unsent> {
    let name = field.name().to_ascii_lowercase();
    match name.as_str() {
        "x-auto-response-suppress" => suppresses(field).then_some(Unsent::Suppressed),
        "x-spam-flag" | "x-spam-status" | "x-spam" => says_yes(field).then_some(Unsent::Spam),
        _ if !is_mark_of_a_machine(field) => None,
        "precedence" => Some(Unsent::Bulk),
        name if name.starts_with("auto-") || name.starts_with("x-auto") || name.starts_with("x-mirror") => {
            Some(Unsent::Automatic)
        }
        _ => Some(Unsent::List),
    }
}

/// Does it ask for no answers of this kind? The other words are about receipts and reports (MS-OXCMAIL 2.2.3.2.14).
fn suppresses(field: &Field<'_>) -> bool {
    let is_asked =
        |word: &str| ["all", "oof", "autoreply"].contains(&word.trim().to_ascii_lowercase().as_str());
    field.text().split([',', ';']).any(is_asked)
}

fn says_yes(field: &Field<'_>) -> bool {
    let text = field.text().to_ascii_lowercase();
    text.split(|char: char| !char.is_ascii_alphanumeric())
        .next()
        .is_some_and(|word| ["yes", "true"].contains(&word))
}

/// Local parts of programs and lists: the ones that RFC 3834 2 names, and those that say that nobody reads there.
pub(super) fn is_robot(address: &Address) -> bool {
    const WHOLE: [&str; 6] = ["mailer-daemon", "listserv", "majordomo", "mailman", "bounce", "bounces"];
    const BEGINS: [&str; 4] = ["owner-", "bounce-", "bounces-", "bounces+"];
    const ENDS: [&str; 5] = ["-owner", "-request", "-bounce", "-bounces", "-relay"];
    const HOLDS: [&str; 2] = ["noreply", "donotreply"];
    let local = address.local().to_ascii_lowercase();
    let letters: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
    WHOLE.contains(&local.as_str())
        || BEGINS.iter().any(|begin| local.starts_with(begin))
        || ENDS.iter().any(|end| local.ends_with(end))
        || HOLDS.iter().any(|word| letters.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(header: &str) -> Option<Unsent> {
        by_a_machine(&Message::new(format!("From: a@b.example\n{header}\n\n").as_bytes()))
    }

    #[test]
    fn marks_of_machines() {
        for (header, expected) in [
            ("Auto-Submitted: auto-replied", Unsent::Automatic),
            ("auto-submitted: Auto-Generated; x=y", Unsent::Automatic),
            ("X-Autoreply: yes", Unsent::Automatic),
            ("X-Mirrored-By: a@b.example", Unsent::Automatic),
            ("List-Id: <a.b>", Unsent::List),
            ("List-Unsubscribe: <mailto:a@b>", Unsent::List),
            ("X-Mailing-List: a", Unsent::List),
            ("Precedence: bulk", Unsent::Bulk),
            ("Precedence: Junk", Unsent::Bulk),
            ("X-Auto-Response-Suppress: DR, OOF", Unsent::Suppressed),
            ("X-Auto-Response-Suppress: All", Unsent::Suppressed),
            ("X-Auto-Response-Suppress: AutoReply", Unsent::Suppressed),
            ("X-Spam-Flag: YES", Unsent::Spam),
            ("X-Spam-Status: Yes, score=9.1", Unsent::Spam),
            ("Content-Type: multipart/report; report-type=delivery-status; boundary=x", Unsent::Report),
        ] {
            assert_eq!(reason(header), Some(expected), "{header}");
        }
    }

    #[test]
    fn marks_that_people_leave() {
        for header in [
            "Auto-Submitted: no",
            "Precedence: first-class",
            "X-Auto-Response-Suppress: DR, RN, NRN",
            "X-Spam-Status: No, score=-1",
            "X-Spam-Flag: NO",
            "Subject: List-Id: x",
            "Content-Type: text/plain",
        ] {
            assert_eq!(reason(header), None, "{header}");
        }
    }

    #[test]
    fn addresses_of_robots() {
        let robot = |local: &str| is_robot(&Address::parse(&format!("{local}@b.example")).unwrap());
        for local in [
            "MAILER-DAEMON",
            "owner-rust",
            "rust-request",
            "rust-owner",
            "listserv",
            "majordomo",
            "noreply",
            "no-reply",
            "No.Reply",
            "do_not_reply",
            "news-noreply",
            "rust-bounces",
            "bounces+17-bob=north.example",
        ] {
            assert!(robot(local), "{local}");
        }
        for local in ["carol", "postmaster", "owner", "request", "replyto", "norbert.reply"] {
            assert!(!robot(local), "{local}");
        }
    }
}
