//! What `.gitattributes` says of files, and files as git would check them out: line endings, `$Id$`, encodings.

use std::path::{Path, PathBuf};

use gix_filter::{
    attributes::{
        Search, StateRef,
        glob::pattern::Case,
        search::{MetadataCollection, Outcome},
    },
    encoding::{Encoding, UTF_8},
    eol::{self, AttributesDigest},
    worktree,
};
use gix_hash::Kind;
use sti_plugin::{Problem, log};

use crate::{ident, trouble};

/// The most that is read of one file of attributes.
pub(crate) const LIMIT: usize = 1 << 20;

/// What is asked of each path.
const NAMES: &[&str] = &["text", "crlf", "eol", "ident", "working-tree-encoding", "filter"];

/// Encodings that the ordinary tables lack: whether the high byte comes first, how many bytes a unit has, and whether a mark is set.
const WIDE: &[(&str, Wide)] = &[
    ("utf-16", Wide { big_endian: false, bytes: 2, mark: true }),
    ("utf-16le", Wide { big_endian: false, bytes: 2, mark: false }),
    ("utf-16be", Wide { big_endian: true, bytes: 2, mark: false }),
    ("utf-16le-bom", Wide { big_endian: false, bytes: 2, mark: true }),
    ("utf-16be-bom", Wide { big_endian: true, bytes: 2, mark: true }),
    ("utf-32", Wide { big_endian: false, bytes: 4, mark: true }),
    ("utf-32le", Wide { big_endian: false, bytes: 4, mark: false }),
    ("utf-32be", Wide { big_endian: true, bytes: 4, mark: false }),
];

/// The attributes of the directories from the top down to one.
pub(crate) struct Attributes {
    search: Search,
    known: MetadataCollection,
    outcome: Outcome,
    /// How deep the directory of each list lies.
    depths: Vec<usize>,
}

/// What is to be done to a file.
#[derive(Debug, Default)]
pub(crate) struct Treatment {
    /// None where its lines stay as they are.
    endings: Option<AttributesDigest>,
    ident: bool,
    encoding: Option<String>,
    /// Whether Git LFS keeps the content elsewhere.
    pub(crate) is_lfs: bool,
}

#[derive(Clone, Copy)]
struct Wide {
    big_endian: bool,
    bytes: usize,
    mark: bool,
}

impl Attributes {
    /// Starts with what git knows by itself.
    pub(crate) fn new() -> Result<Self, Problem> {
        let mut known = MetadataCollection::default();
        let search = Search::new_globals(std::iter::empty::<PathBuf>(), &mut Vec::new(), &mut known)?;
        let mut outcome = Outcome::default();
        outcome.initialize_with_selection(&known, NAMES);
        Ok(Self { search, known, outcome, depths: Vec::new() })
    }

    /// Comes to a directory of this depth: what was said in others beside it holds no more.
    pub(crate) fn enter(&mut self, depth: usize) {
        while self.depths.last().is_some_and(|last| *last >= depth) {
            self.depths.pop();
            self.search.pop_pattern_list();
        }
    }

    /// Adds what a directory says.
    pub(crate) fn add(&mut self, directory: &str, depth: usize, content: &[u8]) -> Result<(), Problem> {
        let source = PathBuf::from(format!("{directory}.gitattributes"));
        self.search.add_patterns_buffer(content, source, Some(Path::new("")), &mut self.known, depth == 0)?;
        self.outcome.initialize_with_selection(&self.known, NAMES);
        self.depths.push(depth);
        Ok(())
    }

