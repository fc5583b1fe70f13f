//! Repositories and answers of servers, as `sti_fuzzed::git` draws them.

/// Objects as they are drawn: names and modes are places in the tables of the target.
fn blob(content: &[u8]) -> Vec<u8> {
    [&[0], &many(content)[..]].concat()
}

fn tree(entries: &[(u8, u8, u8)]) -> Vec<u8> {
    let drawn = entries.iter().flat_map(|(mode, name, object)| [*mode, *name, *object]);
    [2, u8::try_from(entries.len()).expect("few entries")].into_iter().chain(drawn).collect()
}

fn many(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).expect("a short text").to_le_bytes(), bytes].concat()
}

fn made(lfs: &[u8], objects: &[Vec<u8>]) -> Vec<u8> {
    [vec![0], many(lfs), objects.concat()].concat()
}

fn line(text: &str) -> Vec<u8> {
    format!("{:04x}{text}", text.len() + 4).into_bytes()
}

fn hello(version: &str) -> Vec<u8> {
    [line("# service=git-upload-pack\n"), b"0000".to_vec(), line(version), line("ls-refs\n"), b"0000".to_vec()].concat()
}

const TIP: &str = "1111111111111111111111111111111111111111";
const MODULES: &[u8] = b"[submodule \"part\"]\n\tpath = link\n\turl = ../b.git\n\tupdate = checkout\n";
const ATTRIBUTES: &[u8] = b"a text eol=crlf\nb ident working-tree-encoding=UTF-16\ndir/** -text filter=lfs\n[attr]x text\n";
const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\n\
    oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
const OFFER: &[u8] = br#"{"objects":[{"oid":"4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393","size":12345,
    "actions":{"download":{"href":"http://other.example/a","header":{"Authorization":"x"}}}}]}"#;

pub(crate) fn all() -> Vec<(String, Vec<u8>)> {
    let files = [blob(b"one\ntwo\r\n$Id$\n"), tree(&[(0, 0, 0), (1, 1, 0)]), tree(&[(0, 0, 0), (3, 2, 1), (2, 3, 0)])];
    let delta = [blob(b"base"), vec![6, 0, 2, b'+', b'+', 0], vec![6, 1, 1, b'!', 1], tree(&[(0, 0, 1), (0, 1, 2)])];
    let raw_delta = [blob(b"0123456789"), [&[7, 0], &many(&[10, 4, 0x90, 4])[..], &[0]].concat(), tree(&[(0, 0, 1)])];
    let modules = [blob(MODULES), vec![5, 0], tree(&[(0, 4, 0), (4, 3, 1)])];
    let attributes =
        [blob(ATTRIBUTES), blob(b"text\n$Id: x$\n"), tree(&[(0, 1, 1)]), tree(&[(0, 5, 0), (0, 0, 1), (0, 1, 1), (3, 2, 2)])];
    let lfs = [blob(b"* filter=lfs\n"), blob(POINTER), tree(&[(0, 5, 0), (0, 0, 1)])];
    let hostile = [blob(b"x"), tree(&[(0, 7, 0)]), tree(&[(0, 0, 0), (3, 2, 1), (2, 4, 0)])];
    let raw_tree = [blob(b"x"), [&[4], &many(b"100644 a\0aaaaaaaaaaaaaaaaaaaa40000 a\0aaaaaaaaaaaaaaaaaaaa")[..]].concat()];
    let lying = [vec![8, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0], many(b"abc"), tree(&[(0, 0, 0)])];
    let zeros = [vec![9, 15], tree(&[(0, 0, 0)])];
    let packed = |form: u8| {
        [&[form, 2][..], &[7; 20], b"\x95\x0ax\x9c\x03\0\0\0\0\x01\x33x\x9c\x4b\x4c\x4a\x02\0\x02\x4d\x01\x27"].concat()
    };
    let said = [
        many(&hello("version 2\n")),
        many(&line(&format!("{TIP} HEAD\n"))),
        vec![1],
        line("packfile\n"),
        line("\u{2}counting\n"),
    ];
    let first = format!("{TIP} HEAD\0multi_ack side-band-64k shallow symref=HEAD:refs/heads/main object-format=sha1\n");
    let on_a_line = [line(&first), line(&format!("{TIP} refs/heads/main\n")), b"0000".to_vec(), line("NAK\n"), line("\u{3}no\n")];
    let seeds = [
        ("files", made(b"", &files)),
        ("delta", made(b"", &delta)),
        ("raw-delta", made(b"", &raw_delta)),
        ("submodule", made(b"", &modules)),
        ("attributes", made(b"", &attributes)),
        ("lfs", made(OFFER, &lfs)),
        ("hostile", made(b"", &hostile)),
        ("raw-tree", made(b"", &raw_tree)),
        ("lying", made(b"", &lying)),
        ("zeros", made(b"", &zeros)),
        ("packed", packed(2)),
        ("said", [vec![3], said.concat()].concat()),
        ("line", [vec![4], on_a_line.concat()].concat()),
        ("line-2", [vec![4], line("version 2\n"), line("ls-refs\n"), b"0000".to_vec(), line(&format!("{TIP} HEAD\n"))].concat()),
    ];
    seeds.map(|(name, bytes)| (name.to_owned(), bytes)).to_vec()
}
