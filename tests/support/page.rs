//! Commands of a page for people, which a test runs as they stand there.

/// A command of a page.
pub(crate) struct Step {
    /// The date of its section.
    pub(crate) date: String,
    pub(crate) line: String,
    /// What stands behind it, from the `#` on.
    pub(crate) comment: String,
    /// What its comment says that it ends with.
    pub(crate) code: i32,
}

/// Every command in the `sh` blocks of a page. `<!-- 2027-03-01 -->` sets the clock; `# exits with 1` is an expectation.
pub(crate) fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut date, mut inside) = (String::new(), false);
    for line in page.lines() {
        if let Some(comment) = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
            date = comment.to_owned();
        } else if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            let (command, comment) = line.split_once(" #").unwrap_or((line, ""));
            let code = if comment.contains("exits with 1") { 1 } else { 0 };
            let (date, comment) = (date.clone(), comment.trim().to_owned());
            steps.push(Step { date, line: command.trim().to_owned(), comment, code });
        }
    }
    steps
}
