//! Patterns of image names, such as `registry.corp/builders/*`.
//!
//! They are matched against the name in full (`docker.io/library/python`, never `python`). `*` and `?` stop at a slash, `**` does not.
//! A pattern without a tag means every tag.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};
use sti_core::Reference;

/// A pattern of image names.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    written: String,
    matcher: GlobMatcher,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with it.
    pub(crate) fn parse(written: &str) -> Result<Self, String> {
        let registry = written.split_once('/').map(|(registry, _)| registry);
        if !registry.is_some_and(is_host) {
            return Err(format!("`{written}` names no registry, and images are matched by their full name"));
        }
        let glob = GlobBuilder::new(written).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
        Ok(Self { written: written.to_owned(), matcher: glob.compile_matcher() })
    }

    /// Tells whether it means this image: by name, by name and tag, or by name and digest.
    pub(crate) fn matches(&self, image: &Reference) -> bool {
        let by_digest = image.digest().map(|digest| format!("{}@{digest}", image.name()));
        let names = [Some(image.name()), Some(image.canonical()), by_digest];
        names.iter().flatten().any(|name| self.matcher.is_match(name))
    }

    /// As it stands in the file.
    pub(crate) fn written(&self) -> &str {
        &self.written
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

/// A registry has a dot or a port, is `localhost`, or is itself left open.
fn is_host(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':', '*', '?', '{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_matches(pattern: &str, images: &[&str], others: &[&str]) {
        let pattern = Pattern::parse(pattern).unwrap();
        let matches = |image: &&str| pattern.matches(&Reference::parse(image).unwrap());
        assert_eq!(images.iter().filter(|image| !matches(image)).collect::<Vec<_>>(), Vec::<&&str>::new(), "{pattern} misses");
        assert_eq!(others.iter().filter(|image| matches(image)).collect::<Vec<_>>(), Vec::<&&str>::new(), "{pattern} takes");
    }

    #[test]
    fn matches_names_in_full() {
        check_matches(
            "registry.corp/builders/*",
            &["registry.corp/builders/a", "registry.corp/builders/a:2"],
            &["registry.corp/builders/a/b", "registry.corp/other/a", "builders/a", "evil.registry.corp/builders/a"],
        );
        check_matches("registry.corp/**", &["registry.corp/a", "registry.corp/a/b/c:1"], &["registry.corp:5000/a"]);
        check_matches("docker.io/library/python", &["python", "python:3", "docker.io/python:3"], &["team/python", "python2"]);
        check_matches("docker.io/library/python:3.*", &["python:3.12"], &["python", "python:31"]);
    }

    #[test]
    fn matches_digests() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        check_matches(
            &format!("docker.io/library/a@{digest}"),
            &[&format!("a@{digest}"), &format!("a:1@{digest}")],
            &["a", "a:1"],
        );
    }

    #[test]
    fn refuses_names_that_are_not_full() {
        assert!(Pattern::parse("python").unwrap_err().contains("full name"));
        assert!(Pattern::parse("team/python").unwrap_err().contains("full name"));
        assert!(Pattern::parse("registry.corp/{a").is_err());
    }
}
