//! What begins with a quote, a bracket or `#`.

use super::data::{Broken, Parser, What, atom_length};
use super::moment;
use encodify::base64;
use std::ops::Range;

const ESCAPES: &str =
    r#"the escapes are \\ \" \r \n \t \e, \ and three decimal digits, \u'hexadecimal digits'"#;

/// One text out of quoted strings that stand in a row, and where the last of them ends.
pub(super) fn strings(parser: &mut Parser<'_>) -> Result<(String, usize), Broken> {
    let (start, mut octets, mut end) = (parser.at, Vec::new(), parser.at);
    while parser.peek() == Some('"') {
        string(parser, &mut octets)?;
        end = parser.at;
        parser.blank()?;
    }
    let hint = "the octets that \\ and three digits give must be UTF-8 together";
    let text = String::from_utf8(octets);
    text.map(|text| (text, end)).map_err(|_| Broken::new(start..end, "this string is not UTF-8", hint))
}

fn string(parser: &mut Parser<'_>, octets: &mut Vec<u8>) -> Result<(), Broken> {
    let begin = parser.here();
    parser.next();
    loop {
        let rest = parser.rest();
        let length = rest.find(|c: char| c == '"' || c == '\\' || (c.is_control() && c != '\t'));
        let length = length.unwrap_or(rest.len());
        octets.extend_from_slice(rest.get(..length).unwrap_or_default().as_bytes());
        parser.at += length;
        let place = parser.here();
        match parser.next() {
            Some('"') => return Ok(()),
            Some('\\') => escape(parser, place.start, octets)?,
            None | Some('\n' | '\r') => {
                let hint = "write \\e for a line end; strings that stand in a row are one text";
                return Err(Broken::new(begin, "this string is not closed in its line", hint));
            }
            Some(_) => {
                let hint = "write it as \\ and three decimal digits";
                return Err(Broken::new(place, "a control character stands in this string", hint));
            }
        }
    }
}

/// What follows a backslash.
fn escape(parser: &mut Parser<'_>, start: usize, octets: &mut Vec<u8>) -> Result<(), Broken> {
    let plain = match parser.next() {
        Some('\\') => b'\\',
        Some('"') => b'"',
        Some('r') => b'\r',
        Some('n' | 'e') => b'\n',
        Some('t') => b'\t',
        Some('0'..='9') => return decimal(parser, start, octets),
        Some('u') => return hexadecimal(parser, start, octets),
        _ => return Err(unknown(parser, start)),
    };
    octets.push(plain);
    Ok(())
}

fn unknown(parser: &Parser<'_>, start: usize) -> Broken {
    Broken::new(start..parser.at, "this is no escape of a string", ESCAPES)
}

/// `\ddd`: an octet.
fn decimal(parser: &mut Parser<'_>, start: usize, octets: &mut Vec<u8>) -> Result<(), Broken> {
    let digits = parser.text.get(start + 1..start + 4).filter(|digits| all_digits(digits));
    let octet = digits.and_then(|digits| digits.parse::<u8>().ok()).ok_or_else(|| unknown(parser, start))?;
    octets.push(octet);
    parser.at = start + 4;
    Ok(())
}

/// `\u'hex'`: a character of Unicode.
fn hexadecimal(parser: &mut Parser<'_>, start: usize, octets: &mut Vec<u8>) -> Result<(), Broken> {
    let digits =
        parser.rest().strip_prefix('\'').and_then(|rest| rest.get(..rest.len().min(9)).or(Some(rest)));
    let digits = digits.and_then(|rest| rest.split_once('\'')).map(|(digits, _)| digits);
    let hex =
        digits.filter(|digits| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let Some(hex) = hex else { return Err(unknown(parser, start)) };
    parser.at += hex.len() + 2;
    let character = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
    let Some(character) = character else {
        return Err(Broken::new(start..parser.at, "no character has this number", ESCAPES));
    };
    octets.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// `[base64]`
pub(super) fn block(parser: &mut Parser<'_>) -> Result<What, Broken> {
    let (start, begin) = (parser.at, parser.here());
    let Some(end) = parser.rest().find(']') else {
        return Err(Broken::new(begin, "this `[` is not closed: `]` is missing", ""));
    };
    parser.at += end + 1;
    let inside = parser.text.get(start + 1..start + end).unwrap_or_default();
    let digits: Vec<u8> = inside.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
    let octets = decoded(&digits);
    let octets =
        octets.ok_or_else(|| Broken::new(start..parser.at, "this block is no base64 (RFC 4648)", ""))?;
    Ok(String::from_utf8(octets).map_or(What::Other("a block of octets that are no text"), What::Block))
}

fn decoded(digits: &[u8]) -> Option<Vec<u8>> {
    match digits {
        [] => Some(Vec::new()),
        digits => base64::STANDARD.decode(digits).ok(),
    }
}

/// `#NULL#`, `#I[…]`, `#T…`, `#7`; anything else is an atom that begins with `#`.
pub(super) fn hash(parser: &mut Parser<'_>) -> Result<What, Broken> {
    if let Some(length) = address_length(parser.rest()) {
        parser.at += length;
        return Ok(What::Other("an ip address"));
    }
    let length = atom_length(parser.rest());
    let word = parser.rest().get(..length).unwrap_or_default();
    let place = parser.at..parser.at + length;
    parser.at += length;
    let behind = word.get(1..).unwrap_or_default();
    match behind {
        "NULL#" => Ok(What::Null),
        "TPAST" => Ok(What::Other("the time #TPAST, which is no date")),
        "TFUTURE" => Ok(What::Other("the time #TFUTURE, which is no date")),
        _ if behind.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
            number(behind, place)
        }
        _ => match behind.strip_prefix('T').filter(|time| time.starts_with(|c: char| c.is_ascii_digit())) {
            Some(time) => date(time, place),
            None => Ok(What::Text(word.to_owned())),
        },
    }
}

/// The length of `#I[…]` and a port behind it, if the text begins with one.
fn address_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("#I[")?;
    let end = inside.find([']', '\n'])?;
    let behind = inside.get(end..)?.strip_prefix(']')?;
    let port =
        behind.strip_prefix(':').map_or(0, |port| 1 + port.bytes().take_while(u8::is_ascii_digit).count());
    Some("#I[".len() + end + 1 + port)
}

