//! Without a policy file the command line is the grant: one row for each thing that goes beyond it.

use crate::support::*;
use sti_core::plan::*;
use sti_core::{Plan, Reference, Variable};
use sti_policy::{Named, Policy};

/// What is changed, and how.
type Row = (&'static str, fn(&mut Plan, &mut Named));

fn judged(row: &Row) -> Result<(), String> {
    let (mut plan, mut named) = (plan(), named());
    row.1(&mut plan, &mut named);
    Policy::none().approve(plan, &plugin(), &named).map(|_| ()).map_err(|denial| printed(&denial))
}

fn check_refuses(rows: &[Row]) -> String {
    let refused = |row: &Row| format!("{}\n{}", row.0, judged(row).expect_err(row.0));
    rows.iter().map(refused).collect::<Vec<_>>().join("\n")
}

fn check_approves(rows: &[Row]) {
    for row in rows {
        assert_eq!(judged(row), Ok(()), "{}", row.0);
    }
}

fn file(path: &str, mode: u32, bytes: usize) -> Content {
    Content::Files { files: vec![PlanFile { path: path.to_owned(), mode, bytes: vec![b'x'; bytes] }] }
}

fn part(of: u32, path: &str) -> Content {
    Content::Part { of: ContentId(of), path: path.to_owned() }
}

fn capture(step: u32, path: &str) -> Content {
    Content::Capture { step: StepId(step), path: path.to_owned() }
}

#[test]
fn approves_what_the_user_named() {
    check_approves(&[
        ("a clean build", |_, _| {}),
        ("the other name of the same image", |plan, _| plan.steps[0] = run(image("docker.io/library/builder:latest"))),
        ("an earlier product", |plan, _| plan.steps[0] = run(image("app:1"))),
        ("an earlier sibling of it", |plan, _| plan.steps[0] = run(image("app:1-build"))),
        ("an earlier sibling where no tag was written", |plan, named| {
            named.tag = reference("app");
            plan.steps[0] = run(image("app-build"));
            plan.products[0].tag = reference("app");
        }),
        ("a second product", |plan, _| {
            plan.products.push(Product { name: "build".to_owned(), tag: reference("app:1-build"), step: StepId(0) });
        }),
        ("a user by number", |plan, _| run_of(plan).user = Some("1002:0".to_owned())),
        ("the image's own user by name", |plan, _| {
            plan.steps[0] = run(image_of("builder", "app:app"));
            run_of(plan).user = Some("app".to_owned());
        }),
        ("root where the image is root", |plan, _| {
            plan.steps[0] = run(image("rooted"));
            run_of(plan).user = Some("0".to_owned());
        }),
        ("a name where the image is root", |plan, _| {
            plan.steps[0] = run(image("rooted"));
            changes_of(plan).user = Some("www-data".to_owned());
        }),
        ("an assembly", |plan, _| plan.steps[0] = layer(image("builder"), Some("1001:0"))),
        ("an assembly from nothing with a user", |plan, _| {
            plan.steps[0] = layer(Base::Scratch, Some("65534"));
            changes_of(plan).user = Some("65534".to_owned());
        }),
        ("a working directory at the top", |plan, _| run_of(plan).working_directory = Some("/".to_owned())),
        ("a long value of the user's, in every step", |plan, named| {
            named.environment[0].value = "x".repeat(1 << 20);
            run_of(plan).environment[0].value = "x".repeat(1 << 20);
        }),
        ("a secret that is mounted", |plan, _| plan.contents[0] = Content::Secret { name: "token".to_owned() }),
        ("a cache", |plan, _| plan.contents[0] = Content::Cache { name: "wheels".to_owned() }),
        ("no network after `--network none`", |plan, named| {
            named.network = Network::None;
            run_of(plan).network = Network::None;
        }),
        ("a capture for a later step", |plan, _| {
            plan.contents.extend([capture(0, "/tmp/build"), part(1, "out")]);
            plan.steps.push(run(Base::Step { step: StepId(0) }));
            if let Action::Run(run) = &mut plan.steps[1].action {
                run.places[0].content = ContentId(2);
            }
        }),
    ]);
}

#[test]
fn refuses_images_and_tags_that_nobody_named() {
    let refused = check_refuses(&[
        ("another image", |plan, _| plan.steps[0] = run(image("docker.io/library/node:22"))),
        ("another tag of a named image", |plan, _| plan.steps[0] = run(image("builder:2"))),
        ("another registry", |plan, _| plan.steps[0] = run(image("evil.example/builder"))),
        ("something that begins like the tag", |plan, _| plan.steps[0] = run(image("app:10"))),
        ("a sibling that is no product's name", |plan, _| plan.steps[0] = run(image("app:1-.x"))),
        ("the name of the tag with another tag", |plan, _| plan.steps[0] = run(image("app-build:1"))),
        ("another product tag", |plan, _| plan.products[0].tag = reference("victim:1")),
        ("a sibling's tag that is not its own", |plan, _| {
            plan.products.push(Product { name: "build".to_owned(), tag: reference("app:1-test"), step: StepId(0) });
        }),
        ("a product's name that is none", |plan, _| {
            plan.products.push(Product { name: "Build".to_owned(), tag: reference("app:1-Build"), step: StepId(0) });
        }),
        ("a product twice", |plan, _| plan.products.push(plan.products[0].clone())),
        ("no app", |plan, _| plan.products.clear()),
        ("a product of a step that makes none", |plan, _| run_of(plan).commit = None),
        ("a product of a step that does not exist", |plan, _| plan.products[0].step = StepId(7)),
        ("a cache that was not named", |plan, _| plan.contents.push(Content::Cache { name: "other".to_owned() })),
        ("a secret that was not named", |plan, _| plan.contents.push(Content::Secret { name: "other".to_owned() })),
    ]);
    insta::assert_snapshot!(refused);
}

#[test]
fn refuses_root_where_the_images_user_is_another() {
    let refused = check_refuses(&[
        ("a run as root", |plan, _| run_of(plan).user = Some("root".to_owned())),
        ("a commit as root", |plan, _| changes_of(plan).user = Some(String::new())),
        ("a name that may be root", |plan, _| run_of(plan).user = Some("toor".to_owned())),
        ("an instruction", |plan, _| {
            plan.steps[0] = build(image("builder"), vec![Instruction::User { user: "0:0".to_owned() }]);
        }),
        ("files for root", |plan, _| plan.steps[0] = layer(image("builder"), Some("0:1001"))),
        ("nothing below and no user", |plan, _| plan.steps[0] = layer(Base::Scratch, Some("1001"))),
        ("a later step", |plan, _| {
            plan.steps.push(run(Base::Step { step: StepId(0) }));
            if let Action::Run(run) = &mut plan.steps[1].action {
                run.user = Some("0".to_owned());
            }
        }),
    ]);
    insta::assert_snapshot!(refused);
}

#[test]
fn lets_scripts_of_an_image_run_as_whom_the_user_names_there_and_makes_no_image_of_it() {
    let mut named = named();
    named.users = vec![(reference("docker.io/library/builder:latest"), "root".to_owned()), (reference("app:1"), String::new())];
    let approves = |base: &str, user: &str, change: fn(&mut Plan)| {
        let mut plan = plan();
        plan.steps[0] = run(image(base));
        run_of(&mut plan).user = Some(user.to_owned());
        change(&mut plan);
        Policy::none().approve(plan, &plugin(), &named).is_ok()
    };
    assert!(approves("builder", "root", |_| ()));
    assert!(approves("builder", "root", |plan| plan.steps.push(build(
        Base::Step { step: StepId(0) },
        vec![Instruction::User { user: "root".to_owned() }, Instruction::User { user: "1001".to_owned() }]
    ))));
    assert!(!approves("builder", "root", |plan| changes_of(plan).user = Some("root".to_owned())));
    assert!(!approves("builder", "0", |_| ()), "what was named is what was written");
    for (image, user) in [("registry.corp/builders/python:3", "root"), ("app:1", "")] {
        assert!(!approves(image, user, |_| ()), "{image}");
    }
}

#[test]
fn refuses_root_in_every_spelling() {
    for user in [
        "",
        "root",
        "0",
        "00",
        "000000000000000000000000",
        "0:0",
        "root:app",
        ":1001",
        "0:",
        "+0",
        "-0",
        " 0",
        "0x0",
        "4294967296",
        "a:b:c",
        "root\n",
    ] {
        let mut plan = plan();
        run_of(&mut plan).user = Some(user.to_owned());
        let denial = Policy::none().approve(plan, &plugin(), &named()).expect_err(user);
        assert_eq!(denial.code(), "not-granted", "{user:?}");
    }
}

#[test]
fn refuses_the_network_after_none() {
    let refused = check_refuses(&[
        ("a run", |_, named| named.network = Network::None),
        ("a build", |plan, named| {
            named.network = Network::None;
            plan.steps[0] = build(image("builder"), Vec::new());
        }),
    ]);
    insta::assert_snapshot!(refused);
}

#[test]
fn refuses_odd_words() {
    let refused = check_refuses(&[
        ("a user's variable with another value", |plan, _| run_of(plan).environment[0].value = "bye".to_owned()),
        ("a variable without a name", |plan, _| run_of(plan).environment[1].name = String::new()),
        ("a variable with two signs", |plan, _| changes_of(plan).environment.push(Variable::new("A=B", "1"))),
        ("an empty command", |plan, _| run_of(plan).command.clear()),
        ("a NUL in an argument", |plan, _| run_of(plan).command.push("a\0b".to_owned())),
        ("a title that steers the terminal", |plan, _| plan.steps[0].title = "\u{1b}]0;x\u{7}".to_owned()),
        ("a label of the host", |plan, _| changes_of(plan).labels.push(Variable::new("sti.build", "0"))),
        ("a label in two lines", |plan, _| changes_of(plan).labels.push(Variable::new("a\nb", "0"))),
        ("a port", |plan, _| changes_of(plan).expose.push("0/tcp".to_owned())),
        ("a mode", |plan, _| plan.contents.push(file("a", 0o4755, 1))),
        ("somebody else's plan", |plan, _| plan.author.digest = "sha256:0".to_owned()),
        ("a schema of tomorrow", |plan, _| plan.schema = 9),
    ]);
    insta::assert_snapshot!(refused);
}

#[test]
fn refuses_what_leads_nowhere() {
    let refused = check_refuses(&[
        ("a content that does not exist", |plan, _| run_of(plan).places[0].content = ContentId(9)),
        ("a base that is later", |plan, _| plan.steps[0].base = Base::Step { step: StepId(0) }),
        ("a capture of its own step", |plan, _| {
            plan.contents.push(capture(0, "/tmp/x"));
            run_of(plan).places[0].content = ContentId(1);
        }),
        ("a capture of no run", |plan, _| {
            plan.steps.push(layer(image("builder"), None));
            plan.contents.push(capture(1, "/tmp/x"));
        }),
        ("the files of no image", |plan, _| {
            plan.contents.push(Content::ImageFiles { step: StepId(4_294_967_295), path: "/a".to_owned() });
        }),
        ("a part of itself", |plan, _| plan.contents.push(part(1, "a"))),
        ("a file twice", |plan, _| {
            let one = PlanFile { path: "a".to_owned(), mode: 0o644, bytes: Vec::new() };
            plan.contents.push(Content::Files { files: vec![one.clone(), one] });
        }),
        ("a file below a file", |plan, _| {
            let named = |path: &str| PlanFile { path: path.to_owned(), mode: 0o644, bytes: Vec::new() };
            plan.contents.push(Content::Files { files: vec![named("a/b/c"), named("a-b"), named("a")] });
        }),
        ("two contents at one place", |plan, _| {
            let place = run_of(plan).places[0].clone();
            run_of(plan).places.push(place);
        }),
        ("a secret in an image", |plan, _| {
            plan.contents[0] = Content::Secret { name: "token".to_owned() };
            plan.contents.push(part(0, "a"));
            run_of(plan).places = vec![Place { content: ContentId(1), at: "/a".to_owned(), placement: Placement::Copied }];
        }),
    ]);
    insta::assert_snapshot!(refused);
}

#[test]
fn refuses_what_is_too_much() {
    let refused = check_refuses(&[
        ("a thousand steps", |plan, _| plan.steps = vec![plan.steps[0].clone(); 1000]),
        ("contents", |plan, _| plan.contents = vec![Content::Empty; 1001]),
        ("instructions", |plan, _| {
            let user = Instruction::User { user: "1001".to_owned() };
            plan.steps[0] = build(image("builder"), vec![user; 1001]);
        }),
        ("files", |plan, _| plan.contents.extend([file("a", 0o644, 3 << 20), file("b", 0o644, 2 << 20)])),
        ("a part of a part of a part …", |plan, _| plan.contents.extend((0..100).map(|of| part(of, "a")))),
        ("arguments", |plan, _| run_of(plan).command.push("x".repeat(1 << 20))),
    ]);
    insta::assert_snapshot!(refused);
}

#[test]
fn refuses_paths_that_no_plan_needs() {
    let odd = [
        "",
        "tmp",
        "/",
        "//",
        "/tmp/",
        "/tmp//a",
        "/tmp/../etc",
        "/tmp/.",
        "/..",
        "/a\0b",
        "/proc",
        "/proc/self/fd/7",
        "/sys/fs",
        "/dev/mem",
        &format!("/{}", "a/".repeat(3000)),
        &format!("/{}", "a".repeat(256)),
    ];
    let places: [fn(&mut Plan, String); 5] = [
        |plan, path| run_of(plan).places[0].at = path,
        |plan, path| plan.contents.push(Content::Capture { step: StepId(0), path }),
        |plan, path| plan.contents.push(Content::ImageFiles { step: StepId(0), path }),
        |plan, path| {
            let copied = Copied { content: ContentId(0), at: path, owner: None };
            plan.steps[0] = build(image("builder"), vec![Instruction::Copy(copied)]);
        },
        |plan, path| {
            plan.steps[0] = layer(image("builder"), None);
            if let Action::Assemble(assemble) = &mut plan.steps[0].action {
                assemble.layers[0].copied.at = path;
            }
        },
    ];
    let directories: [fn(&mut Plan, String); 3] = [
        |plan, path| run_of(plan).working_directory = Some(path),
        |plan, path| changes_of(plan).working_directory = Some(path),
        |plan, path| plan.steps[0] = build(image("builder"), vec![Instruction::WorkingDirectory { path }]),
    ];
    for path in odd {
        let allowed: &[_] = if path == "/" { &[] } else { &directories };
        for put in places.iter().chain(allowed) {
            let mut plan = plan();
            put(&mut plan, path.to_owned());
            assert!(Policy::none().approve(plan, &plugin(), &named()).is_err(), "{path:?}");
        }
    }
}

#[test]
fn refuses_relative_paths_that_climb() {
    for path in ["", "/etc", "..", "a/../b", "a/", "./a", "a//b", "a\0"] {
        for content in [part(0, path), file(path, 0o644, 1)] {
            let mut plan = plan();
            plan.contents.push(content);
            assert!(Policy::none().approve(plan, &plugin(), &named()).is_err(), "{path:?}");
        }
    }
}

#[test]
fn lets_a_plugin_look_at_what_it_may_start_from() {
    let grant = Policy::none().grant(&plugin(), &named());
    let may = |name: &str| grant.may_look_at(&Reference::parse(name).unwrap());
    for name in ["builder", "rooted:latest", "app:1", "app:1-build"] {
        assert_eq!(may(name), Ok(()), "{name}");
    }
    insta::assert_snapshot!(printed(&may("node:22").unwrap_err()), @r"
    not-granted: plugin `commit` may not look at `node:22`
      because: the command line names `builder`, `rooted` and `registry.corp/builders/python:3`, and the products of `app:1`
      hint: a strategy works with the images of the command line: BUILD_IMAGE, and --runtime IMAGE
    ");
}

#[test]
fn carries_out_what_images_bring_along_where_that_is_allowed() {
    let asks = |plan: &mut Plan| plan.steps[0] = triggered(image("builder"), &["USER root", "RUN make", "USER 1001"]);
    let mut named = named();
    let mut plan = plan();
    asks(&mut plan);
    let refused = Policy::none().approve(plan.clone(), &plugin(), &named).expect_err("nobody allows it").to_string();
    assert!(refused.contains("ONBUILD instructions of its image, such as `USER root`"), "{refused}");
    named.triggers = sti_policy::Triggers::Allowed;
    assert!(Policy::none().approve(plan.clone(), &plugin(), &named).is_ok());
    // Who comes after them is who the image is then.
    let mut next = run(Base::Step { step: StepId(0) });
    if let Action::Run(run) = &mut next.action {
        run.user = Some("root".to_owned());
    }
    plan.steps.push(next);
    assert!(Policy::none().approve(plan, &plugin(), &named).is_err());
}

#[test]
fn lets_nobody_run_whose_number_is_not_allowed() {
    let grant = |ranges: Option<&str>| {
        let uids = ranges.map(|ranges| ranges.parse().expect("ranges"));
        Policy::none().grant(&plugin(), &Named { uids, ..named() })
    };
    let plan = plan();
    let who = &plan.users()[0];
    assert_eq!((who.user.as_str(), who.step), ("1001", StepId(0)));
    let judged = |ranges, number| grant(ranges).may_run_as(&plan, who, number).map_err(|denial| denial.to_string());
    assert_eq!(judged(None, None), Ok(()));
    assert_eq!(judged(Some("1-"), Some(1001)), Ok(()));
    let refused = judged(Some("1-1000"), Some(1001)).expect_err("it lies beyond");
    assert!(refused.contains("run as `1001` in `builder`, whose number is 1001"), "{refused}");
    let unknown = judged(Some("0-"), None).expect_err("nobody knows");
    assert!(unknown.contains("whom nobody knows there"), "{unknown}");
}
