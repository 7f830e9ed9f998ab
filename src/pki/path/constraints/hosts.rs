//! Constraints on hosts: their names, their addresses, and the hosts of URIs.

use super::{Match, Side, Unreadable};

/// A dNSName constraint holds for its own name and every name below it.
pub(super) fn dns(constraint: &str, name: &str, side: Side) -> Match {
    let constraint = constraint.to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let (wildcard, host) = match name.strip_prefix("*.") {
        Some(host) => (true, host),
        None => (false, name.as_str()),
    };
    if !is_host(host) || !(constraint.is_empty() || is_host(&constraint)) {
        return Err(Unreadable);
    }
    let within = is_within(host, &constraint);
    // Some name that the wildcard stands for may lie inside of what is excluded.
    let above = wildcard
        && side == Side::Excluded
        && constraint.split_once('.').is_some_and(|(_, rest)| is_within(rest, host));
    Ok(within || above)
}

fn is_within(host: &str, domain: &str) -> bool {
    domain.is_empty()
        || host.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

/// Labels of letters, digits, hyphens and underscores.
fn is_host(host: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty() && label.len() <= 63 && label.bytes().all(letter) && !label.starts_with('-')
        })
}

/// An iPAddress constraint is a network: address and mask.
pub(super) fn ip(constraint: &[u8], address: &[u8]) -> Match {
    if !matches!(constraint.len(), 8 | 32) || !matches!(address.len(), 4 | 16) {
        return Err(Unreadable);
    }
    let (network, mask) = constraint.split_at(constraint.len() / 2);
    if !is_contiguous(mask) {
        return Err(Unreadable);
    }
    let mut octets = network.iter().zip(mask).zip(address);
    Ok(address.len() == network.len() && octets.all(|((wanted, mask), octet)| wanted & mask == octet & mask))
}

/// Ones, and then zeros.
fn is_contiguous(mask: &[u8]) -> bool {
    let ones: u32 = mask.iter().map(|octet| octet.count_ones()).sum();
    let mut leading = 0;
    for octet in mask {
        leading += octet.leading_ones();
        if *octet != 0xff {
            break;
        }
    }
    ones == leading
}

/// A URI constraint is a host, or a dot and the domain of the hosts.
pub(super) fn uri(constraint: &str, uri: &str) -> Match {
    let host = host_of(uri).ok_or(Unreadable)?.to_ascii_lowercase();
    let constraint = constraint.to_ascii_lowercase();
    let domain = constraint.strip_prefix('.');
    if !is_host(domain.unwrap_or(&constraint)) {
        return Err(Unreadable);
    }
    Ok(match domain {
        Some(_) => host.ends_with(&constraint),
        None => host == constraint,
    })
}

/// RFC 3986 3.2: the host of the authority. An IP address is none that a constraint could speak of.
fn host_of(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let is_number = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_host(host) && !is_number).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dns_name_lies_within_its_domain() {
        let permits = |constraint, name| dns(constraint, name, Side::Permitted);
        assert_eq!(permits("north.example", "NORTH.example"), Ok(true));
        assert_eq!(permits("north.example", "a.b.north.example"), Ok(true));
        assert_eq!(permits("north.example", "not-north.example"), Ok(false));
        assert_eq!(permits("", "north.example"), Ok(true));
        for broken in ["*.example", ".north.example", "a..example"] {
            assert_eq!(permits(broken, "north.example"), Err(Unreadable), "{broken}");
        }
        assert_eq!(permits("north.example", "nörth.example"), Err(Unreadable));
    }

    #[test]
    fn a_wildcard_does_not_reach_around_what_is_excluded() {
        let excluded = |constraint, name| dns(constraint, name, Side::Excluded);
        assert_eq!(excluded("bar.north.example", "*.north.example"), Ok(true));
        assert_eq!(excluded("a.bar.north.example", "*.north.example"), Ok(true));
        assert_eq!(excluded("north.example", "*.north.example"), Ok(true));
        assert_eq!(excluded("south.example", "*.north.example"), Ok(false));
        assert_eq!(dns("bar.north.example", "*.north.example", Side::Permitted), Ok(false));
    }

    #[test]
    fn a_network_holds_its_addresses() {
        let network = [192, 168, 1, 0, 255, 255, 255, 0];
        assert_eq!(ip(&network, &[192, 168, 1, 7]), Ok(true));
        assert_eq!(ip(&network, &[192, 168, 2, 7]), Ok(false));
        assert_eq!(ip(&network, &[0; 16]), Ok(false));
        assert_eq!(ip(&[0; 8], &[1, 2, 3, 4]), Ok(true));
        assert_eq!(ip(&network, &[192, 168, 1]), Err(Unreadable));
        assert_eq!(ip(&[192, 168, 1, 0, 255, 0, 255, 0], &[192, 168, 1, 7]), Err(Unreadable));
        assert_eq!(ip(&[192, 168, 1, 0, 255, 255, 254, 1], &[192, 168, 1, 7]), Err(Unreadable));
    }

    #[test]
    fn a_uri_is_constrained_by_its_host() {
        assert_eq!(uri("host.example", "https://u@HOST.example:8443/x"), Ok(true));
        assert_eq!(uri("example", "https://host.example/"), Ok(false));
        assert_eq!(uri(".example", "https://host.example/"), Ok(true));
        for hostless in ["urn:x", "https:///x", "https://192.168.1.1/", "https://[::1]/"] {
            assert_eq!(uri(".example", hostless), Err(Unreadable), "{hostless}");
        }
    }
}
