//! What this engine does against a real daemon, with an image made of one static program. Without a daemon each test says that it is
//! skipped; with `CI=true` that is a failure.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stands at the edge of the house, and ends at the first thing that is not as it should be"
)]

mod daemon {
    pub(crate) mod bench;
}

use daemon::bench::{Bench, plan_of, run_of, tree};
use sti_core::{
    Pull, Reference, Tree, Variable,
    plan::{
        Action, Assemble, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Layer, Network, Place, Placement,
        Plan, PlanFile, Step, StepId,
    },
    progress::Silent,
};
use sti_engine::{Contents, Engine, Error, Execution, Exit};

/// Runs a test where a daemon answers.
fn check(name: &str, user: &str, test: impl AsyncFnOnce(&mut Bench)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(mut bench) = Bench::open(name, user).await else { return };
        test(&mut bench).await;
        bench.engine.clean_up().await.unwrap();
        bench.assert_nothing_left().await;
        bench.close().await;
    });
}

fn place(content: u32, at: &str, placement: Placement) -> Place {
    Place { content: ContentId(content), at: at.to_owned(), placement }
}

async fn execute(bench: &Bench, plan: Plan, source: Option<Tree>) -> Result<sti_engine::Outcome, Error> {
    let approved = bench.approve(plan);
    let contents = Contents { source };
    bench.engine.execute(Execution { plan: &approved, contents: &contents, keep_failed: false, progress: &bench.told }).await
}

#[test]
fn commits_what_a_script_made_and_nothing_that_was_mounted() {
    check("commit", "1001:1002", async |bench| {
        let source = tempfile::tempdir().unwrap();
        std::fs::create_dir(source.path().join("empty")).unwrap();
        std::fs::write(source.path().join("page.txt"), "hello").unwrap();
        let script =
            "cp -a /tmp/src/page.txt /srv/out/made && ls -ldn /tmp/src /tmp/src/page.txt /tmp/src/empty && touch /tmp/src/new";
        let mut run = run_of(&["/bin/busybox", "sh", "-c", script]);
        run.places = vec![place(0, "/tmp/src", Placement::Mounted)];
        run.commit =
            Some(ImageChanges { command: Some(vec!["/bin/busybox".to_owned(), "true".to_owned()]), ..ImageChanges::default() });
        let mut plan = plan_of(bench, run);
        plan.contents = vec![Content::Source];
        let before = bench.engine.requests();
        let outcome = execute(bench, plan, Some(tree(source.path()))).await.unwrap();
        let image = outcome.images[&StepId(0)].clone();
        let tag = bench.tag();
        bench.engine.tag(&image, &tag).await.unwrap();
        assert_eq!(bench.engine.requests() - before, 7, "create, put, attach, start, wait, commit, tag");
        let lines = bench.told.lines();
        assert!(lines.iter().all(|line| line.contains("1001") && line.contains("1002")), "{lines:?}");
        assert_eq!(lines.len(), 3);
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        assert_eq!(facts.id, image);
        assert_eq!(facts.command, ["/bin/busybox", "true"]);
        assert_eq!(facts.entrypoint, bench.builder.entrypoint);
        assert_eq!(
            (facts.user, facts.environment, facts.labels),
            ("1001:1002".to_owned(), bench.builder.environment.clone(), bench.builder.labels.clone())
        );
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        let paths = ["/srv/out/made", "/tmp/src/page.txt", "/tmp/src/new", "/bin/sh"].map(str::to_owned);
        let found = bench.engine.look_at(&facts, &paths).await.unwrap();
        assert_eq!(found.iter().map(|fact| fact.path.as_str()).collect::<Vec<_>>(), ["/srv/out/made", "/bin/sh"]);
        assert_eq!(bench.engine.read(&facts, "/srv/out/made", 100).await.unwrap().as_deref(), Some(&b"hello"[..]));
        bench.remove_image_of(&tag).await;
    });
}

