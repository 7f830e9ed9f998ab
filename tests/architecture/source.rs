//! Reads Rust source well enough for the laws: without comments, strings and test code, lines kept.

use std::path::Path;

/// One file of `src/`.
pub(super) struct Source {
    /// Its path below `src/`.
    pub(super) name: String,
    /// Its code; what was taken out is blank, the lines are where they were.
    code: String,
}

/// All files of `src/` but those that hold tests only.
pub(super) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    assert!(files.len() > 10, "src/ was not found");
    files
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<Source>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        let stem = entry.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
        if is_test_module(folder, stem) {
            continue;
        }
        if entry.is_dir() {
            collect(root, &entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let name = entry.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            files.push(Source::read(name, &std::fs::read_to_string(&entry).unwrap()));
        }
    }
}

/// Is `stem` declared as `#[cfg(test)] mod stem;` by its parent?
fn is_test_module(folder: &Path, stem: &str) -> bool {
    let parents = [folder.join("mod.rs"), folder.with_extension("rs")];
    parents.iter().filter_map(|parent| std::fs::read_to_string(parent).ok()).any(|text| {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        lines.windows(2).any(|pair| {
            pair[0].starts_with("#[cfg(test)]")
                && pair[1].trim_start_matches("pub(crate) ") == format!("mod {stem};")
        })
    })
}

impl Source {
    pub(super) fn read(name: String, text: &str) -> Source {
        Source { name, code: without_tests(&without_text(text)) }
    }

    /// The room that it belongs to; `lib.rs` and `main.rs` belong to none.
    pub(super) fn room(&self) -> Option<&str> {
        let first = self.name.split('/').next()?;
        let room = first.strip_suffix(".rs").unwrap_or(first);
        (!["lib", "main"].contains(&room)).then_some(room)
    }

    /// The rooms that it names by `crate::`, with the line, one for each name.
    pub(super) fn rooms_used(&self) -> Vec<(usize, String)> {
        let mut used = Vec::new();
        for (line, path) in self.paths() {
            if let Some(rest) = path.strip_prefix("crate::") {
                used.push((line, rest.split("::").next().unwrap_or("").trim().to_owned()));
            }
        }
        used
    }

    /// Does this stand in its code?
    pub(super) fn says(&self, words: &str) -> bool {
        self.code.contains(words)
    }

    /// Where `super::super::…` leads out of the room.
    pub(super) fn climbs_out(&self) -> impl Iterator<Item = usize> {
        let inside = self.name.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
        let climbs = move |path: &str| path.split("::").take_while(|part| *part == "super").count() >= inside;
        self.paths().into_iter().filter(move |(_, path)| climbs(path)).map(|(line, _)| line)
    }

    /// Where it names one of these: a path, or the end of one, or a macro.
    pub(super) fn paths_used(&self, names: &[&str]) -> Vec<(usize, String)> {
        let mut used = Vec::new();
        for (line, path) in self.paths() {
            let found = names.iter().find(|name| {
                let path = if name.ends_with("::") { format!("{path}::") } else { path.clone() };
                path.match_indices(**name).any(|(at, _)| {
                    let before = path[..at].chars().next_back();
                    let after = path[at + name.len()..].chars().next();
                    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                    !is_word(before) && (!is_word(after) || name.ends_with("::"))
                })
            });
            used.extend(found.map(|name| (line, (*name).to_owned())));
        }
        used
    }

    /// Where it names of `io::` anything but these.
    pub(super) fn io_beyond(&self, allowed: &[&str]) -> Vec<(usize, String)> {
        let beyond = |path: &str| {
            let parts: Vec<&str> = path.split("::").collect();
            let at = parts.iter().position(|part| *part == "io")?;
            let used = parts.get(at + 1).filter(|used| **used != "self" && !allowed.contains(used))?;
            Some(format!("io::{used}"))
        };
        self.paths().iter().filter_map(|(line, path)| Some((*line, beyond(path)?))).collect()
    }

