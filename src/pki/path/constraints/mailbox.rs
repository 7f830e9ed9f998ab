//! Constraints on mail addresses: a mailbox, a host, or every host of a domain.

use super::{Match, Side, Unreadable};

/// Does that rfc822Name constraint hold for the mailbox, an rfc822Name or a SmtpUTF8Mailbox?
pub(super) fn matches(constraint: &str, mailbox: &str, side: Side) -> Match {
    let (local, host) = split(mailbox)?;
    let host = a_labels(host)?;
    if let Ok((wanted, wanted_host)) = split(constraint) {
        return Ok(wanted_host.eq_ignore_ascii_case(&host) && same_local_part(wanted, local, side));
    }
    if constraint.contains('@') {
        return Err(Unreadable);
    }
    if constraint.is_empty() {
        return Ok(true);
    }
    // RFC 9598 6: hosts of constraints are in A-labels; one that is not is read as what it says.
    let constraint = a_labels(constraint.strip_prefix('.').unwrap_or(constraint))
        .map(|host| if constraint.starts_with('.') { format!(".{host}") } else { host })?;
    let host = host.to_ascii_lowercase();
    let constraint = constraint.to_ascii_lowercase();
    Ok(if constraint.starts_with('.') { host.ends_with(&constraint) } else { host == constraint })
}

/// Local parts are told apart by their case (RFC 5321 2.4), and mail is sealed without looking at it: what is excluded
/// is excluded in every case.
fn same_local_part(wanted: &str, found: &str, side: Side) -> bool {
    match side {
        Side::Permitted => wanted == found,
        Side::Excluded => wanted.eq_ignore_ascii_case(found),
    }
}

/// Local part and host. A second `@` may stand in quotes only.
fn split(mailbox: &str) -> Result<(&str, &str), Unreadable> {
    let (local, host) = mailbox.rsplit_once('@').ok_or(Unreadable)?;
    let quoted = local.len() >= 2 && local.starts_with('"') && local.ends_with('"');
    if local.is_empty() || host.is_empty() || (local.contains('@') && !quoted) {
        return Err(Unreadable);
    }
    Ok((local, host))
}

fn a_labels(host: &str) -> Result<String, Unreadable> {
    if host.is_ascii() {
        return Ok(host.to_owned());
    }
    idna::domain_to_ascii(host).map_err(|_| Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(constraint: &str, mailbox: &str) -> Match {
        matches(constraint, mailbox, Side::Permitted)
    }

    #[test]
    fn a_constraint_is_a_mailbox_a_host_or_the_hosts_of_a_domain() {
        assert_eq!(permits("bob@north.example", "bob@North.Example"), Ok(true));
        assert_eq!(permits("bob@north.example", "eve@north.example"), Ok(false));
        assert_eq!(permits("north.example", "eve@NORTH.example"), Ok(true));
        assert_eq!(permits("north.example", "eve@mx.north.example"), Ok(false));
        assert_eq!(permits(".north.example", "eve@mx.north.example"), Ok(true));
        assert_eq!(permits(".north.example", "eve@north.example"), Ok(false));
        assert_eq!(permits("orth.example", "eve@north.example"), Ok(false));
        assert_eq!(permits("", "eve@north.example"), Ok(true));
    }

    #[test]
    fn the_case_of_a_local_part_never_helps() {
        assert_eq!(permits("bob@north.example", "BOB@north.example"), Ok(false));
        assert_eq!(matches("bob@north.example", "BOB@north.example", Side::Excluded), Ok(true));
    }

    #[test]
    fn what_is_no_mailbox_is_not_understood() {
        for broken in ["north.example", "a@b@north.example", "@north.example", "bob@", ""] {
            assert_eq!(permits("north.example", broken), Err(Unreadable), "{broken}");
        }
        assert_eq!(permits("north.example", "\"a@b\"@north.example"), Ok(true));
        assert_eq!(permits("a@b@north.example", "bob@north.example"), Err(Unreadable));
    }

    #[test]
    fn hosts_are_compared_in_a_labels() {
        assert_eq!(permits("xn--zrich-kva.example", "jürgen@zürich.example"), Ok(true));
        assert_eq!(permits(".xn--zrich-kva.example", "jürgen@mx.ZÜRICH.example"), Ok(true));
        assert_eq!(permits("xn--zrich-kva.example", "jürgen@zurich.example"), Ok(false));
    }
}