#[test]
fn hands_artifacts_over_in_a_volume() {
    check("capture", "1001:1002", async |bench| {
        let save = {
            let mut run = run_of(&["/bin/busybox", "sh", "-c", "echo saved > /tmp/artifacts/cache; mkdir /tmp/artifacts/empty"]);
            run.places = vec![place(0, "/tmp/artifacts", Placement::Mounted)];
            run
        };
        let use_it = {
            let mut run = run_of(&["/bin/busybox", "sh", "-c", "cat /tmp/old/cache; ls -n /tmp/old; rm -r /tmp/old/empty"]);
            run.places = vec![place(1, "/tmp/old", Placement::Mounted)];
            run
        };
        let mut plan = plan_of(bench, save);
        plan.contents = vec![Content::Empty, Content::Capture { step: StepId(0), path: "/tmp/artifacts".to_owned() }];
        plan.steps.push(Step { title: "use".to_owned(), base: plan.steps[0].base.clone(), action: Action::Run(use_it) });
        execute(bench, plan, None).await.unwrap();
        let lines = bench.told.lines();
        assert_eq!(lines[0], "saved", "{lines:?}");
        assert_eq!(lines.iter().filter(|line| line.contains("1001")).count(), 2, "{lines:?}");
    });
}

#[test]
fn tells_the_exit_code_and_the_last_lines_of_a_script_that_failed() {
    check("fails", "", async |bench| {
        let script = "for i in $(seq 30); do echo \"line $i\"; done; printf '\\033[31mlast' >&2; exit 7";
        let failure = execute(bench, plan_of(bench, run_of(&["/bin/busybox", "sh", "-c", script])), None).await.unwrap_err();
        let Error::StepFailed(failure) = failure else { panic!("{failure}") };
        assert_eq!(failure.exit, Exit::Code(7));
        assert_eq!(failure.last_lines.len(), 20);
        assert!(failure.last_lines.contains(&"last".to_owned()), "{:?}", failure.last_lines);
    });
}

#[test]
fn says_in_our_words_why_a_command_cannot_be_run() {
    check("unrunnable", "1001", async |bench| {
        for (command, why) in
            [("/nope", "does not exist"), ("/etc/passwd", "not executable"), ("/etc/odd", "format"), ("/srv", "directory")]
        {
            let failure = execute(bench, plan_of(bench, run_of(&[command])), None).await.unwrap_err();
            let Error::NotRunnable { why: said, .. } = &failure else { panic!("{command}: {failure:?}") };
            assert!(said.contains(why), "{command}: {said}");
        }
    });
}

#[test]
fn resolves_a_named_user_and_refuses_an_unknown_one() {
    check("named", "builder:staff", async |bench| {
        let identity = bench.engine.identity(&bench.builder).await.unwrap();
        assert_eq!((identity.uid, identity.gid, identity.home.as_deref()), (431, 50, Some("/home/builder")));
        let mut stranger = bench.builder.clone();
        stranger.user = "stranger".to_owned();
        let error = bench.engine.identity(&stranger).await.unwrap_err();
        assert!(error.to_string().contains("`stranger`"), "{error}");
    });
}

#[test]
fn removes_what_a_dropped_build_left_and_leaves_the_living_alone() {
    check("dropped", "", async |bench| {
        let plan = plan_of(bench, run_of(&["/bin/busybox", "sleep", "60"]));
        let cut = std::time::Duration::from_millis(1500);
        assert!(tokio::time::timeout(cut, execute(bench, plan, None)).await.is_err());
        let other = bench.another_engine().await;
        let leftovers = other.leftovers().await.unwrap();
        let ours = leftovers.iter().find(|left| left.build == *bench.engine.build()).expect("the build is seen by another");
        assert_eq!(ours.things, 1);
        bench.engine.clean_up().await.unwrap();
        assert!(!other.leftovers().await.unwrap().iter().any(|left| left.build == *bench.engine.build()));
    });
}

#[test]
fn sweeps_an_image_that_was_committed_and_never_tagged() {
    check("untagged", "", async |bench| {
        let mut run = run_of(&["/bin/busybox", "touch", "/srv/out/x"]);
        run.commit = Some(ImageChanges::default());
        let outcome = execute(bench, plan_of(bench, run), None).await.unwrap();
        let image = outcome.images[&StepId(0)].clone();
        let other = bench.another_engine().await;
        assert_eq!(other.sweep(bench.engine.build()).await.unwrap(), 2, "a container and an image");
        assert!(bench.inspect_id(&image).await.is_none());
    });
}

