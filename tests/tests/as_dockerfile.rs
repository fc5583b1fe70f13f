//! `sti build --as-dockerfile`: what is written builds, by the engine's own builder, to what `sti` builds itself.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test ends by a panic, and looks at files by itself")]

mod engine_cases {
    pub(crate) mod podman;
}

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};

use engine_cases::podman::Podman;
use serde_json::{Value, json};
use sti_tests::{Builder, Lab, cannot_be_had, needs_engine};

const CREATED: &str = "org.opencontainers.image.created";
/// Labels that say what the product is called.
const NAMED: [&str; 2] = ["io.k8s.display-name", "org.opencontainers.image.title"];
/// Podman's commits keep these of its containers.
const OF_PODMAN: [&str; 4] = ["PATH=", "TERM=", "container=", "HOME="];

/// A build that is made twice: by `sti`, and of what `sti` has written.
struct Case {
    name: &'static str,
    builder: Builder,
    runtime: Option<Builder>,
    source: &'static [(&'static str, &'static str)],
    flags: &'static [&'static str],
}

fn image() -> Builder {
    // The first builders with BuildKit know no user of an image without a list of users.
    Builder::new().account("root", 0, 0).account("app", 1001, 7).user("1001:7")
}

fn by_assemble() -> Builder {
    let assemble = "list /tmp/src /app/seen.txt\ncopy /tmp/src /app\nremove /tmp/src\nenv TEXT /app/text";
    image().by_assemble().s2i("assemble", assemble).s2i("run", "cat /app/index.txt")
}

/// One that another user can write in.
fn open() -> Builder {
    by_assemble()
        .directory("/app/open", 0o777)
        .s2i("assemble", "copy /tmp/src /app/open/in")
        .s2i("run", "cat /app/open/in/index.txt")
}

fn by_prepare() -> Builder {
    image().prepare("list /tmp/src /app/seen.txt\ncopy /tmp/src /app\nenv TEXT /app/text").run("cat /app/index.txt")
}

const SOURCE: &[(&str, &str)] = &[("index.txt", "hello"), ("sub/file", "1"), (".hidden", "2"), ("empty/", "")];
/// Brings a script and variables along.
const BROUGHT: &[(&str, &str)] = &[
    ("index.txt", "hello"),
    (".s2i/bin/run", "#!/usr/bin/fixture\nprint 'of the source'\n"),
    (".s2i/environment", "FROM_FILE=a b\n"),
];
const TEXT: &str = "TEXT=$HOME `id` \"q\" 'q' \\n #x ${A} \\";

fn cases() -> Vec<Case> {
    let case = |name, builder, flags| Case { name, builder, runtime: None, source: SOURCE, flags };
    let extended = by_assemble().s2i("assemble", "copy /tmp/src /app/out\nremove /tmp/src\nwrite /tmp/late 2");
    let runtime = Builder::new()
        .account("root", 0, 0)
        .account("web", 2002, 8)
        .user("2002:8")
        .by_assemble()
        .directory("/app/web", 0o755)
        .config("WORKDIR /app");
    let runtime = runtime
        .s2i("run", "cat /app/web/out/index.txt")
        .s2i("assemble-runtime", "list /app/web /app/seen.txt\nwrite /app/made 1");
    let deployed = Builder::new().account("web", 2002, 8).user("web").prepare("list /tmp/src /app/seen.txt\ncopy /tmp/src /app");
    vec![
        case("prepare", by_prepare(), &["-e", TEXT, "--label", "note=a, b = \"c\" $HOME"]),
        case("assemble", by_assemble(), &["-e", TEXT, "-e", "EMPTY="]),
        case("a user of the scripts", open(), &["--assemble-user", "2002:8"]),
        case(
            "another destination",
            by_assemble().s2i("assemble", "copy /opt/in/src /app").directory("/opt", 0o777),
            &["--destination", "/opt/in"],
        ),
        Case { source: BROUGHT, ..case("scripts of the source", by_assemble(), &[]) },
        Case {
            runtime: Some(deployed.run("cat /app/index.txt")),
            ..case(
                "extended by prepare",
                by_prepare().prepare("copy /tmp/src /tmp/build\nwrite /tmp/build/made 1").save("print x"),
                &["-e", "A=1"],
            )
        },
        Case { runtime: Some(runtime), ..case("extended by assemble", extended, &["-a", "/app/out:web", "-a", "/tmp/late"]) },
    ]
}

/// Who builds what was written.
#[derive(Clone, Copy)]
enum By {
    /// Whatever answers where the first builder of Docker is asked; it needs no further program.
    TheEngine,
    /// `BuildKit`, which a program beside or within the client has to speak to.
    BuildKit,
}

/// A client of Docker that can have a builder do what is wanted: the first on the path may have nothing to speak to `BuildKit` with.
fn client(by: By) -> Option<PathBuf> {
    let places = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let clients = places.into_iter().map(|place| place.join("docker")).filter(|client| client.is_file());
    let mut clients = clients.filter(|client| {
        let help = Command::new(client).args(["build", "--help"]).env("DOCKER_BUILDKIT", variable(by)).output();
        let knows = |output: &[u8]| String::from_utf8_lossy(output).contains("--secret");
        help.is_ok_and(|output| output.status.success() && (matches!(by, By::TheEngine) || knows(&output.stdout)))
    });
    clients.next()
}