    /// Does it write a value of this type down, or could it: `Name { … }` or an `impl Name`?
    pub(super) fn makes(&self, name: &str) -> bool {
        self.code.match_indices(name).any(|(at, _)| {
            let before = self.code[..at].trim_end_matches(' ');
            let after = self.code[at + name.len()..].trim_start();
            let stands_alone =
                !self.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            let is_type = ["struct", "->", "for", "enum"].iter().any(|word| before.ends_with(word));
            let is_inherent = before.ends_with("impl") && after.starts_with('{');
            stands_alone && (is_inherent || after.starts_with('{') && !is_type)
        })
    }

    /// Its length without the tests at its end.
    pub(super) fn lines_of_code(&self) -> usize {
        self.code.trim_end().lines().count()
    }

    /// Every path in the code with its line; the groups of `use` declarations are taken apart.
    fn paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut rest = self.code.as_str();
        let mut line = 1;
        while let Some(at) = rest.find(|c: char| c.is_alphabetic() || c == '_') {
            line += rest[..at].matches('\n').count();
            rest = &rest[at..];
            if let Some(tree) = rest.strip_prefix("use ") {
                let end = tree.find(';').unwrap_or(tree.len());
                found.extend(expand("", &tree[..end]).into_iter().map(|path| (line, path)));
                line += tree[..end].matches('\n').count();
                rest = &tree[end..];
                continue;
            }
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
            let is_macro = rest[end..].starts_with('!') && !rest[end..].starts_with("!=");
            found.push((line, format!("{}{}", &rest[..end], if is_macro { "!" } else { "" })));
            rest = &rest[end..];
        }
        found
    }
}

/// `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn expand(prefix: &str, tree: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in tree.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[begin..at]);
                begin = at + 1;
            }
            _ => (),
        }
    }
    parts.push(&tree[begin..]);
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts
        .flat_map(|part| match part.split_once('{') {
            Some((head, group)) => expand(
                &format!("{prefix}{}", head.trim()),
                group.trim_end().trim_end_matches('}').trim_end_matches('}'),
            ),
            None => vec![format!("{prefix}{}", part.split(" as ").next().unwrap_or(part))],
        })
        .collect()
}

/// The text with comments, strings and characters blanked.
fn without_text(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_text(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that begins here ends; `at` itself if none begins.
fn end_of_text(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let starts = |text: &str| text.chars().zip(rest).filter(|(a, b)| a == *b).count() == text.chars().count();
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    if starts("//") {
        return at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
    }
    if starts("/*") {
        return at + end_of_block_comment(rest);
    }
    if !in_word && (starts("r\"") || starts("r#") || starts("br\"") || starts("br#")) {
        let begin = rest.iter().position(|c| *c == 'r').unwrap_or(0) + 1;
        let hashes = rest[begin..].iter().take_while(|c| **c == '#').count();
        if rest.get(begin + hashes) == Some(&'"') {
            let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
            let body = begin + hashes + 1;
            let found = rest[body..].windows(close.len()).position(|window| window == close);
            return at + found.map_or(rest.len(), |found| body + found + close.len());
        }
    }
    if starts("\"") {
        return at + end_of_quoted(rest, '"');
    }
    // A character, and not a lifetime.
    if starts("'") && (rest.get(1) == Some(&'\\') || rest.get(2) == Some(&'\'')) {
        return at + end_of_quoted(rest, '\'');
    }
    at
}

fn end_of_block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn end_of_quoted(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The code with every item under `#[cfg(test)]` blanked.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(begin) = out.find("#[cfg(test)]") {
        let length = length_of_item(&out[begin..]);
        let blank: String =
            out[begin..begin + length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(begin..begin + length, &blank);
    }
    out
}

/// Up to its closing brace, or its semicolon if that comes before any brace.
fn length_of_item(item: &str) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices() {
        match c {
            ';' if depth == 0 => return at + 1,
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => (),
        }
    }
    item.len()
}