#[test]
fn sweeps_images_of_instructions_that_were_never_tagged() {
    check("untagged-build", "", async |bench| {
        let command = busybox("touch /srv/out/a");
        let instructions = vec![Instruction::Run { command: command.clone() }, Instruction::Run { command }];
        let build = Build { instructions, network: Network::None, changes: ImageChanges::default() };
        let mut plan = plan_of(bench, run_of(&["/x"]));
        plan.steps = vec![on_builder(bench, "build", Action::Build(build))];
        let outcome = execute(bench, plan, None).await.unwrap();
        let other = bench.another_engine().await;
        let leftovers = other.leftovers().await.unwrap();
        let left = leftovers.iter().find(|left| left.build == *bench.engine.build()).expect("the volume is seen by another");
        assert_eq!(left.owner.as_deref(), Some("test"));
        // Images, and the volume; Podman takes the lower ones along uncounted.
        assert!(other.sweep(bench.engine.build()).await.unwrap() >= 2);
        assert!(bench.inspect_id(&outcome.images[&StepId(0)]).await.is_none());
        assert!(bench.image_ids().await.is_empty());
    });
}

#[test]
fn leaves_a_product_alone_whose_build_left_a_container() {
    check("product", "", async |bench| {
        let mut run = run_of(&["/bin/busybox", "touch", "/srv/out/x"]);
        run.commit = Some(ImageChanges::default());
        let outcome = execute(bench, plan_of(bench, run), None).await.unwrap();
        let image = outcome.images[&StepId(0)].clone();
        bench.engine.tag(&image, &bench.tag()).await.unwrap();
        let other = bench.another_engine().await;
        assert_eq!(other.sweep(bench.engine.build()).await.unwrap(), 1, "the container");
        assert!(bench.inspect_id(&image).await.is_some());
        assert!(!other.remove_image(&image).await.unwrap(), "a name needs it");
        bench.remove_image_of(&bench.tag()).await;
    });
}

#[test]
fn gives_a_second_step_the_image_of_the_first() {
    check("chain", "", async |bench| {
        let mut first = run_of(&["/bin/busybox", "touch", "/srv/out/x"]);
        first.commit = Some(ImageChanges { environment: vec![Variable::new("MADE", "yes")], ..ImageChanges::default() });
        let second = run_of(&["/bin/busybox", "sh", "-c", "ls /srv/out; echo $MADE"]);
        let mut plan = plan_of(bench, first);
        let base = Base::Step { step: StepId(0) };
        plan.steps.push(Step { title: "look".to_owned(), base, action: Action::Run(second) });
        execute(bench, plan, None).await.unwrap();
        assert_eq!(bench.told.lines(), ["x", "yes"]);
    });
}

fn busybox(script: &str) -> Vec<String> {
    ["/bin/busybox", "sh", "-c", script].map(str::to_owned).to_vec()
}

fn on_builder(bench: &Bench, title: &str, action: Action) -> Step {
    let builder = &bench.builder;
    let base = Base::Image { reference: builder.reference.clone(), id: builder.id.clone(), user: builder.user.clone() };
    Step { title: title.to_owned(), base, action }
}

#[test]
fn carries_out_instructions_with_the_engines_own_builder() {
    check("build", "1001:1002", async |bench| {
        let source = tempfile::tempdir().unwrap();
        std::fs::write(source.path().join("page.txt"), "hello").unwrap();
        let script = "ls -n /tmp/src/page.txt; echo $GREETING; echo oops >&2; cp /tmp/src/page.txt /srv/out/made";
        let build = Build {
            instructions: vec![
                Instruction::Copy(Copied { content: ContentId(0), at: "/tmp/src".to_owned(), owner: None }),
                Instruction::Environment(Variable::new("GREETING", "say \"hi\" to $USER")),
                Instruction::Run { command: busybox(script) },
            ],
            network: Network::None,
            changes: ImageChanges { command: Some(vec!["/bin/run".to_owned()]), ..ImageChanges::default() },
        };
        let mut plan = plan_of(bench, run_of(&["/x"]));
        plan.steps = vec![on_builder(bench, "build", Action::Build(build))];
        plan.contents = vec![Content::Source];
        let outcome = execute(bench, plan, Some(tree(source.path()))).await.unwrap();
        let lines = bench.told.lines();
        let has = |text: &str| lines.iter().any(|line| line.contains(text));
        assert!(has("1001") && has("1002") && has("say \"hi\" to $USER") && has("oops"), "{lines:?}");
        let tag = bench.tag();
        bench.engine.tag(&outcome.images[&StepId(0)], &tag).await.unwrap();
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        assert_eq!(facts.command, ["/bin/run"]);
        assert_eq!(
            (&facts.entrypoint, &facts.labels, &facts.user),
            (&bench.builder.entrypoint, &bench.builder.labels, &bench.builder.user)
        );
        assert_eq!(bench.engine.read(&facts, "/srv/out/made", 10).await.unwrap().as_deref(), Some(&b"hello"[..]));
        bench.remove_image_of(&tag).await;
    });
}