fn variable(by: By) -> &'static str {
    match by {
        By::TheEngine => "0",
        By::BuildKit => "1",
    }
}

/// Has what was written built, in the words that were printed.
#[track_caller]
fn build_written(lab: &Lab, client: &Path, by: By, printed: &str) {
    let words: Vec<&str> = printed.split_whitespace().collect();
    assert_eq!(words[..2], ["docker", "build"], "{printed}");
    let mut command = Command::new(client);
    command.args(&words[1..]).env("DOCKER_HOST", lab.engine().url()).env("DOCKER_BUILDKIT", variable(by)).env("HOME", lab.root());
    let output = command.current_dir(lab.root()).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{printed}\n{}\n{}", said(&output.stdout), said(&output.stderr));
}

/// What an image says of itself, as far as a build decides it.
fn said(lab: &Lab, name: &str) -> Value {
    let mut config = lab.config(name);
    let is_our_business = |pair: &Value| !OF_PODMAN.iter().any(|of_podman| pair.as_str().unwrap().starts_with(of_podman));
    let mut variables: Vec<Value> =
        config["Env"].as_array().into_iter().flatten().filter(|pair| is_our_business(pair)).cloned().collect();
    variables.sort_by_key(ToString::to_string);
    let mut labels = config["Labels"].take();
    labels
        .as_object_mut()
        .unwrap()
        .retain(|name, _| name != CREATED && !NAMED.contains(&name.as_str()) && !name.starts_with("io.buildah."));
    // The same in two ways of writing it.
    let directory =
        Some(config["WorkingDir"].as_str().unwrap_or_default()).filter(|path| !path.is_empty()).unwrap_or("/").to_owned();
    json!({"cmd": config["Cmd"], "entrypoint": config["Entrypoint"].as_array().filter(|words| !words.is_empty()), "user": config["User"], "workdir": directory, "env": variables, "labels": labels})
}

/// Paths, modes, owners, sizes and bytes below a directory.
fn content(lab: &Lab, name: &str, directory: &str) -> String {
    let hashed = lab.run_verbs(name, &format!("hash {directory} -"));
    assert_eq!(hashed.code, 0, "{hashed:?}");
    lab.listed(name, directory) + &hashed.output.stdout
}

#[track_caller]
fn check(lab: &Lab, case: Case, strategy: &str, (client, by): (&Path, By)) {
    let (builder, source) = (lab.builder(case.builder), lab.source(case.source));
    let runtime = case.runtime.map(|runtime| lab.builder(runtime));
    let extended: Vec<&str> = runtime.iter().flat_map(|runtime| ["-R", runtime.as_str()]).collect();
    let flags = [&["-m", strategy][..], case.flags, &extended].concat();
    let place = format!("{source}-written/Dockerfile");
    let written = lab.build(&source, &builder, "written", &[&["--as-dockerfile", &place], &flags[..]].concat());
    written.assert_success();
    assert_eq!(lab.image_id("written"), None, "{}: nothing is built", case.name);
    lab.build(&source, &builder, "built", &flags).assert_success();
    lab.assert_nothing_left();
    build_written(lab, client, by, &written.stdout);
    let name = format!("{} by {strategy}", case.name);
    assert_eq!(content(lab, "written", "/app"), content(lab, "built", "/app"), "{name}");
    assert_eq!(said(lab, "written"), said(lab, "built"), "{name}");
    assert_eq!(lab.run("written").output.stdout, lab.run("built").output.stdout, "{name}");
    if strategy == "dockerfile" {
        assert_eq!(content(lab, "written", "/tmp"), content(lab, "built", "/tmp"), "{name}");
    } else {
        let left = lab.listed("written", "/tmp");
        assert!(left.lines().all(|line| line.starts_with('d') || line.ends_with(" scripts/run")), "{name}: {left}");
    }
    insta::assert_snapshot!(name.replace(' ', "_"), lab.scrub(&fs::read_to_string(&place).unwrap()));
}

#[test]
fn docker_builds_the_same_of_instructions() {
    needs_engine!();
    let Some(client) = client(By::TheEngine) else { return cannot_be_had("there is no `docker`") };
    for case in cases() {
        check(&Lab::new(), case, "dockerfile", (&client, By::TheEngine));
    }
}

#[test]
fn buildkit_builds_the_same_with_mounts() {
    needs_engine!();
    let Some(client) = client(By::BuildKit) else { return cannot_be_had("there is no `docker` that speaks to BuildKit") };
    for case in cases() {
        check(&Lab::new(), case, "commit", (&client, By::BuildKit));
    }
}

