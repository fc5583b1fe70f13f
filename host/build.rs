//! Builds every plugin in `plugins/` for wasm32-wasip2 and writes `OUT_DIR/shipped.rs`, which carries them into the binary.
//! The nested cargo has a target directory of its own: it would wait for ever for the lock that the outer one holds.
#![expect(clippy::disallowed_methods, reason = "a build script lives on what cargo puts into its environment")]

use std::{
    env,
    error::Error,
    ffi::{OsStr, OsString},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

const TARGET: &str = "wasm32-wasip2";

/// Decoders copy by sixteen bytes at once where they may, which every engine of components has.
const FLAGS: &str = "-C target-feature=+simd128";

/// What the plugins are made of; a change in any of it makes them anew.
const MADE_OF: &[&str] = &["plugins", "sdk", "wit", "Cargo.toml", "Cargo.lock"];

/// Variables of the outer build that would change the inner one. Those that begin with `CARGO_` go too, but for [`KEPT`].
const CLEARED: &[&str] = &[
    "CARGO",
    "RUSTFLAGS",
    "RUSTDOCFLAGS",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "CLIPPY_ARGS",
    "CLIPPY_CONF_DIR",
    "MAKEFLAGS",
    "MFLAGS",
    "NUM_JOBS",
    "OUT_DIR",
    "TARGET",
    "HOST",
    "PROFILE",
    "OPT_LEVEL",
    "DEBUG",
];

/// Where crates come from is the user's to say, for the inner build as for the outer one.
const KEPT: &[&str] = &["CARGO_HOME", "CARGO_NET_", "CARGO_HTTP_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_"];

/// A plugin's folder below `plugins/`, the name of its package, and what its manifest says that it is and is called.
struct Plugin {
    folder: String,
    package: String,
    kinds: Vec<String>,
    names: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")?).parent().ok_or("the host has no folder above it")?.to_path_buf();
    for path in MADE_OF {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    require_target()?;
    let out = PathBuf::from(variable("OUT_DIR")?);
    let guests = guests_directory(&out)?;
    let mut shipped =
        String::from("/// The plugins of `plugins/`, by the name of their folder.\npub(crate) static SHIPPED: &[Shipped] = &[\n");
    for plugin in plugins(&root.join("plugins"))? {
        let component = build(&root, &guests, &plugin)?;
        writeln!(shipped, "{}", entry(&plugin, &component, &out)?)?;
    }
    shipped.push_str("];\n");
    Ok(fs::write(out.join("shipped.rs"), shipped)?)
}

fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).ok_or_else(|| format!("cargo did not set {name}"))
}

/// Says what is missing before rustc does, who would say that it knows no crate `core`.
fn require_target() -> Result<(), Box<dyn Error>> {
    let answer = Command::new(variable("RUSTC")?).args(["--print", "sysroot"]).output()?;
    let sysroot = String::from_utf8(answer.stdout)?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).is_dir() {
        return Ok(());
    }
    Err(format!("the plugins are built for {TARGET}, which this Rust does not have; add it with `rustup target add {TARGET}`")
        .into())
}

/// One directory for all profiles: `target/guests`, whatever the outer target directory is called.
fn guests_directory(out: &Path) -> Result<PathBuf, String> {
    let profile = out.ancestors().find(|path| path.file_name() == Some(OsStr::new("build"))).and_then(Path::parent);
    let target = profile.and_then(Path::parent).ok_or_else(|| format!("{} is not where cargo usually puts it", out.display()))?;
    Ok(target.join("guests"))
}

/// The folders whose manifest makes a `cdylib`, sorted by name.
fn plugins(folder: &Path) -> Result<Vec<Plugin>, Box<dyn Error>> {
    let mut plugins = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(manifest) = fs::read_to_string(entry.path().join("Cargo.toml")) else { continue };
        if !manifest.contains("\"cdylib\"") {
            continue;
        }
        let value = |key: &str| {
            let found = manifest.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            found.ok_or_else(|| format!("{}: no {key}", entry.path().display()))
        };
        plugins.push(Plugin {
            folder: entry.file_name().to_string_lossy().into_owned(),
            package: value("name")?.trim_matches('"').to_owned(),
            kinds: words(value("kinds")?),
            names: value("names")?.to_owned(),
        });
    }
    plugins.sort_by(|one, other| one.folder.cmp(&other.folder));
    Ok(plugins)
}

/// The words of a list such as `["strategy"]`.
fn words(list: &str) -> Vec<String> {
    list.trim_matches(['[', ']']).split(',').map(|word| word.trim().trim_matches('"').to_owned()).collect()
}

fn build(root: &Path, guests: &Path, plugin: &Plugin) -> Result<PathBuf, Box<dyn Error>> {
    // Only as a cdylib: beside an rlib, which its tests need, cargo would leave link-time optimisation out.
    let mut cargo = Command::new(variable("CARGO")?);
    cargo.current_dir(root).args(["rustc", "--quiet", "--locked", "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--profile", "plugin", "--target", TARGET, "--package", &plugin.package, "--target-dir"]).arg(guests);
    for (name, _) in env::vars_os().filter(|(name, _)| is_cleared(&name.to_string_lossy())) {
        cargo.env_remove(name);
    }
    cargo.env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", FLAGS);
    let answer = cargo.output()?;
    if !answer.status.success() {
        return Err(format!("plugin `{}` does not build:\n{}", plugin.folder, String::from_utf8_lossy(&answer.stderr)).into());
    }
    Ok(guests.join(TARGET).join("plugin").join(format!("{}.wasm", plugin.package.replace('-', "_"))))
}

fn is_cleared(name: &str) -> bool {
    let cargos_own = name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept));
    cargos_own || CLEARED.contains(&name) || name.starts_with("DEP_")
}

/// Copies the component beside `shipped.rs`, so that another profile's build cannot change it under this one, and writes its line.
fn entry(plugin: &Plugin, component: &Path, out: &Path) -> Result<String, Box<dyn Error>> {
    let bytes = fs::read(component).map_err(|error| format!("{}: {error}", component.display()))?;
    // Named as it lies beside the list, so that a target directory can be moved.
    let copy = format!("{}.wasm", plugin.folder);
    fs::write(out.join(&copy), &bytes)?;
    let mut digest = String::from("sha256:");
    Sha256::digest(&bytes).iter().try_for_each(|byte| write!(digest, "{byte:02x}"))?;
    let kinds: Vec<_> = plugin.kinds.iter().map(|kind| kind_in_rust(kind)).collect::<Result<_, _>>()?;
    Ok(format!(
        "    Shipped {{ file: {:?}, kinds: &[{}], names: &{}, digest: {digest:?}, bytes: include_bytes!({copy:?}) }},",
        plugin.folder,
        kinds.join(", "),
        plugin.names,
    ))
}

fn kind_in_rust(kind: &str) -> Result<&'static str, String> {
    match kind {
        "strategy" => Ok("Kind::Strategy"),
        "fetcher" => Ok("Kind::Fetcher"),
        "validator" => Ok("Kind::Validator"),
        other => Err(format!("`{other}` is no kind of plugin")),
    }
}
