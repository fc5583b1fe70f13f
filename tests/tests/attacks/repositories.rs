//! Repositories that mean harm, or are broken, from a server that sends what it is told to.

use gix_hash::ObjectId;
use gix_object::Kind;

use crate::{
    packs::{self, Entry},
    server::{Reply, Server},
    yard::{BAD_ARGUMENT, BAD_REFERENCE, End, FAILED, INVALID, NOT_GRANTED, TOO_LARGE, Yard},
};

const ADVERTISEMENT: &str = "application/x-git-upload-pack-advertisement";
const RESULT: &str = "application/x-git-upload-pack-result";

/// A repository as a server has it: a commit, and the pack that holds it or should.
pub(crate) struct Repository {
    tip: ObjectId,
    pack: Vec<u8>,
}

impl Repository {
    /// Of a tree and the objects that it is made of.
    pub(crate) fn new(tree: Vec<u8>, mut entries: Vec<Entry>) -> Self {
        let (commit, tip) = packs::commit(packs::id(Kind::Tree, &tree));
        entries.extend([Entry::Whole(2, tree), Entry::Whole(1, commit)]);
        Self { tip, pack: packs::pack(&entries) }
    }

    /// Of one file `f`, and whatever else the pack holds.
    fn of_file(content: &[u8], entries: Vec<Entry>) -> Self {
        Self::new(packs::tree(&[("100644", "f", packs::id(Kind::Blob, content))]), entries)
    }

    /// Of entries `(mode, name)`, each of which has the same content.
    fn of_names(names: &[(&str, &str)]) -> Self {
        let content = b"content";
        let entries: Vec<_> = names.iter().map(|(mode, name)| (*mode, *name, packs::id(Kind::Blob, content))).collect();
        Self::new(packs::tree(&entries), vec![Entry::Whole(3, content.to_vec())])
    }

    /// Of a list of submodules, and a place for each.
    fn of_submodules(list: &str, places: &[&str]) -> Self {
        let commit = packs::id(Kind::Commit, b"somewhere else");
        let mut entries = vec![("100644", ".gitmodules", packs::id(Kind::Blob, list.as_bytes()))];
        entries.extend(places.iter().map(|place| ("160000", *place, commit)));
        Self::new(packs::tree(&entries), vec![Entry::Whole(3, list.as_bytes().to_vec())])
    }

    /// Lets a server answer with it; its reference is `refs/heads/main` and what else is said.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(|_| None)
    }

    /// The same, but for requests for which there is another answer.
    pub(crate) fn serve_with(&self, other: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> Server {
        let (tip, pack) = (self.tip, self.pack.clone());
        Server::start(move |asked| {
            let has = |text: &[u8]| asked.body.windows(text.len()).any(|some| some == text);
            let references = || [packs::line(&format!("{tip} HEAD symref-target:refs/heads/main\n")), b"0000".to_vec()].concat();
            match other(&asked.target) {
                Some(reply) => reply,
                None if asked.method == "GET" => Reply::ok(ADVERTISEMENT, hello()),
                None if has(b"command=ls-refs") => Reply::ok(RESULT, references()),
                None => Reply::ok(RESULT, packs::answer(&pack)),
            }
        })
    }
}

fn hello() -> Vec<u8> {
    let lines = ["version 2\n", "ls-refs=unborn\n", "fetch=shallow\n", "object-format=sha1\n"];
    let lines = lines.into_iter().flat_map(packs::line).collect();
    [packs::line("# service=git-upload-pack\n"), b"0000".to_vec(), lines, b"0000".to_vec()].concat()
}

/// What it is, the repository, how it ends, and what the error names.
type Row = (&'static str, Repository, End, &'static str);

