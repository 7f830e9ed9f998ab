//! Names of an account's datasets.

/// Octets. Ours.
const LONGEST: usize = 100;

/// What is wrong with a dataset's name, if anything is: `#Name` in a list of pictures must be able to say it.
pub fn dataset_name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.trim() != name {
        return Some("it is empty, or a blank stands around it");
    }
    if name.starts_with('#') {
        return Some("the # belongs to lists of pictures; a name has none");
    }
    if name.contains(|char: char| char.is_control() || matches!(char, ',' | '*' | '\\' | '"')) {
        return Some("it has a control character, a comma, a star, a quote or a backslash");
    }
    (name.len() > LONGEST).then_some("it is longer than 100 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_a_list_of_pictures_can_say() {
        for name in ["Friends", "Köln 2", "a/b", "x"] {
            assert_eq!(dataset_name_fault(name), None, "{name}");
        }
        let long = "x".repeat(101);
        for name in ["", " a", "#a", "a,b", "a*", "a\\b", "a\"", "a\n", long.as_str()] {
            assert!(dataset_name_fault(name).is_some(), "{name}");
        }
    }
}
