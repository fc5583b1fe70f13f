//! The programs that tests need, built once by each test process. Cargo tells a test only of binaries of its own package.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::{Arc, Mutex, OnceLock},
};

/// The `sti` that belongs to the running tests, or the one at the path in `STI_UNDER_TEST`, which is built already.
pub fn built_sti() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(path) = env::var_os("STI_UNDER_TEST") {
            return path.into();
        }
        let profile = profile_directory();
        // As the workspace and beside a test, or else its crates are compiled once more for the features of this one alone.
        let mut arguments = vec!["build", "--quiet", "--workspace", "--bin", "sti", "--test", "lab"];
        if profile.ends_with("release") {
            arguments.push("--release");
        }
        cargo(&arguments);
        profile.join("sti")
    })
}

/// An example of the crate `sti`.
pub fn built_example(name: &str) -> PathBuf {
    cargo(&["build", "--quiet", "--workspace", "--example", name]);
    target_directory().join("debug/examples").join(name)
}

/// The bytes of the fixture, linked statically so that it runs in an image that holds nothing else. `STI_FIXTURE` names a built one.
pub fn built_fixture() -> Arc<[u8]> {
    static BUILT: OnceLock<Arc<[u8]>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        if let Some(path) = env::var_os("STI_FIXTURE") {
            return fs::read(path).expect("STI_FIXTURE can be read").into();
        }
        let target = format!("{}-unknown-linux-musl", env::consts::ARCH);
        // In a place of its own, so that it never waits for a long build of something else.
        let place = target_directory().join("fixture");
        let place_text = place.to_string_lossy().into_owned();
        run_cargo(&[
            "build",
            "--quiet",
            "--release",
            "--package",
            "sti-fixture",
            "--target",
            &target,
            "--target-dir",
            &place_text,
        ]);
        let path = place.join(target).join("release/sti-fixture");
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).into()
    });
    Arc::clone(built)
}

/// A component of `tests/plugins`, built as a third party builds: by its own manifest, with these features of it.
pub fn built_plugin(folder: &str, features: &str) -> PathBuf {
    // One at a time: with other features the same file comes out.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _building = BUILDING.lock().expect("no holder panics");
    let manifest = format!("plugins/{folder}/Cargo.toml");
    let guests = target_directory().join("guests");
    let guests_text = guests.to_string_lossy().into_owned();
    let mut arguments =
        vec!["build", "--quiet", "--locked", "--release", "--target", "wasm32-wasip2", "--manifest-path", &manifest];
    arguments.extend(["--features", features, "--target-dir", &guests_text]);
    run_cargo(&arguments);
    let component = format!("{}.wasm", folder.replace('-', "_"));
    // Put in its place at once: another test process may read it.
    let (copy, aside) = (guests.join(format!("{folder}-{features}.wasm")), guests.join(format!("{folder}.{}", process::id())));
    fs::copy(guests.join("wasm32-wasip2/release").join(component), &aside).expect("a component that was just built");
    fs::rename(aside, &copy).expect("a file of our own");
    copy
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
    let target = target_directory().to_string_lossy().into_owned();
    run_cargo(&[arguments, &["--target-dir", &target]].concat());
}

fn run_cargo(arguments: &[&str]) {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments);
    // What cargo told this test about the test's own package is not meant for another build.
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        command.env_remove(name);
    }
    let answer = command.output().expect("cargo can be started");
    assert!(answer.status.success(), "cargo {}:\n{}", arguments.join(" "), String::from_utf8_lossy(&answer.stderr));
}