#[test]
fn leaves_nothing_of_instructions_that_failed() {
    check("build-fails", "", async |bench| {
        let before = bench.image_ids().await;
        let build = Build {
            instructions: vec![
                Instruction::Run { command: busybox("touch /srv/out/a") },
                Instruction::Run { command: busybox("echo one; echo two >&2; exit 7") },
            ],
            network: Network::None,
            changes: ImageChanges::default(),
        };
        let mut plan = plan_of(bench, run_of(&["/x"]));
        plan.steps = vec![on_builder(bench, "build", Action::Build(build))];
        let failure = execute(bench, plan, None).await.unwrap_err();
        let Error::StepFailed(failure) = failure else { panic!("{failure}") };
        assert_eq!(failure.exit, Exit::Code(7));
        let mut last_lines = failure.last_lines;
        last_lines.sort();
        assert_eq!(last_lines, ["one", "two"]);
        bench.engine.clean_up().await.unwrap();
        assert_eq!(bench.image_ids().await, before);
    });
}

#[test]
fn assembles_an_image_of_nothing_but_content() {
    check("assemble", "", async |bench| {
        let file = PlanFile { path: "bin/tool".to_owned(), mode: 0o755, bytes: b"#!".to_vec() };
        let copied = Copied { content: ContentId(0), at: "/opt".to_owned(), owner: Some("7:8".to_owned()) };
        let (entrypoint, user) = (Some(vec!["/opt/bin/tool".to_owned()]), Some("7:8".to_owned()));
        let changes = ImageChanges { entrypoint, user, ..ImageChanges::default() };
        let assemble = Assemble { layers: vec![Layer { title: "tool".to_owned(), copied }], changes };
        let mut plan = plan_of(bench, run_of(&["/x"]));
        plan.steps = vec![Step { title: "assemble".to_owned(), base: Base::Scratch, action: Action::Assemble(assemble) }];
        plan.contents = vec![Content::Files { files: vec![file] }];
        let outcome = execute(bench, plan, None).await.unwrap();
        let tag = bench.tag();
        bench.engine.tag(&outcome.images[&StepId(0)], &tag).await.unwrap();
        let facts = bench.engine.inspect(&tag, Pull::Never, &Silent).await.unwrap().unwrap();
        assert_eq!((facts.entrypoint.clone(), facts.command.clone()), (vec!["/opt/bin/tool".to_owned()], Vec::new()));
        let found = bench.engine.look_at(&facts, &["/opt/bin/tool".to_owned()]).await.unwrap();
        assert_eq!((found[0].mode, found[0].uid, found[0].gid), (0o755, 7, 8));
        bench.remove_image_of(&tag).await;
    });
}

#[test]
fn unpacks_output_and_hands_parts_of_captures_on() {
    check("output", "1001", async |bench| {
        let save = run_of(&["/bin/busybox", "sh", "-c", "cd /srv/out && mkdir -p d/e && echo deep > d/e/f && busybox tar c d"]);
        let use_it = {
            let mut run =
                run_of(&["/bin/busybox", "sh", "-c", "cat /tmp/all/d/e/f; cat /tmp/part/f; cat /tmp/file; ls -ln /tmp/file"]);
            run.places = vec![
                place(0, "/tmp/all", Placement::Mounted),
                place(1, "/tmp/part", Placement::Mounted),
                place(2, "/tmp/file", Placement::Copied),
            ];
            run
        };
        let mut plan = plan_of(bench, save);
        plan.contents = vec![
            Content::Output { step: StepId(0) },
            Content::Part { of: ContentId(0), path: "d/e".to_owned() },
            Content::Part { of: ContentId(1), path: "f".to_owned() },
        ];
        plan.steps.push(on_builder(bench, "use", Action::Run(use_it)));
        execute(bench, plan, None).await.unwrap();
        let lines = bench.told.lines();
        assert_eq!(lines[..3], ["deep", "deep", "deep"], "{lines:?}");
        assert!(lines[3].contains("1001"), "{lines:?}");
    });
}

