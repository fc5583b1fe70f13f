//! The files that a Dockerfile copies.
#![expect(clippy::disallowed_methods, reason = "a test looks at files by itself")]

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use cap_std::{ambient_authority, fs::Dir};
use sti_core::{
    Tree,
    plan::{Content, ContentId, PlanFile},
};
use sti_output::{Error, render};

use crate::plans::{build, copy, image, known, plan};

/// A source with everything that a source may hold.
fn source(top: &Path) -> Tree {
    fs::create_dir_all(top.join("sub/closed")).unwrap();
    fs::create_dir(top.join("empty")).unwrap();
    for (path, mode) in [("tool", 0o755), ("sub/closed/file", 0o640), ("left-out", 0o644), ("odd [name]*?", 0o600)] {
        fs::write(top.join(path), path).unwrap();
        fs::set_permissions(top.join(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    fs::write(top.join(".s2iignore"), "left-out\n").unwrap();
    fs::write(top.join(".dockerignore"), "*\n").unwrap();
    fs::hard_link(top.join("tool"), top.join("tool-again")).unwrap();
    symlink("/nowhere/at all", top.join("dangling")).unwrap();
    fs::set_permissions(top.join("sub/closed"), fs::Permissions::from_mode(0o555)).unwrap();
    Tree::directory(Dir::open_ambient_dir(top, ambient_authority()).unwrap(), top).unwrap()
}

/// What lies below a directory: kind, mode, time and name, a line each.
fn listed(top: &Path, below: &str, lines: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(top.join(below)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    entries.sort();
    for name in entries {
        let path =
            if below.is_empty() { name.into_string().unwrap() } else { format!("{below}/{}", name.into_string().unwrap()) };
        let metadata = fs::symlink_metadata(top.join(&path)).unwrap();
        let target = fs::read_link(top.join(&path)).map(|to| format!(" -> {}", to.display())).unwrap_or_default();
        let names = if metadata.is_file() { format!(" names {}", metadata.nlink()) } else { String::new() };
        lines.push(format!("{:o}{names} {path}{target}", metadata.mode()));
        if metadata.is_dir() {
            listed(top, &path, lines);
        }
    }
}

#[test]
fn holds_source_and_files_as_they_are() {
    let place = tempfile::tempdir().unwrap();
    let tree = source(&place.path().join("source"));
    let file = |path: &str, mode| PlanFile { path: path.to_owned(), mode, bytes: path.as_bytes().to_vec() };
    let files = Content::Files { files: vec![file("run", 0o755), file("etc/a/deep", 0o600), file("etc/b", 0o644)] };
    let part = |of, path: &str| Content::Part { of: ContentId(of), path: path.to_owned() };
    let contents = vec![Content::Source, files, Content::Empty, part(0, "sub"), part(1, "etc"), part(0, "tool"), Content::Source];
    let copies = (0..7).map(|content| copy(content, &format!("/{content}"), None)).collect();
    let plan = plan(contents, vec![build(image("builder", ""), copies)]);
    let rendered = render(&plan, &known(&plan), "Dockerfile", "here").unwrap();
    let written = ["one", "two"].map(|name| {
        let into = place.path().join(name);
        fs::create_dir(&into).unwrap();
        rendered.context.write(&Dir::open_ambient_dir(&into, ambient_authority()).unwrap(), &tree, &|| true).unwrap();
        let mut lines = Vec::new();
        listed(&into, "", &mut lines);
        assert_eq!(fs::read(into.join("files-1/etc/a/deep")).unwrap(), b"etc/a/deep");
        let times = [into.join("source/tool"), place.path().join("source/tool")]
            .map(|path| fs::metadata(path).unwrap().modified().unwrap());
        assert_eq!(times[0], times[1]);
        lines
    });
    assert_eq!(written[0], written[1]);
    insta::assert_snapshot!(written[0].join("\n"));
    insta::assert_snapshot!(rendered.text);
}

#[test]
fn stops_where_nobody_wants_it_any_more() {
    let place = tempfile::tempdir().unwrap();
    let tree = source(&place.path().join("source"));
    let plan = plan(vec![Content::Source], vec![build(image("builder", ""), vec![copy(0, "/a", None)])]);
    let rendered = render(&plan, &known(&plan), "Dockerfile", "here").unwrap();
    let into = place.path().join("into");
    fs::create_dir(&into).unwrap();
    let stopped = rendered.context.write(&Dir::open_ambient_dir(&into, ambient_authority()).unwrap(), &tree, &|| false);
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
}