    /// Tells what is to be done to a file.
    pub(crate) fn of(&mut self, path: &str) -> Treatment {
        if self.depths.is_empty() {
            return Treatment::default();
        }
        self.outcome.reset();
        self.search.pattern_matching_relative_path(path.into(), Case::Sensitive, Some(false), &mut self.outcome);
        let states: Vec<StateRef> = self.outcome.iter_selected().map(|found| found.assignment.state).collect();
        let [text, crlf, eol, ident, encoding, filter] = states[..] else { return Treatment::default() };
        Treatment {
            endings: endings(text, crlf, eol),
            ident: matches!(ident, StateRef::Set),
            encoding: encoding.as_bstr().map(|name| name.to_string().to_lowercase()),
            is_lfs: filter.as_bstr().is_some_and(|name| name == "lfs"),
        }
    }
}

/// Reads the three words about line endings as git does: `text` before the older `crlf`, and `eol` makes text of what is not binary.
fn endings(text: StateRef, crlf: StateRef, eol: StateRef) -> Option<AttributesDigest> {
    let said = digest(text).or_else(|| digest(crlf));
    let value = eol.as_bstr().map(ToString::to_string);
    match (said, value.as_deref()) {
        (Some(AttributesDigest::Binary), _) => said,
        (Some(AttributesDigest::TextAuto), Some("lf")) => Some(AttributesDigest::TextAutoInput),
        (Some(AttributesDigest::TextAuto), Some("crlf")) => Some(AttributesDigest::TextAutoCrlf),
        (_, Some("lf")) => Some(AttributesDigest::TextInput),
        (_, Some("crlf")) => Some(AttributesDigest::TextCrlf),
        _ => said,
    }
}

fn digest(state: StateRef) -> Option<AttributesDigest> {
    match state {
        StateRef::Set => Some(AttributesDigest::Text),
        StateRef::Unset => Some(AttributesDigest::Binary),
        StateRef::Value(value) if value.as_bstr() == "input" => Some(AttributesDigest::TextInput),
        StateRef::Value(value) if value.as_bstr() == "auto" => Some(AttributesDigest::TextAuto),
        StateRef::Value(_) | StateRef::Unspecified => None,
    }
}

impl Treatment {
    /// Whether a file stays as it is.
    pub(crate) fn is_none(&self) -> bool {
        !self.ident && self.encoding.is_none() && !self.changes_endings()
    }

    /// Lines end in a line feed in a repository, and here too unless something else is asked for.
    fn changes_endings(&self) -> bool {
        matches!(self.endings, Some(AttributesDigest::TextCrlf | AttributesDigest::TextAutoCrlf))
    }

    /// Makes of a file what git would write.
    pub(crate) fn apply(&self, path: &str, content: &mut Vec<u8>) -> Result<(), Problem> {
        let mut changed = Vec::new();
        let told = |error: gix_error::Error| trouble::damaged(format_args!("`{path}`: {}", trouble::told(&error)));
        if self.ident {
            let id = gix_object::compute_hash(Kind::Sha1, gix_object::Kind::Blob, content).map_err(told)?;
            if let Some(changed) = ident::apply(content, || id.to_string()) {
                *content = changed;
            }
        }
        if let Some(endings) = self.endings.filter(|_| self.changes_endings())
            && eol::convert_to_worktree(content, endings, &mut changed, eol::Configuration::default()).map_err(told)?
        {
            std::mem::swap(content, &mut changed);
        }
        match &self.encoding {
            Some(encoding) => encode(path, encoding, content),
            None => Ok(()),
        }
    }
}

/// Writes text in another encoding. What cannot be written so stays as it is, as with git.
fn encode(path: &str, name: &str, content: &mut Vec<u8>) -> Result<(), Problem> {
    let Ok(text) = std::str::from_utf8(content) else { return stays(path, name, "it is not UTF-8") };
    if let Some((_, wide)) = WIDE.iter().find(|(known, _)| *known == name) {
        *content = wide.encode(text);
        return Ok(());
    }
    let table = if name == "latin-1" { "iso-8859-1" } else { name };
    let Some(encoding) = Encoding::for_label(table.as_bytes()) else { return stays(path, name, "this encoding is not known") };
    if encoding == UTF_8 {
        return Ok(());
    }
    let mut encoded = Vec::new();
    match worktree::encode_to_worktree(content, encoding, &mut encoded) {
        Ok(()) => *content = encoded,
        Err(error) => return stays(path, name, &trouble::told(&error)),
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "the end of each way through `encode`")]
fn stays(path: &str, name: &str, why: &str) -> Result<(), Problem> {
    log::warning(format!("`{path}` stays in UTF-8 and is not written in `{name}`: {why}"));
    Ok(())
}

