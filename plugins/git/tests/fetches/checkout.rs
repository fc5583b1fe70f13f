//! Files as git itself would check them out: held against what `git clone` makes of the same repository.

use std::fs;

use sti_git::Git;
use sti_plugin::{
    Problem, ProblemKind,
    log::Level,
    testing::{AddressBuilder, Fetched, WebAnswer, WebRequest},
};

use crate::support::{HOST, Repository, Site, check_problem, git, listing, servers};

/// Holds every file of what was fetched against a clone by git.
#[expect(clippy::disallowed_methods, reason = "reads what git wrote into a temporary directory")]
fn check_same_as_clone(site: &Site, name: &str) {
    let clone = site.root().join("clone");
    let status = git(site.root()).args(["clone", "--quiet", name, "clone"]).status().expect("git runs");
    assert!(status.success(), "git clone");
    let fetched = site.fetch(name);
    let tree = fetched.expect_tree().open();
    let listed = git(&clone).args(["ls-files", "-z"]).output().expect("git runs").stdout;
    let paths: Vec<_> = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty()).collect();
    assert!(!paths.is_empty());
    for path in paths {
        let path = std::str::from_utf8(path).expect("a name of ours");
        let (ours, theirs) = (tree.read(path, 1 << 20).expect(path), fs::read(clone.join(path)).expect(path));
        assert_eq!(ours.escape_ascii().to_string(), theirs.escape_ascii().to_string(), "{path}");
    }
}

