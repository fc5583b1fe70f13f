//! The identifier of one build, by which everything that it makes in an engine is labelled and found again.

use std::fmt;

use serde::Serialize;

/// The label that bears the [`BuildId`] on every container, volume and image that a build makes.
pub const LABEL: &str = "sti.build";

/// Sixteen hexadecimal digits, drawn anew for each build.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct BuildId(String);

impl BuildId {
    /// Draws a new identifier.
    ///
    /// # Panics
    /// Where the operating system gives no random bytes.
    pub fn draw() -> Self {
        let bits = getrandom::u64().expect("the operating system gives random bytes");
        Self(format!("{bits:016x}"))
    }

    /// Reads an identifier back, such as from a label or the name of a lock file; `None` where it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 16 && text.bytes().all(is_hexadecimal)).then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_drew() {
        let build_id = BuildId::draw();
        assert_eq!(BuildId::parse(build_id.as_str()), Some(build_id));
    }

    #[test]
    fn refuses_what_is_no_identifier() {
        for text in ["", "0123", "0123456789abcdeF", "../../etc/passwd", "0123456789abcdef0"] {
            assert_eq!(BuildId::parse(text), None, "{text}");
        }
    }
}
