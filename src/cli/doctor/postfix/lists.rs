//! Lists of Postfix's settings: maps, and names of domains.

use super::ask::look_up;
use std::collections::BTreeSet;

/// Files within files.
const DEEPEST: usize = 8;

/// The words of a list. What stands in braces belongs together (`inline:{a = b, c = d}`).
pub(super) fn words(list: &str) -> Vec<String> {
    let (mut words, mut depth) = (vec![String::new()], 0_usize);
    for char in list.chars() {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => (),
        }
        let is_between = depth == 0 && (char == ',' || char.is_ascii_whitespace());
        match words.last_mut() {
            Some(word) if !is_between => word.push(char),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A word of a list of domains, and whether who matches it is in or out.
type Pattern = (String, bool);

/// Which of the names are in a list of domains: names, maps and files of such words, and `!` in front of who is not. The first
/// that matches decides.
pub(super) fn held(list: &str, names: &[String]) -> Result<BTreeSet<String>, String> {
    let (mut open, mut held) = (names.to_vec(), BTreeSet::new());
    for (pattern, is_in) in patterns(list, true, DEEPEST)? {
        let matched = matched(&pattern, &open)?;
        open.retain(|name| !matched.contains(name));
        if is_in {
            held.extend(matched);
        }
    }
    Ok(held)
}

fn patterns(list: &str, is_in: bool, depth: usize) -> Result<Vec<Pattern>, String> {
    let mut found = Vec::new();
    for word in words(list) {
        let pattern = word.trim_start_matches('!');
        let is_in = is_in == (word.len() - pattern.len()).is_multiple_of(2);
        match (pattern.starts_with('/'), depth.checked_sub(1)) {
            (false, _) => found.push((pattern.to_owned(), is_in)),
            (true, None) => return Err(format!("{pattern} stands in too many files within files")),
            (true, Some(depth)) => found.extend(patterns(&lines(pattern)?, is_in, depth)?),
        }
    }
    Ok(found)
}

fn lines(file: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    Ok(lines.join("\n"))
}

fn matched(pattern: &str, names: &[String]) -> Result<Vec<String>, String> {
    if pattern.contains(':') && !pattern.starts_with('[') {
        return Ok(look_up(&[pattern.to_owned()], names)?.into_keys().collect());
    }
    Ok(names.iter().filter(|name| name.eq_ignore_ascii_case(pattern)).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_braces_is_one_word() {
        assert_eq!(words(" hash:/a,hash:/b\n\t c "), ["hash:/a", "hash:/b", "c"]);
        let inline = "inline:{ {a@x = b, c@y}, d = e }";
        assert_eq!(
            words(&format!("{inline} unionmap:{{hash:/a,hash:/b}}")),
            [inline, "unionmap:{hash:/a,hash:/b}"]
        );
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn the_first_word_that_matches_decides() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("domains");
        std::fs::write(&file, "# north.example\neast.example\n !west.example\n").unwrap();
        let names = ["north.example", "east.example", "west.example"].map(str::to_owned);
        let held = |list: &str| held(list, &names).unwrap().into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(held("North.example, other.example"), "north.example");
        assert_eq!(held("!north.example north.example"), "");
        assert_eq!(held(&format!("{}, west.example", file.display())), "east.example");
        assert_eq!(held(&format!("!{}, east.example", file.display())), "west.example");
        std::fs::write(&file, file.display().to_string()).unwrap();
        assert!(super::held(&file.display().to_string(), &names).unwrap_err().contains("files within files"));
        assert!(super::held("/no/such", &names).unwrap_err().starts_with("/no/such: "));
    }
}