/// Names that lead elsewhere.
fn names() -> Vec<Row> {
    let refused = [
        ("a name that climbs", ".."),
        ("an absolute name", "/decoy"),
        ("a path for a name", "a/../../decoy/file"),
        (".git", ".git"),
        (".git in capitals", ".GIT"),
        (".git as NTFS shortens it", "git~1"),
        (".git as NTFS reads it", ".git."),
        (".git with a stream of NTFS", ".git::$INDEX_ALLOCATION"),
        (".git as HFS+ reads it", ".g\u{200c}it"),
    ];
    let mut rows: Vec<_> =
        refused.map(|(what, name)| (what, Repository::of_names(&[("100644", name)]), INVALID, "git refuses it as well")).into();
    let blob = packs::id(Kind::Blob, b"../decoy");
    let below = packs::tree(&[("100644", "file", blob)]);
    let twice = packs::tree(&[("120000", "link", blob), ("40000", "link", packs::id(Kind::Tree, &below))]);
    let twice = Repository::new(twice, vec![Entry::Whole(3, b"../decoy".to_vec()), Entry::Whole(2, below)]);
    rows.push(("a link, and files through it", twice, INVALID, "`link`"));
    rows.push(("a link for a list of submodules", Repository::of_names(&[("120000", ".gitmodules")]), INVALID, "link"));
    rows
}

/// Packs that are not what they say.
fn broken_packs() -> Vec<Row> {
    let content = b"content".to_vec();
    let proper = || Repository::of_file(b"content", vec![Entry::Whole(3, b"content".to_vec())]);
    let edited = |edit: fn(&mut Vec<u8>)| {
        let mut repository = proper();
        edit(&mut repository.pack);
        repository
    };
    let sealed = |edit: fn(&mut Vec<u8>)| {
        let mut repository = proper();
        let length = repository.pack.len();
        repository.pack.truncate(length - 20);
        edit(&mut repository.pack);
        repository.pack = packs::sealed(repository.pack);
        repository
    };
    let size = 24 << 20;
    let mut bomb = vec![Entry::Whole(3, vec![0; size])];
    bomb.extend((0..200_u8).map(|number| Entry::Delta(0, packs::appending(size as u64, &[number]))));
    let lost = packs::id(Kind::Blob, b"nowhere");
    vec![
        ("a pack without its second half", edited(|pack| pack.truncate(pack.len() / 2)), INVALID, ""),
        ("a pack with a wrong sum", edited(|pack| *pack.last_mut().unwrap() ^= 1), INVALID, ""),
        ("a pack that says it holds more", sealed(|pack| pack[8..12].copy_from_slice(&u32::MAX.to_be_bytes())), INVALID, ""),
        (
            "an object that says it is larger",
            Repository::of_file(&content, vec![Entry::Lying(3, 1 << 20, content.clone())]),
            INVALID,
            "",
        ),
        (
            "an object that says it is endless",
            Repository::of_file(&content, vec![Entry::Lying(3, 1 << 45, content.clone())]),
            TOO_LARGE,
            "",
        ),
        ("an object that is missing", Repository::of_file(b"content", Vec::new()), INVALID, "missing"),
        ("a delta on nothing", Repository::of_file(b"content", vec![Entry::ByName(lost, packs::appending(7, b""))]), INVALID, ""),
        ("a bomb of deltas", Repository::of_file(b"content", bomb), TOO_LARGE, ""),
        ("a tree that is a file", Repository::new(b"no tree".to_vec(), Vec::new()), INVALID, ""),
    ]
}

/// Lists of submodules.
fn submodules() -> Vec<Row> {
    let list = |name: &str, url: &str, more: &str| format!("[submodule \"{name}\"]\n\tpath = part\n\turl = {url}\n{more}");
    let row = |list: String| Repository::of_submodules(&list, &["part"]);
    vec![
        ("a submodule with the name of an option", row(list("-u", "../b.git", "")), INVALID, "`-u`"),
        ("one whose name climbs", row(list("../../modules", "../b.git", "")), INVALID, "../../modules"),
        ("one whose address is an option", row(list("part", "-uexec", "")), INVALID, "`-uexec`"),
        ("one whose address is a path", row(list("part", "/decoy", "")), INVALID, "/decoy"),
        ("one whose address is a file", row(list("part", "file:///decoy", "")), INVALID, "/decoy"),
        ("one whose address runs a program", row(list("part", "ext::sh -c touch% decoy", "")), NOT_GRANTED, "`ext`"),
        (
            "one whose address is an option of ssh",
            row(list("part", "ssh://-oProxyCommand=x/y", "")),
            BAD_ARGUMENT,
            "ProxyCommand",
        ),
        ("one whose address climbs over the host", row(list("part", "../../../../x", "")), BAD_ARGUMENT, "../../../../x"),
        ("one that names a command", row(list("part", "../b.git", "\tupdate = !touch decoy\n")), INVALID, "touch decoy"),
        ("one that is on another host", row(list("part", "http://localhost:1/b.git", "")), NOT_GRANTED, "--allow-host localhost"),
        ("one that is in itself", row(list("part", "./", "")), INVALID, ""),
        ("a list that is none", row("[submodule \"".to_owned()), INVALID, ".gitmodules"),
    ]
}

