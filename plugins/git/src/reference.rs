//! Which commit is meant: what the user asked for, and which of a server's references that is.

use gix_hash::ObjectId;
use gix_validate::reference;
use sti_plugin::Problem;

use crate::{remote::Reference, trouble::list_remote};

/// What the user asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequestedRef {
    /// What the server takes for its own.
    Head,
    /// A commit by its whole identifier.
    Commit(ObjectId),
    /// A branch, a tag, a whole name such as `refs/pull/1/head`, or the start of a commit's identifier.
    Name(String),
    /// What came before another one, as `main~2` says.
    Before(Box<RequestedRef>, Vec<Step>),
}

/// A step back in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// So many commits back, always by the first parent.
    Back(usize),
    /// To one of the parents; 0 is the commit itself.
    Parent(usize),
}

/// Where a short name may stand, in the order in which it is asked for.
const PLACES: &[&str] = &["refs/heads/", "refs/tags/", "refs/", "refs/remotes/"];

/// How many names are told where none fits.
const MOST_TOLD: usize = 5;

/// The fewest digits that git takes for an identifier.
const FEWEST_DIGITS: usize = 4;

impl RequestedRef {
    /// Reads what the user wrote.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text.filter(|text| !["HEAD", "@"].contains(text)) else { return Ok(Self::Head) };
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hexadecimal && text.len() == 40 {
            return ObjectId::from_hex(text.as_bytes()).map(Self::Commit).map_err(|_| malformed(text));
        }
        if let Some(at) = text.find(['~', '^']) {
            let steps = steps(&text[at..]).ok_or_else(|| malformed(text))?;
            return Ok(Self::Before(Box::new(Self::parse(Some(&text[..at]))?), steps));
        }
        match reference::name_partial(text.into()) {
            Ok(_) if !text.starts_with('-') => Ok(Self::Name(text.to_owned())),
            _ => Err(malformed(text)),
        }
    }
}

/// Reads steps such as `~2^`; `^{}` and `^{commit}` say what is done anyway.
fn steps(text: &str) -> Option<Vec<Step>> {
    let (mut steps, mut rest) = (Vec::new(), text);
    while let Some(sign) = rest.chars().next() {
        rest = rest.get(1..)?;
        if let Some(more) = rest.strip_prefix("{}").or_else(|| rest.strip_prefix("{commit}")).filter(|_| sign == '^') {
            rest = more;
            continue;
        }
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let number = if digits == 0 { 1 } else { rest[..digits].parse().ok()? };
        steps.push(match sign {
            '~' => Step::Back(number),
            '^' => Step::Parent(number),
            _ => return None,
        });
        rest = &rest[digits..];
    }
    Some(steps)
}

/// Makes the problem of asking a server for what only a history tells.
pub(crate) fn without_history() -> Problem {
    Problem::invalid("revision-not-supported", "`~` and `^` need the history, and a server sends none")
        .hint("give a branch, a tag or the commit's identifier, which `git rev-parse` tells in a clone")
}

/// Takes the one commit that an abbreviation means; none where it means none.
pub(crate) fn only(name: &str, commits: &[ObjectId]) -> Result<Option<ObjectId>, Problem> {
    match commits {
        [] => Ok(None),
        [id] => Ok(Some(*id)),
        several => {
            let names: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(ambiguous(name, &names.iter().map(String::as_str).collect::<Vec<_>>()))
        }
    }
}

/// Tells what a server is asked for, to find a name.
pub(crate) fn prefixes(name: &str) -> Vec<String> {
    let mut prefixes: Vec<_> = PLACES.iter().map(|place| format!("{place}{name}")).collect();
    prefixes.push(name.to_owned());
    prefixes
}

/// Finds a name among references; none where there is no such.
pub(crate) fn choose<'a>(name: &str, references: &'a [Reference]) -> Result<Option<&'a Reference>, Problem> {
    let named = |full: &str| references.iter().find(|reference| reference.name == full);
    if let Some(found) = named(name).filter(|_| name.starts_with("refs/")) {
        return Ok(Some(found));
    }
    let found: Vec<_> = PLACES.iter().filter_map(|place| named(&format!("{place}{name}"))).collect();
    match found[..] {
        [branch, tag, ..]
            if branch.name.starts_with(PLACES[0]) && tag.name.starts_with(PLACES[1]) && branch.object != tag.object =>
        {
            Err(ambiguous(name, &[&branch.name, &tag.name]))
        }
        [first, ..] => Ok(Some(first)),
        [] => Ok(None),
    }
}