/// It takes a directory out of an image that something is mounted upon: what is written by the contract `assemble` says so.
#[test]
fn podman_builds_the_same_with_mounts_where_the_image_has_nothing() {
    let Some(client) = client(By::TheEngine) else { return cannot_be_had("there is no `docker`") };
    let podman = match Podman::start() {
        Ok(podman) => podman,
        Err(why) => return cannot_be_had(&why),
    };
    for case in cases().into_iter().filter(|case| case.name.contains("prepare")) {
        check(&Lab::on(podman.engine().clone()), case, "commit", (&client, By::TheEngine));
    }
}

/// Every file, directory and link below a path, with mode and bytes.
fn tree(top: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut entries: Vec<_> = fs::read_dir(top).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let mut all = Vec::new();
    for path in entries {
        let metadata = fs::symlink_metadata(&path).unwrap();
        let bytes = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        all.push((path.display().to_string(), metadata.permissions().mode(), bytes));
        if metadata.is_dir() {
            all.extend(tree(&path));
        }
    }
    all
}

#[test]
fn the_same_input_is_the_same_output_and_only_that_is_replaced() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(by_prepare().save("print x"));
    let source = lab.source(SOURCE);
    symlink("index.txt", format!("{source}/link")).unwrap();
    fs::create_dir(format!("{source}/closed")).unwrap();
    fs::write(format!("{source}/closed/file"), "").unwrap();
    fs::set_permissions(format!("{source}/closed"), fs::Permissions::from_mode(0o555)).unwrap();
    let out = lab.root().join("out");
    let write = |path: &Path, further: &[&str]| {
        lab.build(&source, &builder, "app", &[&["--as-dockerfile", path.to_str().unwrap(), "--json"], further].concat())
    };
    fs::create_dir(&out).unwrap();
    let first = write(&out, &[]);
    first.assert_success();
    let told: Value = serde_json::from_str(&first.stdout).unwrap();
    let (file, context) = (out.join("Dockerfile"), out.join("Dockerfile.context"));
    assert_eq!((told["dockerfile"].as_str(), told["context"].as_str()), (file.to_str(), out.to_str()));
    let before = tree(&out);
    // An earlier product is none of a Dockerfile's business.
    lab.build(&source, &builder, "app", &[]).assert_success();
    write(&file, &[]).assert_success();
    assert_eq!(tree(&out), before);
    assert_eq!(fs::read_link(context.join("source/link")).unwrap(), Path::new("index.txt"));
    assert!(context.join("source/empty").is_dir());

    let wrong = |path: &Path, further: &[&str], says: &str| {
        write(path, further).assert_error(2, "invalid-argument", &[says]);
    };
    wrong(&out, &["--incremental"], "leave `--incremental` out");
    wrong(&Path::new(&source).join("new/Dockerfile"), &[], "lies within the source");
    assert!(!Path::new(&source).join("new").exists());
    wrong(&out.join("a b"), &[], "is no plain name");
    fs::write(out.join(".dockerignore"), "*").unwrap();
    wrong(&out, &[], ".dockerignore` would leave parts of the context out");
    fs::remove_file(out.join(".dockerignore")).unwrap();
    assert_eq!(tree(&out), before);

    // What was written is the user's as soon as the user changes it.
    fs::write(&file, "FROM scratch\n").unwrap();
    wrong(&out, &[], "it is not what `sti build --as-dockerfile` has written");
    fs::remove_file(&file).unwrap();
    write(&out, &[]).assert_success();
    assert_eq!(tree(&out), before);
    fs::remove_file(context.join("written-by-sti")).unwrap();
    wrong(&out, &[], "it was not written by `sti build --as-dockerfile`");
    let foreign = lab.root().join("foreign");
    fs::create_dir(&foreign).unwrap();
    symlink("nowhere", foreign.join("Dockerfile")).unwrap();
    wrong(&foreign, &[], "it is no file");
    assert_eq!(tree(&foreign).len(), 1);
    lab.assert_nothing_left();
}

#[test]
fn what_is_not_as_in_a_build_is_said() {
    needs_engine!();
    let lab = Lab::new();
    let source = lab.source(SOURCE);
    let out = format!("{source}-out");
    let flags = ["--as-dockerfile", &format!("{out}/Dockerfile")];
    let builder = lab.builder(by_assemble());
    let written = lab.build(&source, &builder, "app", &[&flags[..], &["-m", "commit", "--network", "none"]].concat());
    written.assert_success().assert_says("labels that the script leaves").assert_says("docker build --network none --tag ");
    let extended = lab.builder(by_prepare().save("print x"));
    let written = lab.build(&source, &extended, "app", &[&flags[..], &["-R", &builder, "--contract", "prepare"]].concat());
    written.assert_exit(1);
    let runtime = lab.builder(by_prepare());
    let written = lab.build(&source, &extended, "app", &[&flags[..], &["-R", &runtime]].concat());
    written.assert_success().assert_says("-build` is not made: a Dockerfile makes one image");
    let triggers = lab.builder(by_prepare().config("ONBUILD ENV A=1"));
    let refused = lab.build(&source, &triggers, "app", &[&flags[..], &["-m", "commit", "--allow-onbuild", "--json"]].concat());
    refused.assert_error(2, "invalid-argument", &["ONBUILD instructions, such as `ENV A=1`"]);
    lab.assert_nothing_left();
}