#[test]
fn writes_line_endings_identifiers_and_encodings_as_git_does() {
    let site = Site::new();
    let repository = site.repository("app");
    let content = "one\ntwo $Id$ \u{e9}\n";
    for name in [
        "a.bat",
        "a.txt",
        "a.auto",
        "a.bin",
        "a.16",
        "a.16le",
        "a.16bom",
        "a.latin",
        "deep/a.bat",
        "deep/er/a.txt",
        "a.old",
        "none",
    ] {
        repository.file(name, content);
    }
    repository.file("mixed.auto", "a\r\nb\n").file("zero.auto", "a\0b\n").file("empty.bat", "");
    repository.file(
        ".gitattributes",
        "[attr]windows text eol=crlf\n*.bat windows\n*.txt text ident\n*.auto text=auto eol=crlf\n*.bin binary eol=crlf\n*.old crlf eol=crlf ident\n\
         # a remark\n\"none\" -text\n/deep/er/* eol=crlf\n",
    );
    repository.file("deep/.gitattributes", "a.bat -text\n");
    repository.file("deep/er/.gitattributes", "a.txt !ident\n");
    repository.commit("before encodings");
    // Bytes that are no UTF-8 are what such a file holds in a work tree.
    repository.file(
        ".gitattributes",
        "*.16 text working-tree-encoding=UTF-16\n*.16le text working-tree-encoding=UTF-16LE eol=crlf\n*.16bom text working-tree-encoding=UTF-16LE-BOM\n\
         *.latin text working-tree-encoding=ISO-8859-1\n*.bat text eol=crlf\n",
    );
    for name in ["a.16", "a.16bom"] {
        let text: Vec<u8> = "\u{feff}one\n\u{e9}\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        repository.file(name, text);
    }
    repository.file("a.16le", "one\r\n\u{e9}\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    repository.file("a.latin", b"one \xe9\n");
    repository.commit("encodings");
    check_same_as_clone(&site, "app");
    repository.git(&["checkout", "--quiet", "HEAD~1"]);
    repository.git(&["branch", "--force", "main", "HEAD"]);
    let other = Site::new();
    git(other.root()).args(["clone", "--quiet", "--bare"]).arg(&repository.path).arg("app/.git").status().expect("git runs");
    check_same_as_clone(&other, "app");
}

#[test]
fn leaves_out_nothing_that_is_only_for_archives() {
    let site = Site::new();
    site.repository("app")
        .file(".gitattributes", "secret export-ignore\nv export-subst\n")
        .file("secret", "x")
        .file("v", "$Format:%H$")
        .commit("m");
    assert_eq!(listing(&site.fetch("app")).lines().skip(1).collect::<Vec<_>>(), ["secret = x", "v = $Format:%H$"]);
}

#[test]
fn fetches_submodules_with_relative_addresses_and_in_each_other() {
    let site = Site::new();
    let (inner, outer, app) = (site.repository("inner"), site.repository("lib/outer"), site.repository("app"));
    inner.file("i", "inner").commit("m");
    link(&outer, "in/ner", "../../../inner/.git", &inner);
    outer.file("o", "outer").commit("m");
    link(&app, "third/outer", "../../lib/outer/.git", &outer);
    app.file("a", "app").commit("m");
    let fetched = site.fetch("app");
    let files: Vec<_> = listing(&fetched).lines().filter(|line| !line.contains(".gitmodules")).map(str::to_owned).collect();
    assert_eq!(files, ["a = app", "third/outer/in/ner/i = inner", "third/outer/o = outer"]);
    let without = site.address("app").setting("submodules", "no").fetch::<Git>();
    assert!(without.expect_tree().open().entries("third/outer").unwrap().is_empty());
}

/// Adds a submodule with this address, at the newest commit of a repository.
fn link(repository: &Repository, path: &str, url: &str, of: &Repository) {
    let commit = of.git(&["rev-parse", "HEAD"]);
    repository.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{path}")]);
    repository.git(&["config", "--file", ".gitmodules", &format!("submodule.{path}.path"), path]);
    repository.git(&["config", "--file", ".gitmodules", &format!("submodule.{path}.url"), url]);
    // Without a directory in its place, adding all files would take it for removed.
    repository.git(&["add", ".gitmodules"]);
    repository.git(&["commit", "--quiet", "--message", "a submodule"]);
    repository.git(&["update-index", "--skip-worktree", path]);
}

/// A repository with one submodule that is described so.
fn fetch_described(described: &str) -> Fetched {
    let site = Site::new();
    let inner = site.repository("inner");
    let commit = inner.file("i", "inner").commit("m");
    let app = site.repository("app");
    let list = app.object("blob", described.as_bytes());
    app.commit_tree(&app.tree(&[("100644", b".gitmodules", &list), ("160000", b"sub", &commit)]));
    site.fetch("app")
}

fn check_refuses_submodule(described: &str, code: &str) {
    check_problem(&fetch_described(described), code, &[]);
}

#[test]
fn refuses_submodules_that_look_like_options_paths_or_commands() {
    let described = |name: &str, path: &str, url: &str| format!("[submodule \"{name}\"]\npath = {path}\nurl = \"{url}\"\n");
    assert!(listing(&fetch_described(&described("s", "sub", "../../inner/.git"))).contains("sub/i = inner"));
    for name in ["..", "../a", "a/../../b", "-x", "a/.."] {
        check_refuses_submodule(&described(name, "sub", "../../inner/.git"), "unsafe-submodule");
    }
    for url in ["-uevil", "--upload-pack=decoy", "", "/nonexistent/decoy", "file:///nonexistent/decoy", "decoy"] {
        check_refuses_submodule(&described("s", "sub", url), "unsafe-submodule");
    }
    for url in ["ext::sh -c decoy://", "ssh://-oProxyCommand=decoy/a", "../../../../b", "-x@host:a"] {
        let code = fetch_described(&described("s", "sub", url)).expect_problem().code().to_owned();
        assert!(["invalid-address", "unsafe-submodule"].contains(&code.as_str()), "{url}: {code}");
    }
    check_refuses_submodule(&(described("s", "sub", "../../inner/.git") + "update = !decoy\n"), "unsafe-submodule");
    check_refuses_submodule("[submodule \"s\"\npath", "unsafe-submodule");
}

#[test]
fn leaves_empty_what_need_not_or_cannot_be_fetched() {
    for described in [
        "",
        "[submodule \"s\"]\npath = other\nurl = ../inner/.git\n",
        "[submodule \"s\"]\npath = sub\nurl = ../inner/.git\nupdate = none\n",
    ] {
        let fetched = fetch_described(described);
        assert!(fetched.expect_tree().open().entries("sub").unwrap().is_empty(), "{described}");
    }
    assert!(fetch_described("").says(Level::Warning, "`sub`"));
}

#[test]
fn ends_submodules_without_end() {
    let site = Site::new();
    let mut last = site.repository("r0");
    last.file("f", "0").commit("m");
    for number in 1..20 {
        let next = site.repository(&format!("r{number}"));
        link(&next, "sub", &format!("../../r{}/.git", number - 1), &last);
        last = next;
    }
    check_problem(&site.fetch("r19"), "too-many-submodules", &["sub/sub/sub", "--no-submodules"]);
}

const CONTENT: &[u8] = b"a large picture";

fn digest(content: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(content).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Where the service is by git's own convention.
const SERVICE: &str = "http://git.example/app/.git/info/lfs";

/// A site whose repository keeps `picture.png` in Git LFS, with a server that sends this for it.
fn keeping(sent: &'static [u8]) -> (Site, AddressBuilder) {
    keeping_at(SERVICE, None, sent)
}

/// As [`keeping`], with a service at this place and a file `.lfsconfig`.
fn keeping_at(service: &'static str, configuration: Option<&str>, sent: &'static [u8]) -> (Site, AddressBuilder) {
    let site = Site::new();
    let oid = digest(CONTENT);
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n", CONTENT.len());
    let repository = site.repository("app");
    repository
        .file("picture.png", &pointer)
        .file("other", &pointer)
        .file(".gitattributes", "*.png filter=lfs diff=lfs merge=lfs -text\n")
        .commit("m");
    if let Some(configuration) = configuration {
        repository.file(".lfsconfig", configuration).commit("where the files are");
    }
    let root = site.root().to_owned();
    let answer = move |request: &WebRequest| {
        Ok(if request.url == format!("{service}/objects/batch") {
            assert_eq!(request.header("accept"), Some("application/vnd.git-lfs+json"));
            let asked: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(asked["objects"], serde_json::json!([{ "oid": oid, "size": CONTENT.len() }]));
            let action = serde_json::json!({ "href": "http://files.example/1", "header": { "x-a": "b", "Authorization": "Bearer of-this-file", "Host": "decoy" } });
            let object = serde_json::json!({ "oid": oid, "size": CONTENT.len(), "actions": { "download": action } });
            WebAnswer::new(200, serde_json::json!({ "objects": [object] }).to_string())
        } else if request.url == "http://files.example/1" {
            assert_eq!((request.header("x-a"), request.header("authorization")), (Some("b"), Some("Bearer of-this-file")));
            assert_eq!(request.header("host"), None);
            WebAnswer::new(200, sent)
        } else {
            return servers::http_backend(&root, request);
        })
    };
    let address = AddressBuilder::new(&format!("http://{HOST}/app/.git")).web(answer);
    (site, address)
}

#[test]
fn fetches_what_git_lfs_keeps() {
    let (_site, address) = keeping(CONTENT);
    let tree = address.fetch::<Git>().expect_tree().open();
    assert_eq!(tree.read("picture.png", 1000).unwrap(), CONTENT);
    assert!(tree.read_text("other", 1000).unwrap().starts_with("version "), "a pointer that no attribute names is a file");
}

#[test]
fn asks_the_service_that_the_repository_names() {
    let elsewhere = "http://lfs.example/of/app";
    let configuration = format!("[lfs]\n\turl = {elsewhere}/\n\taccess = basic\n");
    let (_site, address) = keeping_at(elsewhere, Some(&configuration), CONTENT);
    let tree = address.fetch::<Git>().expect_tree().open();
    assert_eq!(tree.read("picture.png", 1000).unwrap(), CONTENT);
    assert_eq!(tree.read_text(".lfsconfig", 1000).unwrap(), configuration);
}

#[test]
fn refuses_a_service_that_is_no_server() {
    for url in ["file:///nonexistent/decoy", "/nonexistent/decoy", "ssh://lfs.example/a", "-x"] {
        let (_site, address) = keeping_at(SERVICE, Some(&format!("[lfs]\n\turl = {url}\n")), CONTENT);
        check_problem(&address.fetch::<Git>(), "lfs-unavailable", &[".lfsconfig", url, "--lfs=skip"]);
    }
}

#[test]
fn hands_on_that_the_host_of_a_service_is_not_granted() {
    let (site, _) = keeping_at(SERVICE, Some("[lfs]\n\turl = http://other.example/a\n"), CONTENT);
    let root = site.root().to_owned();
    let address = site.address("app").web(move |request| match request.url.strip_prefix("http://other.example/") {
        Some(_) => Err(Problem::new(ProblemKind::Denied, "not-granted", "the fetch may not reach `other.example`")),
        None => servers::http_backend(&root, request),
    });
    check_problem(&address.fetch::<Git>(), "not-granted", &["other.example"]);
}

#[test]
fn leaves_pointers_where_git_lfs_is_skipped() {
    let (_site, address) = keeping(CONTENT);
    let tree = address.setting("lfs", "skip").fetch::<Git>().expect_tree().open();
    assert!(tree.read_text("picture.png", 1000).unwrap().starts_with("version "));
}

#[test]
fn refuses_content_that_is_not_what_the_pointer_names() {
    for sent in [&b"a large p"[..], b"a large pictur!", b"a large picture and more", b""] {
        let (_site, address) = keeping(sent);
        check_problem(&address.fetch::<Git>(), "lfs-object-damaged", &["`picture.png`", "--lfs=skip"]);
    }
}

#[test]
fn says_that_a_server_has_no_git_lfs() {
    let (site, _) = keeping(CONTENT);
    check_problem(&site.fetch("app"), "lfs-unavailable", &["--lfs=skip"]);
}

#[test]
fn refuses_settings_that_mean_nothing() {
    let nobody = AddressBuilder::new("https://git.example/a.git");
    check_problem(&nobody.clone().setting("lfs", "maybe").fetch::<Git>(), "invalid-setting", &["`maybe`", "`skip`"]);
    check_problem(&nobody.setting("submodules", "").fetch::<Git>(), "invalid-setting", &["`no`"]);
}