impl Wide {
    fn encode(self, text: &str) -> Vec<u8> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let characters = self.mark.then_some('\u{feff}').into_iter().chain(text.chars());
        let mut bytes = Vec::with_capacity((text.len() + 1) * self.bytes);
        for character in characters {
            match (self.bytes, self.big_endian) {
                (4, true) => bytes.extend(u32::from(character).to_be_bytes()),
                (4, false) => bytes.extend(u32::from(character).to_le_bytes()),
                (_, true) => bytes.extend(character.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes())),
                (_, false) => bytes.extend(character.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_le_bytes())),
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attributes: &str, path: &str, content: &[u8], expected: &[u8]) {
        let mut all = Attributes::new().unwrap();
        all.add("", 0, attributes.as_bytes()).unwrap();
        let mut content = content.to_vec();
        all.of(path).apply(path, &mut content).unwrap();
        assert_eq!(content.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{attributes}");
    }

    #[test]
    fn ends_lines_as_the_attributes_say() {
        check("*.bat eol=crlf", "a/b.bat", b"a\nb\r\n", b"a\r\nb\r\n");
        check("*.bat eol=crlf", "a.txt", b"a\n", b"a\n");
        check("* text=auto eol=crlf", "a", b"a\n", b"a\r\n");
        check("* text=auto eol=crlf", "a", b"a\0\n", b"a\0\n");
        check("* text=auto eol=crlf", "a", b"a\r\nb\n", b"a\r\nb\n");
        check("* text eol=lf", "a", b"a\r\n", b"a\r\n");
        check("* eol=crlf\na -text", "a", b"a\n", b"a\n");
        check("* eol=crlf\na binary", "a", b"a\n", b"a\n");
        check("* text", "a", b"a\n", b"a\n");
    }

    #[test]
    fn writes_identifiers_where_asked() {
        check("a ident", "a", b"x $Id$ y", b"x $Id: 94de6d0b9d65f20001d96cc4a28524ee27622b5b $ y");
        check("a ident", "b", b"$Id$", b"$Id$");
    }

    #[test]
    fn writes_other_encodings() {
        check("* working-tree-encoding=UTF-16LE", "a", "\u{e9}\n".as_bytes(), b"\xe9\0\n\0");
        check("* working-tree-encoding=utf-16", "a", b"a", b"\xff\xfea\0");
        check("* working-tree-encoding=UTF-16BE-BOM", "a", "\u{1f600}".as_bytes(), b"\xfe\xff\xd8\x3d\xde\0");
        check("* working-tree-encoding=UTF-32BE", "a", b"a", b"\0\0\0a");
        check("* working-tree-encoding=latin-1", "a", "\u{e9}".as_bytes(), b"\xe9");
        check("* working-tree-encoding=nonsense", "a", b"a", b"a");
        check("* working-tree-encoding=UTF-16LE eol=crlf", "a", b"\n", b"\r\0\n\0");
    }

    #[test]
    fn forgets_what_other_directories_said() {
        let mut all = Attributes::new().unwrap();
        all.add("", 0, b"* filter=lfs").unwrap();
        all.enter(1);
        all.add("a/", 1, b"* -filter").unwrap();
        assert!(!all.of("a/x").is_lfs);
        assert!(all.of("b/x").is_lfs, "said of another directory");
        all.enter(1);
        all.add("b/", 1, b"/x -filter").unwrap();
        assert!(!all.of("b/x").is_lfs);
        assert!(all.of("b/c/x").is_lfs);
        assert_eq!(all.depths, [0, 1]);
    }
}