/// Tells whether a name can be the start of a commit's identifier.
pub(crate) fn is_abbreviated(name: &str) -> bool {
    (FEWEST_DIGITS..40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Makes the problem of a name that means several things.
pub(crate) fn ambiguous(name: &str, meanings: &[&str]) -> Problem {
    let told = meanings.iter().map(|meaning| format!("`{meaning}`")).collect::<Vec<_>>().join(" and ");
    Problem::invalid("ambiguous-reference", format!("`{name}` may mean {told}"))
        .hint(format!("write the whole name: `--ref {}`", meanings.first().copied().unwrap_or(name)))
}

/// Makes the problem of a name that the server does not have, and tells those that are most like it.
pub(crate) fn missing(address: &str, name: &str, references: &[Reference]) -> Problem {
    let problem = Problem::not_found("reference-not-found", format!("`{address}` has no branch, tag or commit `{name}`"));
    match &nearest(name, references)[..] {
        [] => problem.hint(format!("`{}` lists what it has", list_remote(address))),
        names => problem.hint(format!("it has {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))),
    }
}

fn nearest(name: &str, references: &[Reference]) -> Vec<String> {
    let short = |reference: &Reference| PLACES[..2].iter().find_map(|place| Some(reference.name.strip_prefix(place)?.to_owned()));
    let mut names: Vec<_> =
        references.iter().filter_map(short).map(|known| (strsim::jaro_winkler(name, &known), known)).collect();
    names.sort_by(|(likeness, name), (other_likeness, other)| other_likeness.total_cmp(likeness).then_with(|| name.cmp(other)));
    names.dedup_by(|(_, name), (_, other)| name == other);
    names.into_iter().take(MOST_TOLD).map(|(_, name)| name).collect()
}

fn malformed(text: &str) -> Problem {
    Problem::invalid("invalid-reference", format!("`{}` is no name of a branch, tag or commit", text.escape_debug()))
        .hint("give a branch, a tag or a commit, such as `--ref main`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(names: &[(&str, u8)]) -> Vec<Reference> {
        let reference = |(name, id): &(&str, u8)| Reference {
            name: (*name).to_owned(),
            object: ObjectId::from_bytes_or_panic(&[*id; 20]),
            target: None,
        };
        names.iter().map(reference).collect()
    }

    fn check_chooses(name: &str, names: &[(&str, u8)], expected: Option<&str>) {
        let known = known(names);
        assert_eq!(choose(name, &known).unwrap().map(|found| found.name.as_str()), expected);
    }

    #[test]
    fn finds_branches_tags_and_whole_names() {
        let all = &[("HEAD", 1), ("refs/heads/main", 1), ("refs/tags/v1", 2), ("refs/pull/1/head", 3)];
        check_chooses("main", all, Some("refs/heads/main"));
        check_chooses("v1", all, Some("refs/tags/v1"));
        check_chooses("tags/v1", all, Some("refs/tags/v1"));
        check_chooses("refs/pull/1/head", all, Some("refs/pull/1/head"));
        check_chooses("v", all, None);
    }

    #[test]
    fn asks_which_is_meant_only_where_it_matters() {
        check_chooses("v1", &[("refs/heads/v1", 1), ("refs/tags/v1", 1)], Some("refs/heads/v1"));
        let two = known(&[("refs/heads/v1", 1), ("refs/tags/v1", 2)]);
        let problem = choose("v1", &two).unwrap_err();
        assert_eq!(problem.code(), "ambiguous-reference");
        assert!(problem.message().contains("`refs/heads/v1` and `refs/tags/v1`"), "{problem}");
    }

    #[test]
    fn names_the_nearest_where_there_is_none() {
        let problem = missing("a", "mian", &known(&[("refs/heads/main", 1), ("refs/heads/zzz", 1), ("refs/tags/v1", 1)]));
        assert!(problem.hinted().unwrap().starts_with("it has `main`"), "{problem:?}");
    }

    #[test]
    fn refuses_what_cannot_be_a_name() {
        for text in ["", "a b", "a\u{1}", "a\n", "-x", "a..b", "/a", "a.lock", "a*"] {
            assert_eq!(RequestedRef::parse(Some(text)).unwrap_err().code(), "invalid-reference", "{text:?}");
        }
        for text in ["~2", "HEAD~x", "main^{tree}", "main@{1}", "main:a", "main~99999999999999999999"] {
            assert_eq!(RequestedRef::parse(Some(text)).unwrap_err().code(), "invalid-reference", "{text}");
        }
        let steps = vec![Step::Back(2), Step::Parent(1), Step::Parent(2)];
        let before = RequestedRef::Before(Box::new(RequestedRef::Name("main".to_owned())), steps);
        assert_eq!(RequestedRef::parse(Some("main~2^^2^{commit}")).unwrap(), before);
        assert_eq!(RequestedRef::parse(Some("HEAD")).unwrap(), RequestedRef::Head);
    }
}
