//! The fixture of the tests as the engine in memory runs it: the verbs of `tests/fixture` that the cases use, on files in memory.

use std::{fmt::Write, sync::Arc};

use super::{Container, Files, Node, NodeKind, Program, files::joined};

/// What the file of the program holds here, so that it is found under any name.
pub(super) const MARK: &str = "the fixture\n";

/// The exit code for "the fixture itself failed".
const BROKEN: i32 = 99;

/// How a verb ended: with an exit code of its own, or so that the next one follows.
type Ended = Result<Option<i32>, String>;

pub(super) fn program() -> Program {
    Arc::new(|container| {
        let ended = verbs(container).and_then(|verbs| {
            for verb in verbs {
                if let Some(code) = carry_out(container, &verb)? {
                    return Ok(code);
                }
            }
            Ok(0)
        });
        ended.unwrap_or_else(|failure: String| {
            container.stderr.extend_from_slice(format!("fixture: {failure}\n").as_bytes());
            BROKEN
        })
    })
}

fn verbs(container: &Container) -> Result<Vec<Vec<String>>, String> {
    let program = container.command.first().map_or("", String::as_str);
    let name = program.rsplit('/').next().unwrap_or(program);
    if name == "fixture" {
        return Ok(container.command[1..].split(|word| word == "then").map(<[String]>::to_vec).collect());
    }
    let script =
        container.files.read(&format!("/etc/fixture/{name}")).ok_or_else(|| format!("/etc/fixture/{name}: not there"))?;
    let text = String::from_utf8_lossy(&script).into_owned();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect())
}

fn carry_out(container: &mut Container, words: &[String]) -> Ended {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["write", path, text] => write(container, path, text.as_bytes().to_vec()),
        ["append", path, text] => append(container, path, text),
        ["copy", from, to] => copy(container, from, to),
        ["remove", path] => there(container.files.take(&place(container, path)).is_some(), path),
        ["mkdir", path] => put(container, path, Node::directory(0o755)),
        ["link", target, path] => put(container, path, Node::symlink(target)),
        ["chmod", mode, path] => change_mode(container, mode, path),
        ["ensure", path] => there(container.files.get(&place(container, path)).is_some(), path),
        ["absent", path] => there(container.files.get(&place(container, path)).is_none(), path),
        ["print", text] => print(container, format!("{text}\n").as_bytes()),
        ["eprint", text] => {
            container.stderr.extend_from_slice(format!("{text}\n").as_bytes());
            Ok(None)
        }
        ["cat", path] => {
            let bytes = container.files.read(path).ok_or_else(|| format!("{path}: not there"))?;
            print(container, &bytes)
        }
        ["tar", directory] => tar(container, directory),
        ["env", name, path] => {
            let value = container.environment.get(*name).cloned().unwrap_or_default();
            record(container, path, value)
        }
        ["list", directory, path] => {
            let listing = list(container, directory)?;
            record(container, path, listing)
        }
        ["whoami", path] => {
            let (uid, gid) = (container.user.uid, container.user.gid);
            let line = format!("uid={uid} gid={gid} groups= cwd={}\n", container.working_directory);
            record(container, path, line)
        }
        ["exit", code] => code.parse().map(Some).map_err(|_| format!("`{code}` is no code")),
        // Time passes at once here.
        ["sleep", _] => Ok(None),
        other => Err(format!("no verb {other:?}")),
    }
}