fn number(digits: &str, place: Range<usize>) -> Result<What, Broken> {
    if !all_digits(digits.strip_prefix('-').unwrap_or(digits)) {
        return Err(Broken::new(place, "this is no number", "a number is # and decimal digits: #7"));
    }
    Ok(digits.parse().map_or(What::Other("a number that is too large"), What::Number))
}

fn date(time: &str, place: Range<usize>) -> Result<What, Broken> {
    let date = moment::read(time).map(What::Date);
    date.ok_or_else(|| {
        Broken::new(place, "there is no such time", "a time is #T22-10-2009 or #T22-10-2009_15:24:45")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::array::data::Value;

    fn read(text: &str) -> Result<What, Broken> {
        Parser::new(text, &[]).whole().map(|Value { what, .. }| what)
    }

    #[test]
    fn escapes_of_strings() {
        for (written, meant) in [
            (r#""a \"string\" within \\""#, "a \"string\" within \\"),
            (r#""Line1\eLine2\r\nx\ty""#, "Line1\nLine2\r\nx\ty"),
            (r#""\012\065\195\164""#, "\u{c}Aä"),
            (r#""\u'41'\u'20AC'\u'01F600'""#, "A€😀"),
            (
                r#""a" "b"/**/
               "c""#,
                "abc",
            ),
            (r#""\195" "\164""#, "ä"),
            ("\"\"", ""),
            ("\"a\tb (,;= /* // #\"", "a\tb (,;= /* // #"),
            ("[aMOkbGxv]", "hällo"),
        ] {
            let text = match read(written) {
                Ok(What::Text(text) | What::Block(text)) => text,
                other => panic!("{written}: {other:?}"),
            };
            assert_eq!(text, meant, "{written}");
        }
    }

    #[test]
    fn strings_that_are_wrong() {
        for (wrong, span, text) in [
            ("\"abc", 0..1, "this string is not closed in its line"),
            ("(\"abc\n\")", 1..2, "this string is not closed in its line"),
            (r#""a\q""#, 2..4, "this is no escape of a string"),
            (r#""a\"#, 2..3, "this is no escape of a string"),
            (r#""\25""#, 1..3, "this is no escape of a string"),
            (r#""\256""#, 1..3, "this is no escape of a string"),
            (r#""\u41""#, 1..3, "this is no escape of a string"),
            (r#""\u''""#, 1..3, "this is no escape of a string"),
            (r#""\u'D800'""#, 1..9, "no character has this number"),
            (r#""\195x""#, 0..7, "this string is not UTF-8"),
            ("\"a\u{1}\"", 2..3, "a control character stands in this string"),
            ("[aGFs", 0..1, "this `[` is not closed: `]` is missing"),
            ("[a-b]", 0..5, "this block is no base64 (RFC 4648)"),
            ("#7a", 0..3, "this is no number"),
            ("#-", 0..2, "this is no number"),
            ("#T31-02-2026", 0..12, "there is no such time"),
        ] {
            let broken = read(wrong).expect_err(wrong);
            assert_eq!((broken.span, broken.text.as_str()), (span, text), "{wrong}");
        }
    }

    #[test]
    fn what_begins_with_a_hash() {
        for (written, what) in [
            ("#7", What::Number(7)),
            ("#-12", What::Number(-12)),
            ("#99999999999999999999", What::Other("a number that is too large")),
            ("#NULL#", What::Null),
            ("#TPAST", What::Other("the time #TPAST, which is no date")),
            ("#TFUTURE", What::Other("the time #TFUTURE, which is no date")),
            ("#T22-10-2009_15:24:45", What::Date("2009-10-22T15:24:45Z".into())),
            ("#T22-10-2009", What::Date("2009-10-22".into())),
            ("#I[10.0.44.55]:25", What::Other("an ip address")),
            ("#I[2001:470:1f01:2907::372]", What::Other("an ip address")),
            ("#RepliedAddresses", What::Text("#RepliedAddresses".into())),
            ("#Team", What::Text("#Team".into())),
            ("[//8=]", What::Other("a block of octets that are no text")),
            ("[]", What::Block(String::new())),
        ] {
            assert_eq!(read(written), Ok(what), "{written}");
        }
    }
}