#[test]
fn refuses_output_that_is_no_tar_and_says_so() {
    check("no-tar", "", async |bench| {
        let mut plan = plan_of(bench, run_of(&["/bin/busybox", "yes"]));
        if let Action::Run(run) = &mut plan.steps[0].action {
            run.command = busybox("for i in $(seq 1000); do echo no tar at all; done");
        }
        plan.contents = vec![Content::Output { step: StepId(0) }];
        let mut user = run_of(&["/bin/busybox", "true"]);
        user.places = vec![place(0, "/tmp/all", Placement::Mounted)];
        plan.steps.push(on_builder(bench, "use", Action::Run(user)));
        let failure = execute(bench, plan, None).await.unwrap_err();
        assert!(failure.to_string().contains("no tar"), "{failure}");
    });
}

#[test]
fn takes_files_of_an_image_that_a_step_made() {
    check("image-files", "", async |bench| {
        let mut first = run_of(&["/bin/busybox", "sh", "-c", "echo made > /srv/out/x"]);
        first.commit = Some(ImageChanges::default());
        let mut second = run_of(&["/bin/busybox", "cat", "/tmp/got/x"]);
        second.places = vec![place(0, "/tmp/got", Placement::Mounted)];
        let mut plan = plan_of(bench, first);
        plan.contents = vec![Content::ImageFiles { step: StepId(0), path: "/srv/out".to_owned() }];
        plan.steps.push(on_builder(bench, "use", Action::Run(second)));
        execute(bench, plan, None).await.unwrap();
        assert_eq!(bench.told.lines(), ["made"]);
    });
}

#[test]
fn asks_nothing_of_the_next_build_that_this_one_could_have_asked() {
    check("memory", "builder", async |bench| {
        let home = tempfile::tempdir().unwrap();
        let first = bench.engine_with_memory(home.path()).await;
        let paths = ["/bin/busybox".to_owned(), "/usr/bin/save-artifacts".to_owned()];
        // The earlier product of the same tag is asked as the builder is.
        let other = bench.other_image().await;
        first.look_at(&other, &paths).await.unwrap();
        first.identity(&bench.builder).await.unwrap();
        let mut run = run_of(&["/bin/busybox", "true"]);
        run.commit = Some(ImageChanges::default());
        let approved = bench.approve(plan_of(bench, run));
        let contents = Contents::default();
        let execution = Execution { plan: &approved, contents: &contents, keep_failed: false, progress: &bench.told };
        let outcome = first.execute(execution).await.unwrap();
        first.tag(&outcome.images[&StepId(0)], &bench.tag()).await.unwrap();
        first.clean_up().await.unwrap();
        let second = bench.engine_with_memory(home.path()).await;
        let facts = second.inspect(&bench.tag(), Pull::Never, &Silent).await.unwrap().unwrap();
        let found = second.look_at(&facts, &paths).await.unwrap();
        assert_eq!((found.len(), second.requests()), (1, 2), "version and inspect");
        bench.remove_image_of(&bench.tag()).await;
        bench.remove_image_of(&other.reference).await;
    });
}

#[test]
fn contacts_no_registry_with_never_and_says_what_to_do_where_one_is_dead() {
    check("pull", "", async |bench| {
        let nowhere = Reference::parse("127.0.0.1:1/nowhere:1").unwrap();
        assert_eq!(bench.engine.inspect(&nowhere, Pull::Never, &Silent).await.unwrap(), None);
        let error = bench.engine.inspect(&nowhere, Pull::Missing, &Silent).await.unwrap_err();
        assert!(matches!(&error, Error::PullFailed { hint: Some(hint), .. } if hint.contains("--pull never")), "{error:?}");
    });
}
