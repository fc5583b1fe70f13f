//! Names of images, as the distribution specification and Docker's own rules spell them.
//!
//! Grammar: <https://github.com/distribution/reference> ("reference.go"), normalised as `docker` does: a name without a registry is
//! one of `docker.io`, one without a path there is in `library/`, and one without tag and digest means `latest`.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

const DEFAULT_REGISTRY: &str = "docker.io";
const MOST_BYTES_OF_A_NAME: usize = 255;
const MOST_BYTES_OF_A_TAG: usize = 128;

/// The name of an image, normalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
    written: String,
}

/// Why a text is no name of an image.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{written}` is no name of an image: {why}")]
pub struct Malformed {
    /// As it was given.
    pub written: String,
    why: String,
    /// A name that would be valid and is near.
    pub nearest: Option<String>,
}

impl Reference {
    /// Reads a name such as `app:1`, `registry.example.com:5000/team/app` or `app@sha256:…`.
    pub fn parse(written: &str) -> Result<Self, Malformed> {
        read(written).map_err(|why| Malformed { written: written.to_owned(), why, nearest: nearest(written) })
    }

    /// The registry's host, with its port where one was given.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path within the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; `latest` where neither tag nor digest was given.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, such as `sha256:…`.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// As the user wrote it.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Registry and path without tag and digest, in full: what patterns of a policy are matched against, together with the tag.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The whole name in full, such as `docker.io/library/app:latest`.
    pub fn canonical(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}")).unwrap_or_default();
        let digest = self.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
        format!("{}{tag}{digest}", self.name())
    }

    /// The name of another product of the same build: the tag with `-NAME` behind it, as users wrote it
    /// (`app` becomes `app-build`, `app:1` becomes `app:1-build`).
    pub fn sibling(&self, name: &str) -> Result<Self, Malformed> {
        Self::parse(&format!("{}-{name}", self.written))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl TryFrom<String> for Reference {
    type Error = Malformed;

    fn try_from(written: String) -> Result<Self, Malformed> {
        Self::parse(&written)
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.written
    }
}

fn read(written: &str) -> Result<Reference, String> {
    let (rest, digest) = match written.split_once('@') {
        Some((rest, digest)) => (rest, Some(check_digest(digest)?)),
        None => (written, None),
    };
    let last_part = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[last_part..].split_once(':') {
        Some((part, tag)) => (&rest[..last_part + part.len()], Some(check_tag(tag)?)),
        None => (rest, None),
    };
    let (registry, path) = split_registry(name);
    check_registry(&registry)?;
    let repository = if registry == DEFAULT_REGISTRY && !path.contains('/') { format!("library/{path}") } else { path };
    if registry.len() + 1 + repository.len() > MOST_BYTES_OF_A_NAME {
        return Err(format!("it is longer than {MOST_BYTES_OF_A_NAME} bytes"));
    }
    let written_path = repository.strip_prefix("library/").unwrap_or(&repository);
    written_path.split('/').try_for_each(check_path_part)?;
    let tag = tag.or_else(|| digest.is_none().then(|| "latest".to_owned()));
    Ok(Reference { registry, repository, tag, digest, written: written.to_owned() })
}

/// The first part is a registry where it looks like a host: with a dot, a port, upper-case letters, or `localhost`.
fn split_registry(name: &str) -> (String, String) {
    match name.split_once('/') {
        Some((host, path)) if is_host(host) => {
            let registry = if host == "index.docker.io" { DEFAULT_REGISTRY } else { host };
            (registry.to_owned(), path.to_owned())
        }
        _ => (DEFAULT_REGISTRY.to_owned(), name.to_owned()),
    }
}

fn is_host(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

fn check_registry(registry: &str) -> Result<(), String> {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !registry.ends_with(']') => (host, Some(port)),
        _ => (registry, None),
    };
    if port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_err()) {
        return Err(format!("the registry `{registry}` has no valid port"));
    }
    let is_ipv6 = host.starts_with('[')
        && host.ends_with(']')
        && host[1..host.len() - 1].chars().all(|character| character.is_ascii_hexdigit() || character == ':');
    let is_name = host.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|character| character.is_ascii_alphanumeric() || character == '-')
    });
    if is_ipv6 || is_name { Ok(()) } else { Err(format!("`{registry}` is no host of a registry")) }
}

