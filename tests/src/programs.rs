//! The programs that tests need, built once by each test process. Cargo tells a test only of binaries of its own package.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
};

/// The `sti` that belongs to the running tests.
pub fn built_sti() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let profile = profile_directory();
        let mut arguments = vec!["build", "--quiet", "--package", "sti", "--bin", "sti"];
        if profile.ends_with("release") {
            arguments.push("--release");
        }
        cargo(&arguments);
        profile.join("sti")
    })
}

/// The bytes of the fixture, linked statically so that it runs in an image that holds nothing else.
pub fn built_fixture() -> Arc<[u8]> {
    static BUILT: OnceLock<Arc<[u8]>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let target = format!("{}-unknown-linux-musl", env::consts::ARCH);
        cargo(&["build", "--quiet", "--release", "--package", "sti-fixture", "--target", &target]);
        let path = target_directory().join(target).join("release/sti-fixture");
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
    });
    Arc::clone(built)
}

/// `target/debug` or `target/release`: tests lie in its folder `deps`.
fn profile_directory() -> PathBuf {
    let test = env::current_exe().expect("a test has a path");
    test.ancestors().nth(2).expect("a test lies in target/PROFILE/deps").to_path_buf()
}

fn target_directory() -> PathBuf {
    profile_directory().parent().expect("a profile lies in the target directory").to_path_buf()
}

fn cargo(arguments: &[&str]) {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).arg("--target-dir").arg(target_directory());
    // What cargo told this test about the test's own package is not meant for another build.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        command.env_remove(name);
    }
    let answer = command.output().expect("cargo can be started");
    assert!(answer.status.success(), "cargo {}:\n{}", arguments.join(" "), String::from_utf8_lossy(&answer.stderr));
}