fn place(container: &Container, path: &str) -> Vec<u8> {
    // The last part may be a link, and is meant itself.
    let (parent, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
    match container.files.resolve(parent) {
        Some(parent) => joined(&parent, name.as_bytes()),
        None => path.trim_matches('/').as_bytes().to_vec(),
    }
}

/// Writing follows a link that is there.
fn write(container: &mut Container, path: &str, bytes: Vec<u8>) -> Ended {
    let at = container.files.resolve(path).unwrap_or_else(|| place(container, path));
    if let Some(existing) = container.files.get(&at) {
        let is_allowed = container.user.uid == 0 || (existing.uid == container.user.uid && existing.mode & 0o200 != 0);
        if !is_allowed {
            return Err(format!("{path}: permission denied"));
        }
        let node = Node { kind: Node::file(bytes, 0).kind, ..existing.clone() };
        container.files.put(&at, node);
        return Ok(None);
    }
    put(container, path, Node::file(bytes, 0o644))
}

fn append(container: &mut Container, path: &str, text: &str) -> Ended {
    let old = container.files.read(path).unwrap_or_default();
    write(container, path, [&old, text.as_bytes()].concat())
}

/// Puts something new, with the directories above it, where its directory may be written to.
fn put(container: &mut Container, path: &str, node: Node) -> Ended {
    let (uid, gid) = (container.user.uid, container.user.gid);
    let at = place(container, path);
    let mut missing = Vec::new();
    let mut parent = at.as_slice();
    while let Some(slash) = parent.iter().rposition(|byte| *byte == b'/') {
        parent = &parent[..slash];
        match container.files.get(parent) {
            Some(_) => break,
            None => missing.push(parent.to_vec()),
        }
    }
    let is_allowed = container.files.get(parent).map_or(uid == 0, |directory| may_write(directory, uid));
    if !is_allowed {
        return Err(format!("{path}: permission denied"));
    }
    for directory in missing.into_iter().rev() {
        container.files.put(&directory, Node::directory(0o755).owned(uid, gid));
    }
    if node.kind == NodeKind::Directory && container.files.get(&at).is_some() {
        return Ok(None);
    }
    container.files.put(&at, node.owned(uid, gid));
    Ok(None)
}

fn copy(container: &mut Container, from: &str, to: &str) -> Ended {
    let found = container.files.copy(&place(container, from)).ok_or_else(|| format!("{from}: not there"))?;
    let top = found.get(b"").cloned().ok_or_else(|| format!("{from}: not there"))?;
    let into = place(container, to);
    let (uid, gid) = (container.user.uid, container.user.gid);
    if top.kind != NodeKind::Directory {
        container.files.take(&into);
        return put(container, to, top);
    }
    put(container, to, Node::directory(0o755))?;
    let existing = container.files.get(&into).cloned().ok_or_else(|| format!("{to}: not there"))?;
    if !may_write(&existing, uid) {
        return Err(format!("{to}: permission denied"));
    }
    // The copy is the caller's, and so is the mode of its top, unless that was somebody's before.
    if existing.uid == uid {
        container.files.put(&into, Node { mode: top.mode, ..existing });
    }
    for (below, node) in found.sorted().into_iter().filter(|(below, _)| !below.is_empty()) {
        let mut node = node.clone().owned(uid, gid);
        if let NodeKind::File { shared: Some(number), .. } = &mut node.kind {
            // The names of a copy are names of one file, but of another one.
            *number = number.wrapping_add(1);
        }
        container.files.put(&joined(&into, below), node);
    }
    Ok(None)
}

fn may_write(directory: &Node, uid: u32) -> bool {
    uid == 0 || directory.mode & 0o002 != 0 || (directory.uid == uid && directory.mode & 0o200 != 0)
}

fn change_mode(container: &mut Container, mode: &str, path: &str) -> Ended {
    let mode = u32::from_str_radix(mode, 8).map_err(|error| error.to_string())?;
    let at = place(container, path);
    let node = container.files.get(&at).cloned().ok_or_else(|| format!("{path}: not there"))?;
    container.files.put(&at, Node { mode, ..node });
    Ok(None)
}

fn tar(container: &mut Container, directory: &str) -> Ended {
    let found = container.files.copy(&place(container, directory)).ok_or_else(|| format!("{directory}: not there"))?;
    let mut tar = tar::Builder::new(Vec::new());
    for (path, node) in found.sorted().into_iter().filter(|(path, _)| !path.is_empty()) {
        append_entry(&mut tar, &String::from_utf8_lossy(path), node).map_err(|error| error.to_string())?;
    }
    let bytes = tar.into_inner().map_err(|error| error.to_string())?;
    print(container, &bytes)
}

fn append_entry(tar: &mut tar::Builder<Vec<u8>>, path: &str, node: &Node) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(node.mode);
    header.set_uid(u64::from(node.uid));
    header.set_gid(u64::from(node.gid));
    header.set_mtime(0);
    header.set_size(0);
    match &node.kind {
        NodeKind::Directory => {
            header.set_entry_type(tar::EntryType::Directory);
            tar.append_data(&mut header, path, std::io::empty())
        }
        NodeKind::Symlink(target) => {
            header.set_entry_type(tar::EntryType::Symlink);
            tar.append_link(&mut header, path, String::from_utf8_lossy(target).as_ref())
        }
        NodeKind::File { bytes, .. } => {
            header.set_size(bytes.len() as u64);
            tar.append_data(&mut header, path, bytes.as_ref())
        }
    }
}

fn list(container: &Container, directory: &str) -> Result<String, String> {
    let found = container.files.copy(&place(container, directory)).ok_or_else(|| format!("{directory}: not there"))?;
    let mut lines = String::new();
    for (path, node) in found.sorted() {
        let name = if path.is_empty() { b".".as_slice() } else { path };
        let (kind, what) = described(&found, node);
        let (uid, gid) = (node.uid, node.gid);
        writeln!(lines, "{kind} {:04o} {uid}:{gid} {what} {}", node.mode, readable(name)).map_err(|error| error.to_string())?;
    }
    Ok(lines)
}

fn described(files: &Files, node: &Node) -> (char, String) {
    match &node.kind {
        NodeKind::Directory => ('d', "-".to_owned()),
        NodeKind::Symlink(target) => ('l', readable(target)),
        NodeKind::File { bytes, shared } => {
            let names = shared.map_or(1, |shared| files.names_of(shared));
            ('f', if names > 1 { format!("{}*{names}", bytes.len()) } else { bytes.len().to_string() })
        }
    }
}

fn readable(name: &[u8]) -> String {
    let is_visible = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b'\\';
    let written = |byte: &u8| if is_visible(*byte) { char::from(*byte).to_string() } else { format!("\\x{byte:02x}") };
    name.iter().map(written).collect()
}

fn record(container: &mut Container, path: &str, text: String) -> Ended {
    if path == "-" { print(container, text.as_bytes()) } else { write(container, path, text.into_bytes()) }
}

/// Shaped as the verbs are, which may fail.
#[expect(clippy::unnecessary_wraps, reason = "one verb among others")]
fn print(container: &mut Container, bytes: &[u8]) -> Ended {
    container.stdout.extend_from_slice(bytes);
    Ok(None)
}

fn there(is_so: bool, path: &str) -> Ended {
    if is_so { Ok(None) } else { Err(format!("{path}: it is otherwise")) }
}
