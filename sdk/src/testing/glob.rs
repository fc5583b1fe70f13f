//! Globs as `tree.find` knows them: `**`, `*`, `?` and `{a,b}`.

/// Writes out the braces: `*.{a,b}` becomes `*.a` and `*.b`.
pub(crate) fn alternatives(glob: &str) -> Vec<String> {
    let Some((before, rest)) = glob.split_once('{') else { return vec![glob.to_owned()] };
    let Some((choices, after)) = rest.split_once('}') else { return vec![glob.to_owned()] };
    choices.split(',').flat_map(|choice| alternatives(&format!("{before}{choice}{after}"))).collect()
}

/// Tells whether a path matches a glob without braces.
pub(crate) fn matches(glob: &str, path: &str) -> bool {
    let (glob, path): (Vec<&str>, Vec<&str>) = (glob.split('/').collect(), path.split('/').collect());
    parts_match(&glob, &path)
}

fn parts_match(glob: &[&str], path: &[&str]) -> bool {
    match (glob, path) {
        ([], []) => true,
        (["**"], _) => !path.is_empty(),
        (["**", rest @ ..], _) => (0..=path.len()).any(|skipped| parts_match(rest, &path[skipped..])),
        ([pattern, glob @ ..], [part, path @ ..]) => part_matches(pattern.as_bytes(), part.as_bytes()) && parts_match(glob, path),
        _ => false,
    }
}

fn part_matches(pattern: &[u8], part: &[u8]) -> bool {
    match (pattern, part) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=part.len()).any(|skipped| part_matches(rest, &part[skipped..])),
        ([b'?', pattern @ ..], [_, part @ ..]) => part_matches(pattern, part),
        ([wanted, pattern @ ..], [found, part @ ..]) => wanted == found && part_matches(pattern, part),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{alternatives, matches};

    fn check_matches(glob: &str, path: &str, expected: bool) {
        let found = alternatives(glob).iter().any(|pattern| matches(pattern, path));
        assert_eq!(found, expected, "{glob} against {path}");
    }

    #[test]
    fn matches_like_the_globs_of_a_host() {
        check_matches("**", "a/b", true);
        check_matches("*", "a/b", false);
        check_matches("**/*.py", "main.py", true);
        check_matches("**/*.py", "a/b/main.py", true);
        check_matches("*.{py,rs}", "main.rs", true);
        check_matches("*.{py,rs}", "main.go", false);
        check_matches("a?c/*", "abc/d", true);
        check_matches("a/**/d", "a/d", true);
        check_matches("a/**/d", "a/b/c/d", true);
        check_matches("a", "ab", false);
    }
}
