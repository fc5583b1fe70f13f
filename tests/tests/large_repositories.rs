//! Repositories that are larger than the memory of the plugin which fetches them.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

use std::{
    fs::{self, File},
    io::{BufWriter, Read, Write},
    path::Path,
    process::Command,
};

use sti_test_server::Server;
use sti_tests::Lab;

/// One file that a plugin could hold only once, and some that it could not hold together: more than the 256 MiB that it has.
const LARGE: u64 = 200 << 20;
const OTHERS: u64 = 10;
const OTHER: u64 = 10 << 20;

/// Bytes that no compression makes smaller, always the same for a seed.
struct Noise(u64);

impl Read for Noise {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for eight in buffer.chunks_mut(8) {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            eight.copy_from_slice(&self.0.to_le_bytes()[..eight.len()]);
        }
        Ok(buffer.len())
    }
}

fn noise(seed: u64, size: u64) -> impl Read {
    Noise(seed).take(size)
}

fn write(path: &Path, seed: u64, size: u64) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
    std::io::copy(&mut noise(seed, size), &mut file).unwrap();
    file.flush().unwrap();
}

fn assert_same(path: &Path, seed: u64, size: u64) {
    assert_eq!(fs::metadata(path).unwrap().len(), size);
    let (mut found, mut expected) = (File::open(path).unwrap(), noise(seed, size));
    let (mut ours, mut theirs) = (vec![0; 1 << 20], vec![0; 1 << 20]);
    loop {
        let length = found.read(&mut ours).unwrap();
        if length == 0 {
            return;
        }
        expected.read_exact(&mut theirs[..length]).unwrap();
        assert!(ours[..length] == theirs[..length], "{}", path.display());
    }
}

/// Runs git without compressing what does not compress, and without taking it into memory.
fn git(directory: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.current_dir(directory).args(["-c", "core.compression=0", "-c", "core.bigFileThreshold=1m"]).args(arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "a").env(format!("GIT_{who}_EMAIL"), "a@example.com");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_repository_that_is_larger_than_the_plugins_memory_is_fetched() {
    let lab = Lab::new();
    let web = lab.root().join("web");
    let project = web.join("app");
    fs::create_dir_all(&project).unwrap();
    git(&project, &["init", "-q", "-b", "main", "."]);
    write(&project.join("large"), 1, LARGE);
    (0..OTHERS).for_each(|number| write(&project.join(format!("other-{number}")), 2 + number, OTHER));
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-q", "-m", "m"]);
    let server = Server::start(&web, None);
    let over_http = format!("{}/app/.git", server.url);
    lab.sti(["fetch", &over_http, "refused", "--limit", "bytes=50000000"])
        .assert_exit(1)
        .assert_says("50000000 bytes")
        .assert_says("--limit bytes=NUMBER");
    for address in [over_http, format!("git:{}", project.display())] {
        lab.sti(["fetch", &address, "out", "--no-cache"]).assert_success();
        let out = lab.root().join("out");
        assert_same(&out.join("large"), 1, LARGE);
        (0..OTHERS).for_each(|number| assert_same(&out.join(format!("other-{number}")), 2 + number, OTHER));
        fs::remove_dir_all(out).unwrap();
    }
}
