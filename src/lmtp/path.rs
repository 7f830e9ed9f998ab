//! Paths: `<address>`, with or without a route in front (RFC 5321 4.1.2).

/// Reads a path at the start of a text: what stands between its brackets without a route, and the text behind it.
pub(super) fn read(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ').strip_prefix('<')?;
    let end = end(text)?;
    let (path, rest) = text.split_at_checked(end)?;
    let rest = rest.strip_prefix('>')?;
    let fits = rest.is_empty() || rest.starts_with(' ');
    fits.then(|| (without_route(path), rest))
}

/// Where the bracket closes: not inside quotes. Controls are nowhere, and spaces and brackets only inside quotes.
fn end(text: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if char.is_control() => return None,
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '>' => return Some(at),
            '<' | ' ' => return None,
            _ => {}
        }
    }
    None
}

/// `@one,@two:user@three` goes by a route that nobody takes any more (RFC 5321 appendix C).
fn without_route(path: &str) -> &str {
    if !path.starts_with('@') {
        return path;
    }
    let mut is_literal = false;
    let colon = path.char_indices().find(|(_, char)| {
        is_literal = (is_literal || *char == '[') && *char != ']';
        *char == ':' && !is_literal
    });
    colon.and_then(|(at, _)| path.get(at + 1..)).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::read;
    use proptest::prelude::*;

    #[test]
    fn a_path_has_brackets_and_its_route_goes() {
        assert_eq!(read("<a@b> SIZE=1"), Some(("a@b", " SIZE=1")));
        assert_eq!(read("  <>"), Some(("", "")));
        assert_eq!(read("<\"a>\\\"<\"@b>"), Some(("\"a>\\\"<\"@b", "")));
        assert_eq!(read("<@a,@[IPv6:::1]:b:c@d>"), Some(("b:c@d", "")));
        assert_eq!(read("<@a>"), Some(("@a", "")));
        assert_eq!(read("<@[a:b@c>"), Some(("@[a:b@c", "")));
        for none in
            ["", "a@b", "<a@b", "<a@b>x", "<a b>", "<a<b>", "<\"a>", "<a\u{7f}b>", "<\"\\\">", "<\"\\\n\">"]
        {
            assert_eq!(read(none), None, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_stands_there_and_holds_no_control(text in "[ -~\\PC\r\n<>\"\\\\@:,]{0,30}") {
            if let Some((path, rest)) = read(&format!("<{text}>")) {
                let inside = format!("<{text}>");
                let behind = format!("{path}>{rest}");
                prop_assert!(inside.ends_with(&behind));
                prop_assert!(!path.contains(char::is_control));
            }
        }
    }
}