#[test]
fn repositories_that_mean_harm_are_refused_and_reach_nothing() {
    let yard = Yard::new();
    for (what, repository, end, word) in names().into_iter().chain(broken_packs()).chain(submodules()) {
        let server = repository.serve();
        yard.refuses(what, &format!("{}/a.git", server.url), &[], end, &[word]);
        // Nothing but the repository itself, whatever it leads to.
        let is_its_own = |asked: &String| asked.contains("/a.git/");
        assert!(server.asked().iter().all(is_its_own), "{what}: {:?}", server.asked());
    }
}

#[test]
fn a_chain_of_ten_thousand_deltas_is_put_together() {
    let yard = Yard::new();
    let mut content = b"a".to_vec();
    let mut chain = vec![Entry::Whole(3, content.clone())];
    for at in 0..10_000 {
        chain.push(Entry::Delta(at, packs::appending(content.len() as u64, b"b")));
        content.push(b'b');
    }
    let server = Repository::of_file(&content, chain).serve();
    yard.takes("a chain", &format!("{}/a.git", server.url), &[], &["f = 10001 bytes"]);
}

#[test]
fn trees_that_hold_each_other_again_and_again_end_at_a_limit() {
    let yard = Yard::new();
    let (mut tree, mut entries) = (packs::tree(&[]), Vec::new());
    let names: Vec<_> = (0..20).map(|at| format!("d{at:02}")).collect();
    for _ in 0..6 {
        let id = packs::id(Kind::Tree, &tree);
        entries.push(Entry::Whole(2, tree));
        tree = packs::tree(&names.iter().map(|name| ("40000", name.as_str(), id)).collect::<Vec<_>>());
    }
    let server = Repository::new(tree, entries).serve();
    let address = format!("{}/a.git", server.url);
    yard.refuses("a tree of trees", &address, &["--limit", "entries=2000"], TOO_LARGE, &["2000"]);
}

#[test]
fn references_with_control_characters_are_refused_wherever_they_come_from() {
    let yard = Yard::new();
    let server = Repository::of_names(&[("100644", "a")]).serve();
    let address = format!("{}/a.git", server.url);
    for reference in ["main\u{1}", "main\nrefs/heads/x", "\u{1b}[31mmain", "--upload-pack=x"] {
        let reference = format!("--ref={reference}");
        yard.refuses("a reference of the user's", &address, &[&reference], BAD_REFERENCE, &["is no name of a branch"]);
    }
    assert!(server.asked().is_empty(), "{:?}", server.asked());
    let lines = [packs::line(&format!("{} refs/heads/\u{1b}[31mmain\n", "1".repeat(40))), b"0000".to_vec()].concat();
    let server =
        Server::start(
            move |asked| {
                if asked.method == "GET" { Reply::ok(ADVERTISEMENT, hello()) } else { Reply::ok(RESULT, lines.clone()) }
            },
        );
    let outcome = yard.fetch("a reference of the server's", &format!("{}/a.git", server.url), &["--ref", "main"]);
    assert!([FAILED.0, INVALID.0, BAD_REFERENCE.0].contains(&outcome.status.code().unwrap()), "{outcome}");
    assert!(!outcome.stdout.contains('\u{1b}') && !outcome.stderr.contains('\u{1b}'), "{outcome}");
}
