//! Judges the names of entries, before a host does: what leads out of the tree is an error that names the entry.
//!
//! Nothing is repaired: a name with `..` is refused and not cut, because who wrote it meant no good or made a mistake.

use sti_plugin::Problem;

/// The longest path that Linux takes, and so the longest name and target.
pub(crate) const LONGEST: usize = 4096;

/// Which habits of an archive's names count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habits {
    /// `\` is a letter like another.
    Tar,
    /// `\` divides a path, which the format forbids.
    Zip,
}

/// The path of an entry: relative, UTF-8, its parts divided by one `/`, none of them `.` or `..`. Empty for the top itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl Name {
    /// Judges the bytes that an archive has for a name. Parts that are empty or `.` say nothing and are left out.
    pub(crate) fn judge(bytes: &[u8], habits: Habits) -> Result<Self, Problem> {
        if bytes.len() >= LONGEST {
            let message = format!("the name `{}` has {} bytes, more than a path may have", shown(bytes), bytes.len());
            return Err(Problem::invalid("name-too-long", message));
        }
        let name = text(bytes, bytes)?;
        if let Some((_, why)) = DANGERS.iter().find(|(is_so, _)| is_so(name, habits)) {
            return Err(unsafe_path(bytes, why));
        }
        Ok(Self(name.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")))
    }

    /// Whether it is the top of the archive, such as `./`.
    pub(crate) fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The first part.
    pub(crate) fn top(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// How many parts there are.
    pub(crate) fn depth(&self) -> usize {
        if self.is_top() { 0 } else { self.0.split('/').count() }
    }

    /// What is left without the first parts, or none where nothing is.
    pub(crate) fn below(&self, levels: usize) -> Option<&str> {
        let mut rest = self.0.as_str();
        for _ in 0..levels {
            rest = rest.split_once('/')?.1;
        }
        (!rest.is_empty()).then_some(rest)
    }
}

type Danger = fn(&str, Habits) -> bool;

/// What no name may be. The first that holds is told.
const DANGERS: &[(Danger, &str)] = &[
    (|name, _| name.is_empty(), "it is empty"),
    (|name, _| name.contains('\0'), "it has a NUL byte"),
    (|name, _| name.starts_with('/'), "it is absolute"),
    (|name, _| has_drive(name), "it begins with a drive letter"),
    (|name, habits| habits == Habits::Zip && name.contains('\\'), "it is divided by backslashes"),
    (|name, _| name.split('/').any(|part| part == ".."), "it has a part `..`"),
];

/// Whether a name begins as `C:` or `C:\…` does.
fn has_drive(name: &str) -> bool {
    let [letter, b':', rest @ ..] = name.as_bytes() else { return false };
    letter.is_ascii_alphabetic() && matches!(rest.first(), None | Some(b'/' | b'\\'))
}

/// Makes the problem of an entry whose name leads elsewhere.
pub(crate) fn unsafe_path(name: &[u8], why: &str) -> Problem {
    Problem::invalid("unsafe-path", format!("the name `{}` is not safe: {why}", shown(name)))
        .hint("do not unpack this archive elsewhere either; ask whoever made it for one with relative names")
}

/// Judges where a symbolic link points, which is data and may be anything that a link can hold.
pub(crate) fn link_target(target: &[u8], name: &Name) -> Result<String, Problem> {
    let wrong = match target {
        [] => "leads nowhere",
        _ if target.contains(&0) => "has a NUL byte in its target",
        _ if target.len() >= LONGEST => "has a longer target than a link can hold",
        _ => return Ok(text(target, name.as_str().as_bytes())?.to_owned()),
    };
    Err(Problem::invalid("bad-link", format!("the link `{}` {wrong}", shown(name.as_str().as_bytes()))))
}

/// Takes bytes of an entry for text.
fn text<'a>(bytes: &'a [u8], entry: &[u8]) -> Result<&'a str, Problem> {
    std::str::from_utf8(bytes).map_err(|_| {
        Problem::invalid("name-not-utf8", format!("a name of the entry `{}` is not UTF-8", shown(entry)))
            .hint("make the archive anew where names are UTF-8, as with `LC_ALL=C.UTF-8`")
    })
}

/// How many letters of a name an error shows.
const SHOWN: usize = 200;

/// Writes a name for an error: whatever it holds, on one line, and not for ever.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN)]);
    let mut shown = String::new();
    for letter in head.chars().take(SHOWN) {
        if letter.is_control() { shown.extend(letter.escape_default()) } else { shown.push(letter) }
    }
    if head.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(name: &[u8], habits: Habits, code: &str) {
        assert_eq!(Name::judge(name, habits).unwrap_err().code(), code, "{}", shown(name));
    }

    fn check_taken(name: &str, habits: Habits, taken: &str) {
        assert_eq!(Name::judge(name.as_bytes(), habits).unwrap().as_str(), taken);
    }

    #[test]
    fn refuses_what_leads_out_of_the_tree() {
        for name in
            ["", "/etc/decoy", "..", "../decoy", "a/../decoy", "a/..", "./../decoy", "C:", "C:/decoy", "c:\\decoy", "a\0b"]
        {
            check_refused(name.as_bytes(), Habits::Tar, "unsafe-path");
            check_refused(name.as_bytes(), Habits::Zip, "unsafe-path");
        }
        check_refused(b"a\\b", Habits::Zip, "unsafe-path");
        check_refused(b"..\\decoy", Habits::Zip, "unsafe-path");
    }

    #[test]
    fn refuses_what_is_no_utf8_or_no_path() {
        check_refused(b"caf\xe9", Habits::Tar, "name-not-utf8");
        check_refused(&[b'a'; LONGEST], Habits::Tar, "name-too-long");
    }

    #[test]
    fn takes_strange_names_that_stay_inside() {
        check_taken("./a//b/./c/", Habits::Tar, "a/b/c");
        check_taken("./", Habits::Tar, "");
        check_taken("a\nb", Habits::Tar, "a\nb");
        check_taken("unit\\x2d1", Habits::Tar, "unit\\x2d1");
        check_taken("..a/b..", Habits::Zip, "..a/b..");
        check_taken("ab:c", Habits::Zip, "ab:c");
    }

    #[test]
    fn strips_parts_and_leaves_nothing_of_what_is_short() {
        let name = Name::judge(b"a/b/c", Habits::Tar).unwrap();
        assert_eq!([name.below(0), name.below(1), name.below(2), name.below(3)], [Some("a/b/c"), Some("b/c"), Some("c"), None]);
    }

    #[test]
    fn shows_any_name_on_one_line() {
        assert_eq!(shown(b"a\x1b[31m\nb\xff"), "a\\u{1b}[31m\\nb\u{fffd}");
        assert_eq!(shown(&[b'a'; 5000]).chars().count(), SHOWN + 1);
    }
}