fn check_path_part(part: &str) -> Result<(), String> {
    let Some(first) = part.chars().next() else {
        return Err("a part of its path is empty".to_owned());
    };
    if let Some(odd) = part.chars().find(|character| !is_path_character(*character)) {
        return Err(format!("{} does not belong into its path (allowed are a-z, 0-9, `.`, `_`, `-`, `/`)", shown(odd)));
    }
    let is_letter = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let ends_well = is_letter(first) && part.ends_with(is_letter);
    let separated_well = part
        .split(is_letter)
        .all(|separator| matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-'));
    if ends_well && separated_well {
        Ok(())
    } else {
        Err(format!("`{part}` must begin and end with a letter or digit, and separate by `.`, `_`, `__` or dashes"))
    }
}

fn is_path_character(character: char) -> bool {
    character.is_ascii_lowercase() || character.is_ascii_digit() || matches!(character, '.' | '_' | '-')
}

fn check_tag(tag: &str) -> Result<String, String> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if tag.is_empty() {
        return Err("nothing stands behind the colon".to_owned());
    }
    if tag.len() > MOST_BYTES_OF_A_TAG {
        return Err(format!("its tag is longer than {MOST_BYTES_OF_A_TAG} characters"));
    }
    if let Some(odd) = tag.chars().find(|character| !is_word(*character) && !matches!(character, '.' | '-')) {
        return Err(format!("{} does not belong into a tag (allowed are letters, digits, `_`, `.`, `-`)", shown(odd)));
    }
    if !tag.starts_with(is_word) {
        return Err("a tag begins with a letter, a digit or `_`".to_owned());
    }
    Ok(tag.to_owned())
}

fn check_digest(digest: &str) -> Result<String, String> {
    let is_sha256 = digest.strip_prefix("sha256:").is_some_and(|digits| {
        digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    if is_sha256 { Ok(digest.to_owned()) } else { Err("behind `@` stands `sha256:` and 64 hexadecimal digits".to_owned()) }
}

fn shown(character: char) -> String {
    if character.is_control() {
        format!("a control character (U+{:04X})", u32::from(character))
    } else {
        format!("`{character}`")
    }
}

/// A valid name near a malformed one: lower-case letters, dashes for what does not belong there.
fn nearest(written: &str) -> Option<String> {
    let mended: String = written
        .trim()
        .to_lowercase()
        .chars()
        .map(|character| if is_path_character(character) || matches!(character, '/' | ':') { character } else { '-' })
        .collect();
    let mended = mended.trim_matches(['/', ':', '-', '.', '_']);
    (mended != written && read(mended).is_ok()).then(|| mended.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Reference;

    fn check_reads(written: &str, canonical: &str) {
        let reference = Reference::parse(written).unwrap_or_else(|malformed| panic!("{malformed}"));
        assert_eq!(reference.canonical(), canonical, "{written}");
        assert_eq!(reference.written(), written);
    }

    fn check_refuses(written: &str, why: &str, nearest: Option<&str>) {
        let malformed = Reference::parse(written).expect_err(written);
        assert!(malformed.to_string().contains(why), "{malformed} says nothing of {why}");
        assert_eq!(malformed.nearest.as_deref(), nearest, "{written}");
    }

    #[test]
    fn fills_in_what_docker_fills_in() {
        check_reads("app", "docker.io/library/app:latest");
        check_reads("app:1", "docker.io/library/app:1");
        check_reads("team/app", "docker.io/team/app:latest");
        check_reads("docker.io/app", "docker.io/library/app:latest");
        check_reads("index.docker.io/team/app", "docker.io/team/app:latest");
        check_reads("localhost/app:2", "localhost/app:2");
        check_reads("localhost:5000/a/b/c:2", "localhost:5000/a/b/c:2");
        check_reads("[::1]:5000/app", "[::1]:5000/app:latest");
        check_reads("registry.example.com/app__x--y.z", "registry.example.com/app__x--y.z:latest");
    }

    #[test]
    fn keeps_a_digest_and_needs_no_tag_with_it() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        check_reads(&format!("app@{digest}"), &format!("docker.io/library/app@{digest}"));
        check_reads(&format!("app:1@{digest}"), &format!("docker.io/library/app:1@{digest}"));
    }

    #[test]
    fn refuses_what_docker_refuses_and_offers_what_is_near() {
        check_refuses("", "empty", None);
        check_refuses("App:1", "`A`", Some("app:1"));
        check_refuses("my app", "` `", Some("my-app"));
        check_refuses("app:", "nothing stands behind", Some("app"));
        check_refuses("app:a b", "` `", Some("app:a-b"));
        check_refuses("app:.x", "begins with", None);
        check_refuses("-app", "begin and end", Some("app"));
        check_refuses("app/", "empty", Some("app"));
        check_refuses("a//b", "empty", None);
        check_refuses("a.._b", "separate", None);
        check_refuses("app@sha256:12", "64 hexadecimal", Some("app-sha256:12"));
        check_refuses("localhost:port/app", "port", None);
        check_refuses("app\n", "U+000A", Some("app"));
        check_refuses(&"a".repeat(300), "longer than 255", None);
        check_refuses(&format!("app:{}", "a".repeat(129)), "longer than 128", None);
    }

    #[test]
    fn names_siblings_as_written() {
        let sibling =
            |written| Reference::parse(written).and_then(|tag| tag.sibling("build")).map(|tag| tag.written().to_owned());
        assert_eq!(sibling("app").as_deref(), Ok("app-build"));
        assert_eq!(sibling("app:1").as_deref(), Ok("app:1-build"));
    }
}
